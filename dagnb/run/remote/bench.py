"""The processes beside a worker of a cluster: each call has one of its own.

So the worker, which may hold the values of others, does not end when a task crashes, is late, or
holds the interpreter's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import xxhash

from dagnb.errors import UpstreamDrift
from dagnb.run.remote.calls import as_it_came
from dagnb.run.remote.handle import About
from dagnb.run.remote.processes import Processes, Running
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.slot import Sendable


class Order(NamedTuple):
    """A call, packed, without its inputs.

    Attributes
    ----------
    topic : str
        Names who sent it, and where to tell what comes of it.
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


class Bench:
    """The processes of one worker, of the last edition for each topic."""

    def __init__(self) -> None:
        self._processes: dict[str, tuple[str, Processes]] = {}
        self._lock = threading.Lock()

    def processes(self, order: Order) -> Processes:
        """Return those that an order may be performed in."""
        with self._lock:
            edition, found = self._processes.get(order.topic, ("", None))
            if found is None or edition != order.edition:
                if found is not None:
                    found.end_idle()
                found = Processes(unpack=as_it_came)
                self._processes[order.topic] = order.edition, found
            return found


@cache
def bench() -> Bench:
    """Return the bench of this worker."""
    return Bench()


def begin(
    order: Order,
    inputs: Shipped,
    along: Sequence[object],
    ready: Callable[[], None] | None = None,
) -> Running:
    """Begin to perform an order in a process of its own; ``ready`` is called right before.

    Raises
    ------
    UpstreamDrift
        A value that goes along is not the one that its node was told to have.
    """
    taken = [each for each in along if isinstance(each, Shipped)]
    if [each.about for each in taken] != list(order.expected):
        wrong = [number for number, each in enumerate(along) if _is_other(each, order, number)]
        raise UpstreamDrift(wrong)
    key = xxhash.xxh3_128_intdigest(order.function)
    sent = [Shipped(bytes(each.data), each.files, about=each.about) for each in taken]
    call = Sendable(
        key, order.function, order.names, bytes(inputs.data), sent, inputs.files, looks=True
    )
    running = Running(bench().processes(order), call)
    running.begin(ready)
    return running


def _is_other(value: object, order: Order, number: int) -> bool:
    return not isinstance(value, Shipped) or value.about != order.expected[number]
