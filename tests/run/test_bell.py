"""Whoever waits may be interrupted at any instant, and nobody else hangs for it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import pytest

from dagnb.notebook import one_run
from dagnb.run.bell import Awaited, Bell

SHORT = 0.001


def interrupted(instant: int, function: Callable[[], object]) -> bool:
    """Raise ``KeyboardInterrupt`` before an instruction; say whether there are so many.

    All Python code counts that the function runs, the standard library's too.
    """
    seen = 0

    def trace(frame: FrameType, kind: str, argument: object) -> Any:
        nonlocal seen
        frame.f_trace_opcodes = True
        if kind == "opcode":
            seen += 1
            if seen == instant:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks when tracing begins
    sys.settrace(trace)
    try:
        function()
    except (KeyboardInterrupt, TimeoutError):
        pass
    finally:
        sys.settrace(before)
    return seen >= instant


def ends_elsewhere(function: Callable[[], object]) -> bool:
    """Whether a function ends in another thread."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def test_who_waits_for_a_result() -> None:
    """It can be given all the same, and taken by the next who waits."""
    for instant in count(1):
        awaited: Awaited[int] = Awaited()
        if not interrupted(instant, lambda each=awaited: each.wait_for(SHORT, SHORT)):
            break
        assert not awaited.is_over
        assert ends_elsewhere(lambda each=awaited: each.set_result(1)), instant
        assert awaited.wait_for(1, 10) == 1
    assert instant > 20


def test_who_takes_a_result() -> None:
    """It can be taken again, here and elsewhere."""
    for instant in count(1):
        awaited: Awaited[int] = Awaited()
        awaited.set_result(1)
        if not interrupted(instant, lambda each=awaited: each.wait_for(SHORT)):
            break
        assert ends_elsewhere(lambda each=awaited: each.wait_for(1)), instant
        assert awaited.wait_for(1) == 1
    assert instant > 10


def test_an_exception() -> None:
    """It is raised by each who waits."""
    awaited: Awaited[int] = Awaited()
    with pytest.raises(TimeoutError, match=r"not over after 0\.001 s"):
        awaited.wait_for(1, SHORT)
    awaited.set_exception(ValueError("odd"))
    assert awaited.is_over
    for _ in range(2):
        with pytest.raises(ValueError, match="odd"):
            awaited.wait_for(1)


def test_who_waits_for_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends, and another may begin."""
    monkeypatch.setattr(one_run, "TICK_SECONDS", SHORT)
    for instant in range(1, 200):
        run = one_run.OneRun()
        run.begin(in_background=True)
        run.hand_over()
        assert interrupted(instant, run.wait)
        assert ends_elsewhere(run.end), instant
        run.wait()
        run.begin()
        run.end()


def test_who_rings() -> None:
    """It rings or does not; the next ring is heard."""
    for instant in count(1):
        bell = Bell()
        if not interrupted(instant, bell.ring):
            break
        assert ends_elsewhere(bell.ring), instant
        assert bell.wait(10)
        assert not bell.wait(SHORT)
    assert instant > 5
