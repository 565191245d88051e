from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from dagnb.events import Event, GraphEdited, NodeSettled, NodeStarted
from dagnb.observe.live import LiveTable
from dagnb.observe.progress import JsonLines, Lines, Tally
from dagnb.results import NodeResult, NodeStatus

RAN = NodeResult("a", NodeStatus.COMPLETED, 1, duration_seconds=2.0, executed=True)
KNOWN = NodeResult("b", NodeStatus.CACHE_HIT, 1)
FAILED = NodeResult(
    "c", NodeStatus.FAILED, error=KeyError("x"), duration_seconds=0.5, executed=True
)
SKIPPED = NodeResult("d", NodeStatus.SKIPPED, reason="c failed")
EVENTS: list[Event] = [
    GraphEdited(["a", "b", "c", "d"], []),
    NodeStarted("a", at=1.0),
    *map(NodeSettled, [RAN, KNOWN]),
    NodeStarted("c", at=2.0),
    *map(NodeSettled, [FAILED, SKIPPED]),
]


def told(tally: Tally) -> None:
    """Tell of a run of four nodes."""
    for event in EVENTS:
        tally(event)


def test_lines() -> None:
    """Say of each node how it ended, how long it took, and why it has no value."""
    lines: list[str] = []
    told(Lines(lines.append))
    assert lines == [
        "1/4  ok       a  2.0 s",
        "2/4  known    b",
        "3/4  FAILED   c  500 ms",
        "     KeyError: 'x'",
        "4/4  skipped  d  c failed",
    ]


def test_json_lines() -> None:
    """Are an object each, with the error as text."""
    lines: list[str] = []
    tally = JsonLines(lines.append)
    told(tally)
    tally.finish("done", {"exit_code": 1})
    events = [json.loads(line) for line in lines]
    kinds = [each["event"] for each in events]
    assert kinds == ["started", "settled", "settled", "started", "settled", "settled", "finished"]
    assert (events[4]["node"], events[4]["status"], events[4]["error"]) == (
        "c",
        "failed",
        "KeyError: 'x'",
    )
    assert events[-1] == {"event": "finished", "summary": "done", "exit_code": 1}


def test_a_node_that_is_looked_at_twice_is_told_once() -> None:
    """Unless it ran again."""
    lines: list[str] = []
    tally = Lines(lines.append)
    for each in (RAN, KNOWN, KNOWN, RAN.but(executed=False), RAN):
        tally(NodeSettled(each))
    assert [line.split()[2] for line in lines] == ["a", "b", "a"]


def test_the_time_that_is_left() -> None:
    """Is that of earlier runs, less what has passed, shared by those who work."""
    tally = Tally()
    assert tally.seconds_left(now=0.0) is None
    tally.expected, tally.workers = {"a": 10.0, "b": 4.0, "c": 6.0}, 2
    tally(NodeStarted("a", at=0.0))
    assert tally.seconds_left(now=4.0) == pytest.approx(8.0)
    tally(NodeSettled(RAN))
    assert tally.seconds_left(now=4.0) == pytest.approx(5.0)
    assert tally.seconds_left(now=999.0) == pytest.approx(5.0)


def drawn(table: LiveTable, now: float) -> list[str]:
    """Return what stands below the lines, line by line."""
    console = Console(file=io.StringIO(), width=100, color_system=None)
    with console.capture() as capture:
        console.print(table.table(now))
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def test_a_live_table() -> None:
    """Shows what runs with its usual time, and how much is done."""
    table = LiveTable(io.StringIO())
    table(EVENTS[0])
    table(NodeSettled(KNOWN))
    table(NodeStarted("a", at=1.0))
    table.expected = {"a": 10.0}
    first, last = drawn(table, now=4.0)
    assert first == "running a 3.0 s of about 10.0 s"
    assert last.startswith("1/4")
    assert last.endswith("about 7.0 s left")


def test_many_that_run() -> None:
    """Do not fill the screen."""
    table = LiveTable(io.StringIO())
    for number in range(12):
        table(NodeStarted(f"n{number}", at=0.0))
    lines = drawn(table, now=1.0)
    assert len(lines) == 10
    assert lines[-2] == "and 4 more"


def test_what_ended_scrolls_up() -> None:
    """With its mark, and the reason where it has no value."""
    out = io.StringIO()
    told(LiveTable(out, Console(file=out, width=100, color_system=None)))
    assert [" ".join(line.split()) for line in out.getvalue().splitlines()] == [
        "ok a 2.0 s",
        "known b",
        "FAILED c 500 ms",
        "KeyError: 'x'",
        "skipped d",
        "c failed",
    ]
