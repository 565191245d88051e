"""The graph over small integers: what the engine walks, without a name in sight."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import NamedTuple

from dagnb.errors import GraphInUseError
from dagnb.graph.order import TopologicalOrder, canonical_order


class NodeRef(str):
    """A name that remembers its node: a string, and so accepted wherever a name is.

    Attributes
    ----------
    epoch : int
        Counts the nodes ever added to the graph; a node that is removed and added again has a
        new one, and the old handle is refused with ``StaleNodeRefError``.

    Examples
    --------
    >>> from dagnb import DAG
    >>> ref = DAG().add_node("load")
    >>> ref == "load", ref.name
    (True, 'load')
    """

    __slots__ = ("epoch",)
    epoch: int

    @property
    def name(self) -> str:
        """The name as a plain string."""
        return str(self)

    def __str__(self) -> str:
        return str.__str__(self)

    def __reduce__(self) -> tuple[Callable[[str, int], NodeRef], tuple[str, int]]:
        return _node_ref, (str(self), self.epoch)


def _node_ref(name: str, epoch: int) -> NodeRef:
    ref = NodeRef(name)
    ref.epoch = epoch
    return ref


class EdgeData(NamedTuple):
    """What a user attached to an edge."""

    weight: float | None
    label: str | None


class Adjacency:
    """Nodes ``0, 1, 2, ...`` in the order of addition, their edges, and their order.

    A number is never given twice: a removed node keeps its place, without edges, until
    `compact` renumbers, which raises `generation`.

    Attributes
    ----------
    names : list of NodeRef
        By number; a removed node keeps its place here, but not in `ids`.
    ids : dict
        The live names and their numbers.
    successors, predecessors : list of list of int
        Neighbours, in the order in which the edges were added.
    edges : dict
        ``source << 32 | target`` to the edge's data, or None.
    edited : list of int
        The node whose incoming edges changed, for every such change so far, -1 if it is gone;
        it only grows, so that who remembers its length can read what is new.
    version : int
        Raised by every change of the structure.
    generation : int
        Raised when the numbers themselves change.
    runs : set
        Who runs the graph now; meanwhile every edit is refused, because a run walks these
        very lists.
    writer : int
        The thread that may edit nevertheless (see `edited_by_its_run`), or 0.
    """

    __slots__ = (
        "_positions",
        "_sorted",
        "edges",
        "edited",
        "generation",
        "ids",
        "names",
        "order_kept",
        "predecessors",
        "runs",
        "successors",
        "version",
        "writer",
    )

    def __init__(self) -> None:
        self.names: list[NodeRef] = []
        self.ids: dict[str, int] = {}
        self.successors: list[list[int]] = []
        self.predecessors: list[list[int]] = []
        self.edges: dict[int, EdgeData | None] = {}
        self.edited: list[int] = []
        self.order_kept = TopologicalOrder()
        self._sorted: list[int] | None = []
        self._positions: list[int] | None = []
        self.version = 0
        self.generation = 0
        self.runs: set[object] = set()
        self.writer = 0

    def __getstate__(self) -> dict[str, object]:
        """Leave out who runs the graph: a copy is not running."""
        left_out = "runs", "writer"
        return {name: getattr(self, name) for name in self.__slots__ if name not in left_out}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.runs, self.writer = set(), 0
        for name, value in state.items():
            setattr(self, name, value)

    @contextmanager
    def edited_by_its_run(self) -> Iterator[None]:
        """Let the one run that goes on edit the graph, on this thread, within the block.

        Raises
        ------
        GraphInUseError
            Others run the graph too.
        """
        if len(self.runs) > 1:
            raise GraphInUseError
        self.writer = get_ident()
        try:
            yield
        finally:
            self.writer = 0

    def add(self, name: str) -> NodeRef:
        """Add a node that is known to be new."""
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        node = len(self.names)
        ref = NodeRef(name)
        ref.epoch = self.version
        try:
            self.names.append(ref)
            self.successors.append([])
            self.predecessors.append([])
            self.order_kept.append()
            if self._sorted is not None:
                if self._positions is not None:
                    self._positions.append(len(self._sorted))
                self._sorted.append(node)
            self.ids[name] = node
            self.version += 1
        except BaseException:
            self._mend()
            raise
        return ref

    def add_all(self, names: Sequence[str]) -> list[NodeRef]:
        """Add nodes that are known to be new, in half the time of one by one."""
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        first, size = len(self.names), len(names)
        refs = list(map(NodeRef, names))
        for epoch, ref in enumerate(refs, self.version):
            ref.epoch = epoch
        try:
            self.names.extend(refs)
            self.successors.extend([] for _ in names)
            self.predecessors.extend([] for _ in names)
            self.order_kept.append(size)
            if self._sorted is not None:
                if self._positions is not None:
                    self._positions.extend(range(len(self._sorted), len(self._sorted) + size))
                self._sorted.extend(range(first, first + size))
            self.ids.update(zip(names, range(first, first + size), strict=True))
            self.version += size
        except BaseException:
            self._mend()
            raise
        return refs

    def link(self, source: int, target: int, data: EdgeData | None = None) -> list[int] | None:
        """Add an edge; return the closed-off path target .. source if it would close a cycle.

        An edge that is there already gets the new data. An order that the edge agrees with
        stays the canonical one: it was the smallest of all valid orders, and is of the fewer
        that are left.
        """
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        key = source << 32 | target
        if key in self.edges:
            self.edges[key] = data
            return None
        labels = self.order_kept.labels
        try:
            if labels[source] >= labels[target]:
                if source == target:
                    return [source]
                path = self.order_kept.insert(source, target, self.successors, self.predecessors)
                if path is not None:
                    return path
                self._sorted = None
            self.edited.append(target)
            self.successors[source].append(target)
            self.predecessors[target].append(source)
            self.edges[key] = data
            self.version += 1
        except BaseException:
            self._mend()
            raise
        return None

    def link_all(
        self,
        links: Iterable[tuple[int, int, EdgeData | None]],
        replaced: dict[int, EdgeData | None],
    ) -> list[int] | None:
        """Add edges, in half the time of one by one; return the path of the first bad one.

        What was added stays; the former data of edges that were there goes to ``replaced``.
        """
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        self.version += 1
        edges, labels, edited = self.edges, self.order_kept.labels, self.edited
        successors, predecessors = self.successors, self.predecessors
        try:
            for source, target, data in links:
                key = source << 32 | target
                if key in edges:
                    replaced.setdefault(key, edges[key])
                    edges[key] = data
                elif labels[source] < labels[target]:
                    edited.append(target)
                    successors[source].append(target)
                    predecessors[target].append(source)
                    edges[key] = data
                elif (path := self.link(source, target, data)) is not None:
                    return path
        except BaseException:
            self._mend()
            raise
        return None

    def unlink(self, source: int, target: int) -> None:
        """Remove an edge that exists."""
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        try:
            self.edited.append(target)
            del self.edges[source << 32 | target]
            self.successors[source].remove(target)
            self.predecessors[target].remove(source)
            self._changed()
        except BaseException:
            self._mend()
            raise

    def discard(self, nodes: Sequence[int]) -> None:
        """Remove nodes and their edges: linear in their degrees and their neighbours'."""
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        gone = set(nodes)
        below = {each for node in gone for each in self.successors[node]} - gone
        self.edited.extend(below)
        try:
            self._discard(gone, below)
        except BaseException:
            self._mend(gone)
            raise
        if len(self.names) > 2 * len(self.ids) + 1024 and not self.runs:
            self.compact()

    def _discard(self, gone: set[int], below: set[int]) -> None:
        above = {each for node in gone for each in self.predecessors[node]} - gone
        for node in gone:
            for each in self.successors[node]:
                del self.edges[node << 32 | each]
        for node in above:
            for each in gone.intersection(self.successors[node]):
                del self.edges[node << 32 | each]
        for lists, touched in ((self.successors, above), (self.predecessors, below)):
            for node in touched:
                lists[node][:] = [each for each in lists[node] if each not in gone]
        for node in gone:
            del self.ids[self.names[node]]
            self.successors[node] = []
            self.predecessors[node] = []
        self._changed()

    def _mend(self, gone: Collection[int] = ()) -> None:
        """Make all else follow from `names`, `ids` and `edges`, after Ctrl-C in an edit.

        Those three change last, or first and never back; which nodes were edited is noted
        before. Nodes that were about to go are gone then. Linear in the graph.
        """
        while True:
            try:
                self._rebuild(gone)
            except KeyboardInterrupt:  # another one; the first is on its way to the caller
                continue
            return

    def _rebuild(self, gone: Collection[int]) -> None:
        ids = {name: node for name, node in self.ids.items() if node not in gone}
        edges = {
            key: data
            for key, data in self.edges.items()
            if key >> 32 not in gone and key & 0xFFFFFFFF not in gone
        }
        successors: list[list[int]] = [[] for _ in self.names]
        predecessors: list[list[int]] = [[] for _ in self.names]
        for key in edges:
            successors[key >> 32].append(key & 0xFFFFFFFF)
            predecessors[key & 0xFFFFFFFF].append(key >> 32)
        kept = TopologicalOrder()
        kept.append(len(self.names))
        self.edges, self.ids, self.order_kept, self.successors, self.predecessors = (
            edges, ids, kept, successors, predecessors
        )  # fmt: skip  # at once, or not at all
        self.version = max(self.version, *(name.epoch for name in self.names), 0)
        self._changed()
        _ = self.order

    def _changed(self) -> None:
        self._sorted = None
        self.version += 1

    @property
    def order(self) -> list[int]:
        """The live nodes, dependencies first, ties by order of addition. Do not change it.

        Kept while edges agree with it; sorted again, in linear time, after one did not or
        something was removed.
        """
        if self._sorted is None:
            live = list(self.ids.values())
            degrees = [len(each) for each in self.predecessors]
            order = canonical_order(live, self.successors, degrees)
            alive = set(live)
            dead = [node for node in range(len(self.names)) if node not in alive]
            self.order_kept.renew([*order, *dead])
            self._sorted, self._positions = order, None
        return self._sorted

    @property
    def positions(self) -> list[int]:
        """The place of each node in `order`; of a removed one, -1. Do not change it."""
        order = self.order
        if self._positions is None:
            positions = [-1] * len(self.names)
            for place, node in enumerate(order):
                positions[node] = place
            self._positions = positions
        return self._positions

    def compact(self) -> None:
        """Number the live nodes anew, without gaps, in the same order of addition."""
        live = list(self.ids.values())
        new = {node: place for place, node in enumerate(live)}
        order = [new[node] for node in self.order]
        names = [self.names[node] for node in live]
        ids = {name: place for place, name in enumerate(self.ids)}
        successors = [[new[each] for each in self.successors[node]] for node in live]
        predecessors = [[new[each] for each in self.predecessors[node]] for node in live]
        edges = {
            new[key >> 32] << 32 | new[key & 0xFFFFFFFF]: data for key, data in self.edges.items()
        }
        kept = TopologicalOrder()
        kept.append(len(live))
        kept.renew(order)
        edited = [new.get(node, -1) for node in self.edited]
        (
            self.names, self.ids, self.successors, self.predecessors, self.edges, self.order_kept,
            self.edited, self._sorted, self._positions, self.generation, self.version,
        ) = (
            names, ids, successors, predecessors, edges, kept,
            edited, order, None, self.generation + 1, self.version + 1,
        )  # fmt: skip  # at once, or not at all

    def reach(self, starts: Iterable[int], neighbours: Sequence[Sequence[int]]) -> set[int]:
        """Return the starts and all that can be reached from them: linear in what is found."""
        found = set(starts)
        stack = list(found)
        while stack:
            for each in neighbours[stack.pop()]:
                if each not in found:
                    found.add(each)
                    stack.append(each)
        return found

    def sort(self, nodes: Iterable[int]) -> list[int]:
        """Return the nodes in topological order; not linear in the size of the graph."""
        return sorted(nodes, key=self.positions.__getitem__)

    def affected(self, changed: Iterable[int]) -> list[int]:
        """Return the nodes and all below them, in topological order."""
        return self.sort(self.reach(changed, self.successors))
