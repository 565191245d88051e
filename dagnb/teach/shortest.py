"""The shortest schedule of a small graph, found by trying what can be tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagnb.graph.analysis import cost_to_go
from dagnb.graph.dag import DAG

Lanes = list[list[str]]


def arrange(dag: DAG, minutes: Mapping[str, int], lanes: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return when each node ends, if each worker does its nodes in order, as soon as it can.

    Nodes of workers that wait for each other forever have no end, and are left out.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("a", "b").build()
    >>> arrange(dag, {"a": 2, "b": 3}, [["a"], ["b"]]), arrange(dag, {"a": 2, "b": 3}, [["b", "a"]])
    ({'a': 2, 'b': 5}, {})
    """
    ends: dict[str, int] = {}
    free, places = [0] * len(lanes), [0] * len(lanes)
    moved = True
    while moved:
        moved = False
        for worker, lane in enumerate(lanes):
            while places[worker] < len(lane):
                name = lane[places[worker]]
                above = dag.predecessors(name)
                if not all(each in ends for each in above):
                    break
                start = max([free[worker], *(ends[str(each)] for each in above)])
                free[worker] = ends[name] = start + minutes[name]
                places[worker] += 1
                moved = True
    return ends


def shortest(dag: DAG, minutes: Mapping[str, int], workers: int) -> Lanes:
    """Return a schedule that no other beats: exponential in the nodes, for a dozen at most.

    Some order of the nodes in which each one goes to the worker that is free first, and starts as
    soon as it can, is best: take the order of the starts in any schedule. So the orders are
    tried, and an order is given up when what is left cannot end soon enough.
    """
    search = _Search(dag, minutes, workers)
    search.go(dict.fromkeys(range(workers), 0), {})
    return search.best


class _Search:
    """Depth first through the orders, with the best schedule so far."""

    def __init__(self, dag: DAG, minutes: Mapping[str, int], workers: int) -> None:
        costs = {dag.number(name): float(each) for name, each in minutes.items()}
        to_go = cost_to_go(dag.adjacency, costs, 0.0)
        self.inputs = {str(name): list(map(str, dag.predecessors(name))) for name in dag}
        self.to_go = {name: to_go[dag.number(name)] for name in self.inputs}
        self.minutes = minutes
        self.placed: Lanes = [[] for _ in range(workers)]
        self.best: Lanes = []
        self.took = sum(minutes.values()) + 1

    def go(self, free: dict[int, int], ends: dict[str, int]) -> None:
        """Try what may come next, given when workers are free and when placed nodes end."""
        if len(ends) == len(self.inputs):
            took = max(ends.values(), default=0)
            if took < self.took:
                self.took, self.best = took, [list(lane) for lane in self.placed]
            return
        worker = min(free, key=lambda each: free[each])
        for name, start in self._ready(free[worker], ends):
            if start + self.to_go[name] >= self.took:
                return  # this node has to come after all, and is too late already
            self.placed[worker].append(name)
            end = start + self.minutes[name]
            self.go({**free, worker: end}, {**ends, name: end})
            self.placed[worker].pop()

    def _ready(self, free: int, ends: dict[str, int]) -> list[tuple[str, int]]:
        """Return the nodes that may come next and when they would start, the longest way first."""
        found = [
            (name, max([free, *(ends[each] for each in above)]))
            for name, above in self.inputs.items()
            if name not in ends and all(each in ends for each in above)
        ]
        return sorted(found, key=lambda pair: -self.to_go[pair[0]])
