from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from dagnb import DAG, ExecutionResult, NodeResult, NodeSettled, NodeStarted, NodeStatus
from dagnb.errors import UnusableValue
from dagnb.events import Event, RunFinished, RunStarted
from dagnb.run.call import Report, perform
from dagnb.run.engine import Engine
from dagnb.run.frontier import Countdown
from dagnb.run.incremental import IncrementalExecutor
from dagnb.run.policies import Policy
from dagnb.run.records import Memory

Tasks = dict[str, Callable[..., Any]]


def engine_of(dag: DAG, tasks: Tasks, *, scan: bool = False, **options: Any) -> Engine:
    """Return an engine that has begun, without a driver."""
    memory = Memory(dag.adjacency)
    memory.catch_up()
    frontier = memory.scan(None) if scan else Countdown(dag.adjacency)
    engine = Engine(tasks, memory, frontier, **options)
    engine.begin()
    return engine


def taken(engine: Engine) -> list[str]:
    """Take all calls that can be had now; return their nodes."""
    names = []
    while (call := engine.take()) is not None:
        names.append(str(engine.results._extent.names[call.node]))
    return names


def report(value: object = None, error: BaseException | None = None) -> Report:
    """Return the report of a task that took a second."""
    return Report(value, error, 1.0, 2.0)


def run_all(engine: Engine) -> ExecutionResult:
    """Perform one call after another."""
    while (call := engine.take()) is not None:
        engine.settle(call.node, perform(call))
    return engine.finish(ExecutionResult)


@pytest.fixture
def diamond() -> DAG:
    """From a by b and c to d."""
    return DAG.builder().add_edges([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]).build()


def zero() -> int:
    """Return 0."""
    return 0


def statuses(result: ExecutionResult) -> dict[str, str]:
    """Return what became of each node."""
    return {name: each.status.value for name, each in result.node_results.items()}


def test_calls_come_when_their_inputs_have_settled(diamond: DAG) -> None:
    """Both branches are out at once; the join waits for both."""
    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    assert taken(engine) == ["a"]
    engine.settle(0, report(1))
    assert taken(engine) == ["b", "c"]
    engine.settle(2, report(3))
    assert taken(engine) == []
    engine.settle(1, report(2))
    assert taken(engine) == ["d"]


def test_a_call_carries_the_values_of_its_inputs(diamond: DAG) -> None:
    """By position, by name, in the order of the parameters."""
    tasks: Tasks = {"a": zero, "b": lambda a: a, "c": lambda *, a: a, "d": lambda c, b: (c, b)}
    engine = engine_of(diamond, tasks)
    engine.settle(engine.take().node, report("from a"))  # type: ignore[union-attr]
    b, c = engine.take(), engine.take()
    assert b is not None
    assert c is not None
    assert (b.arguments, b.keywords) == (["from a"], None)
    assert (c.arguments, c.keywords) == ([], {"a": "from a"})


def test_a_result_holds_what_was_reported(diamond: DAG) -> None:
    """Value, times, worker and status come from the report."""
    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    taken(engine)
    engine.settle(0, report([1]), "worker-7")
    result = engine.results["a"]
    assert (result.status, result.result, result.worker) == (NodeStatus.COMPLETED, [1], "worker-7")
    assert (result.started, result.duration_seconds, result.executed) == (1.0, 1.0, True)


def test_a_value_that_nothing_can_look_at(diamond: DAG) -> None:
    """Its node fails with an error that names both, whether it sprinted or was reported."""

    class Hidden:
        def __getattribute__(self, name: str) -> object:
            raise RuntimeError(name)

    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    taken(engine)
    engine.settle(0, report(Hidden()))
    sprinted = IncrementalExecutor(diamond).execute(dict.fromkeys(diamond, Hidden))
    for found in (engine.results["a"], sprinted["a"]):
        assert found.status is NodeStatus.FAILED
        assert isinstance(found.error, UnusableValue)
        assert "node 'a' gave a value of type Hidden" in str(found.error)


def test_a_node_settles_once(diamond: DAG) -> None:
    """A second report, and one for a node that is not out, change nothing."""
    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    taken(engine)
    engine.settle(0, report("first"))
    engine.settle(0, report("second"))
    engine.settle(3, report("too early"))
    assert engine.results["a"].result == "first"
    assert engine.results["d"].status is NodeStatus.PENDING


