from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from dagnb import DAG, IncrementalExecutor, IncrementalResult, NodeStatus

Tasks = dict[str, Callable[..., Any]]


def chain(*names: str) -> DAG:
    """Return a graph in which each node feeds the next."""
    dag = DAG()
    dag.add_nodes(names)
    dag.add_edges(itertools.pairwise(names))
    return dag


def constants(values: dict[str, object]) -> Tasks:
    """Return tasks that return these values."""
    return {name: lambda value=value: value for name, value in values.items()}


def values(result: IncrementalResult) -> dict[str, object]:
    """Return the value of each node."""
    return {str(name): each.result for name, each in result.node_results.items()}


def test_results_held_at_once_stay_what_they_were() -> None:
    """A later run changes nothing about the result of an earlier one."""
    dag = chain("a", "b")
    tasks: Tasks = {"a": lambda: 0, "b": lambda a: a * 10}
    executor = IncrementalExecutor(dag)
    held = []
    for number in range(5):
        tasks["a"] = lambda number=number: number
        held.append(executor.execute(tasks, changed_nodes=["a"] if number else None))
    assert [values(result) for result in held] == [{"a": n, "b": 10 * n} for n in range(5)]
    assert [result.recomputed for result in held] == [["a", "b"]] * 5


def test_a_result_dropped_in_between_loses_nothing() -> None:
    """Only some of the results are held; those are whole."""
    dag = chain("a", "b")
    tasks: Tasks = {"a": lambda: 0, "b": lambda a: a * 10}
    executor = IncrementalExecutor(dag)
    held = {}
    for number in range(6):
        tasks["a"] = lambda number=number: number
        result = executor.execute(tasks, changed_nodes=["a"] if number else None)
        if number % 2:
            held[number] = result
        del result
        gc.collect()
    assert {n: values(result)["b"] for n, result in held.items()} == {1: 10, 3: 30, 5: 50}


def test_nobody_holds_an_old_value_that_nobody_asked_for() -> None:
    """A value that was replaced is free once its result is."""

    class Big:
        pass

    dag = chain("a")
    executor = IncrementalExecutor(dag)
    first = executor.execute({"a": Big})
    seen = weakref.ref(first["a"].result)
    second = executor.execute({"a": Big})
    assert seen() is not None
    del first
    gc.collect()
    assert seen() is None
    assert second["a"].result is not None


def test_a_result_survives_the_removal_of_its_nodes() -> None:
    """Names, values and reasons are those of the run, also after edits."""
    dag = chain("a", "b", "c")
    executor = IncrementalExecutor(dag)
    result = executor.execute(constants({"a": 1, "b": 2, "c": 3}))
    dag.remove_node("b")
    dag.add_node("b")
    dag.add_node("z")
    later = executor.execute(constants({"a": 1, "b": 9, "c": 3, "z": 8}), changed_nodes=[])
    assert values(result) == {"a": 1, "b": 2, "c": 3}
    assert list(result.node_results) == ["a", "b", "c"]
    assert len(result.node_results) == 3
    assert "z" not in result
    assert result["b"].result == 2
    assert later["b"].result == 9


def test_results_survive_a_compaction() -> None:
    """When many nodes are removed the others get new numbers; old results do not mind."""
    dag = chain("a", "b", "c")
    dag.add_nodes([f"n{number}" for number in range(2000)])
    tasks = constants({str(name): str(name) for name in dag})
    executor = IncrementalExecutor(dag)
    first = executor.execute(tasks)
    generation = dag.adjacency.generation
    for number in range(2000):
        dag.remove_node(f"n{number}")
        del tasks[f"n{number}"]
    assert dag.adjacency.generation > generation
    tasks["a"] = lambda: "new"
    second = executor.execute(tasks, changed_nodes=["a"])
    tasks["a"] = lambda: "newer"
    third = executor.execute(tasks, changed_nodes=["a"])
    assert len(first.node_results) == 2003
    assert first["a"].result == "a"
    assert first["n1999"].result == "n1999"
    assert values(second) == {"a": "new", "b": "b", "c": "c"}
    assert second.recomputed == ["a", "b"]
    assert third["a"].result == "newer"


