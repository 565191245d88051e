"""A backend for a whole run, whichever executor runs it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dagnb import (
    DAG,
    AsyncDAGExecutor,
    CheckpointExecutor,
    ConditionalExecutor,
    DAGExecutor,
    DynamicExecutor,
    DynamicModification,
    DynamicNodeSpec,
    ExecutionResult,
    IncrementalExecutor,
    Pipeline,
    Task,
)
from dagnb.run.remote.slot import IDLE

Run = Callable[..., ExecutionResult]


@pytest.fixture(autouse=True, scope="module")
def idle() -> Iterator[None]:
    """Leave no process behind."""
    yield
    IDLE.end()


def pair() -> DAG:
    """From a to b."""
    return DAG.builder().add_edge("a", "b").build()


def on_loop(tasks: dict[str, Any], backend: str) -> ExecutionResult:
    """Run on an event loop."""
    return asyncio.run(AsyncDAGExecutor(pair(), 2, backend=backend).execute(tasks))


def pipeline(tasks: dict[str, Any]) -> Pipeline:
    """Return the same tasks as a pipeline."""
    return Pipeline(
        [each if isinstance(each, Task) else Task(each, name=name) for name, each in tasks.items()]
    )


RUNS: dict[str, Callable[[Path, dict[str, Any], Any], ExecutionResult]] = {
    "plain": lambda folder, tasks, on: DAGExecutor(pair(), 2, backend=on).execute(tasks),
    "loop": lambda folder, tasks, on: on_loop(tasks, on),
    "incremental": lambda folder, tasks, on: IncrementalExecutor(pair(), backend=on).execute(tasks),
    "dynamic": lambda folder, tasks, on: DynamicExecutor(pair(), backend=on).execute(tasks),
    "conditional": lambda folder, tasks, on: ConditionalExecutor(
        pair(), {("a", "b"): bool}, backend=on
    ).execute(tasks),
    "checkpoint": lambda folder, tasks, on: CheckpointExecutor(pair(), folder, backend=on).execute(
        tasks
    ),
    "pipeline": lambda folder, tasks, on: pipeline(tasks).execute(backend=on),
    "pipeline on a loop": lambda folder, tasks, on: asyncio.run(
        pipeline(tasks).execute_async(backend=on)
    ),
}


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Run two tasks on a backend, with each of the executors."""
    return lambda tasks, backend: RUNS[request.param](tmp_path, tasks, backend)


def test_nodes_run_where_the_run_says_and_one_where_it_says_itself(run: Run) -> None:
    """In processes, and one in a thread of this one."""
    tasks = {"a": os.getpid, "b": Task(lambda a: (a, os.getpid()), name="b", backend="threads")}
    there, here = run(tasks, "processes")["b"].result
    assert there != here == os.getpid()


def test_an_unknown_one_is_refused_with_the_nearest(run: Run) -> None:
    """Before anything runs."""
    with pytest.raises(ValueError, match="no backend 'proceses'; did you mean 'processes'"):
        run({"a": os.getpid, "b": lambda a: a}, "proceses")


def test_a_node_of_an_executor_that_runs_here_may_go_elsewhere() -> None:
    """Though the others run one after another on the calling thread."""
    tasks = {"a": Task(os.getpid, name="a", backend="processes"), "b": lambda a: (a, os.getpid())}
    there, here = IncrementalExecutor(pair()).execute(tasks)["b"].result
    assert there != here == os.getpid()


def test_values_from_elsewhere_cut_off_early() -> None:
    """They are compared by what they are, not by where they were made."""
    executor = IncrementalExecutor(pair(), max_workers=2, backend="processes")
    tasks: dict[str, Any] = {"a": lambda: [0.0] * 3, "b": lambda a: (len(a), os.getpid())}
    first = executor.execute(tasks)["b"].result
    tasks["a"] = lambda: [0.0, 0.0, 0.0]
    result = executor.execute(tasks, changed_nodes=["a"])
    assert (result.recomputed, result.early_cutoff, result.reused) == (["a"], ["a"], ["b"])
    assert result["b"].result == first


def test_an_incremental_run_inline_cannot_be_cut_short() -> None:
    """Nobody would watch the clock."""
    executor = IncrementalExecutor(pair(), backend="inline")
    assert executor.execute({"a": lambda: 1, "b": lambda a: a})["b"].worker == ""
    with pytest.raises(ValueError, match="leave timeout and cancel_event out"):
        executor.execute({"a": lambda: 1, "b": lambda a: a}, timeout=1.0)


def test_new_nodes_run_there_too() -> None:
    """What an expander brings forth is like any other node; the expander itself is called here."""
    here: list[int] = []

    def expand(value: object) -> DynamicModification:
        here.append(os.getpid())
        return DynamicModification([DynamicNodeSpec("new", os.getpid, ["a"], ["b"])])

    dag = pair()
    tasks: dict[str, Any] = {"a": lambda: 1, "b": lambda a, new: new}
    result = DynamicExecutor(dag, {"a": expand}, 2, backend="processes").execute(tasks)
    assert here == [os.getpid()]
    assert result["b"].result not in here


def test_a_checkpoint_is_resumed_there(tmp_path: Path) -> None:
    """What failed runs again, with the value that was saved."""
    executor = CheckpointExecutor(pair(), tmp_path, backend="processes")
    executor.execute({"a": lambda: [1], "b": lambda a: 1 / 0})
    result = executor.resume({"a": lambda: [1], "b": lambda a: (a, os.getpid())})
    value, there = result["b"].result
    assert (result["a"].executed, value, there != os.getpid()) == (False, [1], True)
