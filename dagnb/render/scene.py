"""What of a graph is shown: which groups are folded to one box, and whose neighbourhood."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from dagnb.render.layout import Direction

#: From this many nodes on, groups are shown folded unless somebody opened them.
FOLDED_ABOVE = 150

_BEFORE_SEPARATOR = re.compile(r"(.+?)(?:\.|/|__)(?=[^./])")


@dataclass(frozen=True, slots=True)
class Lens:
    """How somebody looks at a graph; what it says of unknown nodes and groups means nothing.

    Attributes
    ----------
    folded, opened : frozenset of str
        Groups that somebody folded or opened; others are folded in a graph of more than 150 nodes.
    around : str
        Show only what leads to this node and what it leads to; empty shows all.
    hops : int
        How many edges away from that node.
    direction : str
        ``"TB"``, ``"LR"``, or ``"auto"`` for the one that shows larger.
    """

    folded: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()
    around: str = ""
    hops: int = 2
    direction: Direction = "auto"

    def fold(self, groups: Iterable[str]) -> Lens:
        """Return this lens with these groups folded."""
        names = frozenset(groups)
        return replace(self, folded=self.folded | names, opened=self.opened - names)

    def open(self, groups: Iterable[str]) -> Lens:
        """Return this lens with these groups open."""
        names = frozenset(groups)
        return replace(self, folded=self.folded - names, opened=self.opened | names)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn.

    Attributes
    ----------
    nodes : tuple of str
        The nodes that are drawn themselves.
    groups : dict of str to str
        The open group of each drawn node that is in one.
    folds : dict of str to tuple of str
        The members of each folded group.
    edges : tuple of (source, target)
        Between what is drawn; a folded group goes by its ``fold_key``.
    """

    nodes: tuple[str, ...]
    groups: dict[str, str]
    folds: dict[str, tuple[str, ...]]
    edges: tuple[tuple[str, str], ...]


def fold_key(group: str) -> str:
    """Return the name under which a folded group is laid out; no node has it."""
    return "\0" + group


def scene(
    nodes: Collection[str],
    edges: Collection[tuple[str, str]],
    groups: Mapping[str, str],
    lens: Lens,
) -> Scene:
    """Return what a lens shows of a graph; linear in nodes and edges.

    Parameters
    ----------
    nodes : collection of str
    edges : collection of (source, target)
    groups : mapping of node to group
    lens : Lens

    Examples
    --------
    >>> chain, groups = [("a", "b"), ("b", "c")], {"a": "g", "b": "g"}
    >>> seen = scene(["a", "b", "c"], chain, groups, Lens().fold(["g"]))
    >>> seen.nodes, seen.folds, seen.edges == ((fold_key("g"), "c"),)
    (('c',), {'g': ('a', 'b')}, True)
    """
    if lens.around and lens.around in nodes:
        near = neighbourhood(lens.around, edges, lens.hops)
        nodes = [name for name in nodes if name in near]
    within = grouped(nodes, groups)
    folds = _folds(nodes, within, lens)
    place = {name: name for name in nodes}
    place |= {name: fold_key(group) for group, inside in folds.items() for name in inside}
    drawn = ((place.get(a), place.get(b)) for a, b in edges)
    return Scene(
        nodes=tuple(name for name in nodes if place[name] == name),
        groups={name: group for name, group in within.items() if group not in folds},
        folds=folds,
        edges=tuple(dict.fromkeys((a, b) for a, b in drawn if a and b and a != b)),
    )


def grouped(nodes: Iterable[str], groups: Mapping[str, str]) -> dict[str, str]:
    """Return the group of each node that has one.

    It is the one it was given (its first tag, or the node that made it); else the part of its name
    before the first ``.``, ``/`` or ``__``, if it shares that part with another node.

    Examples
    --------
    >>> grouped(["etl.load", "etl.clean", "fit", "fit.one"], {"fit": "model"})
    {'etl.load': 'etl', 'etl.clean': 'etl', 'fit': 'model'}
    """
    found, prefixes = dict[str, str](), dict[str, list[str]]()
    for name in nodes:
        group = groups.get(name) or ""
        if not group and (match := _BEFORE_SEPARATOR.match(name)):
            group = match[1]
            prefixes.setdefault(group, []).append(name)
        if group:
            found[name] = group
    given = set(map(groups.get, found))
    for prefix, names in prefixes.items():
        if len(names) == 1 and prefix not in given:
            del found[names[0]]
    return found


def neighbourhood(name: str, edges: Iterable[tuple[str, str]], hops: int) -> set[str]:
    """Return a node with what leads to it and what it leads to, so many edges away at most.

    Examples
    --------
    >>> sorted(neighbourhood("c", [("a", "b"), ("b", "c"), ("b", "x"), ("c", "d")], 1))
    ['b', 'c', 'd']
    """
    above, below = dict[str, list[str]](), dict[str, list[str]]()
    for source, target in edges:
        above.setdefault(target, []).append(source)
        below.setdefault(source, []).append(target)
    return _reached(name, above, hops) | _reached(name, below, hops)


def _reached(name: str, beside: Mapping[str, list[str]], hops: int) -> set[str]:
    """Return what lies at most so many steps from a node."""
    seen, rim = {name}, [name]
    for _ in range(hops):
        rim = [other for each in rim for other in beside.get(each, ()) if other not in seen]
        seen.update(rim)
    return seen


def _folds(
    nodes: Collection[str], groups: Mapping[str, str], lens: Lens
) -> dict[str, tuple[str, ...]]:
    """Return the folded groups with their members; one alone is no less to look at folded."""
    members: dict[str, list[str]] = {}
    for name in nodes:
        if name in groups:
            members.setdefault(groups[name], []).append(name)
    shut = lens.folded if len(nodes) <= FOLDED_ABOVE else members.keys() - lens.opened
    shut -= {groups.get(lens.around, "")}
    return {
        group: tuple(inside)
        for group, inside in members.items()
        if group in shut and len(inside) > 1
    }
