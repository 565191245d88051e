"""Threads: who touches the engine when, and what happens to tasks that never end."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from dagnb import (
    DAG,
    DAGExecutor,
    ExecutionResult,
    IncrementalExecutor,
    Interrupted,
    NodeStatus,
    Task,
)
from dagnb.run.attempts import interrupt
from dagnb.run.call import Report
from dagnb.run.drive import Pace, Worker, drive_threads
from dagnb.run.lease import Lease
from dagnb.run.limits import Limits

Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What stuck tasks wait for; set when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def chain(size: int) -> DAG:
    """Return a graph in which each node feeds the next."""
    dag = DAG()
    names = dag.add_nodes([f"n{number}" for number in range(size)])
    dag.add_edges(itertools.pairwise(names))
    return dag


def count(*inputs: int) -> int:
    """Add one to the first input."""
    return inputs[0] + 1 if inputs else 0


# -- short nodes run on one worker, long ones on several -----------------------------------------


def test_short_nodes_share_one_worker() -> None:
    """A thousand of them take no second thread, and say which one it was."""
    dag = chain(1000)
    result = DAGExecutor(dag, max_workers=4).execute(dict.fromkeys(dag, count))
    assert result["n999"].result == 999
    assert result["n0"].worker == "dagnb-1"


def test_a_long_node_does_not_hold_up_others(release: threading.Event) -> None:
    """Another worker goes on with what is ready; the late report is taken in."""
    dag = DAG.builder().add_nodes(["first", "a", "b", "c"]).add_edge("first", "c").build()
    ran = threading.Event()
    tasks: Tasks = {
        "first": lambda: ran.wait(30) and "waited",
        "a": lambda: "a",
        "b": ran.set,
        "c": lambda first: first,
    }
    result = DAGExecutor(dag, max_workers=2).execute(tasks)
    assert (result["c"].result, result.succeeded) == ("waited", 4)


def test_two_chains_of_uneven_tasks_do_not_wait_for_each_other() -> None:
    """Each link meets the other chain's link that runs at the same time in an ideal schedule."""
    dag = DAG()
    names = [[f"{chain}{number}" for number in range(3)] for chain in "ab"]
    for each in names:
        dag.add_nodes(each)
        dag.add_edges(itertools.pairwise(each))
    meetings = [threading.Barrier(2) for _ in range(3)]
    tasks: Tasks = {
        name: lambda *_, number=number: meetings[number].wait(30) and 0
        for each in names
        for number, name in enumerate(each)
    }
    assert DAGExecutor(dag, max_workers=2).execute(tasks, timeout=60).succeeded == 6


def test_short_and_long_nodes_by_turns(release: threading.Event) -> None:
    """However often the driver and a worker take turns, every value is right."""
    dag = chain(600)

    def sometimes_slow(*inputs: int) -> int:
        number = count(*inputs)
        if number % 150 == 10:
            time.sleep(0.005)
        return number

    result = DAGExecutor(dag, max_workers=2).execute(dict.fromkeys(dag, sometimes_slow))
    assert [each.result for each in result.node_results.values()] == list(range(600))


