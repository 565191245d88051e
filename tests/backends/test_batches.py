"""Short calls in batches: nobody can tell, except by the clock."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagnb import DAG, DAGExecutor, ExecutionResult, NodeStatus, Task
from dagnb.errors import NotSendableError, WorkerLostError
from dagnb.events import Event, NodePlaced
from dagnb.run.backends import Backends
from dagnb.run.drive import drive_threads
from dagnb.run.engine import Engine
from dagnb.run.records import Memory
from dagnb.run.remote.slot import IDLE
from tests.backends.conformance import Tasks, appears, graph

SIZE = 600


@pytest.fixture(autouse=True, scope="module")
def idle() -> Iterator[None]:
    """Leave no process behind."""
    yield
    IDLE.end()


def nothing() -> int:
    """Return one."""
    return 1


def names(size: int = SIZE) -> list[str]:
    """Return the names of the nodes."""
    return [f"n{number}" for number in range(size)]


def run(tasks: Tasks, **limits: threading.Event) -> ExecutionResult:
    """Run tasks that need nothing, in two processes."""
    dag = DAG()
    dag.add_nodes(tasks)
    executor = DAGExecutor(dag, max_workers=2, fail_fast=False, backend="processes")
    return executor.execute(tasks, **limits)


def touching(folder: Path, name: str) -> Task:
    """Return a task that leaves a file for each time it runs."""

    def touch() -> str:
        number = len(list(folder.glob(f"{name}.*")))
        (folder / f"{name}.{number}").touch()
        return name

    return Task(touch, name=name)


def test_every_task_runs_once(tmp_path: Path) -> None:
    """And gives its own value."""
    result = run({name: touching(tmp_path, name) for name in names()})
    assert {name: each.result for name, each in result.node_results.items()} == {
        name: name for name in names()
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{n}.0" for n in names())


def test_a_long_task_holds_up_none_behind_it(tmp_path: Path) -> None:
    """What waits in its process is taken back, and runs in the other one."""
    late = tmp_path / "late"
    tasks: Tasks = dict.fromkeys(names(), nothing)
    tasks |= {"n300": lambda: appears(late), "n310": late.touch}
    assert run(tasks).succeeded == SIZE


def test_a_crash_is_blamed_on_its_task_alone(tmp_path: Path) -> None:
    """Those before it keep their values, those behind it run elsewhere, each once."""
    tasks: Tasks = {name: touching(tmp_path, name) for name in names()}
    for number in (100, 200, 201, 599):
        tasks[f"n{number}"] = lambda: os._exit(4)
    result = run(tasks)
    failed = [name for name, each in result.node_results.items() if each.error is not None]
    assert failed == ["n100", "n200", "n201", "n599"]
    assert all(isinstance(result[name].error, WorkerLostError) for name in failed)
    ran = sorted(path.name for path in tmp_path.iterdir())
    assert ran == sorted(f"{name}.0" for name in names() if name not in failed)


def test_what_cannot_be_sent_fails_alone() -> None:
    """A lock in a closure, in the middle of a batch."""
    lock = threading.Lock()
    tasks: Tasks = dict.fromkeys(names(), nothing) | {"n300": lambda: lock}
    result = run(tasks)
    assert isinstance(result["n300"].error, NotSendableError)
    assert result.succeeded == SIZE - 1


def test_a_task_with_options_goes_alone() -> None:
    """Its limit counts for it only."""
    tasks: Tasks = dict.fromkeys(names(), nothing)
    tasks["n300"] = Task(nothing, name="n300", timeout=30.0, retries=1)
    assert run(tasks).succeeded == SIZE


def test_of_each_task_is_told_who_performs_it() -> None:
    """Before what came of it, if anybody listens: then none waits behind others."""
    seen: list[Event] = []
    tasks = dict.fromkeys(names(40), nothing)
    memory = Memory(graph(*tasks).adjacency)
    memory.catch_up()
    engine = Engine(tasks, memory, memory.scan(None), (), [seen.append])
    result = drive_threads(engine, ExecutionResult, 2, backends=Backends("processes"))
    placed = {each.name: each.worker for each in seen if isinstance(each, NodePlaced)}
    assert placed == {name: each.worker for name, each in result.node_results.items()}


def test_nothing_begins_after_cancelling(tmp_path: Path) -> None:
    """What was sent and has not begun counts as cancelled, and never runs."""
    cancel, begun, release = threading.Event(), tmp_path / "begun", tmp_path / "release"
    folder = tmp_path / "ran"
    folder.mkdir()

    def hold() -> None:
        begun.touch()
        appears(release)

    def stop() -> None:
        appears(begun)
        cancel.set()
        release.touch()

    tasks: Tasks = dict.fromkeys(names(2000), nothing)
    tasks |= {f"n{number}": touching(folder, f"n{number}") for number in range(1500, 2000)}
    tasks["n300"] = hold
    stopper = threading.Thread(target=stop)
    stopper.start()
    result = run(tasks, cancel_event=cancel)
    stopper.join()
    assert result["n300"].status is NodeStatus.COMPLETED
    ran = {path.name.partition(".")[0] for path in folder.iterdir()}
    assert not any(result[name].status is NodeStatus.CANCELLED for name in ran)
    assert result.succeeded + result.cancelled == 2000
