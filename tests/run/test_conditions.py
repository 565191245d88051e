from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dagnb import (
    ConditionalDAGBuilder,
    ConditionalExecutor,
    Conditions,
    EdgeNotFoundError,
    ExecutionResult,
    IncrementalExecutor,
    NodeNotFoundError,
)

Tasks = dict[str, Callable[..., Any]]


def yes(value: object) -> bool:
    """Hold always."""
    return True


def no(value: object) -> bool:
    """Hold never."""
    return False


def build(*edges: tuple[Any, ...], **joins: str) -> ConditionalExecutor:
    """Return an executor for edges with or without a condition."""
    builder = ConditionalDAGBuilder()
    for name in dict.fromkeys(name for edge in edges for name in edge[:2]):
        builder.add_node(name, join=joins.get(name, "any"))
    for source, target, *condition in edges:
        builder.add_edge(source, target, condition=condition[0] if condition else None)
    return ConditionalExecutor(*builder.build(), fail_fast=False, max_workers=2)


def statuses(result: ExecutionResult) -> dict[str, str]:
    """Return what became of each node."""
    return {str(name): each.status.name for name, each in result.node_results.items()}


def run(executor: ConditionalExecutor, **tasks: Any) -> dict[str, str]:
    """Execute; nodes that are not named return their name."""
    names = list(executor._dag)
    given: Tasks = {str(name): lambda name=name: str(name) for name in names} | tasks
    return statuses(executor.execute(given))


def test_one_of_two_branches_runs() -> None:
    """The other is skipped, and the result says why."""
    executor = build(("check", "good", lambda ok: ok), ("check", "bad", lambda ok: not ok))
    for value, expected in ((True, ("COMPLETED", "SKIPPED")), (False, ("SKIPPED", "COMPLETED"))):
        result = executor.execute({"check": lambda value=value: value, "good": int, "bad": int})
        assert (result["good"].status.name, result["bad"].status.name) == expected
        assert result.succeeded == 2
    assert result["good"].reason == "0 of 1 edges into it are taken"


def test_what_is_below_an_edge_not_taken_is_skipped() -> None:
    """As far as nothing else leads there."""
    executor = build(("a", "b", no), ("b", "c"), ("c", "d"))
    assert run(executor) == {"a": "COMPLETED", "b": "SKIPPED", "c": "SKIPPED", "d": "SKIPPED"}


def test_a_join_runs_if_one_edge_is_taken() -> None:
    """The parameter of the branch that was passed by takes None."""
    executor = build(("a", "b", yes), ("a", "c", no), ("b", "d"), ("c", "d"))
    tasks: Tasks = {"a": int, "b": lambda: "b", "c": lambda: "c", "d": lambda b, c: (b, c)}
    result = executor.execute(tasks)
    assert statuses(result) == {
        "a": "COMPLETED", "b": "COMPLETED", "c": "SKIPPED", "d": "COMPLETED"
    }  # fmt: skip
    assert result["d"].result == ("b", None)


def test_a_join_that_asks_for_all() -> None:
    """It is skipped if one edge is not taken, and runs if all are."""
    edges = [("a", "b", yes), ("a", "c", no), ("b", "d"), ("c", "d")]
    assert run(build(*edges, d="all"))["d"] == "SKIPPED"
    edges[1] = ("a", "c", yes)
    assert run(build(*edges, d="all"))["d"] == "COMPLETED"


def test_a_join_with_a_failed_input_is_skipped() -> None:
    """Though another edge is taken."""
    executor = build(("a", "c", yes), ("b", "c"))
    assert run(executor, b=lambda: 1 / 0)["c"] == "SKIPPED"
    executor = build(("a", "c", yes), ("b", "c", yes))
    assert run(executor, b=lambda: 1 / 0)["c"] == "SKIPPED"


def test_a_failure_above_a_branch_that_was_passed_by_does_not_matter() -> None:
    """What needs neither runs; what is below the failure does not."""
    executor = build(("a", "b", no), ("b", "d"), ("c", "d"), ("x", "y"), ("y", "d"))
    assert run(executor, x=lambda: 1 / 0)["d"] == "SKIPPED"
    assert run(executor)["d"] == "COMPLETED"


def test_a_condition_that_raises_fails_its_node() -> None:
    """With that error; the node above is not to blame."""

    def broken(value: object) -> bool:
        raise ZeroDivisionError("in the condition")

    executor = build(("a", "b", broken), ("b", "c"))
    result = executor.execute({"a": int, "b": int, "c": int})
    assert statuses(result) == {"a": "COMPLETED", "b": "FAILED", "c": "SKIPPED"}
    assert str(result["b"].error) == "in the condition"
    assert result["b"].reason == "the condition of a -> b raised"
    assert not result["b"].executed


