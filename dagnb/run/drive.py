"""The loops that turn an engine's calls into reports: inline, and with worker threads."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Protocol

from dagnb.results import ExecutionResult, NodeStatus
from dagnb.run.attempts import Wait, persist
from dagnb.run.call import Call, Report
from dagnb.run.engine import Engine, ResultT

SLICE_SECONDS = 0.05  # how long a wait may last before the cancel event is looked at again


class Interrupted(KeyboardInterrupt):
    """A run that was interrupted by Ctrl-C or Stop; ``result`` holds what it had done."""

    def __init__(self, result: ExecutionResult) -> None:
        super().__init__("the run was interrupted")
        self.result = result


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
    """

    def __init__(self, timeout: float | None, cancel_event: CancelEvent | None) -> None:
        self._timeout = timeout
        self._deadline = None if timeout is None else perf_counter() + timeout
        self._cancel_event = cancel_event

    def enforce(self, engine: Engine) -> bool:
        """Stop a run that has been cancelled or is out of time; say whether it has to end."""
        over = self._deadline is not None and perf_counter() >= self._deadline
        if over:
            reason = f"the run's timeout of {self._timeout:g} s"
            engine.stop(NodeStatus.CANCELLED, reason, abandon_running=True)
        cancelled = self._cancel_event is not None and self._cancel_event.is_set()
        if cancelled:
            engine.stop(NodeStatus.CANCELLED, "cancelled")
        return over or cancelled

    def slice_seconds(self) -> float:
        """Return how long to wait at most before these are looked at again."""
        if self._deadline is None:
            return SLICE_SECONDS
        return max(0.0, min(SLICE_SECONDS, self._deadline - perf_counter()))


def drive_inline(engine: Engine, kind: type[ResultT]) -> ResultT:
    """Run every node on the calling thread, one after another.

    Raises
    ------
    Interrupted
        ``KeyboardInterrupt`` arrived, in a node or between two; the node counts as cancelled.
    """
    try:
        engine.begin()
        while True:
            engine.sprint()
            call = engine.take()
            if call is None:
                return engine.finish(kind)
            report = persist(call)
            if isinstance(report.error, KeyboardInterrupt):
                raise report.error
            engine.settle(call.node, report)
    except KeyboardInterrupt as interrupt:
        raise _interrupted(engine, kind) from interrupt
    except BaseException:
        engine.stop(NodeStatus.CANCELLED, "the run broke off")
        engine.finish(kind)
        raise
    finally:
        engine.release_graph()


def _interrupted(engine: Engine, kind: type[ResultT]) -> Interrupted:
    engine.stop(NodeStatus.CANCELLED, "interrupted")
    return Interrupted(engine.finish(kind))


class Worker(threading.Thread):
    """A daemon thread that performs calls until it gets None.

    Not a ``ThreadPoolExecutor``: with a stuck task its interpreter would never exit.
    """

    def __init__(
        self, name: str, calls: SimpleQueue[Call | None], reports: Reports, wait: Wait
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._calls, self._reports, self._wait = calls, reports, wait

    def run(self) -> None:
        """Perform calls, one at a time."""
        while (call := self._calls.get()) is not None:
            self._reports.put((call, persist(call, self._wait), self.name))


class Reports(Protocol):
    """Where workers put what came of calls."""

    def put(self, item: tuple[Call, Report, str], /) -> None:
        """Take a call, its report and the name of the worker; called on the worker's thread."""


class ThreadCrew:
    """Up to ``size`` workers for one run, started when there is work for one more."""

    def __init__(self, reports: Reports) -> None:
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._reports = reports
        self._workers: list[Worker] = []
        self._stopped = threading.Event()

    def submit(self, call: Call, busy: int) -> None:
        """Hand a call to a worker; ``busy`` others are out."""
        if busy >= len(self._workers):
            name = f"dagnb-{len(self._workers) + 1}"
            self._workers.append(Worker(name, self._calls, self._reports, self._stopped.wait))
            self._workers[-1].start()
        self._calls.put(call)

    def stop_waiting(self) -> None:
        """Let no worker wait for another attempt."""
        self._stopped.set()

    def dismiss(self) -> None:
        """Let every worker end after its present call."""
        self.stop_waiting()
        for _ in self._workers:
            self._calls.put(None)


def drive_threads(
    engine: Engine,
    kind: type[ResultT],
    workers: int,
    *,
    timeout: float | None = None,
    cancel_event: CancelEvent | None = None,
) -> ResultT:
    """Run nodes on daemon threads, driven from the calling thread.

    Parameters
    ----------
    workers : int
        How many calls are out at most.
    timeout : float, optional
        Seconds for the whole run; what runs then is abandoned as timed out.
    cancel_event : object with ``is_set()``, optional
        Looked at at least every 0.05 s; once set, nothing more is started.

    Raises
    ------
    Interrupted
        Ctrl-C arrived; running tasks are abandoned.
    """
    reports: SimpleQueue[tuple[Call, Report, str]] = SimpleQueue()
    crew, limits = ThreadCrew(reports), Limits(timeout, cancel_event)
    try:
        engine.begin()
        while True:
            if limits.enforce(engine):
                crew.stop_waiting()
            while len(engine.running) < workers and (call := engine.take()) is not None:
                crew.submit(call, len(engine.running) - 1)
            if not engine.active:
                return engine.finish(kind)
            _settle_reports(engine, reports, limits.slice_seconds())
    except KeyboardInterrupt as interrupt:
        raise _interrupted(engine, kind) from interrupt
    except BaseException:
        engine.stop(NodeStatus.CANCELLED, "the run broke off")
        engine.finish(kind)
        raise
    finally:
        engine.release_graph()
        crew.dismiss()


def _settle_reports(
    engine: Engine, reports: SimpleQueue[tuple[Call, Report, str]], seconds: float
) -> None:
    """Wait so long for a report, then take in all that are there."""
    try:
        call, report, worker = reports.get(timeout=seconds)
        while True:
            engine.settle(call.node, report, worker)
            call, report, worker = reports.get_nowait()
    except Empty:
        return
