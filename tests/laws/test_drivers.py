"""Correct, once and in order: random pipelines under every driver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagnb import AsyncDAGExecutor, DAGExecutor, ExecutionResult, IncrementalExecutor
from tests.laws.pipelines import Pipeline, pipelines

workers = st.integers(1, 5)


class Listener:
    """A callback, so that no worker may run nodes by itself."""

    def on_node_start(self, name: str) -> None:
        """Do nothing."""


def expected(pipeline: Pipeline) -> dict[str, str]:
    """Return what must become of each node if the run goes on after failures."""
    found: dict[str, str] = {}
    for name in pipeline.order():
        node = pipeline.nodes[name]
        if any(found[each] not in ("COMPLETED",) for each in node.inputs):
            found[name] = "SKIPPED"
        else:
            found[name] = "FAILED" if node.fails else "COMPLETED"
    return found


def check(pipeline: Pipeline, result: ExecutionResult) -> None:
    """Compare statuses, values and calls with an evaluation from scratch."""
    outcome = expected(pipeline)
    values = pipeline.values()
    assert {name: each.status.name for name, each in result.node_results.items()} == outcome
    for name, each in result.node_results.items():
        if outcome[name] == "COMPLETED":
            assert repr(each.result) == values[name]
    ran = [name for name, status in outcome.items() if status != "SKIPPED"]
    assert sorted(pipeline.called) == sorted(ran)
    for place, name in enumerate(pipeline.called):
        assert set(pipeline.nodes[name].inputs) <= set(pipeline.called[:place])


def fail_some(pipeline: Pipeline, data: st.DataObject) -> None:
    """Let some nodes fail."""
    for name in data.draw(st.lists(st.sampled_from(list(pipeline.nodes)), max_size=2)):
        pipeline.nodes[name].fails = True


def asynchronous(tasks: dict[str, Callable[..., Any]], some: set[str]) -> dict[str, Any]:
    """Make some of the tasks coroutine functions."""

    def wrapped(task: Callable[..., Any]) -> Callable[..., Any]:
        async def run(*inputs: Any) -> Any:
            await asyncio.sleep(0)
            return task(*inputs)

        return run

    return {name: wrapped(task) if name in some else task for name, task in tasks.items()}


@pytest.mark.parametrize("executor", [DAGExecutor, IncrementalExecutor])
@settings(max_examples=60)
@given(pipeline=pipelines(), workers=workers, data=st.data())
def test_any_number_of_threads(
    executor: Any, pipeline: Pipeline, workers: int, data: st.DataObject
) -> None:
    """Values are those of an evaluation from scratch, and nothing runs twice or too early."""
    fail_some(pipeline, data)
    callbacks = data.draw(st.sampled_from([None, Listener()]))
    runner = executor(pipeline.dag, max_workers=workers, callbacks=callbacks, fail_fast=False)
    check(pipeline, runner.execute(pipeline.tasks))


@settings(max_examples=60)
@given(pipeline=pipelines(), workers=workers, data=st.data())
def test_coroutines_and_threads_on_a_loop(
    pipeline: Pipeline, workers: int, data: st.DataObject
) -> None:
    """The same, whichever tasks are coroutine functions."""
    fail_some(pipeline, data)
    some = set(data.draw(st.lists(st.sampled_from(list(pipeline.nodes)))))
    executor = AsyncDAGExecutor(pipeline.dag, max_workers=workers, fail_fast=False)
    check(pipeline, asyncio.run(executor.execute(asynchronous(pipeline.tasks, some))))
