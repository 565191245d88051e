"""The loops that turn an engine's calls into reports: inline, and with worker threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Protocol

from dagnb.results import ExecutionResult, NodeStatus
from dagnb.run.attempts import (
    Once,
    Wait,
    interrupt,
    never_stopped,
    perform_here,
    persist,
)
from dagnb.run.backends import Backends
from dagnb.run.call import Call, Report
from dagnb.run.engine import Engine, MakeResult, ResultT
from dagnb.run.lease import SHORT_SECONDS, Lease
from dagnb.run.limits import CancelEvent, Limits
from dagnb.run.remote.backend import MOST_CALLS
from dagnb.run.sprint import sprint
from dagnb.run.threads import has_threads

if TYPE_CHECKING:
    from dagnb.run.remote.batches import Batches

PATIENCE_SECONDS = 0.001  # how long a sprinting worker may stay in one call
FIRST_PATIENCE_SECONDS = 0.0002  # the same for the first, when nothing speaks for short nodes yet
FIRST_STREAK = 64
STREAK = 16  # after so many short nodes several are sent in one message
SPREAD_SECONDS = 1e-6  # what each node costs that is left when several workers are to go on
HAND_OVER_SECONDS = 2e-5  # what each node costs that another thread runs
Item = tuple[int, Report | None, str]  # the node, what came of its call if it is over, the worker


class Interrupted(KeyboardInterrupt):
    """A run that was interrupted by Ctrl-C or Stop; ``result`` holds what it had done."""

    def __init__(self, result: ExecutionResult) -> None:
        super().__init__("the run was interrupted")
        self.result = result


def drive_inline(engine: Engine, kind: MakeResult[ResultT], once: Once = perform_here) -> ResultT:
    """Run every node on the calling thread, one after another.

    Parameters
    ----------
    once : callable, optional
        Performs a call once; without it, one that has a timeout gets a thread of its own.

    Raises
    ------
    Interrupted
        ``KeyboardInterrupt`` arrived, in a node or between two; the node counts as cancelled.
    """
    if once is perform_here:
        return _to_the_end(engine, kind, _perform_all)
    return _to_the_end(engine, kind, partial(_perform_all, once=once))


def _perform_all(engine: Engine, once: Once = perform_here) -> None:
    """Perform all; who else may perform a call is asked when a sprint has left one."""
    sprint(engine)
    call = engine.take()
    if call is None:
        return
    backends = Backends(here=once)
    placed = engine.place if engine.is_heard else None
    try:
        _perform_each(engine, call, partial(backends.perform, placed=placed))
    finally:
        backends.close()


def _perform_each(engine: Engine, call: Call | None, once: Once) -> None:
    while call is not None:
        report = persist(call, never_stopped, once)
        if isinstance(report.error, KeyboardInterrupt):
            raise report.error
        engine.settle(call.node, report)
        sprint(engine)
        call = engine.take()


def _to_the_end(
    engine: Engine, kind: MakeResult[ResultT], loop: Callable[[Engine], None]
) -> ResultT:
    """Run a driver's loop over an engine and finish the run, whatever ends it.

    The loop is a function of its own: from Python 3.12 on the jump that closes a loop lies
    outside of the ``try`` around it, and an interrupt there would go past the handlers.
    """
    try:
        engine.begin()
        loop(engine)
        return engine.finish(kind)
    except KeyboardInterrupt as interrupt:
        raise _interrupted(engine, kind) from interrupt
    except BaseException:
        engine.stop(NodeStatus.CANCELLED, "the run broke off")
        engine.finish(kind)
        raise
    finally:
        engine.release_graph()


def _interrupted(engine: Engine, kind: MakeResult[ResultT]) -> Interrupted:
    engine.stop(NodeStatus.CANCELLED, "interrupted")
    return Interrupted(engine.finish(kind))


class Worker(threading.Thread):
    """A daemon thread that performs calls until it gets None.

    Not a ``ThreadPoolExecutor``: with a stuck task its interpreter would never exit.
    """

    def __init__(
        self,
        name: str,
        work: SimpleQueue[Call | Lease | None],
        reports: Reports,
        wait: Wait,
        once: Once = perform_here,
        *,
        batches: Batches | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._work, self._reports, self._wait, self._once = work, reports, wait, once
        self._batches = batches

    def run(self) -> None:
        """Perform calls, one at a time, or sprint on a lease, until the end or an interrupt."""
        with suppress(KeyboardInterrupt):
            self._perform_all()

    def _perform_all(self) -> None:
        while (work := self._work.get()) is not None:
            self.perform(work)

    def perform(self, work: Call | Lease) -> None:
        """Perform a call, or sprint on a lease, on the thread that calls this, and report."""
        if isinstance(work, Lease):
            self._reports.put(work.run(self.name))
        elif self._batches is None or not self._batches.perform(work, self.name):
            self._reports.put((work.node, persist(work, self._wait, self._once), self.name))


class Reports(Protocol):
    """Where workers put what came of calls."""

    def put(self, item: Item, /) -> None:
        """Take a node, the report of its call and the worker's name, on the worker's thread."""


class ThreadCrew:
    """The workers of one run, started when there is work for one more.

    Parameters
    ----------
    reports : Reports
    backends : Backends, optional
        Who performs the calls; the workers themselves by default.
    places : bool
        Whether it is reported who performs a call, before what came of it.
    """

    def __init__(
        self, reports: Reports, backends: Backends | None = None, *, places: bool = False
    ) -> None:
        self._backends = backends or Backends()
        self._work: SimpleQueue[Call | Lease | None] = SimpleQueue()
        self._reports = reports
        self._workers: list[Worker] = []
        self._undisturbed: list[Worker] = []
        self._stopped = threading.Event()
        self._once: Once = self._backends.perform
        self._batches: Batches | None = None
        if places:  # of a batch nobody knows which call has begun
            self._once = partial(self._backends.perform, placed=self._placed)
        else:
            self._batches = self._backends.batches(self._work, reports, self._stopped)

    def _placed(self, node: int, worker: str) -> None:
        self._reports.put((node, None, worker))

    def submit(self, work: Call | Lease, busy: int) -> None:
        """Hand a call or a lease to a worker; ``busy`` others are out.

        Without threads a call is performed here, before this returns.
        """
        if not has_threads():
            self._hired().perform(work)
            return
        if busy >= len(self._workers):
            worker = self._hired()
            self._workers.append(worker)
            self._undisturbed.append(worker)
            worker.start()
        self._work.put(work)

    def _hired(self) -> Worker:
        name = f"dagnb-{len(self._workers) + 1}"
        wait = self._stopped.wait
        return Worker(name, self._work, self._reports, wait, self._once, batches=self._batches)

    def stop_waiting(self) -> None:
        """Let no worker wait for another attempt."""
        self._stopped.set()

    def dismiss(self) -> None:
        """Let every worker end after its present call."""
        self.stop_waiting()
        for _ in self._workers:
            self._work.put(None)
        self._backends.close()

    def most_out(self, workers: int, pace: Pace) -> int:
        """Return how many calls may be out: several for each worker if they are short."""
        return workers * MOST_CALLS if self._batches and pace.has_streak else workers

    def withdraw(self, engine: Engine) -> None:
        """Take back the calls that have not begun, so that their nodes have not started."""
        for node in self._batches.withdraw() if self._batches else ():
            engine.running.pop(node, None)

    @property
    def may_sprint(self) -> bool:
        """Whether a worker may run nodes by itself, in its own thread."""
        return has_threads() and not self._backends.are_remote

    def interrupt(self) -> None:
        """Interrupt what workers do, once, as Ctrl-C would on the main thread; then they end."""
        while self._undisturbed:
            interrupt(self._undisturbed.pop())


def drive_threads(
    engine: Engine,
    kind: MakeResult[ResultT],
    workers: int,
    *,
    timeout: float | None = None,
    cancel_event: CancelEvent | None = None,
    abandon: bool = False,
    backends: Backends | None = None,
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
    abandon : bool
        Whether tasks that run then are interrupted and not waited for.
    backends : Backends, optional
        Who performs the calls, if not the threads themselves: those wait for them then.

    Raises
    ------
    Interrupted
        Ctrl-C arrived. Running tasks are interrupted and not waited for: each sees
        ``KeyboardInterrupt`` when it next comes to a line of Python.
    """
    reports: SimpleQueue[Item] = SimpleQueue()
    crew = ThreadCrew(reports, backends, places=engine.is_heard)
    limits = Limits(timeout, cancel_event, abandon=abandon)
    most = workers if has_threads() else 1
    try:
        hand_out = partial(_with_crew, workers=most, crew=crew, reports=reports, limits=limits)
        return _to_the_end(engine, kind, hand_out)
    except BaseException:
        crew.interrupt()
        raise
    finally:
        crew.dismiss()


