"""What the graph looks like now: a pure fold over events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from dagnb.events import (
    Event,
    GraphChange,
    GraphEdited,
    NodePlaced,
    NodeSettled,
    NodesStale,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from dagnb.observe.text import error_text
from dagnb.results import NodeResult, NodeStatus

#: The strings a node's status is shown as, in the order in which counts are listed.
STATUSES = (
    "completed",
    "cached",
    "reused",
    "cutoff",
    "running",
    "failed",
    "timed_out",
    "skipped",
    "cancelled",
    "stale",
    "pending",
)


@dataclass(frozen=True, slots=True)
class NodeView:
    """What is shown of one node.

    Attributes
    ----------
    name : str
    status : str
        One of ``STATUSES``.
    group : str
        The group it is drawn in; empty for none.
    duration_seconds : float or None
        How long it took when it was last executed; None if it never was. A stale or running
        node keeps the duration of the last time.
    reason : str
        Why it ran, was reused, was skipped or is stale.
    worker : str
    started : float
        ``time.perf_counter()`` when it last started.
    error : str
        Type and message of what it raised.
    rev : int
        The view's ``rev`` when this node last changed.
    """

    name: str
    status: str = "pending"
    group: str = ""
    duration_seconds: float | None = None
    reason: str = ""
    worker: str = ""
    started: float = 0.0
    error: str = ""
    rev: int = 0

    def as_dict(self) -> dict[str, object]:
        """Return what differs from a pending node without history, ready for JSON."""
        fields = asdict(self)
        del fields["name"], fields["rev"], fields["group"]
        return {k: v for k, v in fields.items() if v not in ("", None, 0.0) or k == "status"}


@dataclass(frozen=True, slots=True)
class RunView:
    """How far the current or last run is.

    ``seconds`` is None while it goes on; ``done`` counts the settled among its ``total`` nodes.
    """

    started: float = 0.0
    total: int = 0
    done: int = 0
    seconds: float | None = None
    stopped: str = ""


class GraphView:
    """The graph as events tell it; knows neither Jupyter nor the clock.

    One thread applies events; others may read meanwhile: nodes are replaced, never changed.

    Parameters
    ----------
    title : str
        Shown at the head of the graph.

    Attributes
    ----------
    nodes : dict of str to NodeView
    edges : tuple of (source, target)
        Those into the first node come first.
    run : RunView or None
        None before the first run.
    rev, structure_rev : int
        Grow with every change, and with every change of nodes, edges or groups.

    Examples
    --------
    >>> view = GraphView()
    >>> view(GraphEdited(["raw", "clean"], [("raw", "clean")]))
    >>> view(NodeStarted("raw", at=0.0))
    >>> view.nodes["raw"].status
    'running'
    >>> view.counts()
    {'running': 1, 'pending': 1}
    """

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.nodes: dict[str, NodeView] = {}
        self._inputs: dict[str, tuple[str, ...]] = {}
        self._edges: tuple[int, tuple[tuple[str, str], ...]] = 0, ()  # as of a structure_rev
        self._edits = 0
        self.run: RunView | None = None
        self.rev = 0
        self.structure_rev = 0
        self._scope: dict[str, str] = {}
        self._settled: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Apply an event, so that a view is an observer."""
        self.apply(event)

    def apply(self, event: Event) -> None:
        """Fold one event in; constant time, or linear in the nodes the event names."""
        match event:
            case NodeSettled(result):
                self._settle(result)
            case NodeStarted(name, at, worker):
                self._extend_scope(name)
                self._put(name, status="running", started=at, worker=worker, reason="", error="")
            case NodePlaced(name, worker):
                self._put(name, worker=worker)
            case NodesStale(names, reason):
                for name in names:
                    self._put(name, status="stale", reason=reason)
            case RunStarted(nodes, at):
                self._start(list(nodes), at)
            case RunFinished(result):
                self._finish(result.total_duration_seconds, result.stopped)
            case GraphEdited():
                self._edit(event)
        self.rev += 1

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """The edges; made anew when they are first asked for after a change."""
        rev, made = self._edges
        if rev != self.structure_rev:
            rev, inputs = self.structure_rev, list(self._inputs.items())
            made = tuple((each, name) for name, above in inputs for each in above)
            self._edges = rev, made
        return made

    @property
    def groups(self) -> dict[str, str]:
        """The group of each node that has one."""
        return {name: node.group for name, node in list(self.nodes.items()) if node.group}

    def counts(self, names: Iterable[str] | None = None) -> dict[str, int]:
        """Return how many nodes, of all or of these, there are of each status that occurs."""
        nodes = self.nodes
        if names is None:
            return _counts(nodes)
        return _counts({name: nodes[name] for name in names if name in nodes})

    def snapshot(self) -> dict[str, object]:
        """Return the whole state, ready for JSON."""
        rev, nodes = self.rev, self.nodes
        return {
            "title": self.title,
            "rev": rev,
            "structure_rev": self.structure_rev,
            "nodes": {name: node.as_dict() for name, node in list(nodes.items())},
            "edges": [list(edge) for edge in self.edges],
            "groups": self.groups,
            "counts": _counts(nodes),
            "run": asdict(self.run) if self.run else None,
        }

    def delta(self, since_rev: int) -> dict[str, object]:
        """Return what changed after ``since_rev``: the changed nodes, all counts, the run.

        Linear in the number of nodes, with a small constant. May be called on any thread.
        """
        rev, nodes = self.rev, self.nodes
        changed = [node for node in list(nodes.values()) if node.rev > since_rev]
        return {
            "rev": rev,
            "structure_rev": self.structure_rev,
            "nodes": {node.name: node.as_dict() for node in changed},
            "counts": _counts(nodes),
            "run": asdict(self.run) if self.run else None,
        }

    def _put(self, name: str, **changes: object) -> None:
        """Replace one node; an event about an unknown node adds nothing."""
        node = self.nodes.get(name)
        if node is not None:
            self.nodes[name] = replace(node, rev=self.rev + 1, **changes)  # type: ignore[arg-type]

    def _settle(self, result: NodeResult) -> None:
        """Show how a node ended."""
        self._extend_scope(result.name)
        if result.name in self._scope and self.run and result.name not in self._settled:
            self._settled.add(result.name)
            self.run = replace(self.run, done=self.run.done + 1)
        changes: dict[str, object] = {
            "status": display_status(result),
            "reason": result.reason,
            "error": error_text(result.error),
        }
        if result.executed:
            changes |= {"duration_seconds": result.duration_seconds, "worker": result.worker}
        self._put(result.name, **changes)

    def _start(self, names: list[str], at: float) -> None:
        """Begin a run: what it will look at waits, the rest stays as it is."""
        self._settled = set()
        self._scope = {name: self.nodes[name].status for name in names if name in self.nodes}
        self.run = RunView(started=at, total=len(self._scope))
        for name in self._scope:
            self._put(name, status="pending", reason="", error="")

    def _extend_scope(self, name: str) -> None:
        """Count a node that the run reached without having announced it."""
        running = self.run and self.run.seconds is None
        if self.run and running and name in self.nodes and name not in self._scope:
            self._scope[name] = self.nodes[name].status
            self.run = replace(self.run, total=len(self._scope))

    def _finish(self, seconds: float, stopped: str) -> None:
        """End a run: nodes it did not reach are again what they were before."""
        if self.run:
            self.run = replace(self.run, seconds=seconds, stopped=stopped)
        for name, before in self._scope.items():
            if name not in self._settled and self.nodes.get(name) is not None:
                self._put(name, status="stale" if before == "running" else before)
        self._scope = {}

    def _edit(self, event: GraphEdited) -> None:
        """Take over what changed or, if an edit before was missed, the whole structure."""
        change = event.change
        if change is not None and change.number == self._edits + 1:
            self._change(change, event.groups)
        else:
            self._take_over(event)
        self._edits = -1 if change is None else change.number
        for name in event.added if event.by else ():
            self._extend_scope(name)

    def _change(self, change: GraphChange, groups: Mapping[str, str]) -> None:
        drawn = [
            name
            for name, above in change.inputs.items()
            if self._draw(name, tuple(above), groups.get(name, ""))
        ]
        for name in change.removed:
            self.nodes.pop(name, None)
            self._inputs.pop(name, None)
        if drawn or change.removed:
            self.structure_rev += 1

    def _draw(self, name: str, above: tuple[str, ...], group: str) -> bool:
        """Give one node its inputs and its group; return whether that changed anything."""
        node, before = self.nodes.get(name), self._inputs.get(name)
        if node is not None and (before, node.group) == (above, group):
            return False
        self.nodes[name] = replace(node or NodeView(name), group=group, rev=self.rev + 1)
        self._inputs[name] = above
        return True

    def _take_over(self, event: GraphEdited) -> None:
        """Take over a new structure; nodes that survive keep their state."""
        groups: Mapping[str, str] = event.groups
        nodes = {}
        for name in event.nodes:
            node = self.nodes.get(name) or NodeView(name)
            group = groups.get(name, "")
            changed = name not in self.nodes or node.group != group
            nodes[name] = replace(node, group=group, rev=self.rev + 1) if changed else node
        above: dict[str, list[str]] = {name: [] for name in nodes}
        for source, target in event.edges:
            above.setdefault(target, []).append(source)
        inputs = {name: tuple(each) for name, each in above.items()}
        same = inputs == self._inputs and list(nodes) == list(self.nodes)
        if same and self.groups == {n: g for n, g in groups.items() if g and n in nodes}:
            return
        self.nodes, self._inputs = nodes, inputs
        self.structure_rev += 1


def display_status(result: NodeResult) -> str:
    """Return the string a result is shown as.

    Examples
    --------
    >>> display_status(NodeResult("a", NodeStatus.CACHE_HIT))
    'cached'
    >>> display_status(NodeResult("a", NodeStatus.COMPLETED, executed=True, changed=False))
    'cutoff'
    """
    if result.status is NodeStatus.CACHE_HIT:
        return "cached"
    if result.status is not NodeStatus.COMPLETED:
        return str(result.status.value)
    if not result.executed:
        return "reused"
    return "completed" if result.changed else "cutoff"


def _counts(nodes: Mapping[str, NodeView]) -> dict[str, int]:
    """Count statuses, listed in the order of ``STATUSES``."""
    found = Counter(node.status for node in list(nodes.values()))
    return {status: found[status] for status in STATUSES if found[status]}
