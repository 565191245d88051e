"""What wakes a thread that waits, where either may be interrupted at any instant.

``threading.Event``, ``Condition`` and futures take their lock in Python code. If Ctrl-C or Stop
comes right after that, the lock is never released, and whoever asks for it next hangs. A queue in
C has no such instant.
"""

from __future__ import annotations

import math
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TypeVar

Value = TypeVar("Value")


class Bell:
    """Rung by any thread, waited for by one at a time; rings that nobody heard are one ring.

    Examples
    --------
    >>> bell = Bell()
    >>> bell.ring()
    >>> bell.ring()
    >>> bell.wait(1), bell.wait(0.01)
    (True, False)
    """

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        """Wake who waits, or who waits next."""
        if self._rings.empty():
            self._rings.put(None)

    def wait(self, seconds: float | None) -> bool:
        """Wait so long for a ring, or without end; say whether there was any since the last one."""
        try:
            self._rings.get(timeout=seconds)
        except Empty:
            return False
        return True


class Awaited(Future[Value]):
    """A future whose result a thread may wait for that can be interrupted.

    Attributes
    ----------
    is_over : bool
        Whether it has a result or an exception.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_over = False
        self._bell = Bell()
        self._held: tuple[Value | None, BaseException | None] = None, None
        self.add_done_callback(lambda _: self._hold())

    def _hold(self) -> None:
        error = self.exception()
        self._held = None if error is not None else self.result(), error
        self.is_over = True
        self._bell.ring()

    def wait_for(self, tick_seconds: float, timeout: float | None = None) -> Value:
        """Return the result, waking up every tick to see a signal.

        Raises
        ------
        TimeoutError
            There was none after so many seconds.
        """
        deadline = math.inf if timeout is None else monotonic() + timeout
        while not self.is_over:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError(f"not over after {timeout:g} s")
            self._bell.wait(min(tick_seconds, left))
        self._bell.ring()  # for others that wait
        value, error = self._held
        if error is not None:
            raise error
        return value  # type: ignore[return-value]  # there is one if there is no error
