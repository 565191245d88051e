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
