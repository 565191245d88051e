"""Named nodes, edges between them, and questions about both. Knows no callable."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from dagnb.errors import NodeNotFoundError
from dagnb.graph import analysis
from dagnb.graph.adjacency import NodeRef
from dagnb.graph.named import EdgeSpec, NamedGraph, NodeSpec, check_costs


class DAG(NamedGraph):
    """A directed acyclic graph with named nodes; an edge that would close a cycle is refused.

    Every list of nodes is in topological order with ties broken by the order of addition,
    unless it says otherwise. Names in results are `NodeRef`, which are strings.

    Attributes
    ----------
    adjacency : Adjacency
        The same graph over integers, for code that walks it.
    drawings : dict
        Functions that draw a graph, by format; `dagnb.render.drawings` puts them here.

    Examples
    --------
    >>> dag = DAG()
    >>> _ = dag.add_nodes(["load", "clean", "plot"])
    >>> dag.add_edges([("load", "clean"), ("clean", "plot")])
    >>> dag.descendants("load")
    ['clean', 'plot']
    >>> dag.add_edge("plot", "load")
    Traceback (most recent call last):
    dagnb.errors.CycleError: this would close a cycle: load -> clean -> plot -> load
    """

    drawings: ClassVar[dict[str, Callable[[DAG], Any]]] = {}

    @staticmethod
    def builder() -> DAGBuilder:
        """Return a new `DAGBuilder`."""
        return DAGBuilder()

    # -- questions --------------------------------------------------------------------------

    def predecessors(self, name: str) -> list[NodeRef]:
        """Return the nodes with an edge into ``name``, in the order of these edges."""
        return self.refs(self.adjacency.predecessors[self.number(name)])

    def successors(self, name: str) -> list[NodeRef]:
        """Return the nodes that ``name`` has an edge to, in the order of these edges."""
        return self.refs(self.adjacency.successors[self.number(name)])

    def in_degree(self, name: str) -> int:
        """Return the number of edges into ``name``."""
        return len(self.adjacency.predecessors[self.number(name)])

    def out_degree(self, name: str) -> int:
        """Return the number of edges out of ``name``."""
        return len(self.adjacency.successors[self.number(name)])

    def ancestors(self, name: str) -> list[NodeRef]:
        """Return all nodes with a path to ``name``; linear in what is found."""
        return self._reach(name, self.adjacency.predecessors)

    def descendants(self, name: str) -> list[NodeRef]:
        """Return all nodes that ``name`` has a path to; linear in what is found."""
        return self._reach(name, self.adjacency.successors)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether a path leads from ``ancestor`` to ``descendant``."""
        return ancestor in self.ancestors(descendant)

    def roots(self) -> list[NodeRef]:
        """Return the nodes without incoming edges, in the order of addition."""
        graph = self.adjacency
        return self.refs(node for node in graph.ids.values() if not graph.predecessors[node])

    def leaves(self) -> list[NodeRef]:
        """Return the nodes without outgoing edges, in the order of addition."""
        graph = self.adjacency
        return self.refs(node for node in graph.ids.values() if not graph.successors[node])

    def topological_sort(self) -> list[NodeRef]:
        """Return all nodes, dependencies first; the order is kept, not computed anew."""
        return self.refs(self.adjacency.order)

    def topological_levels(self) -> list[list[NodeRef]]:
        """Return the nodes by level: the longest path that leads to them; linear."""
        return [self.refs(level) for level in analysis.levels(self.adjacency)]

    def critical_path(
        self, costs: Mapping[str, float] | None = None
    ) -> tuple[list[NodeRef], float]:
        """Return the chain with the largest total cost, and that cost.

        Parameters
        ----------
        costs : mapping of str to float, optional
            The cost of a node, from 0 on; 1.0 for one that is not named.
        """
        by_number = self.costs_by_number(check_costs(costs))
        path, length = analysis.critical_path(self.adjacency, by_number)
        return self.refs(path), length

    def execution_plan(self, costs: Mapping[str, float] | None = None) -> analysis.ExecutionPlan:
        """Return the levels of a run with its critical path.

        Examples
        --------
        >>> dag = DAG.builder().add_edge("a", "b").add_edge("a", "c").build()
        >>> for step in dag.execution_plan():
        ...     print(step)
        ExecutionStep(level=0, nodes=['a'])
        ExecutionStep(level=1, nodes=['b', 'c'])
        """
        steps = [
            analysis.ExecutionStep(level, [str(each) for each in nodes])
            for level, nodes in enumerate(self.topological_levels())
        ]
        path, length = self.critical_path(costs)
        return analysis.ExecutionPlan(steps, [str(each) for each in path], length)

    def dirty_set(self, changed: Sequence[str]) -> list[NodeRef]:
        """Return the changed nodes and all below them; linear in what is found.

        Parameters
        ----------
        changed : list of str
            The nodes that changed.

        Raises
        ------
        NodeNotFoundError
            One of them does not exist.
        TypeError
            A string was given where a list is expected.
        """
        return self.refs(self.adjacency.affected(self.numbers(changed, "changed")))

    def change_provenance(self, changed: Sequence[str]) -> Mapping[str, analysis.Reason]:
        """Map each node of the dirty set to why it is in it.

        Examples
        --------
        >>> dag = DAG.builder().add_edge("a", "b").build()
        >>> for node, reason in dag.change_provenance(changed=["a"]).items():
        ...     print(f"{node}: {reason}")
        a: direct change
        b: ancestor a
        """
        return analysis.Provenance(self.adjacency, self.numbers(changed, "changed"))

    # -- whole graphs -----------------------------------------------------------------------

    def snapshot(self) -> DAG:
        """Return an independent copy; payloads and metadata are shared."""
        new = DAG()
        new.adjacency = copy.deepcopy(self.adjacency)
        new._payloads = dict(self._payloads)
        new._metadata = dict(self._metadata)
        return new

    __copy__ = snapshot

    def to_json(self) -> str:
        """Return nodes (with metadata) and edges as a JSON text; payloads are left out.

        Raises
        ------
        TypeError
            The metadata of a node is not JSON.
        """
        return json.dumps(self._as_data(), indent=2, ensure_ascii=False)

    def _as_data(self) -> dict[str, object]:
        nodes = [
            {"name": str(name)}
            | ({} if (data := self.get_metadata(name)) is None else {"metadata": data})
            for name in self.nodes()
        ]
        edges = [
            {"from": str(source), "to": str(target)}
            | {
                key: value
                for key, value in self.edge_data(source, target)._asdict().items()
                if value is not None
            }
            for source, target in self.edges()
        ]
        return {"nodes": nodes, "edges": edges}

    @classmethod
    def from_json(cls, text: str) -> DAG:
        """Return the graph that `to_json` wrote.

        Raises
        ------
        ValueError
            The text is not what `to_json` writes; it names what is missing.

        Examples
        --------
        >>> DAG.from_json(DAG.builder().add_edge("a", "b").build().to_json())
        DAG(nodes=2, edges=1)
        """
        data = json.loads(text)
        try:
            nodes = [(each["name"], None, each.get("metadata")) for each in data["nodes"]]
            edges = [
                (each["from"], each["to"], each.get("weight"), each.get("label"))
                for each in data["edges"]
            ]
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"this is no graph that DAG.to_json wrote: {error!r}") from error
        dag = cls()
        dag.add_nodes(nodes)
        dag.add_edges(edges)
        return dag

    # -- protocols --------------------------------------------------------------------------

    def __len__(self) -> int:
        return self.node_count()

    def __contains__(self, name: object) -> bool:
        return name in self.adjacency.ids

    def __iter__(self) -> Iterator[NodeRef]:
        return iter(self.nodes())

    def __getitem__(self, name: str) -> Any:
        return self.get_payload(name)

    def __setitem__(self, name: str, payload: object) -> None:
        self.set_payload(name, payload)

    def __repr__(self) -> str:
        return f"DAG(nodes={self.node_count()}, edges={self.edge_count()})"

    # -- pictures ---------------------------------------------------------------------------

    def to_dot(self) -> Any:
        """Return the graph as a ``graphviz.Source``; its ``source`` is the text in DOT.

        Examples
        --------
        >>> import dagnb
        >>> '"a" -> "b"' in dagnb.DAG.builder().add_edge("a", "b").build().to_dot().source
        True
        """
        return self.drawings["dot"](self)

    def to_mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart."""
        return str(self.drawings["mermaid"](self))

    def _repr_svg_(self) -> str | None:
        return self.drawings["svg"](self) if "svg" in self.drawings else None


class DAGBuilder:
    """Collects nodes and edges, then builds the graph at once.

    If no node was declared, the names in edges declare themselves, in the order of their first
    appearance. Once one was, an undeclared name in an edge is an error.

    Examples
    --------
    >>> from dagnb import DAG
    >>> DAG.builder().add_edge("a", "b").add_edge("a", "c").build()
    DAG(nodes=3, edges=2)
    """

    def __init__(self) -> None:
        self._nodes: list[NodeSpec] = []
        self._edges: list[EdgeSpec] = []

    def add_node(self, name: str, payload: object = None, metadata: object = None) -> DAGBuilder:
        """Declare a node."""
        self._nodes.append((name, payload, metadata))
        return self

    def add_nodes(self, nodes: Iterable[NodeSpec]) -> DAGBuilder:
        """Declare nodes, each a name or ``(name, payload[, metadata])``."""
        self._nodes.extend(nodes)
        return self

    def add_edge(
        self, source: str, target: str, weight: float | None = None, label: str | None = None
    ) -> DAGBuilder:
        """Add an edge from ``source`` to ``target``."""
        self._edges.append((source, target, weight, label))
        return self

    def add_edges(self, edges: Iterable[EdgeSpec]) -> DAGBuilder:
        """Add edges, each ``(source, target[, weight[, label]])``."""
        self._edges.extend(edges)
        return self

    def build(self) -> DAG:
        """Build the graph.

        Raises
        ------
        DuplicateNodeError
            A name was declared twice.
        NodeNotFoundError
            An edge names a node that was not declared, though others were.
        CycleError
            The edges close a cycle.
        """
        dag = DAG()
        in_edges = dict.fromkeys(name for edge in self._edges for name in edge[:2])
        dag.add_nodes(self._nodes or in_edges)
        if unknown := [name for name in in_edges if name not in dag]:
            where = "an edge; declare it, as other nodes are declared"
            raise NodeNotFoundError(unknown[0], dag, where)
        dag.add_edges(self._edges)
        return dag
