"""Nodes and edges by name: how a graph is edited, one at a time or whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

from dagnb.errors import (
    CycleError,
    DuplicateNodeError,
    EdgeNotFoundError,
    NodeNotFoundError,
    StaleNodeRefError,
)
from dagnb.graph.adjacency import Adjacency, NodeRef
from dagnb.graph.edges import EdgeData

if TYPE_CHECKING:
    from dagnb.graph.edit import Expansion

NodeSpec: TypeAlias = "str | tuple[str] | tuple[str, object] | tuple[str, object, object]"
EdgeSpec: TypeAlias = (
    "tuple[str, str] | tuple[str, str, float | None] | tuple[str, str, float | None, str | None]"
)
COLLECTIONS = (list, tuple, dict, set)  # which can be gone through twice


class NamedGraph:
    """Nodes with names, payloads and metadata, and edges that close no cycle.

    Attributes
    ----------
    adjacency : Adjacency
        The same graph over integers, for code that walks it.
    expansions : list
        What runs did to the graph, each with the name of the node that asked for it, so that a
        later run can take it back.
    """

    def __init__(self) -> None:
        self.adjacency = Adjacency()
        self.expansions: list[tuple[str, Expansion]] = []
        self._payloads: dict[int, object] = {}
        self._metadata: dict[int, object] = {}

    # -- nodes ------------------------------------------------------------------------------

    def add_node(self, name: str, payload: object = None, metadata: object = None) -> NodeRef:
        """Add a node and return a handle to it.

        Raises
        ------
        DuplicateNodeError
            The name is taken.
        TypeError, ValueError
            The name is not a string, or is empty.
        """
        if name.__class__ is not str:
            name = _plain(name)
        if name in self.adjacency.ids:
            raise DuplicateNodeError(name)
        if not name:
            raise ValueError("a node's name is not empty")
        ref = self.adjacency.add(name)
        if payload is not None or metadata is not None:
            self._attach(ref, payload, metadata)
        return ref

    def add_nodes(self, nodes: Iterable[NodeSpec]) -> list[NodeRef]:
        """Add nodes, each a name or ``(name, payload[, metadata])``: all of them or none."""
        specs = _not_text(nodes, "nodes")
        plain = set(map(type, specs)) <= {str}
        names = specs if plain else [_plain(_first(each)) for each in specs]
        new = dict(zip(names, count(len(self.adjacency.names)), strict=False))
        if len(new) < len(names) or not self.adjacency.ids.keys().isdisjoint(new):
            raise DuplicateNodeError(self._first_taken(names))
        if "" in new:
            raise ValueError("a node's name is not empty")
        refs = self.adjacency.add_all(new)
        if not plain:
            for ref, spec in zip(refs, specs, strict=True):
                if not isinstance(spec, str):
                    self._attach(ref, *spec[1:])
        return refs

    def _first_taken(self, names: Sequence[str]) -> str:
        counts = Counter(names)
        return next(name for name in names if name in self.adjacency.ids or counts[name] > 1)

    def _attach(self, ref: NodeRef, payload: object = None, metadata: object = None) -> None:
        if payload is not None:
            self._payloads[ref.epoch] = payload
        if metadata is not None:
            self._metadata[ref.epoch] = metadata

    def remove_node(self, name: str) -> None:
        """Remove a node and its edges."""
        self._discard([self.number(name)])

    def remove_nodes(self, names: Iterable[str]) -> None:
        """Remove nodes and their edges: all of them or, if one is unknown, none."""
        self._discard(self.numbers(names, "remove_nodes"))

    def _discard(self, nodes: list[int]) -> None:
        epochs = [self._epoch(node) for node in nodes]
        self.adjacency.discard(nodes)
        for epoch in epochs:
            self._payloads.pop(epoch, None)
            self._metadata.pop(epoch, None)

    def has_node(self, name: str) -> bool:
        """Whether a node of this name exists."""
        return name in self.adjacency.ids

    def node_ref(self, name: str) -> NodeRef | None:
        """Return the handle to a node, or None if there is none."""
        node = self.adjacency.ids.get(name)
        return None if node is None else self.adjacency.handles[node]

    def node_count(self) -> int:
        """Return the number of nodes."""
        return len(self.adjacency.ids)

    def nodes(self) -> list[NodeRef]:
        """Return all nodes in the order of addition."""
        return self.refs(self.adjacency.ids.values())

    def get_payload(self, name: str) -> Any:
        """Return what was attached to a node as its payload."""
        return self._payloads.get(self._epoch(self.number(name)))

    def set_payload(self, name: str, payload: object) -> None:
        """Attach a payload to a node."""
        self._payloads[self._epoch(self.number(name))] = payload

    def get_metadata(self, name: str) -> Any:
        """Return what was attached to a node as its metadata."""
        return self._metadata.get(self._epoch(self.number(name)))

    def set_metadata(self, name: str, metadata: object) -> None:
        """Attach metadata to a node."""
        self._metadata[self._epoch(self.number(name))] = metadata

    # -- edges ------------------------------------------------------------------------------

    def add_edge(
        self, source: str, target: str, weight: float | None = None, label: str | None = None
    ) -> None:
        """Add an edge, or give an existing one a new weight and label.

        Cost: a comparison if the kept topological order agrees, else a search between the two
        nodes (see `dagnb.graph.order`).

        Raises
        ------
        NodeNotFoundError
            One of the nodes does not exist.
        CycleError
            The edge would close a cycle; its ``path`` is that cycle. The graph is unchanged.
        """
        graph = self.adjacency
        ids = graph.ids
        data = None if weight is None and label is None else EdgeData(weight, label)
        try:
            path = graph.link(
                ids[source] if source.__class__ is str else self.number(source),
                ids[target] if target.__class__ is str else self.number(target),
                data,
            )
        except KeyError as missing:
            raise self._unknown(missing.args[0]) from None
        if path is not None:
            raise self._cycle(path)

    def add_edges(self, edges: Iterable[EdgeSpec]) -> None:
        """Add edges, each ``(source, target[, weight[, label]])``: all of them or none."""
        graph, specs = self.adjacency, _not_text(edges, "edges")
        pairs, data = specs, []
        if graph.edges.data or not set(map(len, specs)) <= {2}:
            pairs = [edge[:2] for edge in specs]
            data = [_edge_data(*edge[2:]) for edge in specs]
        try:
            path = graph.link_all(pairs, self.number, data)
        except KeyError as missing:
            raise self._unknown(missing.args[0]) from None
        if path is not None:
            raise self._cycle(path)

    def remove_edge(self, source: str, target: str) -> None:
        """Remove an edge.

        Raises
        ------
        EdgeNotFoundError
            There is no such edge.
        """
        if not self.has_edge(source, target):
            raise EdgeNotFoundError(source, target)
        self.adjacency.unlink(self.number(source), self.number(target))

    def has_edge(self, source: str, target: str) -> bool:
        """Whether an edge goes from ``source`` to ``target``."""
        return self.adjacency.edges.has(self.number(source), self.number(target))

    def edge_count(self) -> int:
        """Return the number of edges."""
        return len(self.adjacency.edges)

    def edges(self) -> list[tuple[NodeRef, NodeRef]]:
        """Return all edges in the order of addition."""
        handles = self.adjacency.handles
        return [(handles[source], handles[target]) for source, target in self.adjacency.edges]

    def edge_data(self, source: str, target: str) -> EdgeData:
        """Return the weight and label of an edge."""
        if not self.has_edge(source, target):
            raise EdgeNotFoundError(source, target)
        edge = self.number(source), self.number(target)
        return self.adjacency.edges.data.get(edge) or EdgeData(None, None)

    # -- names and numbers ------------------------------------------------------------------

    def number(self, name: str) -> int:
        """Return the number of a node in `adjacency`."""
        node = self.adjacency.ids.get(name)
        if node is None:
            raise self._unknown(name)
        if name.__class__ is NodeRef and name.epoch != self._epoch(node):
            raise StaleNodeRefError(name)
        return node

    def numbers(self, names: Iterable[str], where: str) -> list[int]:
        """Return the numbers of nodes; ``where`` says in an error what the names stood in."""
        ids, found = self.adjacency.ids, []
        for name in names if names.__class__ is list else _not_text(names, where):
            node = ids.get(name)
            if node is None:
                raise self._unknown(name, where)
            found.append(node if name.__class__ is str else self.number(name))
        return found

    def refs(self, nodes: Iterable[int]) -> list[NodeRef]:
        """Return the names of numbered nodes, as handles."""
        handles = self.adjacency.handles
        return [handles[node] for node in nodes]

    def costs_by_number(self, costs: Mapping[str, float] | None) -> dict[int, float]:
        """Return costs, which are numbers, by the numbers of their nodes."""
        return dict(zip(self.numbers(costs or (), "costs"), (costs or {}).values(), strict=True))

    def _unknown(self, name: str, where: str = "") -> NodeNotFoundError | StaleNodeRefError:
        if name.__class__ is NodeRef:
            return StaleNodeRefError(name)
        return NodeNotFoundError(name, self.adjacency.ids, where)

    def _reach(self, name: str, neighbours: Sequence[Sequence[int]]) -> list[NodeRef]:
        start = self.number(name)
        return self.refs(self.adjacency.sort(self.adjacency.reach([start], neighbours) - {start}))

    def _cycle(self, path: Sequence[int]) -> CycleError:
        return CycleError([*self.refs(path), *self.refs(path[:1])])

    def _epoch(self, node: int) -> int:
        return self.adjacency.handles[node].epoch


def _edge_data(weight: float | None = None, label: str | None = None) -> EdgeData | None:
    return None if weight is None and label is None else EdgeData(weight, label)


def _first(spec: NodeSpec) -> object:
    return spec if isinstance(spec, str) else spec[0]


def _plain(name: object) -> str:
    """Return a handle or another string as a plain string."""
    if not isinstance(name, str):
        raise TypeError(f"a node's name is a string, not {name!r}")
    return str(name)


def check_mapping(given: object, option: str) -> None:
    """Refuse what maps no names to anything."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{option} is a mapping by node, such as a dict, not {given!r}")


def check_costs(costs: Mapping[str, float] | None) -> Mapping[str, float] | None:
    """Refuse costs that are no numbers; names are looked up elsewhere."""
    if costs is None:
        return None
    check_mapping(costs, "costs")
    for name, cost in costs.items():
        if isinstance(cost, bool) or not isinstance(cost, Real):
            raise TypeError(f"the cost of node {str(name)!r} is a number, not {cost!r}")
        if not cost >= 0:
            raise ValueError(f"the cost of node {str(name)!r} is at least 0, not {cost!r}")
    return costs


def _not_text(names: Any, where: str) -> Any:
    """Return a collection of names, made sure not to be one name by mistake."""
    if isinstance(names, str):
        raise TypeError(f"{where} is a list of names, not one string; write [{names!r}]")
    return names if isinstance(names, COLLECTIONS) else list(names)
