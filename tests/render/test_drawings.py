"""A graph without a run, drawn in each format."""

from __future__ import annotations

import dagnb


def graph() -> dagnb.DAG:
    """Two nodes and an edge."""
    return dagnb.DAG.builder().add_edge("raw", "clean").build()


def test_dot() -> None:
    """DOT comes as a ``graphviz.Source`` with every node and edge."""
    source = graph().to_dot().source
    assert all(text in source for text in ('"raw"', '"clean"', '"raw" -> "clean"'))


def test_mermaid() -> None:
    """Mermaid is a text that names every node."""
    text = graph().to_mermaid()
    assert text.startswith("flowchart")
    assert "raw" in text
    assert "clean" in text


def test_picture() -> None:
    """A graph at the end of a cell shows itself, with all nodes pending."""
    picture = graph()._repr_svg_()
    assert picture is not None
    assert all(f'data-node="{name}" data-status="pending"' in picture for name in ("raw", "clean"))


def test_no_picture_of_a_large_graph() -> None:
    """Nobody waits for a picture that was not asked for."""
    dag = dagnb.DAG()
    dag.add_nodes(f"n{i}" for i in range(501))
    assert dag._repr_svg_() is None
