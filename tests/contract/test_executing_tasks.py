"""The examples of the documentation on executing tasks, written anew."""

from __future__ import annotations

import inspect
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

import dagnb as dagron
from dagnb import DAGExecutor, NodeStatus

Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def dag() -> dagron.DAG:
    """From a by b and c to d."""
    return (
        dagron.DAG.builder()
        .add_edge("a", "b")
        .add_edge("a", "c")
        .add_edge("b", "d")
        .add_edge("c", "d")
        .build()
    )


@pytest.fixture
def tasks() -> Tasks:
    """A value for each node."""
    return {
        "a": lambda: "data",
        "b": lambda: "from b",
        "c": lambda: "from c",
        "d": lambda: "merged",
    }


def test_a_diamond_runs(dag: dagron.DAG, tasks: Tasks) -> None:
    """Four tasks, four values."""
    result = DAGExecutor(dag).execute(tasks)
    assert [each.result for each in result.node_results.values()] == [
        "data", "from b", "from c", "merged"
    ]  # fmt: skip


def test_the_constructor_takes_the_documented_parameters() -> None:
    """In the documented order, with the documented defaults."""
    parameters = list(inspect.signature(DAGExecutor).parameters.values())
    assert [(each.name, each.default) for each in parameters[1:7]] == [
        ("max_workers", None), ("costs", None), ("callbacks", None), ("fail_fast", True),
        ("enable_tracing", False), ("hooks", None),
    ]  # fmt: skip


def test_execute_takes_the_documented_parameters() -> None:
    """Tasks, a timeout and a cancel event."""
    parameters = inspect.signature(DAGExecutor.execute).parameters
    assert list(parameters)[1:] == ["tasks", "timeout", "cancel_event"]


def test_the_result_has_counts_and_a_duration(dag: dagron.DAG, tasks: Tasks) -> None:
    """Five counts, and seconds."""
    result = DAGExecutor(dag).execute(tasks)
    counts = result.succeeded, result.failed, result.skipped, result.timed_out, result.cancelled
    assert counts == (4, 0, 0, 0, 0)
    assert isinstance(result.total_duration_seconds, float)


def test_a_node_result_has_the_documented_fields(dag: dagron.DAG, tasks: Tasks) -> None:
    """Name, status, value, error, seconds."""
    for name, each in DAGExecutor(dag).execute(tasks).node_results.items():
        assert (each.name, each.status, each.error) == (name, NodeStatus.COMPLETED, None)
        assert each.result == tasks[name]()
        assert each.duration_seconds >= 0


def test_there_are_eight_statuses() -> None:
    """With the documented names."""
    assert [each.name for each in NodeStatus] == [
        "PENDING", "RUNNING", "COMPLETED", "FAILED", "SKIPPED", "TIMED_OUT", "CANCELLED",
        "CACHE_HIT",
    ]  # fmt: skip


def test_a_status_is_compared_by_member(dag: dagron.DAG, tasks: Tasks) -> None:
    """As an enum is."""
    result = DAGExecutor(dag).execute(tasks)
    assert result.node_results["d"].status == NodeStatus.COMPLETED


def boom() -> None:
    """Fail."""
    raise RuntimeError("boom")


def test_fail_fast_is_the_default() -> None:
    """The failed node is FAILED, what needs it SKIPPED; what was running finished."""
    dag = dagron.DAG.builder().add_edge("a", "c").add_edge("b", "c").build()
    started = threading.Event()
    tasks: Tasks = {
        "a": lambda: started.set() or "ok",
        "b": lambda: started.wait(10) and boom(),
        "c": lambda: "never",
    }
    for result in (
        DAGExecutor(dag, max_workers=2, fail_fast=True).execute(tasks),
        DAGExecutor(dag, max_workers=2).execute(tasks),
    ):
        assert [each.status.name for each in result.node_results.values()] == [
            "COMPLETED", "FAILED", "SKIPPED"
        ]  # fmt: skip
        assert str(result["b"].error) == "boom"
        assert str(result["b"].status) == "NodeStatus.FAILED"


def test_best_effort_runs_independent_branches() -> None:
    """Only what is below the failure is skipped."""
    dag = dagron.DAG.builder().add_edges(
        [("root", "left"), ("root", "right"), ("left", "join"), ("right", "join")]
    ).build()  # fmt: skip
    tasks: Tasks = {"root": int, "left": boom, "right": int, "join": int}
    result = DAGExecutor(dag, fail_fast=False).execute(tasks)
    assert result.node_results["right"].status is NodeStatus.COMPLETED
    assert result.node_results["join"].status is NodeStatus.SKIPPED


