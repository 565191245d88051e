"""Which node may start next: two answers, for one worker and for several."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush
from itertools import compress
from typing import Protocol, TypeAlias

from dagnb.graph.adjacency import Adjacency

OUT = -1  # instead of a count: popped and not settled
Edge: TypeAlias = tuple[int, int]


class Frontier(Protocol):
    """What the engine asks. Nodes are numbers; -1 means that none can start now.

    A node that was popped stays dirty until it has settled, so that an interrupt loses none.

    Attributes
    ----------
    in_order : bool
        Whether ready nodes come in topological order.
    """

    @property
    def in_order(self) -> bool: ...  # noqa: D102

    def pop(self) -> int:
        """Return the next node to look at, all of whose inputs have settled."""

    def settled(self, node: int, changed: bool) -> None:
        """Note that a node has settled; if its value changed, its dependents are dirty."""

    def left(self) -> list[int]:
        """Return the dirty nodes that have not settled."""

    def close(self) -> None:
        """Forget what is left."""


class Scan:
    """For one worker, who takes a node, settles it, and takes the next, in topological order.

    What is left lies from a place in the order on: all that does, or what has a flag there. The
    first of it has no dirty node above it, so there is nothing to count. A run costs what is
    dirty, and a scan of the flags at memory speed.

    Parameters
    ----------
    graph : Adjacency
    dirty : bytearray, optional
        A zero for each place and one more, and zeros again when the frontier is closed; None if
        all nodes are dirty.
    seeds : iterable of int
        The nodes that are dirty by themselves.

    Attributes
    ----------
    place, last : int
        Of the first node that is left, or the end of the order; nothing is left after the other.
    version : int
        The graph's when this was made; it serves no other.
    """

    __slots__ = ("dirty", "graph", "last", "order", "place", "positions", "version")
    in_order = True

    def __init__(
        self, graph: Adjacency, dirty: bytearray | None = None, seeds: Iterable[int] = ()
    ) -> None:
        self.graph, self.version = graph, graph.version
        self.order, self.positions = graph.order, graph.positions
        self.dirty = dirty
        self.place, self.last = 0, len(self.order) - 1
        self.begin(seeds)

    def begin(self, seeds: Iterable[int]) -> None:
        """Begin with these nodes, when nothing is left."""
        if self.dirty is None:
            return
        dirty, positions = self.dirty, self.positions
        self.place, self.last = len(self.order), -1
        for node in seeds:
            place = positions[node]
            if place < self.place:
                self.place = place
            if place > self.last:
                self.last = place
            dirty[place] = 1

    def after(self, place: int) -> int:
        """Return the next dirty place after one, or the end of the order."""
        place += 1
        if self.dirty is None or self.dirty[place]:  # half the time of a search that finds it here
            return place
        found = self.dirty.find(1, place, self.last + 1) if place <= self.last else -1
        return found if found >= 0 else len(self.order)

    def pop(self) -> int:
        """Return the next dirty node, or -1."""
        return self.order[self.place] if self.place < len(self.order) else -1

    def settled(self, node: int, changed: bool) -> None:
        """Mark the dependents of a changed node, then take its own mark away."""
        dirty, positions = self.dirty, self.positions
        if dirty is None:
            self.place = positions[node] + 1
            return
        if changed:
            for each in self.graph.successors[node]:
                place = positions[each]
                if place > self.last:
                    self.last = place
                dirty[place] = 1
        dirty[positions[node]] = 0
        self.place = self.after(self.place - 1)

    def left(self) -> list[int]:
        """Return the dirty nodes in topological order."""
        rest = self.order[self.place :]
        return rest if self.dirty is None else list(compress(rest, self.dirty[self.place :]))

    def close(self) -> None:
        """Forget what is left."""
        self.place = len(self.order)
        if self.dirty is not None:
            self.dirty[:] = bytes(len(self.dirty))


class Countdown:
    """For several workers: inputs left to settle, of every node that a change can reach.

    Ready nodes come by priority, then in topological order (Kahn 1962). One that turns out
    not to be dirty is passed over at once.

    Parameters
    ----------
    graph : Adjacency
    seeds : iterable of int, optional
        The nodes that are dirty by themselves; None for all.
    priorities : sequence of float, optional
        By node; of several ready ones the one with the highest goes first.
    out : iterable of int, optional
        The nodes that are dirty but have been popped before.
    """

    __slots__ = ("_nodes", "_ranks", "_ready", "_waiting", "dirty", "graph", "in_order")

    def __init__(
        self,
        graph: Adjacency,
        seeds: Iterable[int] | None = None,
        priorities: Sequence[float] | None = None,
        out: Iterable[int] = (),
    ) -> None:
        self.graph = graph
        self.in_order = priorities is None
        self._nodes, self._ranks = (
            (graph.order[:], graph.positions[:])  # copies, to grow apart from the graph's own
            if priorities is None
            else _by_priority(graph, priorities)
        )
        scope = graph.order if seeds is None else graph.affected(seeds)
        self.dirty = set(scope if seeds is None else seeds)
        above = graph.predecessors
        if seeds is None:
            self._waiting = {node: len(above[node]) for node in scope}
        else:
            inside = set(scope)
            self._waiting = {node: len(inside.intersection(above[node])) for node in scope}
        self._ready = sorted(self._ranks[node] for node in scope if not self._waiting[node])
        self._waiting.update(dict.fromkeys(out, OUT))

    def pop(self) -> int:
        """Return the ready dirty node of the highest priority, or -1."""
        while self._ready:
            node = self._nodes[heappop(self._ready)]
            if self._waiting.get(node) != 0:  # it got an input since, or is out
                continue
            self._waiting[node] = OUT
            if node in self.dirty:
                return node
            self._release(node, False)
        return -1

    def settled(self, node: int, changed: bool) -> None:
        """Count down the dependents."""
        self._release(node, changed)
        self.dirty.discard(node)

    def _release(self, node: int, changed: bool) -> None:
        waiting = self._waiting
        waiting.pop(node, None)
        for each in self.graph.successors[node]:
            left = waiting.get(each, OUT) - 1
            if left < 0:  # it had started before this edge was there
                continue
            if changed:
                self.dirty.add(each)
            waiting[each] = left
            if not left:
                heappush(self._ready, self._ranks[each])

    def follow(
        self,
        added: Collection[int],
        edges: Sequence[Edge],
        removed: Collection[int] = (),
        cut: Sequence[Edge] = (),
        *,
        has_started: Callable[[int], bool] = lambda node: False,
    ) -> set[int]:
        """Follow an edit of the graph: linear in it, and in what comes into the scope.

        New nodes are dirty, and so is what got or lost an input. New nodes come after others
        that are ready.

        Parameters
        ----------
        added, edges
            What is new.
        removed, cut
            What is gone: nodes that had not been popped, and edges, theirs included.
        has_started : callable
            Whether a node has started, or settled, in this run.

        Returns
        -------
        set of int
            The nodes that had started before they, or something above them, became dirty.
        """
        self._rank_new()
        waiting = self._waiting
        self._shrink(set(removed), cut)
        waiting.update(dict.fromkeys(added, 0))
        gone = set(removed)
        touched = {target for _, target in [*edges, *cut] if target not in gone}
        outside = {node for node in touched if waiting.get(node, OUT) == OUT}
        widened, late = self._widen(outside, has_started) if outside else (set(), set())
        self.dirty.update(added, touched - late)
        for source, target in edges:
            counted = target in widened or source in widened
            if source in waiting and not counted and target not in late:
                waiting[target] += 1
        for node in added:
            if not waiting[node]:
                heappush(self._ready, self._ranks[node])
        return late

    def _rank_new(self) -> None:
        for node in range(len(self._ranks), len(self.graph.names)):
            self._ranks.append(len(self._nodes))
            self._nodes.append(node)

    def _shrink(self, gone: set[int], cut: Iterable[Edge]) -> None:
        """Forget nodes that have not been popped, and edges."""
        waiting = self._waiting
        for source, target in cut:
            if target not in gone and source in waiting and waiting.get(target, OUT) > 0:
                waiting[target] -= 1
                if not waiting[target]:
                    heappush(self._ready, self._ranks[target])
        for node in gone:
            waiting.pop(node, None)
            self.dirty.discard(node)

    def _widen(
        self, nodes: Iterable[int], has_started: Callable[[int], bool]
    ) -> tuple[set[int], set[int]]:
        """Take nodes into the scope with what is below them; return them, and what has started.

        Their inputs are counted in the graph as it is now, new edges included.
        """
        waiting, graph = self._waiting, self.graph
        scope, late, stack = set[int](), set[int](), list(nodes)
        while stack:
            node = stack.pop()
            if node in scope or waiting.get(node, OUT) != OUT:
                continue
            if has_started(node):
                late.add(node)
                continue
            scope.add(node)
            stack.extend(graph.successors[node])
        waiting.update(dict.fromkeys(scope, 0))
        for node in scope:
            waiting[node] = sum(each in waiting for each in graph.predecessors[node])
            for each in graph.successors[node]:
                if each not in scope and waiting.get(each, OUT) != OUT:
                    waiting[each] += 1
            if not waiting[node]:
                heappush(self._ready, self._ranks[node])
        return scope, late

    def left(self) -> list[int]:
        """Return the dirty nodes in topological order."""
        return self.graph.sort(self.dirty)

    def close(self) -> None:
        """Forget what is left."""
        self.dirty, self._ready = set(), []


def _by_priority(graph: Adjacency, priorities: Sequence[float]) -> tuple[list[int], list[int]]:
    """Return the nodes, those of the highest priority first, and the rank of each."""
    nodes = sorted(graph.order, key=lambda node: -priorities[node])  # stable: then by order
    ranks = [-1] * len(graph.names)
    for rank, node in enumerate(nodes):
        ranks[node] = rank
    return nodes, ranks
