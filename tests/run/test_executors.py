from __future__ import annotations

import asyncio
import copy
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dagnb import (
    DAG,
    DAGExecutor,
    ExecutionCallbacks,
    GraphInUseError,
    IncrementalExecutor,
    NodeNotFoundError,
)

Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def pair() -> DAG:
    """From a to b."""
    return DAG.builder().add_edge("a", "b").build()


@pytest.fixture(params=[None, 1, 3])
def workers(request: pytest.FixtureRequest) -> int | None:
    """Inline, one thread, several."""
    return request.param  # type: ignore[no-any-return]


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("executor", [DAGExecutor, IncrementalExecutor])
def test_a_task_for_no_node_is_refused(executor: type, pair: DAG) -> None:
    """Before anything runs, with the nearest name."""
    ran: list[int] = []
    with pytest.raises(NodeNotFoundError, match=r"no node 'bb' \(in tasks\); did you mean 'b'"):
        executor(pair).execute({"a": lambda: ran.append(1), "bb": lambda: 2})
    assert ran == []


def test_a_task_added_later_is_checked_too(pair: DAG) -> None:
    """The same dict with another name in it is noticed."""
    tasks: Tasks = {"a": lambda: 1, "b": lambda: 2}
    executor = IncrementalExecutor(pair)
    executor.execute(tasks)
    tasks["c"] = lambda: 3
    with pytest.raises(NodeNotFoundError):
        executor.execute(tasks)
    pair.add_node("c")
    assert executor.execute(tasks, changed_nodes=[]).recomputed == ["c"]


def test_what_is_not_callable_is_no_task(pair: DAG) -> None:
    """The error names the node."""
    with pytest.raises(TypeError, match="node 'a' is not callable: 3"):
        DAGExecutor(pair).execute({"a": 3})  # type: ignore[dict-item]


def test_changed_nodes_is_a_list_of_known_names(pair: DAG) -> None:
    """A string and an unknown name are refused, and nothing is lost."""
    executor = IncrementalExecutor(pair)
    tasks: Tasks = {"a": lambda: 1, "b": lambda: 2}
    executor.execute(tasks)
    with pytest.raises(TypeError, match=r"write \['a'\]"):
        executor.execute(tasks, changed_nodes="a")
    with pytest.raises(NodeNotFoundError, match="changed_nodes"):
        executor.execute(tasks, changed_nodes=["a", "z"])
    assert executor.execute(tasks, changed_nodes=[]).recomputed == []


