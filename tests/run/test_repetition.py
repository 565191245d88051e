from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

import pytest

from dagnb.errors import DagError
from dagnb.run.repetition import Setting, Step, packed, perform, repeat, same_value
from dagnb.values.fingerprint import digest


def raw() -> list[int]:
    """A root."""
    print("what a node prints is not the answer")
    return [3, 1, 2]


def ordered(raw: list[int]) -> list[int]:
    """Its first line is harmless."""
    first = raw[0]
    raw.sort()
    return [first, *raw]


async def later(raw: list[int], /, by: int) -> int:
    """Takes its input by position."""
    await asyncio.sleep(0)
    return len(raw) * by


def hashed() -> int:
    """Another one for each hash seed."""
    return hash("a")


def crash() -> None:
    """End the process."""
    os._exit(3)


STEPS = [
    Step("raw", raw),
    Step("later", later, ("raw",), {"by": 2}),
    Step("hashed", hashed),
    Step("fails", lambda raw: raw / 0, ("raw",)),
    Step("below", lambda fails: fails, ("fails",)),
]
ORDER = ("below", "fails", "hashed", "later", "raw")


def test_outcomes_are_digests_of_inputs_and_values() -> None:
    """Nodes without a value say why; those below them are not there."""
    found = repeat(packed(STEPS), Setting(ORDER))
    assert found["raw"].digest == digest([3, 1, 2])
    assert (found["later"].digest, found["later"].inputs) == (digest(6), {"raw": digest([3, 1, 2])})
    assert found["fails"].error.startswith("TypeError: unsupported operand")
    assert "below" not in found


def test_the_hash_seed_is_that_of_the_setting() -> None:
    """The same for the same one."""
    one, same, other = (
        repeat(packed(STEPS), Setting(ORDER, hash_seed=seed))["hashed"].digest for seed in (1, 1, 2)
    )
    assert one == same != other


@pytest.mark.parametrize("is_traced", [False, True])
def test_a_changed_input_is_noticed_and_the_line_if_it_is_looked_for(*, is_traced: bool) -> None:
    """The value is there all the same."""
    steps = [Step("raw", raw), Step("ordered", ordered, ("raw",), is_traced=is_traced)]
    found = perform(steps, Setting(("raw", "ordered")))["ordered"]
    line = ordered.__code__.co_firstlineno + 3 if is_traced else 0
    assert found.changed == {"raw": line}
    assert found.digest == digest([3, 1, 2, 3])
    assert sys.gettrace() is None or not is_traced


def test_who_is_first_in_the_order_runs_first() -> None:
    """As far as the edges let it."""
    ran: list[str] = []
    steps = [Step(name, lambda name=name: ran.append(name)) for name in "abc"]
    steps.append(Step("d", lambda: ran.append("d"), ("b",)))
    perform(steps, Setting(("d", "c", "b", "a")))
    assert ran.index("c") < ran.index("b") < ran.index("a")
    assert ran.index("b") < ran.index("d")


def test_a_value_can_be_given() -> None:
    """In place of what computes it."""
    steps = [Step("raw", same_value([1])), Step("later", later, ("raw",), {"by": 3})]
    assert repeat(packed(steps), Setting(("raw", "later")))["later"].digest == digest(3)


def test_without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a browser's Python it is refused with words."""
    monkeypatch.setattr("sys.platform", "emscripten")
    with pytest.raises(DagError, match="in a process, and Python in a browser has none"):
        repeat(packed([]), Setting(()))


def test_a_process_that_dies_is_told() -> None:
    """With its exit code."""
    with pytest.raises(DagError, match="ended with exit code 3"):
        repeat(packed([Step("crash", crash)]), Setting(("crash",)))


def test_what_cannot_leave_the_process_raises() -> None:
    """As pickle says it."""
    with pytest.raises(TypeError, match="pickle"):
        packed([Step("bound", same_value(sys._getframe()))])


@pytest.mark.skipif(sys.platform != "linux", reason="reaches into /proc")
def test_an_interrupt_ends_the_process() -> None:
    """At once, and it is raised here."""
    reader, writer = os.pipe()
    parent = os.getpid()

    def told() -> None:
        os.write(os.open(f"/proc/{parent}/fd/{writer}", os.O_WRONLY), b"%d" % os.getpid())
        os.kill(parent, signal.SIGINT)
        signal.pause()

    with pytest.raises(KeyboardInterrupt):
        repeat(packed([Step("told", told)]), Setting(("told",)))
    child = int(os.read(reader, 20))
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    os.close(reader)
    os.close(writer)


def forever() -> None:
    """Never end."""
    threading.Event().wait()


def test_a_time_limit_ends_the_process() -> None:
    """However little of it is left."""
    for seconds in (0.0, 0.5):
        with pytest.raises(TimeoutError, match=f"did not end within {seconds:g} s"):
            repeat(packed([Step("forever", forever)]), Setting(("forever",)), seconds)
