"""The law of resuming: stop after any settle, resume: same values, and nothing runs twice."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb import CheckpointExecutor, ExecutionCallbacks
from tests.laws.pipelines import OPERATIONS, Pipeline, pipelines
from tests.laws.test_expansion import task_of


@pytest.fixture(autouse=True, scope="module")
def no_waiting_for_disks() -> Iterator[None]:
    """Sync nothing: power does not fail here."""
    with patch.object(os, "fsync"):
        yield


def expected(pipeline: Pipeline, name: str) -> object:
    """Compute a node from scratch, by recursion."""
    inputs = [expected(pipeline, each) for each in sorted(pipeline.nodes[name].inputs)]
    return OPERATIONS[pipeline.nodes[name].operation](*inputs)


@given(pipelines(), st.integers(0, 8), st.integers(1, 3), st.booleans())
def test_a_stopped_run_goes_on(pipeline: Pipeline, settles: int, workers: int, anew: bool) -> None:
    """By the same executor or another one: the executed sets are disjoint and cover all."""
    stop_and_go_on(pipeline, settles, workers, anew)


def stop_and_go_on(
    pipeline: Pipeline, settles: int, workers: int, anew: bool, backend: Any = None
) -> None:
    """Stop after some nodes, resume twice, and compare with an evaluation from scratch."""
    tasks = {name: task_of(node.operation) for name, node in pipeline.nodes.items()}
    stop, seen = threading.Event(), 0

    def count(name: str, value: object) -> None:
        nonlocal seen
        seen += 1
        if seen >= settles:
            stop.set()

    with tempfile.TemporaryDirectory() as folder:
        callbacks = ExecutionCallbacks(on_node_complete=count)
        options: Any = {"max_workers": workers, "backend": backend}
        executor = CheckpointExecutor(pipeline.dag, folder, callbacks, **options)
        first = executor.execute(tasks, cancel_event=stop)
        if anew:
            executor = CheckpointExecutor(pipeline.dag, folder, **options)
        second = executor.resume(tasks)
        third = executor.resume(tasks)
    ran = [
        {str(name) for name, each in result.node_results.items() if each.executed}
        for result in (first, second, third)
    ]
    assert (ran[0] & ran[1], ran[0] | ran[1], ran[2]) == (set(), set(pipeline.nodes), set())
    for result in (second, third):
        values = {str(name): repr(each.result) for name, each in result.node_results.items()}
        assert values == {name: repr(expected(pipeline, name)) for name in pipeline.nodes}