def test_a_condition_is_asked_once_and_only_with_a_value() -> None:
    """Not for a node that failed or was passed by."""
    asked: list[object] = []

    def ask(value: object) -> bool:
        asked.append(value)
        return True

    executor = build(("a", "b", ask), ("f", "c", ask), ("a", "n", no), ("n", "m", ask))
    run(executor, f=lambda: 1 / 0)
    assert asked == ["a"]


def test_an_edge_that_is_not_taken_to_a_node_without_a_task() -> None:
    """A node without a task is skipped in any case."""
    executor = build(("a", "b", yes), ("b", "c"))
    result = executor.execute({"a": int, "c": int})
    assert statuses(result) == {"a": "COMPLETED", "b": "SKIPPED", "c": "COMPLETED"}
    assert result["b"].reason == "no task"


def test_a_node_without_a_task_can_be_passed_by() -> None:
    """No edge out of it is taken then, as out of any other that no edge leads to."""
    executor = build(("a", "n", no), ("n", "c"), ("c", "d"))
    result = executor.execute(dict.fromkeys("acd", int))
    assert statuses(result) == {"a": "COMPLETED"} | dict.fromkeys("ncd", "SKIPPED")
    assert result["n"].reason == "0 of 1 edges into it are taken"


def test_conditions_in_fail_fast_runs() -> None:
    """A branch that is passed by is no failure."""
    dag, conditions = (
        ConditionalDAGBuilder()
        .add_edges([("a", "z")])
        .add_edge("a", "b", condition=no)
        .add_edge("a", "c", condition=yes, label="go", weight=2.0)
        .build()
    )
    result = ConditionalExecutor(dag, conditions).execute(dict.fromkeys("abcz", int))
    assert (result.succeeded, result.skipped, result.stopped) == (3, 1, "")
    assert dag.edge_data("a", "c") == (2.0, "go")


def test_a_plain_dict_of_conditions_and_joins() -> None:
    """The builder is not needed."""
    dag = ConditionalDAGBuilder().add_edges([("a", "c"), ("b", "c")]).build()[0]
    tasks = dict.fromkeys("abc", int)
    for joins, expected in ((None, "COMPLETED"), ({"c": "all"}, "SKIPPED")):
        executor = ConditionalExecutor(dag, {("a", "c"): no}, joins=joins, max_workers=1)
        assert executor.execute(tasks)["c"].status.name == expected


def test_coroutines_and_conditions() -> None:
    """On a loop it is the same."""

    async def check() -> bool:
        await asyncio.sleep(0)
        return False

    executor = build(("check", "good", bool), ("check", "bad", lambda ok: not ok))
    result = asyncio.run(executor.execute_async({"check": check, "good": int, "bad": int}))
    assert statuses(result) == {"check": "COMPLETED", "good": "SKIPPED", "bad": "COMPLETED"}


def test_what_makes_no_sense_is_refused() -> None:
    """Conditions of edges that are not there, joins of unknown nodes, and what is neither."""
    dag, _ = ConditionalDAGBuilder().add_nodes(["x"]).add_node("a").add_node("b").build()
    with pytest.raises(EdgeNotFoundError, match="'a' -> 'b'"):
        ConditionalExecutor(dag, {("a", "b"): yes}).execute({})
    with pytest.raises(NodeNotFoundError, match="joins"):
        ConditionalExecutor(dag, {}, joins={"c": "all"}).execute({})
    with pytest.raises(ValueError, match="'any' or 'all', not 'most'"):
        Conditions(joins={"a": "most"})
    with pytest.raises(TypeError, match="'a' -> 'b' is not callable"):
        Conditions({("a", "b"): True})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="timeout"):
        ConditionalExecutor(dag, {}).execute({}, timeout=-1)


@pytest.mark.parametrize("workers", [None, 2])
def test_conditions_hold_in_incremental_runs(workers: int | None) -> None:
    """A branch is chosen anew when the value changes; the same run again executes nothing."""
    dag, conditions = (
        ConditionalDAGBuilder()
        .add_edge("n", "even", condition=lambda n: n % 2 == 0)
        .add_edge("n", "odd", condition=lambda n: n % 2 == 1)
        .add_edge("even", "end")
        .add_edge("odd", "end")
        .build()
    )
    source = [1]
    tasks: Tasks = {
        "n": lambda: source[0],
        "even": lambda n: f"even {n}",
        "odd": lambda n: f"odd {n}",
        "end": lambda even, odd: even or odd,
    }
    executor = IncrementalExecutor(dag, max_workers=workers, conditions=conditions)
    assert executor.execute(tasks)["end"].result == "odd 1"
    assert executor.execute(tasks, changed_nodes=[]).recomputed == []
    source[0] = 3
    assert executor.execute(tasks, changed_nodes=["n"]).recomputed == ["n", "odd", "end"]
    source[0] = 4
    result = executor.execute(tasks, changed_nodes=["n"])
    assert (result["end"].result, result["odd"].status.name) == ("even 4", "SKIPPED")
    assert executor.execute(tasks, changed_nodes=["n"]).recomputed == ["n"]
