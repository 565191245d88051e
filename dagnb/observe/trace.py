"""A run as a timeline: what happened when, on which worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any

from dagnb.events import Event, NodeSettled, RunFinished, RunStarted
from dagnb.results import ExecutionResult, NodeResult, NodeStatus


class TraceEventType(Enum):
    """What an event of a trace says.

    Nothing runs step by step, so no trace has an event of a step; the names are there for code
    that asks for them.
    """

    EXECUTION_STARTED = "execution_started"
    NODE_STARTED = "node_started"
    NODE_COMPLETED = "node_completed"
    NODE_FAILED = "node_failed"
    NODE_SKIPPED = "node_skipped"
    NODE_TIMED_OUT = "node_timed_out"
    NODE_CANCELLED = "node_cancelled"
    NODE_CACHE_HIT = "node_cache_hit"
    NODE_REUSED = "node_reused"
    STEP_STARTED = "step_started"
    STEP_COMPLETED = "step_completed"
    EXECUTION_COMPLETED = "execution_completed"

    @property
    def ends_node(self) -> bool:
        """Whether this is the last event of a node."""
        return self.value.startswith("node_") and self is not TraceEventType.NODE_STARTED


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One moment of a run.

    Attributes
    ----------
    event_type : TraceEventType
    timestamp : float
        Seconds since the run began.
    node_name : str or None
        None for the run itself.
    duration : float or None
        Seconds that ended here.
    error : str or None
        What the task raised, as text.
    metadata : mapping
        For the last event of a node: ``worker``, ``executed``, ``changed``, ``reason`` and
        ``attempts``.
    """

    event_type: TraceEventType
    timestamp: float
    node_name: str | None = None
    duration: float | None = None
    error: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class ExecutionTrace:
    """The events of a run. Times of a node are when its task ran in its worker.

    Examples
    --------
    >>> from dagnb import DAG, DAGExecutor
    >>> dag = DAG.builder().add_edge("a", "b").build()
    >>> executor = DAGExecutor(dag, enable_tracing=True)
    >>> trace = executor.execute({"a": lambda: 1, "b": lambda a: a + 1}).trace
    >>> [event.event_type.value for event in trace.events_for_node("b")]
    ['node_started', 'node_completed']
    """

    def __init__(self) -> None:
        self._events: list[TraceEvent] = []
        self._began = perf_counter()

    def begin(self, at: float) -> None:
        """Count times from ``at``, a reading of ``perf_counter()``."""
        self._began = at

    def record(
        self,
        event_type: TraceEventType,
        *,
        node_name: str | None = None,
        duration: float | None = None,
        error: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        at: float | None = None,
    ) -> None:
        """Add an event that happens now, or at the reading ``at`` of ``perf_counter()``."""
        timestamp = (perf_counter() if at is None else at) - self._began
        self._events.append(
            TraceEvent(event_type, timestamp, node_name, duration, error, metadata or {})
        )

    @property
    def events(self) -> list[TraceEvent]:
        """All events in the order of their times."""
        return sorted(self._events, key=lambda event: event.timestamp)

    def events_for_node(self, name: str) -> list[TraceEvent]:
        """Return the events of one node in the order of their times."""
        return [event for event in self.events if event.node_name == name]

    def summary(self) -> str:
        """Return a table with one line a node: start, end, duration, status, what was done.

        Times are in seconds since the run began; a node that did not run has none.
        """
        rows: list[tuple[str, ...]] = [("node", "start", "end", "duration", "status", "")]
        rows += [_row(event) for event in self.events if event.event_type.ends_node]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        return "\n".join(_aligned(row, widths) for row in rows)

    def to_json(self) -> str:
        """Return the events as a JSON list of objects; what is not known is left out."""
        return json.dumps([_as_data(event) for event in self.events], indent=2)

    def to_chrome_trace(self) -> str:
        """Return the run in Chrome's trace format, one lane a worker.

        Open it in https://ui.perfetto.dev or ``chrome://tracing``. Reused nodes are left out.
        """
        lanes: dict[str, int] = {"run": 0}
        spans = [span for event in self.events if (span := _span(event, lanes)) is not None]
        named = [
            {"name": "thread_name", "ph": "M", "pid": 1, "tid": lane, "args": {"name": name}}
            for name, lane in lanes.items()
        ]
        return json.dumps({"traceEvents": named + spans, "displayTimeUnit": "ms"}, indent=1)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the run to a file in Chrome's trace format; see `to_chrome_trace`.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        Path(path).expanduser().write_text(self.to_chrome_trace(), encoding="utf-8")

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"<ExecutionTrace {len(self)} events>"


