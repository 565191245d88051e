"""How a session's nodes would run on several workers: as text, and as a chart of the live graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dagnb.errors import did_you_mean
from dagnb.teach.schedules import MOST_WORKERS, Schedule, measured, schedule, speedups

if TYPE_CHECKING:
    from dagnb.notebook.session import Session


class Workers:
    """What workers could bring, by how long the nodes took or by what somebody supposes.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._given: dict[str, float] = {}
        self._number = 2

    def say(self, words: Sequence[str]) -> str:
        """Return what a line of ``%dag schedule`` prints.

        Parameters
        ----------
        words : sequence of str
            A number of workers or none, and how long nodes take, each as ``NAME=SECONDS``.

        Raises
        ------
        ValueError
            With a sentence that says what is wrong.
        """
        numbers = [word for word in words if word.isdecimal()]
        if len(numbers) > 1 or "0" in numbers:
            raise ValueError("a schedule has one number of workers, from 1 on")
        self._given = dict(self._supposed(word) for word in words if word not in numbers)
        took, source = self._durations()
        dag = self._session.dag
        if not numbers:
            return f"{source}\n{speedups(dag, took)}"
        self._number = min(int(numbers[0]), MOST_WORKERS)
        return f"{source}\n{schedule(dag, took, int(numbers[0]))}"

    def facts(self, number: object = None) -> dict[str, object]:
        """Return a schedule as the live graph draws it, with its bounds and their sources."""
        if isinstance(number, int):
            self._number = min(max(number, 1), MOST_WORKERS)
        took, source = self._durations()
        made = schedule(self._session.dag, took, self._number)
        return {
            "mode": "workers",
            "number": self._number,
            "most": MOST_WORKERS,
            "said": f"{made.summary()} ({source})",
            "lines": made.bounds.explained(),
            "chart": self._chart(made, took),
            "marks": {},
        }

    def _chart(self, made: Schedule, took: Mapping[str, float]) -> dict[str, object]:
        """Return a schedule in the form in which the view gets the timeline of a run."""
        session = self._session
        path, length = session.dag.critical_path(took) if session.nodes else ([], 0.0)
        looks = {name: node.status for name, node in session.view.nodes.items()}
        lanes = [
            {
                "worker": f"worker {worker + 1}",
                "bars": [[s.name, looks[s.name], s.start, s.end] for s in made.lane(worker)],
            }
            for worker in range(made.bounds.workers)
        ]
        critical = {"critical": [str(name) for name in path], "critical_seconds": length}
        return {"seconds": made.makespan, "lanes": lanes, "marks": []} | critical

    def _durations(self) -> tuple[dict[str, float], str]:
        """Return how long each node takes, and where that is from."""
        session = self._session
        took = measured(session.result(name) for name in session.nodes)
        supposed = {name: each for name, each in self._given.items() if name in session.nodes}
        if not any(took.values()) and not supposed:
            return dict.fromkeys(took, 1.0), "no node has run yet, so each counts as one second"
        source = "by how long the nodes took, in seconds"
        if supposed:
            source += f", but supposed: {', '.join(f'{n}={s:g}' for n, s in supposed.items())}"
        return took | supposed, source

    def _supposed(self, word: str) -> tuple[str, float]:
        """Read ``NAME=SECONDS``."""
        name, _, text = word.rpartition("=")
        if name not in self._session.nodes:
            hint = did_you_mean(name, self._session.nodes) if name else ""
            raise ValueError(f"{word!r} is no number of workers and no NAME=SECONDS{hint}")
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"{word!r}: {text!r} is no number of seconds")
        return name, seconds
