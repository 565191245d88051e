"""Running a coroutine to its end from a thread that has a running event loop already.

A kernel's main thread runs a loop of its own, which cannot be entered twice. So there, coroutines
of nodes run on one loop in a helper thread: one for all, so that what belongs to a loop (an HTTP
session, a lock) can be made by one node and used by another.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from dagnb.errors import DagError
from dagnb.run.bell import Awaited
from dagnb.run.threads import has_threads

Value = TypeVar("Value")


def run_coroutine(coroutine: Coroutine[Any, Any, Value], *, tick_seconds: float = 0.1) -> Value:
    """Run a coroutine on the helper thread's loop and wait for it.

    Context variables are those of the caller. An exception that reaches the caller while it
    waits (Ctrl-C, the Stop button) cancels the coroutine and goes on at once.

    Parameters
    ----------
    coroutine : coroutine
    tick_seconds : float
        How often the waiting thread wakes up to see a signal.

    Raises
    ------
    DagError
        There are no threads.

    Examples
    --------
    >>> async def answer():
    ...     await asyncio.sleep(0)
    ...     return 42
    >>> run_coroutine(answer())
    42
    """
    if not has_threads():
        coroutine.close()
        raise DagError("what awaits waits in a thread, and Python in a browser has none")
    run: _Run[Value] = _Run(coroutine, contextvars.copy_context())
    loop = helper_loop()
    try:
        loop.call_soon_threadsafe(run.start, loop)
        return run.wait_for(tick_seconds)
    except BaseException:
        loop.call_soon_threadsafe(run.cancel)
        raise


@functools.cache
def helper_loop() -> asyncio.AbstractEventLoop:
    """Return the loop of the helper thread, which is started on first use."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="dagnb-loop", daemon=True).start()
    return loop


class _Run(Awaited[Value]):
    """One coroutine on the helper loop, seen from the thread that waits for it."""

    def __init__(self, coroutine: Coroutine[Any, Any, Value], context: contextvars.Context) -> None:
        super().__init__()
        self._coroutine = coroutine
        self._context = context
        self._task: asyncio.Task[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; called on the loop's thread."""
        self._task = loop.create_task(self._perform(), context=self._context)

    def cancel(self) -> bool:
        """Cancel the task; called on the loop's thread."""
        return self._task is not None and self._task.cancel()

    async def _perform(self) -> None:
        """Await the coroutine; whatever it raises goes to the waiting thread, never to the loop."""
        try:
            value = await self._coroutine
        except asyncio.CancelledError:
            self.set_exception(CancelledError())
        except BaseException as error:
            self.set_exception(error)
        else:
            self.set_result(value)
