"""What executors can do, done together: growth, conditions, checkpoints, threads, pipelines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagnb import (
    DAG,
    AsyncDAGExecutor,
    CheckpointExecutor,
    ConditionalDAGBuilder,
    ConditionalExecutor,
    DAGExecutor,
    DynamicExecutor,
    DynamicModification,
    DynamicNodeSpec,
    ExecutionResult,
    IncrementalExecutor,
    Pipeline,
    task,
)

Tasks = dict[str, Callable[..., Any]]


def fail(*inputs: Any) -> None:
    """Raise."""
    raise ValueError


def ran(result: ExecutionResult) -> list[str]:
    """Return the nodes whose tasks were called."""
    return [str(name) for name, each in result.node_results.items() if each.executed]


def finish(result: Any) -> ExecutionResult:
    """Return a result that may be a coroutine's."""
    found = asyncio.run(result) if inspect.isawaitable(result) else result  # type: ignore[arg-type]  # a coroutine, here
    assert isinstance(found, ExecutionResult)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the checkpoint is; not there yet."""
    return tmp_path / "checkpoint"


LINE: Tasks = {"a": lambda: 1, "b": lambda a: a + 1, "c": lambda b: b + 1}


async def slow() -> int:
    """Return one, on a loop if there is one."""
    await asyncio.sleep(0)
    return 1


@pytest.mark.parametrize(
    "executor",
    [
        DAGExecutor,
        AsyncDAGExecutor,
        IncrementalExecutor,
        lambda dag, **options: DynamicExecutor(dag, {}, **options),
        lambda dag, **options: ConditionalExecutor(dag, {}, **options),
        CheckpointExecutor,
    ],
    ids=["plain", "async", "incremental", "dynamic", "conditional", "checkpoint"],
)
@pytest.mark.parametrize("workers", [None, 1, 3])
def test_every_executor_resumes(executor: Any, workers: int | None, folder: Path) -> None:
    """What completed before the failure is loaded, coroutines' values too; the rest runs."""
    dag = DAG.builder().add_edge("a", "b").add_edge("b", "c").build()
    tasks = LINE | {"a": slow}
    options: Any = {} if workers is None else {"max_workers": workers}
    first = executor(dag, checkpoint_dir=folder, **options)
    assert finish(first.execute(tasks | {"c": fail})).failed == 1
    again = executor(dag, checkpoint_dir=folder, **options)
    assert again.checkpoint_info().completed_nodes == ["a", "b"]
    result = finish(again.resume(tasks))
    assert (ran(result), result["c"].result) == (["c"], 3)
    again.clear_checkpoint()
    assert again.checkpoint_info() is None


def branches() -> Any:
    """Return a check with a good and a bad branch that join."""
    return (
        ConditionalDAGBuilder()
        .add_edge("check", "good", condition=lambda check: check > 0)
        .add_edge("check", "bad", condition=lambda check: check <= 0)
        .add_edge("good", "end")
        .add_edge("bad", "end")
        .build()
    )


BRANCHES: Tasks = {
    "check": lambda: 1,
    "good": lambda check: f"good {check}",
    "bad": lambda check: f"bad {check}",
    "end": lambda good, bad: good or bad,
}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_conditions_are_asked_about_what_the_checkpoint_has(
    folder: Path, asynchronous: bool
) -> None:
    """The branch that was taken is loaded, the other is still passed by."""

    def call(method: str, tasks: Tasks) -> ExecutionResult:
        executor = ConditionalExecutor(*branches(), checkpoint_dir=folder, max_workers=2)
        return finish(getattr(executor, method + "_async" * asynchronous)(tasks))

    assert call("execute", BRANCHES | {"end": fail}).failed == 1
    result = call("resume", BRANCHES)
    assert (ran(result), result["end"].result) == (["end"], "good 1")
    assert result["bad"].status.name == "SKIPPED"
    result = call("resume", BRANCHES | {"check": lambda: -1})
    assert (ran(result), result["end"].result) == (["check", "bad", "end"], "bad -1")
    assert result["good"].status.name == "SKIPPED"


