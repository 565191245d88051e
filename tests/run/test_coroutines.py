"""Coroutines of nodes run on a helper thread's loop, and end when the waiting thread must go on."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from concurrent.futures import CancelledError
from contextvars import ContextVar

import pytest

from dagnb.errors import DagError
from dagnb.run.coroutines import helper_loop, run_coroutine

NUMBER: ContextVar[int] = ContextVar("number")


async def add(a: int, b: int) -> int:
    """Wait a moment."""
    await asyncio.sleep(0)
    return a + b


def test_value() -> None:
    """The value comes back."""
    assert run_coroutine(add(1, 2)) == 3


def test_below_a_running_loop() -> None:
    """It works where a loop is running already, as in a kernel."""

    async def kernel() -> int:
        return run_coroutine(add(1, 2))

    assert asyncio.run(kernel()) == 3


def test_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a browser's Python it is refused with words, and nothing is left un-awaited."""
    monkeypatch.setattr("sys.platform", "emscripten")
    with pytest.raises(DagError, match="waits in a thread, and Python in a browser has none"):
        run_coroutine(add(1, 2))


def test_error() -> None:
    """The coroutine's own error comes back, a TimeoutError too."""

    async def late() -> None:
        raise TimeoutError("late")

    with pytest.raises(TimeoutError, match="late"):
        run_coroutine(late())


def test_exit() -> None:
    """A coroutine that exits does not end the loop."""

    async def leave() -> None:
        sys.exit(3)

    with pytest.raises(SystemExit):
        run_coroutine(leave())
    assert run_coroutine(add(1, 2)) == 3


def test_cancelled() -> None:
    """A coroutine that is cancelled from within says so."""

    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CancelledError):
        run_coroutine(cancelled())


def test_one_loop() -> None:
    """All coroutines share one loop, on a thread that does not keep the process alive."""

    async def loop() -> tuple[asyncio.AbstractEventLoop, bool]:
        return asyncio.get_running_loop(), threading.current_thread().daemon

    assert run_coroutine(loop()) == run_coroutine(loop()) == (helper_loop(), True)


def test_context() -> None:
    """Context variables are the caller's, and stay as they are."""

    async def number() -> int:
        before = NUMBER.get()
        NUMBER.set(2)
        return before

    NUMBER.set(1)
    assert run_coroutine(number()) == 1
    assert NUMBER.get() == 1


def test_interrupt() -> None:
    """Ctrl-C gets through while the coroutine sleeps, and cancels it."""
    begun, cancelled = threading.Event(), threading.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupt() -> None:
        begun.wait(5)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run_coroutine(long())
    assert cancelled.wait(5)