def _with_crew(
    engine: Engine,
    workers: int,
    crew: ThreadCrew,
    reports: SimpleQueue[Item],
    limits: Limits,
) -> None:
    """Hand out all, or interrupt the crew.

    That comes before anybody is told: each message would wait for the interpreter behind
    every worker that computes.
    """
    try:
        _hand_out_all(engine, workers, crew, reports, limits)
    except BaseException:
        crew.interrupt()
        raise


def _hand_out_all(
    engine: Engine,
    workers: int,
    crew: ThreadCrew,
    reports: SimpleQueue[Item],
    limits: Limits,
) -> None:
    """Keep the crew busy, or one of it sprinting, until nothing is left to start or to wait for."""
    pace = Pace()
    while True:
        if limits.are_reached():
            crew.stop_waiting()
            crew.withdraw(engine)
            if limits.abandon:
                crew.interrupt()
            limits.enforce(engine)
        if pace.is_fast and crew.may_sprint and engine.may_sprint:
            if not engine.active:
                engine.gather()
                began = perf_counter()
                lend(engine, crew, reports, limits)
                pace.begin_anew(perf_counter() - began)
                continue
        else:
            engine.spread()
            most = crew.most_out(workers, pace)
            while len(engine.running) < most and (call := engine.take()) is not None:
                crew.submit(call, min(len(engine.running), workers) - 1)
            if not engine.active:
                return
        _settle_reports(engine, reports, pace, limits.slice_seconds())


