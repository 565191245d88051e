"""The graph in DOT, as a ``graphviz.Source``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dagnb.render.look import LIGHT

if TYPE_CHECKING:
    import graphviz


def to_dot(
    nodes: Iterable[str],
    edges: Iterable[tuple[str, str]],
    *,
    groups: Mapping[str, str] | None = None,
    status: Mapping[str, str] | None = None,
    direction: str = "TB",
) -> graphviz.Source:
    """Return the graph for Graphviz; ``.source`` is its DOT, ``.render()`` needs ``dot``.

    Parameters
    ----------
    nodes : iterable of str
    edges : iterable of (source, target)
    groups : mapping of node to group, optional
        Drawn as clusters.
    status : mapping of node to status, optional
        Colours the borders.
    direction : {"TB", "LR"}

    Examples
    --------
    >>> print(to_dot(["raw", "clean"], [("raw", "clean")]).source)
    digraph {
      rankdir="TB"
      node [shape=box style="rounded,filled" fillcolor=white fontname=Helvetica]
      "raw"
      "clean"
      "raw" -> "clean"
    }
    <BLANKLINE>
    """
    import graphviz

    return graphviz.Source("\n".join(_lines(list(nodes), edges, groups, status, direction)) + "\n")


def quoted(name: str) -> str:
    r"""Return a name as a DOT string; different names give different strings.

    Backslashes are doubled: DOT keeps both, but cannot end a string with a single one.

    Examples
    --------
    >>> print(quoted('say "hi"'))
    "say \"hi\""
    """
    escaped = name.replace("\0", "\ufffd").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lines(
    nodes: list[str],
    edges: Iterable[tuple[str, str]],
    groups: Mapping[str, str] | None,
    status: Mapping[str, str] | None,
    direction: str,
) -> Iterable[str]:
    """Write the graph line by line."""
    yield "digraph {"
    yield f"  rankdir={quoted(direction)}"
    yield '  node [shape=box style="rounded,filled" fillcolor=white fontname=Helvetica]'
    for name in nodes:
        yield f"  {_statement(name, (status or {}).get(name))}"
    for number, (group, members) in enumerate(_members(nodes, groups or {}).items()):
        inside = " ".join(map(quoted, members))
        yield f"  subgraph cluster_{number} {{ label={_label(group)} {inside} }}"
    for source, target in edges:
        yield f"  {quoted(source)} -> {quoted(target)}"
    yield "}"


def _statement(name: str, status: str | None) -> str:
    """Write one node, with a label only where the name itself would be shown differently."""
    attributes = []
    if set(name) & set("\\&\n"):
        attributes.append(f"label={_label(name)}")
    if status in LIGHT.tones:
        attributes.append(f'color="{LIGHT.tones[status]}" tooltip={quoted(status)}')
    return f"{quoted(name)} [{' '.join(attributes)}]" if attributes else quoted(name)


def _label(name: str) -> str:
    """Return a label that shows exactly this text (labels know entities and escapes)."""
    return quoted(name.replace("&", "&amp;")).replace("\n", "\\n")


def _members(nodes: Iterable[str], groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the nodes of each group, in order."""
    members: dict[str, list[str]] = {}
    for name in nodes:
        if groups.get(name):
            members.setdefault(groups[name], []).append(name)
    return members
