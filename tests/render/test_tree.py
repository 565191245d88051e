"""The graph as text."""

from __future__ import annotations

import pytest

from dagnb.events import GraphEdited, NodeSettled
from dagnb.render.tree import tree
from dagnb.render.view import GraphView
from dagnb.results import NodeResult, NodeStatus


def drawn(nodes: list[str], edges: list[tuple[str, str]]) -> list[str]:
    """The lines of a graph that has not run."""
    view = GraphView()
    view(GraphEdited(nodes, edges))
    return tree(view).splitlines()


def test_each_node_says_how_it_is() -> None:
    """With its duration, once it has one."""
    view = GraphView()
    view(GraphEdited(["a", "b"], [("a", "b")]))
    result = NodeResult("a", NodeStatus.COMPLETED, executed=True, duration_seconds=1.5)
    view(NodeSettled(result))
    assert tree(view).splitlines() == ["a  completed 1.5s", "└─ b  pending"]


def test_several_roots() -> None:
    """One below the other."""
    assert drawn(["a", "b", "c"], [("a", "c"), ("b", "c")]) == [
        "a  pending",
        "└─ c  pending",
        "b  pending",
        "└─ c  (above)",
    ]


@pytest.mark.parametrize(
    ("nodes", "edges", "most"),
    [
        ([], [], 0),
        ([f"n{i}" for i in range(5000)], [(f"n{i}", f"n{i + 1}") for i in range(4999)], 30),
        (["hub", *(f"n{i}" for i in range(3000))], [("hub", f"n{i}") for i in range(3000)], 201),
    ],
    ids=["empty", "chain", "star"],
)
def test_large_graphs_are_cut(nodes: list[str], edges: list[tuple[str, str]], most: int) -> None:
    """A chain in its depth, a star in its breadth; and it says how many are left out."""
    lines = drawn(nodes, edges)
    assert len(lines) <= most
    assert bool(lines) is bool(nodes)
    if nodes:
        assert lines[-1].startswith("... and ")
        assert max(map(len, lines)) < 100