def test_what_is_below_a_failure_is_skipped(diamond: DAG) -> None:
    """Everything else runs, and each skipped node says why."""
    tasks: Tasks = {"a": zero, "b": lambda: 1 / 0, "c": zero, "d": zero}
    result = run_all(engine_of(diamond, tasks, fail_fast=False))
    assert statuses(result) == {
        "a": "completed", "b": "failed", "c": "completed", "d": "skipped"
    }  # fmt: skip
    assert isinstance(result["b"].error, ZeroDivisionError)
    assert result["d"].reason == "b failed"


def test_a_skip_is_passed_on() -> None:
    """What is far below a failure is skipped too."""
    dag = DAG.builder().add_edges([("a", "b"), ("b", "c")]).build()
    tasks: Tasks = {"a": lambda: 1 / 0, "b": zero, "c": zero}
    result = run_all(engine_of(dag, tasks, fail_fast=False))
    assert [result[name].reason for name in "bc"] == ["a failed", "b was skipped"]


def test_fail_fast_starts_nothing_new() -> None:
    """What is out finishes; the rest is skipped, with the reason."""
    dag = DAG.builder().add_nodes(["a", "b", "c"]).build()
    engine = engine_of(dag, dict.fromkeys(dag, zero))
    first, second = engine.take(), engine.take()
    assert first is not None
    assert second is not None
    engine.settle(first.node, report(error=ValueError("no")))
    assert engine.take() is None
    assert engine.active
    engine.settle(second.node, report(1))
    result = engine.finish(ExecutionResult)
    assert statuses(result) == {"a": "failed", "b": "completed", "c": "skipped"}
    assert result["c"].reason == result.stopped == "fail-fast: a failed"


def test_a_node_without_a_task_is_skipped(diamond: DAG) -> None:
    """Its dependents run unless they take its value."""
    tasks: Tasks = {"a": zero, "c": zero, "d": lambda c: c}
    result = run_all(engine_of(diamond, tasks))
    assert statuses(result)["b"] == "skipped"
    assert (result["b"].reason, result["d"].status) == ("no task", NodeStatus.COMPLETED)


def test_a_value_that_no_task_makes_is_needed(diamond: DAG) -> None:
    """A dependent that takes it is skipped."""
    tasks: Tasks = {"a": zero, "c": zero, "d": lambda b, c: c}
    assert run_all(engine_of(diamond, tasks))["d"].reason == "b was skipped"


def test_a_task_that_does_not_fit_fails_its_node(diamond: DAG) -> None:
    """A parameter that nothing feeds is the node's error, not the run's."""
    tasks: Tasks = dict.fromkeys(diamond, zero) | {"b": lambda x: x}
    result = run_all(engine_of(diamond, tasks, fail_fast=False))
    assert isinstance(result["b"].error, TypeError)
    assert statuses(result)["c"] == "completed"


def test_stop_cancels_what_has_not_started(diamond: DAG) -> None:
    """What is out is waited for."""
    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    engine.settle(taken(engine) and 0, report(1))
    engine.take()
    engine.stop(NodeStatus.CANCELLED, "enough")
    assert engine.take() is None
    engine.settle(1, report(2))
    result = engine.finish(ExecutionResult)
    assert statuses(result) == {
        "a": "completed", "b": "completed", "c": "cancelled", "d": "cancelled"
    }  # fmt: skip
    assert result["c"].reason == "enough"


def test_abandoned_nodes_time_out(diamond: DAG) -> None:
    """They settle at once, with the time they have taken; what comes later is dropped."""
    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    engine.take()
    engine.stop(NodeStatus.CANCELLED, "too long", abandon=NodeStatus.TIMED_OUT)
    engine.settle(0, report("late"))
    result = engine.finish(ExecutionResult)
    assert (result["a"].status, result["a"].result) == (NodeStatus.TIMED_OUT, None)
    assert result["a"].started > 0
    assert result["a"].duration_seconds >= 0
    assert (result.timed_out, result.cancelled) == (1, 3)


def test_a_stop_after_the_end_stopped_nothing(diamond: DAG) -> None:
    """A run that was complete when it was stopped was not stopped."""
    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    while (call := engine.take()) is not None:
        engine.settle(call.node, perform(call))
    engine.stop(NodeStatus.CANCELLED, "cancelled")
    assert engine.finish(ExecutionResult).stopped == ""


