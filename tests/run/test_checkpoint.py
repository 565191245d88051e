from __future__ import annotations

import errno
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagnb import (
    DAG,
    CheckpointError,
    CheckpointExecutor,
    CheckpointWarning,
    DAGExecutor,
    DynamicExecutor,
    DynamicModification,
    DynamicNodeSpec,
    ExecutionCallbacks,
    ExecutionResult,
    IncrementalExecutor,
    NodeStatus,
)

Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def dag() -> DAG:
    """From a to b to c, and d alone."""
    dag = DAG.builder().add_edge("a", "b").add_edge("b", "c").build()
    dag.add_node("d")
    return dag


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the checkpoint is; not there yet."""
    return tmp_path / "checkpoint"


TASKS: Tasks = {"a": lambda: 1, "b": lambda a: a + 1, "c": lambda b: b + 1, "d": lambda: [4]}


def fail(*inputs: Any) -> None:
    """Raise."""
    raise ValueError


def ran(result: ExecutionResult) -> list[str]:
    """Return the nodes whose tasks were called."""
    return [str(name) for name, each in result.node_results.items() if each.executed]


def values(result: ExecutionResult) -> dict[str, Any]:
    """Return the values by name."""
    return {str(name): each.result for name, each in result.node_results.items()}


def test_resume_runs_what_failed_and_what_is_below(dag: DAG, folder: Path) -> None:
    """The rest is loaded, as another process would."""
    CheckpointExecutor(dag, folder, fail_fast=False).execute(TASKS | {"b": fail})
    result = CheckpointExecutor(dag, folder).resume(TASKS)
    assert ran(result) == ["b", "c"]
    assert values(result) == {"a": 1, "b": 2, "c": 3, "d": [4]}
    assert result.succeeded == 4
    assert result["a"].status is NodeStatus.COMPLETED
    assert result["a"].reason == "from the checkpoint: same code, same inputs"
    assert result["b"].reason == "ran: it failed"
    assert result["c"].reason == "ran: it had not completed"


def test_resume_of_a_complete_run_runs_nothing(dag: DAG, folder: Path) -> None:
    """Again and again."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    for _ in range(2):
        assert ran(executor.resume(TASKS)) == []


def test_resume_with_nothing_there_runs_everything(dag: DAG, folder: Path) -> None:
    """And saves it."""
    executor = CheckpointExecutor(dag, folder)
    assert executor.checkpoint_info() is None
    assert ran(executor.resume(TASKS)) == ["a", "b", "c", "d"]
    assert ran(executor.resume(TASKS)) == []


def test_execute_begins_anew(dag: DAG, folder: Path) -> None:
    """Whatever is there."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    assert ran(executor.execute(TASKS)) == ["a", "b", "c", "d"]


def test_a_changed_task_runs_with_what_its_value_changes(dag: DAG, folder: Path) -> None:
    """The first change of value goes on, an equal value does not."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    result = executor.resume(TASKS | {"a": lambda: 10})
    assert (ran(result), result["c"].result) == (["a", "b", "c"], 12)
    assert result["b"].reason == "ran: input a changed"
    result = executor.resume(TASKS | {"a": lambda: 5 + 5})
    assert ran(result) == ["a"] or ran(result) == []  # a compiler may fold the sum
    assert result["c"].result == 12


def test_what_a_task_reads_counts_as_its_code(dag: DAG, folder: Path) -> None:
    """A value from around it."""
    executor = CheckpointExecutor(dag, folder)

    def with_limit(limit: int) -> Tasks:
        return TASKS | {"b": lambda a: a + limit}

    executor.execute(with_limit(1))
    assert ran(executor.resume(with_limit(1))) == []
    assert ran(executor.resume(with_limit(2))) == ["b", "c"]


def test_what_a_task_changes_itself_is_no_input_of_it(dag: DAG, folder: Path) -> None:
    """A list of calls, a counter, an object that counts."""

    class Counting:
        def __init__(self) -> None:
            self.count = 0

        def __call__(self) -> int:
            self.count += 1
            return 4

        def method(self, a: int) -> int:
            self.count += 1
            return a

    calls: list[str] = []
    count = 0

    def a() -> int:
        calls.append("a")
        return 1

    def c(b: int) -> int:
        nonlocal count
        count += 1
        return b

    counting = Counting()
    tasks: Tasks = {"a": a, "b": counting.method, "c": c, "d": counting}
    executor = CheckpointExecutor(dag, folder, max_workers=1)
    executor.execute(tasks)
    assert ran(executor.resume(tasks)) == []


