"""Where the centres of nodes go: Graphviz, or plain layers where there is no Graphviz."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Literal

from dagnb.errors import LayoutError

Centre = tuple[float, float]
Size = tuple[float, float]
Edge = tuple[str, str]

NODE_GAP, GROUP_MARGIN, GROUP_TITLE = 18.0, 10.0, 12.0
RANK_GAP = {"TB": 30.0, "LR": 52.0}  # curves need more room sideways, since boxes are flat

# Above this, dot's search is cut short: 1.7 s instead of 8 for 1000 nodes with long edges.
_MANY, _QUICK = 300, " mclimit=0.3 nslimit=1"
# Plain layers: nodes in a row at least before it is broken, and how often rows are ordered.
_ROW, _SWEEPS = 40, 5


_ADVICE = """\
There is no Graphviz here: the graph is drawn in plain layers, and groups are not kept apart.
`pip install pygraphviz` brings one; so does the package graphviz of your system, whose program \
dot has to be on the PATH."""


def advice() -> str:
    """Return how to install Graphviz where it is missing and can be had, else nothing."""
    if sys.platform == "emscripten" or shutil.which("dot"):
        return ""
    try:
        import pygraphviz  # noqa: F401  # a wheel that is there may not load
    except ImportError:
        return _ADVICE
    return ""


def place(
    sizes: Mapping[str, Size],
    edges: Sequence[Edge],
    groups: Mapping[str, str],
    direction: Literal["TB", "LR"],
) -> dict[str, Centre]:
    """Return the centre of each node in px, y growing downwards.

    Graphviz's ``dot`` places them, through pygraphviz or else the program on the PATH. Where
    there is neither (in a browser's Python), nodes stand in plain layers and groups are not
    kept apart.
    """
    if not sizes:
        return {}
    answer = _graphviz(dot_source(sizes, edges, groups, direction))
    if answer is None:
        return layered(sizes, edges, direction)
    names = list(sizes)
    points = {each["name"]: each["pos"].split(",") for each in answer if "pos" in each}
    return {
        name: (float(points[f"n{i}"][0]), -float(points[f"n{i}"][1]))
        for i, name in enumerate(names)
    }


def dot_source(
    sizes: Mapping[str, Size],
    edges: Sequence[Edge],
    groups: Mapping[str, str],
    direction: Literal["TB", "LR"],
) -> str:
    """Return the layout problem in DOT: numbered boxes of fixed size, no text, no edges drawn."""
    ids = {name: f"n{i}" for i, name in enumerate(sizes)}
    lines = [
        f"digraph{{rankdir={direction} splines=none nodesep={NODE_GAP / 72:.4f} "
        f"ranksep={RANK_GAP[direction] / 72:.4f}{_QUICK if len(sizes) > _MANY else ''}",
        'node[shape=box fixedsize=true label=""] edge[arrowhead=none]',
    ]
    lines += [_cluster(i, map(ids.get, inside)) for i, inside in enumerate(_members(groups))]
    lines += [f"{ids[n]}[width={w / 72:.4f} height={h / 72:.4f}]" for n, (w, h) in sizes.items()]
    lines += [f"{ids[a]}->{ids[b]}" for a, b in edges]
    return "\n".join(lines) + "}\n"


def layered(
    sizes: Mapping[str, Size], edges: Iterable[Edge], direction: Literal["TB", "LR"]
) -> dict[str, Centre]:
    """Place nodes in rows by depth, each row ordered by the middle of its neighbours.

    Examples
    --------
    >>> layered({"a": (90, 30), "b": (90, 30)}, [("a", "b")], "TB")
    {'a': (0.0, 15.0), 'b': (0.0, 75.0)}
    """
    pairs, down = list(edges), direction == "TB"
    across: dict[str, float] = {}
    along, centres = 0.0, dict.fromkeys(sizes, (0.0, 0.0))
    for row in _ordered(_rows(sizes, pairs), pairs):
        _spread(row, {n: sizes[n][0 if down else 1] for n in row}, across)
        thick = max(sizes[n][1 if down else 0] for n in row)
        for name in row:
            at = (across[name], along + thick / 2)
            centres[name] = at if down else (at[1], at[0])
        along += thick + RANK_GAP[direction]
    return centres


def _rows(sizes: Mapping[str, Size], edges: Iterable[Edge]) -> list[list[str]]:
    """Return the nodes by depth; what is much longer than a screen is broken like a line."""
    rows: dict[int, list[str]] = {}
    for name, depth in levels(sizes, edges).items():
        rows.setdefault(depth, []).append(name)
    most = max(_ROW, round((2 * len(sizes)) ** 0.5))
    return [
        row[i : i + most]
        for row in (rows[depth] for depth in sorted(rows))
        for i in range(0, len(row), most)
    ]


def _ordered(rows: Sequence[list[str]], edges: Iterable[Edge]) -> list[list[str]]:
    """Order each row by the middle of its neighbours, downwards and upwards by turns."""
    above, below = dict[str, list[str]](), dict[str, list[str]]()
    for a, b in edges:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    place = {n: i - len(row) / 2 for row in rows for i, n in enumerate(row)}
    found = [list(row) for row in rows]
    for sweep in range(_SWEEPS):
        near = below if sweep % 2 else above
        for row in reversed(found) if sweep % 2 else found:
            middle = {n: _middle([place[o] for o in near.get(n, ())], place[n]) for n in row}
            row.sort(key=middle.__getitem__)
            place.update((n, i - len(row) / 2) for i, n in enumerate(row))
    return found


def levels(nodes: Iterable[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Return how many edges the longest way from a root to each node has.

    Examples
    --------
    >>> levels("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    inputs: dict[str, list[str]] = {name: [] for name in nodes}
    for a, b in edges:
        inputs[b].append(a)
    depth: dict[str, int] = {}
    for name in TopologicalSorter(inputs).static_order():
        depth[name] = 1 + max((depth[i] for i in inputs[name]), default=-1)
    return depth


def back_edges(nodes: Iterable[str], edges: Iterable[Edge]) -> set[Edge]:
    """Return edges without which there is no cycle; only folded groups can make one.

    Examples
    --------
    >>> back_edges("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    {('c', 'a')}
    """
    below: dict[str, list[str]] = {name: [] for name in nodes}
    for a, b in edges:
        below[a].append(b)
    found, seen = set[Edge](), set[str]()
    for root, starts in below.items():
        way = {root: iter(starts)} if root not in seen else {}
        seen.add(root)
        while way:
            name, rest = next(reversed(way.items()))
            other = next(rest, None)
            if other is None:
                del way[name]
            elif other in way:
                found.add((name, other))
            elif other not in seen:
                seen.add(other)
                way[other] = iter(below[other])
    return found


def _graphviz(source: str) -> list[dict[str, str]] | None:
    """Return Graphviz's objects with their positions, or None if there is no Graphviz."""
    try:
        import pygraphviz
    except ImportError:
        return _dot_program(source)
    graph = pygraphviz.AGraph(string=source)
    try:
        return list(json.loads(graph.draw(format="json0", prog="dot"))["objects"])
    except ValueError as error:
        raise LayoutError(f"Graphviz gave no geometry: {error}") from error
    finally:
        graph.close()


def _dot_program(source: str) -> list[dict[str, str]] | None:
    """Ask the ``dot`` program, if there is one."""
    if not shutil.which("dot"):
        return None
    import graphviz

    try:
        answer = graphviz.Source(source).pipe(format="json0", quiet=True)
    except (graphviz.CalledProcessError, graphviz.ExecutableNotFound) as error:
        raise LayoutError(f"the dot program gave no geometry: {error}") from error
    return list(json.loads(answer)["objects"])


def _members(groups: Mapping[str, str]) -> list[list[str]]:
    """Return the nodes of each group, groups in order of appearance."""
    members: dict[str, list[str]] = {}
    for name, group in groups.items():
        members.setdefault(group, []).append(name)
    return list(members.values())


def _cluster(number: int, ids: Iterable[str | None]) -> str:
    """Return a DOT cluster that keeps room for its title, without naming any font."""
    cell = f'<td width="40" height="{GROUP_TITLE:g}"></td>'
    table = 'table border="0" cellborder="0" cellpadding="0" cellspacing="0"'
    title = f"<<{table}><tr>{cell}</tr></table>>"
    body = ";".join(filter(None, ids))
    return f"subgraph cluster_{number}{{margin={GROUP_MARGIN:g} label={title} {body}}}"


def _middle(positions: Sequence[float], alone: float) -> float:
    """Return the mean, or where a node stands that has no neighbours."""
    return sum(positions) / len(positions) if positions else alone


def _spread(row: Sequence[str], widths: Mapping[str, float], across: dict[str, float]) -> None:
    """Put a row's nodes side by side, centred on zero."""
    at = -(sum(widths.values()) + NODE_GAP * (len(row) - 1)) / 2
    for name in row:
        across[name] = at + widths[name] / 2
        at += widths[name] + NODE_GAP
