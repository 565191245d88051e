"""Correct, minimal and in order: any sequence of edits and runs, against a model."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dagnb import ExecutionResult, IncrementalExecutor, IncrementalResult, Interrupted, NodeStatus
from tests.laws.pipelines import Pipeline, constants, operations, pipelines


class Listener:
    """A callback, so that a run goes the general way."""

    def on_node_start(self, name: str) -> None:
        """Do nothing."""


MANY = 0  # to be drawn


class Model:
    """What an incremental run executes, told in the simplest way.

    A node runs if it must, or if the value of one of its inputs changed in this run.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.known: dict[str, str] = {}
        self.must: set[str] = set(pipeline.nodes)

    def forget(self, name: str) -> None:
        """A node must run, whatever happens."""
        self.must.add(name)

    def run(self, changed: list[str] | None, *, fail_fast: bool) -> tuple[list[str], set[str]]:
        """Return the nodes that run, in order, and those that come out the same."""
        dirty = set(self.pipeline.nodes) if changed is None else self.must | set(changed)
        executed, same, moved, broken = [], set(), set(), set()
        stopped = False
        for name in self.pipeline.order():
            node = self.pipeline.nodes[name]
            if name not in dirty and not moved.intersection(node.inputs):
                continue
            if stopped or broken.intersection(node.inputs):
                self._lose(name, moved, broken)
                continue
            executed.append(name)
            if node.fails:
                stopped = fail_fast
                self._lose(name, moved, broken)
                continue
            value = repr(self.pipeline.value(name))
            self.must.discard(name)
            if self.known.get(name) == value:
                same.add(name)
            else:
                moved.add(name)
            self.known[name] = value
        return executed, same

    def _lose(self, name: str, moved: set[str], broken: set[str]) -> None:
        self.known.pop(name, None)
        self.must.add(name)
        moved.add(name)
        broken.add(name)