@pytest.mark.parametrize("workers", [None, 3])
def test_an_incremental_run_with_conditions_resumes(folder: Path, workers: int | None) -> None:
    """And goes on incrementally from there."""
    dag, conditions = branches()

    def executor() -> IncrementalExecutor:
        return IncrementalExecutor(
            dag, conditions=conditions, checkpoint_dir=folder, max_workers=workers
        )

    assert executor().execute(BRANCHES | {"end": fail}).failed == 1
    second = executor()
    result = second.resume(BRANCHES)
    assert (result.recomputed, result["end"].result) == (["end"], "good 1")
    result = second.execute(BRANCHES | {"check": lambda: 2}, changed_nodes=["check"])
    assert (result.recomputed, result["end"].result) == (["check", "good", "end"], "good 2")
    result = second.execute(BRANCHES | {"check": lambda: 0}, changed_nodes=["check"])
    assert (result.recomputed, result["end"].result) == (["check", "bad", "end"], "bad 0")
    result = executor().resume(BRANCHES | {"check": lambda: 0})
    assert (result.recomputed, result["good"].status.name) == ([], "SKIPPED")


@pytest.mark.parametrize("workers", [1, 4])
def test_a_graph_that_grew_in_threads_resumes(folder: Path, workers: int) -> None:
    """Twenty new nodes, one of which fails: only that one runs again, and what is below."""

    def run(method: str, seventh: Callable[..., Any]) -> ExecutionResult:
        def grow(files: list[int]) -> DynamicModification:
            tasks = [seventh if file == 7 else lambda file=file: file for file in files]
            return DynamicModification(
                [DynamicNodeSpec(f"file {file}", tasks[file], ["find"], ["sum"]) for file in files]
            )

        dag = DAG.builder().add_edge("find", "sum").build()
        executor = DynamicExecutor(
            dag, {"find": grow}, workers, fail_fast=False, checkpoint_dir=folder
        )
        tasks: Tasks = {"find": lambda: list(range(20)), "sum": lambda find, *files: sum(files)}
        return getattr(executor, method)(tasks)  # type: ignore[no-any-return]  # by name

    first, second = run("execute", fail), run("resume", lambda: 7)
    assert (first.failed, first.skipped) == (1, 1)
    assert (ran(second), second["sum"].result) == (["file 7", "sum"], sum(range(20)))


@task
def number() -> int:
    """Return a number."""
    return 3


@task(retries=1)
def doubled(number: int) -> int:
    """Double it."""
    return 2 * number


@task
async def shown(doubled: int) -> str:
    """Show it."""
    await asyncio.sleep(0)
    return f"<{doubled}>"


def test_a_pipeline_is_a_graph_and_tasks_for_any_executor(folder: Path) -> None:
    """It gives the same value with each of them, and with all they can do."""
    pipeline = Pipeline([shown, doubled, number])
    dag, tasks = pipeline.dag, pipeline.tasks
    assert pipeline.execute()["shown"].result == "<6>"
    assert finish(AsyncDAGExecutor(dag).execute(tasks))["shown"].result == "<6>"
    assert IncrementalExecutor(dag, max_workers=2).execute(tasks)["shown"].result == "<6>"
    assert CheckpointExecutor(dag, folder).execute(tasks)["shown"].result == "<6>"
    assert ran(CheckpointExecutor(dag, folder).resume(tasks)) == []
    conditions = {("number", "doubled"): lambda number: number > 3}
    assert ConditionalExecutor(dag, conditions).execute(tasks).skipped == 2
    spec = DynamicNodeSpec("checked", lambda doubled: doubled == 6, ["doubled"])
    grow = {"number": lambda value: DynamicModification([spec])}
    assert DynamicExecutor(dag, grow).execute(tasks)["checked"].result is True