def test_a_compaction_hides_no_edit() -> None:
    """What was edited just before nodes got new numbers runs again, and nothing else does."""
    dag = DAG()
    dag.add_nodes(["x", "y", *(f"n{number}" for number in range(3000)), "sum", "apart"])
    dag.add_edges([("x", "sum"), ("n0", "sum")])
    tasks: Tasks = dict.fromkeys(dag, lambda *args: len(args))
    executor = IncrementalExecutor(dag)
    executor.execute(tasks)
    dag.add_edge("y", "apart")
    dag.remove_nodes([f"n{number}" for number in range(3000)])
    tasks = {str(name): tasks[name] for name in dag}
    result = executor.execute(tasks, changed_nodes=[])
    assert result.recomputed == ["sum", "apart"]
    assert values(result) == {"x": 0, "y": 0, "sum": 1, "apart": 1}


def test_a_node_added_again_has_no_past() -> None:
    """A name that comes back is a new node, with a compaction in between or not."""
    dag = chain("a", "b")
    executor = IncrementalExecutor(dag)
    executor.execute(constants({"a": 1, "b": 2}))
    for compact in (False, True):
        dag.remove_node("b")
        dag.add_node("b")
        if compact:
            dag.adjacency.compact()
        assert executor.execute(constants({"a": 1, "b": 2}), changed_nodes=[]).recomputed == ["b"]


def test_a_node_that_failed_earlier_is_still_in_the_result() -> None:
    """It is retried, so the result of every run tells of it."""
    dag = chain("a", "b")
    dag.add_node("c")
    tasks: Tasks = {"a": lambda: 1 / 0, "b": lambda: 2, "c": lambda: 3}
    executor = IncrementalExecutor(dag, fail_fast=False)
    executor.execute(tasks)
    result = executor.execute(tasks, changed_nodes=["c"])
    assert list(result.node_results) == ["a", "b", "c"]
    assert result["a"].status is NodeStatus.FAILED
    assert result["b"].status is NodeStatus.SKIPPED


def test_a_chain_of_many_held_results_ends_without_recursion() -> None:
    """Dropping the first of 20,000 results frees the rest one after another."""
    dag = chain("a")
    executor = IncrementalExecutor(dag)
    task = {"a": lambda: 1}
    first = executor.execute(task)
    for _ in range(20_000):
        executor.execute(task, changed_nodes=["a"])
    assert first["a"].result == 1
    del first


def test_a_result_is_a_mapping() -> None:
    """``in``, ``len``, iteration and items agree; an unknown name is a ``KeyError``."""
    result = IncrementalExecutor(chain("a", "b")).execute(constants({"a": 1, "b": 2}))
    names = result.node_results
    assert ("a" in names, "z" in names, len(names), list(names)) == (True, False, 2, ["a", "b"])
    assert [each.name for each in names.values()] == [name for name, _ in names.items()]
    assert names.get("z") is None


@pytest.mark.parametrize("compact", [False, True], ids=["edited", "compacted"])
def test_a_frontier_serves_the_graph_it_was_made_for(compact: bool) -> None:
    """What one run leaves to the next is of no use after an edit, or when numbers change."""
    dag = chain("a", "b", "c")
    tasks: Tasks = {"a": lambda: 1, "b": lambda **one: 2, "c": lambda **one: 3}
    executor = IncrementalExecutor(dag)
    executor.execute(tasks)
    executor.execute(tasks, changed_nodes=["c"])
    dag.remove_node("a")
    del tasks["a"]
    if compact:
        dag.adjacency.compact()
    executor.execute(tasks, changed_nodes=[])
    assert executor.execute(tasks, changed_nodes=["c"]).recomputed == ["c"]
    dag.add_node("d")
    tasks["d"] = lambda: 4
    assert executor.execute(tasks, changed_nodes=["d"]).recomputed == ["d"]
