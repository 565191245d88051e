"""Geometry: nothing overlaps, edges go one way, and the same graph gives the same picture."""

from __future__ import annotations

import builtins
import os
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagnb.errors import LayoutError
from dagnb.render import engines
from dagnb.render.layout import Box, Direction, Layout, _compute, layout
from dagnb.render.measure import text_width

DIAMOND = (["a", "b", "c", "d"], [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])


def overlap(one: Box, two: Box) -> bool:
    """Whether two boxes share an area."""
    return (
        one.x < two.x + two.w
        and two.x < one.x + one.w
        and one.y < two.y + two.h
        and two.y < one.y + one.h
    )


def inside(box: Box, frame: Box) -> bool:
    """Whether a box lies in a frame."""
    return (
        frame.x <= box.x
        and frame.y <= box.y
        and box.x + box.w <= frame.x + frame.w
        and box.y + box.h <= frame.y + frame.h
    )


def assert_drawable(plan: Layout) -> None:
    """Nodes lie apart and on the drawing."""
    boxes = list(plan.nodes.values())
    sheet = Box(0, 0, plan.width, plan.height)
    assert all(inside(box, sheet) for box in [*boxes, *plan.groups.values()])
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]], dict[str, str]]:
    """Acyclic graphs, some of them with groups."""
    names = [f"node_{i}" for i in range(draw(st.integers(0, 14)))]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=25)) if pairs else []
    groups = {n: g for n in names if (g := draw(st.sampled_from(["", "etl", "fit", "out"])))}
    return names, edges, groups


@pytest.mark.parametrize("direction", ["TB", "LR"])
@settings(max_examples=60)
@given(graph=graphs())
def test_nothing_overlaps(direction, graph) -> None:  # type: ignore[no-untyped-def]
    """Whatever the graph, nodes and groups lie apart, groups hold their nodes and no others."""
    names, edges, groups = graph
    plan = layout(names, edges, groups, direction)
    assert_drawable(plan)
    for name, box in plan.nodes.items():
        for group, frame in plan.groups.items():
            assert inside(box, frame) if groups.get(name) == group else not overlap(box, frame)
    frames = list(plan.groups.values())
    assert not any(overlap(a, b) for i, a in enumerate(frames) for b in frames[:i])


@settings(max_examples=60)
@given(graph=graphs())
def test_edges_pass_no_node(graph) -> None:  # type: ignore[no-untyped-def]
    """A curve touches the nodes it joins and no other."""
    names, edges, _ = graph
    plan = layout(names, edges, {}, "TB")
    for edge in plan.edges:
        others = [box for name, box in plan.nodes.items() if name not in (edge.source, edge.target)]
        for x, y in samples(edge.points):
            assert not any(overlap(Box(x, y, 0.1, 0.1), box) for box in others)


