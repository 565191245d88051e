"""The graph as a Mermaid flowchart, which GitHub and JupyterLab draw in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dagnb.render.look import LIGHT

# Mermaid reads these as syntax even inside quotes; it knows decimal entities for all of them.
_SYNTAX = str.maketrans({char: f"#{ord(char)};" for char in '"#&<>`;\\{}[]()|*_~'})


def to_mermaid(
    nodes: Iterable[str],
    edges: Iterable[tuple[str, str]],
    *,
    groups: Mapping[str, str] | None = None,
    status: Mapping[str, str] | None = None,
    direction: str = "TB",
) -> str:
    """Return a flowchart; nodes are numbered, so any name is safe.

    Parameters
    ----------
    nodes : iterable of str
    edges : iterable of (source, target)
    groups : mapping of node to group, optional
        Drawn as subgraphs.
    status : mapping of node to status, optional
        Colours the borders.
    direction : {"TB", "LR"}

    Examples
    --------
    >>> print(to_mermaid(["raw", "clean"], [("raw", "clean")]))
    flowchart TB
      n0["raw"]
      n1["clean"]
      n0 --> n1
    <BLANKLINE>
    """
    ids = {name: f"n{i}" for i, name in enumerate(nodes)}
    lines = [f"flowchart {direction}", *_nodes(ids, groups or {})]
    lines += [f"  {ids[source]} --> {ids[target]}" for source, target in edges]
    lines += _colours(ids, status or {})
    return "\n".join(lines) + "\n"


def _nodes(ids: Mapping[str, str], groups: Mapping[str, str]) -> Iterator[str]:
    """Declare each node, in its group if it has one."""
    members: dict[str, list[str]] = {}
    for name in ids:
        members.setdefault(groups.get(name, ""), []).append(name)
    for number, (group, inside) in enumerate(members.items()):
        declared = [f'  {ids[name]}["{_escaped(name)}"]' for name in inside]
        if not group:
            yield from declared
            continue
        yield f'  subgraph g{number}["{_escaped(group)}"]'
        yield from (f"  {line}" for line in declared)
        yield "  end"


def _colours(ids: Mapping[str, str], status: Mapping[str, str]) -> Iterator[str]:
    """Declare one class for each status that occurs."""
    members: dict[str, list[str]] = {}
    for name, node_id in ids.items():
        if status.get(name) in LIGHT.tones:
            members.setdefault(status[name], []).append(node_id)
    for kind, inside in members.items():
        yield f"  classDef {kind} stroke:{LIGHT.tones[kind]},stroke-width:2px"
        yield f"  class {','.join(inside)} {kind}"


def _escaped(name: str) -> str:
    """Return a name as the text of a label."""
    return " ".join(name.split()).translate(_SYNTAX) if not name.isidentifier() else name
