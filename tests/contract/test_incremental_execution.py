"""The examples of the documentation on incremental execution, written anew."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dagnb as dagron

Tasks = dict[str, Callable[..., Any]]
ALL = ["source_a", "source_b", "transform", "aggregate", "report"]


@pytest.fixture
def dag() -> dagron.DAG:
    """Two sources into one transformation, then a line of two."""
    return (
        dagron.DAG.builder()
        .add_edge("source_a", "transform")
        .add_edge("source_b", "transform")
        .add_edge("transform", "aggregate")
        .add_edge("aggregate", "report")
        .build()
    )


@pytest.fixture
def constants() -> Tasks:
    """Tasks that take nothing and always return the same."""
    return {
        "source_a": lambda: [1, 2],
        "source_b": lambda: [3],
        "transform": lambda: [1, 2, 3],
        "aggregate": lambda: {"sum": 6},
        "report": lambda: "sum=6",
    }


@pytest.fixture
def tasks() -> Tasks:
    """Tasks that depend on their inputs."""
    return {
        "source_a": lambda: [1, 2],
        "source_b": lambda: [3],
        "transform": lambda source_a, source_b: source_a + source_b,
        "aggregate": lambda transform: {"sum": sum(transform)},
        "report": lambda aggregate: f"sum={aggregate['sum']}",
    }


def test_the_first_run_executes_everything(dag: dagron.DAG, constants: Tasks) -> None:
    """In topological order; nothing is reused or cut off."""
    result = dagron.IncrementalExecutor(dag).execute(constants)
    assert (result.recomputed, result.reused, result.early_cutoff) == (ALL, [], [])


def test_a_changed_source_recomputes_what_is_below(dag: dagron.DAG, tasks: Tasks) -> None:
    """The other source is reused."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(tasks)
    tasks["source_a"] = lambda: [10, 20]
    result = executor.execute(tasks, changed_nodes=["source_a"])
    assert result.recomputed == ["source_a", "transform", "aggregate", "report"]
    assert (result.reused, result.early_cutoff) == (["source_b"], [])
    assert result["report"].result == "sum=33"


def test_a_constant_task_cuts_off(dag: dagron.DAG, constants: Tasks) -> None:
    """A constant below a changed source is recomputed to what it was, and no further."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(constants)
    constants["source_a"] = lambda: [10, 20]
    result = executor.execute(constants, changed_nodes=["source_a"])
    assert result.recomputed == ["source_a", "transform"]
    assert result.early_cutoff == ["transform"]
    assert result.reused == ["source_b", "aggregate", "report"]


def test_an_equal_value_cuts_off(dag: dagron.DAG, constants: Tasks) -> None:
    """The source goes back to what it was two runs ago; what is below comes out the same."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(constants)
    constants["source_a"] = lambda: [10, 20]
    executor.execute(constants, changed_nodes=["source_a"])
    constants["source_a"] = lambda: [1, 2]
    constants["transform"] = lambda: [1, 2, 3]
    result = executor.execute(constants, changed_nodes=["source_a"])
    assert result.recomputed == ["source_a", "transform"]
    assert result.early_cutoff == ["transform"]
    assert result.reused == ["source_b", "aggregate", "report"]


def test_a_changed_node_is_cut_off_itself(dag: dagron.DAG, constants: Tasks) -> None:
    """A node named as changed that returns what it did stops there."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(constants)
    result = executor.execute(constants, changed_nodes=["source_a"])
    assert result.recomputed == result.early_cutoff == ["source_a"]


def test_the_constructor_takes_the_documented_parameters() -> None:
    """In the documented order, with the documented defaults."""
    parameters = list(inspect.signature(dagron.IncrementalExecutor).parameters.values())[:4]
    assert [(each.name, each.default) for each in parameters[1:]] == [
        ("callbacks", None), ("fail_fast", True), ("enable_tracing", False)
    ]  # fmt: skip


def test_the_result_extends_the_common_one(dag: dagron.DAG, tasks: Tasks) -> None:
    """Counts, duration, results by node, and the three lists."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(tasks)
    result = executor.execute(tasks, changed_nodes=["source_a"])
    assert isinstance(result, dagron.ExecutionResult)
    assert result.succeeded == 5
    assert result.total_duration_seconds > 0
    assert {each.status for _, each in result.node_results.items()} == {dagron.NodeStatus.COMPLETED}
    assert [type(each) for each in (result.recomputed, result.early_cutoff, result.reused)] == [
        list, list, list
    ]  # fmt: skip


def test_the_dirty_set(dag: dagron.DAG) -> None:
    """The whole affected set as a list that prints like one of texts."""
    dirty = dag.dirty_set(changed=["source_a"])
    assert str(dirty) == "['source_a', 'transform', 'aggregate', 'report']"


def test_the_provenance_prints(dag: dagron.DAG, capsys: pytest.CaptureFixture[str]) -> None:
    """Each node with its reason."""
    for node, reason in dag.change_provenance(changed=["source_a"]).items():
        print(f"{node}: dirty because of {reason}")
    assert capsys.readouterr().out.splitlines() == [
        "source_a: dirty because of direct change",
        "transform: dirty because of ancestor source_a",
        "aggregate: dirty because of ancestor source_a",
        "report: dirty because of ancestor source_a",
    ]


