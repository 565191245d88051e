"""What a run does again: nodes whose values were lost, came out different, and had been used."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from dagnb.errors import UpstreamDrift
from dagnb.results import ExecutionResult, NodeStatus
from dagnb.run.engine import Engine
from dagnb.run.records import HOW, VALUE

MOST_TIMES = 3  # a run begins anew; beyond, its nodes fail with what happened
LOST = "its value was lost with its worker, and came out different"


def until_none_drifts(
    engine: Engine,
    drive: Callable[[Engine, float | None], ExecutionResult],
    timeout: float | None,
) -> ExecutionResult:
    """Drive an engine to the end, and another for what has to run again, if anything has."""
    began = perf_counter()
    result = drive(engine, timeout)
    for _ in range(MOST_TIMES):
        causes = _causes(engine)
        if not causes:
            break
        engine, spent = _again(engine, causes), perf_counter() - began
        result = drive(engine, None if timeout is None else max(0.0, timeout - spent))
    return result


def _causes(engine: Engine) -> dict[int, str]:
    """Return the nodes to begin with: those that were lost, and whatever has no value."""
    memory = engine._memory
    errors = [last[HOW].error for node in memory.stale if (last := memory.records[node])]
    drifts = [error for error in errors if isinstance(error, UpstreamDrift)]
    lost = {id(value) for drift in drifts for value in drift.values}
    if not lost or engine._growth is not None or _was_cancelled(engine):
        return {}
    causes = dict.fromkeys(memory.stale, "an input of it was lost")
    for node, last in enumerate(memory.records):
        if last is not None and id(last[VALUE]) in lost:
            causes[node] = LOST
    return causes


def _was_cancelled(engine: Engine) -> bool:
    return engine._stopped is not None and engine._stopped[0] is NodeStatus.CANCELLED


def _again(engine: Engine, causes: dict[int, str]) -> Engine:
    """Return an engine that goes on from what there is; both count as one run."""
    memory, since = engine._memory, engine.results.since
    again = Engine(
        engine._tasks,
        memory,
        memory.scan(causes),
        engine._policies,
        engine._observers,
        causes,
        fail_fast=engine._fail_fast,
        compare=engine._compare,
    )
    memory.take_stale()
    again.results.since = since
    return again
