"""The loop that turns an engine's calls into reports on a running event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from time import perf_counter
from types import CoroutineType
from typing import Any, TypeVar

from dagnb.errors import TaskTimeoutError
from dagnb.results import NodeStatus
from dagnb.run.attempts import given_up, may_be_repeated
from dagnb.run.backends import Backends
from dagnb.run.call import Call, OwnLoop, Report
from dagnb.run.drive import Item, ThreadCrew
from dagnb.run.engine import Engine, MakeResult, ResultT
from dagnb.run.limits import CancelEvent, Limits

GRACE_SECONDS = 0.1  # for what a run leaves behind at its end
NODE_GRACE_SECONDS = 0.5  # for a node whose own time is up
T = TypeVar("T")


async def drive_async(
    engine: Engine,
    kind: MakeResult[ResultT],
    workers: int,
    *,
    timeout: float | None = None,
    cancel_event: CancelEvent | None = None,
    backends: Backends | None = None,
) -> ResultT:
    """Run coroutine functions on the running loop and plain functions on daemon threads.

    Parameters
    ----------
    workers : int
        How many calls are out at most, of both kinds together.
    timeout : float, optional
        Seconds for the whole run; what runs then is cancelled, and abandoned if it refuses.
    cancel_event : object with ``is_set()``, optional
        Looked at at least every 0.05 s; once set, nothing more is started.
    backends : Backends, optional
        Who performs plain functions, if not the threads themselves.

    Raises
    ------
    CancelledError
        The coroutine was cancelled; so are its tasks, and the nodes count as cancelled.
    """
    inbox = Inbox(asyncio.get_running_loop())
    limits, errands = Limits(timeout, cancel_event), Errands(inbox)
    crew = ThreadCrew(inbox, backends, places=engine.is_heard)
    try:
        engine.begin()
        engine.spread()
        while True:
            if limits.enforce(engine):
                crew.stop_waiting()
                errands.stop_waiting()
            while len(engine.running) < workers and (call := engine.take()) is not None:
                if isinstance(call.function, OwnLoop):
                    errands.send(call)
                else:
                    crew.submit(call, len(engine.running) - 1)
            if not engine.active:
                return engine.finish(kind)
            for node, report, worker in await inbox.get(limits.slice_seconds()):
                if report is None:
                    engine.place(node, worker)
                elif type(report.value) is CoroutineType:
                    errands.resume(node, report)
                else:
                    engine.settle(node, report, worker)
    except BaseException as error:
        broke_off = isinstance(error, Exception)
        engine.stop(NodeStatus.CANCELLED, "the run broke off" if broke_off else "cancelled")
        engine.finish(kind)
        raise
    finally:
        engine.release_graph()
        crew.dismiss()
        await errands.abandon()


class Inbox:
    """Where reports arrive, from the loop's own thread and from others."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[Item] = deque()
        self._arrived = asyncio.Event()

    def put(self, item: Item) -> None:
        """Take a report, on any thread; when the loop is closed nobody misses it."""
        self._items.append(item)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def get(self, seconds: float) -> list[Item]:
        """Wait so long for a report, then return all that are there."""
        if not self._items:
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
        taken = [self._items.popleft() for _ in range(len(self._items))]
        return taken


class Errands:
    """The coroutines of a run, each an asyncio task that reports to the inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._out: set[asyncio.Task[Any]] = set()
        self._stopped = asyncio.Event()

    def send(self, call: Call) -> None:
        """Perform a call to a coroutine function."""
        self._start(self._report(call.node, partial(self._persist, call)))

    def resume(self, node: int, report: Report) -> None:
        """Await the coroutine that a plain function returned."""
        coroutine = report.value
        task = self._start(self._report(node, partial(_finish, report)))
        task.add_done_callback(lambda _: coroutine.close())  # it may never have begun

    def stop_waiting(self) -> None:
        """Let no call wait for another attempt."""
        self._stopped.set()

    def _start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(coroutine)
        self._out.add(task)
        task.add_done_callback(self._out.discard)
        return task

    async def _report(self, node: int, perform: Callable[[], Awaitable[Report]]) -> None:
        self._inbox.put((node, await perform(), "asyncio"))

    async def _persist(self, call: Call) -> Report:
        """Do what `dagnb.run.attempts.persist` does, on the loop."""
        options = call.options
        report = first = await self._attempt(call, None if options is None else options.timeout)
        attempts = 1
        for seconds in options.waits() if options is not None else ():
            if not may_be_repeated(report) or await self._wait(seconds):
                break
            report = await self._attempt(call, options.timeout if options is not None else None)
            attempts += 1
        return report._replace(started=first.started, attempts=attempts)

    async def _wait(self, seconds: float) -> bool:
        """Wait, or return True as soon as the run stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        return self._stopped.is_set()

    async def _attempt(self, call: Call, timeout: float | None) -> Report:
        started, coroutine = perf_counter(), partial(_call, call)
        if timeout is None:
            value, error = await _outcome(coroutine)
            return Report(value, error, started, perf_counter())
        task = self._start(_outcome(coroutine))
        await asyncio.wait({task}, timeout=timeout)
        if task.done():
            value, error = task.result()
            return Report(value, error, started, perf_counter())
        report = given_up(started, TaskTimeoutError(timeout))
        await cancel_all({task}, NODE_GRACE_SECONDS)
        return report

    async def abandon(self) -> None:
        """Cancel what is still out, and leave what refuses to end to itself."""
        if self._out:
            await cancel_all(self._out, GRACE_SECONDS)


async def _finish(report: Report) -> Report:
    value, error = await _outcome(lambda: report.value)
    return Report(value, error, report.started, perf_counter(), report.attempts)


def _call(call: Call) -> Awaitable[Any]:
    assert isinstance(call.function, OwnLoop)
    awaitable: Awaitable[Any] = call.function.function(*call.arguments, **(call.keywords or {}))
    return awaitable


async def _outcome(call: Callable[[], Awaitable[Any]]) -> tuple[Any, BaseException | None]:
    """Call and await; whatever that raises is returned, unless somebody cancels the waiting."""
    try:
        return await call(), None
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return None, error
    except BaseException as error:
        return None, error


async def cancel_all(tasks: set[asyncio.Task[Any]], seconds: float) -> None:
    """Cancel tasks and wait so long for them; the loop forgets those that are still not done.

    ``asyncio.wait_for`` and the end of ``asyncio.run`` would wait for ever for a coroutine that
    swallows its cancellation.
    """
    left = set(tasks)
    for task in left:
        task.cancel()
    _, refusing = await asyncio.wait(left, timeout=seconds)
    for task in refusing:
        asyncio._unregister_task(task)  # as documented in "Extending asyncio"
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does
