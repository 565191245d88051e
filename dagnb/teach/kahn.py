"""Kahn's algorithm on a real graph, one decision at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from heapq import heapify, heappop, heappush

from dagnb.graph.dag import DAG
from dagnb.observe.text import listed
from dagnb.run.checks import check_dag
from dagnb.teach.walk import Mark, Step, Walk

HEADER = ("node", "inputs", "missing", "state")


class Kahn(Walk):
    """How a topological order is found (A. B. Kahn, Communications of the ACM 5, 1962).

    Of several nodes that are ready the one that was added first is taken.

    Attributes
    ----------
    order : list of str
        The order that the last step has.

    Examples
    --------
    >>> walk = Kahn(DAG.builder().add_edge("raw", "clean").build())
    >>> print(walk.show(1))
    Topological order, step 1 of 2: raw is taken: none of its inputs is missing. Now clean is ready.
    Ready: clean. Order so far: raw.
    <BLANKLINE>
    node   inputs  missing  state
    raw    -       0        taken, number 1
    clean  raw     0        ready
    """

    title = "Topological order"

    def __init__(self, dag: DAG) -> None:
        check_dag(dag)
        self._names = [str(name) for name in dag.nodes()]
        self._number = {name: number for number, name in enumerate(self._names)}
        self._inputs = {
            name: [str(each) for each in dag.predecessors(name)] for name in self._names
        }
        self._below = {name: [str(each) for each in dag.successors(name)] for name in self._names}
        self.order = self._after(len(self._names))[0]

    def __len__(self) -> int:
        return len(self._names) + 1

    def step(self, number: int) -> Step:
        """Return how things are after so many nodes were taken."""
        if not self._names:
            return Step("the graph has no nodes, so there is nothing to order", HEADER, ())
        order, ready, counts = self._after(number)
        place = {name: str(at) for at, name in enumerate(order, 1)}
        rows = []
        for name in self._names:
            inputs = ", ".join(self._inputs[name]) or "-"
            state = f"taken, number {place[name]}" if name in place else "waits"
            rows.append((name, inputs, str(counts[name]), "ready" if name in ready else state))
        queue = sorted(ready, key=self._number.__getitem__)
        waiting = f"Ready: {listed(queue) or 'none'}. Order so far: {listed(order) or 'empty'}."
        said = f"{self._said(order, ready)}\n{waiting}"
        marks = {name: _mark(name, place, ready, counts) for name in self._names}
        active = frozenset([*queue, *order[-1:]])
        return Step(said, HEADER, tuple(rows), active, marks, "".join(order[-1:]))

    def _said(self, order: list[str], ready: set[str]) -> str:
        if not order:
            return "the nodes without inputs are ready; every other one counts its inputs."
        name = order[-1]
        freed = [each for each in self._below[name] if each in ready]
        now = ""
        if freed:
            now = f" Now {listed(freed)} {'is' if len(freed) == 1 else 'are'} ready."
        if len(order) == len(self._names):
            now = " Every node has been taken, so this is a topological order."
        return f"{name} is taken: none of its inputs is missing.{now}"

    def _after(self, taken: int) -> tuple[list[str], set[str], dict[str, int]]:
        """Return the order, what is ready, and how many inputs each node still waits for."""
        counts = {name: len(self._inputs[name]) for name in self._names}
        queue = [self._number[name] for name, count in counts.items() if not count]
        heapify(queue)
        order: list[str] = []
        while queue and len(order) < taken:
            name = self._names[heappop(queue)]
            order.append(name)
            for each in self._below[name]:
                counts[each] -= 1
                if not counts[each]:
                    heappush(queue, self._number[each])
        return order, {self._names[number] for number in queue}, counts


def _mark(
    name: str, place: Mapping[str, str], ready: Collection[str], counts: Mapping[str, int]
) -> Mark:
    """Return a node's place in the order, or that it is ready, or how many inputs it misses."""
    if name in place:
        return Mark("completed", f"number {place[name]}")
    return Mark("running", "ready") if name in ready else Mark("pending", f"{counts[name]} missing")
