"""Short calls, sent several at a time: one message for many, and a report for each.

Who sends a batch may take back what has not begun, as soon as one of its calls takes long.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from dagnb.errors import NotSendableError
from dagnb.run.call import Call, Report
from dagnb.run.remote.backend import MOST_CALLS
from dagnb.run.remote.calls import not_sent
from dagnb.run.remote.processes import Processes, sendable

if TYPE_CHECKING:
    from dagnb.run.backends import Backends
    from dagnb.run.drive import Reports

PATIENCE_SECONDS = 0.005  # how long one may take before those behind it are taken back


class Batches:
    """Performs the calls of a queue in batches, for the workers of a run.

    Parameters
    ----------
    backends : Backends
    work : SimpleQueue
        Of calls, and of what ends a worker.
    reports : Reports
    stopped : threading.Event
        Once it is set, no call begins any more.
    """

    def __init__(
        self, backends: Backends, work: SimpleQueue[Any], reports: Reports, stopped: threading.Event
    ) -> None:
        self._backends, self._work, self._reports = backends, work, reports
        self._stopped = stopped
        self._withdrawn: deque[int] = deque()

    def perform(self, first: Call, worker: str) -> bool:
        """Perform a call with those that wait behind it; False if it is to go alone."""
        if self._stopped.is_set():
            self._withdrawn.append(first.node)
            return True
        processes = self._backends.for_many(first)
        if processes is None:
            return False
        calls = [first, *self._behind()]
        if len(calls) == 1:
            return False
        batch = Batch(processes)
        try:
            for call, report in batch.send(calls):
                self._reports.put((call.node, report, worker))
            self._see_through(batch, worker)
        except BaseException:
            batch.give_up()
            raise
        return True

    def _behind(self) -> list[Call]:
        """Take calls like the first from the queue, as far as there are some."""
        calls: list[Call] = []
        with suppress(Empty):
            while len(calls) < MOST_CALLS - 1:
                work = self._work.get_nowait()
                if not isinstance(work, Call) or self._backends.for_many(work) is None:
                    self._work.put(work)
                    break
                calls.append(work)
        return calls

    def _see_through(self, batch: Batch, worker: str) -> None:
        while batch.left:
            found = batch.wait(PATIENCE_SECONDS)
            if found is not None:
                call, report = found
                self._reports.put((call.node, report, worker))
            if found is None or self._stopped.is_set():
                batch.take_back()
            for call in batch.take_returned():
                self._work.put(call)
        batch.end()

    def withdraw(self) -> list[int]:
        """Take the calls that have not begun out of the queue, and return their nodes."""
        with suppress(Empty):
            while isinstance(work := self._work.get_nowait(), Call):
                self._withdrawn.append(work.node)
        return [self._withdrawn.popleft() for _ in range(len(self._withdrawn))]


class Batch:
    """Calls that one process performs one after another.

    Attributes
    ----------
    left : deque of Call
        Those whose reports have not come, in order.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._slot = processes.take()
        self._returned: list[Call] = []
        self._was_cut = False
        self.left: deque[Call] = deque()

    def send(self, calls: Sequence[Call]) -> list[tuple[Call, Report]]:
        """Send calls; return the reports of those that cannot be sent."""
        refused, packed = [], []
        for call in calls:
            try:
                packed.append(sendable(self._processes, call))
                self.left.append(call)
            except NotSendableError as error:
                refused.append((call, not_sent(error)))
        with suppress(EOFError, OSError):  # that it has gone is found when it is waited for
            self._slot.wait_until_ready()
            self._slot.send(packed)
        return refused

    def wait(self, seconds: float) -> tuple[Call, Report] | None:
        """Wait so long for the next report."""
        report = self._slot.receive(seconds, self._processes.unpack)
        if report is None:
            return None
        if self._slot.is_lost:
            self.take_back()
            if not self.left:  # it ended between two calls
                return None
            while len(self.left) > 1:
                self._returned.append(self.left.pop())
        return self.left.popleft(), report

    def take_back(self) -> None:
        """Take back what has not begun."""
        for _ in range(self._slot.take_back(len(self.left))):
            self._returned.append(self.left.pop())
            self._was_cut = True

    def take_returned(self) -> list[Call]:
        """Return what was taken back, once."""
        returned, self._returned = self._returned[::-1], []
        return returned

    def end(self) -> None:
        """Let the process go on to other calls."""
        if self._slot.is_lost or (self._was_cut and not self._slot.wait_for_end()):
            self._processes.drop(self._slot)
        else:
            self._processes.give_back(self._slot)

    def give_up(self) -> None:
        """End the process."""
        self._processes.drop(self._slot)