def test_a_changed_graph_runs_what_it_must(dag: DAG, folder: Path) -> None:
    """A new edge, a new node; nothing else."""
    executor = CheckpointExecutor(dag, folder)
    tasks = TASKS | {"c": lambda *inputs: inputs}
    executor.execute(tasks)
    dag.add_edge("d", "c")
    dag.add_node("e")
    result = executor.resume(tasks | {"e": lambda: 5})
    assert ran(result) == ["c", "e"]
    assert result["c"].reason == "ran: its edges changed"


def test_a_removed_node_is_forgotten_with_the_next_run(dag: DAG, folder: Path) -> None:
    """And does not disturb before."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    dag.remove_node("d")
    assert ran(executor.resume({n: TASKS[n] for n in "abc"})) == []


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_damaged_file_is_reported_and_all_below_runs(dag: DAG, folder: Path, name: str) -> None:
    """Even though the value comes out the same."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    path = folder / f"{name}.pkl"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.warns(CheckpointWarning, match=f"node '{name}'.*runs again, and all below"):
        result = executor.resume(TASKS)
    assert ran(result) == ["a", "b", "c"]["ab".index(name) :]
    assert "not what was written there" in result[name].reason
    assert result["c"].reason == "ran: the checkpoint of b is damaged"
    assert ran(executor.resume(TASKS)) == []


def test_a_tampered_description_makes_everything_run(dag: DAG, folder: Path) -> None:
    """It vouches for nothing any more."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    path = folder / "_meta.json"
    path.write_text(path.read_text().replace('"seconds":', '"seconds":1'))
    with pytest.warns(CheckpointWarning):
        assert executor.checkpoint_info() is None
    with pytest.warns(CheckpointWarning):
        assert ran(executor.resume(TASKS)) == ["a", "b", "c", "d"]
    assert ran(executor.resume(TASKS)) == []


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_planted_pickle_is_never_loaded(dag: DAG, folder: Path, tmp_path: Path) -> None:
    """In place of a value, and in a folder that dagnb never wrote."""
    trap = tmp_path / "sprung"
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    (folder / "a.pkl").write_bytes(pickle.dumps(Bomb(trap)))
    with pytest.warns(CheckpointWarning):
        executor.resume(TASKS)
    other = tmp_path / "other"
    other.mkdir()
    for name in "abcd":
        (other / f"{name}.pkl").write_bytes(pickle.dumps(Bomb(trap)))
    with pytest.warns(CheckpointWarning, match="set-aside"):
        result = CheckpointExecutor(dag, other).resume(TASKS)
    assert ran(result) == ["a", "b", "c", "d"]
    assert not trap.exists()


def test_a_value_that_does_not_pickle_stops_nothing(dag: DAG, folder: Path) -> None:
    """It is listed, and its node runs again; what is below needs not."""
    executor = CheckpointExecutor(dag, folder)
    tasks = TASKS | {"a": lambda: lambda: 1, "b": lambda a: a()}
    result = executor.execute(tasks)
    assert result.succeeded == 4
    assert "its value is not saved (" in result["a"].reason
    info = executor.checkpoint_info()
    assert info is not None
    assert (info.completed_nodes.count("a"), info.unsaved_nodes) == (1, ["a"])
    result = executor.resume(tasks)
    assert ran(result) == ["a"]
    assert result["a"].reason.startswith("ran: its value was not saved (")


def test_a_value_without_a_digest_is_known_by_its_pickle(dag: DAG, folder: Path) -> None:
    """An exhausted iterator has no digest, but a file."""
    executor = CheckpointExecutor(dag, folder)
    tasks = TASKS | {"a": lambda: iter([1, 2]), "b": lambda a: 2}
    executor.execute(tasks)
    assert ran(executor.resume(tasks)) == []


def test_a_task_that_does_not_bind_has_failed(dag: DAG, folder: Path) -> None:
    """It is listed among the failures, as one that raised."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS | {"a": lambda unknown: 0})
    info = executor.checkpoint_info()
    assert info is not None
    assert info.failed_nodes == ["a"]