def test_a_timeout_marks_what_still_runs(dag: dagron.DAG, tasks: Tasks) -> None:
    """One deadline for the whole run."""
    release = threading.Event()
    result = DAGExecutor(dag).execute(tasks | {"b": lambda: release.wait(30)}, timeout=0.5)
    release.set()
    late = [name for name, each in result.node_results.items()
            if each.status == dagron.NodeStatus.TIMED_OUT]  # fmt: skip
    assert late == ["b"]
    assert DAGExecutor(dag).execute(tasks, timeout=30.0).timed_out == 0


def test_a_run_can_be_cancelled_from_outside(dag: dagron.DAG, tasks: Tasks) -> None:
    """Running tasks finish; what had not started is CANCELLED."""
    cancel, running = threading.Event(), threading.Event()
    canceller = threading.Thread(target=lambda: running.wait(10) and cancel.set())
    canceller.start()
    tasks["a"] = lambda: running.set() or (cancel.wait(10) and "data")
    result = DAGExecutor(dag).execute(tasks, cancel_event=cancel)
    canceller.join()
    assert (result.succeeded, result.cancelled) == (1, 3)
    assert result["a"].result == "data"
    assert DAGExecutor(dag).execute(tasks, cancel_event=threading.Event()).cancelled == 0


@pytest.mark.skipif(os.name != "posix", reason="os.kill delivers SIGINT on POSIX")
def test_ctrl_c_can_be_made_a_cancel(dag: dagron.DAG, tasks: Tasks) -> None:
    """A signal handler sets the event; the running task finishes and the number is told."""
    cancel = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: cancel.set())

    def ctrl_c() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "data" if cancel.wait(10) else "not interrupted"

    try:
        result = DAGExecutor(dag).execute(tasks | {"a": ctrl_c}, cancel_event=cancel)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result["a"].result, result.cancelled) == ("data", 3)


class Printer:
    """Prints starts, results, failures and skips."""

    def on_node_start(self, name: str) -> None:
        """A node starts."""
        print("start", name)

    def on_node_complete(self, name: str, result: object) -> None:
        """A node is done."""
        print("done", name, result)

    def on_node_error(self, name: str, error: BaseException) -> None:
        """A node has failed."""
        print("fail", name, error)

    def on_node_skip(self, name: str) -> None:
        """A node is skipped."""
        print("skip", name)


def test_callbacks_are_called(
    dag: dagron.DAG, tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    """For each node, in order."""
    executor = DAGExecutor(dag, callbacks=Printer(), max_workers=1, fail_fast=False)
    executor.execute(tasks | {"b": boom})
    assert capsys.readouterr().out.splitlines() == [
        "start a", "done a data", "start b", "fail b boom", "start c", "done c from c", "skip d"
    ]  # fmt: skip


class Progress:
    """Counts what has ended, and prints how far that is."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0

    def on_node_complete(self, name: str, result: object) -> None:
        """A node is done."""
        self.done += 1
        print(f"Progress: {self.done}/{self.total} ({self.done / self.total * 100:.0f}%)")

    def on_node_error(self, name: str, error: BaseException) -> None:
        """A node has failed."""
        self.done += 1

    def on_node_skip(self, name: str) -> None:
        """A node is skipped."""
        self.done += 1


def test_progress_is_printed(
    dag: dagron.DAG, tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a node, up to a hundred per cent."""
    DAGExecutor(dag, callbacks=Progress(dag.node_count())).execute(tasks)
    assert capsys.readouterr().out.splitlines() == [
        "Progress: 1/4 (25%)", "Progress: 2/4 (50%)", "Progress: 3/4 (75%)", "Progress: 4/4 (100%)"
    ]  # fmt: skip


def test_progress_adds_up(dag: dagron.DAG, tasks: Tasks) -> None:
    """Completed, failed and skipped nodes are all of them."""
    progress = Progress(dag.node_count())
    DAGExecutor(dag, callbacks=progress).execute(tasks | {"b": boom})
    assert progress.done == progress.total == 4


def test_callbacks_are_called_by_the_driver(dag: dagron.DAG, tasks: Tasks) -> None:
    """On the thread that called execute, one at a time, so they need no lock."""
    threads: set[threading.Thread] = set()

    def note(*told: object) -> None:
        threads.add(threading.current_thread())

    callbacks = dagron.ExecutionCallbacks(on_node_start=note, on_node_complete=note)
    DAGExecutor(dag, callbacks=callbacks).execute(tasks)
    assert threads == {threading.current_thread()}


def test_costs_are_taken(dag: dagron.DAG, tasks: Tasks) -> None:
    """The dearer of two ready nodes starts first."""
    order: list[str] = []
    tasks |= {"b": lambda: order.append("b"), "c": lambda: order.append("c")}
    DAGExecutor(dag, costs={"c": 10.0}, max_workers=1).execute(tasks)
    assert order == ["c", "b"]


def test_costs_of_unknown_nodes_are_refused(dag: dagron.DAG, tasks: Tasks) -> None:
    """Before anything runs, with the name."""
    with pytest.raises(dagron.NodeNotFoundError, match="train_model"):
        DAGExecutor(dag, costs={"train_model": 100.0}).execute(tasks)


def test_all_that_is_below_a_failure_is_skipped() -> None:
    """Not only what is directly below it."""
    dag = dagron.DAG.builder().add_edge("a", "b").add_edge("b", "c").build()
    result = DAGExecutor(dag, fail_fast=False).execute({"a": boom, "b": int, "c": int})
    assert (result.failed, result.skipped) == (1, 2)


def test_a_node_has_a_timeout_by_its_task(dag: dagron.DAG, tasks: Tasks) -> None:
    """An option of the task; no scheduling system is needed for it."""
    release = threading.Event()
    slow = dagron.task(timeout=0.05)(lambda: release.wait(30))
    result = DAGExecutor(dag, fail_fast=False).execute(tasks | {"b": slow})
    release.set()
    assert [each.status.name for each in result.node_results.values()] == [
        "COMPLETED", "TIMED_OUT", "COMPLETED", "SKIPPED"
    ]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2, None])
