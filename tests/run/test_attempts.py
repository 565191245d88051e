"""Retries, waits between them and limits of single nodes, however the nodes are driven."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import dagnb.run.attempts
from dagnb import (
    DAG,
    DAGExecutor,
    ExecutionResult,
    IncrementalExecutor,
    NodeStatus,
    Task,
    TaskTimeoutError,
    TooManyStuckTasksError,
    TraceEventType,
)
from dagnb.run.attempts import persist, stuck
from dagnb.run.call import Call

Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What stuck tasks wait for; set when the test is over, and then none is left."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread in dagnb.run.attempts._stuck:
            thread.join(10)


@pytest.fixture
def pair() -> DAG:
    """From a to b."""
    return DAG.builder().add_edge("a", "b").build()


def flaky(failures: int, *, returns: object = "done") -> Callable[[], object]:
    """Return a function that fails so many times, then succeeds."""
    left = [failures]

    def run() -> object:
        if left[0]:
            left[0] -= 1
            raise ConnectionError(f"{left[0]} to go")
        return returns

    return run


def execute(way: str, dag: DAG, tasks: Tasks, **options: Any) -> ExecutionResult:
    """Run inline or in threads."""
    if way == "inline":
        return IncrementalExecutor(dag, **options).execute(tasks)
    return DAGExecutor(dag, max_workers=2, **options).execute(tasks)


WAYS = pytest.mark.parametrize("way", ["inline", "threads"])


@WAYS
def test_a_task_is_tried_again(way: str, pair: DAG) -> None:
    """Until it succeeds; the number of attempts is recorded."""
    tasks = {"a": Task(flaky(2), retries=3, backoff=0.0), "b": lambda a: a}
    result = execute(way, pair, tasks)
    assert (result["a"].result, result["a"].attempts) == ("done", 3)
    assert (result["b"].result, result["b"].attempts) == ("done", 1)


@WAYS
def test_a_task_that_fails_to_the_end_has_failed(way: str, pair: DAG) -> None:
    """With its last error, after one attempt and its retries."""
    result = execute(way, pair, {"a": Task(flaky(9), retries=2, backoff=0.0), "b": int})
    assert (result["a"].status, result["a"].attempts) == (NodeStatus.FAILED, 3)
    assert str(result["a"].error) == "6 to go"
    assert result["b"].status is NodeStatus.SKIPPED


def test_attempts_are_in_the_trace(pair: DAG) -> None:
    """In the last event of the node."""
    tasks = {"a": Task(flaky(1), retries=1, backoff=0.0), "b": int}
    trace = execute("threads", pair, tasks, enable_tracing=True).trace
    [done] = [
        event
        for event in trace.events_for_node("a")
        if event.event_type is TraceEventType.NODE_COMPLETED
    ]
    assert done.metadata["attempts"] == 2


def test_waits_grow() -> None:
    """Each is twice the one before."""
    waited: list[float] = []
    call = Call(0, flaky(3), (), None, Task(int, retries=3, backoff=1.0).options)
    assert persist(call, lambda seconds: bool(waited.append(seconds))).attempts == 4
    assert waited == [1.0, 2.0, 4.0]


def test_a_stopped_run_does_not_try_again() -> None:
    """The wait ends at once, and the node has failed with its last error."""
    call = Call(0, flaky(3), (), None, Task(int, retries=3, backoff=60.0).options)
    report = persist(call, lambda seconds: True)
    assert (report.attempts, str(report.error)) == (1, "2 to go")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_is_not_repeated(kind: type[BaseException]) -> None:
    """Somebody wants to leave."""

    def leave() -> None:
        raise kind

    report = persist(Call(0, leave, (), None, Task(int, retries=3, backoff=0.0).options))
    assert report.attempts == 1
    assert isinstance(report.error, kind)


def test_cancelling_interrupts_a_wait(pair: DAG) -> None:
    """The run ends without the next attempt, which is a minute away."""
    cancel = threading.Event()

    def fail() -> None:
        cancel.set()
        raise ConnectionError("no")

    result = DAGExecutor(pair).execute(
        {"a": Task(fail, retries=1, backoff=60.0), "b": int}, cancel_event=cancel
    )
    assert [each.status.name for each in result.node_results.values()] == ["FAILED", "CANCELLED"]
    assert result["a"].attempts == 1


def test_a_deadline_interrupts_a_wait(pair: DAG) -> None:
    """The node has timed out with the run."""
    tasks = {"a": Task(flaky(1), retries=1, backoff=60.0), "b": int}
    result = DAGExecutor(pair).execute(tasks, timeout=0.5)
    assert [each.status.name for each in result.node_results.values()] == ["TIMED_OUT", "CANCELLED"]


@WAYS
def test_a_node_has_a_timeout_of_its_own(way: str, pair: DAG, release: threading.Event) -> None:
    """It ends as TIMED_OUT, what needs it is skipped, the rest of the run goes on."""
    pair.add_node("c")
    tasks = {"a": Task(lambda: release.wait(30), name="a", timeout=0.05), "b": int, "c": int}
    result = execute(way, pair, tasks, fail_fast=False)
    assert {name: each.status.name for name, each in result.node_results.items()} == {
        "a": "TIMED_OUT", "b": "SKIPPED", "c": "COMPLETED"
    }  # fmt: skip
    assert result["a"].reason == "it took longer than its timeout of 0.05 s"
    assert result["b"].reason == "a timed out"
    assert isinstance(result["a"].error, TaskTimeoutError)
    assert result["a"].error.seconds == 0.05
    assert result.stopped == ""


def test_a_timeout_stops_a_fail_fast_run(pair: DAG, release: threading.Event) -> None:
    """Like an error."""
    result = execute("threads", pair, {"a": Task(release.wait, name="a", timeout=0.05), "b": int})
    assert (result.timed_out, result.skipped) == (1, 1)
    assert result.stopped == "fail-fast: a timed out"


def test_a_slot_is_free_at_once(release: threading.Event) -> None:
    """With one worker, the next node runs although the first is still at it."""
    dag = DAG()
    dag.add_nodes(["a", "b"])
    tasks = {"a": Task(lambda: release.wait(30), name="a", timeout=0.05), "b": stuck}
    result = DAGExecutor(dag, max_workers=1, fail_fast=False).execute(tasks)
    assert len(result["b"].result) == 1


@WAYS
def test_a_node_that_is_on_time_is_not_disturbed(way: str, pair: DAG) -> None:
    """Its value, error and inputs are those of a task without a limit."""
    tasks: Tasks = {"a": Task(lambda: 20, name="a", timeout=30), "b": lambda a: a + 1}
    assert execute(way, pair, tasks)["b"].result == 21
    tasks["a"] = Task(flaky(1), timeout=30)
    assert isinstance(execute(way, pair, tasks)["a"].error, ConnectionError)


@WAYS
def test_a_late_result_is_dropped(way: str, pair: DAG, release: threading.Event) -> None:
    """Neither this run nor the next takes it."""
    executor = IncrementalExecutor(pair, max_workers=None if way == "inline" else 2)
    tasks: Tasks = {
        "a": Task(lambda: release.wait(30) and "late", name="a", timeout=0.05),
        "b": lambda a: a,
    }
    assert executor.execute(tasks).timed_out == 1
    release.set()
    tasks["a"] = lambda: "new"
    result = executor.execute(tasks, changed_nodes=[])
    assert (result["b"].result, result["a"].reason) == ("new", "ran: it timed out last time")


def test_what_timed_out_is_not_tried_again(pair: DAG, release: threading.Event) -> None:
    """It may still be at work."""
    calls: list[int] = []
    slow = Task(lambda: calls.append(1) or release.wait(30), name="a", timeout=0.05, retries=3)
    assert execute("threads", pair, {"a": slow, "b": int})["a"].attempts == len(calls) == 1


def test_too_many_stuck_tasks_are_refused(release: threading.Event) -> None:
    """Eight threads are lost; the ninth task fails, and the error says what to do instead."""
    dag = DAG()
    dag.add_nodes([f"n{number}" for number in range(10)])
    tasks = {str(n): Task(lambda: release.wait(30), name=n, timeout=0.01) for n in dag}
    result = DAGExecutor(dag, max_workers=1, fail_fast=False).execute(tasks)
    assert (result.timed_out, result.failed) == (8, 2)
    error = result["n9"].error
    assert isinstance(error, TooManyStuckTasksError)
    assert "process" in str(error)
    release.set()


def test_a_coroutine_function_can_have_options(pair: DAG) -> None:
    """It is recognised behind its task."""
    attempts: list[int] = []

    async def fetch() -> int:
        attempts.append(1)
        if len(attempts) < 2:
            raise ConnectionError
        return 20

    tasks = {"a": Task(fetch, retries=1, backoff=0.0, timeout=30), "b": lambda a: a + 1}
    assert execute("threads", pair, tasks)["b"].result == 21
