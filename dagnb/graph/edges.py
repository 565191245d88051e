"""The edges between numbered nodes: from both ends, in the order of addition, with their data."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import lt
from typing import NamedTuple

FEW = 16  # a list of so many numbers is searched faster than a set of them is made


class EdgeData(NamedTuple):
    """What a user attached to an edge."""

    weight: float | None
    label: str | None


class Edges:
    """Edges between the nodes ``0, 1, 2, ...``, each of them once; `Adjacency` adds to it.

    An edge stands in the lists of its two ends, and nowhere else: a table of all edges would
    cost more than everything else together. Whether there is one is looked up in the shorter
    list, or, if both are long, in a set that is kept of one of them.

    Attributes
    ----------
    successors, predecessors : list of list of int
        Neighbours by node, in the order in which the edges were added.
    sources, targets : list of int
        The ends of each edge in the order of addition, and of edges that were removed since.
    data : dict
        What was attached to an edge, or None, for those that have or had something.
    """

    __slots__ = (
        "_crowds", "_removed", "data", "predecessors", "sources", "successors", "targets",
    )  # fmt: skip

    def __init__(self) -> None:
        self.successors: list[list[int]] = []
        self.predecessors: list[list[int]] = []
        self.sources: list[int] = []
        self.targets: list[int] = []
        self.data: dict[tuple[int, int], EdgeData | None] = {}
        self._removed = 0
        self._crowds: dict[int, set[int]] = {}

    def __len__(self) -> int:
        return len(self.targets) - self._removed

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield the edges in the order of addition."""
        if self._removed:
            self._tidy()
        return zip(self.sources, self.targets, strict=True)

    def has(self, source: int, target: int) -> bool:
        """Whether there is such an edge; in constant time."""
        below = self.successors[source]
        if len(below) <= FEW:
            return target in below
        above = self.predecessors[target]
        if len(above) <= FEW:
            return source in above
        crowd = self._crowds.setdefault(source, set())
        if len(crowd) < len(below):
            crowd.update(below[len(crowd) :])  # those that were added since
        return target in crowd

    def go_up(self) -> bool:
        """Whether all edges lead to larger numbers. It may not see it while some are removed."""
        return all(map(lt, self.sources, self.targets))

    def remove(self, source: int, target: int) -> None:
        """Remove an edge that exists."""
        self.successors[source].remove(target)
        self.predecessors[target].remove(source)
        self._forget([(source, target)])

    def discard(self, nodes: Collection[int]) -> set[int]:
        """Remove all edges of nodes; return the other nodes that had one from them."""
        gone = set(nodes)
        above = {each for node in gone for each in self.predecessors[node]} - gone
        below = {each for node in gone for each in self.successors[node]} - gone
        removed = [(node, each) for node in gone for each in self.successors[node]]
        removed += [
            (node, each) for node in above for each in gone.intersection(self.successors[node])
        ]
        for lists, touched in ((self.successors, above), (self.predecessors, below)):
            for node in touched:
                lists[node][:] = [each for each in lists[node] if each not in gone]
        for node in gone:
            self.successors[node] = []
            self.predecessors[node] = []
        self._forget(removed)
        return below

    def _forget(self, edges: Sequence[tuple[int, int]]) -> None:
        self._removed += len(edges)
        for edge in edges:
            self.data.pop(edge, None)
            self._crowds.pop(edge[0], None)
        if self._removed > len(self) + 1024:
            self._tidy()

    def take_back(self, size: int) -> None:
        """Remove what was added last, so that ``size`` sources and targets are left."""
        for place in range(len(self.targets) - 1, size - 1, -1):
            source, target = self.sources[place], self.targets[place]
            self._crowds.pop(source, None)
            self.successors[source].pop()
            self.predecessors[target].pop()
        del self.sources[size:], self.targets[size:]

    def renumbered(self, new: Mapping[int, int]) -> Edges:
        """Return the same edges between nodes with new numbers; no other node has one."""
        data = {(new[source], new[target]): each for (source, target), each in self.data.items()}
        return self._of(len(new), [(new[source], new[target]) for source, target in self], data)

    def mended(self, nodes: int, gone: Collection[int], size: int) -> Edges:
        """Return the edges that the lists of successors hold, whatever the others do.

        Without those of some nodes, and without those that were added after the first ``size``.
        """
        alive = [edge for edge in self._alive(size) if edge[0] not in gone and edge[1] not in gone]
        return self._of(nodes, alive, self.data)

    @classmethod
    def _of(
        cls,
        nodes: int,
        edges: Sequence[tuple[int, int]],
        data: Mapping[tuple[int, int], EdgeData | None],
    ) -> Edges:
        made = cls()
        made.successors, made.predecessors = [[] for _ in range(nodes)], [[] for _ in range(nodes)]
        for source, target in edges:
            made.sources.append(source)
            made.targets.append(target)
            made.successors[source].append(target)
            made.predecessors[target].append(source)
        made.data = {edge: data[edge] for edge in edges if edge in data} if data else {}
        return made

    def _tidy(self) -> None:
        alive = self._alive(len(self.targets))
        self.sources, self.targets, self._removed = (
            [source for source, _ in alive], [target for _, target in alive], 0
        )  # fmt: skip  # at once, or not at all

    def _alive(self, size: int) -> list[tuple[int, int]]:
        """Return the edges that are there in the order in which each was added last."""
        added = list(zip(self.sources, self.targets, strict=False))
        there = {(node, each) for node, below in enumerate(self.successors) for each in below}
        there.difference_update(added[size:])
        return [edge for edge in dict.fromkeys(reversed(added)) if edge in there][::-1]
