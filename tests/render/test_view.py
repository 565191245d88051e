"""The view is a pure fold over events."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dagnb.events import (
    GraphChange,
    GraphEdited,
    NodePlaced,
    NodeSettled,
    NodesStale,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from dagnb.render.view import STATUSES, GraphView, display_status
from dagnb.results import ExecutionResult, NodeResult, NodeStatus


@pytest.fixture
def view() -> GraphView:
    """Three nodes in a row."""
    view = GraphView("sales")
    view(GraphEdited(["raw", "clean", "fit"], [("raw", "clean"), ("clean", "fit")]))
    return view


def done(name: str, **fields: object) -> NodeSettled:
    """A node that was executed to a new value in two seconds."""
    facts: dict[str, object] = {"executed": True, "duration_seconds": 2.0} | fields
    return NodeSettled(NodeResult(name, NodeStatus.COMPLETED, **facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (NodeResult("a", NodeStatus.COMPLETED, executed=True), "completed"),
        (NodeResult("a", NodeStatus.COMPLETED, executed=True, changed=False), "cutoff"),
        (NodeResult("a", NodeStatus.COMPLETED), "reused"),
        (NodeResult("a", NodeStatus.CACHE_HIT), "cached"),
        (NodeResult("a", NodeStatus.FAILED), "failed"),
        (NodeResult("a", NodeStatus.SKIPPED), "skipped"),
        (NodeResult("a", NodeStatus.TIMED_OUT), "timed_out"),
        (NodeResult("a", NodeStatus.CANCELLED), "cancelled"),
    ],
)
def test_every_result_has_one_displayed_status(result: NodeResult, shown: str) -> None:
    """Success is told apart by what was executed and whether the value changed."""
    assert display_status(result) == shown


def test_every_status_of_a_result_can_be_shown() -> None:
    """No node status is missing in the table of looks."""
    assert all(display_status(NodeResult("a", status)) in STATUSES for status in NodeStatus)


def test_a_new_node_is_pending(view: GraphView) -> None:
    """Nothing is known about a node that never ran."""
    assert view.counts() == {"pending": 3}
    assert view.nodes["raw"].duration_seconds is None


def test_a_run_is_followed(view: GraphView) -> None:
    """A node runs, then is completed, with its seconds."""
    view(RunStarted(["raw", "clean"], at=1.0))
    view(NodeStarted("raw", at=1.5, worker="w1"))
    assert (view.nodes["raw"].status, view.nodes["raw"].started) == ("running", 1.5)
    view(done("raw", worker="w1"))
    node = view.nodes["raw"]
    assert (node.status, node.duration_seconds, node.worker) == ("completed", 2.0, "w1")


def test_the_worker_of_a_node_is_shown_while_it_runs(view: GraphView) -> None:
    """As soon as it is known."""
    view(NodeStarted("raw", at=1.5))
    view(NodePlaced("raw", "worker 10.0.0.2:4000"))
    node = view.nodes["raw"]
    assert (node.status, node.worker) == ("running", "worker 10.0.0.2:4000")


def test_progress_counts_the_nodes_of_the_run(view: GraphView) -> None:
    """Done and total refer to what the run looks at, not to the whole graph."""
    view(RunStarted(["clean", "fit"], at=0.0))
    view(done("clean"))
    assert view.run is not None
    assert (view.run.done, view.run.total) == (1, 2)


def test_a_node_that_the_run_reaches_later_counts_too(view: GraphView) -> None:
    """A run announces where it begins; it may go further."""
    view(RunStarted(["raw"], at=0.0))
    view(done("raw"))
    view(done("clean"))
    assert view.run is not None
    assert (view.run.done, view.run.total) == (2, 2)


def test_a_run_that_ends_early_leaves_the_rest_as_it_was(view: GraphView) -> None:
    """What was up to date before a stopped run still is."""
    view(done("fit"))
    view(RunStarted(["raw", "fit"], at=0.0))
    assert view.nodes["fit"].status == "pending"
    view(RunFinished(ExecutionResult({}, 0.3, "interrupted")))
    assert view.nodes["fit"].status == "completed"
    assert view.run is not None
    assert (view.run.seconds, view.run.stopped) == (0.3, "interrupted")


def test_a_stale_node_keeps_its_last_duration(view: GraphView) -> None:
    """How long it took is the best guess of how long it will take."""
    view(done("raw"))
    view(NodesStale(["raw"], reason="its code changed"))
    node = view.nodes["raw"]
    assert (node.status, node.duration_seconds, node.reason) == ("stale", 2.0, "its code changed")


def test_a_cached_node_keeps_its_last_duration(view: GraphView) -> None:
    """Zero seconds of a node that was not executed say nothing."""
    view(done("raw"))
    view(NodeSettled(NodeResult("raw", NodeStatus.CACHE_HIT, reason="key known")))
    assert view.nodes["raw"].duration_seconds == 2.0


def test_an_error_is_kept_as_text(view: GraphView) -> None:
    """Type and message; the traceback stays in the cell."""
    error = ValueError("no rows")
    view(NodeSettled(NodeResult("raw", NodeStatus.FAILED, error=error, executed=True)))
    assert view.nodes["raw"].error == "ValueError: no rows"


def test_an_error_that_cannot_be_printed_is_named() -> None:
    """The user's __str__ may raise."""

    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    view = GraphView()
    view(GraphEdited(["a"], []))
    view(NodeSettled(NodeResult("a", NodeStatus.FAILED, error=Odd())))
    assert view.nodes["a"].error == "Odd"


