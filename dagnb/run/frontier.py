"""Which node may start next: two answers, for one worker and for several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Protocol

from dagnb.graph.adjacency import Adjacency


class Frontier(Protocol):
    """What the engine asks. Nodes are numbers; -1 means that none can start now."""

    def pop(self) -> int:
        """Return the next node to look at, all of whose inputs have settled."""

    def settled(self, node: int, changed: bool) -> None:
        """Note that a node has settled; if its value changed, its dependents are dirty."""

    def rest(self) -> list[int]:
        """Return, and forget, all nodes that might still have been popped, in order."""


class Scan:
    """For one worker: a flag per place in the topological order, scanned upward.

    Whatever is found first has no dirty node above it, so there is nothing to count. A run
    costs what is dirty, and a scan of the flags at memory speed.
    """

    def __init__(self, graph: Adjacency, dirty: bytearray, seeds: Iterable[int] | None) -> None:
        self.graph = graph
        self.order, self.positions = graph.order, graph.positions
        self.dirty = dirty
        self.place = 0
        if seeds is None:
            dirty[:] = b"\x01" * len(self.order)
            return
        for node in seeds:
            dirty[self.positions[node]] = 1

    def pop(self) -> int:
        """Return the next dirty node, or -1."""
        place = self.dirty.find(1, self.place)
        if place < 0:
            return -1
        self.dirty[place] = 0
        self.place = place + 1
        return self.order[place]

    def settled(self, node: int, changed: bool) -> None:
        """Mark the dependents of a changed node."""
        if changed:
            dirty, positions = self.dirty, self.positions
            for each in self.graph.successors[node]:
                dirty[positions[each]] = 1

    def rest(self) -> list[int]:
        """Return the dirty nodes and all below them; no flag stays set."""
        marked = []
        while (node := self.pop()) >= 0:
            marked.append(node)
        return self.graph.affected(marked)


class Countdown:
    """For several workers: inputs left to settle, of every node that a change can reach.

    Ready nodes come by priority, then in topological order (Kahn 1962). One that turns out
    not to be dirty is passed over at once. Nodes may be added while it runs.
    """

    def __init__(
        self,
        graph: Adjacency,
        seeds: Iterable[int] | None,
        priorities: Sequence[float] | None = None,
    ) -> None:
        self.graph = graph
        self.priorities = priorities
        scope = graph.order if seeds is None else graph.affected(seeds)
        self.dirty = set(scope if seeds is None else seeds)
        self.waiting: dict[int, int] = dict.fromkeys(scope, 0)
        for node in scope:
            self.waiting[node] = sum(each in self.waiting for each in graph.predecessors[node])
        self.ready: list[tuple[float, int, int]] = []
        for node in scope:
            if not self.waiting[node]:
                self._push(node)

    def _push(self, node: int) -> None:
        rank = -self.priorities[node] if self.priorities else 0.0
        heappush(self.ready, (rank, self.graph.positions[node], node))

    def pop(self) -> int:
        """Return the ready dirty node of the highest priority, or -1."""
        while self.ready:
            node = heappop(self.ready)[2]
            if node in self.dirty:
                del self.waiting[node]
                return node
            del self.waiting[node]
            self._release(node, False)
        return -1

    def settled(self, node: int, changed: bool) -> None:
        """Count down the dependents."""
        self._release(node, changed)

    def _release(self, node: int, changed: bool) -> None:
        waiting = self.waiting
        for each in self.graph.successors[node]:
            if each not in waiting:
                continue
            waiting[each] -= 1
            if changed:
                self.dirty.add(each)
            if not waiting[each]:
                self._push(each)

    def rest(self) -> list[int]:
        """Return the nodes that were dirty or below a dirty one."""
        left = [node for node in self.waiting if node in self.dirty]
        self.waiting, self.ready = {}, []
        return self.graph.affected(left)
