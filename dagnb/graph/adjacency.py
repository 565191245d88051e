"""The graph over small integers: what the engine walks, without a name in sight."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import get_ident

from dagnb.errors import GraphInUseError
from dagnb.graph.edges import FEW, EdgeData, Edges
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


class Adjacency:
    """Nodes ``0, 1, 2, ...`` in the order of addition, their edges, and their order.

    A number is never given twice: a removed node keeps its place, without edges, until
    `compact` renumbers, which raises `generation`.

    Attributes
    ----------
    names : list of str
        By number; a removed node keeps its place here, but not in `ids`.
    handles : list of NodeRef
        By number. Their epochs stay when the numbers change.
    ids : dict
        The live names and their numbers.
    edges : Edges
    successors, predecessors : list of list of int
        Neighbours, in the order in which the edges were added: those of `edges`.
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
        "handles",
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
        self.names: list[str] = []
        self.handles: list[NodeRef] = []
        self.ids: dict[str, int] = {}
        self.edges = Edges()
        self.successors = self.edges.successors
        self.predecessors = self.edges.predecessors
        self.edited: list[int] = []
        self.order_kept = TopologicalOrder()
        self._sorted: list[int] | None = []
        self._positions: list[int] | None = None
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
            self.handles.append(ref)
            self.names.append(name)
            self.successors.append([])
            self.predecessors.append([])
            self.order_kept.append(node)
            if self._sorted is not None:
                if self._positions is not None and self._positions is not self._sorted:
                    self._positions.append(len(self._sorted))
                self._sorted.append(node)
            self.ids[name] = node
            self.version += 1
        except BaseException:
            self._mend()
            raise
        return ref

    def add_all(self, new: Mapping[str, int]) -> list[NodeRef]:
        """Add nodes with the numbers that come next, in half the time of one by one."""
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        refs, nodes = list(map(NodeRef, new)), list(new.values())
        for epoch, ref in enumerate(refs, self.version):
            ref.epoch = epoch
        try:
            self.handles.extend(refs)
            self.names.extend(new)
            self.successors.extend([[] for _ in nodes])
            self.predecessors.extend([[] for _ in nodes])
            self.order_kept.extend(nodes)
            if self._sorted is not None:
                if self._positions is not None and self._positions is not self._sorted:
                    places = range(len(self._sorted), len(self._sorted) + len(nodes))
                    self._positions.extend(places)
                self._sorted.extend(nodes)
            self.ids.update(new)
            self.version += len(nodes)
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
        labels, edges = self.order_kept.labels, self.edges
        try:
            if labels[source] >= labels[target]:
                path = self._reorder(source, target)
                if path is not None:
                    return path
            if data is not None or edges.data:
                edges.data[source, target] = data
            below = self.successors[source]
            if target in below if len(below) <= FEW else edges.has(source, target):
                return None
            self.edited.append(target)
            edges.sources.append(source)
            edges.targets.append(target)
            below.append(target)
            self.predecessors[target].append(source)
            self.version += 1
        except BaseException:
            self._mend()
            raise
        return None

    def _reorder(self, source: int, target: int) -> list[int] | None:
        if source == target:
            return [source]
        path = self.order_kept.insert(source, target, self.successors, self.predecessors)
        if path is None:
            self._sorted = None
        return path

    def link_all(
        self,
        links: Sequence[tuple[str, str]],
        number: Callable[[str], int],
        data: Sequence[EdgeData | None] = (),
    ) -> list[int] | None:
        """Add edges between names, or none if one is bad; return the path that it would close.

        Half the time of one by one. ``number`` tells the number of any name; ``data``, if there
        is any, belongs to the edges one by one.
        """
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        self.version += 1
        edges, size = self.edges, len(self.edges.targets)
        try:
            path = self._draw(links, number)
            if path is not None:
                edges.take_back(size)
                return path
            ends = [(number(source), number(target)) for source, target in links] if data else []
            given = dict(zip(ends, data, strict=True))
            self.edited.extend(edges.targets[size:])
            edges.data |= given  # no call, after which an interrupt could arrive
        except BaseException:
            self._mend(size=size)
            raise
        return None

    def _draw(
        self, links: Iterable[tuple[str, str]], number: Callable[[str], int]
    ) -> list[int] | None:
        ids, edges, labels = self.ids, self.edges, self.order_kept.labels
        successors, predecessors = self.successors, self.predecessors
        sources, targets = edges.sources, edges.targets
        for first, second in links:
            source = ids[first] if first.__class__ is str else number(first)
            target = ids[second] if second.__class__ is str else number(second)
            if labels[source] >= labels[target]:
                path = self._reorder(source, target)
                if path is not None:
                    return path
            below = successors[source]
            if target in below if len(below) <= FEW else edges.has(source, target):
                continue
            sources.append(source)
            targets.append(target)
            below.append(target)
            predecessors[target].append(source)
        return None

    def unlink(self, source: int, target: int) -> None:
        """Remove an edge that exists."""
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        try:
            self.edited.append(target)
            self.edges.remove(source, target)
            self._changed()
        except BaseException:
            self._mend()
            raise

    def discard(self, nodes: Sequence[int]) -> None:
        """Remove nodes and their edges: linear in their degrees and their neighbours'."""
        if self.runs and self.writer != get_ident():
            raise GraphInUseError
        gone = set(nodes)
        self.edited.extend({each for node in gone for each in self.successors[node]} - gone)
        try:
            self.edges.discard(gone)
            for node in gone:
                del self.ids[self.names[node]]
            self._changed()
        except BaseException:
            self._mend(gone)
            raise
        if len(self.names) > 2 * len(self.ids) + 1024 and not self.runs:
            self.compact()

    def _mend(self, gone: Collection[int] = (), size: int | None = None) -> None:
        """Make all else follow from `ids` and the lists of successors, after Ctrl-C in an edit.

        Those change last, or first and never back; which nodes were edited is noted before.
        Nodes that were about to go are gone then, edges after the first ``size`` are taken
        back. Linear in the graph.
        """
        while True:
            try:
                self._rebuild(gone, len(self.edges.targets) if size is None else size)
            except KeyboardInterrupt:  # another one; the first is on its way to the caller
                continue
            return

    def _rebuild(self, gone: Collection[int], size: int) -> None:
        del self.handles[len(self.names) :]
        ids = {name: node for name, node in self.ids.items() if node not in gone}
        edges = self.edges.mended(len(self.names), gone, size)
        kept = TopologicalOrder()
        kept.extend(range(len(self.names)))
        self.ids, self.edges, self.order_kept, self.successors, self.predecessors = (
            ids, edges, kept, edges.successors, edges.predecessors
        )  # fmt: skip  # at once, or not at all
        self.version = max(self.version, *(ref.epoch for ref in self.handles), 0)
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
            order = list(self.ids.values())
            if not self.edges.go_up():
                degrees = [len(each) for each in self.predecessors]
                order = canonical_order(order, self.successors, degrees)
            if not self.order_kept.agrees(order):
                alive = set(order)
                dead = [node for node in range(len(self.names)) if node not in alive]
                self.order_kept.renew([*order, *dead])
            self._sorted, self._positions = order, None
        return self._sorted

    @property
    def positions(self) -> list[int]:
        """The place of each node in `order`; of a removed one, -1. Do not change it."""
        order = self.order
        if self._positions is None:
            if order == list(range(len(self.names))):  # as added: one list is read for both
                self._positions = order
                return order
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
        names, handles = list(self.ids), [self.handles[node] for node in live]
        ids = {name: place for place, name in enumerate(names)}
        edges = self.edges.renumbered(new)
        kept = TopologicalOrder()
        kept.extend(range(len(live)))
        kept.renew(order)
        edited = [new.get(node, -1) for node in self.edited]
        (
            self.names, self.handles, self.ids, self.edges, self.successors, self.predecessors,
            self.order_kept, self._sorted, self._positions, self.edited, self.generation,
            self.version,
        ) = (
            names, handles, ids, edges, edges.successors, edges.predecessors,
            kept, order, None, edited, self.generation + 1,
            self.version + 1,
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
