"""What did not change stays where it was, as far as that costs nothing."""

from __future__ import annotations

from dagnb.events import GraphEdited
from dagnb.render.layout import layout
from dagnb.render.picture import Picture
from dagnb.render.steady import mirrored, steady
from dagnb.render.svg import svg
from dagnb.render.view import GraphView

NAMES = ["root", "a", "long_name_b", "c", "a_end", "c_end"]
EDGES = [("root", "a"), ("root", "long_name_b"), ("root", "c"), ("a", "a_end"), ("c", "c_end")]


def test_the_mirror_image_of_a_mirror_image() -> None:
    """Is the layout itself, in either direction."""
    for direction in ("TB", "LR"):
        plan = layout(NAMES, EDGES, {}, direction)
        assert mirrored(mirrored(plan)) == plan
        assert mirrored(plan) != plan


def test_edges_still_meet_their_nodes() -> None:
    """Mirrored with them."""
    plan = mirrored(layout(NAMES, EDGES, {"a": "g", "c": "g"}, "TB"))
    for edge in plan.edges:
        source = plan.nodes[edge.source]
        assert abs(edge.points[0][0] - source.x - source.w / 2) < 0.6


def test_a_drawing_that_flipped_is_flipped_back() -> None:
    """Whichever way the last one was drawn."""
    plan = layout(NAMES, EDGES, {}, "TB")
    assert steady(plan, mirrored(plan)) == mirrored(plan)
    assert steady(plan, plan) is plan
    assert steady(plan, None) is plan


def test_folding_a_group_does_not_flip_the_rest() -> None:
    """The order of what stays, from left to right, is the same; so is the still picture."""
    view = GraphView()
    view(GraphEdited(NAMES, EDGES, {"a": "g", "a_end": "g"}))
    picture = Picture(view)
    before = picture.drawing().plan.nodes
    picture.fold("g")
    after = picture.drawing().plan.nodes
    assert (before["c"].x < before["long_name_b"].x) == (after["c"].x < after["long_name_b"].x)
    assert f"translate({after['c'].x:g},{after['c'].y:g})" in svg(picture)
