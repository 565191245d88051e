"""How a call with options is performed: attempts, the waits between them, and their limit."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import perf_counter, sleep

from dagnb.errors import TaskTimeoutError, TooManyStuckTasksError
from dagnb.run.call import Call, Report, perform
from dagnb.run.threads import has_threads

SLICE_SECONDS = 0.05  # how long a wait may last before it is looked whether to go on waiting
MOST_STUCK = 8  # abandoned threads that may be alive before calls with a timeout are refused
Wait = Callable[[float], bool]  # waits so many seconds, or returns True as soon as the run stops
Once = Callable[[Call, float | None], Report]  # performs a call once, for no longer than that

_stuck: set[threading.Thread] = set()


def never_stopped(seconds: float) -> bool:
    """Wait, for a run that only an interrupt stops."""
    sleep(seconds)
    return False


def perform_here(call: Call, timeout: float | None) -> Report:
    """Perform a call once in this process; with a limit, in a thread of its own."""
    return perform(call) if timeout is None else perform_in_thread(call, timeout)


def persist(call: Call, wait: Wait = never_stopped, once: Once = perform_here) -> Report:
    """Perform a call with its options: again after an error, and not for longer than it may."""
    options = call.options
    if options is None:
        return once(call, None)
    first = report = once(call, options.timeout)
    attempts = 1
    for seconds in options.waits():
        if not may_be_repeated(report) or wait(seconds):
            break
        report = once(call, options.timeout)
        attempts += 1
    return report._replace(started=first.started, attempts=attempts)


def perform_in_thread(call: Call, timeout: float) -> Report:
    """Perform a call once, in a thread of its own, for no longer than it may.

    A thread that is late is abandoned, and so is what it may still return. Where there are no
    threads nothing can interrupt it, and what it returns too late is dropped.
    """
    started = perf_counter()
    if not has_threads():
        report = perform(call)
        is_late = report.ended - started > timeout
        return given_up(started, TaskTimeoutError(timeout)) if is_late else report
    if len(stuck()) >= MOST_STUCK:
        return Report(None, TooManyStuckTasksError(stuck()), started, started)
    reports: SimpleQueue[Report] = SimpleQueue()
    thread = threading.Thread(
        target=lambda: reports.put(perform(call)), name=_name_of(call), daemon=True
    )
    thread.start()
    try:
        return _first(reports, started + timeout)
    except Empty:
        _stuck.add(thread)
        return given_up(started, TaskTimeoutError(timeout))
    except BaseException:
        interrupt(thread)
        raise


def _first(reports: SimpleQueue[Report], deadline: float) -> Report:
    """Wait for a report, in slices: an interrupt of a worker's thread comes between two."""
    while (left := deadline - perf_counter()) > SLICE_SECONDS:
        with suppress(Empty):
            return reports.get(timeout=SLICE_SECONDS)
    return reports.get(timeout=max(0.0, left))


def interrupt(thread: threading.Thread) -> None:
    """Raise ``KeyboardInterrupt`` in a thread when it next comes to a line of Python."""
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
        )


def may_be_repeated(report: Report) -> bool:
    """Whether an attempt failed in a way that another one may mend.

    What was given up may still be at work, and ``SystemExit`` or ``KeyboardInterrupt`` is what
    somebody wanted.
    """
    return isinstance(report.error, Exception) and not report.overdue


def given_up(started: float, error: TaskTimeoutError) -> Report:
    """Return the report of a call that was given up now."""
    return Report(None, error, started, perf_counter(), overdue=str(error))


def stuck() -> list[str]:
    """Return the names of the abandoned threads of this process that are still alive."""
    for thread in list(_stuck):
        if not thread.is_alive():
            _stuck.discard(thread)
    return [thread.name for thread in list(_stuck)]


def _name_of(call: Call) -> str:
    return str(getattr(call.function, "__name__", type(call.function).__name__))
