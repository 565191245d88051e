"""Edits of a graph as data: applied whole or not at all."""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dagnb.errors import CycleError, DuplicateNodeError, ExpansionError, did_you_mean
from dagnb.graph.adjacency import NodeRef
from dagnb.graph.named import NamedGraph


@dataclass(frozen=True, slots=True)
class DynamicNodeSpec:
    """A node to add, with its task and its place.

    Attributes
    ----------
    name : str
    task : callable
    dependencies : sequence of str
        Nodes it comes after; others of the same edit count, in any order.
    dependents : sequence of str
        Nodes that come after it.
    expander : callable, optional
        What its own value brings forth, as for the nodes that are there from the start.

    Examples
    --------
    >>> DynamicNodeSpec("a", print).dependents  # None is taken as none
    []
    """

    name: str
    task: Callable[..., object]
    dependencies: Sequence[str] | None = None
    dependents: Sequence[str] | None = None
    expander: Callable[..., DynamicModification | None] | None = None

    def __post_init__(self) -> None:
        """Let both lists be lists."""
        _replace_none(self, "dependencies", "dependents")

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield the edges that it brings, from dependencies and to dependents."""
        for name in self.dependencies or ():
            yield str(name), str(self.name)
        for name in self.dependents or ():
            yield str(self.name), str(name)


@dataclass(frozen=True, slots=True)
class DynamicModification:
    """Nodes to add and nodes to remove; the removed ones go first."""

    add_nodes: Sequence[DynamicNodeSpec] | None = None
    remove_nodes: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Let both lists be lists."""
        _replace_none(self, "add_nodes", "remove_nodes")


def _replace_none(record: object, *names: str) -> None:
    for name in names:
        if getattr(record, name) is None:
            object.__setattr__(record, name, [])  # the record is frozen, and this is its making


class NewNodes(list[str]):
    """The names of nodes that an expansion added, with the whole of what it asked for.

    Attributes
    ----------
    add_nodes : list of DynamicNodeSpec
    remove_nodes : list of str
    """

    def __init__(
        self,
        names: Sequence[str],
        add_nodes: Sequence[DynamicNodeSpec] = (),
        remove_nodes: Sequence[str] = (),
    ) -> None:
        super().__init__(str(name) for name in names)
        self.add_nodes = list(add_nodes)
        self.remove_nodes = list(remove_nodes)


class Removed(NamedTuple):
    """A removed node with all that is needed to add it again."""

    name: str
    payload: object
    metadata: object
    edges: Sequence[tuple[str, str, float | None, str | None]]


@dataclass(frozen=True, slots=True)
class Expansion:
    """What an edit did to a graph.

    Attributes
    ----------
    added : list of NodeRef
        In the order of the edit.
    edges : list of tuple of int
        The new edges, by the numbers of their nodes.
    removed : list of Removed
    gone : list of int
        The numbers that these had.
    cut : list of tuple of int
        The edges of removed nodes, by the numbers that these had.
    """

    added: list[NodeRef]
    edges: list[tuple[int, int]]
    removed: list[Removed]
    gone: list[int]
    cut: list[tuple[int, int]]