def test_workers_are_limited(dag: dagron.DAG, workers: int | None) -> None:
    """One is sequential, in topological order; two are two threads at most."""
    ran: list[tuple[str, str]] = []
    tasks: Tasks = {
        name: lambda name=name: ran.append((name, threading.current_thread().name))
        for name in "abcd"
    }
    assert DAGExecutor(dag, max_workers=workers).execute(tasks).succeeded == 4
    if workers == 1:
        assert [name for name, _ in ran] == dag.topological_sort()
    assert len({thread for _, thread in ran}) <= (workers or os.cpu_count() or 1)


def test_the_default_is_one_worker_a_cpu(dag: dagron.DAG, tasks: Tasks) -> None:
    """Never more threads than that."""
    wide = dagron.DAG()
    wide.add_nodes([str(number) for number in range(200)])
    threads: set[str] = set()
    DAGExecutor(wide).execute(
        dict.fromkeys(wide, lambda: threads.add(threading.current_thread().name))
    )
    assert len(threads) <= (os.cpu_count() or 1)


def test_the_plan_prints_by_level(dag: dagron.DAG, capsys: pytest.CaptureFixture[str]) -> None:
    """Each step with its level and nodes."""
    for step in dag.execution_plan():
        print(step)
    assert capsys.readouterr().out.splitlines() == [
        "ExecutionStep(level=0, nodes=['a'])",
        "ExecutionStep(level=1, nodes=['b', 'c'])",
        "ExecutionStep(level=2, nodes=['d'])",
    ]


def test_everything_together(capsys: pytest.CaptureFixture[str]) -> None:
    """Declared nodes, edges, four workers, callbacks, tracing, costs, a timeout, a cancel event."""
    dag = (
        dagron.DAG.builder()
        .add_nodes(["extract", "validate", "transform", "enrich", "load", "notify"])
        .add_edges(
            [
                ("extract", "validate"),
                ("validate", "transform"),
                ("validate", "enrich"),
                ("transform", "load"),
                ("enrich", "load"),
                ("load", "notify"),
            ]
        )
        .build()
    )
    both = threading.Barrier(2)
    tasks: Tasks = {str(name): lambda name=name: {str(name): 1} for name in dag}
    for name in ("transform", "enrich"):
        tasks[name] = lambda name=name: both.wait(30) in {0, 1} and {name: 1}
    result = DAGExecutor(
        dag,
        max_workers=4,
        callbacks=Printer(),
        fail_fast=True,
        enable_tracing=True,
        costs={"transform": 2.0, "enrich": 1.5},
    ).execute(tasks, timeout=60.0, cancel_event=threading.Event())
    assert f"Completed: {result.succeeded}/{dag.node_count()}" == "Completed: 6/6"
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["start extract", "done extract {'extract': 1}", "start validate"]
    assert lines[4:6] == ["start transform", "start enrich"]
    assert sorted(lines[6:8]) == ["done enrich {'enrich': 1}", "done transform {'transform': 1}"]
    assert lines[-1] == "done notify {'notify': 1}"
    for name, each in result.node_results.items():
        shown = f"{name}: {each.status.name} ({each.duration_seconds:.3f}s)"
        assert shown.startswith(f"{name}: COMPLETED (")