def _settle_reports(engine: Engine, reports: SimpleQueue[Item], pace: Pace, seconds: float) -> None:
    """Wait so long for a report, then take in all that are there."""
    try:
        node, report, worker = reports.get(timeout=seconds)
        while True:
            if report is None:
                engine.place(node, worker)
            else:
                engine.settle(node, report, worker)
                pace.note(report)
            node, report, worker = reports.get_nowait()
    except Empty:
        return


class Pace:
    """Whether nodes have been short for so long that one worker should run them alone.

    At first that is hoped. Each time that it did not last, twice as many short nodes are asked
    for; where it lasted, a node that looked long was one whose worker had to wait for a processor.
    """

    def __init__(self) -> None:
        self._asked, self._seen = 0, 0

    @property
    def is_fast(self) -> bool:
        """Whether enough short nodes have come in a row."""
        return self._seen >= self._asked

    @property
    def has_streak(self) -> bool:
        """Whether several short nodes have come in a row, not only been hoped for."""
        return self._seen >= STREAK

    def note(self, report: Report) -> None:
        """Count a short node, or start from nothing."""
        short = report.ended - report.started < SHORT_SECONDS
        self._seen = self._seen + 1 if short else 0

    def begin_anew(self, seconds: float) -> None:
        """Ask for short nodes again: more than before if a sprint was over before they paid."""
        paid = seconds > self._asked * HAND_OVER_SECONDS
        self._asked, self._seen = max(0 if paid else 2 * self._asked, FIRST_STREAK), 0


def lend(engine: Engine, crew: ThreadCrew, reports: SimpleQueue[Item], limits: Limits) -> None:
    """Let a worker sprint until it ends, a node takes long, or the run has to end.

    A hand-over costs more than a short node, so a thousand of them are better left to one
    worker; and the driver does not run them itself, since it has to watch the clock.
    """
    patience = len(engine._frontier.left()) * SPREAD_SECONDS
    lease = Lease(engine, limits.is_cancelled, patience)
    try:
        crew.submit(lease, 0)
        _watch(lease, reports, limits)
    except BaseException:
        _insist(lease)
        raise


def _watch(lease: Lease, reports: SimpleQueue[Item], limits: Limits) -> None:
    """Wait for the end of a sprint, or take the engine back."""
    patience = max(FIRST_PATIENCE_SECONDS, lease.patience)
    while not _has_ended(reports, min(patience, limits.slice_seconds())):
        late = lease.seconds_in_call() >= patience or limits.are_reached()
        if late and lease.revoke():
            return
        patience = max(PATIENCE_SECONDS, lease.patience)


def _has_ended(reports: SimpleQueue[Item], seconds: float) -> bool:
    """Wait so long for the end of a sprint; raise what broke it off, if anything did."""
    try:
        _, report, _ = reports.get(timeout=seconds)
    except Empty:
        return False
    if report is not None and report.error is not None:
        raise report.error
    return True


def _insist(lease: Lease) -> None:
    """Take the engine back before an error or an interrupt is dealt with; it is a moment."""
    while True:
        try:
            _take_back(lease)
            return
        except KeyboardInterrupt:
            continue


def _take_back(lease: Lease) -> None:
    while not lease.revoke() and not lease.has_ended:
        sleep(0.0001)
