"""A process that performs one call at a time, and ends when it is told to or when we do."""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import socket
import subprocess
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from dagnb.errors import WorkerLostError
from dagnb.run.call import Report
from dagnb.run.remote.calls import not_sent, unpack_report
from dagnb.run.remote.channel import Bytes, Channel, SharedFile
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.worker import NEWS, START

MOST_KNOWN = 256  # functions that a process remembers
Unpack = Callable[[Bytes, list[SharedFile]], Report]
SLICE_SECONDS = 0.05  # how often a wait comes back to Python, where an interrupt finds it


class Sendable(NamedTuple):
    """A packed call: its inputs, the values that go along, and the files that are its own.

    With ``looks`` a large value that comes of it is described where it is made.
    """

    key: int
    function: bytes
    names: Sequence[str]
    inputs: bytes
    along: Sequence[Shipped]
    own: Sequence[SharedFile]
    looks: bool = False

    def files(self) -> list[SharedFile]:
        """Return all files, in the order in which they are sent."""
        return [*(file for each in self.along for file in each.files), *self.own]


class Slot:
    """One process, leader of a session and group of its own.

    Starting one takes about a tenth of a second, so it is kept for later runs. It is killed with
    whatever it started: when a call is given up, and by the system when this process ends.

    Attributes
    ----------
    is_lost : bool
        Whether it was found to have ended.
    is_condemned : bool
        Whether its run is over; who waits for it is to close it.
    news : deque of bytes
        Where it is put what its present call tells; who sends one may replace it.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        self._tokens = os.pipe()
        os.set_blocking(self._tokens[0], False)
        left = f"{theirs.fileno()} {self._tokens[0]}"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-c", START],
                stdin=subprocess.PIPE,
                pass_fds=[theirs.fileno(), self._tokens[0]],
                env=environment(DAGNB_SLOT=left, MPLBACKEND="Agg"),
                start_new_session=True,
            )
        self.news: deque[bytes] = deque()
        self._open = list(self._tokens)
        self._owner = os.getpid()
        self._channel = Channel(ours)
        self.is_lost = self.is_condemned = False
        self._is_ready = self._was_killed = False
        self._is_first = True
        self._known: set[int] = set()

    @property
    def name(self) -> str:
        """What people may call it: ``process 4711``."""
        return f"process {self._process.pid}"

    def begin_anew(self) -> None:
        """Let it forget the functions of the last run."""
        self._is_first = True
        self._known.clear()

    def is_alive(self) -> bool:
        """Whether it can be used."""
        return self._owner == os.getpid() and self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait until it has started, so that the time of a call begins with the call.

        Raises
        ------
        EOFError
            It ended at once.
        """
        while not self._is_ready:
            self._is_ready = self._channel.receive(SLICE_SECONDS) is not None

    def send(self, calls: Sequence[Sendable]) -> None:
        """Send calls, to be performed one after another; a function only if it is new.

        Raises
        ------
        OSError
            The process has gone.
        """
        if len(self._known) > MOST_KNOWN:
            self.begin_anew()
        entries = []
        for call in calls:
            function = None if call.key in self._known else call.function
            self._known.add(call.key)
            along = [(each.data, len(each.files), each.about) for each in call.along]
            entry = call.key, function, call.names, call.inputs, along, len(call.own), call.looks
            entries.append(entry)
        data = pickle.dumps((self._is_first, entries), pickle.HIGHEST_PROTOCOL)
        self._is_first = False
        os.write(self._tokens[1], b"." * len(calls))
        self._channel.send(data, [file for call in calls for file in call.files()])

    def take_back(self, most: int) -> int:
        """Let the last of the calls that were sent not begin; return how many, at most so many.

        There is a token for each call; it belongs to who takes it first, the process or we.
        """
        try:
            return len(os.read(self._tokens[0], most)) if most else 0
        except BlockingIOError:
            return 0

    def wait_for_end(self) -> bool:
        """Wait until it has noticed that calls were taken back; False if it ended instead."""
        try:
            while (message := self._channel.receive(SLICE_SECONDS)) is None:
                continue
        except EOFError:
            return False
        return not message[0]

    def receive(self, seconds: float, unpack: Unpack = unpack_report) -> Report | None:
        """Wait so long for the report, or for news; that of a process that died says how."""
        try:
            message = self._channel.receive(seconds)
        except EOFError:
            self.is_lost = True
            return not_sent(WorkerLostError(self.name, self._exit_code()))
        if message is None:
            return None
        if message[0][:1] == NEWS:
            self.news.append(bytes(message[0][1:]))
            return None
        return unpack(*message)._replace(place=self.name)

    def _exit_code(self) -> int:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(1.0)
        self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """End the process and everything in its group, whatever they do."""
        if self._owner != os.getpid() or self._was_killed:
            return
        self._was_killed = True  # its number may be another's soon
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End the process, and what leads to it; nobody may wait for it any more."""
        self.kill()
        self._channel.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        while self._open:
            os.close(self._open.pop())


def environment(**own: str) -> dict[str, str]:
    """Return our environment for another process, which finds the modules that we find."""
    path = os.pathsep.join(each or os.getcwd() for each in sys.path)
    return {**os.environ, "PYTHONPATH": path, **own}


class IdleSlots:
    """Processes that wait for the next run, of this interpreter.

    They have imported modules as those were. Once one of ours has been reloaded or edited, they
    are of no use any more.
    """

    def __init__(self) -> None:
        self._slots: list[Slot] = []
        self._edition = Edition()

    def take(self) -> Slot:
        """Return a slot that waits, or a new one."""
        while self._slots:
            slot = self._slots.pop()
            if slot.is_alive():
                return slot
            slot.close()
        return Slot()

    def give(self, slot: Slot) -> None:
        """Keep a slot for later; one too many ends."""
        if len(self._slots) >= 2 * (os.cpu_count() or 1) or not slot.is_alive():
            slot.close()
            return
        slot.begin_anew()
        self._slots.append(slot)

    def refresh(self) -> None:
        """End those that have imported what is not up to date any more."""
        if self._edition.is_over():
            self.end()

    def end(self) -> None:
        """End all."""
        while self._slots:
            self._slots.pop().close()


@cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths().values()
    return tuple({form for each in paths for form in (each, os.path.realpath(each))})


def own_modules() -> dict[str, tuple[int, float]]:
    """Tell the state of imported modules that people edit: those that are not installed."""
    installed = _installed()
    found: dict[str, tuple[int, float]] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or file.startswith(installed) or name == "__main__":
            continue
        with suppress(OSError):
            found[name] = id(getattr(module, "__spec__", None)), os.stat(file).st_mtime
    return found


class Edition:
    """The modules that people edit, as they were when it was last asked.

    Attributes
    ----------
    number : int
        Another one each time that one had been reloaded or edited.
    """

    def __init__(self) -> None:
        self.number = 0
        self._modules: dict[str, tuple[int, float]] = {}

    def is_over(self) -> bool:
        """Whether what has imported them is not up to date any more; asked once each time."""
        now = own_modules()
        is_over = any(now.get(name) != state for name, state in self._modules.items())
        self._modules = now
        self.number += is_over
        return is_over


IDLE = IdleSlots()
atexit.register(IDLE.end)
