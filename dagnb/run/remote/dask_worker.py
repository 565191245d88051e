"""What a worker of Dask does with a call: it has a process of its own perform it.

So the worker, which holds the values of others, does not end when a task crashes, is late, or
holds the interpreter's lock. Large values stay here packed, with their digest; who takes one gets
a copy. Everything else is told to who asked, through the scheduler, as an event.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import xxhash

from dagnb.errors import UpstreamDrift
from dagnb.run.call import Report
from dagnb.run.remote.calls import Unopened, as_it_came, not_sent, pack_head
from dagnb.run.remote.handle import About
from dagnb.run.remote.processes import Processes, Running
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.slot import Sendable
from dagnb.run.remote.travel import OUT_OF_BAND_BYTES

if TYPE_CHECKING:
    from distributed.worker import Worker

SLICE_SECONDS = 0.05  # how often it is looked whether a call was given up


class Order(NamedTuple):
    """A call, packed, without its inputs.

    Attributes
    ----------
    topic : str
        Where to tell what comes of it.
    attempt : str
        Names this one time that the call is performed.
    edition : str
        Of the modules that people edit; another one needs processes that have imported nothing.
    function : bytes
    names : sequence of str
        Of those inputs that are keywords, the last ones.
    expected : sequence of About
        What the values that go along were when they were made.
    """

    topic: str
    attempt: str
    edition: str
    function: bytes
    names: Sequence[str]
    expected: Sequence[About]


class _Bench:
    """The processes of one worker, of the last edition each, and what they are to give up."""

    def __init__(self) -> None:
        self._processes: dict[str, tuple[str, Processes]] = {}
        self._lock = threading.Lock()
        self.given_up: set[str] = set()

    def processes(self, order: Order) -> Processes:
        with self._lock:
            edition, found = self._processes.get(order.topic, ("", None))
            if found is None or edition != order.edition:
                if found is not None:
                    found.end_idle()
                found = Processes(unpack=as_it_came)
                self._processes[order.topic] = order.edition, found
            return found


@cache
def _bench() -> _Bench:
    return _Bench()


def give_up(attempts: Sequence[str]) -> None:
    """Kill the processes of calls that nobody waits for any more, and what they started."""
    _bench().given_up.update(attempts)


def perform_on_worker(order: Order, inputs: Shipped, *along: object) -> Shipped | None:
    """Perform a call, tell what came of it, and return its value if that is to stay here."""
    from distributed import get_worker

    worker = get_worker()
    _tell(worker, order, begun=True)
    report = _performed(order, inputs, along)
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


def _performed(order: Order, inputs: Shipped, along: Sequence[object]) -> Report | None:
    """Have a call performed; None if it was given up."""
    other = [number for number, each in enumerate(along) if _is_other(each, order.expected[number])]
    if other:
        return not_sent(UpstreamDrift(other))
    taken = [each for each in along if isinstance(each, Shipped)]
    key = xxhash.xxh3_128_intdigest(order.function)
    call = Sendable(
        key, order.function, order.names, bytes(inputs.data), taken, inputs.files, looks=True
    )
    running = Running(_bench().processes(order), call)
    running.begin()
    return _awaited(running, order.attempt)


def _is_other(value: object, expected: About) -> bool:
    """Whether a value is not the one that its node was told to have: it was made again."""
    return not isinstance(value, Shipped) or value.about != expected


def _awaited(running: Running, attempt: str) -> Report | None:
    given_up = _bench().given_up
    while attempt not in given_up:
        report = running.wait(SLICE_SECONDS)
        if report is not None:
            return report
    running.give_up()
    with suppress(KeyError):
        given_up.remove(attempt)
    return None