def test_events_tell_the_run_in_order() -> None:
    """Started before settled, inputs before dependents, each node once."""
    dag = DAG.builder().add_edge("a", "b").build()
    events: list[Event] = []
    result = run_all(engine_of(dag, {"a": zero, "b": zero}, observers=[events.append]))
    told = [type(event).__name__ for event in events]
    assert told == ["RunStarted", *["NodeStarted", "NodeSettled"] * 2, "RunFinished"]
    assert isinstance(events[0], RunStarted)
    assert events[0].nodes == ["a", "b"]
    assert isinstance(events[1], NodeStarted)
    assert isinstance(events[2], NodeSettled)
    assert (events[1].name, events[2].result.name) == ("a", "a")
    assert isinstance(events[-1], RunFinished)
    assert events[-1].result is result


def test_an_observer_that_raises_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once, with its traceback; others and the run go on."""
    dag = DAG.builder().add_edge("a", "b").build()
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise ValueError("observer")

    result = run_all(engine_of(dag, {"a": zero, "b": zero}, observers=[broken, heard.append]))
    assert result.succeeded == 2
    assert len(heard) == 6
    [logged] = caplog.records
    assert logged.exc_info is not None


def test_the_first_policy_with_an_answer_decides(diamond: DAG) -> None:
    """The node does not run, and its dependents get the answer's value."""

    class Answer(Policy):
        def decide(self, name: str, inputs: object) -> NodeResult | None:
            known = {"b": NodeResult("b", NodeStatus.CACHE_HIT, 41, reason="known")}
            return known.get(name)

    tasks: Tasks = {"a": zero, "b": lambda: 1 / 0, "c": zero, "d": lambda b, c: b + 1}
    result = run_all(engine_of(diamond, tasks, policies=[Policy(), Answer()]))
    assert (result["d"].result, result["b"].status) == (42, NodeStatus.CACHE_HIT)
    assert not result["b"].executed


def test_a_policy_amends_what_was_executed(diamond: DAG) -> None:
    """The rest of the run sees what the policy returned."""

    class Double(Policy):
        def settled(self, result: NodeResult, inputs: object) -> NodeResult:
            return NodeResult(result.name, result.status, result.result * 2, executed=True)

    tasks: Tasks = {"a": lambda: 1, "b": lambda a: a, "c": lambda a: a, "d": lambda b, c: b + c}
    assert run_all(engine_of(diamond, tasks, policies=[Double()]))["d"].result == 16


def test_a_node_that_may_not_run_is_held(diamond: DAG) -> None:
    """It stays as it was, and so does what is below; neither settles."""
    engine = engine_of(
        diamond, dict.fromkeys(diamond, zero), scan=True, may_run=lambda name: name != "b"
    )
    result = run_all(engine)
    assert statuses(result) == {
        "a": "completed", "b": "pending", "c": "completed", "d": "pending"
    }  # fmt: skip
    assert engine.held == {1, 3}


def test_a_finished_engine_lets_go_of_the_graph(diamond: DAG) -> None:
    """Edits are refused from the beginning to the end of a run."""
    engine = engine_of(diamond, dict.fromkeys(diamond, zero))
    with pytest.raises(Exception, match="the graph is running"):
        diamond.add_node("e")
    run_all(engine)
    diamond.add_node("e")


@pytest.mark.parametrize("scan", [True, False], ids=["one worker", "several"])
def test_a_stop_is_prompt_however_much_is_left(scan: bool) -> None:
    """Ending takes a few steps a node that had not started, not a walk around each."""
    size, steps = 2000, 0
    dag = DAG.builder().add_edges([(f"n{i}", f"n{i + 1}") for i in range(size)]).build()
    engine = engine_of(dag, dict.fromkeys(dag, zero), scan=scan)
    engine.settle(engine.take().node, report(0))  # type: ignore[union-attr]
    engine.stop(NodeStatus.CANCELLED, "enough")

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal steps
        steps += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        engine.spread()
        result = engine.finish(ExecutionResult)
    finally:
        sys.setprofile(before)
    assert steps < 10 * size
    assert (result.succeeded, result.cancelled) == (1, size)
    assert result[f"n{size}"].reason == result.stopped == "enough"
