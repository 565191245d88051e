"""Ctrl-C at every line of the engine: the next run is right, whatever was cut short."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import dagnb.run.engine
from dagnb import (
    DAG,
    CheckpointExecutor,
    DynamicExecutor,
    DynamicModification,
    DynamicNodeSpec,
    ExecutionCallbacks,
    IncrementalExecutor,
    IncrementalResult,
    Interrupted,
    NodeStatus,
)

Tasks = dict[str, Callable[..., Any]]
FOLDER = str(Path(dagnb.run.engine.__file__).parent)


@contextmanager
def interrupt_at(line: int, *, folder: str = FOLDER) -> Iterator[list[int]]:
    """Raise ``KeyboardInterrupt`` before the n-th line that runs in ``dagnb/run``."""
    seen = [0]

    def trace(frame: FrameType, kind: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(folder):
            return None
        if kind == "line":
            seen[0] += 1
            if seen[0] == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)


class Pipeline:
    """A graph of five nodes whose source can change, and what its values must be."""

    def __init__(self, **options: Any) -> None:
        edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")]
        self.dag = DAG.builder().add_edges(edges).build()
        self.source = 0
        self.tasks: Tasks = {
            "a": lambda: self.source,
            "b": lambda a: a % 2,
            "c": lambda *, a: [a],
            "d": lambda *inputs: inputs,
            "e": lambda d: f"{d}",
        }
        self.executor = IncrementalExecutor(self.dag, **options)

    def run(self, changed: list[str] | None) -> IncrementalResult:
        """Execute."""
        return self.executor.execute(self.tasks, changed_nodes=changed)

    def check(self, result: IncrementalResult) -> None:
        """Compare all values with those of a computation from scratch."""
        values = {str(name): each.result for name, each in result.node_results.items()}
        a = self.source
        d = (a % 2, [a])
        assert values == {"a": a, "b": a % 2, "c": [a], "d": d, "e": f"{d}"}
        assert result.succeeded == 5


def lines_of(pipeline: Pipeline, changed: list[str] | None) -> int:
    """Count the lines that a run takes."""
    with interrupt_at(0) as seen:
        pipeline.run(changed)
    return seen[0]


class Listener:
    """Callbacks that make the run go the general way."""

    def on_node_start(self, name: str) -> None:
        """Do nothing."""


@pytest.mark.parametrize("options", [{}, {"callbacks": Listener()}], ids=["sprint", "general"])
@pytest.mark.parametrize("changed", [None, ["a"]], ids=["all", "changed"])
def test_an_interrupt_at_any_line_loses_nothing(
    options: dict[str, Any], changed: list[str] | None
) -> None:
    """After it, running what is stale gives the values of a run from scratch."""
    pipeline = Pipeline(**options)
    pipeline.run(None)
    pipeline.source = 1
    lines = lines_of(pipeline, changed)
    assert lines > 50
    for line in range(1, lines + 1):
        pipeline.source += 1 if line % 2 else 2
        with interrupt_at(line), pytest.raises(KeyboardInterrupt):
            pipeline.run(changed)
        if "a" not in pipeline.run([]).recomputed:
            pipeline.run(["a"])  # it had not begun, or was over: nothing may be broken either way
        pipeline.check(pipeline.run([]))
        assert pipeline.run([]).recomputed == []
        pipeline.dag.add_node("x")  # and the graph is free
        pipeline.dag.remove_node("x")


@pytest.mark.parametrize("options", [{}, {"callbacks": Listener()}], ids=["lease", "calls"])
def test_an_interrupt_at_any_line_of_a_driver_of_threads(options: dict[str, Any]) -> None:
    """The same while a worker has the engine on lease, or several perform calls."""
    pipeline = Pipeline(max_workers=2, **options)
    pipeline.run(None)
    for line in range(1, lines_of(pipeline, None) + 20):
        pipeline.source += 1 if line % 2 else 2
        with contextlib.suppress(KeyboardInterrupt), interrupt_at(line):
            pipeline.run(None)
        if "a" not in pipeline.run([]).recomputed:
            pipeline.run(["a"])
        pipeline.check(pipeline.run([]))
        assert pipeline.run([]).recomputed == []
        pipeline.dag.add_node("x")
        pipeline.dag.remove_node("x")


def test_an_interrupt_with_edits_at_any_line() -> None:
    """New nodes and edges are not forgotten either."""
    line = 0
    while True:
        line += 1
        pipeline = Pipeline()
        pipeline.run(None)
        pipeline.dag.add_node("f")
        pipeline.tasks["f"] = lambda: 7
        pipeline.dag.remove_edge("b", "d")
        pipeline.tasks["d"] = lambda c: (0, c)
        try:
            with interrupt_at(line):
                pipeline.run([])
        except KeyboardInterrupt:
            result = pipeline.run([])
            assert result["d"].result == (0, [0])
            assert result["f"].result == 7
            assert result.succeeded == 6
        else:
            return


def grow(find: list[int]) -> DynamicModification:
    """Process each file, and replace a node."""
    new = [
        DynamicNodeSpec(f"file {file}", lambda file=file: file, ["find"], ["sum"]) for file in find
    ]
    return DynamicModification(
        [*new, DynamicNodeSpec("old", lambda: 9, ["find"], ["sum"])], ["old"]
    )


def test_an_interrupt_at_any_line_of_a_run_that_grows() -> None:
    """The graph is whole, and the next run is that of a graph that was never interrupted."""
    tasks: Tasks = {"find": lambda: [1, 2], "old": lambda: 0, "sum": lambda **all: sorted(all)}
    everything = str(Path(FOLDER).parent)
    line, interrupted = 0, True
    while interrupted:
        line += 1
        dag = DAG.builder().add_edges([("find", "sum"), ("find", "old"), ("old", "sum")]).build()
        executor = DynamicExecutor(dag, {"find": grow}, max_workers=2)
        try:
            with interrupt_at(line, folder=everything):
                executor.execute(tasks)
        except KeyboardInterrupt:
            assert {"find", "sum", "old"} <= set(dag)
            assert len(dag) in {3, 5}
        else:
            interrupted = False
        result = executor.execute(tasks)
        assert result["sum"].result == ["file 1", "file 2", "find", "old"]
        assert result["old"].result == 9
    assert line > 1000


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one in __del__
@pytest.mark.parametrize("offset", range(3))
def test_an_interrupt_at_many_lines_of_a_run_with_a_checkpoint(
    tmp_path: Path, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is free, nothing that was announced runs again, and no file is left over."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # power does not fail here
    tasks: Tasks = {"a": lambda: 1, "b": lambda a: a + 1, "c": lambda b: b + 1}
    everything = str(Path(FOLDER).parent)
    kept, line, interrupted = [], 10 * offset, True
    while interrupted:
        line += 31
        folder = tmp_path / str(line)
        dag = DAG.builder().add_edge("a", "b").add_edge("b", "c").build()
        told: dict[str, int] = {}
        callbacks = ExecutionCallbacks(on_node_complete=told.__setitem__)
        try:
            with interrupt_at(line, folder=everything):
                CheckpointExecutor(dag, folder, callbacks, max_workers=1).execute(tasks)
        except KeyboardInterrupt as interrupt:
            kept.append(interrupt)  # as a notebook keeps the last, with all that its frames hold
        else:
            interrupted = False
        result = CheckpointExecutor(dag, folder).resume(tasks)
        assert (result.succeeded, result["c"].result) == (3, 3)
        assert not any(result[name].executed for name in told)
        assert len(list(folder.iterdir())) == 4
    assert line > 1000


def interrupt(a: int) -> None:
    """Be interrupted, as a task."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("options", [{}, {"callbacks": Listener()}], ids=["sprint", "general"])
