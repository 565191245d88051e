"""W7: what several workers gain, and what they cost.

Sleeps stand for tasks that wait; pure Python computes no faster on threads, so those rows show
only that it is not slower. Processes are those of an earlier run: starting one takes a tenth of a
second. So are the workers of Dask and of Ray, two on this machine; what is not there is left out.
What two processors gain depends on the machine, from 1.3 to 2 times within a minute on a shared
one: the floor of tasks that compute is what a pool of two bare processes makes of them.

A timeout is measured from the first line of a node that sleeps to the end of its run: the median.
"""

from __future__ import annotations

import asyncio
import mmap
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

from benchmarks import floors, peers
from benchmarks.measure import Measurement, Prepare, compare, main
from benchmarks.shapes import Edges, adjacency, names
from dagnb import DAG, AsyncDAGExecutor, DAGExecutor, ExecutionResult, Task
from dagnb.run.remote.cluster import CLUSTERS

SIZES = (1_000,)
LEAST = 2
LINKS = 10
LONG, BRIEF = 0.04, 0.01
COMPUTING_TASKS = 16
ARRAY_BYTES = 100 * 2**20
TIMEOUT, LATEST = 1.0, 1.2
CALLS_OUT = 16  # of short tasks on a cluster, so that none waits for the way there and back
CLUSTERED = {"dask": "distributed", "ray": "ray"}
Tasks = dict[str, Callable[..., Any]]


def graph(n: int, edges: Edges) -> DAG:
    """Return our graph."""
    dag, known = DAG(), names(n)
    dag.add_nodes(known)
    dag.add_edges([(known[source], known[target]) for source, target in edges])
    return dag


def on_threads(n: int, edges: Edges, tasks: Tasks) -> Prepare:
    """A run by ours on two threads."""
    dag = graph(n, edges)
    return lambda: lambda: DAGExecutor(dag, max_workers=2).execute(tasks)


def in_processes(n: int, edges: Edges, tasks: Tasks) -> Prepare:
    """A run by ours in two processes, which are there from a run before, as in a notebook."""
    dag = graph(n, edges)

    def prepare() -> Callable[[], Any]:
        pair = graph(2, [])
        DAGExecutor(pair, 2, backend="processes").execute(
            {name: lambda: sleep(0.1) for name in names(2)}
        )
        return lambda: DAGExecutor(dag, 2, backend="processes").execute(tasks)

    return prepare


def on_cluster(backend: str, n: int, edges: Edges, tasks: Tasks, workers: int) -> Prepare:
    """A run by ours on two workers that are there."""
    dag = graph(n, edges)
    return lambda: lambda: DAGExecutor(dag, workers, backend=backend).execute(tasks)


@contextmanager
def clusters() -> Iterator[list[str]]:
    """Start what is installed, with two workers each that have performed something."""
    found = [name for name, library in CLUSTERED.items() if peers.load(library) is not None]
    if "dask" in found:
        CLUSTERS.start(2)
    if "ray" in found and not has_started_ray():
        found.remove("ray")
    try:
        for each in found:
            tasks: Tasks = {name: lambda: sleep(0.2) for name in names(2)}
            on_cluster(each, 2, [], tasks, 2)()()
        yield found
    finally:
        CLUSTERS.stop()
        if "ray" in found:
            peers.load("ray").shutdown()


def has_started_ray() -> bool:
    """Start a cluster of Ray, which gives its own processes 15 seconds; else say so."""
    try:
        peers.load("ray").init(
            num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error"
        )
    except Exception as error:  # its type is that
        print(f"ray did not start and is left out: {error}", file=sys.stderr)
        return False
    return True


def on_dagron(n: int, edges: Edges, tasks: Tasks) -> Prepare:
    """The same by dagron."""
    dagron, dag = peers.load("dagron"), peers.dagron_graph(n, edges)
    return lambda: lambda: dagron.DAGExecutor(dag, max_workers=2).execute(tasks)


