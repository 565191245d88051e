"""W10: nodes on two workers of Dask: short tasks, and large values passed from node to node.

The large ones are to stay on the workers: what this process grows by is set against one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.measure import Measurement, main
from benchmarks.shapes import names
from dagnb import DAG, DAGExecutor
from dagnb.run.remote.cluster import CLUSTERS

SIZES = (10_000,)
LEAST = 100
CALLS_OUT = 16
SHORT_LIMIT = 1.648e-3  # seconds a no-op task took distributed alone, on two cores
LARGE_BYTES = 50_000_000
PAGE_BYTES = 4096


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 1
) -> list[Measurement]:
    """Measure both; no peer keeps digests of what stays where it was made."""
    CLUSTERS.start(2)
    try:
        return [each for n in sizes for each in (short(n), large(max(2, n // 100)))]
    finally:
        CLUSTERS.stop()


def short(n: int) -> Measurement:
    """Run tasks that do nothing, and need nothing of each other."""
    dag = DAG()
    dag.add_nodes(names(n))
    began = perf_counter()
    DAGExecutor(dag, CALLS_OUT, backend="dask").execute(dict.fromkeys(names(n), int))
    each = (perf_counter() - began) / n
    return Measurement(
        "short tasks", "dagnb", n, each * 1e6, "node", each / SHORT_LIMIT, "distributed", 5.0
    )


def large(n: int) -> Measurement:
    """Pass a value from node to node; return by how much this process grew, in such values."""
    dag = DAG()
    dag.add_nodes(names(n))
    dag.add_edges(list(pairwise(names(n))))
    tasks: dict[str, Any] = dict.fromkeys(names(n), grow)
    before, most, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = perf_counter()
    DAGExecutor(dag, 2, backend="dask").execute(tasks)
    each = (perf_counter() - began) / n
    done.set()
    watcher.join()
    grown = max(0, most[0] - before) / LARGE_BYTES
    return Measurement("values of 50 MB", "dagnb", n, each * 1e6, "node", grown, "50 MB here", 1.0)


def grow(*inputs: Any) -> Any:
    """Return a new array, from that of the node before."""
    return inputs[0] + 1 if inputs else np.ones(LARGE_BYTES // 8)


def resident() -> int:
    """Return the bytes of memory that this process has; Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