def test_two_interrupts_in_a_row(options: dict[str, Any]) -> None:
    """A second Ctrl-C during the clean-up after the first loses nothing."""
    pipeline = Pipeline(**options)
    pipeline.run(None)
    compute, pipeline.tasks["b"] = pipeline.tasks["b"], interrupt
    pipeline.source = -1
    with interrupt_at(0) as seen, pytest.raises(KeyboardInterrupt):
        pipeline.run(["a"])
    for line in range(1, seen[0] + 1):
        pipeline.source, pipeline.tasks["b"] = line, interrupt
        with interrupt_at(line), pytest.raises(KeyboardInterrupt):
            pipeline.run(["a"])
        pipeline.tasks["b"] = compute
        pipeline.run([])
        pipeline.run(["a"])  # the run may not have begun; if it has, this is cut off at once
        pipeline.check(pipeline.run([]))


def test_an_interrupt_in_the_clean_up() -> None:
    """The run that could not be finished is finished before the next."""

    class Rude:
        def __init__(self) -> None:
            self.pipeline: Pipeline | None = None
            self.rude = False

        def on_node_skip(self, name: str) -> None:
            if self.rude:
                self.rude = False
                raise KeyboardInterrupt

    rude = Rude()
    pipeline = Pipeline(callbacks=rude)
    pipeline.run(None)
    pipeline.source, rude.rude = 1, True
    pipeline.tasks["b"] = lambda a: a / 0
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(["a"])
    pipeline.dag.add_node("x")
    pipeline.dag.remove_node("x")
    pipeline.tasks["b"] = lambda a: a % 2
    pipeline.check(pipeline.run([]))


