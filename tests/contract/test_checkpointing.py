"""The examples of the documentation on checkpointing, written anew."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import dagnb as dagron

Tasks = dict[str, Callable[..., Any]]
STEPS = ["download", "parse", "validate", "transform", "upload"]


@pytest.fixture
def dag() -> dagron.DAG:
    """Five steps in a row."""
    builder = dagron.DAG.builder()
    for step in STEPS:
        builder.add_node(step)
    for source, target in zip(STEPS, STEPS[1:], strict=False):  # noqa: RUF007  # as documented
        builder.add_edge(source, target)
    return builder.build()


def made_anew() -> Tasks:
    """Return a text for each step, by functions that are new each time."""
    return {
        "download": lambda: "raw_data",
        "parse": lambda: "parsed",
        "validate": lambda: "valid",
        "transform": lambda: "transformed",
        "upload": lambda: "uploaded",
    }


@pytest.fixture
def tasks() -> Tasks:
    """A text for each step."""
    return made_anew()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where ``./checkpoints`` may be written."""
    monkeypatch.chdir(tmp_path)


def invalid() -> None:
    """Fail, as a step that is not mended yet."""
    raise ValueError("not valid")


def test_the_constructor_takes_the_documented_parameters() -> None:
    """In the documented order, with the documented defaults."""
    parameters = list(inspect.signature(dagron.CheckpointExecutor).parameters.values())[:5]
    assert [(each.name, each.default) for each in parameters] == [
        ("dag", inspect.Parameter.empty), ("checkpoint_dir", inspect.Parameter.empty),
        ("callbacks", None), ("fail_fast", True), ("enable_tracing", False),
    ]  # fmt: skip


def test_a_run_is_saved(dag: dagron.DAG, tasks: Tasks) -> None:
    """Five steps succeed; the folder is made."""
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    assert executor.execute(tasks).succeeded == 5


def test_both_ways_to_run_take_tasks() -> None:
    """First of all, and all else is optional."""
    for method in (dagron.CheckpointExecutor.execute, dagron.CheckpointExecutor.resume):
        _, tasks, *others = inspect.signature(method).parameters.values()
        assert tasks.name == "tasks"
        assert all(each.default is not each.empty for each in others)


def test_a_run_goes_on_after_a_failure(dag: dagron.DAG) -> None:
    """What had completed is loaded, the rest runs."""
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    executor.execute(made_anew() | {"validate": invalid})
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    result = executor.resume(made_anew())
    assert result.succeeded == 5
    assert [each.result for each in result.node_results.values()] == [
        "raw_data", "parsed", "valid", "transformed", "uploaded"
    ]  # fmt: skip
    assert [step for step in STEPS if result[step].executed] == ["validate", "transform", "upload"]


def test_the_state_of_a_checkpoint(dag: dagron.DAG, tasks: Tasks) -> None:
    """Names of nodes, a count, a time with its zone; None without a checkpoint."""
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    assert executor.checkpoint_info() is None
    executor.execute(tasks | {"validate": invalid})
    info = executor.checkpoint_info()
    assert isinstance(info, dagron.CheckpointInfo)
    assert f"Completed: {len(info.completed_nodes)}/{info.total_nodes}" == "Completed: 2/5"
    assert f"Failed: {info.failed_nodes}" == "Failed: ['validate']"
    assert info.completed_nodes == ["download", "parse"]
    assert info.failed_nodes == ["validate"]
    assert info.checkpoint_dir == "./checkpoints"
    assert datetime.fromisoformat(info.timestamp).utcoffset() is not None


def test_a_checkpoint_is_cleared(dag: dagron.DAG, tasks: Tasks) -> None:
    """Then there is none, and the next run is a fresh one."""
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    executor.execute(tasks)
    executor.clear_checkpoint()
    assert executor.checkpoint_info() is None
    assert os.listdir("checkpoints") == []


def test_the_info_is_a_record() -> None:
    """It can be made by hand, with the documented fields."""
    info = dagron.CheckpointInfo(
        checkpoint_dir="c", completed_nodes=["a"], failed_nodes=[], total_nodes=2, timestamp="now"
    )
    assert (info.completed_nodes, info.total_nodes, info.timestamp) == (["a"], 2, "now")


def test_the_whole_example(tmp_path: Path) -> None:
    """Two fetches joined, four steps more: run, break off, resume, clean up."""
    dag = (
        dagron.DAG.builder()
        .add_node("fetch_users").add_node("fetch_orders").add_node("join").add_node("enrich")
        .add_node("validate").add_node("write_parquet").add_node("upload_s3")
        .add_edge("fetch_users", "join").add_edge("fetch_orders", "join")
        .add_edge("join", "enrich").add_edge("enrich", "validate")
        .add_edge("validate", "write_parquet").add_edge("write_parquet", "upload_s3")
        .build()
    )  # fmt: skip
    tasks = {str(name): lambda name=name: f"{name} done" for name in dag}
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir=str(tmp_path / "pipeline_ckpt"))
    assert executor.execute(tasks | {"enrich": invalid}).failed == 1
    info = executor.checkpoint_info()
    assert info is not None
    assert f"{len(info.completed_nodes)}/{info.total_nodes} complete" == "3/7 complete"
    for result in (executor.resume(tasks), executor.execute(tasks), executor.resume(tasks)):
        assert f"{result.succeeded} nodes succeeded" == "7 nodes succeeded"
    executor.clear_checkpoint()
    assert executor.checkpoint_info() is None


def test_the_layout(dag: dagron.DAG, tasks: Tasks) -> None:
    """One file for each completed node, and one that describes them."""
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    executor.execute(tasks | {"validate": invalid})
    assert sorted(os.listdir("checkpoints")) == ["_meta.json", "download.pkl", "parse.pkl"]


def test_execute_begins_anew(dag: dagron.DAG, tasks: Tasks) -> None:
    """A previous checkpoint is cleared."""
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    executor.execute(tasks)
    executor.execute(tasks | {"parse": invalid})
    info = executor.checkpoint_info()
    assert info is not None
    assert info.completed_nodes == ["download"]


def test_only_own_files_are_cleared(dag: dagron.DAG, tasks: Tasks) -> None:
    """By a new run, and by clearing."""
    Path("checkpoints").mkdir(mode=0o700)
    Path("checkpoints/notes.txt").write_text("mine")
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    executor.execute(tasks)
    executor.execute(tasks)
    executor.clear_checkpoint()
    assert os.listdir("checkpoints") == ["notes.txt"]


def test_a_changed_task_is_not_skipped(dag: dagron.DAG, tasks: Tasks) -> None:
    """It runs, though it completed before."""
    executor = dagron.CheckpointExecutor(dag, checkpoint_dir="./checkpoints")
    executor.execute(tasks)
    result = executor.resume(tasks | {"parse": lambda: "parsed anew"})
    assert (result["parse"].result, result["download"].executed) == ("parsed anew", False)
