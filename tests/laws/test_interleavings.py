"""Once and in order: each node settles exactly once, after its inputs, however reports arrive."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dagnb import (
    DAGExecutor,
    DynamicExecutor,
    ExecutionResult,
    IncrementalExecutor,
    IncrementalResult,
    NodeResult,
    NodeSettled,
    NodeStarted,
    NodeStatus,
)
from dagnb.events import Event
from dagnb.run.call import Call, Report, perform
from dagnb.run.engine import Engine
from dagnb.run.frontier import Countdown
from dagnb.run.records import Memory
from tests.laws.pipelines import Pipeline, pipelines
from tests.laws.test_drivers import check, fail_some
from tests.laws.test_expansion import growing, initial_tasks, modification, task_of
from tests.laws.test_sequences import Model

LIE = Report("a lie", None, 0.0, 0.0)


def engine_of(
    pipeline: Pipeline, events: list[Event], memory: Memory | None = None, **options: Any
) -> Engine:
    """Return an engine over all nodes, or those that are stale and ``causes``, that has begun."""
    graph, seeds = pipeline.dag.adjacency, None
    if memory is None:
        memory = Memory(graph)
    memory.catch_up()
    if "causes" in options:
        seeds = memory.stale | set(options["causes"])
    frontier = Countdown(graph, seeds)
    engine = Engine(pipeline.tasks, memory, frontier, observers=[events.append], **options)
    engine.begin()
    memory.take_stale()
    return engine


def drive_at_random(engine: Engine, data: st.DataObject, *, stops: bool) -> bool:
    """Take and settle in any order, with lies in between; say whether the run was stopped."""
    out: list[Call] = []
    stopped = False
    kinds = ["settle", "settle", "take", "take", "lie"] + ["stop"] * stops
    moves = data.draw(st.lists(st.sampled_from(kinds), max_size=30))
    for move in itertools.chain(moves, itertools.repeat("settle")):
        if move == "take" and (call := engine.take()) is not None:
            out.append(call)
        elif move == "settle" and out:
            call = out.pop(data.draw(st.integers(0, len(out) - 1)))
            engine.settle(call.node, perform(call), "worker")
        elif move == "lie":
            node = data.draw(st.integers(0, len(engine._graph.names) - 1))
            if node not in {call.node for call in out}:
                engine.settle(node, LIE)
        elif move == "stop":
            abandon = data.draw(st.sampled_from([None, NodeStatus.TIMED_OUT, NodeStatus.CANCELLED]))
            engine.stop(NodeStatus.CANCELLED, "stopped", abandon=abandon)
            stopped = True
            if abandon:
                out.clear()
        elif not out and (call := engine.take()) is not None:
            out.append(call)
        elif not out:
            return stopped
    raise AssertionError("the moves never end")


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


@settings(max_examples=200)
@given(pipelines(), st.data(), st.booleans(), st.booleans())
def test_any_interleaving_of_reports(
    pipeline: Pipeline, data: st.DataObject, fail_fast: bool, stops: bool
) -> None:
    """Calls are taken and reported in any order, reports of other nodes count for nothing."""
    fail_some(pipeline, data)
    events: list[Event] = []
    engine = engine_of(pipeline, events, fail_fast=fail_fast)
    stopped = drive_at_random(engine, data, stops=stops)
    result = engine.finish(ExecutionResult)
    check_events(pipeline, events)
    check_values(pipeline, result)
    if not stopped and not fail_fast:
        check(pipeline, result)


@settings(max_examples=200)
@given(pipelines(), st.data())
def test_any_interleaving_of_incremental_runs(pipeline: Pipeline, data: st.DataObject) -> None:
    """Exactly those nodes run that a model says, and have the values of a run from scratch."""
    memory, model = Memory(pipeline.dag.adjacency), Model(pipeline)
    changed: list[str] = list(pipeline.nodes)
    for _ in range(3):
        causes = {pipeline.dag.number(name): "direct change" for name in changed}
        pipeline.called.clear()
        engine = engine_of(pipeline, [], memory, causes=causes, fail_fast=False)
        drive_at_random(engine, data, stops=False)
        result = engine.finish(IncrementalResult)
        executed, same = model.run(changed, fail_fast=False)
        assert sorted(pipeline.called) == sorted(executed)
        assert set(result.early_cutoff) == same
        check_values(pipeline, result)
        changed = data.draw(st.lists(st.sampled_from(list(pipeline.nodes)), unique=True))
        for name in changed:
            node = pipeline.nodes[name]
            node.constant = data.draw(st.integers(0, 4))
            node.fails = data.draw(st.integers(0, 3)) == 0


@settings(max_examples=200)
@given(growing(), st.data())
def test_any_interleaving_of_a_run_that_grows(
    drawn: tuple[Pipeline, dict[str, list[dict[str, Any]]]], data: st.DataObject
) -> None:
    """The same as a run of the final graph, one node after another."""
    pipeline, new = drawn
    expanders = {by: lambda value, by=by: modification(new[by]) for by in new}
    tasks = initial_tasks(pipeline)
    engine = DynamicExecutor(pipeline.dag, expanders).engine(tasks)
    engine.begin()
    drive_at_random(engine, data, stops=False)
    grown = engine.finish(ExecutionResult)
    for specs in new.values():
        tasks |= {each["name"]: task_of(each["operation"]) for each in specs}
    plain = IncrementalExecutor(pipeline.dag).execute(tasks)
    assert {n: repr(r.result) for n, r in grown.node_results.items()} == {
        n: repr(r.result) for n, r in plain.node_results.items()
    }


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