def test_a_timed_out_run_goes_on(dag: DAG, folder: Path) -> None:
    """What ran out of time failed, what had not started is just missing."""
    forever = threading.Event()
    executor = CheckpointExecutor(dag, folder, max_workers=2)
    executor.execute(TASKS | {"b": lambda a: forever.wait(5)}, timeout=1.0)
    forever.set()
    info = executor.checkpoint_info()
    assert info is not None
    assert (sorted(info.completed_nodes), info.failed_nodes) == (["a", "d"], ["b"])
    assert ran(executor.resume(TASKS)) == ["b", "c"]


def test_loaded_nodes_are_skipped_for_callbacks(dag: DAG, folder: Path) -> None:
    """Once each."""
    CheckpointExecutor(dag, folder).execute(TASKS | {"c": fail})
    heard: list[str] = []
    callbacks = ExecutionCallbacks(
        on_node_start=lambda name: heard.append(f"start {name}"),
        on_node_complete=lambda name, value: heard.append(f"complete {name}"),
        on_node_skip=lambda name: heard.append(f"skip {name}"),
    )
    CheckpointExecutor(dag, folder, callbacks, max_workers=1).resume(TASKS)
    assert sorted(heard) == ["complete c", "skip a", "skip b", "skip d", "start c"] or sorted(
        heard
    ) == ["complete c", "complete d", "skip a", "skip b", "start c", "start d"]


def test_other_files_are_left_alone(dag: DAG, folder: Path) -> None:
    """By runs and by clearing."""
    folder.mkdir(mode=0o700)
    (folder / "notes.txt").write_text("mine")
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS)
    executor.execute(TASKS)
    executor.clear_checkpoint()
    assert os.listdir(folder) == ["notes.txt"]
    assert executor.checkpoint_info() is None
    executor.clear_checkpoint()


@pytest.mark.skipif(os.name != "posix", reason="folders can be locked on POSIX")
@pytest.mark.parametrize("method", ["execute", "resume", "clear_checkpoint"])
def test_a_folder_that_another_run_writes_to_is_refused(
    dag: DAG, folder: Path, method: str
) -> None:
    """Before anything is touched; how far the other one is can be asked."""
    refused: list[CheckpointError] = []

    def meanwhile(b: int) -> int:
        other = CheckpointExecutor(dag.snapshot(), folder)
        with pytest.raises(CheckpointError, match="another run writes to") as caught:
            getattr(other, method)(*[TASKS][: method != "clear_checkpoint"])
        info = other.checkpoint_info()
        assert info is not None
        assert {"a", "b"} <= set(info.completed_nodes)
        refused.append(caught.value)
        return b + 1

    executor = CheckpointExecutor(dag, folder)
    assert executor.execute(TASKS | {"c": meanwhile}).succeeded == 4
    assert len(refused) == 1
    assert ran(CheckpointExecutor(dag, folder).resume(TASKS | {"c": meanwhile})) == []


