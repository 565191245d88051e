"""An alarm on the main thread: what it interrupts, and what it leaves alone."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagnb import DAG, IncrementalExecutor, Task, TaskTimeoutError
from dagnb.run.alarm import perform_under_alarm
from dagnb.run.call import Call, Report

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no SIGALRM")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No test leaves an alarm or a handler behind."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


def perform(function: Callable[..., object], timeout: float = 0.05) -> Report:
    """Perform a function without inputs."""
    return perform_under_alarm(Call(0, function, (), None), timeout)


def for_ever() -> None:
    """Never return."""
    while True:
        pass


@pytest.mark.parametrize(
    "function",
    [for_ever, lambda: time.sleep(60), lambda: threading.Event().wait(60)],
    ids=["a loop", "a sleep", "a lock"],
)
def test_a_late_call_is_interrupted(function: Callable[[], object]) -> None:
    """Whatever it does, as long as Python has a say in it."""
    report = perform(function)
    assert report.overdue == "it took longer than its timeout of 0.05 s"
    assert isinstance(report.error, TaskTimeoutError)
    assert report.ended - report.started >= 0.05


def test_a_builtin_is_interrupted_too() -> None:
    """A task need not be a function of Python's."""
    report = perform_under_alarm(Call(0, time.sleep, (60,), None), 0.05)
    assert report.overdue


def test_the_error_says_where_it_was() -> None:
    """Its traceback leads to the line that was interrupted."""
    report = perform(for_ever)
    assert report.error is not None
    frames = [frame for frame, _ in traceback.walk_tb(report.error.__traceback__)]
    assert for_ever.__code__ in [frame.f_code for frame in frames]


def test_a_call_in_time_is_not_disturbed() -> None:
    """Its value and its error are its own, and it stays on the thread it was called on."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        report = perform(lambda: database.execute("select 1").fetchone(), 60)
    assert (report.value, report.error, report.overdue) == ((1,), None, "")
    assert isinstance(perform(lambda: 1 / 0, 60).error, ZeroDivisionError)


def test_an_except_clause_does_not_swallow_it() -> None:
    """What times out is no ``Exception``, and ``finally`` is done."""
    tidied: list[bool] = []

    def stubborn() -> str:
        try:
            time.sleep(60)
        except Exception:
            return "swallowed"
        finally:
            tidied.append(True)
        return "slept"

    assert perform(stubborn).overdue
    assert tidied == [True]


def test_what_comes_late_is_dropped() -> None:
    """Code that catches everything goes on, but nothing comes of it."""

    def deaf() -> str:
        try:
            time.sleep(60)
        except BaseException:
            return "late"
        return "slept"

    report = perform(deaf)
    assert report.value is None
    assert report.overdue


def test_a_tiny_timeout_is_not_missed() -> None:
    """It may be over before the function has begun."""
    assert perform(for_ever, 1e-6).overdue


def test_a_signal_that_is_lost_is_sent_again() -> None:
    """The first one finds nobody; the next one finds the call."""

    def deaf_at_first() -> None:
        listener = signal.signal(signal.SIGALRM, lambda *_: None)
        time.sleep(0.03)
        signal.signal(signal.SIGALRM, listener)
        for_ever()

    assert perform(deaf_at_first, 0.01).overdue


def test_ctrl_c_is_not_taken_for_it() -> None:
    """Who stops the run has stopped it, whether or not there is a timeout."""

    def stop() -> None:
        signal.raise_signal(signal.SIGINT)

    report = perform(stop, 60)
    assert isinstance(report.error, KeyboardInterrupt)
    assert report.overdue == ""


def test_ctrl_c_wins_over_a_timeout() -> None:
    """Also while the function is on its way out."""

    def stop() -> None:
        try:
            time.sleep(60)
        finally:
            signal.raise_signal(signal.SIGINT)

    assert isinstance(perform(stop).error, KeyboardInterrupt)


def test_a_handler_of_the_users_comes_back() -> None:
    """The signal is borrowed, not taken."""
    calls: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: calls.append(number))
    try:
        assert perform(for_ever).overdue
        signal.raise_signal(signal.SIGALRM)
        assert calls == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, before)


def test_another_thread_is_not_interrupted() -> None:
    """There a call gets a thread of its own, and is abandoned."""
    release, reports = threading.Event(), list[Report]()
    thread = threading.Thread(target=lambda: reports.append(perform(lambda: release.wait(30))))
    thread.start()
    thread.join()
    release.set()
    assert reports[0].overdue


def test_a_late_alarm_interrupts_nothing_else(tmp_path: Path) -> None:
    """Calls that end just when their time is up leave no alarm to what comes next."""
    for number in range(200):
        end = time.perf_counter() + 0.002 + number * 1e-6

        def until_then(end: float = end) -> None:
            while time.perf_counter() < end:
                pass

        perform(until_then, 0.002)
        with contextlib.suppress(FileNotFoundError):
            (tmp_path / "nothing").read_text()


def test_an_executor_keeps_to_threads() -> None:
    """It may run on the main thread of a program that has alarms of its own."""
    dag = DAG()
    dag.add_node("a")
    seen = IncrementalExecutor(dag).execute({"a": Task(threading.get_ident, name="a", timeout=30)})
    assert seen["a"].result != threading.get_ident()
