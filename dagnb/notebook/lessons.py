"""What a session shows of itself to who learns, as text and on the live graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from dagnb.events import Event, NodeSettled, RunFinished
from dagnb.notebook.schedules import Workers
from dagnb.results import NodeResult
from dagnb.teach.prediction import Prediction, Revealed, predict, reveal
from dagnb.teach.stepper import steps
from dagnb.teach.walk import Mark, Walk

if TYPE_CHECKING:
    from dagnb.notebook.session import Session

NOTHING = "nothing"  # what is predicted if no node is to run
Facts = dict[str, object]
_ASKED = (
    "Choose the nodes that you expect to run next: click them, or press Enter on them. "
    "Then change something, and run it."
)


class Stepper:
    """Where somebody stands in a walk through a session's graph, or through its last run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._made_of: object = None
        self._walk: Walk | None = None
        self._is_of_run = False
        self._number = -1

    @property
    def mode(self) -> str:
        """What is gone through: ``"order"`` or ``"run"``."""
        return "run" if self._is_of_run else "order"

    def say(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag step`` prints."""
        match list(words):
            case ["order" | "run" as what]:
                self._turn(what)
                return self._go(0)
            case ["all"]:
                return str(self._current())
            case [] | ["next"]:
                return self._go(self._number + 1 if self._is_fresh else 0)
            case ["back"]:
                return self._go(self._number - 1 if self._is_fresh else 0)
            case [number] if number.isdecimal():
                return self._go(int(number))
        raise UsageError("usage: %dag step [next|back|N|all|order|run|show]")

    def facts(self, mode: str = "", number: object = None) -> Facts:
        """Go to a step of a walk, or stay, and return what the live graph shows there.

        Who asks for a step of a walk that is out of date gets the first one of the present walk.
        """
        if mode and mode != self.mode:
            self._turn(mode)
        was_there, fresh = self._walk is not None, self._is_fresh
        walk = self._current()
        wanted = number if isinstance(number, int) and fresh else self._number if fresh else 0
        self._number = min(max(wanted, 0), len(walk) - 1)
        step = walk[self._number]
        return {
            "mode": self.mode,
            "number": self._number,
            "last": len(walk) - 1,
            "title": walk.title,
            "news": "" if fresh or not was_there else "The graph or its run is another one.",
            "said": step.said,
            "marks": step.marks,
            "active": sorted(step.active),
            "decided": step.decided,
            "header": step.header,
            "rows": step.shown,
        }

    def _turn(self, mode: str) -> None:
        self._is_of_run, self._walk = mode == "run", None

    @property
    def _present(self) -> object:
        """What a walk is made of: another one means that it is to be made anew."""
        session = self._session
        last = id(session.last_run) if self._is_of_run else None
        return session.dag.adjacency.version, last

    @property
    def _is_fresh(self) -> bool:
        return self._walk is not None and self._made_of == self._present

    def _current(self) -> Walk:
        if self._walk is None or not self._is_fresh:
            session = self._session
            self._walk = steps(session.dag, session.settled if self._is_of_run else None)
            self._made_of = self._present
        return self._walk

    def _go(self, number: int) -> str:
        was_there = self._walk is not None
        news = "" if self._is_fresh or not was_there else "The graph or its run is another one.\n"
        walk = self._current()
        if number >= len(walk):
            return f"{news}there is no step {number}; the last one is {len(walk) - 1}"
        if number < 0:
            return f"{news}this is the beginning; %dag step goes on"
        self._number = number
        return f"{news}{walk.show(number)}"


class Guess:
    """Holds a prediction until something has run, and then says how it came out."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._prediction: Prediction | None = None
        self._revealed: Revealed | None = None
        self._settled: dict[str, NodeResult] = {}
        self._is_due = False

    def say(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag predict`` prints."""
        if not words:
            return self._pending()
        self.expect(
            [] if list(words) == [NOTHING] and NOTHING not in self._session.nodes else words
        )
        return f"{self._pending()}; now change something and run it"

    def expect(self, names: Sequence[str]) -> None:
        """Take a prediction down, in place of the one before."""
        self._prediction = predict(self._session.dag, names)
        self._settled, self._is_due, self._revealed = {}, False, None
        if self._note not in self._session.observers:
            self._session.observers.append(self._note)

    def toggle(self, name: str) -> None:
        """Expect one more node, or one less; those that are gone meanwhile are left out."""
        before = self._prediction.expected if self._prediction else frozenset()
        self.expect(sorted((before ^ {name}) & ({name} | self._session.nodes.keys())))

    def withdraw(self) -> None:
        """Forget the prediction, and how the last one came out."""
        self._prediction = self._revealed = None
        if self._note in self._session.observers:
            self._session.observers.remove(self._note)

    def facts(self) -> Facts:
        """Return what the live graph shows: what is expected, or how it came out."""
        if self._revealed is not None:
            lines = str(self._revealed).splitlines()
            return _predicted("revealed", lines[0], lines[1:], self._revealed.marks)
        if self._prediction is None:
            return _predicted("empty", _ASKED, [], {})
        marks = dict.fromkeys(self._prediction.expected, Mark("running", "will run"))
        return _predicted("pending", f"{_ASKED}\n{self._pending()}", [], marks)

    def _pending(self) -> str:
        if self._prediction is None:
            return "no prediction is pending; %dag predict NAME ... makes one for the next run"
        return f"predicted to run: {', '.join(sorted(self._prediction.expected)) or NOTHING}"

    def take(self) -> str:
        """Return how the prediction came out, once, when the next run is over; else nothing."""
        if self._prediction is None or not self._is_due or self._session.running:
            return ""
        revealed = reveal(self._prediction, self._session.dag, self._settled)
        self.withdraw()
        self._revealed = revealed
        return str(revealed)

    def _note(self, event: Event) -> None:
        if isinstance(event, NodeSettled):
            self._settled[str(event.result.name)] = event.result
        self._is_due |= isinstance(event, RunFinished)


def _predicted(
    state: str, said: str, lines: Sequence[str], marks: Mapping[str, Mark]
) -> dict[str, object]:
    return {"mode": "predict", "state": state, "said": said, "lines": lines, "marks": marks}


class Lessons:
    """The lessons of one session: what is typed is shown on the live graph, too, if there is one.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.stepper = Stepper(session)
        self.guess = Guess(session)
        self.workers = Workers(session)

    def step(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag step`` prints."""
        said = self.stepper.say(words)
        self._session.draw_lesson(self.stepper.facts())
        return said

    def predict(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag predict`` prints."""
        said = self.guess.say(words)
        self._session.draw_lesson(self.guess.facts())
        return said

    def schedule(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag schedule`` prints; ``ValueError`` says what is wrong."""
        said = self.workers.say(words)
        self._session.draw_lesson(self.workers.facts())
        return said

    def reveal(self) -> str:
        """Return how a prediction came out, if it is time to; else nothing."""
        said = self.guess.take()
        if said:
            self._session.draw_lesson(self.guess.facts())
        return said

    def answer(self, asked: Mapping[str, object]) -> Facts:
        """Do what somebody did on the live graph, and return what it shows then."""
        match asked.get("mode"):
            case "order" | "run" as mode:
                return self.stepper.facts(str(mode), asked.get("number"))
            case "predict":
                return self._predicted(asked)
            case "workers":
                return self.workers.facts(asked.get("number"))
        return {}

    def _predicted(self, asked: Mapping[str, object]) -> Facts:
        name = asked.get("toggle")
        if isinstance(name, str) and name in self._session.nodes:
            self.guess.toggle(name)
        if asked.get("expect") == NOTHING:
            self.guess.expect([])
        if asked.get("expect") == "again":
            self.guess.withdraw()
        return self.guess.facts()