def beside_dagron(
    n: int,
    edges: Edges,
    tasks: Tasks,
    floor: Callable[[], Any],
    chosen: Sequence[str] | None,
    *,
    processes: bool = True,
    backends: Sequence[str] = (),
    calls_out: int = 2,
) -> dict[str, Prepare]:
    """Return the floor, ourselves, and dagron if it is wanted and installed.

    Where clusters run, which take some of the processor, only these are set beside the floor.
    """
    found: dict[str, Prepare] = {"floor": lambda: floor}
    for each in backends:
        found[f"dagnb {each}, 2"] = on_cluster(each, n, edges, tasks, calls_out)
    if backends:
        return found
    found["dagnb threads, 2"] = on_threads(n, edges, tasks)
    if processes:
        found["dagnb processes, 2"] = in_processes(n, edges, tasks)
    if peers.wanted("dagron", chosen) and peers.load("dagron") is not None:
        found["dagron threads, 2"] = on_dagron(n, edges, tasks)
    return found


def nothing(*inputs: object) -> int:
    """Do nothing."""
    return 1


def in_a_thread(work: Callable[[], Any]) -> None:
    """Run something in a new thread and wait for it: no driver can do with less."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def no_ops(
    n: int, chosen: Sequence[str] | None, rounds: int, backends: Sequence[str]
) -> list[Measurement]:
    """Tasks that do nothing and need nothing, all ready at once."""
    predecessors, successors = adjacency(n, [])
    tasks: Tasks = dict.fromkeys(names(n), nothing)
    floor = lambda: in_a_thread(lambda: floors.run_all(nothing, predecessors, successors))  # noqa: E731
    return compare(
        "W7 no-op tasks", n,
        beside_dagron(n, [], tasks, floor, chosen, backends=backends, calls_out=CALLS_OUT),
        unit="node", units=n, rounds=rounds,
        targets={"dagnb threads, 2": 6.0, "dagnb processes, 2": 120.0},
    )  # fmt: skip


def uneven_chains(
    chosen: Sequence[str] | None, rounds: int, backends: Sequence[str]
) -> list[Measurement]:
    """Two chains whose long and brief links alternate: a barrier at each level costs 60 %."""
    n = 2 * LINKS
    edges = [(number, number + 2) for number in range(n - 2)]
    tasks: Tasks = {
        name: lambda *_, seconds=LONG if (number + number // 2) % 2 else BRIEF: sleep(seconds)
        for number, name in enumerate(names(n))
    }
    ideal = LINKS * (LONG + BRIEF) / 2
    return compare(
        "W7 no level barrier", n,
        beside_dagron(n, edges, tasks, lambda: sleep(ideal), chosen, backends=backends),
        unit="run", units=1, rounds=rounds,
        targets={"dagnb threads, 2": 1.04, "dagnb processes, 2": 1.08},
    )  # fmt: skip


def count_up(*inputs: object) -> int:
    """Count to a fixed number in pure Python."""
    total = 0
    for number in range(800_000):
        total += number
    return total


def in_bare_processes(pool: ProcessPoolExecutor) -> None:
    """Have the tasks done by processes that do nothing else."""
    wait([pool.submit(count_up) for _ in range(COMPUTING_TASKS)])


def computing(
    chosen: Sequence[str] | None, rounds: int, backends: Sequence[str]
) -> list[Measurement]:
    """Tasks that compute in pure Python, which one interpreter does one after another."""
    n = COMPUTING_TASKS
    tasks: Tasks = dict.fromkeys(names(n), count_up)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        in_bare_processes(pool)  # they start now
        floor = lambda: in_bare_processes(pool)  # noqa: E731
        candidates = beside_dagron(n, [], tasks, floor, chosen, backends=backends)
        if not backends:
            candidates["one after another"] = lambda: lambda: [count_up() for _ in range(n)]
        return compare(
            "W7 computing tasks", n, candidates, unit="run", units=1,
            targets={"dagnb processes, 2": 1.04}, rounds=rounds,
        )  # fmt: skip


def copied_twice(content: bytearray) -> bytearray:
    """Put bytes into a file of memory and take them out: two processes cannot do with less."""
    with mmap.mmap(-1, len(content)) as memory:
        memory.write(content)
        return bytearray(memory)


def large_value_between_processes(rounds: int, backends: Sequence[str]) -> list[Measurement]:
    """The same 100 MB from one process to another, each time made and copied in a new place."""
    tasks: Tasks = {"n0": lambda: bytearray(ARRAY_BYTES), "n1": lambda n0: len(n0) + 1}
    floor = lambda: in_a_thread(lambda: copied_twice(bytearray(ARRAY_BYTES)))  # noqa: E731
    candidates: dict[str, Prepare] = {"floor": lambda: floor}
    for each in backends:
        candidates[f"dagnb {each}, 2"] = on_cluster(each, 2, [(0, 1)], tasks, 2)
    if not backends:
        candidates["dagnb processes, 2"] = in_processes(2, [(0, 1)], tasks)
    return compare(
        "W7 pass 100 MB to a process", 2, candidates, unit="run", units=1,
        targets={"dagnb processes, 2": 1.33}, rounds=rounds,
    )  # fmt: skip


def large_value(chosen: Sequence[str] | None, rounds: int) -> list[Measurement]:
    """One task makes 100 MB, the next takes them; a copy on the way would double the time.

    Most of it are page faults. The floor makes them where a driver has to, in a thread, whose
    heap cannot reuse what the main thread has freed: that would be twenty times as fast.
    """
    tasks: Tasks = {"n0": lambda: bytearray(ARRAY_BYTES), "n1": lambda *inputs: len(inputs)}
    floor = lambda: in_a_thread(lambda: tasks["n1"](tasks["n0"]()))  # noqa: E731
    return compare(
        "W7 pass 100 MB", 2, beside_dagron(2, [(0, 1)], tasks, floor, chosen, processes=False),
        unit="run", units=1, targets={"dagnb threads, 2": 1.33}, rounds=rounds,
    )  # fmt: skip


def noting(note: Path, *, awaits: bool) -> Callable[[], Any]:
    """Return what writes down when it begins, and sleeps for longer than it may."""

    def sleeps() -> None:  # in here: it travels by value, and imports nothing of ours in its second
        note.write_text(str(monotonic()))
        sleep(4 * TIMEOUT)

    async def is_awaited() -> None:
        note.write_text(str(monotonic()))
        await asyncio.sleep(4 * TIMEOUT)

    return is_awaited if awaits else sleeps


def run_on(backend: str, dag: DAG, tasks: Tasks) -> ExecutionResult:
    """Run on a backend, or as coroutines."""
    if backend == "asyncio":
        return asyncio.run(AsyncDAGExecutor(dag).execute(tasks))
    return DAGExecutor(dag, backend=backend).execute(tasks)


def timeouts(rounds: int, backends: Sequence[str]) -> list[Measurement]:
    """How long a node that may take a second goes on."""
    return [
        Measurement(
            "W7 timeout of 1 s", f"dagnb {each}", 1, seconds * 1e6, "node",
            seconds / TIMEOUT, "1 s", LATEST,
        )
        for each in backends
        for seconds in [median(timed_out(each) for _ in range(rounds))]
    ]  # fmt: skip


def timed_out(backend: str) -> float:
    """Return how long one goes on."""
    with TemporaryDirectory() as folder:
        note = Path(folder) / "began"
        task = Task(noting(note, awaits=backend == "asyncio"), name="n0", timeout=TIMEOUT)
        result = run_on(backend, graph(1, []), {"n0": task})
        seconds = monotonic() - float(note.read_text())
    assert result.timed_out == 1, result["n0"].error
    return seconds


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure all of them; the sizes are those of the tasks that do nothing."""
    measurements = measured(sizes, chosen, rounds, ())
    measurements += large_value(chosen, rounds)
    measurements += timeouts(rounds, ("threads", "asyncio", "processes"))
    with clusters() as backends:
        if backends:
            measurements += measured(sizes, chosen, rounds, backends)
            measurements += timeouts(rounds, backends)
    return measurements


def measured(
    sizes: Sequence[int], chosen: Sequence[str] | None, rounds: int, backends: Sequence[str]
) -> list[Measurement]:
    """Measure what is measured here and on clusters."""
    found: list[Measurement] = []
    for n in sizes:
        found += no_ops(n, chosen, rounds, backends)
    for workload in (uneven_chains, computing):
        found += workload(chosen, rounds, backends)
    return found + large_value_between_processes(rounds, backends)


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
