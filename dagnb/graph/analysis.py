"""Questions about a graph: what a change reaches, levels, the critical path, a plan.

Each function is pure and takes an `Adjacency`; `DAG` offers them under names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagnb.graph.adjacency import Adjacency


@dataclass(frozen=True, slots=True)
class ExecutionStep:
    """The nodes of one level: each may run as soon as the levels before are done.

    Examples
    --------
    >>> ExecutionStep(level=0, nodes=["a"])
    ExecutionStep(level=0, nodes=['a'])
    """

    level: int
    nodes: list[str]


@dataclass(frozen=True, slots=True)
class ExecutionPlan(Sequence[ExecutionStep]):
    """The steps of a run, as levels, with what can be known before it.

    Attributes
    ----------
    steps : list of ExecutionStep
    critical_path : list of str
        The chain of nodes with the largest total cost.
    estimated_makespan : float
        The cost of that chain: no number of workers finishes sooner.
    """

    steps: list[ExecutionStep]
    critical_path: list[str]
    estimated_makespan: float

    @property
    def max_parallelism(self) -> int:
        """The number of nodes in the widest step."""
        return max((len(step.nodes) for step in self.steps), default=0)

    @property
    def total_nodes(self) -> int:
        """The number of nodes in all steps."""
        return sum(len(step.nodes) for step in self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # int or slice, as a list
        return self.steps[place]


class Reason:
    """Why a node may be affected by a change.

    Prints as ``direct change`` or ``ancestor a`` (several: ``ancestors a, b``); holds and
    iterates over the changed nodes it may be affected by. Finding these walks back from the
    node, when asked; with one changed node there is nothing to find.
    """

    __slots__ = ("_causes", "_name", "_provenance")

    def __init__(self, provenance: Provenance, name: str) -> None:
        self._provenance = provenance
        self._name = name
        self._causes: list[str] | None = None

    @property
    def causes(self) -> list[str]:
        """The changed nodes at or above this one, in topological order."""
        if self._causes is None:
            self._causes = self._provenance.causes_of(self._name)
        return self._causes

    @property
    def path(self) -> list[str]:
        """A shortest chain from a changed node to this one, both included."""
        return self._provenance.path_to(self._name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.causes)

    def __contains__(self, name: object) -> bool:
        return name in self.causes

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str(self) == other
        if isinstance(other, Reason | list):
            return self.causes == list(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        if self._provenance.is_direct(self._name):
            return "direct change"
        causes = self.causes
        return f"ancestor{'s' if len(causes) > 1 else ''} {', '.join(causes)}"

    def __repr__(self) -> str:
        return f"Reason({str(self)!r})"


class Provenance(Mapping[str, Reason]):
    """Maps each affected node to its `Reason`, dependencies first: linear in the affected."""

    def __init__(self, graph: Adjacency, changed: Sequence[int]) -> None:
        self._graph = graph
        self._changed = set(changed)
        nodes = graph.affected(self._changed)
        self._affected = set(nodes)
        self._names: dict[str, int] = {graph.names[node]: node for node in nodes}
        self._reasons: dict[str, Reason] = {}

    def __getitem__(self, name: str) -> Reason:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._reasons:
            self._reasons[name] = Reason(self, name)
        return self._reasons[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr({str(name): str(reason) for name, reason in self.items()})

    def is_direct(self, name: str) -> bool:
        """Whether the node itself was changed."""
        return self._names[name] in self._changed

    def causes_of(self, name: str) -> list[str]:
        """The changed nodes at or above ``name``: linear in the affected nodes above it."""
        if len(self._changed) == 1:
            return [self._graph.names[node] for node in self._changed]
        causes = self._changed.intersection(self._back(self._names[name]))
        return [self._graph.names[node] for node in self._graph.sort(causes)]

    def path_to(self, name: str) -> list[str]:
        """A shortest path from a changed node to ``name``."""
        next_node = self._back(self._names[name])
        node = next(node for node in next_node if node in self._changed)
        path = [node]
        while next_node[path[-1]] >= 0:
            path.append(next_node[path[-1]])
        return [self._graph.names[each] for each in path]

    def _back(self, start: int) -> dict[int, int]:
        """Breadth first, upward, within the affected: each node with the next one down."""
        found = {start: -1}
        queue = deque(found)
        while queue:
            node = queue.popleft()
            for each in self._graph.predecessors[node]:
                if each in self._affected and each not in found:
                    found[each] = node
                    queue.append(each)
        return found


def levels(graph: Adjacency) -> list[list[int]]:
    """Group the nodes by the longest path that leads to them; each level in order of addition."""
    depth = [0] * len(graph.names)
    grouped: list[list[int]] = []
    for node in graph.order:
        above = graph.predecessors[node]
        depth[node] = level = 1 + max(depth[each] for each in above) if above else 0
        if level == len(grouped):
            grouped.append([])
        grouped[level].append(node)
    for level_nodes in grouped:
        level_nodes.sort()
    return grouped


def cost_to_go(graph: Adjacency, costs: Mapping[int, float], default: float) -> list[float]:
    """For each node, the largest total cost of a path that starts with it."""
    total = [0.0] * len(graph.names)
    for node in reversed(graph.order):
        below = graph.successors[node]
        rest = max(total[each] for each in below) if below else 0.0
        total[node] = costs.get(node, default) + rest
    return total


def critical_path(
    graph: Adjacency, costs: Mapping[int, float], default: float = 1.0
) -> tuple[list[int], float]:
    """Return the chain with the largest total cost, and that cost; linear."""
    if not graph.ids:
        return [], 0.0
    total = cost_to_go(graph, costs, default)
    node = max(graph.order, key=total.__getitem__)
    path, length = [node], total[node]
    while graph.successors[node]:
        node = max(graph.successors[node], key=total.__getitem__)
        path.append(node)
    return path, length
