"""What ends a run from outside."""

from __future__ import annotations

from time import perf_counter
from typing import Protocol

from dagnb.results import NodeStatus
from dagnb.run.attempts import SLICE_SECONDS
from dagnb.run.engine import Engine


class CancelEvent(Protocol):
    """What is asked whether to stop; ``threading.Event`` is one."""

    def is_set(self) -> bool:
        """Whether to stop."""


class Limits:
    """What ends a run from outside: a deadline and a cancel event.

    Parameters
    ----------
    timeout : float, optional
        Seconds from now.
    cancel_event : CancelEvent, optional
    abandon : bool
        Whether what runs when the event is set is not waited for.

    Attributes
    ----------
    is_cancelled : callable or None
        Says whether the event is set.
    abandon : bool
        As given.
    """

    def __init__(
        self,
        timeout: float | None,
        cancel_event: CancelEvent | None,
        *,
        abandon: bool = False,
    ) -> None:
        self._timeout = timeout
        self.abandon = abandon
        self._deadline = None if timeout is None else perf_counter() + timeout
        self.is_cancelled = None if cancel_event is None else cancel_event.is_set

    def enforce(self, engine: Engine) -> bool:
        """Stop a run that has been cancelled or is out of time; say whether it has to end."""
        if not self.are_reached():
            return False
        if self._deadline is not None and perf_counter() >= self._deadline:
            reason = f"the run's timeout of {self._timeout:g} s"
            engine.stop(NodeStatus.CANCELLED, reason, abandon=NodeStatus.TIMED_OUT)
        abandon = NodeStatus.CANCELLED if self.abandon else None
        engine.stop(NodeStatus.CANCELLED, "cancelled", abandon=abandon)
        return True

    def are_reached(self) -> bool:
        """Whether the run has to end; it is not touched."""
        over = self._deadline is not None and perf_counter() >= self._deadline
        return over or (self.is_cancelled is not None and self.is_cancelled())

    def slice_seconds(self) -> float:
        """Return how long to wait at most before these are looked at again."""
        if self._deadline is None:
            return SLICE_SECONDS
        return max(0.0, min(SLICE_SECONDS, self._deadline - perf_counter()))