class Logger:
    """Prints a line for what runs, is done, and is reused."""

    def on_node_start(self, name: str) -> None:
        """A node starts."""
        print("run", name)

    def on_node_complete(self, name: str, result: object) -> None:
        """A node is done."""
        print("done", name)

    def on_node_skip(self, name: str) -> None:
        """A node is reused."""
        print("reuse", name)


def test_reused_nodes_are_announced_at_the_end(
    dag: dagron.DAG, tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same callbacks as everywhere; a reused node is a skipped one."""
    executor = dagron.IncrementalExecutor(dag, callbacks=Logger())
    executor.execute(tasks)
    capsys.readouterr()
    tasks["source_a"] = lambda: [2, 1]
    executor.execute(tasks, changed_nodes=["source_a"])
    assert capsys.readouterr().out.splitlines() == [
        "run source_a", "done source_a", "run transform", "done transform",
        "run aggregate", "done aggregate", "reuse source_b", "reuse report",
    ]  # fmt: skip


def raising() -> None:
    """Fail, as a generator expression that throws does."""
    raise ValueError("bad data")


def test_fail_fast_skips_what_is_below(dag: dagron.DAG, tasks: Tasks) -> None:
    """One failed, two skipped; the other source is reused."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(tasks)
    tasks["source_a"], tasks["transform"] = (lambda: [9]), raising
    result = executor.execute(tasks, changed_nodes=["source_a"])
    assert (result.failed, result.skipped) == (1, 2)
    assert {name: each.status.value for name, each in result.node_results.items()} == {
        "source_a": "completed",
        "source_b": "completed",
        "transform": "failed",
        "aggregate": "skipped",
        "report": "skipped",
    }
    assert result.reused == ["source_b"]


def test_a_failing_task_that_nothing_reaches_does_not_run(
    dag: dagron.DAG, constants: Tasks
) -> None:
    """The source comes out the same, so the broken task below is not called."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(constants)
    constants["transform"] = raising
    assert executor.execute(constants, changed_nodes=["source_a"]).failed == 0
    assert executor.execute(constants, changed_nodes=["transform"]).failed == 1


def test_a_training_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    """New data that leaves the features as they were trains nothing."""
    line = ["load_data", "feature_eng", "train", "evaluate", "report"]
    builder = dagron.DAG.builder()
    for source, target in itertools.pairwise(line):
        builder.add_edge(source, target)
    trained: list[int] = []
    tasks: Tasks = {
        "load_data": lambda: {"rows": 10},
        "feature_eng": lambda: {"features": 5},
        "train": lambda: trained.append(1) or {"accuracy": 0.9},
        "evaluate": lambda: {"f1": 0.8},
        "report": lambda: "90%",
    }
    executor = dagron.IncrementalExecutor(builder.build(), enable_tracing=True)
    first = executor.execute(tasks)
    tasks["load_data"] = lambda: {"rows": 11}
    second = executor.execute(tasks, changed_nodes=["load_data"])
    print(f"{first.total_duration_seconds:.1f}s recomputed={len(first.recomputed)}")
    print(f"{second.total_duration_seconds:.1f}s reused={second.reused}")
    assert [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()] == [
        "recomputed=5", "reused=['train', 'evaluate', 'report']"
    ]  # fmt: skip
    assert len(trained) == 1


def test_the_trace_shows_what_was_recomputed_and_what_reused(dag: dagron.DAG, tasks: Tasks) -> None:
    """One line a node."""
    executor = dagron.IncrementalExecutor(dag, enable_tracing=True)
    executor.execute(tasks)
    result = executor.execute(tasks, changed_nodes=["source_b"])
    assert result.trace
    lines = result.trace.summary().splitlines()[1:]
    assert {line.split()[0]: "reused" in line for line in lines} == {
        name: name != "source_b" for name in ALL
    }


def test_incremental_runs_can_be_checkpointed(
    dag: dagron.DAG, tasks: Tasks, tmp_path: Path
) -> None:
    """Another process goes on after a failure, and knows what it need not run again."""
    first = dagron.IncrementalExecutor(dag, checkpoint_dir=tmp_path / "checkpoint")
    assert first.execute(tasks | {"aggregate": raising}).failed == 1
    second = dagron.IncrementalExecutor(dag, checkpoint_dir=tmp_path / "checkpoint")
    result = second.resume(tasks)
    assert result.recomputed == ["aggregate", "report"]
    assert result["report"].result == "sum=6"
    tasks["source_b"] = lambda: [4]
    assert second.execute(tasks, changed_nodes=["source_b"])["report"].result == "sum=7"


def test_cutoffs_can_be_counted(dag: dagron.DAG, constants: Tasks) -> None:
    """Run by run."""
    executor = dagron.IncrementalExecutor(dag)
    executor.execute(constants)
    counts = [
        len(executor.execute(constants, changed_nodes=changed).early_cutoff)
        for changed in ([], ["source_a"], ["source_a", "source_b"])
    ]
    assert counts == [0, 1, 2]
