"""The right to touch an engine, lent to a worker that runs short nodes by itself."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING

from dagnb.run.call import Report
from dagnb.run.sprint import sprint

if TYPE_CHECKING:
    from dagnb.run.engine import Engine

SHORT_SECONDS = 5e-5  # what a node may take on average for it not to be worth a thread switch
MEMORY = 0.9  # how much of the past counts in that average


class Lease:
    """Lets one worker sprint: nobody but who holds the lease touches the engine.

    The worker lays the lease down for as long as it is in a call, together with the node and
    the time, and takes it up again afterwards. In between the driver may take it; then the
    worker finds it gone, and what came of the call is an ordinary report.

    Parameters
    ----------
    patience : float
        For how many seconds calls may be long, in all, before others should get a share. It pays
        to wait for as long as the change would cost: they may be short, on a busy processor.

    Attributes
    ----------
    has_ended : bool
        Whether the worker has left the engine for good.
    """

    def __init__(
        self,
        engine: Engine,
        is_cancelled: Callable[[], bool] | None = None,
        patience: float = 0.0,
    ) -> None:
        self._engine = engine
        self._is_cancelled = is_cancelled
        self._down = [(-1, inf)]  # until it begins; appending and popping are atomic
        self.lay_down, self._take_up = self._down.append, self._down.pop
        self._busy, self._long = 0.0, 0.0
        self.patience = patience
        self.has_ended = False

    def take_up(self) -> bool:
        """Take the lease up again after a call; say whether it was still there."""
        try:
            self._take_up()
        except IndexError:
            return False
        return True

    def should_end(self, seconds: float) -> bool:
        """Note how long a call took; say whether others should get a share, or the run is over."""
        if self._is_cancelled is not None and self._is_cancelled():
            return True
        self._busy = self._busy * MEMORY + seconds
        if self._busy * (1 - MEMORY) <= SHORT_SECONDS:
            return False
        self._long += seconds
        return self._long > self.patience

    def run(self, worker: str) -> tuple[int, Report, str]:
        """Sprint, on a worker's thread; return the end, or the report of the last call."""
        began = perf_counter()
        if not self.take_up():
            return -1, Report(None, None, began, began), worker
        try:
            node, report = sprint(self._engine, self, worker) or (-1, None)
        except BaseException as error:
            return -1, Report(None, error, began, perf_counter()), worker
        finally:
            self.has_ended = True
        return node, report or Report(None, None, began, perf_counter()), worker

    def seconds_in_call(self) -> float:
        """Return for how long the worker has been in its present call; 0.0 between two."""
        for _, started in self._down[:1]:
            return max(0.0, perf_counter() - started)
        return 0.0

    def revoke(self) -> bool:
        """Take the engine back if the worker is in a call or has not begun; say whether so."""
        try:
            node, started = self._take_up()
        except IndexError:
            return False
        if node >= 0:
            self._engine.running[node] = started
        return True
