from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagnb import (
    DAG,
    DAGExecutor,
    ExecutionTrace,
    IncrementalExecutor,
    Interrupted,
    NodeStatus,
    TraceEventType,
)
from dagnb.observe.trace import trace_of

Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def dag() -> DAG:
    """From a to b to c."""
    return DAG.builder().add_edges([("a", "b"), ("b", "c")]).build()


def kinds(trace: ExecutionTrace, name: str | None = None) -> list[str]:
    """Return the kinds of the events, of a node or of the run."""
    return [event.event_type.value for event in trace.events if event.node_name == name]


def test_without_tracing_there_is_no_trace(dag: DAG) -> None:
    """Nothing is recorded unless asked for."""
    assert DAGExecutor(dag).execute({}).trace is None


def test_a_trace_goes_from_the_start_to_the_end(dag: DAG) -> None:
    """Run started, each node started and completed, run completed; times go up from zero."""
    tasks: Tasks = dict.fromkeys(dag, lambda: 1)
    trace = DAGExecutor(dag, enable_tracing=True).execute(tasks).trace
    assert kinds(trace) == ["execution_started", "execution_completed"]
    assert kinds(trace, "b") == ["node_started", "node_completed"]
    times = [event.timestamp for event in trace.events]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert trace.events[-1].event_type is TraceEventType.EXECUTION_COMPLETED


def test_times_are_those_of_the_task_in_its_worker(dag: DAG) -> None:
    """They agree with the result, and with what the task itself saw."""
    from time import perf_counter

    seen: list[float] = []
    tasks: Tasks = {"a": lambda: seen.append(perf_counter()), "b": int, "c": int}
    result = DAGExecutor(dag, enable_tracing=True).execute(tasks)
    started, completed = result.trace.events_for_node("a")
    began = result["a"].started - started.timestamp
    assert started.timestamp <= seen[0] - began <= completed.timestamp
    assert completed.duration == result["a"].duration_seconds
    assert completed.timestamp - started.timestamp == pytest.approx(completed.duration)
    assert completed.metadata["worker"].startswith("dagnb-")


def test_failures_and_skips_are_in_the_trace(dag: DAG) -> None:
    """With the error as text, and the reason."""
    tasks: Tasks = {"a": lambda: 1, "b": lambda: 1 / 0, "c": lambda: 1}
    trace = DAGExecutor(dag, enable_tracing=True).execute(tasks).trace
    assert kinds(trace, "b") == ["node_started", "node_failed"]
    assert trace.events_for_node("b")[1].error == "ZeroDivisionError: division by zero"
    assert kinds(trace, "c") == ["node_skipped"]
    assert trace.events_for_node("c")[0].metadata["reason"] == "b failed"


def test_the_summary_has_one_line_a_node(dag: DAG) -> None:
    """Recomputed, recomputed to the same value, reused."""
    tasks: Tasks = {"a": lambda: 1, "b": lambda a: a * 0, "c": lambda b: b}
    executor = IncrementalExecutor(dag, enable_tracing=True)
    executor.execute(tasks)
    tasks["a"] = lambda: 2
    head, a, b, c = executor.execute(tasks, changed_nodes=["a"]).trace.summary().splitlines()
    assert head.split() == ["node", "start", "end", "duration", "status"]
    assert a.split()[0] == "a"
    assert a.endswith("completed  recomputed")
    assert b.endswith("completed  recomputed, same value")
    assert c.split() == ["c", "-", "-", "-", "completed", "reused"]
    float(a.split()[1]), float(a.split()[2]), float(a.split()[3])


def test_each_run_has_a_trace_of_its_own(dag: DAG) -> None:
    """The trace of an earlier run does not grow."""
    executor = IncrementalExecutor(dag, enable_tracing=True)
    tasks: Tasks = dict.fromkeys(dag, lambda: 1)
    first, second = executor.execute(tasks), executor.execute(tasks, changed_nodes=[])
    assert len(first.trace) == 8
    assert kinds(second.trace, "a") == ["node_reused"]


