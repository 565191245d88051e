"""A graph on k workers: the schedule is possible, and within the bounds."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb import DAG, NodeNotFoundError
from dagnb.teach import schedule, speedups
from dagnb.teach.random_graph import random_graph
from dagnb.teach.shortest import arrange, shortest


@st.composite
def timed_graphs(draw: st.DrawFn, most: int = 10) -> tuple[DAG, dict[str, int]]:
    """A random graph, and minutes for its nodes, some of which are 0."""
    dag = random_graph(Random(draw(st.integers(0, 10_000))), draw(st.integers(1, most)))
    return dag, {str(name): draw(st.integers(0, 6)) for name in dag}


@given(timed=timed_graphs(), workers=st.integers(1, 8))
def test_a_schedule_is_possible(timed: tuple[DAG, dict[str, int]], workers: int) -> None:
    """Each node is there once, after its inputs; no worker does two things at once."""
    dag, minutes = timed
    plan = schedule(dag, minutes, workers)
    slots = {slot.name: slot for slot in plan.slots}
    assert sorted(slot.name for slot in plan.slots) == sorted(dag)
    for name, slot in slots.items():
        assert slot.end - slot.start == minutes[name]
        assert all(slots[str(each)].end <= slot.start for each in dag.predecessors(name))
    for worker in range(workers):
        ends = [0.0, *(slot.end for slot in plan.lane(worker))]
        starts = [slot.start for slot in plan.lane(worker)]
        assert all(end <= start for end, start in zip(ends, starts, strict=False))


@given(timed=timed_graphs(), workers=st.integers(1, 8))
def test_a_schedule_is_within_its_bounds(timed: tuple[DAG, dict[str, int]], workers: int) -> None:
    """Work and span below, Graham's bound above; one worker takes the work."""
    plan = schedule(*timed, workers)
    assert plan.bounds.lower <= plan.makespan <= plan.bounds.upper + 1e-9
    assert plan.speedup <= plan.bounds.best_speedup + 1e-9
    assert schedule(*timed, 1).makespan == plan.bounds.work
    assert plan.bounds.span == timed[0].critical_path(timed[1])[1]


@given(timed=timed_graphs(6), workers=st.integers(2, 3))
def test_a_list_schedule_is_less_than_twice_the_shortest(
    timed: tuple[DAG, dict[str, int]], workers: int
) -> None:
    """At most 2 - 1/k times as long (Graham 1966)."""
    dag, minutes = timed
    best = max(arrange(dag, minutes, shortest(dag, minutes, workers)).values())
    made = schedule(dag, minutes, workers).makespan
    assert best <= made <= (2 - 1 / workers) * best + 1e-9


def test_no_nodes() -> None:
    """Nothing takes no time."""
    plan = schedule(DAG(), workers=2)
    assert (plan.makespan, plan.speedup, plan.slots) == (0.0, 1.0, ())
    assert "2 workers: 0" in str(plan)
    assert ET.fromstring(plan._repr_svg_()) is not None
    assert speedups(DAG(), most=1)


def test_the_chart_has_a_line_for_each_worker() -> None:
    """Bars are as long as they take; idle time is dots."""
    dag = DAG.builder().add_edge("a", "c").add_edge("b", "c").build()
    lines = str(schedule(dag, {"a": 1, "b": 2, "c": 1}, 2)).splitlines()
    assert lines[2:] == [
        f"1       {'|b'.ljust(40, '-')}{'|c'.ljust(20, '-')}",
        f"2       {'|a'.ljust(20, '-')}{'.' * 40}",
    ]


def test_the_picture_says_what_it_shows() -> None:
    """It has a title, and each bar its own; names are escaped."""
    dag = DAG()
    dag.add_node("<&>")
    root = ET.fromstring(schedule(dag, {"<&>": 2.5}, 1)._repr_svg_())
    titles = [each.text for each in root.iter() if each.tag.endswith("title")]
    assert titles[1:] == ["<&>: 0 to 2.5"]
    assert root.get("role") == "img"
    assert str(titles[0]).startswith("1 worker: 2.5")


@pytest.mark.parametrize(
    ("durations", "workers", "error", "says"),
    [
        ({"x": 1}, 2, NodeNotFoundError, "no node 'x'"),
        ({"a": "long"}, 2, TypeError, "the cost of node 'a' is a number"),
        ({"a": -1}, 2, ValueError, "at least 0, not -1"),
        ({}, 0, ValueError, "workers is at least 1, not 0"),
        ({}, 1.5, TypeError, "workers is a whole number"),
    ],
)
def test_bad_input(durations: object, workers: object, error: type, says: str) -> None:
    """The error names what is wrong."""
    dag = DAG()
    dag.add_node("a")
    with pytest.raises(error, match=re.escape(says)):
        schedule(dag, durations, workers)  # type: ignore[arg-type]  # what is wrong
