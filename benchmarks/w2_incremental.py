"""W2: what a re-run costs after one node of a layered graph has changed.

Ten nodes are affected; or the changed node comes out the same, so that nothing below it runs;
or everything is affected. In the first two it is another node each time: what is measured of
one node over and over is how fast a processor is with what it did a microsecond ago.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from typing import Any

from benchmarks import floors, peers
from benchmarks.measure import Measurement, Prepare, compare, main
from benchmarks.shapes import WIDTH, Edges, adjacency, layered, names
from benchmarks.w1_scheduling import graph
from dagnb import IncrementalExecutor

SIZES = (1_000, 10_000, 100_000)
LEAST = 600
TARGETS = {  # times the floor, as measured when they were set
    "ten affected": {1_000: 4.2, 10_000: 3.8, 100_000: 3.1},
    "cut off at once": {1_000: 6.0, 10_000: 5.8, 100_000: 3.1},
    "all affected": {1_000: 2.8, 10_000: 2.7, 100_000: 2.2},
}
LARGEST = {"dagron": 10_000, "dask": 10_000, "hamilton": 1_000}
DASK, HAMILTON = "dask sync (runs everything)", "hamilton, cache in memory"
DAGRON = "dagron incremental"
REPEATS, SLOW_REPEATS = 100, 5
TURNS = 6  # times the rounds: what is quick is timed often, and the least of many is steady
LARGEST_SLOW = 1_000  # for a peer that is quadratic in what is affected


class Clock:
    """A task whose value is another one each time it is told."""

    def __init__(self) -> None:
        self.now = 0

    def value(self, *inputs: object) -> int:
        """Return a value that no run before had."""
        return self.now

    def repeated(self, run: Callable[[Any], Any], changes: Iterable[Any], times: int) -> Prepare:
        """Return what runs so often, each time with a new value and the next of the changes."""
        endless = cycle(changes)

        def turn() -> None:
            for change in islice(endless, times):
                self.now += 1
                run(change)

        return lambda: turn


def repeats(workload: str, candidate: str = "") -> int:
    """Return how many runs make a turn: small ones are too short to time one by one."""
    if workload == "all affected" or candidate in {DASK, HAMILTON}:
        return 1
    return SLOW_REPEATS if candidate == DAGRON else REPEATS


def same(*inputs: object) -> int:
    """Return what was returned before."""
    return 0


def edges_of(workload: str, n: int) -> tuple[Edges, list[int]]:
    """Return the edges, and the nodes that change, one each time."""
    edges = layered(n)
    if workload == "all affected":
        return [(0, number) for number in range(1, WIDTH)] + edges, [0]
    if workload == "cut off at once":
        return edges, random.Random(0).sample(range(n), n)
    _, successors = adjacency(n, edges)
    late = range(n - 5 * WIDTH, n)
    sizes = {node: len(floors.descendants(node, successors)) for node in late}
    return edges, [node for node in late if sizes[node] == 10]


def candidates(workload: str, n: int, chosen: Sequence[str] | None) -> dict[str, Prepare]:
    """Return the floor, ourselves, and the peers, each having run once."""
    edges, changed = edges_of(workload, n)
    found = {
        "floor": floor(n, edges, changed, workload),
        "dagnb": ours(n, edges, changed, workload),
    }
    slow = workload != "ten affected" and n > LARGEST_SLOW
    wanted = peers.wanted("dagron", chosen) and n <= LARGEST["dagron"] and not slow
    if wanted and peers.load("dagron") is not None:
        found[DAGRON] = dagron(n, edges, changed, workload)
    if peers.wanted("dask", chosen) and n <= LARGEST["dask"] and peers.load("dask") is not None:
        run = peers.dask_run(n, edges, same, "sync")()
        found[DASK] = Clock().repeated(lambda _: run(), changed, 1)
    wanted = peers.wanted("hamilton", chosen) and n <= LARGEST["hamilton"]
    if wanted and peers.load("hamilton.driver") is not None:
        found[HAMILTON] = hamilton(n, edges, changed, workload)
    return found


def task_of(workload: str, clock: Clock) -> Callable[..., Any]:
    """Return the task of every node."""
    return same if workload == "cut off at once" else clock.value


def floor(n: int, edges: Edges, changed: Sequence[int], workload: str) -> Prepare:
    """The heap of topological numbers."""
    predecessors, successors = adjacency(n, edges)
    clock = Clock()
    task = task_of(workload, clock)
    results, _ = floors.run_all(task, predecessors, successors)

    def run(node: int) -> None:
        floors.rerun(node, task, predecessors, successors, results)

    return clock.repeated(run, changed, repeats(workload))


def ours(n: int, edges: Edges, changed: Sequence[int], workload: str) -> Prepare:
    """The incremental executor, inline."""
    executor, clock = IncrementalExecutor(graph(n, edges)), Clock()
    tasks = dict.fromkeys(names(n), task_of(workload, clock))
    executor.execute(tasks)

    return clock.repeated(
        lambda names: executor.execute(tasks, changed_nodes=names),
        [[f"n{node}"] for node in changed],
        repeats(workload),
    )


def dagron(n: int, edges: Edges, changed: Sequence[int], workload: str) -> Prepare:
    """The peer's incremental executor."""
    executor = peers.load("dagron").IncrementalExecutor(peers.dagron_graph(n, edges))
    clock = Clock()
    tasks = dict.fromkeys(names(n), task_of(workload, clock))
    executor.execute(tasks)

    return clock.repeated(
        lambda names: executor.execute(tasks, changed_nodes=names),
        [[f"n{node}"] for node in changed],
        repeats(workload, DAGRON),
    )


def hamilton(n: int, edges: Edges, changed: Sequence[int], workload: str) -> Prepare:
    """The peer's driver with its cache; one node reads an input that is another one each time."""
    clock = Clock()
    value = "0" if workload == "cut off at once" else "sum(locals().values())"
    run = peers.hamilton_incremental(n, edges, changed[0], value)
    run(0)
    return clock.repeated(lambda _: run(clock.now), changed, 1)


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure the three workloads in all sizes."""
    measurements: list[Measurement] = []
    for workload, targets in TARGETS.items():
        for n in sizes:
            goal, found = targets.get(n), candidates(workload, n, chosen)
            measurements += compare(
                f"W2 re-run, {workload}", n, found, unit="run",
                units={name: repeats(workload, name) for name in found},
                targets={} if goal is None else {"dagnb": goal},
                rounds=rounds if workload == "all affected" else TURNS * rounds,
            )  # fmt: skip
    return measurements


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
