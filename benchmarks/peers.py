"""The peers: how each is told to run a graph of no-op tasks. One that is missing is said so."""

from __future__ import annotations

import importlib
import linecache
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from typing import Any

from benchmarks.measure import PEERS, Prepare
from benchmarks.shapes import Edges, names

Task = Callable[..., Any]
_sources = count()


@cache
def load(library: str) -> Any:
    """Import a peer, or say that it is not installed and return None."""
    try:
        return importlib.import_module(library)
    except ImportError:
        print(f"{library} is not installed here and left out", file=sys.stderr)
        return None


def left_out(chosen: Sequence[str] | None) -> list[str]:
    """Return the peers that were wanted and are not installed."""
    return [peer for peer in PEERS if wanted(peer, chosen) and load(peer) is None]


def wanted(peer: str, chosen: Sequence[str] | None) -> bool:
    """Whether a peer was asked for, or none in particular was."""
    return not chosen or peer in chosen


def dagron_graph(n: int, edges: Edges) -> Any:
    """Return dagron's graph."""
    dag = load("dagron").DAG()
    for name in names(n):
        dag.add_node(name)
    for source, target in edges:
        dag.add_edge(f"n{source}", f"n{target}")
    return dag


def dagron_incremental(n: int, edges: Edges, task: Task) -> Prepare:
    """First run by dagron's IncrementalExecutor, which passes no values."""
    dagron, dag = load("dagron"), dagron_graph(n, edges)
    tasks = dict.fromkeys(names(n), task)
    return lambda: lambda: dagron.IncrementalExecutor(dag).execute(tasks)


def dagron_threads(n: int, edges: Edges, task: Task, workers: int) -> Prepare:
    """A run by dagron's DAGExecutor."""
    dagron, dag = load("dagron"), dagron_graph(n, edges)
    tasks = dict.fromkeys(names(n), task)
    return lambda: lambda: dagron.DAGExecutor(dag, max_workers=workers).execute(tasks)


def joblib_sequential(n: int, edges: Edges, task: Task) -> Prepare:
    """Joblib with one job, which knows no graph."""
    joblib = load("joblib")
    return lambda: lambda: joblib.Parallel(n_jobs=1)(joblib.delayed(task)() for _ in range(n))


def dask_graph(n: int, edges: Edges, task: Task) -> dict[str, Any]:
    """Return a graph as dask takes it."""
    inputs: list[list[str]] = [[] for _ in range(n)]
    for source, target in edges:
        inputs[target].append(f"n{source}")
    return {f"n{number}": (task, *inputs[number]) for number in range(n)}


def dask_run(n: int, edges: Edges, task: Task, scheduler: str) -> Prepare:
    """A run by dask, in this thread or on two."""
    graph, keys = dask_graph(n, edges, task), names(n)
    if scheduler == "sync":
        get = load("dask").get
        return lambda: lambda: get(graph, keys)
    get = load("dask.threaded").get
    return lambda: lambda: get(graph, keys, num_workers=2)


def hamilton_run(n: int, edges: Edges, task: Task) -> Prepare:
    """A run by Hamilton's driver, with a function a node."""
    built = hamilton_driver(n, edges, "1").build()
    return lambda: lambda: built.execute(names(n))


def hamilton_incremental(n: int, edges: Edges, changed: int, value: str) -> Callable[[int], Any]:
    """Return what runs Hamilton with a cache in memory and a new input to one node."""
    stores = load("hamilton.caching.stores.memory")
    driver = hamilton_driver(n, edges, value, changed).with_cache(
        metadata_store=stores.InMemoryMetadataStore(), result_store=stores.InMemoryResultStore()
    )
    built = driver.build()
    return lambda now: built.execute(names(n), inputs={"now": now})


def hamilton_driver(n: int, edges: Edges, value: str, reads_now: int = -1) -> Any:
    """Return a builder with a function a node; one of them may read the input ``now``."""
    inputs: list[list[str]] = [[] for _ in range(n)]
    for source, target in edges:
        inputs[target].append(f"n{source}: int")
    if reads_now >= 0:
        inputs[reads_now].append("now: int")
    lines = [f"def n{each}({', '.join(inputs[each])}) -> int: return {value}" for each in range(n)]
    space: dict[str, Any] = {}
    text, name = "\n".join(lines), f"<hamilton {next(_sources)}>"
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    exec(compile(text, name, "exec"), space)  # its cache goes by the source
    utilities = load("hamilton.ad_hoc_utils")
    module = utilities.create_temporary_module(*[space[name] for name in names(n)])
    return load("hamilton.driver").Builder().with_modules(module)
