"""Correct under conditions: what runs, is passed by or blocked is what a simple model says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb import ConditionalExecutor, Conditions, ExecutionResult, IncrementalExecutor, NodeStatus
from tests.laws.pipelines import Failure, Pipeline, pipelines

Condition = Callable[[Any], Any]


def truthy(value: object) -> bool:
    """Hold for what is true."""
    return bool(value)


def falsy(value: object) -> bool:
    """Hold for what is not."""
    return not value


def touchy(value: object) -> bool:
    """Raise for some values."""
    if isinstance(value, float):
        raise Failure
    return True


@st.composite
def guarded(draw: st.DrawFn) -> tuple[Pipeline, Conditions]:
    """Draw a pipeline with conditions on some edges, and nodes that ask for all of theirs."""
    pipeline = draw(pipelines())
    kinds = st.sampled_from([None, None, truthy, falsy, touchy])
    edges = [(above, name) for name, node in pipeline.nodes.items() for above in node.inputs]
    drawn = {edge: draw(kinds) for edge in edges}
    joins = {name: "all" for name in pipeline.nodes if draw(st.integers(0, 3)) == 0}
    for name in draw(st.lists(st.sampled_from(list(pipeline.nodes)), max_size=1)):
        pipeline.nodes[name].fails = True
    return pipeline, Conditions({edge: each for edge, each in drawn.items() if each}, joins)


def expected(pipeline: Pipeline, conditions: Conditions) -> dict[str, tuple[str, str]]:
    """Return the fate of each node, with its value if it has one."""
    fates: dict[str, tuple[str, Any]] = {}
    for name in pipeline.order():
        fates[name] = fate(pipeline, conditions, name, fates)
    shown = {"passed by": "SKIPPED", "blocked": "SKIPPED"}
    return {name: (shown.get(kind, kind), repr(value)) for name, (kind, value) in fates.items()}


def fate(
    pipeline: Pipeline,
    conditions: Conditions,
    name: str,
    fates: Mapping[str, tuple[str, Any]],
) -> tuple[str, Any]:
    """Say what becomes of one node, given what became of its inputs."""
    node = pipeline.nodes[name]
    if any(fates[above][0] in {"FAILED", "blocked"} for above in node.inputs):
        return "blocked", None
    try:
        taken = [is_taken(conditions.get((above, name)), fates[above]) for above in node.inputs]
        if not all(taken) and (conditions.joins.get(name) == "all" or not any(taken)):
            return "passed by", None
        return "COMPLETED", node.compute(*(fates[above][1] for above in node.inputs))
    except Failure:
        return "FAILED", None


def is_taken(condition: Condition | None, above: tuple[str, Any]) -> bool:
    """Whether an edge is taken."""
    return above[0] == "COMPLETED" and (condition is None or condition(above[1]))


def seen(result: ExecutionResult) -> dict[str, tuple[str, str]]:
    """Return the status of each node, with its value."""
    return {
        str(name): (each.status.name, repr(each.result))
        for name, each in result.node_results.items()
    }


@given(guarded(), st.integers(1, 5), st.booleans())
def test_conditions_decide_what_runs(
    drawn: tuple[Pipeline, Conditions], workers: int, asynchronous: bool
) -> None:
    """With any number of threads, and on a loop; nothing runs twice."""
    pipeline, conditions = drawn
    executor = ConditionalExecutor(pipeline.dag, conditions, max_workers=workers, fail_fast=False)
    if asynchronous:
        result = asyncio.run(executor.execute_async(pipeline.tasks))
    else:
        result = executor.execute(pipeline.tasks)
    assert seen(result) == expected(pipeline, conditions)
    ran = [name for name, each in result.node_results.items() if each.executed]
    assert sorted(pipeline.called) == sorted(ran)


@pytest.mark.parametrize("threads", [False, True])
@given(guarded(), st.data())
def test_conditions_hold_from_run_to_run(
    threads: bool, drawn: tuple[Pipeline, Conditions], data: st.DataObject
) -> None:
    """Branches open and close as values change; the same run again executes only what failed."""
    pipeline, conditions = drawn
    options: Any = {"max_workers": data.draw(st.integers(1, 5))} if threads else {}
    executor = IncrementalExecutor(pipeline.dag, conditions=conditions, fail_fast=False, **options)
    changed: list[str] | None = None
    for _ in range(4):
        result = executor.execute(pipeline.tasks, changed)
        assert seen(result) == expected(pipeline, conditions)
        pipeline.called.clear()
        again = executor.execute(pipeline.tasks, [])
        assert seen(again) == seen(result)
        assert {again[name].status for name in pipeline.called} <= {NodeStatus.FAILED}
        changed = data.draw(st.lists(st.sampled_from(list(pipeline.nodes)), unique=True))
        for name in changed:
            node = pipeline.nodes[name]
            node.constant = data.draw(st.integers(0, 4))
            node.fails = data.draw(st.integers(0, 4)) == 0
