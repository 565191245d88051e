"""W11: what bounds a run of a million nodes on a hundred workers, by simulation.

Nothing is performed: workers that exist on paper only take ``TASK_SECONDS`` of a clock that jumps,
and the engine is asked and told as fast as it can be. Two events a node, started and settled, go
through the one engine, so what it takes for a node is what bounds the run: w workers with tasks
of s seconds ask for a node every s/w seconds. As long as the engine takes less than that, the
workers are busy; where it takes more, half of the workers would do as well, or tasks that are
twice as long. The second line is the same with threads that wait for a backend, as a run of Dask
or Ray has them, whose calls are over at once. The third is the memory of the process per node:
graph, tasks and records, without values.

What a cluster adds to each node is its own (W10): the cluster falls
behind before the engine does.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from heapq import heappop, heappush
from time import perf_counter

from benchmarks.measure import Measurement, main
from benchmarks.shapes import layered, names
from benchmarks.w10_cluster import resident
from dagnb import DAG, DAGExecutor
from dagnb.results import ExecutionResult
from dagnb.run.call import Call, Report
from dagnb.run.engine import Engine
from dagnb.run.remote.backend import Done

SIZES = (10_000, 100_000, 1_000_000)
LEAST = 1_000
WORKERS = 100
WIDTH = 1_000  # nodes in a layer
TASK_SECONDS = 0.01
PACE = TASK_SECONDS / WORKERS  # seconds between two nodes that all workers together ask for


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 1
) -> list[Measurement]:
    """Measure each size once; no peer can be asked without workers."""
    return [each for n in sizes for each in of_size(n)]


def of_size(n: int) -> list[Measurement]:
    """Build a layered graph and run it on workers of both kinds."""
    gc.collect()
    before = resident()
    dag = DAG()
    known = names(n)
    dag.add_nodes(known)
    dag.add_edges([(known[a], known[b]) for a, b in layered(n, width=WIDTH)])
    tasks = dict.fromkeys(known, nothing)
    alone, busy = simulate(DAGExecutor(dag, WORKERS).engine(tasks))
    began = perf_counter()
    DAGExecutor(dag, WORKERS, backend=Immediate()).execute(tasks)
    threaded = (perf_counter() - began) / n
    room = (resident() - before) / n
    workload, pace = f"{WORKERS} workers, {busy:.0%} busy", f"a node in {PACE * 1e6:.0f} us"
    return [
        Measurement(workload, "engine", n, alone / n * 1e6, "node", alone / n / PACE, pace, 1.0),
        Measurement(
            "the same, as threads", "dagnb", n, threaded * 1e6, "node", threaded / PACE, pace, 1.0
        ),
        Measurement("memory", "dagnb", n, 0.0, "node", room / 1e3, "1 kB", 4.0),
    ]


def simulate(engine: Engine) -> tuple[float, float]:
    """Run an engine to its end on a clock of its own.

    Returns
    -------
    tuple of float and float
        The seconds that the engine really took, and the share of their time in which the workers
        would have been busy, had it taken none.
    """
    now, nodes, out = 0.0, 0, list[tuple[float, int]]()
    began = perf_counter()
    engine.begin()
    engine.spread()
    while True:
        while len(out) < WORKERS and (call := engine.take()):
            heappush(out, (now + TASK_SECONDS, call.node))
        if not out:
            break
        now, node = heappop(out)
        engine.settle(node, Report(None, None, now - TASK_SECONDS, now))
        nodes += 1
    engine.finish(ExecutionResult)
    return perf_counter() - began, nodes * TASK_SECONDS / (WORKERS * now)


class Immediate:
    """A backend on which every call is over when it is submitted."""

    slots: int | None = None

    def submit(self, call: Call) -> Done:
        """Say that nothing came of the call."""
        return Done(Report(None, None, now := perf_counter(), now))

    def close(self) -> None:
        """Do nothing."""


def nothing(*inputs: object) -> None:
    """Do nothing."""


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
