"""The barest correct loops over integer adjacency: no names, no errors, no options.

What they leave out is what dagnb adds; the ratio is what that costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

Lists = Sequence[Sequence[int]]


class Result:
    """What a loop keeps of a node."""

    __slots__ = ("node", "status", "value")

    def __init__(self, node: int, status: str, value: object) -> None:
        self.node = node
        self.status = status
        self.value = value


def run_all(
    task: Callable[..., Any], predecessors: Lists, successors: Lists
) -> tuple[list[Result], list[tuple[str, int]]]:
    """Run every node when its inputs are there (Kahn 1962): a result and an event each."""
    waiting = [len(each) for each in predecessors]
    ready = [node for node, left in enumerate(waiting) if not left]
    results: list[Any] = [None] * len(waiting)
    events: list[tuple[str, int]] = []
    for node in ready:  # grows while it is gone through
        value = task(*[results[each].value for each in predecessors[node]])
        results[node] = Result(node, "completed", value)
        events.append(("settled", node))
        for each in successors[node]:
            waiting[each] -= 1
            if not waiting[each]:
                ready.append(each)
    return results, events


def rerun(
    changed: int,
    task: Callable[..., Any],
    predecessors: Lists,
    successors: Lists,
    results: list[Result],
) -> list[tuple[str, int]]:
    """Run a changed node and what its new value reaches, by a heap of topological numbers."""
    heap, queued = [changed], {changed}
    events: list[tuple[str, int]] = []
    while heap:
        node = heappop(heap)
        value = task(*[results[each].value for each in predecessors[node]])
        differs = value != results[node].value
        results[node] = Result(node, "completed", value)
        events.append(("settled", node))
        if differs:
            for each in successors[node]:
                if each not in queued:
                    queued.add(each)
                    heappush(heap, each)
    return events


def topological_order(predecessors: Lists, successors: Lists) -> list[int]:
    """Return an order from scratch."""
    waiting = [len(each) for each in predecessors]
    order = [node for node, left in enumerate(waiting) if not left]
    for node in order:  # grows while it is gone through
        for each in successors[node]:
            waiting[each] -= 1
            if not waiting[each]:
                order.append(each)
    return order


def descendants(start: int, successors: Lists) -> set[int]:
    """Return all that a node reaches."""
    found, stack = {start}, [start]
    while stack:
        for each in successors[stack.pop()]:
            if each not in found:
                found.add(each)
                stack.append(each)
    return found


class NamedLists:
    """The least that building a graph by names takes: who adds a node gets a handle to it.

    No name comes twice and no edge; edges go to nodes that were added later. That is less than
    `dagnb.DAG` promises, which also knows the order of the edges, and takes them in any order.
    """

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.handles: list[Handle] = []
        self.successors: list[list[int]] = []
        self.predecessors: list[list[int]] = []

    def add_node(self, name: str) -> Handle:
        """Add one."""
        if name in self.ids:
            raise ValueError(name)
        made = Handle(name)
        made.number = self.ids[name] = len(self.handles)
        self.handles.append(made)
        self.successors.append([])
        self.predecessors.append([])
        return made

    def add_edge(self, source: str, target: str) -> None:
        """Add one."""
        first, second = self.ids[source], self.ids[target]
        if first >= second:
            raise ValueError(target)
        below = self.successors[first]
        if second not in below:
            below.append(second)
            self.predecessors[second].append(first)

    def add_nodes(self, names: Sequence[str]) -> list[Handle]:
        """Add many to an empty graph."""
        self.ids = dict(zip(names, range(len(names)), strict=True))
        if len(self.ids) < len(names):
            raise ValueError(names)
        self.handles = list(map(Handle, names))
        for number, made in enumerate(self.handles):
            made.number = number
        self.successors = [[] for _ in names]
        self.predecessors = [[] for _ in names]
        return self.handles

    def add_edges(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Add many."""
        ids, successors, predecessors = self.ids, self.successors, self.predecessors
        for source, target in pairs:
            first, second = ids[source], ids[target]
            if first >= second:
                raise ValueError(target)
            below = successors[first]
            if second not in below:
                below.append(second)
                predecessors[second].append(first)


class Handle(str):
    """A name that knows its node."""

    __slots__ = ("number",)
    number: int


class KeptOrder:
    """A topological order kept under new edges (Pearce and Kelly 2006)."""

    def __init__(self, predecessors: list[list[int]], successors: list[list[int]]) -> None:
        self.predecessors, self.successors = predecessors, successors
        self.places = list(range(len(predecessors)))

    def link(self, source: int, target: int) -> bool:
        """Add an edge; say whether it was allowed."""
        places = self.places
        if places[source] > places[target] and not self._reorder(source, target):
            return False
        self.successors[source].append(target)
        self.predecessors[target].append(source)
        return True

    def _reorder(self, source: int, target: int) -> bool:
        places = self.places
        low, high = places[target], places[source]
        forward, stack = {target}, [target]
        while stack:
            for each in self.successors[stack.pop()]:
                if each == source:
                    return False
                if places[each] < high and each not in forward:
                    forward.add(each)
                    stack.append(each)
        backward, stack = {source}, [source]
        while stack:
            for each in self.predecessors[stack.pop()]:
                if places[each] > low and each not in backward:
                    backward.add(each)
                    stack.append(each)
        moved = sorted(backward, key=places.__getitem__) + sorted(forward, key=places.__getitem__)
        for node, place in zip(moved, sorted(places[node] for node in moved), strict=True):
            places[node] = place
        return True
