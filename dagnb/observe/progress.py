"""What a run tells a person or a machine while it goes on, line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dagnb.events import Event, GraphEdited, NodeSettled, NodeStarted
from dagnb.observe.text import error_text, seconds
from dagnb.results import NodeResult, NodeStatus

MARKS = {
    NodeStatus.COMPLETED: "ok",
    NodeStatus.CACHE_HIT: "known",
    NodeStatus.FAILED: "FAILED",
    NodeStatus.TIMED_OUT: "FAILED",
    NodeStatus.SKIPPED: "skipped",
    NodeStatus.CANCELLED: "stopped",
}


class Tally:
    """An observer that keeps what became of each node, over all runs it is told of.

    Attributes
    ----------
    results : dict of str to NodeResult
        A node that was executed stays so, although a later run found it up to date.
    running : dict of str to float
        The nodes that run, and when they began.
    total : int
        How many nodes there are; at least as many as was said there would be.
    expected : dict of str to float
        How many seconds nodes took in earlier runs.
    workers : int
        How many nodes run side by side.
    """

    def __init__(self) -> None:
        self.results: dict[str, NodeResult] = {}
        self.running: dict[str, float] = {}
        self.total = 0
        self.expected: dict[str, float] = {}
        self.workers = 1

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, GraphEdited):
            self.total = max(self.total, len(event.nodes))
        elif isinstance(event, NodeStarted):
            self.running[event.name] = event.at
            self.started(event.name)
        elif isinstance(event, NodeSettled):
            self._settle(event.result)

    def _settle(self, result: NodeResult) -> None:
        name = str(result.name)
        self.running.pop(name, None)
        old = self.results.get(name)
        is_known = old is not None and (old.executed or old.status is result.status)
        if result.executed or not is_known:
            self.results[name] = result
            self.settled(result)

    def seconds_left(self, now: float) -> float | None:
        """Return how long the rest takes by earlier runs; None if they tell nothing.

        Examples
        --------
        >>> tally = Tally()
        >>> tally.expected = {"a": 10.0, "b": 4.0}
        >>> tally(NodeStarted("a", at=100.0))
        >>> tally.seconds_left(now=103.0)
        11.0
        """
        begun = {name: now - began for name, began in self.running.items()}
        left = [
            max(usual - begun.get(name, 0.0), 0.0)
            for name, usual in self.expected.items()
            if name not in self.results
        ]
        return sum(left) / self.workers if left else None

    def started(self, name: str) -> None:
        """Tell that a node began; override."""

    def settled(self, result: NodeResult) -> None:
        """Tell what became of a node; override."""

    def note(self, text: str) -> None:
        """Tell something that concerns no node; override."""

    def finish(self, summary: str, facts: Mapping[str, Any]) -> None:
        """Tell what became of the whole; override."""


class Lines(Tally):
    """A line for each node, for logs and pipes."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def settled(self, result: NodeResult) -> None:
        """Write how a node ended, how long it took, and why if that is not plain."""
        width = len(str(self.total))
        place = f"{len(self.results):{width}}/{self.total}"
        took = seconds(result.duration_seconds) if result.executed else ""
        why = error_text(result.error) if result.error is not None else ""
        if result.status is NodeStatus.SKIPPED:
            why = result.reason
        mark = MARKS.get(result.status, result.status.value)
        self._write(f"{place}  {mark:7}  {result.name}  {took or why}".rstrip())
        if took and why:
            self._write(f"{'':{2 * width + 3}}{why}")

    def note(self, text: str) -> None:
        """Write it."""
        self._write(text)

    def finish(self, summary: str, facts: Mapping[str, Any]) -> None:
        """Write the summary."""
        self._write(summary)


class JsonLines(Tally):
    """An object a line, for machines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def started(self, name: str) -> None:
        """Write that a node began."""
        self._put("started", node=name)

    def settled(self, result: NodeResult) -> None:
        """Write all that a script may want to know of a node."""
        error = None if result.error is None else error_text(result.error)
        self._put(
            "settled",
            node=str(result.name),
            status=result.status.value,
            executed=result.executed,
            seconds=round(result.duration_seconds, 6),
            attempts=result.attempts,
            reason=result.reason,
            error=error,
            digest=result.digest,
        )

    def note(self, text: str) -> None:
        """Write it."""
        self._put("note", text=text)

    def finish(self, summary: str, facts: Mapping[str, Any]) -> None:
        """Write what became of the whole."""
        self._put("finished", summary=summary, **facts)

    def _put(self, event: str, **facts: object) -> None:
        self._write(json.dumps({"event": event, **facts}, default=str))
