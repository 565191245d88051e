"""Processes of this machine, one call each: what one of them does hurts no other.

Not a pool of the standard library's or loky's: in a shared one a crash fails innocent calls, a
call that is late cannot be killed alone, and a killed parent leaves orphans.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from dagnb.errors import BackendError, NotSendableError
from dagnb.run.call import Call, Report
from dagnb.run.remote.backend import Attempt, Done
from dagnb.run.remote.calls import not_sent, pack_inputs, unpack_report
from dagnb.run.remote.channel import shared
from dagnb.run.remote.handle import without
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.slot import IDLE, Sendable, Slot, Unpack
from dagnb.run.remote.travel import Functions
from dagnb.run.threads import has_threads


class Processes:
    """Performs each call in a process that has nothing else to do.

    A call that is given up is killed, with everything that it started, whatever it does. One that
    crashes its process has failed, and no other notices. Functions and values are pickled;
    each call gets a function of its own, so that what it does to its variables stays there.

    Parameters
    ----------
    ships : bool
        Whether large values are left in shared memory until somebody looks at them, as `Shipped`.
    unpack : callable, optional
        Makes a report of what comes back, if that is not to be opened here.

    Attributes
    ----------
    unpack : callable
        Makes a report of what comes back.
    slots : None
        As many processes are started as calls are out at once.

    Raises
    ------
    BackendError
        The system is Windows or a browser, which lack what this is made of.
    """

    slots: int | None = None

    def __init__(self, *, ships: bool = False, unpack: Unpack | None = None) -> None:
        self.unpack = unpack or partial(unpack_report, ships=ships)
        if not has_threads():
            raise BackendError("processes", "needs processes; Python in a browser has none")
        if os.name == "nt":
            raise BackendError("processes", "needs Linux or macOS; use threads here")
        self._idle: list[Slot] = []
        self._busy: set[Slot] = set()
        self.functions = Functions()
        self._lock = threading.Lock()
        IDLE.refresh()

    def submit(self, call: Call) -> Attempt:
        """Begin to perform a call in a process that is idle, or in a new one."""
        try:
            packed = sendable(self, call)
        except NotSendableError as error:
            return Done(not_sent(error))
        attempt = Running(self, packed)
        attempt.begin()
        return attempt

    def take(self) -> Slot:
        """Return a slot that is idle, or a new one."""
        with self._lock:
            slot = self._idle.pop() if self._idle else IDLE.take()
            self._busy.add(slot)
        return slot

    def give_back(self, slot: Slot) -> None:
        """Take a slot back that has nothing to do."""
        with self._lock:
            self._busy.discard(slot)
            self._idle.append(slot)

    def drop(self, slot: Slot) -> None:
        """End a slot, whatever it does."""
        with self._lock:
            self._busy.discard(slot)
        slot.close()

    def end_idle(self) -> None:
        """End those that have nothing to do."""
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Kill what is still at work; keep the others for the next run."""
        with self._lock:
            condemned, self._busy = self._busy, set()
        for slot in condemned:
            slot.is_condemned = True
            slot.kill()
        while self._idle:
            IDLE.give(self._idle.pop())
        self.functions.clear()


def sendable(processes: Processes, call: Call) -> Sendable:
    """Return a call as a slot sends it.

    Raises
    ------
    NotSendableError
        Its function or an input of it cannot be sent.
    """
    key, function = processes.functions.packed(call.function)
    call, along = without(call, lambda handle: isinstance(handle, Shipped))
    names, inputs = pack_inputs(call)
    return Sendable(key, function, names, inputs.data, along, shared(inputs.buffers))


class Running:
    """An `Attempt`: a call that a slot performs."""

    is_queued = False

    def __init__(self, processes: Processes, call: Sendable) -> None:
        self._processes, self._call = processes, call
        self.news: deque[bytes] = deque()
        self._slot = processes.take()

    @property
    def place(self) -> str:
        """The process."""
        return self._slot.name

    def begin(self, ready: Callable[[], None] | None = None) -> None:
        """Send the call; that the process has gone is found when it is waited for.

        ``ready`` is called when there is a process, and the call has not been sent.
        """
        self._slot.news = self.news
        try:
            with suppress(EOFError, OSError):
                self._slot.wait_until_ready()
                if ready is not None:
                    ready()
                self._slot.send([self._call])
        except BaseException:
            self.give_up()
            raise

    def wait(self, seconds: float) -> Report | None:
        """Wait so long for what came of it."""
        report = self._slot.receive(seconds, self._processes.unpack)
        if report is None:
            return None
        if not self._slot.is_lost:
            self._processes.give_back(self._slot)
            return report
        has_begun = not self._slot.take_back(1)
        self._processes.drop(self._slot)
        if has_begun or self._slot.is_condemned:
            return report
        self._slot = self._processes.take()  # the other one died while it had nothing to do
        self.begin()
        return None

    def give_up(self) -> None:
        """Kill what performs it."""
        self._processes.drop(self._slot)