def test_the_exception_holds_the_results_so_far() -> None:
    """What had run is there, the node that ran and the rest are cancelled."""
    pipeline = Pipeline()
    pipeline.tasks["b"] = lambda a: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(Interrupted) as caught:
        pipeline.run(None)
    result = caught.value.result
    assert result["a"].result == 0
    assert result["b"].status is NodeStatus.CANCELLED
    assert result["b"].executed
    assert result["e"].reason == result.stopped == "interrupted"
    pipeline.tasks["b"] = lambda a: a % 2
    again = pipeline.run([])
    assert again.reused == ["a"]
    pipeline.check(again)


def test_the_results_so_far_say_why_nodes_ran() -> None:
    """Provenance is there as after any run."""
    pipeline = Pipeline()
    pipeline.run(None)
    pipeline.source, pipeline.tasks["b"] = 1, interrupt
    with pytest.raises(Interrupted) as caught:
        pipeline.run(["a"])
    result = caught.value.result
    assert isinstance(result, IncrementalResult)
    assert {name: str(reason) for name, reason in result.provenance.items()} == {
        "a": "direct change", **dict.fromkeys("bcde", "ancestor a")
    }  # fmt: skip


def test_an_interrupt_while_workers_are_busy() -> None:
    """It is raised at once; the late result of the worker is dropped."""
    dag = DAG.builder().add_edge("stuck", "after").build()
    release, began, ended = threading.Event(), threading.Event(), threading.Event()
    tasks: Tasks = {
        "stuck": lambda: began.set() or release.wait(30) or ended.set(),
        "after": lambda stuck: stuck,
    }
    executor = IncrementalExecutor(dag, max_workers=2)
    interrupter = threading.Thread(target=lambda: began.wait(30) and interrupt_main())
    interrupter.start()
    with pytest.raises(Interrupted) as caught:
        executor.execute(tasks)
    assert not ended.is_set()
    release.set()
    interrupter.join()
    assert caught.value.result["stuck"].status is NodeStatus.CANCELLED
    tasks["stuck"] = lambda: "new"
    assert executor.execute(tasks, changed_nodes=[])["after"].result == "new"


def test_workers_are_interrupted_before_anybody_is_told() -> None:
    """Who listens does not wait for the interpreter behind workers that compute."""
    dag = DAG.builder().add_edge("computes", "after").build()
    began, ended, heard = threading.Event(), threading.Event(), list[bool]()

    def compute() -> None:
        began.set()
        try:
            while not ended.wait(0.001):
                pass
        except KeyboardInterrupt:
            ended.set()

    class Listener:
        def on_node_skip(self, name: str) -> None:
            heard.append(ended.wait(10))

    interrupter = threading.Thread(target=lambda: began.wait(30) and interrupt_main())
    interrupter.start()
    with pytest.raises(Interrupted):
        IncrementalExecutor(dag, callbacks=Listener(), max_workers=2).execute(
            {"computes": compute, "after": int}
        )
    interrupter.join()
    ended.set()
    assert heard == [True, True]


def interrupt_main() -> None:
    """Do what Ctrl-C does."""
    import _thread

    _thread.interrupt_main()
