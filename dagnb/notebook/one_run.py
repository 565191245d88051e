"""One run at a time: who is it, who waits for it, who is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dagnb.errors import DagError
from dagnb.notebook.capture import is_capturing
from dagnb.run.bell import Bell

NOT_YET = -1  # in place of the thread of a run in the background that is about to begin
TICK_SECONDS = 0.1  # how often a waiting thread wakes up to see a signal
WAITING = "waiting for the run in the background; Stop ends the waiting, %dag stop ends the run"


class OneRun:
    """Lets one run go on at a time; clicks in the live graph come from other threads.

    What needs the graph as it is waits for a run in the background and is refused during any
    other: that one holds up whoever could ask, but for clicks and its own nodes.

    Attributes
    ----------
    thread : int or None
        The identity of the thread that runs, if any does.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = Bell()
        self._in_background = False
        self.thread: int | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether a run goes on in another thread than this one."""
        return self.thread not in (None, threading.get_ident())

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Be the one run for a while, as soon as one in the background is over.

        Raises
        ------
        DagError
            Another one goes on.
        """
        self.wait()
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self, *, in_background: bool = False) -> None:
        """Be the one run until `end`, which another thread may call.

        Raises
        ------
        DagError
            Another one goes on.
        """
        if not self._lock.acquire(blocking=False):
            raise self._refusal()
        self._in_background, self.thread = in_background, threading.get_ident()

    def hand_over(self) -> None:
        """Note that the run goes on in a thread that is about to begin."""
        self.thread = NOT_YET

    def take_over(self) -> None:
        """Note that the run goes on in this thread now."""
        self.thread = threading.get_ident()

    def end(self) -> None:
        """Let others begin."""
        self.thread = None
        self._lock.release()
        self._over.ring()

    def recover(self) -> None:
        """End a run that an interrupt kept from ending itself; called when a cell begins."""
        if not self._lock.locked() or self._in_background or is_capturing():
            return  # the last: a node executes a cell
        if self.thread in (None, threading.get_ident()):
            self.end()

    def wait(self) -> None:
        """Wait for the end of a run in the background, and say so.

        Raises
        ------
        DagError
            Another run goes on: it needs the graph as it is.
        """
        if not self._lock.locked():
            return
        if not self._in_background or self._is_within():
            raise self._refusal()
        print(WAITING)
        while self._lock.locked():
            self._over.wait(TICK_SECONDS)

    def _is_within(self) -> bool:
        """Whether this is a node that runs."""
        return self.thread == threading.get_ident() or is_capturing()

    def _refusal(self) -> DagError:
        """Say whether a node tries to run or edit, or somebody else does."""
        if self._is_within():
            return DagError(
                "a node cannot start a run or change the graph while it runs; name the nodes it "
                "needs in its code, and they are its inputs"
            )
        if self._in_background:
            return DagError(
                "a run is going on in the background; await it, or end it with %dag stop"
            )
        return DagError("a run is going on; wait for it, or stop it")
