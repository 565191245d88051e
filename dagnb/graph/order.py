"""A topological order that is kept up to date while edges are added.

Every node has a label, and every edge goes from a smaller label to a larger one. An edge that
already does so costs one comparison. One that does not starts two searches, forward from its
target and backward from its source, that take turns; the first to run out of nodes decides
which few nodes move to the other side of the edge, or has met the other end: a cycle.

Pearce and Kelly 2006 (*A Dynamic Topological Sort Algorithm for Directed Acyclic Graphs*) move
the nodes of both searches, which is quadratic for a chain that grows at its front. Two-way
search (Bender, Fineman, Gilbert and Tarjan 2015, section 2) over a list with sparse labels
(Dietz and Sleator 1987) moves only the smaller side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice
from operator import lt

SPACING = 1 << 40
Neighbours = Sequence[Sequence[int]]


class TopologicalOrder:
    """Labels for the nodes ``0, 1, 2, ...`` such that edges go up, in a linked list.

    Attributes
    ----------
    labels : list of int
        ``labels[u] < labels[v]`` for every edge ``u -> v``. Labels are sparse and change.
    """

    __slots__ = ("_after", "_before", "_highest", "_last", "_numbered", "labels")

    def __init__(self) -> None:
        self.labels: list[int] = []
        self._before: list[int] = []  # the neighbours in label order; -1 at both ends
        self._after: list[int] = []
        self._last = -1
        self._highest = 0
        self._numbered = True  # labels are the numbers themselves while nothing has to move

    def append(self, node: int) -> None:
        """Add a node at the end. It enters the list when something first has to move."""
        if self._numbered:
            self.labels.append(node)
        else:
            self._highest += SPACING
            self.labels.append(self._highest)

    def extend(self, nodes: Sequence[int]) -> None:
        """Add nodes at the end."""
        if self._numbered:
            self.labels.extend(nodes)
        else:
            first = self._highest + SPACING
            self._highest += len(nodes) * SPACING
            self.labels.extend(range(first, self._highest + 1, SPACING))

    def agrees(self, order: Iterable[int]) -> bool:
        """Whether the labels of these nodes go up."""
        labels = list(map(self.labels.__getitem__, order))
        return all(map(lt, labels, islice(labels, 1, None)))

    def _catch_up(self) -> None:
        if self._numbered:
            self._highest = len(self.labels) * SPACING
            self.labels[:] = range(SPACING, self._highest + 1, SPACING)
            self._numbered = False
        for node in range(len(self._before), len(self.labels)):
            self._before.append(self._last)
            self._after.append(-1)
            if self._last >= 0:
                self._after[self._last] = node
            self._last = node

    def renew(self, order: Iterable[int]) -> None:
        """Take ``order``, a valid topological order of all nodes, as the order from now on."""
        labels = self.labels[:]
        before, after = [-1] * len(labels), [-1] * len(labels)
        last, highest = -1, 0
        for node in order:
            highest += SPACING
            labels[node] = highest
            before[node] = last
            if last >= 0:
                after[last] = node
            last = node
        self.labels, self._before, self._after, self._last, self._highest, self._numbered = (
            labels, before, after, last, highest, False
        )  # fmt: skip  # at once, or not at all

    def insert(
        self, source: int, target: int, successors: Neighbours, predecessors: Neighbours
    ) -> list[int] | None:
        """Make room for an edge whose target stands before its source.

        Cost is the smaller of what reaches the source and what the target reaches, between
        the two. Returns None, or the path from target to source that the edge would close,
        in which case nothing has moved.
        """
        self._catch_up()
        labels = self.labels
        low, high = labels[target], labels[source]
        parents, children = {source: -1}, {target: -1}
        upward, downward = [source], [target]
        while True:
            node = upward.pop()
            for each in predecessors[node]:
                if each in children:
                    return _join(children, each, parents, node)
                if each not in parents and labels[each] > low:
                    parents[each] = node
                    upward.append(each)
            if not upward:
                self._move_before(target, parents)
                return None
            node = downward.pop()
            for each in successors[node]:
                if each in parents:
                    return _join(children, node, parents, each)
                if each not in children and labels[each] < high:
                    children[each] = node
                    downward.append(each)
            if not downward:
                self._move_after(source, children)
                return None

    def _move_before(self, target: int, nodes: Iterable[int]) -> None:
        for node in sorted(nodes, key=self.labels.__getitem__):
            self._unlink(node)
            self._link(self._before[target], node, target)

    def _move_after(self, source: int, nodes: Iterable[int]) -> None:
        for node in sorted(nodes, key=self.labels.__getitem__, reverse=True):
            self._unlink(node)
            self._link(source, node, self._after[source])

    def _unlink(self, node: int) -> None:
        before, after = self._before[node], self._after[node]
        if before >= 0:
            self._after[before] = after
        if after >= 0:
            self._before[after] = before
        else:
            self._last = before

    def _link(self, before: int, node: int, after: int) -> None:
        labels = self.labels
        if before < 0:
            label = labels[after] - SPACING
        elif after < 0:
            self._highest = label = labels[before] + SPACING
        else:
            if labels[after] - labels[before] < 2:
                self._spread(before)
            label = (labels[before] + labels[after]) // 2
        labels[node] = label
        self._before[node], self._after[node] = before, after
        if before >= 0:
            self._after[before] = node
        if after >= 0:
            self._before[after] = node
        else:
            self._last = node

    def _spread(self, start: int) -> None:
        """Relabel the nodes after ``start`` until a gap is wide enough (Dietz and Sleator)."""
        labels, after = self.labels, self._after
        crowd: list[int] = []
        node = after[start]
        while node >= 0 and labels[node] - labels[start] <= (len(crowd) + 1) ** 2:
            crowd.append(node)
            node = after[node]
        size = len(crowd) + 1
        width = labels[node] - labels[start] if node >= 0 else size * SPACING
        for place, each in enumerate(crowd, 1):
            labels[each] = labels[start] + width * place // size
        if node < 0:
            self._highest = labels[self._last]


def canonical_order(
    nodes: Sequence[int], successors: Neighbours, in_degrees: list[int]
) -> list[int]:
    """Return the topological order with ties broken by the order of addition.

    Of all ready nodes the smallest comes first (Kahn 1962 with a heap): linear in nodes and
    edges, with a logarithm of the widest frontier. ``in_degrees`` is used up.
    """
    ready = [node for node in nodes if not in_degrees[node]]
    heapify(ready)
    order: list[int] = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for each in successors[node]:
            in_degrees[each] -= 1
            if not in_degrees[each]:
                heappush(ready, each)
    return order


def _join(children: dict[int, int], low: int, parents: dict[int, int], high: int) -> list[int]:
    """Return the path target .. low, high .. source, from where the two searches met."""
    path = [low]
    while children[path[-1]] >= 0:
        path.append(children[path[-1]])
    path.reverse()
    path.append(high)
    while parents[path[-1]] >= 0:
        path.append(parents[path[-1]])
    return path
