"""What an executor remembers of each node between runs, and old runs' view of it.

The memory holds one record a node, the last one. A result does not copy it: it reads the
memory, and each time a later run replaces a record, the old one goes to the result of the run
before, if anybody still holds that (Baker 1978, *Shallow Binding in Lisp 1.5*, the same idea
as in persistent arrays). So a run costs what it touches, and old results stay what they were.

A record is an exact tuple, whose fields have names here: one is made for every node that runs,
which takes a fraction of what a class with the same fields would, and the interpreter reads a
field of an exact tuple fastest. What most nodes have in common is a tuple of its own, which they
share: so a record is small, and a large graph's records lie closer together.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from dagnb.graph.adjacency import Adjacency
from dagnb.graph.analysis import Provenance
from dagnb.results import Deferred, DeferredResult, NodeResult, NodeStatus
from dagnb.run.call import Binder
from dagnb.run.frontier import Frontier, Scan

REUSED = "reused: nothing it depends on changed"


class How(NamedTuple):
    """How a node came to its record, as far as it may have that in common with others."""

    status: NodeStatus
    changed: bool = True
    executed: bool = False
    error: BaseException | None = None
    digest: str | None = None
    reason: str = ""
    worker: str = ""
    attempts: int = 1


RAN: Final = How(NodeStatus.COMPLETED, executed=True)  # to another value than before
RAN_AGAIN: Final = How(NodeStatus.COMPLETED, executed=True, changed=False)

# The last thing that happened to a node: in which run, the value, how it came about, and when the
# task began and ended.
Record: TypeAlias = "tuple[int, Any, How, float, float]"
RUN: Final = 0
VALUE: Final = 1
HOW: Final = 2
STARTED: Final = 3
ENDED: Final = 4


def not_started(
    run: int,
    status: NodeStatus,
    reason: str = "",
    *,
    error: BaseException | None = None,
    changed: bool = True,
) -> Record:
    """Return the record of a node whose task was not called."""
    return run, None, How(status, changed, error=error, reason=reason), 0.0, 0.0


def as_result(name: str, last: Record, reason: str = "") -> NodeResult:
    """Return a record as a result, as of its own run; with a reason if it has none."""
    _, value, how, started, ended = last
    status, changed, executed, error, digest, known, worker, attempts = how
    kind = DeferredResult if isinstance(value, Deferred) else NodeResult
    return kind(
        name, status, value, error, ended - started, known or reason, executed, changed, digest,
        started, worker, attempts,
    )  # fmt: skip


def as_reused(last: Record) -> Record:
    """Return a record as of a later run, which let it be."""
    run, value, how, started, ended = last
    status, _, _, error, digest, _, worker, attempts = how
    if status is NodeStatus.CACHE_HIT:
        status = NodeStatus.COMPLETED
    kept = How(status, False, False, error, digest, REUSED, worker, attempts)
    return run, value, kept, started, ended


class Recoverable(Protocol):
    """A run that has begun."""

    def recover(self) -> None:
        """End it, if it broke off (an interrupt at the wrong moment); else do nothing."""


class Memory:
    """The last record of each node, by number, and which nodes must run whatever happens.

    Attributes
    ----------
    records : list of Record or None
    binder : Binder
        What is known of how tasks take their inputs.
    run : int
        The number of the current or last run; the first is 1.
    replaced : dict or None
        Where a replaced record goes: to the results of the run before, if anyone holds them.
    unfinished : Engine or None
        The run that has begun; it ends itself if it broke off.
    """

    def __init__(self, graph: Adjacency) -> None:
        self.graph = graph
        self.binder = Binder(graph)
        self.records: list[Record | None] = []
        self.run = 0
        self._stale: set[int] = set()
        self._nodes_seen, self._edits_seen, self._version_seen = 0, 0, -1
        self._version = -1
        self._extent = Extent(graph)
        self._last: weakref.ref[RunRecords] | None = None
        self._spare: Scan | None = None
        self.unfinished: Recoverable | None = None
        self.replaced: dict[int, Record | None] | None = None

    @property
    def stale(self) -> set[int]:
        """Nodes without a current value: new, failed, stopped, or with other edges than before.

        Linear in what was edited since it was asked for last.
        """
        if self._version_seen != self.graph.version:
            self._stale.update(range(self._nodes_seen, len(self.graph.names)))
            self._stale.update(self.graph.edited[self._edits_seen :])
            self._stale.discard(-1)
            self._pass_over_edits()
        return self._stale

    def take_stale(self) -> None:
        """Let nothing be stale: a frontier has taken it over."""
        if self._version_seen != self.graph.version:
            self._pass_over_edits()
        self._stale.clear()

    def _pass_over_edits(self) -> None:
        graph = self.graph
        self._nodes_seen, self._edits_seen = len(graph.names), len(graph.edited)
        self._version_seen = graph.version

    def catch_up(self) -> None:
        """Follow what was edited in the graph since the last time.

        A run that was broken off without an end is ended first; during a run nothing happens,
        since nothing can have been edited.
        """
        if self.unfinished is not None:
            self.unfinished.recover()
            if self.unfinished is not None:
                return
        graph = self.graph
        if graph.version == self._version:
            return
        if graph.generation != self._extent.generation:
            self._renumber()
        self.records.extend([None] * (len(graph.names) - len(self.records)))
        self._version = graph.version

    def grow(self) -> None:
        """Take in nodes and edges that the run itself added; they are no news to the next."""
        self.records.extend([None] * (len(self.graph.names) - len(self.records)))
        self._pass_over_edits()

    def _renumber(self) -> None:
        """Follow a compaction of the graph; results of before keep the records of before."""
        graph, handles = self.graph, self._extent.handles
        old = {ref.epoch: last for ref, last in zip(handles, self.records, strict=False)}
        old_stale = {handles[node].epoch for node in self._stale}
        records = [old.get(ref.epoch) for ref in graph.handles]
        stale = {
            node
            for node, ref in enumerate(graph.handles)
            if ref.epoch in old_stale or records[node] is None
        }
        self.records, self._stale, self._last = records, stale, None
        self._nodes_seen = len(graph.names)
        self._extent = Extent(graph)

    def scan(self, seeds: Iterable[int] | None) -> Scan:
        """Return a frontier for a run of some nodes, or of all; one of before if it fits."""
        if seeds is None:
            return Scan(self.graph)
        scan, self._spare = self._spare, None  # whoever interrupts us leaves none behind
        if scan is None or scan.version != self.graph.version:
            scan = Scan(self.graph, bytearray(len(self.graph.order) + 1))
        scan.begin(seeds)
        return scan

    def begin(self, causes: Mapping[int, str], default_cause: str) -> RunRecords:
        """Begin a run: its results, and the place for what it replaces.

        Raises
        ------
        RuntimeError
            A run is going on, which this one would disturb.
        """
        if self.unfinished is not None:
            self.unfinished.recover()
            if self.unfinished is not None:
                raise RuntimeError(
                    "this executor is running already; wait for that run to end, "
                    "or use another executor"
                )
        if self._extent.version != self.graph.version:
            self._extent = Extent(self.graph)
        previous = self._last() if self._last is not None else None
        self.run += 1
        current = RunRecords(self, self._extent, causes, default_cause)
        self.replaced = None
        if previous is not None:
            previous.newer = current
            self.replaced = previous.overlay = {}
        self._last = weakref.ref(current)
        return current

    def end(self, frontier: Frontier) -> None:
        """Note that the run has ended; its frontier, of which nothing is left, may serve again."""
        if isinstance(frontier, Scan) and frontier.dirty is not None:
            self._spare = frontier
        self.replaced = None  # so that old values are free when their results are
        self.unfinished = None


class Extent:
    """Which nodes a run is about: those of the graph at one time, however it goes on growing.

    The lists are the graph's own, which only grow; how long they are now is noted.
    """

    __slots__ = (
        "count", "generation", "handles", "limit", "names", "numbers", "order", "predecessors",
        "version",
    )  # fmt: skip

    def __init__(self, graph: Adjacency) -> None:
        self.order, self.names, self.numbers = graph.order, graph.names, graph.ids
        self.handles, self.predecessors = graph.handles, graph.predecessors
        self.count, self.limit = len(self.order), len(self.names)
        self.version, self.generation = graph.version, graph.generation


NOTHING_YET: Final[Mapping[int, Record | None]] = {}


class RunRecords(Mapping[str, NodeResult]):
    """The results of one run by name, made when asked for.

    Attributes
    ----------
    overlay : dict
        Records of this run or before that a later run replaced.
    newer : RunRecords or None
        The next run's, where to look for what is not in the overlay.
    since : int
        The first run whose records count as of this run: its own, or that of an earlier part.
    causes : dict
        Why a node was looked at, for those that did not become dirty by an input.
    """

    __slots__ = (
        "__weakref__", "_extent", "_graph", "_records", "causes", "default_cause", "newer",
        "overlay", "since",
    )  # fmt: skip

    def __init__(
        self, memory: Memory, extent: Extent, causes: Mapping[int, str], default_cause: str
    ) -> None:
        self.overlay = NOTHING_YET
        self.newer: RunRecords | None = None
        self.causes = causes
        self.default_cause = default_cause
        self.since = memory.run
        self._records = memory.records
        self._graph = memory.graph
        self._extent = extent

    def seal(self) -> None:
        """Let the run be about the nodes that the graph has now."""
        self._extent = Extent(self._graph)

    def __len__(self) -> int:
        return self._extent.count

    def __iter__(self) -> Iterator[str]:
        extent = self._extent
        for place in range(extent.count):
            yield extent.names[extent.order[place]]

    def __getitem__(self, name: str) -> NodeResult:
        return self.result_of(self._number(name))

    def values(self) -> Any:
        """The results, dependencies first."""
        extent = self._extent
        return [self.result_of(extent.order[place]) for place in range(extent.count)]

    def items(self) -> Any:
        """Names with results, dependencies first."""
        return list(zip(self, self.values(), strict=True))

    def _number(self, name: str) -> int:
        extent = self._extent
        node = extent.numbers.get(name, extent.limit)
        if node < extent.limit and self._graph.generation == extent.generation:
            return node
        for place in range(extent.count):  # removed or renumbered since the run
            if extent.names[extent.order[place]] == name:
                return extent.order[place]
        raise KeyError(name)

    def last(self, node: int) -> Record | None:
        """The record of a node as it was at the end of this run."""
        view: RunRecords | None = self
        while view is not None:
            if node in view.overlay:
                return view.overlay[node]
            view = view.newer
        return self._records[node] if node < len(self._records) else None

    def result_of(self, node: int) -> NodeResult:
        """The result of a numbered node."""
        name, last = self._extent.names[node], self.last(node)
        if last is None:
            return NodeResult(name, NodeStatus.PENDING, reason="not run yet", changed=False)
        if last[RUN] < self.since:
            return as_result(name, as_reused(last))
        return as_result(name, last, "" if last[HOW].reason else self._reason(node, last))

    def _reason(self, node: int, last: Record) -> str:
        cause = self.causes.get(node, self.default_cause)
        changed = list(self._changed_inputs(node))
        if changed and not cause:
            cause = f"input{'s' if len(changed) > 1 else ''} {', '.join(changed)} changed"
        ending = "" if last[HOW].changed else "; same value as before"
        return f"ran: {cause or 'asked for'}{ending}"

    def _changed_inputs(self, node: int) -> Iterator[str]:
        for each in self._extent.predecessors[node]:
            above = self.last(each)
            if above and above[RUN] >= self.since and above[HOW].changed:
                yield self._extent.names[each]

    def provenance(self) -> Mapping[str, Any]:
        """Return why nodes were looked at, in the graph as it is now; they may be gone."""
        names, numbers = self._extent.names, self._graph.ids
        found = (numbers.get(names[node]) for node in self.causes)
        return Provenance(self._graph, [node for node in found if node is not None])
