"""Edges that are taken or not, depending on the value that would pass along them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dagnb.errors import NodeNotFoundError
from dagnb.graph.dag import DAG, DAGBuilder
from dagnb.graph.named import EdgeSpec, NodeSpec
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.policies import Inputs, Policy
from dagnb.values.fingerprint import digest

Condition = Callable[[Any], Any]
JOINS = ("any", "all")


class Conditions(dict[tuple[str, str], Condition]):
    """Conditions by edge, and how many of its edges a node asks for.

    Attributes
    ----------
    joins : dict of str to str
        ``"any"`` or ``"all"`` by node; ``"any"`` for one that is not in it.
    """

    def __init__(
        self,
        conditions: Mapping[tuple[str, str], Condition] | None = None,
        joins: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_by_edge(conditions or {}))
        self.joins: dict[str, str] = {}
        if isinstance(conditions, Conditions):
            self.joins.update(conditions.joins)
        self.joins.update(joins or {})
        for (source, target), condition in self.items():
            if not callable(condition):
                where = f"{str(source)!r} -> {str(target)!r}"
                raise TypeError(f"the condition of {where} is not callable: {condition!r}")
        for name, join in self.joins.items():
            if join not in JOINS:
                raise ValueError(f"join of node {str(name)!r} is 'any' or 'all', not {join!r}")

    def check(self, dag: DAG) -> None:
        """Refuse a condition of an edge, or a join of a node, that the graph does not have."""
        for source, target in self:
            dag.edge_data(source, target)
        for name in self.joins:
            if name not in dag:
                raise NodeNotFoundError(name, dag.adjacency.ids, "joins")


NOTHING = digest(None)  # names what a node that was passed by is to those that take it


def pass_by(name: str, reason: str) -> NodeResult:
    """Return the result of a node that no condition leads to.

    It is skipped, and that is final until something it depends on changes: to those that can do
    without it, it is None.
    """
    return NodeResult(name, NodeStatus.SKIPPED, reason=reason, digest=NOTHING)


def is_passed_by(result: NodeResult) -> bool:
    """Whether a node was skipped because no condition led to it, not because of a failure."""
    return result.status is NodeStatus.SKIPPED and result.digest is not None


def _by_edge(conditions: Any) -> Mapping[tuple[str, str], Condition]:
    """Return conditions, made sure to be by edge."""
    if not isinstance(conditions, Mapping):
        raise TypeError(f"conditions is a mapping by edge, such as a dict, not {conditions!r}")
    for edge in conditions:
        if not isinstance(edge, tuple) or len(edge) != 2:
            raise TypeError(f"a condition is of an edge, (source, target), not of {edge!r}")
    return conditions


class When(Policy):
    """Runs a node if at least one edge into it is taken; if it joins all, if every one is.

    An edge is taken if the node before it has a value for which the condition holds. What no
    edge leads to is skipped, and no edge out of that is taken. A condition that raises fails
    the node that it guards.
    """

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions

    def excuses(self, name: str, missing: NodeResult) -> bool:
        """A node can do without an input that was itself passed by."""
        return is_passed_by(missing)

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Skip a node that too few edges lead to."""
        taken = 0
        for source, given in inputs.items():
            try:
                taken += self._is_taken(source, name, given)
            except Exception as error:
                reason = f"the condition of {source} -> {name} raised"
                return NodeResult(name, NodeStatus.FAILED, error=error, reason=reason)
        if taken == len(inputs) or (taken and self._conditions.joins.get(name) != "all"):
            return None
        return pass_by(name, f"{taken} of {len(inputs)} edges into it are taken")

    def _is_taken(self, source: str, name: str, given: NodeResult) -> bool:
        if is_passed_by(given):
            return False
        condition = self._conditions.get((source, name))
        if condition is None:
            return True
        return given.status.is_success and bool(condition(given.result))


class ConditionalDAGBuilder:
    """Collects nodes and edges with conditions, then builds the graph and the conditions.

    Names are declared as for `DAGBuilder`.

    Examples
    --------
    >>> from dagnb import ConditionalDAGBuilder, ConditionalExecutor
    >>> dag, conditions = (
    ...     ConditionalDAGBuilder()
    ...     .add_edge("check", "publish", condition=lambda check: check["ok"])
    ...     .add_edge("check", "repair", condition=lambda check: not check["ok"])
    ...     .build()
    ... )
    >>> tasks = {"check": lambda: {"ok": True}, "publish": lambda: "out", "repair": lambda: "in"}
    >>> result = ConditionalExecutor(dag, conditions).execute(tasks)
    >>> result["publish"].result, result["repair"].status.name
    ('out', 'SKIPPED')
    """

    def __init__(self) -> None:
        self._builder = DAGBuilder()
        self._conditions: dict[tuple[str, str], Condition] = {}
        self._joins: dict[str, str] = {}

    def add_node(
        self, name: str, payload: object = None, metadata: object = None, *, join: str = "any"
    ) -> ConditionalDAGBuilder:
        """Declare a node; with ``join="all"`` it runs only if every edge into it is taken."""
        self._builder.add_node(name, payload, metadata)
        if join != "any":
            self._joins[name] = join
        return self

    def add_nodes(self, nodes: Iterable[NodeSpec]) -> ConditionalDAGBuilder:
        """Declare nodes, each a name or ``(name, payload[, metadata])``."""
        self._builder.add_nodes(nodes)
        return self

    def add_edge(
        self,
        source: str,
        target: str,
        *,
        weight: float | None = None,
        label: str | None = None,
        condition: Condition | None = None,
    ) -> ConditionalDAGBuilder:
        """Add an edge; ``condition`` is asked with the value of ``source``."""
        self._builder.add_edge(source, target, weight, label)
        if condition is not None:
            self._conditions[source, target] = condition
        return self

    def add_edges(self, edges: Iterable[EdgeSpec]) -> ConditionalDAGBuilder:
        """Add edges without conditions, each ``(source, target[, weight[, label]])``."""
        self._builder.add_edges(edges)
        return self

    def build(self) -> tuple[DAG, Conditions]:
        """Build the graph and its conditions.

        Raises
        ------
        GraphError
            As for `DAGBuilder.build`.
        TypeError, ValueError
            A condition is not callable, or a join is neither ``"any"`` nor ``"all"``.
        """
        return self._builder.build(), Conditions(self._conditions, self._joins)
