"""What a worker of Dask does with a call: it has a process of its own perform it.

So the worker, which holds the values of others, does not end when a task crashes, is late, or
holds the interpreter's lock. Large values stay here packed, with their digest; who takes one gets
a copy. Everything else is told to who asked, through the scheduler, as an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from dagnb.errors import UpstreamDrift
from dagnb.run.call import Report
from dagnb.run.remote.bench import Order, begin
from dagnb.run.remote.calls import Unopened, not_sent, pack_head
from dagnb.run.remote.processes import Running
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.travel import OUT_OF_BAND_BYTES

if TYPE_CHECKING:
    from distributed.worker import Worker

SLICE_SECONDS = 0.05  # how often it is looked whether a call was given up


@cache
def _given_up() -> set[str]:
    """Return the attempts that nobody waits for any more, which this worker has not seen to."""
    return set()


def give_up(attempts: Sequence[str]) -> None:
    """Kill the processes of calls that nobody waits for any more, and what they started."""
    _given_up().update(attempts)


def perform_on_worker(order: Order, inputs: Shipped, *along: object) -> Shipped | None:
    """Perform a call, tell what came of it, and return its value if that is to stay here."""
    from distributed import get_worker

    worker = get_worker()
    if order.attempt in _given_up():
        _given_up().discard(order.attempt)
        return None
    report = _performed(worker, order, inputs, along)
    if report is None:
        return None
    if report.error is not None:
        _tell(worker, order, head=pack_head(report, report.error))
        return None
    came: Unopened = report.value
    if came.value.size < OUT_OF_BAND_BYTES:
        _tell(worker, order, head=came.head, value=bytes(came.value.data))
        return None
    _tell(worker, order, head=came.head, about=tuple(came.value.about))
    return came.value


def _tell(worker: Worker, order: Order, **what: Any) -> None:
    what |= {"attempt": order.attempt, "worker": worker.address}
    worker.log_event(order.topic, what)


def _performed(
    worker: Worker, order: Order, inputs: Shipped, along: Sequence[object]
) -> Report | None:
    """Have a call performed; None if it was given up."""
    ready = partial(_tell, worker, order, begun=True)  # a process takes time to start
    try:
        running = begin(order, inputs, along, ready)
    except UpstreamDrift as drift:
        return not_sent(drift)
    return _awaited(running, order, worker)


def _awaited(running: Running, order: Order, worker: Worker) -> Report | None:
    """Wait in slices, and tell what the call tells."""
    attempt, given_up = order.attempt, _given_up()
    while attempt not in given_up:
        report = running.wait(SLICE_SECONDS)
        while running.news:
            _tell(worker, order, news=running.news.popleft())
        if report is not None:
            return report
    running.give_up()
    with suppress(KeyError):
        given_up.remove(attempt)
    return None
