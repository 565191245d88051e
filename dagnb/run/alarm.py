"""A limit for a call on the main thread: an alarm that interrupts it.

A thread that is late can only be abandoned. The main thread can be interrupted, as Ctrl-C does,
so a call that runs there keeps what belongs to it (the debugger, pyplot, sqlite connections) and
is really over when its time is up. The alarm is a signal of its own, ``SIGALRM``, and raises an
exception of its own: it is never taken for Ctrl-C, nor Ctrl-C for it.

What an alarm cannot do, as Ctrl-C cannot: end a long call into C that never asks for signals (a
large matrix product, some database drivers) before that returns; end code that catches
``BaseException`` and goes on, or clean-up in a ``finally`` that takes long. Whatever comes of such
a call is dropped, since it is late. Code that sets alarms of its own takes this one away.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from time import perf_counter
from types import CodeType, FrameType
from typing import Any

from dagnb.errors import TaskTimeoutError
from dagnb.run.attempts import given_up, perform_in_thread
from dagnb.run.call import Call, Report, perform

MOMENT_SECONDS = 0.001  # until an alarm that came between two steps of ours rings again
AGAIN_SECONDS = 0.05  # until one that nobody heard rings again: an interpreter can lose a signal


class Overdue(BaseException):
    """Raised where a call is when its time is up.

    Not an ``Exception``, so that the user's ``except Exception`` does not take it for an error.
    """


def perform_under_alarm(call: Call, timeout: float | None) -> Report:
    """Perform a call once, on this thread, and interrupt it when its time is up.

    Where that is impossible, on another thread than the main one or on Windows, it is performed
    in a thread of its own.
    """
    if timeout is None:
        return perform(call)
    if not hasattr(signal, "setitimer") or not _is_main_thread():
        return perform_in_thread(call, timeout)

    def function(*arguments: Any, **keywords: Any) -> Any:
        return call.function(*arguments, **keywords)

    alarm = Alarm(function.__code__)
    started = perf_counter()
    try:
        alarm.set(timeout)
        report = perform(call._replace(function=function))
    finally:
        alarm.put_off()
    if not alarm.has_rung or isinstance(report.error, KeyboardInterrupt):
        return report
    error = TaskTimeoutError(timeout)
    if report.error is not None:
        error.with_traceback(report.error.__traceback__)
    return given_up(started, error)


class Alarm:
    """Raises `Overdue` in a function on the main thread when its time is up.

    Parameters
    ----------
    code : CodeType
        The function's. What runs outside of it is never interrupted.

    Attributes
    ----------
    has_rung : bool
        Whether the time was up, whatever the function made of it.
    """

    def __init__(self, code: CodeType) -> None:
        self._code = code
        self._before: Any = signal.SIG_DFL
        self._is_set = False
        self.has_rung = False

    def set(self, seconds: float) -> None:
        """Begin to count."""
        self._before = signal.getsignal(signal.SIGALRM)
        self._is_set = True
        signal.signal(signal.SIGALRM, self)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)

    def put_off(self) -> None:
        """Count no longer; an alarm that comes all the same does nothing."""
        self._is_set = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before or signal.SIG_DFL)

    def __call__(self, _number: int, frame: FrameType | None) -> None:
        """Interrupt the function, or try again in a moment if it is not running just now."""
        if not self._is_set:
            signal.setitimer(signal.ITIMER_REAL, 0)
            return
        self.has_rung = True
        running = set(_codes(frame))
        if self._code in running:
            signal.setitimer(signal.ITIMER_REAL, 0)  # what tidies up is left in peace
            raise Overdue
        if perform_under_alarm.__code__ in running:
            signal.setitimer(signal.ITIMER_REAL, MOMENT_SECONDS, AGAIN_SECONDS)


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
