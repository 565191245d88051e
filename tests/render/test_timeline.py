"""A run as lanes and bars, and as the frames of a replay."""

from __future__ import annotations

import json

import pytest

from dagnb.events import NodesStale, NodeStarted, RunStarted
from dagnb.graph.dag import DAG
from dagnb.render.recording import Moment, Recorder, Recording, Work
from dagnb.render.timeline import frames, timeline
from dagnb.render.view import GraphView
from tests.render.test_recording import Clock, clock, ran, recorder, view

__all__ = ["clock", "recorder", "view"]  # fixtures


@pytest.fixture
def dag() -> DAG:
    """Raw before clean before fit, and a node beside them."""
    edges = DAG.builder().add_edge("raw", "clean").add_edge("clean", "fit")
    return edges.add_nodes(["raw", "clean", "fit", "b"]).build()


def recording(*works: Work) -> Recording:
    """A run of these."""
    return Recording(0.0, {}, tuple(Moment(each.end, "", {}, each) for each in works))


def bar(name: str, start: float, end: float, worker: str = "", status: str = "completed") -> Work:
    """A node that was executed."""
    return Work(name, status, start, end, worker, executed=True)


def test_each_worker_has_a_lane(dag: DAG) -> None:
    """In natural order; the thread that ran the others is called main."""
    works = [bar("raw", 0, 1, "dagnb-10"), bar("b", 0, 2, "dagnb-9"), bar("clean", 1, 2)]
    made = timeline(recording(*works), dag)
    assert [lane.worker for lane in made.lanes] == ["dagnb-9", "dagnb-10", "main"]
    assert [each.name for lane in made.lanes for each in lane.bars] == ["b", "raw", "clean"]


def test_a_task_that_was_given_up_does_not_overlap_with_the_next(dag: DAG) -> None:
    """A worker has as many lanes as it takes."""
    works = [bar("raw", 0, 5, status="timed_out"), bar("b", 2, 3), bar("clean", 3, 4)]
    lanes = timeline(recording(*works), dag).lanes
    assert [(lane.worker, [each.name for each in lane.bars]) for lane in lanes] == [
        ("main", ["raw"]),
        ("main (2)", ["b", "clean"]),
    ]


def test_the_critical_path_counts_what_was_executed(dag: DAG) -> None:
    """What was reused is on no path, and takes no time."""
    works = [
        Work("raw", "reused", 0, 0),
        bar("clean", 0, 1),
        bar("fit", 1, 3),
        bar("b", 0, 2.5, "dagnb-2"),
    ]
    made = timeline(recording(*works), dag)
    assert (made.critical_path, made.critical_seconds) == (("clean", "fit"), 3.0)
    assert [each.name for each in made.marks] == ["raw"]


def test_a_node_that_ran_twice(dag: DAG) -> None:
    """It has two bars, and both count."""
    made = timeline(recording(bar("raw", 0, 1), bar("raw", 1, 3), bar("b", 3, 4)), dag)
    assert (made.critical_path, made.critical_seconds) == (("raw",), 3.0)
    assert len(made.lanes[0].bars) == 3


@pytest.mark.parametrize("works", [[], [bar("gone", 0, 1)], [Work("raw", "cached", 0, 0)]])
def test_runs_without_a_path(dag: DAG, works: list[Work]) -> None:
    """Nothing ran, or what ran is not there any more."""
    made = timeline(recording(*works), dag)
    assert (made.critical_path, made.critical_seconds) == ((), 0.0)
    assert json.loads(json.dumps(made.as_dict()))["critical"] == []
    assert ("no node ran" in str(made)) is (made.lanes == ())


def test_in_words_each_node_has_a_line(dag: DAG) -> None:
    """With a bar where it ran; those on the critical path are solid."""
    made = timeline(recording(bar("raw", 0, 1), bar("b", 0, 2, "dagnb-2"), bar("clean", 1, 4)), dag)
    assert str(made).splitlines() == [
        "node   worker   took",
        f"b      dagnb-2  2.0 s  {'░' * 25}",
        f"raw    main     1.0 s  {'█' * 12}",
        f"clean  main     3.0 s  {' ' * 12}{'█' * 38}",
        "critical path 4.0 s: raw -> clean",
    ]


def test_frames_say_what_each_moment_adds(
    recorder: Recorder, view: GraphView, clock: Clock
) -> None:
    """A running node's start counts from the run's; nobody else has one."""
    with recorder.run():
        recorder(RunStarted(["raw"], at=100.0))
        recorder(NodeStarted("raw", at=101.0))
        clock.now = 103.0
        recorder(ran("raw", 101.0, 103.0))
    made = json.loads(json.dumps(frames(recorder.recording, view.nodes)))
    assert made["before"] == {name: {"status": "pending"} for name in ("raw", "clean", "fit")}
    assert made["moments"] == [
        {"at": 0.0, "said": "run of 1 node started", "nodes": {"raw": {"status": "pending"}}},
        {
            "at": 1.0,
            "said": "raw started",
            "nodes": {"raw": {"status": "running", "started": 1.0}},
        },
        {
            "at": 3.0,
            "said": "raw completed",
            "nodes": {"raw": {"status": "completed", "duration_seconds": 2.0}},
        },
    ]


def test_frames_draw_only_what_is_there(recorder: Recorder, view: GraphView) -> None:
    """A node that is gone since is in no frame."""
    with recorder.run():
        recorder(NodesStale(["raw", "fit"]))
    now = {"raw": view.nodes["raw"]}
    made = frames(recorder.recording, now)
    assert made["before"] == {"raw": {"status": "pending"}}
    assert made["moments"][0]["nodes"] == {"raw": {"status": "stale"}}  # type: ignore[index]