@pytest.mark.parametrize(
    ("workers", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_the_number_of_workers_is_a_positive_integer(
    pair: DAG, workers: Any, error: type[Exception]
) -> None:
    """Nothing else makes sense."""
    with pytest.raises(error, match="max_workers"):
        DAGExecutor(pair, max_workers=workers)


def test_unknown_costs_and_negative_timeouts_are_refused(pair: DAG) -> None:
    """Both before anything runs."""
    with pytest.raises(NodeNotFoundError, match="costs"):
        DAGExecutor(pair, costs={"x": 1.0}).execute({})
    with pytest.raises(ValueError, match="timeout"):
        DAGExecutor(pair).execute({}, timeout=-1.0)


@pytest.mark.parametrize(
    ("cost", "error"),
    [("high", TypeError), (None, TypeError), (True, TypeError), (-1, ValueError),
     (float("nan"), ValueError)],
)  # fmt: skip
def test_a_cost_is_a_number(pair: DAG, cost: Any, error: type[Exception]) -> None:
    """The error names the node, when the executor is made."""
    with pytest.raises(error, match="cost of node 'a'"):
        DAGExecutor(pair, costs={"a": cost})


@pytest.mark.parametrize("timeout", ["1", True, float("nan")])
def test_a_timeout_is_a_number(pair: DAG, timeout: Any) -> None:
    """Nothing else is taken for one."""
    with pytest.raises((TypeError, ValueError), match="timeout"):
        DAGExecutor(pair).execute({}, timeout=timeout)


def test_a_task_of_the_wrong_arity_fails_its_node(pair: DAG, workers: int | None) -> None:
    """The error says which parameter no input feeds."""
    tasks: Tasks = {"a": lambda: 1, "b": lambda a, b, c: a}
    result = IncrementalExecutor(pair, max_workers=workers).execute(tasks)
    assert isinstance(result["b"].error, TypeError)
    assert "takes 'b', which is no predecessor" in str(result["b"].error)


# -- values -------------------------------------------------------------------------------------

SAME = [
    [1, [2.0, {"k": None}]],
    np.arange(6).reshape(2, 3),
    pd.DataFrame({"x": [1, 2], "y": ["a", None]}),
    float("nan"),
    np.array([np.nan]),
    {"b": 1, "a": 2},
]


@pytest.mark.parametrize("value", SAME, ids=[type(value).__name__ for value in SAME])
def test_an_equal_value_cuts_off(value: object, workers: int | None, pair: DAG) -> None:
    """Arrays, frames and NaN are compared by content."""
    executor = IncrementalExecutor(pair, max_workers=workers)
    tasks: Tasks = {"a": lambda: copy.deepcopy(value), "b": lambda a: 0}
    executor.execute(tasks)
    result = executor.execute(tasks, changed_nodes=["a"])
    assert (result.recomputed, result.early_cutoff, result.reused) == (["a"], ["a"], ["b"])


DIFFERENT = [
    (1, True), (1, 1.0), (0, False), (0.0, -0.0), ("1", 1), ([1], (1,)), ([1], [True]),
    (None, 0), (b"a", "a"), ({"a": 1}, {"a": 1.0}),
    (np.arange(4).reshape(2, 2), np.arange(4).reshape(2, 2).T),
    (np.arange(6).reshape(2, 3), np.arange(6).reshape(3, 2)),
    (pd.DataFrame({"x": [1]}), pd.DataFrame({"y": [1]})),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), DIFFERENT)
def test_a_different_value_does_not(
    before: object, after: object, workers: int | None, pair: DAG
) -> None:
    """What Python calls equal may still be another value."""
    executor = IncrementalExecutor(pair, max_workers=workers)
    tasks: Tasks = {"a": lambda: before, "b": lambda a: f"{a!r}"}
    executor.execute(tasks)
    tasks["a"] = lambda: after
    result = executor.execute(tasks, changed_nodes=["a"])
    assert (result.recomputed, result["b"].result) == (["a", "b"], repr(after))


def test_a_value_changed_in_place_is_another_value(workers: int | None, pair: DAG) -> None:
    """A node may return the same object with other contents."""
    shared: list[int] = []

    def grow() -> list[int]:
        shared.append(len(shared))
        return shared

    executor = IncrementalExecutor(pair, max_workers=workers)
    tasks: Tasks = {"a": grow, "b": lambda a: sum([*a])}
    executor.execute(tasks)
    result = executor.execute(tasks, changed_nodes=["a"])
    assert (result.recomputed, result["b"].result) == (["a", "b"], 1)


def test_a_value_that_cannot_be_named_always_counts_as_changed(pair: DAG) -> None:
    """A generator has no digest, so what reads it runs again."""
    executor = IncrementalExecutor(pair)
    tasks: Tasks = {"a": lambda: iter([1]), "b": lambda a: [*a]}
    executor.execute(tasks)
    assert executor.execute(tasks, changed_nodes=["a"]).recomputed == ["a", "b"]


def test_a_value_whose_digest_raises_counts_as_changed(pair: DAG) -> None:
    """A broken ``__reduce__`` is no reason for the run to break off."""

    class Broken:
        def __reduce_ex__(self, protocol: object) -> str:
            raise RuntimeError("cannot be taken apart")

    executor = IncrementalExecutor(pair)
    tasks: Tasks = {"a": Broken, "b": lambda: 1}
    assert executor.execute(tasks).succeeded == 2
    assert executor.execute(tasks, changed_nodes=["a"]).recomputed == ["a", "b"]


# -- what runs ----------------------------------------------------------------------------------


def test_a_failed_node_is_retried_with_what_depends_on_it(workers: int | None) -> None:
    """Until it succeeds; no value of before is served for it."""
    dag = DAG.builder().add_edges([("a", "b"), ("b", "c"), ("x", "y")]).build()
    tasks: Tasks = {"a": lambda: 1, "b": lambda a: a, "c": lambda b: b, "x": int, "y": lambda x: x}
    executor = IncrementalExecutor(dag, max_workers=workers, fail_fast=False)
    executor.execute(tasks)
    good, tasks["b"] = tasks["b"], lambda a: a / 0
    broken = executor.execute(tasks, changed_nodes=["b"])
    assert (broken["b"].result, broken["c"].result) == (None, None)
    assert (broken.failed, broken.skipped, broken.reused) == (1, 1, ["a", "x", "y"])
    again = executor.execute(tasks, changed_nodes=["x"])
    assert isinstance(again["b"].error, ZeroDivisionError)
    tasks["b"] = good
    result = executor.execute(tasks, changed_nodes=[])
    assert result.recomputed == ["b", "c"]
    assert "it failed last time" in result["b"].reason
    assert executor.execute(tasks, changed_nodes=[]).recomputed == []


def test_reasons_say_why(pair: DAG) -> None:
    """Each node of each run has a sentence."""
    tasks: Tasks = {"a": lambda: 1, "b": lambda a: a}
    executor = IncrementalExecutor(pair)
    first = executor.execute(tasks)
    assert [first[name].reason for name in "ab"] == ["ran: every node runs"] * 2
    tasks["a"] = lambda: 2
    second = executor.execute(tasks, changed_nodes=["a"])
    assert second["a"].reason == "ran: direct change"
    assert second["b"].reason == "ran: input a changed"
    third = executor.execute(tasks, changed_nodes=["a"])
    assert third["a"].reason == "ran: direct change; same value as before"
    assert third["b"].reason == "reused: nothing it depends on changed"
    pair.add_node("c")
    pair.add_edge("c", "b")
    fourth = executor.execute(tasks | {"c": lambda: 0}, changed_nodes=[])
    assert fourth["c"].reason == "ran: it has not run yet"
    assert fourth["b"].reason == "ran: its edges changed; same value as before"


def test_provenance_is_that_of_the_changed_nodes(pair: DAG) -> None:
    """The affected nodes and why; nothing when everything was asked for."""
    tasks: Tasks = {"a": lambda: 1, "b": lambda a: a}
    executor = IncrementalExecutor(pair)
    assert dict(executor.execute(tasks).provenance) == {}
    provenance = executor.execute(tasks, changed_nodes=["a"]).provenance
    assert {name: str(reason) for name, reason in provenance.items()} == {
        "a": "direct change", "b": "ancestor a"
    }  # fmt: skip


def test_provenance_asked_for_after_an_edit(pair: DAG) -> None:
    """Nodes that have gone since are left out."""
    pair.add_nodes([f"n{number}" for number in range(2000)])
    tasks: Tasks = dict.fromkeys(pair, lambda: 1)
    executor = IncrementalExecutor(pair)
    executor.execute(tasks)
    result = executor.execute(tasks, changed_nodes=["n0", "n1999"])
    pair.remove_nodes([f"n{number}" for number in range(1999)])
    assert list(result.provenance) == ["n1999"]


def test_a_failure_reaches_past_a_node_without_a_task(workers: int | None) -> None:
    """What is below it is skipped, though nothing takes a value."""
    dag = DAG.builder().add_edge("a", "n").add_edge("n", "c").build()
    tasks = {"a": lambda: 1 / 0, "c": lambda: "never"}
    options: Any = {} if workers is None else {"max_workers": workers}
    result = IncrementalExecutor(dag, fail_fast=False, **options).execute(tasks)
    assert [each.status.name for each in result.node_results.values()] == [
        "FAILED", "SKIPPED", "SKIPPED"
    ]  # fmt: skip
    assert result["n"].reason == "a failed"


def test_a_coroutine_function_is_a_task(pair: DAG, workers: int | None) -> None:
    """It runs on a loop of its own, also where a loop runs already."""

    async def wait() -> int:
        await asyncio.sleep(0)
        return 1

    async def more(a: int) -> int:
        return a + 1

    executor = IncrementalExecutor(pair, max_workers=workers)
    assert executor.execute({"a": wait, "b": more})["b"].result == 2

    async def in_a_notebook() -> object:
        return executor.execute({"a": wait, "b": more})["b"].result

    assert asyncio.run(in_a_notebook()) == 2


def test_a_task_that_raises_a_timeout_error_has_failed(pair: DAG) -> None:
    """It is the task's error, not the run's deadline."""

    def slow() -> None:
        raise TimeoutError("the server is slow")

    result = DAGExecutor(pair).execute({"a": slow, "b": slow})
    assert (result.failed, result.timed_out, result.skipped) == (1, 0, 1)


def test_a_task_that_exits_has_failed(pair: DAG, workers: int | None) -> None:
    """``sys.exit`` in a task ends the task."""

    def leave() -> None:
        raise SystemExit(3)

    result = IncrementalExecutor(pair, max_workers=workers).execute({"a": leave})
    assert isinstance(result["a"].error, SystemExit)


def test_a_graph_without_nodes_runs() -> None:
    """Nothing to do is not an error."""
    assert DAGExecutor(DAG()).execute({}).succeeded == 0
    assert IncrementalExecutor(DAG()).execute({}).recomputed == []


def test_a_task_that_edits_the_graph_fails(pair: DAG, workers: int | None) -> None:
    """The edit is refused, the graph is whole, and can be edited when the run is over."""
    executor = IncrementalExecutor(pair, max_workers=workers, fail_fast=False)
    tasks: Tasks = {"a": lambda: pair.add_node("c"), "b": lambda: 1}
    result = executor.execute(tasks)
    assert isinstance(result["a"].error, GraphInUseError)
    for edit in (lambda: pair.remove_node("b"), lambda: pair.remove_edge("a", "b")):
        tasks["a"] = edit
        assert isinstance(executor.execute(tasks, [])["a"].error, GraphInUseError)
    pair.add_node("c")
    tasks["a"] = lambda: 1
    assert executor.execute(tasks | {"c": lambda: 3}, []).succeeded == 3


def test_an_executor_in_its_own_task_is_refused(pair: DAG) -> None:
    """The inner run fails its node; the outer one goes on."""
    executor = IncrementalExecutor(pair, fail_fast=False)
    tasks: Tasks = {"a": lambda: executor.execute({}), "b": lambda: 1}
    result = executor.execute(tasks)
    assert isinstance(result["a"].error, RuntimeError)
    assert "running already" in str(result["a"].error)
    tasks["a"] = lambda: IncrementalExecutor(pair).execute({"b": lambda: 1}).skipped
    assert executor.execute(tasks, [])["a"].result == 1
    assert executor.execute(tasks, []).recomputed == []


def test_a_copy_made_while_the_graph_runs_is_free(pair: DAG) -> None:
    """A snapshot of a running graph can be edited."""
    tasks: Tasks = {"a": pair.snapshot, "b": lambda: 1}
    copied = DAGExecutor(pair).execute(tasks)["a"].result
    copied.add_node("c")
    assert copied.node_count() == 3


# -- shapes that break others -------------------------------------------------------------------


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_a_long_chain_runs_without_recursion(size: int) -> None:
    """First run, cut off at once, and a change that goes all the way."""
    dag = DAG()
    names = dag.add_nodes([str(number) for number in range(size)])
    dag.add_edges(itertools.pairwise(names))
    tasks: Tasks = dict.fromkeys(names, lambda *args: args[0] + 1 if args else start[0])
    start = [0]
    executor = IncrementalExecutor(dag)
    assert executor.execute(tasks)[names[-1]].result == size - 1
    assert executor.execute(tasks, changed_nodes=["0"]).recomputed == ["0"]
    start[0] = 1
    result = executor.execute(tasks, changed_nodes=["0"])
    assert result[names[-1]].result == size
    assert len(result.provenance) == size


def test_a_chain_runs_on_threads_without_recursion() -> None:
    """The same with workers."""
    dag = DAG()
    names = dag.add_nodes([str(number) for number in range(3000)])
    dag.add_edges(itertools.pairwise(names))
    tasks: Tasks = dict.fromkeys(names, lambda *args: args[0] + 1 if args else 0)
    assert DAGExecutor(dag, max_workers=2).execute(tasks)[names[-1]].result == 2999


def test_a_node_with_many_inputs_gets_them_all(workers: int | None) -> None:
    """Fan-in of ten thousand."""
    dag = DAG()
    names = dag.add_nodes([str(number) for number in range(10_000)])
    dag.add_node("sum")
    dag.add_edges([(name, "sum") for name in names])
    tasks: Tasks = dict.fromkeys(names, lambda: 1)
    tasks["sum"] = lambda *args: sum(args)
    executor = IncrementalExecutor(dag, max_workers=workers)
    assert executor.execute(tasks)["sum"].result == 10_000


def test_a_shared_node_runs_once(workers: int | None) -> None:
    """Thirty diamonds in a row have a billion paths; each node still runs once."""
    dag, count = DAG(), 0
    for number in range(30):
        dag.add_nodes([f"{side}{number}" for side in "lrj"])
        dag.add_edges([(f"{side}{number}", f"j{number}") for side in "lr"])
        if number:
            dag.add_edges([(f"j{number - 1}", f"{side}{number}") for side in "lr"])

    def task(*args: int) -> int:
        nonlocal count
        count += 1
        return 1

    IncrementalExecutor(dag, max_workers=workers).execute(dict.fromkeys(dag, task))
    assert count == 90


def test_a_small_run_does_not_look_at_the_rest() -> None:
    """In a graph of 20,000 nodes, a change that reaches three makes three results."""
    size = 20_000
    dag = DAG()
    names = dag.add_nodes([str(number) for number in range(size)])
    dag.add_edges([(names[number], names[number + 1]) for number in range(0, 3 * 4, 4)])
    dag.add_edges([(names[size - 3], names[size - 2]), (names[size - 2], names[size - 1])])
    called: list[str] = []
    tasks: Tasks = {name: lambda *args, name=name: called.append(name) for name in names}
    executor = IncrementalExecutor(dag)
    first = executor.execute(tasks)
    called.clear()
    for number in range(3):
        tasks[names[size - 3 + number]] = lambda *args, n=number: called.append("x") or len(called)
    executor.execute(tasks, changed_nodes=[names[size - 3]])
    assert called == ["x"] * 3
    overlay = first.node_results.overlay  # type: ignore[attr-defined]  # what the run replaced
    assert len(overlay) == 3


# -- threads ------------------------------------------------------------------------------------


def test_a_node_waits_for_its_own_inputs_only() -> None:
    """Two chains that need each other's pace would deadlock if levels were barriers."""
    dag = DAG.builder().add_edges([("fast", "then"), ("slow", "last")]).build()
    done = threading.Event()
    tasks: Tasks = {
        "fast": lambda: 1,
        "then": done.set,
        "slow": lambda: done.wait(10),
        "last": lambda slow: slow,
    }
    assert DAGExecutor(dag, max_workers=2).execute(tasks)["last"].result is True


def test_at_most_max_workers_run_at_once() -> None:
    """Ten ready nodes, three workers."""
    dag = DAG()
    dag.add_nodes([str(number) for number in range(10)])
    running, most, lock = 0, 0, threading.Lock()
    three, places = threading.Barrier(3), iter(range(10))

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if next(places) < 3:
            three.wait(30)
        with lock:
            running -= 1

    DAGExecutor(dag, max_workers=3).execute(dict.fromkeys(dag, task))
    assert most == 3


def test_costly_nodes_go_first() -> None:
    """With one worker the order is by cost to go, then topological."""
    dag = DAG.builder().add_nodes(["a", "b", "c", "d"]).add_edge("c", "d").build()
    order: list[str] = []
    tasks: Tasks = {str(name): lambda name=name: order.append(str(name)) for name in dag}
    DAGExecutor(dag, max_workers=1, costs={"d": 5.0, "b": 3.0}).execute(tasks)
    assert order == ["c", "d", "b", "a"]


def test_one_worker_goes_in_topological_order() -> None:
    """The order for debugging."""
    dag = DAG.builder().add_edges([("c", "a"), ("b", "a")]).build()
    order: list[str] = []
    tasks: Tasks = {str(name): lambda name=name: order.append(str(name)) for name in dag}
    DAGExecutor(dag, max_workers=1).execute(tasks)
    assert order == dag.topological_sort()


def test_a_timeout_returns_whatever_the_tasks_do() -> None:
    """What ran is TIMED_OUT, what had not started CANCELLED; a late result changes nothing."""
    dag = DAG.builder().add_edges([("stuck", "after"), ("quick", "after")]).build()
    release, ended = threading.Event(), threading.Event()
    stuck = lambda: release.wait(30) or ended.set()  # noqa: E731
    tasks: Tasks = {"stuck": stuck, "quick": lambda: 1, "after": lambda: 2}
    result = DAGExecutor(dag, max_workers=2).execute(tasks, timeout=0.5)
    assert not ended.is_set()
    release.set()
    assert {name: each.status.name for name, each in result.node_results.items()} == {
        "stuck": "TIMED_OUT", "quick": "COMPLETED", "after": "CANCELLED"
    }  # fmt: skip
    assert result["stuck"].duration_seconds > 0
    assert result["stuck"].started > 0
    assert "timeout of 0.5 s" in result.stopped


def test_a_timed_out_node_is_retried() -> None:
    """Its late result is not taken for a value, not even by the next run."""
    dag = DAG.builder().add_edge("a", "b").build()
    release = threading.Event()
    executor = IncrementalExecutor(dag)
    tasks: Tasks = {"a": lambda: release.wait(30) and "late", "b": lambda a: a}
    assert executor.execute(tasks, timeout=0.5).timed_out == 1
    release.set()
    tasks["a"] = lambda: "new"
    result = executor.execute(tasks, changed_nodes=[])
    assert (result["b"].result, result.recomputed) == ("new", ["a", "b"])
    assert result["a"].reason == "ran: it timed out last time"


def test_a_cancelled_run_finishes_what_runs() -> None:
    """The rest is CANCELLED, and runs next time."""
    dag = DAG.builder().add_edge("a", "b").build()
    cancel = threading.Event()
    executor = IncrementalExecutor(dag)
    tasks: Tasks = {"a": lambda: cancel.set() or 1, "b": lambda a: a}
    result = executor.execute(tasks, cancel_event=cancel)
    assert [each.status.name for each in result.node_results.values()] == ["COMPLETED", "CANCELLED"]
    assert executor.execute(tasks, changed_nodes=[]).recomputed == ["b"]


def test_a_run_cancelled_before_it_began_runs_nothing() -> None:
    """All nodes are CANCELLED."""
    cancel = threading.Event()
    cancel.set()
    dag = DAG.builder().add_edge("a", "b").build()
    result = DAGExecutor(dag).execute({"a": lambda: 1}, cancel_event=cancel)
    assert (result.cancelled, result.stopped) == (2, "cancelled")


# -- callbacks ----------------------------------------------------------------------------------


def test_callbacks_hear_of_reused_nodes() -> None:
    """Reused, skipped and cancelled nodes are all skipped in the sense of the callback."""
    dag = DAG.builder().add_edge("a", "b").build()
    heard: list[tuple[Any, ...]] = []
    callbacks = ExecutionCallbacks(
        on_node_start=lambda name: heard.append(("start", name)),
        on_node_complete=lambda name, value: heard.append(("done", name, value)),
        on_node_skip=lambda name: heard.append(("skip", name)),
    )
    executor = IncrementalExecutor(dag, callbacks=callbacks)
    tasks: Tasks = {"a": lambda: 1, "b": lambda a: a}
    executor.execute(tasks)
    heard.clear()
    executor.execute(tasks, changed_nodes=["a"])
    assert heard == [("start", "a"), ("done", "a", 1), ("skip", "b")]
