"""What a session shows of itself to who learns: its steps, and how a prediction came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from dagnb.events import Event, NodeSettled, RunFinished
from dagnb.notebook.pager import pager
from dagnb.results import NodeResult
from dagnb.teach.prediction import Prediction, predict, reveal
from dagnb.teach.stepper import steps
from dagnb.teach.walk import Walk

if TYPE_CHECKING:
    from dagnb.notebook.session import Session

NOTHING = "nothing"  # what is predicted if no node is to run


class Stepper:
    """Where somebody stands in a walk through a session's graph, or through its last run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._made_of: object = None
        self._walk: Walk | None = None
        self._is_of_run = False
        self._number = -1

    def show(self) -> Any:
        """Return a widget that goes through the present walk."""
        return pager(self._current(), self._session.dag.snapshot())

    def say(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag step`` prints."""
        match list(words):
            case ["order" | "run" as what]:
                self._is_of_run, self._walk = what == "run", None
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
        self._settled: dict[str, NodeResult] = {}
        self._is_due = False

    def say(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag predict`` prints."""
        if not words:
            return self._pending()
        names = [] if list(words) == [NOTHING] and NOTHING not in self._session.nodes else words
        self._prediction = predict(self._session.dag, names)
        self._settled, self._is_due = {}, False
        if self._note not in self._session.observers:
            self._session.observers.append(self._note)
        return f"{self._pending()}; now change something and run it"

    def _pending(self) -> str:
        if self._prediction is None:
            return "no prediction is pending; %dag predict NAME ... makes one for the next run"
        return f"predicted to run: {', '.join(sorted(self._prediction.expected)) or NOTHING}"

    def take(self) -> str:
        """Return how the prediction came out, once, when the next run is over; else nothing."""
        if self._prediction is None or not self._is_due or self._session.running:
            return ""
        prediction, self._prediction = self._prediction, None
        self._session.observers.remove(self._note)
        return str(reveal(prediction, self._session.dag, self._settled))

    def _note(self, event: Event) -> None:
        if isinstance(event, NodeSettled):
            self._settled[str(event.result.name)] = event.result
        self._is_due |= isinstance(event, RunFinished)
