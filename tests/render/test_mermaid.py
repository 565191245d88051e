"""Mermaid text in which names are data."""

from __future__ import annotations

import pytest

from dagnb.render.mermaid import to_mermaid


def test_groups_are_subgraphs() -> None:
    """Nodes are declared in their group."""
    text = to_mermaid(["a", "b"], [("a", "b")], groups={"b": "fit"}, direction="LR")
    assert text.splitlines() == [
        "flowchart LR",
        '  n0["a"]',
        '  subgraph g1["fit"]',
        '    n1["b"]',
        "  end",
        "  n0 --> n1",
    ]


@pytest.mark.parametrize("name", ['a"b', "a]b", "a\nb", "end; click", "<script>", "`**md**`"])
def test_names_cannot_become_syntax(name: str) -> None:
    """Each label is one line between two quotes, without characters of the syntax."""
    line = to_mermaid([name], []).splitlines()[1]
    label = line.removeprefix('  n0["').removesuffix('"]')
    assert not set(label.replace("#", "").replace(";", "")) & set('"[]{}<>`*|\\')


def test_reserved_words_are_only_labels() -> None:
    """A node called ``end`` does not end anything."""
    assert '  n0["end"]' in to_mermaid(["end"], []).splitlines()


def test_status_is_a_class() -> None:
    """One class per status that occurs."""
    text = to_mermaid(["a", "b", "c"], [], status={"a": "failed", "c": "failed"})
    assert "  classDef failed stroke:#a60f08,stroke-width:2px" in text
    assert "  class n0,n2 failed" in text