def samples(points: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    """Points along a chain of Bezier curves."""
    found = []
    for i in range(0, len(points) - 1, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[i : i + 4]
        for t in (k / 12 for k in range(13)):
            u = 1 - t
            weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
            x = sum(w * p for w, p in zip(weights, (ax, bx, cx, dx), strict=True))
            y = sum(w * p for w, p in zip(weights, (ay, by, cy, dy), strict=True))
            found.append((x, y))
    return found


def test_edges_start_below_and_end_above() -> None:
    """From the bottom of the source to the top of the target."""
    plan = layout(*DIAMOND, direction="TB")
    for edge in plan.edges:
        source, target = plan.nodes[edge.source], plan.nodes[edge.target]
        assert edge.points[0] == (source.x + source.w / 2, source.y + source.h)
        assert edge.points[-1] == (target.x + target.w / 2, target.y)


def test_left_to_right_is_the_same_sideways() -> None:
    """Sources are left of their targets."""
    plan = layout(*DIAMOND, direction="LR")
    assert plan.nodes["a"].x < plan.nodes["b"].x < plan.nodes["d"].x


def test_a_chain_is_straight() -> None:
    """Nodes of different width stand exactly above each other."""
    names = ["a", "a_much_longer_name", "b", "another_one"]
    plan = layout(names, list(pairwise(names)), direction="TB")
    middles = {box.x + box.w / 2 for box in plan.nodes.values()}
    assert max(middles) - min(middles) <= 1


def test_a_long_thin_graph_fits_its_direction_to_the_screen() -> None:
    """Many sources of one node go left to right, where they take less room."""
    names = [f"source_{i}" for i in range(9)]
    plan = layout([*names, "all"], [(name, "all") for name in names])
    assert plan.direction == "LR"
    assert layout(*DIAMOND).direction == "TB"


def test_the_same_structure_gives_the_same_geometry() -> None:
    """Computed twice, not only kept."""
    names, edges = DIAMOND
    assert _compute(names, edges, {}, "auto") == _compute(names, edges, {}, "auto")


def test_layouts_are_kept_by_structure() -> None:
    """A status change asks for the same object again."""
    assert layout(*DIAMOND) is layout(*DIAMOND)


@pytest.mark.parametrize("names", [[], ["one"]])
def test_small_graphs(names: list[str]) -> None:
    """Nothing and one node have a layout."""
    plan = layout(names, [])
    assert list(plan.nodes) == names
    assert plan.width > 0


@pytest.mark.parametrize(
    "name", ["x" * 200, "日本語のノード名" * 9, "🐧" * 60, "a\nb\tc", " ", '"\\{}|<>']
)
def test_any_name_can_be_drawn(name: str) -> None:
    """Long names are cut by their measured width; strange ones are harmless."""
    plan = layout([name, "other"], [(name, "other")])
    assert text_width(plan.labels[name]) < plan.nodes[name].w < 330
    assert "\n" not in plan.labels[name]


def test_edges_of_unknown_nodes_are_left_out() -> None:
    """An edit may be half seen by another thread."""
    assert layout(["a"], [("a", "gone"), ("a", "a")]).edges == ()


def test_many_nodes_are_laid_out_in_another_process() -> None:
    """The result is the same as in this one."""
    names = [f"n{i}" for i in range(301)]
    edges = [(names[i // 3], name) for i, name in enumerate(names) if i]
    assert layout(names, edges) == _compute(names, edges, {}, "auto")


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_a_hurried_layout_overlaps_nothing(direction: Direction) -> None:
    """It differs from the careful one in what its edges cross, and in how long they are."""
    names = [f"n{i}" for i in range(60)]
    edges = [(names[i // 3], name) for i, name in enumerate(names) if i]
    assert_drawable(layout(names, edges, direction=direction, hurry=True))


def test_a_row_longer_than_a_screen_is_broken() -> None:
    """Three thousand dependents of one node stand in lines, like words."""
    names = [f"n{i}" for i in range(3000)]
    plan = layout(names, [(names[0], name) for name in names[1:]], direction="TB")
    assert plan.width < 10 * plan.height < 100 * plan.width


def test_a_chain_of_thousands() -> None:
    """No recursion goes as deep as the graph."""
    names = [f"n{i}" for i in range(5000)]
    plan = layout(names, list(pairwise(names)), direction="TB")
    assert [box.y for box in plan.nodes.values()] == sorted(box.y for box in plan.nodes.values())


def test_a_broken_layout_process_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it wrote before it ended."""
    monkeypatch.setattr("dagnb.render.layout._CHILD", "raise SystemExit('no memory {root}')")
    with pytest.raises(LayoutError, match="no memory"):
        layout([f"broken_{i}" for i in range(301)], [])


class TestWithoutGraphviz:
    """Where pygraphviz cannot be imported."""

    @pytest.fixture(autouse=True)
    def no_pygraphviz(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the import fail."""
        real = builtins.__import__

        def without(name: str, *args: object, **kwargs: object) -> object:
            if name == "pygraphviz":
                raise ImportError(name)
            return real(name, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.delitem(sys.modules, "pygraphviz", raising=False)
        monkeypatch.setattr(builtins, "__import__", without)

    @pytest.mark.skipif(not shutil.which("dot"), reason="needs the dot program")
    def test_the_dot_program_is_asked(self) -> None:
        """It places nodes as pygraphviz does."""
        assert_drawable(_compute(*DIAMOND, {"b": "g"}, "TB"))

    def test_a_dot_program_that_fails_is_reported(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """With what it said."""
        broken = tmp_path / "dot"
        broken.write_text("#!/bin/sh\necho no fonts >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        with pytest.raises(LayoutError, match="no fonts"):
            _compute(*DIAMOND, {"a": "g"}, "TB")

    def test_plain_layers_need_no_graphviz(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A browser's Python has neither; the graph is drawn all the same."""
        monkeypatch.setattr(engines.shutil, "which", lambda _: None)
        plan = _compute(*DIAMOND, {}, "TB")
        assert_drawable(plan)
        assert plan.nodes["a"].y < plan.nodes["b"].y == plan.nodes["c"].y < plan.nodes["d"].y

    def test_a_group_that_would_hold_others_is_not_drawn(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Plain layers do not keep groups apart."""
        monkeypatch.setattr(engines.shutil, "which", lambda _: None)
        names = ["a", "b", "c"]
        plan = _compute(names, [("a", "b"), ("b", "c")], {"a": "g", "c": "g"}, "TB")
        assert plan.groups == {}
