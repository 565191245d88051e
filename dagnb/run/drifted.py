"""What a run does again: nodes whose values were lost, came out different, and had been used."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from dagnb.errors import UpstreamDrift
from dagnb.run.engine import Engine
from dagnb.run.records import HOW, VALUE

MOST_TIMES = 3  # a run begins anew; beyond, its nodes fail with what happened
LOST = "its value was lost with its worker, and came out different"


def until_none_drifts(
    engine: Engine, timeout: float | None
) -> Iterator[tuple[Engine, float | None]]:
    """Yield an engine to drive to its end, and others for what has to run again, if anything has.

    Each comes with the seconds that are left for it. What the last one came to is the result.
    """
    began = perf_counter()
    yield engine, timeout
    for _ in range(MOST_TIMES):
        causes = _causes(engine)
        if not causes:
            return
        engine, spent = engine.again(causes), perf_counter() - began
        yield engine, None if timeout is None else max(0.0, timeout - spent)


def _causes(engine: Engine) -> dict[int, str]:
    """Return the nodes to begin with: those that were lost, and whatever has no value."""
    memory = engine.memory
    errors = [last[HOW].error for node in memory.stale if (last := memory.records[node])]
    drifts = [error for error in errors if isinstance(error, UpstreamDrift)]
    lost = {id(value) for drift in drifts for value in drift.values}
    if not lost or engine.was_cancelled:
        return {}
    causes = dict.fromkeys(memory.stale, "an input of it was lost")
    for node, last in enumerate(memory.records):
        if last is not None and id(last[VALUE]) in lost:
            causes[node] = LOST
    return causes