class Edit:
    """A `DynamicModification` of one graph, checked before anything is changed.

    Parameters
    ----------
    dag : NamedGraph
    by : str
        The node that asked for it, for messages.
    modification : DynamicModification

    Raises
    ------
    TypeError
        It is not a modification, or its parts are not what they should be.
    DuplicateNodeError
        A name to add is taken, or stands there twice.
    ExpansionError
        It names a node that does not exist.

    Notes
    -----
    All of it costs what it adds, with the degrees of what it removes. Only to do both at once
    also costs what lies below the new nodes.
    """

    def __init__(self, dag: NamedGraph, by: str, modification: DynamicModification) -> None:
        self._dag, self._by = dag, by
        _check_types(by, modification)
        self.specs = list(modification.add_nodes or ())
        self.removed = list(dict.fromkeys(str(each) for each in modification.remove_nodes or ()))
        self.edges = list(dict.fromkeys(edge for spec in self.specs for edge in spec.edges()))
        self._names = {str(spec.name) for spec in self.specs}
        self._check_names()

    def touched(self) -> list[str]:
        """Return the existing nodes that it removes or gives new inputs."""
        return self.removed + [target for _, target in self.edges if target not in self._names]

    def apply(self) -> Expansion:
        """Make the edit, and note it in the graph's ``expansions``.

        Raises
        ------
        CycleError
            The new edges would close a cycle; the graph is as before, as after Ctrl-C.
        """
        if self.removed and self.edges:
            self.check_cycles()
        graph = self._dag.adjacency
        removed = [self._remember(name) for name in self.removed]
        gone = [graph.ids[name] for name in self.removed]
        cut = list(dict.fromkeys(self._numbers(edge) for each in removed for edge in each.edges))
        expansion, first = Expansion([], [], removed, gone, cut), graph.version
        self._dag.expansions.append((str(self._by), expansion))
        try:
            self._make(expansion)
        except BaseException:
            self._unmake(expansion, first)
            raise
        return expansion

    def _make(self, expansion: Expansion) -> None:
        if self.removed:
            self._dag.remove_nodes(self.removed)
        for spec in self.specs:
            expansion.added.append(self._dag.add_node(str(spec.name)))
        for source, target in self.edges:
            self._dag.add_edge(source, target)
        ids = self._dag.adjacency.ids
        expansion.edges.extend((ids[source], ids[target]) for source, target in self.edges)

    def _unmake(self, expansion: Expansion, first: int) -> None:
        """Take back what has been done so far; nodes from the epoch ``first`` on are new."""
        found = [self._dag.node_ref(str(spec.name)) for spec in self.specs]
        expansion.added[:] = [ref for ref in found if ref is not None and ref.epoch >= first]
        undo(self._dag, expansion)
        self._dag.expansions.pop()

    def check_cycles(self) -> None:
        """Refuse a cycle in the graph as it would be, without touching it."""
        above: dict[str, list[str]] = {}
        below = self._successors()
        stack = list(self._names)
        while stack:
            source = stack.pop()
            for target in below(source):
                if target not in above:
                    stack.append(target)
                above.setdefault(target, []).append(source)
        try:
            graphlib.TopologicalSorter(above).prepare()
        except graphlib.CycleError as error:
            raise CycleError([str(name) for name in error.args[1]]) from None

    def _successors(self) -> Callable[[str], list[str]]:
        """Return what gives the nodes below one, in the graph as it would be."""
        new: dict[str, list[str]] = {}
        for source, target in self.edges:
            new.setdefault(source, []).append(target)
        graph, gone = self._dag.adjacency, set(self.removed)

        def below(name: str) -> list[str]:
            node = None if name in self._names else graph.ids.get(name)
            old = () if node is None else self._dag.refs(graph.successors[node])
            return [str(each) for each in old if each not in gone] + new.get(name, [])

        return below

    def _check_names(self) -> None:
        ids, gone = self._dag.adjacency.ids, set(self.removed)
        for name in self.removed:
            if name not in ids:
                self._refuse(name, "removed", ids)
        taken: set[str] = set()
        for spec in self.specs:
            name = str(spec.name)
            if name in taken or (name in ids and name not in gone):
                raise DuplicateNodeError(name)
            taken.add(name)
        for name in (name for edge in self.edges for name in edge):
            if name not in taken and (name not in ids or name in gone):
                self._refuse(name, "joined to a new node", [*taken, *ids])

    def _refuse(self, name: str, what: str, known: Sequence[str] | dict[str, int]) -> None:
        hint = did_you_mean(name, known)
        raise ExpansionError(self._by, f"no node {name!r} that could be {what}{hint}")

    def _remember(self, name: str) -> Removed:
        dag, graph = self._dag, self._dag.adjacency
        node = graph.ids[name]
        pairs = [(each, node) for each in graph.predecessors[node]]
        pairs += [(node, each) for each in graph.successors[node]]
        edges = [
            (str(source), str(target), *dag.edge_data(source, target))
            for source, target in (dag.refs(pair) for pair in pairs)
        ]
        return Removed(name, dag.get_payload(name), dag.get_metadata(name), edges)

    def _numbers(self, edge: tuple[str, str, float | None, str | None]) -> tuple[int, int]:
        ids = self._dag.adjacency.ids
        return ids[edge[0]], ids[edge[1]]


def undo(dag: NamedGraph, expansion: Expansion) -> None:
    """Take an edit back, as far as the graph has not been edited since."""
    if added := [ref for ref in expansion.added if dag.node_ref(ref) is ref]:
        dag.remove_nodes(added)
    for each in expansion.removed:
        if not dag.has_node(each.name):
            dag.add_node(each.name, each.payload, each.metadata)
    for each in expansion.removed:
        known = [edge for edge in each.edges if dag.has_node(edge[0]) and dag.has_node(edge[1])]
        dag.add_edges(known)


def _check_types(by: str, modification: DynamicModification) -> None:
    expander = f"the expander of node {str(by)!r}"
    if not isinstance(modification, DynamicModification):
        raise TypeError(
            f"{expander} returned {modification!r}; return a DynamicModification or None"
        )
    specs, removed = modification.add_nodes or (), modification.remove_nodes or ()
    for given, where in ((specs, "add_nodes"), (removed, "remove_nodes")):
        if not isinstance(given, list | tuple | set | frozenset):
            raise TypeError(f"{expander} gave {given!r} as {where}; give a list")
    for spec in specs:
        if not isinstance(spec, DynamicNodeSpec):
            raise TypeError(f"{expander} adds {spec!r}; add a DynamicNodeSpec")
        if not isinstance(spec.name, str) or not spec.name:
            raise TypeError(f"{expander} names a new node {spec.name!r}; a name is a text")
        if not callable(spec.task):
            raise TypeError(f"{expander} gives node {spec.name!r} a task that is not callable")
        if spec.expander is not None and not callable(spec.expander):
            raise TypeError(f"{expander} gives node {spec.name!r} an expander that is not callable")
        for names in (spec.dependencies, spec.dependents):
            if isinstance(names, str):
                raise TypeError(f"{expander} gives one text, {names!r}, as a list of names")
