"""Observers: each is told once, even if an interrupt comes between two of them."""

from __future__ import annotations

import pytest

from dagnb import DAG
from dagnb.events import Event, NodeSettled, NodeStarted, Observer
from dagnb.results import ExecutionResult
from dagnb.run.audience import Audience
from dagnb.run.drive import Interrupted, drive_inline
from dagnb.run.engine import Engine
from dagnb.run.frontier import Countdown
from dagnb.run.records import Memory


class Interrupting:
    """An observer that is interrupted the first time it hears of a node."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[str] = []

    def __call__(self, event: Event) -> None:
        """Note which nodes settled."""
        if not isinstance(event, NodeSettled):
            return
        name, self.name = self.name, ""
        if event.result.name == name:
            raise KeyboardInterrupt
        self.name = name
        self.heard.append(str(event.result.name))


def test_one_that_raises_is_told_no_more() -> None:
    """The others are."""
    heard: list[Event] = []

    def fails(event: Event) -> None:
        raise ValueError("not mine")

    audience = Audience([fails, heard.append])
    audience.tell("first")  # type: ignore[arg-type]  # it only passes on
    audience.tell("second")  # type: ignore[arg-type]
    assert heard == ["first", "second"]
    assert len(audience) == 1


def interrupted(observers: list[Observer]) -> ExecutionResult:
    """Run two nodes until an observer is interrupted; return what came of them."""
    dag = DAG.builder().add_edge("a", "b").build()
    memory = Memory(dag.adjacency)
    memory.catch_up()
    tasks = {"a": lambda: 1, "b": lambda a: a}
    engine = Engine(tasks, memory, Countdown(memory.graph, None), observers=observers)
    with pytest.raises(Interrupted) as caught:
        drive_inline(engine, ExecutionResult)
    return caught.value.result


def test_an_interrupt_between_two_observers_keeps_no_node_from_anyone() -> None:
    """Whoever did not know of the node yet is told when the run ends, the others not again."""
    first, second, third = Interrupting(""), Interrupting("a"), Interrupting("")
    assert interrupted([first, second, third])["a"].result == 1
    assert first.heard == second.heard == third.heard == ["a", "b"]


def test_an_interrupt_as_a_node_starts_tells_nobody_again_of_the_one_before() -> None:
    """Each node settles once."""
    heard = Interrupting("")

    def stops(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.name == "b":
            raise KeyboardInterrupt

    interrupted([stops, heard])
    assert heard.heard == ["a", "b"]
