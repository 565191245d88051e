"""How long nodes took in their last runs, and whether they came out different."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from dagnb.events import Event, NodeSettled

KEPT = 20


@dataclass(frozen=True, slots=True)
class Past:
    """One execution of a node.

    Attributes
    ----------
    seconds : float
    changed : bool
        Whether its value differed from the one before; of the first one, it did.
    succeeded : bool
    """

    seconds: float
    changed: bool
    succeeded: bool


class History:
    """An observer that keeps the last executions of each node.

    Examples
    --------
    >>> from dagnb.results import NodeResult, NodeStatus
    >>> history = History()
    >>> done = NodeResult("a", NodeStatus.COMPLETED, executed=True, duration_seconds=0.5)
    >>> history(NodeSettled(done))
    >>> [each.seconds for each in history.of("a")]
    [0.5]
    """

    def __init__(self) -> None:
        self._past: dict[str, deque[Past]] = {}

    def __call__(self, event: Event) -> None:
        """Note a node that was executed."""
        if isinstance(event, NodeSettled) and event.result.executed:
            result = event.result
            past = Past(result.duration_seconds, result.changed, result.status.is_success)
            self._past.setdefault(str(result.name), deque(maxlen=KEPT)).append(past)

    def of(self, name: str) -> Sequence[Past]:
        """Return the executions of a node, the oldest first; at most `KEPT`."""
        return tuple(self._past.get(name, ()))

    def seconds(self, name: str) -> float | None:
        """Return how long a node took the last time it succeeded, or failed if it never did.

        None if it has not run.
        """
        past = self.of(name)
        done = [each.seconds for each in past if each.succeeded] or [each.seconds for each in past]
        return done[-1] if done else None

    def share_changed(self, name: str) -> float | None:
        """Return how often a node that ran again came out different, from 0 to 1.

        None if it has not run again.
        """
        again = [each.changed for each in self.of(name)[1:] if each.succeeded]
        return sum(again) / len(again) if again else None
