"""Once and in order: each node settles exactly once, after its inputs, however reports arrive."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dagnb import (
    DAGExecutor,
    ExecutionResult,
    IncrementalExecutor,
    NodeResult,
    NodeSettled,
    NodeStarted,
    NodeStatus,
)
from dagnb.events import Event
from dagnb.run.call import Binder, Call, perform
from dagnb.run.engine import Engine
from dagnb.run.frontier import Countdown
from dagnb.run.records import Memory
from tests.laws.pipelines import Pipeline, pipelines


def engine_of(pipeline: Pipeline, events: list[Event], **options: Any) -> Engine:
    """Return an engine over all nodes that has begun."""
    graph, memory = pipeline.dag.adjacency, Memory(pipeline.dag.adjacency)
    memory.catch_up()
    engine = Engine(
        graph, pipeline.tasks, memory, Countdown(graph),
        binder=Binder(graph), observers=[events.append], **options,
    )  # fmt: skip
    engine.begin()
    return engine


def check_events(pipeline: Pipeline, events: list[Event]) -> None:
    """Each node settles once; one that starts does so after all of its inputs settled."""
    settled: Counter[str] = Counter()
    for event in events:
        if isinstance(event, NodeStarted):
            inputs = pipeline.nodes[event.name].inputs
            assert all(settled[name] == 1 for name in inputs)
            assert settled[event.name] == 0
        elif isinstance(event, NodeSettled):
            settled[event.result.name] += 1
    assert settled == Counter(list(pipeline.nodes))


@given(pipelines(), st.data(), st.booleans())
def test_any_interleaving_of_reports(
    pipeline: Pipeline, data: st.DataObject, fail_fast: bool
) -> None:
    """Calls are taken and reported in any order; reports come twice; the run may be stopped."""
    for node in pipeline.nodes.values():
        node.fails = data.draw(st.integers(0, 5)) == 0
    events: list[Event] = []
    engine = engine_of(pipeline, events, fail_fast=fail_fast)
    out: list[Call] = []
    done: list[Call] = []
    moves = st.lists(st.sampled_from(["settle", "take", "again", "stop"]), max_size=30)
    for move in itertools.chain(data.draw(moves), itertools.repeat("settle")):
        if move == "take" and (call := engine.take()) is not None:
            out.append(call)
        elif move == "settle" and out:
            call = out.pop(data.draw(st.integers(0, len(out) - 1)))
            engine.settle(call.node, perform(call))
            done.append(call)
        elif move == "again" and done:
            engine.settle(done[-1].node, perform(done[-1]))
        elif move == "stop":
            abandon = data.draw(st.sampled_from([None, NodeStatus.TIMED_OUT, NodeStatus.CANCELLED]))
            engine.stop(NodeStatus.CANCELLED, "stopped", abandon=abandon)
        elif not out and (call := engine.take()) is not None:
            out.append(call)
        elif not out:
            break
    result = engine.finish(ExecutionResult)
    check_events(pipeline, events)
    check_values(pipeline, result)


def check_values(pipeline: Pipeline, result: ExecutionResult) -> None:
    """What has a value has that of a computation from scratch; the rest has a reason."""
    expected = pipeline.values()
    for name, each in result.node_results.items():
        if each.status is NodeStatus.COMPLETED:
            assert repr(each.result) == expected[name]
        else:
            assert each.reason or each.error is not None


@given(pipelines(), st.integers(1, 4))
def test_threads_compute_what_a_loop_computes(pipeline: Pipeline, workers: int) -> None:
    """Any number of workers gives the values of a computation from scratch."""
    result = DAGExecutor(pipeline.dag, max_workers=workers).execute(pipeline.tasks)
    assert {n: repr(each.result) for n, each in result.node_results.items()} == pipeline.values()
    assert Counter(pipeline.called) == Counter(list(pipeline.nodes))


class Listener:
    """A callback, so that a run goes the general way."""

    def on_node_start(self, name: str) -> None:
        """Do nothing."""


def seen(result: ExecutionResult) -> dict[str, tuple[Any, ...]]:
    """Return all that a result says but times."""

    def said(each: NodeResult) -> tuple[Any, ...]:
        return (
            each.status, repr(each.result), type(each.error), each.reason, each.executed,
            each.changed, each.digest, each.worker,
        )  # fmt: skip

    return {str(name): said(each) for name, each in result.node_results.items()}


@given(pipelines(), st.data())
def test_the_sprint_is_the_general_way(pipeline: Pipeline, data: st.DataObject) -> None:
    """The fast loop and the general one agree in everything a result says."""
    names = list(pipeline.nodes)
    fast = IncrementalExecutor(pipeline.dag, fail_fast=False)
    slow = IncrementalExecutor(pipeline.dag, fail_fast=False, callbacks=Listener())
    changed: list[str] | None = None
    for _ in range(4):
        results = [each.execute(pipeline.tasks, changed) for each in (fast, slow)]
        assert seen(results[0]) == seen(results[1])
        assert results[0].stopped == results[1].stopped
        changed = data.draw(st.lists(st.sampled_from(names), unique=True))
        for name in changed:
            node = pipeline.nodes[name]
            node.constant = data.draw(st.integers(0, 4))
            node.fails = data.draw(st.integers(0, 3)) == 0
