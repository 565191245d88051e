"""DOT that Graphviz reads back as the same graph."""

from __future__ import annotations

import pygraphviz
import pytest

from dagnb.render.dot import to_dot

NAMES = ["plain", 'say "hi"', "back\\", '\\"', "a\nb", "&amp;", "日本語", "", "graph", "a:b", "%d"]


def read(source: str) -> pygraphviz.AGraph:
    """Parse DOT with Graphviz."""
    return pygraphviz.AGraph(string=source)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_one_node(name: str) -> None:
    """Quotes, backslashes and line breaks do not end the name."""
    graph = read(to_dot([name, "other"], [(name, "other")]).source)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (2, 1)


def test_different_names_stay_different() -> None:
    """Quoting joins no two nodes."""
    assert read(to_dot(NAMES, []).source).number_of_nodes() == len(NAMES)


def test_edges_keep_their_direction() -> None:
    """From source to target."""
    assert read(to_dot(["a", "b"], [("a", "b")]).source).edges() == [("a", "b")]


def test_groups_are_clusters() -> None:
    """With their name as label, whatever it holds."""
    graph = read(to_dot(["a", "b"], [], groups={"a": 'x"y'}).source)  # keeps the clusters alive
    [cluster] = graph.subgraphs()
    assert cluster.nodes() == ["a"]
    assert cluster.graph_attr["label"] == 'x"y'


def test_status_colours_the_border() -> None:
    """The colours are those of the picture."""
    graph = read(to_dot(["a", "b"], [], status={"a": "failed"}).source)
    assert graph.get_node("a").attr["color"] == "#a60f08"


def test_it_is_a_graphviz_source() -> None:
    """What the graphviz package can render and show."""
    assert type(to_dot([], [])).__module__.startswith("graphviz")