@pytest.mark.parametrize("place", [0, 1, 500, 999])
def test_a_failure_among_short_nodes(place: int) -> None:
    """It ends a fail-fast run there."""
    dag = chain(1000)
    tasks: Tasks = dict.fromkeys(dag, count) | {f"n{place}": lambda *_: 1 // 0}
    result = DAGExecutor(dag, max_workers=2).execute(tasks)
    assert (result.succeeded, result.failed, result.skipped) == (place, 1, 999 - place)
    assert result[f"n{place}"].worker == "dagnb-1"


def test_a_task_that_interrupts_itself_has_failed() -> None:
    """Ctrl-C comes to the driver, not to a worker."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    result = DAGExecutor(chain(2), max_workers=2).execute({"n0": interrupt, "n1": int})
    assert [each.status.name for each in result.node_results.values()] == ["FAILED", "SKIPPED"]


def test_cancelling_among_short_nodes() -> None:
    """Nothing is started after the node in which it happened."""
    dag = chain(1000)
    cancel = threading.Event()
    tasks: Tasks = dict.fromkeys(dag, count) | {"n500": lambda n499: cancel.set()}
    result = DAGExecutor(dag, max_workers=2).execute(tasks, cancel_event=cancel)
    assert (result.succeeded, result.cancelled) == (501, 499)


def test_a_deadline_among_short_nodes() -> None:
    """It is seen although no report comes for long."""
    dag = chain(20_000)
    result = DAGExecutor(dag, max_workers=2).execute(dict.fromkeys(dag, count), timeout=0.002)
    assert result.succeeded + result.timed_out + result.cancelled == 20_000
    assert result.cancelled > 0
    assert "timeout" in result.stopped


def test_what_breaks_in_a_worker_is_raised_by_the_driver() -> None:
    """An engine that cannot go on does not hang."""
    dag = chain(3)
    executor = IncrementalExecutor(dag, max_workers=2)
    executor._memory.catch_up()
    executor._memory.records = []  # too short for any node
    with pytest.raises(IndexError):
        executor.execute(dict.fromkeys(dag, count))


def test_an_interrupt_while_a_worker_sprints() -> None:
    """The engine is taken back first; the next run is right."""
    dag = chain(20_000)
    executor = IncrementalExecutor(dag, max_workers=2)
    began = threading.Event()

    def interrupt_main() -> None:
        import _thread

        began.wait(30)
        _thread.interrupt_main()

    tasks: Tasks = dict.fromkeys(dag, count) | {"n10": lambda n9: began.set() or n9 + 1}
    interrupter = threading.Thread(target=interrupt_main)
    interrupter.start()
    try:
        executor.execute(tasks)
        time.sleep(5)  # it came after the end: wait for it here
    except Interrupted as interrupted:
        assert interrupted.result.failed == 0
    except KeyboardInterrupt:
        pass
    interrupter.join()
    assert executor.execute(tasks, changed_nodes=[])["n19999"].result == 19_999
    assert executor.execute(tasks, changed_nodes=[]).recomputed == []


# -- the parts ----------------------------------------------------------------------------------


def test_a_lease_is_held_by_one() -> None:
    """The driver takes it only while it is laid down, and then the worker finds it gone."""

    class Engine:
        def __init__(self) -> None:
            self.running: dict[int, float] = {}

    engine = Engine()
    lease = Lease(engine)  # type: ignore[arg-type]
    assert lease.take_up()
    assert not lease.revoke()
    lease.lay_down((7, 1.0))
    assert lease.take_up()
    lease.lay_down((8, 2.0))
    assert lease.revoke()
    assert not lease.take_up()
    assert engine.running == {8: 2.0}


def test_a_lease_that_has_not_begun_can_be_revoked() -> None:
    """The worker that gets to it later leaves the engine alone."""
    lease = Lease(None)  # type: ignore[arg-type]
    assert lease.seconds_in_call() == 0.0
    assert lease.revoke()
    assert lease.run("late")[0] == -1


def test_a_lease_ends_when_nodes_get_long() -> None:
    """One slow node among many does not count for much; ten in a row do."""
    lease = Lease(None)  # type: ignore[arg-type]
    assert not any(lease.should_end(1e-6) for _ in range(1000))
    assert not lease.should_end(2e-4)
    assert any(lease.should_end(1e-4) for _ in range(20))
    assert Lease(None).should_end(0.01)  # type: ignore[arg-type]


def test_a_lease_waits_for_as_long_as_its_end_would_cost() -> None:
    """On a busy processor a short node may look long; in a large graph that is no reason yet."""
    lease = Lease(None, patience=0.1)  # type: ignore[arg-type]
    assert not any(lease.should_end(0.02) for _ in range(4))
    assert not any(lease.should_end(1e-6) for _ in range(1000))
    assert lease.should_end(0.03)


def test_a_pace_asks_for_more_each_time() -> None:
    """At first it hopes; then it wants proof, twice as much after each sprint that was short."""
    pace, short, long = Pace(), Report(0, None, 0.0, 1e-6), Report(0, None, 0.0, 1.0)
    assert pace.is_fast
    for asked, seconds in ((64, 0.0), (128, 0.001), (256, 0.0), (64, 0.1)):
        pace.begin_anew(seconds)
        for _ in range(asked - 1):
            pace.note(short)
        assert not pace.is_fast
        pace.note(short)
        assert pace.is_fast
        pace.note(long)
        assert not pace.is_fast


def test_limits_say_when_they_are_reached() -> None:
    """A deadline and an event, each alone."""
    event = threading.Event()
    assert not Limits(None, None).are_reached()
    assert Limits(0.0, None).are_reached()
    assert not Limits(None, event).are_reached()
    event.set()
    assert Limits(60.0, event).are_reached()


# -- tasks that never end -----------------------------------------------------------------------


def test_the_deadline_holds_for_tasks_that_never_end(release: threading.Event) -> None:
    """One sleeps, one loops; the run returns, and says so."""
    dag = DAG()
    dag.add_nodes(["sleeps", "loops", "waits"])

    def loop() -> None:
        while not release.is_set():
            pass

    ended = threading.Event()
    tasks: Tasks = {"sleeps": lambda: release.wait(60) or ended.set(), "loops": loop, "waits": int}
    result = DAGExecutor(dag, max_workers=2).execute(tasks, timeout=0.5)
    assert not ended.is_set()
    assert result.timed_out == 2


class Loop:
    """A task that loops until it is interrupted, and tells when it begins and when it ends."""

    def __init__(self) -> None:
        self.begun, self.interrupted = threading.Event(), threading.Event()

    def __call__(self) -> None:
        """Loop."""
        self.begun.set()
        try:
            while True:
                time.sleep(0.01)
        except KeyboardInterrupt:
            self.interrupted.set()


def test_cancelling_without_waiting() -> None:
    """What runs is cancelled at once and interrupted; what comes of it later is dropped."""
    dag = (
        DAG.builder()
        .add_nodes(["short", "loops", "below", "other"])
        .add_edge("loops", "below")
        .build()
    )
    loop, cancel = Loop(), threading.Event()
    tasks: Tasks = {
        "short": lambda: 1,
        "loops": loop,
        "below": lambda loops: loops,
        "other": lambda: loop.begun.wait(30) and cancel.set(),
    }
    engine = DAGExecutor(dag).engine(tasks)
    result = drive_threads(engine, ExecutionResult, 2, cancel_event=cancel, abandon=True)
    assert result["short"].status is NodeStatus.COMPLETED
    assert result["loops"].status is result["below"].status is NodeStatus.CANCELLED
    assert (result["loops"].executed, result["below"].executed) == (True, False)
    assert result.stopped == "cancelled"
    assert loop.interrupted.wait(30)


@pytest.mark.parametrize("timeout", [None, 3600.0])
def test_an_interrupt_reaches_the_tasks(timeout: float | None) -> None:
    """Ctrl-C ends the run, and each task as soon as it comes to a line of Python."""
    dag = DAG()
    dag.add_nodes(["a", "b"])
    loops = Loop(), Loop()

    def press() -> None:
        for loop in loops:
            loop.begun.wait(30)
        signal.raise_signal(signal.SIGINT)

    tasks = {n: Task(loop, name=n, timeout=timeout) for n, loop in zip("ab", loops, strict=True)}
    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(Interrupted) as caught:
        DAGExecutor(dag, max_workers=2).execute(tasks)
    presser.join()
    assert caught.value.result.cancelled == 2
    assert all(loop.interrupted.wait(30) for loop in loops)


def test_an_interrupt_of_an_idle_worker_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends the thread, and nothing is printed."""
    worker = Worker("idle", SimpleQueue(), SimpleQueue(), threading.Event().wait)
    worker.start()
    interrupt(worker)
    worker._work.put(None)
    worker.join(30)
    assert not worker.is_alive()
    assert capsys.readouterr() == ("", "")


# -- Python in a browser -------------------------------------------------------------------------


@pytest.fixture
def in_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin no thread: an attempt to is an error, as it is there."""
    monkeypatch.setattr("sys.platform", "emscripten")
    monkeypatch.setattr(threading.Thread, "start", lambda thread: 1 / 0)


@pytest.mark.usefixtures("in_a_browser")
def test_without_threads_nodes_run_here_one_after_another() -> None:
    """However many workers were asked for; each is on one bar of the timeline."""
    dag = DAG()
    dag.add_nodes(["a", "b", "c"])
    dag.add_edges([("a", "c"), ("b", "c")])
    tasks: Tasks = {
        "a": lambda: 1,
        "b": lambda: 2,
        "c": lambda a, b: (a + b, threading.get_ident()),
    }
    result = DAGExecutor(dag, max_workers=4).execute(tasks)
    assert result["c"].result == (3, threading.get_ident())
    assert {each.worker for each in result.node_results.values()} == {"dagnb-1"}


@pytest.mark.usefixtures("in_a_browser")
def test_without_threads_a_late_result_is_dropped() -> None:
    """Nothing can interrupt the call, but it counts as timed out; one on time does not."""
    dag = DAG()
    dag.add_nodes(["late", "early"])
    tasks = {
        "late": Task(lambda: time.sleep(0.01), timeout=0.001),
        "early": Task(lambda: 1, timeout=60),
    }
    result = DAGExecutor(dag, fail_fast=False).execute(tasks)
    assert result["late"].status is NodeStatus.TIMED_OUT
    assert result["early"].result == 1


@pytest.mark.usefixtures("in_a_browser")
def test_without_threads_a_run_can_be_cancelled() -> None:
    """Between two nodes."""
    cancelled = threading.Event()
    tasks: Tasks = {"n0": cancelled.set, "n1": lambda n0: n0}
    result = DAGExecutor(chain(2)).execute(tasks, cancel_event=cancelled)
    assert result["n1"].status is NodeStatus.CANCELLED
