"""One picture for the live view and the still one."""

from __future__ import annotations

import pytest

from dagnb.errors import NodeNotFoundError
from dagnb.events import GraphEdited, NodeStarted
from dagnb.render.picture import Picture
from dagnb.render.scene import fold_key
from dagnb.render.view import GraphView


@pytest.fixture
def picture() -> Picture:
    """A chain of four whose middle is a group."""
    view = GraphView()
    edges = [("a", "b"), ("b", "c"), ("c", "d")]
    view(GraphEdited(["a", "b", "c", "d"], edges, {"b": "g", "c": "g"}))
    return Picture(view)


def test_a_status_makes_no_new_geometry(picture: Picture) -> None:
    """Only a new structure does, or another look."""
    before = picture.drawing()
    picture.view(NodeStarted("a", at=0.0))
    assert picture.drawing() is before
    picture.fold("g")
    assert not picture.is_drawn
    assert picture.drawing() is not before


def test_folding_all_and_opening_all(picture: Picture) -> None:
    """Without a name every group is meant."""
    picture.fold()
    assert list(picture.drawing().plan.nodes) == ["a", "d", fold_key("g")]
    picture.open()
    assert list(picture.drawing().plan.nodes) == ["a", "b", "c", "d"]


def test_groups_that_need_each_other(picture: Picture) -> None:
    """Folded they form a cycle; one edge is then drawn against the others."""
    picture.view(
        GraphEdited(
            ["a", "b", "c", "d"],
            [("a", "b"), ("b", "c"), ("c", "d")],
            {"a": "one", "b": "two", "c": "one", "d": "two"},
        )
    )
    picture.fold()
    edges = picture.drawing().plan.edges
    assert [(each.source, each.target, each.back) for each in edges] == [
        (fold_key("one"), fold_key("two"), False),
        (fold_key("two"), fold_key("one"), True),
    ]


def test_what_is_hidden_can_be_revealed(picture: Picture) -> None:
    """Behind a fold, or out of the neighbourhood."""
    picture.fold("g")
    picture.focus("a", 1)
    picture.reveal("c")
    assert "c" in picture.drawing().scene.nodes
    assert picture.lens.around == ""


def test_a_direction_can_be_chosen(picture: Picture) -> None:
    """Instead of the one that shows larger."""
    assert picture.drawing().plan.direction == "TB"
    picture.turn("LR")
    assert picture.drawing().plan.direction == "LR"


def test_unknown_names_are_refused(picture: Picture) -> None:
    """With the nearest one that there is."""
    with pytest.raises(NodeNotFoundError):
        picture.focus("nobody")
    with pytest.raises(ValueError, match="no group 'gg'; did you mean 'g'"):
        picture.fold("gg")