class Sequences(RuleBasedStateMachine):
    """Edits of tasks, nodes and edges, failures that come and go, runs and interrupts."""

    options: ClassVar[dict[str, Any]] = {}
    fail_fast: ClassVar[bool] = False

    @initialize(pipeline=pipelines(), workers=st.integers(2, 6))
    def begin(self, pipeline: Pipeline, workers: int) -> None:
        """Start with some pipeline that has not run, and some number of workers if with threads."""
        self.pipeline = pipeline = self.placed(pipeline)
        self.model = Model(pipeline)
        threads = {"max_workers": workers} if self.options.get("max_workers") == MANY else {}
        options = self.options | threads
        self.executor = IncrementalExecutor(pipeline.dag, fail_fast=self.fail_fast, **options)
        self.held: list[tuple[ExecutionResult, dict[str, str]]] = []
        self.fresh = len(pipeline.nodes)

    def placed(self, pipeline: Pipeline) -> Pipeline:
        """Return the pipeline as it is to run."""
        return pipeline

    @property
    def names(self) -> list[str]:
        """The nodes there are."""
        return list(self.pipeline.nodes)

    @rule(data=st.data(), operation=operations, constant=constants)
    def edit(self, data: st.DataObject, operation: int, constant: int) -> None:
        """Change what a node computes, and run it as changed at some time: now it must."""
        name = data.draw(st.sampled_from(self.names))
        node = self.pipeline.nodes[name]
        node.operation, node.constant = operation, constant
        self.run(data, [name])

    @rule(data=st.data())
    def break_or_mend(self, data: st.DataObject) -> None:
        """Make a node fail, or succeed again."""
        name = data.draw(st.sampled_from(self.names))
        self.pipeline.nodes[name].fails ^= True
        self.run(data, [name])

    @rule(operation=operations, constant=constants, data=st.data())
    @precondition(lambda self: len(self.pipeline.nodes) < 10)
    def add(self, operation: int, constant: int, data: st.DataObject) -> None:
        """Add a node, perhaps under a name that was there before."""
        unused = [f"n{number}" for number in range(12) if f"n{number}" not in self.names]
        name = data.draw(st.sampled_from(unused))
        self.pipeline.add(name, operation, constant)
        self.model.known.pop(name, None)
        self.model.forget(name)

    @rule(data=st.data())
    @precondition(lambda self: len(self.pipeline.nodes) > 1)
    def remove(self, data: st.DataObject) -> None:
        """Remove a node; what it fed must run."""
        name = data.draw(st.sampled_from(self.names))
        for other, node in self.pipeline.nodes.items():
            if name in node.inputs:
                self.model.forget(other)
        self.pipeline.remove(name)
        self.model.must.discard(name)

    @rule(data=st.data())
    def link_or_unlink(self, data: st.DataObject) -> None:
        """Add an edge, or remove it; its target must run."""
        source, target = (data.draw(st.sampled_from(self.names)) for _ in range(2))
        if source in self.pipeline.nodes[target].inputs:
            self.pipeline.unlink(source, target)
        elif source != target and target not in self.pipeline.above(source):
            self.pipeline.link(source, target)
        else:
            return
        self.model.forget(target)

    @rule()
    def compact(self) -> None:
        """Number the nodes anew."""
        self.pipeline.dag.adjacency.compact()

    @rule(data=st.data())
    def run_what_is_stale(self, data: st.DataObject) -> None:
        """Run with nothing declared as changed."""
        self.run(data, [])

    @rule(data=st.data())
    def run_some(self, data: st.DataObject) -> None:
        """Run with some nodes declared as changed, though they did not."""
        self.run(data, data.draw(st.lists(st.sampled_from(self.names), unique=True)))

    @rule(data=st.data())
    def run_all(self, data: st.DataObject) -> None:
        """Run everything."""
        self.run(data, None)

    @rule(data=st.data())
    def interrupt(self, data: st.DataObject) -> None:
        """Be interrupted in some node, if it runs at all; then all that was left must run."""
        self.pipeline.interrupt_at = data.draw(st.sampled_from(self.names))
        try:
            self.execute(data.draw(st.sampled_from([None, []])))
        except Interrupted as interrupted:
            self.take_in(interrupted.result)
        else:
            self.model.run([], fail_fast=self.fail_fast)
            self.resynchronise()
        finally:
            self.pipeline.interrupt_at = ""
        self.run(data, [])

    def resynchronise(self) -> None:
        """Run everything, so that model and executor agree again on what is known."""
        self.pipeline.interrupt_at = ""
        self.execute(None)
        self.model.run(None, fail_fast=self.fail_fast)

    def take_in(self, result: ExecutionResult) -> None:
        """Believe an interrupted run about what it did; what it says is checked by the next."""
        for name, each in result.node_results.items():
            if each.status is NodeStatus.COMPLETED:
                self.model.known[name] = repr(each.result)
                if each.executed:
                    self.model.must.discard(name)
            else:
                self.model.known.pop(name, None)
                self.model.must.add(name)

    def execute(self, changed: list[str] | None) -> IncrementalResult:
        """Execute, noting the calls."""
        self.pipeline.forget_calls()
        return self.executor.execute(self.pipeline.tasks, changed_nodes=changed)

    def run(self, data: st.DataObject, changed: list[str] | None) -> None:
        """Run, and compare values, calls and lists with the model."""
        result = self.execute(changed)
        executed, same = self.model.run(changed, fail_fast=self.fail_fast)
        self.check_calls(executed)
        self.check_values(result)
        done = [name for name in executed if not self.pipeline.nodes[name].fails]
        assert result.recomputed == done
        assert result.early_cutoff == [name for name in done if name in same]
        again = self.execute([])
        self.check_calls(self.model.run([], fail_fast=self.fail_fast)[0])
        if data.draw(st.booleans()):
            self.held.append((again, self.seen(again)))

    def check_calls(self, executed: list[str]) -> None:
        """Exactly these nodes ran, each once; in this order where there is one thread."""
        called = self.pipeline.called
        assert sorted(called) == sorted(executed)
        if self.options.get("max_workers", 1) == 1:
            assert called == executed

    def check_values(self, result: ExecutionResult) -> None:
        """Every value there is equals that of a computation from scratch."""
        expected = self.pipeline.values()
        assert list(result.node_results) == self.pipeline.order()
        for name, each in result.node_results.items():
            if each.status is NodeStatus.COMPLETED:
                assert repr(each.result) == expected[name]
                assert name not in self.model.must
            else:
                assert each.result is None
                assert name in self.model.must
                assert each.reason or each.error

    def seen(self, result: ExecutionResult) -> dict[str, str]:
        """Return everything a result says."""
        return {str(name): repr(each) for name, each in result.node_results.items()}

    @invariant()
    def results_stay_what_they_were(self) -> None:
        """No later run or edit changes what an earlier result says of values and statuses."""
        for result, before in getattr(self, "held", [])[-3:]:
            for name, each in result.node_results.items():
                assert repr(each.status) in before[name]
                assert repr(each.result) in before[name]
            assert list(result.node_results) == list(before)


WAYS = {
    "sprint": {},
    "general": {"callbacks": Listener()},
    "one thread": {"max_workers": 1},
    "threads": {"max_workers": MANY},
    "threads and a listener": {"max_workers": MANY, "callbacks": Listener()},
}


@pytest.mark.parametrize("way", WAYS)
def test_any_sequence_of_edits_and_runs(way: str) -> None:
    """Values, executed sets, cut-offs and reasons agree with the model after every step."""
    machine = type("Machine", (Sequences,), {"options": WAYS[way]})
    few = settings(max_examples=25, stateful_step_count=15)
    run_state_machine_as_test(machine, settings=few)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("way", ["sprint", "general", "one thread"])
def test_any_sequence_with_fail_fast(way: str) -> None:
    """The same where the first failure stops the run."""
    machine = type("Machine", (Sequences,), {"options": WAYS[way], "fail_fast": True})
    few = settings(max_examples=20, stateful_step_count=12)
    run_state_machine_as_test(machine, settings=few)  # type: ignore[no-untyped-call]