class Tracer:
    """An observer that records a trace and puts it into the result when the run is over.

    Parameters
    ----------
    clock : callable
        Says when events happen that have no time of their own.

    Attributes
    ----------
    trace : ExecutionTrace
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self.trace = ExecutionTrace()

    def __call__(self, event: Event) -> None:
        """Record one event; called on the driver's thread."""
        if isinstance(event, NodeSettled):
            self._settled(event.result)
        elif isinstance(event, RunStarted):
            self.trace.begin(event.at)
            self.trace.record(TraceEventType.EXECUTION_STARTED, at=event.at)
        elif isinstance(event, RunFinished):
            self._reused(event.result.node_results.values())
            seconds = event.result.total_duration_seconds
            kind, now = TraceEventType.EXECUTION_COMPLETED, self._clock()
            self.trace.record(kind, duration=seconds, at=now)
            event.result.trace = self.trace

    def _settled(self, result: NodeResult) -> None:
        name, ran = str(result.name), result.executed and result.started > 0.0
        if ran:
            self.trace.record(TraceEventType.NODE_STARTED, node_name=name, at=result.started)
        self.trace.record(
            TraceEventType[f"NODE_{result.status.name}"],
            node_name=name,
            duration=result.duration_seconds if ran else None,
            error=None
            if result.error is None
            else f"{type(result.error).__name__}: {result.error}",
            metadata={
                "worker": result.worker,
                "executed": result.executed,
                "changed": result.changed,
                "reason": result.reason,
                "attempts": result.attempts,
            },
            at=result.started + result.duration_seconds if ran else self._clock(),
        )

    def _reused(self, results: Iterable[NodeResult]) -> None:
        """Add the nodes that the run did not touch; they make no events while it goes."""
        settled = {event.node_name for event in self.trace.events if event.event_type.ends_node}
        for result in results:
            if result.status is NodeStatus.COMPLETED and result.name not in settled:
                self.trace.record(
                    TraceEventType.NODE_REUSED,
                    node_name=str(result.name),
                    metadata={"executed": False, "changed": False, "reason": result.reason},
                    at=self._clock(),
                )


def trace_of(
    result: ExecutionResult, settled: Iterable[NodeResult], began: float
) -> ExecutionTrace:
    """Return the trace of a run that is over, and put it into the result.

    Parameters
    ----------
    settled : iterable of NodeResult
        Of the nodes that the run looked at, in the order in which they settled.
    began : float
        A reading of ``perf_counter()``.
    """
    latest = began
    tracer = Tracer(lambda: latest)
    tracer(RunStarted((), began))
    for each in settled:
        if each.executed:
            latest = max(latest, each.started + each.duration_seconds)
        tracer(NodeSettled(each))
    latest = max(latest, began + result.total_duration_seconds)
    tracer(RunFinished(result))
    return tracer.trace


def _row(event: TraceEvent) -> tuple[str, ...]:
    name, seconds = event.node_name or "", event.duration
    if seconds is None:
        times = ["-", "-", "-"]
    else:
        times = [f"{at:.6f}" for at in (event.timestamp - seconds, event.timestamp, seconds)]
    status = event.event_type.value.removeprefix("node_").replace("_", " ")
    if status == "reused":
        status = "completed"
    return (name, *times, status, _done(event))


def _done(event: TraceEvent) -> str:
    """Say whether a node's value was computed, and if so whether it differs."""
    kind = event.event_type
    if kind is TraceEventType.NODE_REUSED or kind is TraceEventType.NODE_CACHE_HIT:
        return "reused"
    if kind is not TraceEventType.NODE_COMPLETED:
        return str(event.error or event.metadata.get("reason", ""))
    if not event.metadata.get("executed", True):
        return "reused"
    return "recomputed" if event.metadata.get("changed", True) else "recomputed, same value"


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    name, *times, status, done = row
    cells = [name.ljust(widths[0])]
    cells += [each.rjust(width) for each, width in zip(times, widths[1:4], strict=True)]
    return "  ".join([*cells, status.ljust(widths[4]), done]).rstrip()


def _as_data(event: TraceEvent) -> dict[str, Any]:
    data: dict[str, Any] = {"event_type": event.event_type.value, "timestamp": event.timestamp}
    for key in ("node_name", "duration", "error"):
        if (value := getattr(event, key)) is not None:
            data[key] = value
    return data | ({"metadata": dict(event.metadata)} if event.metadata else {})


def _span(event: TraceEvent, lanes: dict[str, int]) -> dict[str, Any] | None:
    """Return an event as a span or, if it took no time, as an instant; None to leave it out."""
    kind, seconds = event.event_type, event.duration
    if kind is TraceEventType.EXECUTION_COMPLETED:
        name, lane, seconds = "run", "run", event.duration or 0.0
    elif kind.ends_node and kind is not TraceEventType.NODE_REUSED:
        name, lane = str(event.node_name), _lane(event)
    else:
        return None
    shared = {"name": name, "cat": kind.value, "pid": 1, "tid": lanes.setdefault(lane, len(lanes))}
    arguments = {key: value for key, value in _as_data(event).items() if key == "error"}
    shared["args"] = arguments | dict(event.metadata)
    if seconds is None:
        return shared | {"ph": "i", "s": "t", "ts": event.timestamp * 1e6}
    return shared | {"ph": "X", "ts": (event.timestamp - seconds) * 1e6, "dur": seconds * 1e6}


def _lane(event: TraceEvent) -> str:
    """Name the worker; an abandoned task gets a lane of its own, since its worker is not known."""
    worker = event.metadata.get("worker")
    if event.duration is None:
        return "run"
    if event.event_type in _GIVEN_UP and not worker:
        return f"abandoned: {event.node_name}"
    return str(worker or "main")


_GIVEN_UP = (TraceEventType.NODE_TIMED_OUT, TraceEventType.NODE_CANCELLED)