def test_an_interrupted_run_has_its_trace(dag: DAG) -> None:
    """It ends where the run did."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    executor = IncrementalExecutor(dag, enable_tracing=True)
    with pytest.raises(Interrupted) as caught:
        executor.execute({"a": lambda: 1, "b": interrupt, "c": lambda: 1})
    trace = caught.value.result.trace
    assert kinds(trace, "b") == ["node_started", "node_cancelled"]
    assert kinds(trace, "c") == ["node_cancelled"]


def test_the_chrome_trace_has_a_lane_for_each_worker() -> None:
    """Complete events in microseconds, on named threads, and nothing overlaps on one."""
    dag = DAG()
    dag.add_nodes(["a", "b"])
    both = threading.Barrier(2)
    executor = DAGExecutor(dag, max_workers=2, enable_tracing=True)
    data = json.loads(executor.execute(dict.fromkeys(dag, both.wait)).trace.to_chrome_trace())
    lanes = {e["tid"]: e["args"]["name"] for e in data["traceEvents"] if e["ph"] == "M"}
    spans = {e["name"]: e for e in data["traceEvents"] if e["ph"] == "X"}
    assert set(lanes.values()) == {"run", "dagnb-1", "dagnb-2"}
    assert {lanes[spans[name]["tid"]] for name in "ab"} == {"dagnb-1", "dagnb-2"}
    assert spans["run"]["dur"] >= spans["a"]["dur"] >= 0
    assert all({"ph", "ts", "dur", "pid", "tid", "name"} <= set(span) for span in spans.values())


def test_an_abandoned_task_has_a_lane_of_its_own() -> None:
    """So it covers nothing that ran on a worker."""
    dag = DAG()
    dag.add_node("stuck")
    release = threading.Event()
    executor = DAGExecutor(dag, enable_tracing=True)
    result = executor.execute({"stuck": lambda: release.wait(30)}, timeout=0.5)
    release.set()
    assert result["stuck"].status is NodeStatus.TIMED_OUT
    names = [
        e["args"].get("name") for e in json.loads(result.trace.to_chrome_trace())["traceEvents"]
    ]
    assert "abandoned: stuck" in names
    assert kinds(result.trace, "stuck") == ["node_started", "node_timed_out"]


def test_json_has_every_event(dag: DAG) -> None:
    """As a list of objects with what is known of each."""
    trace = DAGExecutor(dag, enable_tracing=True).execute(dict.fromkeys(dag, int)).trace
    data = json.loads(trace.to_json())
    assert len(data) == len(trace.events) == 8
    assert data[0] == {"event_type": "execution_started", "timestamp": 0.0}
    assert data[2]["node_name"] == "a"
    assert data[2]["metadata"]["executed"] is True


def test_a_trace_can_be_recorded_by_hand() -> None:
    """An event without a time happens now."""
    trace = ExecutionTrace()
    trace.record(TraceEventType.NODE_STARTED, node_name="a")
    trace.record(TraceEventType.NODE_COMPLETED, node_name="a", duration=0.5, metadata={"k": 1})
    assert [event.node_name for event in trace.events] == ["a", "a"]
    assert "recomputed" in trace.summary()
    assert len(json.loads(trace.to_chrome_trace())["traceEvents"]) == 3


def test_the_trace_of_a_run_that_is_over(dag: DAG) -> None:
    """It is the one that would have been recorded; what took no time happens when it came up."""
    tasks: Tasks = {"a": lambda: 1, "b": lambda: 1 / 0, "c": lambda: 1}
    result = DAGExecutor(dag, enable_tracing=True).execute(tasks)
    recorded = result.trace
    began = result["a"].started - recorded.events_for_node("a")[0].timestamp
    trace = trace_of(result, result.node_results.values(), began)
    assert result.trace is trace
    for name in (*dag, None):
        assert kinds(trace, name) == kinds(recorded, name)
    assert [e.timestamp for e in trace.events_for_node("b")] == pytest.approx(
        [e.timestamp for e in recorded.events_for_node("b")]
    )
    (skipped,) = trace.events_for_node("c")
    assert skipped.timestamp == trace.events_for_node("b")[1].timestamp
    assert trace.events[-1].timestamp == pytest.approx(result.total_duration_seconds)


def test_a_trace_can_be_saved(dag: DAG, tmp_path: Path) -> None:
    """In Chrome's format; a file that cannot be written is an error."""
    trace = DAGExecutor(dag, enable_tracing=True).execute(dict.fromkeys(dag, int)).trace
    trace.save(tmp_path / "trace.json")
    assert (tmp_path / "trace.json").read_text() == trace.to_chrome_trace()
    with pytest.raises(FileNotFoundError):
        trace.save(tmp_path / "no" / "trace.json")