@pytest.mark.parametrize("method", ["execute", "resume"])
def test_a_folder_that_is_a_file_is_refused(dag: DAG, folder: Path, method: str) -> None:
    """Before anything runs."""
    folder.write_text("mine")
    with pytest.raises(CheckpointError, match="is a file"):
        getattr(CheckpointExecutor(dag, folder), method)(TASKS)
    assert folder.read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_folder_that_anybody_can_write_to_is_refused(dag: DAG, folder: Path) -> None:
    """With the command that mends it."""
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(CheckpointError, match="chmod o-w"):
        CheckpointExecutor(dag, folder).execute(TASKS)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to(
    dag: DAG, folder: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there can be used, with a warning; a new run is refused before it begins."""
    executor = CheckpointExecutor(dag, folder)
    executor.execute(TASKS | {"c": fail})

    def refuse(*arguments: Any) -> Any:
        raise OSError(number, "not written")

    monkeypatch.setattr("dagnb.values.durable.write_temporary", refuse)
    with pytest.warns(CheckpointWarning, match="nothing is saved"):
        result = executor.resume(TASKS)
    assert {"a", "b"}.isdisjoint(ran(result))
    assert result.succeeded == 4
    with pytest.raises(CheckpointError, match="not written"):
        CheckpointExecutor(dag, folder.with_name("new")).execute(TASKS)


def test_a_wrong_folder_is_a_type_error(dag: DAG) -> None:
    """And no folder to resume from says so."""
    wrong: Any
    for wrong in (3, "", None):
        with pytest.raises(TypeError, match="checkpoint_dir is a path"):
            CheckpointExecutor(dag, wrong)
    with pytest.raises(CheckpointError, match="checkpoint_dir="):
        DAGExecutor(dag).resume(TASKS)


@pytest.mark.parametrize("workers", [1, 3])
def test_an_expansion_is_made_again_from_the_stored_value(folder: Path, workers: int) -> None:
    """Without running the expander's node, nor the new nodes that had completed."""

    def run(method: str, report: Callable[..., Any]) -> ExecutionResult:
        dag = DAG.builder().add_edge("discover", "report").build()

        def per_file(files: list[str]) -> DynamicModification:
            return DynamicModification(
                [
                    DynamicNodeSpec(f"size of {file}", lambda file=file: len(file),
                                    ["discover"], ["report"])
                    for file in files
                ]
            )  # fmt: skip

        executor = DynamicExecutor(dag, {"discover": per_file}, workers, checkpoint_dir=folder)
        tasks: Tasks = {"discover": lambda: ["a.csv", "bc.csv"], "report": report}
        return getattr(executor, method)(tasks)  # type: ignore[no-any-return]  # by name

    assert run("execute", fail).failed == 1
    result = run("resume", lambda discover, *sizes: sum(sizes))
    assert ran(result) == ["report"]
    assert result["report"].result == 11


def test_an_expander_that_failed_is_asked_again(dag: DAG, folder: Path) -> None:
    """Its node counts as failed, and runs again."""
    DynamicExecutor(dag, {"a": lambda value: 1 / 0}, checkpoint_dir=folder).execute(TASKS)
    executor = DynamicExecutor(dag, {"a": lambda value: None}, checkpoint_dir=folder)
    info = executor.checkpoint_info()
    assert info is not None
    assert info.failed_nodes == ["a"]
    assert ran(executor.resume(TASKS))[0] == "a"


@pytest.mark.parametrize("workers", [None, 2])
def test_an_incremental_run_takes_over_a_checkpoint(
    dag: DAG, folder: Path, workers: int | None
) -> None:
    """Then it goes on from there: a change runs what it reaches, and is saved."""
    first = IncrementalExecutor(dag, max_workers=workers, checkpoint_dir=folder)
    first.execute(TASKS)
    first.execute(TASKS | {"a": lambda: 10}, changed_nodes=["a"])
    second = IncrementalExecutor(dag, max_workers=workers, checkpoint_dir=folder)
    result = second.resume(TASKS | {"a": lambda: 10})
    assert (result.recomputed, result.reused) == ([], ["a", "b", "c", "d"])
    assert values(result) == {"a": 10, "b": 11, "c": 12, "d": [4]}
    result = second.execute(TASKS | {"a": lambda: 10}, changed_nodes=["a"])
    assert (result.recomputed, result.early_cutoff) == (["a"], ["a"])
    result = second.execute(TASKS | {"a": lambda: 20}, changed_nodes=["a"])
    assert result.recomputed == ["a", "b", "c"]
    third = IncrementalExecutor(dag, checkpoint_dir=folder)
    assert third.resume(TASKS | {"a": lambda: 20})["c"].result == 22


def test_an_incremental_run_of_everything_begins_anew(dag: DAG, folder: Path) -> None:
    """As execute does elsewhere."""
    IncrementalExecutor(dag, checkpoint_dir=folder).execute(TASKS)
    executor = IncrementalExecutor(dag, checkpoint_dir=folder)
    assert executor.execute(TASKS | {"a": fail}).failed == 1
    info = executor.checkpoint_info()
    assert info is not None
    assert (info.completed_nodes, info.failed_nodes) == ([], ["a"])


def test_a_plain_executor_can_resume_too(dag: DAG, folder: Path) -> None:
    """With a folder, every executor of whole graphs can."""
    DAGExecutor(dag, checkpoint_dir=folder).execute(TASKS | {"c": fail})
    assert "c" in ran(DAGExecutor(dag, checkpoint_dir=folder).resume(TASKS))
    assert ran(DAGExecutor(dag, checkpoint_dir=folder).resume(TASKS)) == []
