"""A graph from a chain of calls."""

from __future__ import annotations

from collections.abc import Iterable

from dagnb.graph.dag import DAG, EdgeSpec, NodeSpec


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
        if self._nodes:
            dag.add_nodes(self._nodes)
        else:
            dag.add_nodes(dict.fromkeys(name for edge in self._edges for name in edge[:2]))
        dag.add_edges(self._edges)
        return dag
