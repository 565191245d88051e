"""How a call with options is performed: attempts, the waits between them, and their limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import perf_counter, sleep

from dagnb.errors import TooManyStuckTasksError
from dagnb.run.call import Call, Report, perform

SLICE_SECONDS = 0.05  # how long a wait may last before it is looked whether to go on waiting
MOST_STUCK = 8  # abandoned threads that may be alive before calls with a timeout are refused
Wait = Callable[[float], bool]  # waits so many seconds, or returns True as soon as the run stops

_stuck: set[threading.Thread] = set()


def never_stopped(seconds: float) -> bool:
    """Wait, for a run that only an interrupt stops."""
    sleep(seconds)
    return False


def persist(call: Call, wait: Wait = never_stopped) -> Report:
    """Perform a call with its options: again after an error, and not for longer than it may.

    What raises ``SystemExit`` or ``KeyboardInterrupt`` is not repeated, nor what timed out.
    """
    options = call.options
    if options is None:
        return perform(call)
    first = report = perform_within(call, options.timeout)
    attempts = 1
    for seconds in options.waits():
        if not isinstance(report.error, Exception) or wait(seconds):
            break
        report = perform_within(call, options.timeout)
        attempts += 1
    return report._replace(started=first.started, attempts=attempts)


def perform_within(call: Call, timeout: float | None) -> Report:
    """Perform a call once, in a thread of its own if it has a limit.

    A thread that is late is abandoned, and so is what it may still return.
    """
    if timeout is None:
        return perform(call)
    started = perf_counter()
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
        return Report(None, None, started, perf_counter(), overdue=overdue(timeout))
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
    import ctypes  # takes a while, and is needed only here

    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
        )


def overdue(timeout: float) -> str:
    """Return the reason of a call that was given up."""
    return f"it took longer than its timeout of {timeout:g} s"


def stuck() -> list[str]:
    """Return the names of the abandoned threads of this process that are still alive."""
    for thread in list(_stuck):
        if not thread.is_alive():
            _stuck.discard(thread)
    return [thread.name for thread in list(_stuck)]


def _name_of(call: Call) -> str:
    return str(getattr(call.function, "__name__", type(call.function).__name__))
