"""What a worker of Ray does with a call: it has a process of its own perform it.

A large value is put into Ray's object store, packed, and who takes it gets a copy. All else that
came of a call is told to who asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from typing import NamedTuple

from dagnb.errors import UpstreamDrift
from dagnb.run.call import Report
from dagnb.run.remote.bench import Order, begin
from dagnb.run.remote.calls import Unopened, not_sent, pack_head
from dagnb.run.remote.handle import About
from dagnb.run.remote.processes import Running
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.slot import SLICE_SECONDS
from dagnb.run.remote.travel import OUT_OF_BAND_BYTES


class Told(NamedTuple):
    """What travels to who asked.

    Attributes
    ----------
    head : bytes
        The packed report, without the value.
    value : bytes or None
        The packed value, if it is small.
    about : About or None
        What is known of a value that stays.
    worker : str
    """

    head: bytes
    value: bytes | None
    about: About | None
    worker: str


def steps(order: Order, inputs: Shipped, *along: object) -> Iterator[object]:
    """Perform a call; yield what may be heard of it, its value if that stays, then `Told`.

    What may be heard is who performs it, what it tells while it runs, and None when it is over.
    """
    try:
        running = begin(order, inputs, along)
    except UpstreamDrift as drift:
        running, report = None, not_sent(drift)
    try:
        yield _own_name()
        if running is not None:
            report = yield from _awaited(running)
    except BaseException:  # it was given up
        if running is not None:
            running.give_up()
        raise
    yield None
    value, told = _outcome(report)
    yield value
    yield told


def perform_on_worker(order: Order, inputs: Shipped, *along: object) -> tuple[object, object]:
    """Perform a call; return its value if that stays, and `Told`."""
    *_, value, told = steps(order, inputs, *along)
    return value, told


def version() -> str:
    """Return the version of dagnb over here."""
    return str(sys.modules["dagnb"].__version__)


def _own_name() -> str:
    return f"worker {os.getpid()}"


def _awaited(running: Running) -> Generator[bytes, None, Report]:
    """Wait in slices, between which Ray's interrupt comes through, and Ray's end is noticed."""
    parent = os.getppid()
    while True:
        report = running.wait(SLICE_SECONDS)
        while running.news:
            yield running.news.popleft()
        if report is not None:
            return report
        if os.getppid() != parent:  # Ray itself looks for 1, which not every system gives orphans
            running.give_up()
            os._exit(1)


def _outcome(report: Report) -> tuple[object, Told]:
    worker = _own_name()
    if report.error is not None:
        return None, Told(pack_head(report, report.error), None, None, worker)
    came: Unopened = report.value
    if came.value.size < OUT_OF_BAND_BYTES:
        return None, Told(came.head, bytes(came.value.data), None, worker)
    return came.value, Told(came.head, None, came.value.about, worker)
