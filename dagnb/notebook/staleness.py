"""Which nodes have no current value, why, and what a person is shown of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dagnb.events import Event, NodeSettled, NodesStale
from dagnb.graph.dag import DAG
from dagnb.render.view import GraphView
from dagnb.results import NodeStatus
from dagnb.run.records import HOW, Memory, as_result

HELD = "an input changed since it ran"
_ABOVE = "something it depends on changed"


class Staleness:
    """The nodes of a session that must run before their values can be trusted.

    Parameters
    ----------
    dag : DAG
    memory : Memory
        Holds which nodes must run.
    view : GraphView
        Tells what is shown.
    announce : callable
        Takes the events that follow.

    Attributes
    ----------
    spoiled : set of str
        Nodes whose value a plain cell changed in place: they run again, whatever their key.
    """

    def __init__(
        self, dag: DAG, memory: Memory, view: GraphView, announce: Callable[[Event], None]
    ) -> None:
        self._dag = dag
        self._memory = memory
        self._view = view
        self._announce = announce
        self._reasons: dict[str, str] = {}
        self._shown: set[str] = set()
        self.spoiled: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self._memory.catch_up()
        return self._dag.adjacency.ids.get(str(name)) in self._memory.stale

    def mark(self, names: Sequence[str], reason: str) -> None:
        """Note that nodes must run; `show` tells it."""
        self._memory.catch_up()
        self._memory.stale.update(self._dag.numbers(names, "names"))
        self.explain(names, reason)

    def take_spoiled(self) -> set[str]:
        """Return the nodes to run whatever their key, once."""
        spoiled, self.spoiled = self.spoiled, set()
        return spoiled

    def explain(self, names: Iterable[str], reason: str) -> None:
        """Note why nodes that are known to be stale are."""
        self._reasons.update(dict.fromkeys(map(str, names), reason))

    def begin(self, causes: Iterable[int]) -> None:
        """Take nodes for current, since they run now; one that fails is stale again."""
        names = self._dag.adjacency.names
        self._memory.stale.difference_update(causes)
        for node in causes:
            self._reasons.pop(names[node], None)

    def causes(self, scope: set[int]) -> dict[int, str]:
        """Map the stale nodes of a scope to why they are stale, by number."""
        self._memory.catch_up()
        return {node: self._reason(node) for node in scope & self._memory.stale}

    def above(self, scope: set[int]) -> set[int]:
        """Return the stale nodes outside of a scope that something in it depends on."""
        self._memory.catch_up()
        others = self._memory.stale - scope
        graph = self._dag.adjacency
        return others & graph.reach(scope, graph.predecessors) if others else set()

    def reason(self, name: str) -> str:
        """Return why a node, or something above it, must run; empty if it is current."""
        if name in self:
            return self._reason(self._dag.number(name))
        return _ABOVE if name in self._shown else ""

    def _reason(self, node: int) -> str:
        last = self._memory.records[node]
        if last is None:
            return "it has not run yet"
        status = last[HOW].status
        if status.is_success or last[HOW].digest is not None:  # it has a value, or is passed by
            name = self._dag.adjacency.names[node]
            return self._reasons.get(name, "its code or what it reads changed")
        was = "was " if status in (NodeStatus.SKIPPED, NodeStatus.CANCELLED) else ""
        return f"it {was}{status.value.replace('_', ' ')} last time"

    def show(self) -> None:
        """Tell which nodes became stale, and which turned out not to be.

        A node with a value is shown as stale if something it depends on must run. It is current
        again, without having run, if that came out the same.
        """
        below = self._below()
        for name in sorted(name for name in below if not self._is_shown(name)):
            self._announce(NodesStale([name], self._reasons.get(name, _ABOVE)))
        for name in sorted(self._shown - below):
            self._show_current(name)
        self._shown = below

    def _is_shown(self, name: str) -> bool:
        """Whether a node is shown as stale; a run may have shown it as completed since."""
        node = self._view.nodes.get(name)
        return name in self._shown and (node is None or node.status == "stale")

    def _below(self) -> set[str]:
        """Return the nodes with a value that are stale or below a stale one."""
        self._memory.catch_up()
        graph, records = self._dag.adjacency, self._memory.records
        alive = [n for n in self._memory.stale if graph.ids.get(graph.names[n]) == n]
        return {
            graph.names[node]
            for node in graph.reach(alive, graph.successors)
            if (last := records[node]) is not None and last[HOW].status.is_success
        }

    def _show_current(self, name: str) -> None:
        node = self._view.nodes.get(name)
        if name not in self._dag or node is None or node.status != "stale":
            return
        last = self._memory.records[self._dag.number(name)]
        if last is not None:
            reason = "reused: nothing it depends on came out different"
            result = as_result(name, last).but(executed=False, reason=reason)
            self._announce(NodeSettled(result))
