"""The loops that turn an engine's calls into reports: inline, and with worker threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Protocol

from dagnb.results import ExecutionResult, NodeStatus
from dagnb.run.call import Call, Report, perform
from dagnb.run.engine import Engine, ResultT

SLICE_SECONDS = 0.05  # how long a wait may last before the cancel event is looked at again
Performer = Callable[[Call], Report]


class Interrupted(KeyboardInterrupt):
    """A run that was interrupted by Ctrl-C or Stop; ``result`` holds what it had done."""

    def __init__(self, result: ExecutionResult) -> None:
        super().__init__("the run was interrupted")
        self.result = result


class CancelEvent(Protocol):
    """What is asked whether to stop; ``threading.Event`` is one."""

    def is_set(self) -> bool:
        """Whether to stop."""


def drive_inline(engine: Engine, kind: type[ResultT], perform: Performer = perform) -> ResultT:
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
            report = perform(call)
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
        self,
        name: str,
        calls: SimpleQueue[Call | None],
        reports: SimpleQueue[tuple[Call, Report, str]],
        perform: Performer,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._calls, self._reports, self._perform = calls, reports, perform

    def run(self) -> None:
        """Perform calls, one at a time."""
        while (call := self._calls.get()) is not None:
            self._reports.put((call, self._perform(call), self.name))


class ThreadCrew:
    """Up to ``size`` workers for one run, started when there is work for one more."""

    def __init__(self, size: int, perform: Performer) -> None:
        self.size = size
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self.reports: SimpleQueue[tuple[Call, Report, str]] = SimpleQueue()
        self._perform = perform
        self._workers: list[Worker] = []

    def submit(self, call: Call, busy: int) -> None:
        """Hand a call to a worker; ``busy`` others are out."""
        if busy >= len(self._workers):
            name = f"dagnb-{len(self._workers) + 1}"
            self._workers.append(Worker(name, self._calls, self.reports, self._perform))
            self._workers[-1].start()
        self._calls.put(call)

    def dismiss(self) -> None:
        """Let every worker end after its present call."""
        for _ in self._workers:
            self._calls.put(None)


def drive_threads(
    engine: Engine,
    kind: type[ResultT],
    workers: int,
    *,
    timeout: float | None = None,
    cancel_event: CancelEvent | None = None,
    perform: Performer = perform,
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
    crew = ThreadCrew(workers, perform)
    deadline = None if timeout is None else perf_counter() + timeout
    try:
        engine.begin()
        while True:
            if cancel_event is not None and cancel_event.is_set():
                engine.stop(NodeStatus.CANCELLED, "cancelled")
            if deadline is not None and perf_counter() >= deadline:
                reason = f"the run's timeout of {timeout:g} s"
                engine.stop(NodeStatus.CANCELLED, reason, abandon_running=True)
            while len(engine.running) < workers and (call := engine.take()) is not None:
                crew.submit(call, len(engine.running) - 1)
            if not engine.active:
                return engine.finish(kind)
            _settle_reports(engine, crew, deadline)
    except KeyboardInterrupt as interrupt:
        raise _interrupted(engine, kind) from interrupt
    except BaseException:
        engine.stop(NodeStatus.CANCELLED, "the run broke off")
        engine.finish(kind)
        raise
    finally:
        engine.release_graph()
        crew.dismiss()


def _settle_reports(engine: Engine, crew: ThreadCrew, deadline: float | None) -> None:
    """Wait a slice for a report, then take in all that are there."""
    wait = SLICE_SECONDS if deadline is None else min(SLICE_SECONDS, deadline - perf_counter())
    try:
        call, report, worker = crew.reports.get(timeout=max(wait, 0.0))
        while True:
            engine.settle(call.node, report, worker)
            call, report, worker = crew.reports.get_nowait()
    except Empty:
        return
