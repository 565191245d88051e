"""Ctrl-C: the first one lets what runs end and starts nothing more, the second one stops it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

EXIT_CODE = 128


class Stopping:
    """Takes over Ctrl-C and termination for a while, on the main thread.

    Parameters
    ----------
    drain : callable
        Lets nothing more start; called by the first Ctrl-C.
    say : callable
        Tells what was understood.

    Attributes
    ----------
    signal : int
        The last signal that arrived; 0 for none.
    """

    def __init__(self, drain: Callable[[], None], say: Callable[[str], None]) -> None:
        self._drain, self._say = drain, say
        self.signal = 0

    def __enter__(self) -> Stopping:
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {each: signal.signal(each, self._arrived) for each in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def exit_code(self) -> int:
        """What a shell gives for a process that a signal ended; 0 for none."""
        return EXIT_CODE + self.signal if self.signal else 0

    def was_interrupted(self) -> None:
        """Take an interrupt that came without a signal, from a user's own code, for Ctrl-C."""
        self.signal = self.signal or signal.SIGINT

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        is_first, self.signal = not self.signal, number
        self._drain()
        if is_first and number == signal.SIGINT:
            self._say("stopping when what runs has ended; Ctrl-C again stops it at once")
            return
        raise KeyboardInterrupt
