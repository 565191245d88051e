"""The still picture says what the live view says."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from dagnb.events import Event, GraphEdited, NodeSettled, NodesStale, NodeStarted
from dagnb.render.layout import layout
from dagnb.render.look import DARK, LIGHT, Theme, duration
from dagnb.render.picture import Picture
from dagnb.render.svg import summary, svg
from dagnb.render.view import STATUSES, GraphView
from dagnb.results import NodeResult, NodeStatus

NS = "{http://www.w3.org/2000/svg}"


def make_view(*names: str) -> GraphView:
    """A chain of these nodes, the first completed, the second failed."""
    view = GraphView("sales")
    view(GraphEdited(names, list(pairwise(names)), {names[0]: "etl"}))
    done, failed = NodeStatus.COMPLETED, NodeStatus.FAILED
    view(NodeSettled(NodeResult(names[0], done, executed=True, duration_seconds=2.5, reason="new")))
    view(NodeSettled(NodeResult(names[1], failed, executed=True, error=ValueError("no rows"))))
    return view


def nodes_of(picture: str) -> dict[str, ElementTree.Element]:
    """The elements of the nodes by name."""
    root = ElementTree.fromstring(picture)
    return {e.attrib["data-node"]: e for e in root.iter() if "data-node" in e.attrib}


def test_each_node_carries_its_name_and_status() -> None:
    """The attributes are those of the live view."""
    found = nodes_of(svg(make_view("raw", "clean", "fit")))
    assert {name: e.attrib["data-status"] for name, e in found.items()} == {
        "raw": "completed",
        "clean": "failed",
        "fit": "pending",
    }


def test_tooltips_say_status_seconds_reason_and_error() -> None:
    """All that the panel of the live view begins with."""
    found = nodes_of(svg(make_view("raw", "clean")))
    assert found["raw"].findtext(f"{NS}title") == "raw: completed, 2.5s\nnew"
    assert "ValueError: no rows" in (found["clean"].findtext(f"{NS}title") or "")


def test_the_geometry_is_that_of_the_layout() -> None:
    """Both drawings stand on the same numbers."""
    view = make_view("raw", "clean")
    box = layout(view.nodes, view.edges, view.groups).nodes["raw"]
    assert nodes_of(svg(view))["raw"].attrib["transform"] == f"translate({box.x:g},{box.y:g})"


def test_the_same_state_gives_the_same_bytes() -> None:
    """Saved notebooks differ only where something happened."""
    assert svg(make_view("raw", "clean")) == svg(make_view("raw", "clean"))


@pytest.mark.parametrize("name", ['<b>&"quote"', "]]>", "a\nb", "zero\0byte", "日本語", "\ud800"])
def test_any_name_gives_wellformed_xml(name: str) -> None:
    """Names are data, never markup."""
    found = nodes_of(svg(make_view(name, "other")).encode("utf-8", "strict").decode())
    expected = name.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    assert expected in found


def test_a_wide_picture_is_scaled_to_a_cell() -> None:
    """A notebook would cut it off on the right."""
    view = GraphView()
    names = [f"a_rather_long_name_{i}" for i in range(40)]
    view(GraphEdited([*names, "all"], [(name, "all") for name in names]))
    root = ElementTree.fromstring(svg(view))
    width, height = (float(root.attrib[key]) for key in ("width", "height"))
    _, _, full_width, full_height = map(float, root.attrib["viewBox"].split())
    assert width <= 840
    assert width / height == pytest.approx(full_width / full_height, rel=0.01)


def test_it_has_a_role_and_a_label() -> None:
    """A screen reader gets the counts."""
    root = ElementTree.fromstring(svg(make_view("raw", "clean", "fit")))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "sales: 3 nodes: 1 completed, 1 failed, 1 pending"


def test_a_summary_of_one_node_is_in_the_singular() -> None:
    """Words are right at the edge."""
    view = GraphView()
    view(GraphEdited(["a"], []))
    assert summary(view) == "Graph: 1 node: 1 pending"


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK), ("auto", LIGHT)])
def test_themes(theme: str, colours: Theme) -> None:
    """Each draws on its own ground; auto is light unless the page says it is dark."""
    picture = svg(make_view("raw", "clean"), theme=theme)  # type: ignore[arg-type]
    assert f'[data-theme="{theme}"] .ground{{fill:{colours.ground}' in picture
    assert ("data-jp-theme-light" in picture) == (theme == "auto")


def test_no_rule_applies_outside_the_picture() -> None:
    """A picture put into a page must not restyle it."""
    style = ElementTree.fromstring(svg(make_view("a", "b"))).findtext(f"{NS}style") or ""
    selectors = [s for rule in style.split("}") if rule for s in rule.split("{")[0].split(",")]
    assert all(".dagnb-static" in selector for selector in selectors)


def settled(status: NodeStatus, **fields: bool) -> NodeSettled:
    """A node that ended like this."""
    return NodeSettled(NodeResult("a", status, **fields))  # type: ignore[arg-type]


EVENTS: dict[str, Event] = {
    "stale": NodesStale(["a"]),
    "running": NodeStarted("a", 0.0),
    "completed": settled(NodeStatus.COMPLETED, executed=True),
    "cutoff": settled(NodeStatus.COMPLETED, executed=True, changed=False),
    "reused": settled(NodeStatus.COMPLETED),
    "cached": settled(NodeStatus.CACHE_HIT),
    "failed": settled(NodeStatus.FAILED),
    "skipped": settled(NodeStatus.SKIPPED),
    "cancelled": settled(NodeStatus.CANCELLED),
    "timed_out": settled(NodeStatus.TIMED_OUT),
}


def icon_after(status: str) -> bytes:
    """The icon of a node that is in this status."""
    view = GraphView()
    view(GraphEdited(["a"], []))
    if status in EVENTS:
        view(EVENTS[status])
    node = nodes_of(svg(view))["a"]
    assert node.attrib["data-status"] == status
    icon = node.find(f"{NS}g[@class='icon']")
    assert icon is not None
    return ElementTree.tostring(icon)


def test_every_status_has_a_shape_of_its_own() -> None:
    """Colour never tells two statuses apart alone; the three kinds of reuse look the same."""
    assert len({icon_after(status) for status in STATUSES}) == len(STATUSES) - 2


def test_an_empty_graph_is_a_picture_too() -> None:
    """Before the first node there is something to show."""
    assert nodes_of(svg(GraphView("nothing yet"))) == {}


@pytest.mark.parametrize("seconds", [0.0, 0.0994, 0.0996, 9.94, 9.96, 59.6, 3599, 3600, 359_999.0])
def test_durations_stay_short(seconds: float) -> None:
    """They fit the room that a node keeps for them."""
    assert 1 < len(duration(seconds)) <= 6


def test_a_folded_group_says_how_its_members_are() -> None:
    """As the live view does: the gravest status, the number, and a part of the bar for each."""
    picture = Picture(make_view("etl.raw", "etl.clean", "fit"))
    picture.open("etl")
    picture.view(GraphEdited(["etl.raw", "etl.clean", "fit"], [("etl.clean", "fit")]))
    picture.fold("etl")
    drawn = svg(picture)
    [fold] = [e for e in ElementTree.fromstring(drawn).iter() if "data-folded" in e.attrib]
    assert fold.attrib["data-group"] == "etl"
    assert fold.attrib["data-folded"] == "2"
    assert fold.attrib["data-status"] == "failed"
    bars = [e.attrib["data-status"] for e in fold.iter(f"{NS}rect") if "data-status" in e.attrib]
    assert bars == ["completed", "failed"]
    assert list(nodes_of(drawn)) == ["fit"]


def test_no_edge_runs_over_a_title() -> None:
    """Titles of groups are drawn after all edges, boxes of groups before them."""
    kinds = [
        each.get("class")
        for each in ElementTree.fromstring(svg(make_view("raw", "clean"))).iter()
        if each.get("class") in ("frame", "edge", "group", "node")
    ]
    assert kinds == ["frame", "edge", "group", "node", "node"]
