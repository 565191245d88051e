"""W1: what scheduling costs a node whose task does nothing, on a first run.

Every candidate but those that cannot passes the values of the inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import floors, peers
from benchmarks.measure import Measurement, Prepare, compare, main
from benchmarks.peers import Task
from benchmarks.shapes import SHAPES, Edges, adjacency, names
from dagnb import DAG, DAGExecutor, IncrementalExecutor

SIZES = (1_000, 10_000, 100_000)
LEAST = 200
LARGEST = {"dask": 10_000, "hamilton": 1_000, "dagron": 10_000, "joblib": 100_000}
TARGETS = {  # times the floor
    "chain": {"dagnb inline": 1.41, "dagnb threads, 2": 28.0},
    "fan": {"dagnb inline": 1.35, "dagnb threads, 2": 4.1},
    "layered": {"dagnb inline": 1.25, "dagnb threads, 2": 3.1},
}


def nothing(*inputs: object) -> int:
    """Do nothing."""
    return 1


def another() -> Task:
    """Return a function of its own that does nothing."""
    return lambda *inputs: 1


def graph(n: int, edges: Edges) -> DAG:
    """Return our graph."""
    dag, known = DAG(), names(n)
    dag.add_nodes(known)
    dag.add_edges([(known[source], known[target]) for source, target in edges])
    return dag


def candidates(n: int, edges: Edges, chosen: Sequence[str] | None) -> dict[str, Prepare]:
    """Return the floor, ourselves, and the peers that install and bear the size."""
    predecessors, successors = adjacency(n, edges)
    dag, tasks = graph(n, edges), dict.fromkeys(names(n), nothing)
    own = {name: another() for name in names(n)}  # binding a function again costs nothing
    found: dict[str, Prepare] = {
        "floor": lambda: lambda: floors.run_all(nothing, predecessors, successors),
        "dagnb inline": lambda: lambda: IncrementalExecutor(dag).execute(tasks),
        "dagnb inline, own functions": lambda: lambda: IncrementalExecutor(dag).execute(own),
        "dagnb threads, 2": lambda: lambda: DAGExecutor(dag, max_workers=2).execute(tasks),
    }
    if bears("dagron", "dagron", n, chosen):
        found["dagron incremental"] = peers.dagron_incremental(n, edges, nothing)
        found["dagron threads, 2"] = peers.dagron_threads(n, edges, nothing, 2)
    if bears("joblib", "joblib", n, chosen):
        found["joblib sequential"] = peers.joblib_sequential(n, edges, nothing)
    if bears("dask", "dask", n, chosen):
        found["dask sync"] = peers.dask_run(n, edges, nothing, "sync")
        found["dask threads, 2"] = peers.dask_run(n, edges, nothing, "threads")
    if bears("hamilton", "hamilton.driver", n, chosen):
        found["hamilton"] = peers.hamilton_run(n, edges, nothing)
    return found


def bears(peer: str, module: str, n: int, chosen: Sequence[str] | None) -> bool:
    """Whether a peer is wanted, bears the size, and is installed."""
    return peers.wanted(peer, chosen) and n <= LARGEST[peer] and peers.load(module) is not None


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure all shapes in all sizes."""
    measurements: list[Measurement] = []
    for shape, edges_of in SHAPES.items():
        for n in sizes:
            measurements += compare(
                f"W1 first run, {shape}", n, candidates(n, edges_of(n), chosen),
                unit="node", units=n, targets=TARGETS[shape], rounds=rounds,
            )  # fmt: skip
    return measurements


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
