"""A run is remembered as the view showed it."""

from __future__ import annotations

import pytest

from dagnb.events import GraphEdited, NodeSettled, NodesStale, NodeStarted, RunFinished, RunStarted
from dagnb.render.recording import Recorder, said
from dagnb.render.view import GraphView
from dagnb.results import ExecutionResult, NodeResult, NodeStatus


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It shows 100 seconds."""
    return Clock()


@pytest.fixture
def view() -> GraphView:
    """Empty."""
    return GraphView()


@pytest.fixture
def recorder(view: GraphView, clock: Clock) -> Recorder:
    """It knows raw -> clean -> fit."""
    recorder = Recorder(view, clock)
    edges = [("raw", "clean"), ("clean", "fit")]
    recorder(GraphEdited(["raw", "clean", "fit"], edges))
    return recorder


def ran(name: str, start: float, end: float, worker: str = "", **fields: object) -> NodeSettled:
    """A node that was executed between two readings of the clock."""
    facts: dict[str, object] = {"executed": True, "worker": worker, "started": start} | fields
    status = facts.pop("status", NodeStatus.COMPLETED)
    return NodeSettled(NodeResult(name, status, duration_seconds=end - start, **facts))  # type: ignore[arg-type]


def statuses(recorder: Recorder, view: GraphView, moment: int) -> dict[str, str]:
    """What the graph showed after so many moments."""
    shown = recorder.recording.at(moment, view.nodes)
    return {name: node.status for name, node in shown.items()}


def test_every_moment_is_the_fold_of_the_events_so_far(recorder: Recorder, view: GraphView) -> None:
    """What is replayed at moment k is what the view showed after k events."""
    seen = [{name: node.status for name, node in view.nodes.items()}]
    events = [
        RunStarted(["raw", "clean"], at=100.0),
        NodeStarted("raw", at=100.5),
        ran("raw", 100.5, 102.0),
        NodeStarted("clean", at=102.0),
        ran("clean", 102.0, 103.0, status=NodeStatus.FAILED, error=ValueError("no")),
        NodeSettled(NodeResult("fit", NodeStatus.SKIPPED, reason="clean failed")),
        RunFinished(ExecutionResult({}, 3.5)),
    ]
    with recorder.run():
        for event in events:
            recorder(event)
            seen.append({name: node.status for name, node in view.nodes.items()})
    assert [statuses(recorder, view, k) for k in range(len(events) + 1)] == seen
    assert [each.at for each in recorder.recording.moments] == [0, 0.5, 2.0, 2.0, 3.0, 3.0, 3.0]


def test_what_comes_after_the_run_is_no_part_of_it(recorder: Recorder, view: GraphView) -> None:
    """Nodes that became stale since, or are gone, or are new, change no moment of it."""
    with recorder.run():
        recorder(ran("raw", 100.0, 101.0))
    recorder(NodesStale(["raw", "fit"], "edited"))
    recorder(GraphEdited(["raw", "fit", "plot"], [("raw", "fit")]))
    assert statuses(recorder, view, 0) == {"raw": "pending", "fit": "pending"}
    assert statuses(recorder, view, 1) == {"raw": "completed", "fit": "pending"}
    assert len(recorder.recording.moments) == 1


def test_a_run_takes_the_place_of_the_one_before(recorder: Recorder, view: GraphView) -> None:
    """The second begins where the first one ended."""
    with recorder.run():
        recorder(ran("raw", 100.0, 101.0))
    with recorder.run():
        recorder(ran("clean", 100.0, 101.0))
    assert statuses(recorder, view, 0) == {"raw": "completed", "clean": "pending", "fit": "pending"}
    assert [each.said for each in recorder.recording.moments] == ["clean completed"]


def test_a_run_that_breaks_off_is_recorded_to_there(recorder: Recorder, view: GraphView) -> None:
    """And what happens later is no part of it."""
    with pytest.raises(KeyboardInterrupt), recorder.run():
        recorder(NodeStarted("raw", at=100.0))
        raise KeyboardInterrupt
    recorder(NodesStale(["raw"]))
    assert statuses(recorder, view, 1) == {"raw": "running", "clean": "pending", "fit": "pending"}


def test_nodes_that_are_made_in_a_run(recorder: Recorder, view: GraphView) -> None:
    """Before they are born they are not there."""
    with recorder.run():
        recorder(ran("raw", 100.0, 101.0))
        nodes, edges = ["raw", "clean", "fit", "part"], [("raw", "clean"), ("clean", "fit")]
        recorder(GraphEdited(nodes, [*edges, ("raw", "part")], by="raw", added=["part"]))
    assert "part" not in statuses(recorder, view, 1)
    assert statuses(recorder, view, 2)["part"] == "pending"
    assert recorder.recording.moments[1].said == "raw made part"


def test_nothing_of_a_value_or_an_error_is_kept(recorder: Recorder) -> None:
    """A recording holds what was shown: no value lives longer for it."""
    value, error = object(), ValueError("kept as text")
    with recorder.run():
        recorder(ran("raw", 100.0, 101.0, result=value))
        recorder(ran("clean", 101.0, 102.0, status=NodeStatus.FAILED, error=error))
    text = repr(recorder.recording)
    assert "ValueError: kept as text" in text
    assert repr(value) not in text
    assert not any(kept in vars_of(recorder) for kept in (value, error))


def vars_of(recorder: Recorder) -> list[object]:
    """All that the moments hold, one level down."""
    moments = recorder.recording.moments
    nodes = [node for each in moments for node in each.nodes.values() if node is not None]
    return [getattr(node, field) for node in nodes for field in type(node).__slots__]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (RunStarted(["a"], 0.0), "run of 1 node started"),
        (RunFinished(ExecutionResult({}, 1.0)), "run finished"),
        (RunFinished(ExecutionResult({}, 1.0, stopped="Stop")), "run stopped: Stop"),
        (NodesStale(["a", "b", "c", "d"], "x changed"), "a, b, c and 1 more stale: x changed"),
        (GraphEdited([], []), "the graph was edited"),
        (ran("a", 1.0, 2.0, changed=False), "a unchanged"),
    ],
)
def test_each_event_is_said_in_words(event: object, words: str) -> None:
    """Few of them."""
    assert said(event) == words  # type: ignore[arg-type]