@pytest.mark.parametrize("by", ["", "raw"])
def test_an_edit_keeps_the_state_of_nodes_that_survive(view: GraphView, by: str) -> None:
    """Whoever made the edit, what is known about a node stays."""
    view(done("raw"))
    view(GraphEdited(["raw", "more"], [("raw", "more")], {"more": "extra"}, by))
    assert {n: node.status for n, node in view.nodes.items()} == {
        "raw": "completed",
        "more": "pending",
    }
    assert view.groups == {"more": "extra"}


def test_nodes_that_an_expansion_adds_join_the_run(view: GraphView) -> None:
    """Progress counts what the run itself added."""
    view(RunStarted(["raw"], at=0.0))
    view(GraphEdited([*view.nodes, "part"], view.edges, by="raw", added=["part"]))
    assert view.run is not None
    assert view.run.total == 2


def test_an_edit_that_changes_nothing_asks_for_no_new_layout(view: GraphView) -> None:
    """The same structure again is not a change of structure."""
    before = view.structure_rev
    view(GraphEdited(["raw", "clean", "fit"], [("raw", "clean"), ("clean", "fit")]))
    assert view.structure_rev == before


def test_events_about_unknown_nodes_change_nothing(view: GraphView) -> None:
    """A removed node may still report."""
    view(done("gone"))
    assert "gone" not in view.nodes


def test_a_delta_holds_only_what_changed(view: GraphView) -> None:
    """Since a revision: the changed nodes, but all counts."""
    since = view.rev
    view(NodeStarted("raw", at=1.0))
    delta = view.delta(since)
    assert list(delta["nodes"]) == ["raw"]  # type: ignore[call-overload]
    assert delta["counts"] == {"running": 1, "pending": 2}
    assert view.delta(view.rev)["nodes"] == {}


def test_deltas_add_up_to_the_snapshot(view: GraphView) -> None:
    """Whoever takes every delta knows what a snapshot says."""
    seen: dict[str, object] = {}
    rev = 0
    for event in [RunStarted(["raw"], 0.0), NodeStarted("raw", 1.0), done("raw"), done("fit")]:
        view(event)
        delta = view.delta(rev)
        seen |= delta["nodes"]  # type: ignore[operator]
        rev = delta["rev"]  # type: ignore[assignment]
    assert seen == view.snapshot()["nodes"]


def test_a_snapshot_is_json(view: GraphView) -> None:
    """It travels to the browser and into the notebook file."""
    view(RunStarted(["raw"], at=0.0))
    view(done("raw", result=object()))
    assert json.loads(json.dumps(view.snapshot())) == view.snapshot()


class Unread(list[str]):
    """What nobody may read."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        """Refuse."""
        raise AssertionError("the whole structure was read for a small change")


def changed(
    number: int, inputs: dict[str, list[str]], removed: tuple[str, ...] = ()
) -> GraphEdited:
    """Return an edit of which only the change may be read."""
    return GraphEdited(Unread(), Unread(), change=GraphChange(number, inputs, removed))  # type: ignore[arg-type]  # never read


@pytest.fixture
def followed() -> GraphView:
    """A view that has seen the first edit."""
    view = GraphView()
    first = GraphChange(1, {"raw": [], "clean": ["raw"]})
    view(GraphEdited(["raw", "clean"], [("raw", "clean")], change=first))
    return view


def test_a_change_is_folded_in_without_the_rest(followed: GraphView) -> None:
    """New nodes come last, others keep their place and their state."""
    followed(done("raw"))
    followed(changed(2, {"fit": ["clean", "raw"], "clean": []}))
    assert followed.edges == (("clean", "fit"), ("raw", "fit"))
    statuses = {name: node.status for name, node in followed.nodes.items()}
    assert statuses == {"raw": "completed", "clean": "pending", "fit": "pending"}


def test_a_change_by_a_run_joins_that_run(followed: GraphView) -> None:
    """Progress counts what the run itself added."""
    followed(RunStarted(["raw"], at=0.0))
    followed(replace(changed(2, {"part": ["raw"]}), by="raw", added=["part"]))
    assert followed.run is not None
    assert followed.run.total == 2


def test_a_removed_node_takes_its_edges_along(followed: GraphView) -> None:
    """Those that read it are told of with the inputs that are left."""
    before = followed.structure_rev
    followed(changed(2, {"clean": []}, ("raw",)))
    assert (list(followed.nodes), followed.edges) == (["clean"], ())
    assert followed.structure_rev == before + 1


def test_a_change_to_the_same_asks_for_no_new_layout(followed: GraphView) -> None:
    """It may name nodes that are drawn as they were."""
    before = followed.structure_rev
    followed(changed(2, {"clean": ["raw"]}))
    assert followed.structure_rev == before


def test_who_missed_an_edit_reads_the_whole(followed: GraphView) -> None:
    """And goes on with changes from there."""
    third = GraphChange(3, {"fit": ["b"]})
    followed(GraphEdited(["raw", "b", "fit"], [("b", "fit")], change=third))
    assert (list(followed.nodes), followed.edges) == (["raw", "b", "fit"], (("b", "fit"),))
    followed(changed(4, {"b": ["raw"]}))
    assert followed.edges == (("raw", "b"), ("b", "fit"))
