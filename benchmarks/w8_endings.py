"""W8: how long a run goes on after its deadline, Cancel, Ctrl-C, or Stop, at the longest.

What runs then sleeps for ever, computes for ever, or swallows every interruption, on as many
workers as there are nodes. The reference is what is promised, so that no target is above 1.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from benchmarks.measure import Measurement, main
from benchmarks.shapes import names
from dagnb import DAG, AsyncDAGExecutor, DAGExecutor

SIZES = (4,)
LEAST = 1
TIMEOUT, GRACE = 0.5, 0.2
CANCEL_SECONDS, STOP_SECONDS = 0.1, 0.3
LINK = 0.01  # seconds that a node takes while a run is cancelled
Task = Callable[..., Any]


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure every way to end a run; no peer promises any."""
    return [
        each
        for n in sizes
        for way in (deadlines, cancels, interrupts, stops)
        for each in way(n, rounds)
    ]


def longest(
    workload: str, candidate: str, n: int, times: Iterable[float], limit: float
) -> Measurement:
    """Return the longest of some runs beside what is promised."""
    seconds = max(times)
    return Measurement(
        workload, candidate, n, seconds * 1e6, "run", seconds / limit, f"{limit:g} s", 1.0
    )


# -- a deadline ---------------------------------------------------------------------------------


def deadlines(n: int, rounds: int) -> Iterator[Measurement]:
    """Runs with a timeout, from the call of ``execute`` to its return."""
    title, limit = f"W8 deadline of {TIMEOUT} s", TIMEOUT + GRACE
    for kind in (sleeping, computing, swallowing):
        times = [in_threads(n, kind) for _ in range(rounds)]
        yield longest(title, f"threads, {kind.__name__}", n, times, limit)
    for kind in (sleeping, swallowing, awaiting, refusing):
        times = [asyncio.run(on_the_loop(n, kind)) for _ in range(rounds)]
        yield longest(title, f"async, {kind.__name__}", n, times, limit)


def in_threads(n: int, kind: Callable[[threading.Event], Task]) -> float:
    """Return how long nodes that never end hold up a run with a timeout."""
    dag, over = independent(n), threading.Event()
    began = perf_counter()
    result = DAGExecutor(dag, max_workers=n).execute(
        dict.fromkeys(dag, kind(over)), timeout=TIMEOUT
    )
    seconds = perf_counter() - began
    over.set()
    assert result.timed_out == n
    return seconds


async def on_the_loop(n: int, kind: Callable[[threading.Event], Task]) -> float:
    """The same on a running event loop."""
    dag, over = independent(n), threading.Event()
    began = perf_counter()
    result = await AsyncDAGExecutor(dag, max_workers=n).execute(
        dict.fromkeys(dag, kind(over)), timeout=TIMEOUT
    )
    seconds = perf_counter() - began
    over.set()
    assert result.timed_out == n
    return seconds


def independent(n: int) -> DAG:
    """Return a graph without edges."""
    dag = DAG()
    dag.add_nodes(names(n))
    return dag


def sleeping(over: threading.Event) -> Task:
    """Wait without an end."""
    return over.wait


def computing(over: threading.Event) -> Task:
    """Loop in Python without an end."""

    def loop() -> None:
        while not over.is_set():
            pass

    return loop


def swallowing(over: threading.Event) -> Task:
    """Sleep, and go on whatever is raised meanwhile."""

    def sleep_on() -> None:
        while not over.is_set():
            try:
                sleep(LINK)
            except BaseException:
                continue

    return sleep_on


def awaiting(over: threading.Event) -> Task:
    """Await without an end."""

    async def wait() -> None:
        await asyncio.sleep(3600)

    return wait


def refusing(over: threading.Event) -> Task:
    """Await, and go on when cancelled."""

    async def wait_on() -> None:
        while not over.is_set():
            try:
                await asyncio.sleep(LINK)
            except asyncio.CancelledError:
                continue

    return wait_on


# -- a cancel event -----------------------------------------------------------------------------


def cancels(n: int, rounds: int) -> Iterator[Measurement]:
    """Runs of many nodes that take a moment each, from the event to the return of ``execute``."""
    title, limit = "W8 cancel event", CANCEL_SECONDS + LINK
    yield longest(title, "threads", n, [cancelled(n) for _ in range(rounds)], limit)
    times = [asyncio.run(cancelled_loop(n)) for _ in range(rounds)]
    yield longest(title, "async", n, times, limit)


def cancelled(n: int) -> float:
    """Return how long a run goes on after it was cancelled; what runs then may finish."""
    dag, cancel = chains(n), threading.Event()
    told = Told(cancel.set)
    result = DAGExecutor(dag, max_workers=n).execute(
        dict.fromkeys(dag, told.work), cancel_event=cancel
    )
    assert result.cancelled
    return perf_counter() - told.at


async def cancelled_loop(n: int) -> float:
    """The same on a running event loop."""
    dag, cancel = chains(n), threading.Event()
    told = Told(cancel.set)
    result = await AsyncDAGExecutor(dag, max_workers=n).execute(
        dict.fromkeys(dag, told.work), cancel_event=cancel
    )
    assert result.cancelled
    return perf_counter() - told.at


class Told:
    """A thread that does something soon after ``running`` was set, and when that was."""

    def __init__(self, tell: Callable[..., object], *arguments: object) -> None:
        self.running, self.at = threading.Event(), 0.0
        self._tell = partial(tell, *arguments)
        threading.Thread(target=self._tell_soon).start()

    def work(self, *inputs: object) -> None:
        """Take a moment, as a task."""
        self.running.set()
        sleep(LINK)

    def _tell_soon(self) -> None:
        self.running.wait()
        sleep(2.5 * LINK)
        self.at = perf_counter()
        self._tell()


def chains(n: int) -> DAG:
    """Return ``n`` chains of a hundred nodes."""
    dag = DAG()
    for number in range(n):
        dag.add_edges(pairwise(dag.add_nodes([f"{number} {link}" for link in range(100)])))
    return dag


# -- Ctrl-C -------------------------------------------------------------------------------------


def interrupts(n: int, rounds: int) -> Iterator[Measurement]:
    """Ctrl-C while all workers are busy, until ``execute`` raises."""
    for kind in (sleeping, computing, swallowing):
        times = [interrupted(n, kind) for _ in range(rounds)]
        yield longest("W8 Ctrl-C", f"threads, {kind.__name__}", n, times, STOP_SECONDS)


def interrupted(n: int, kind: Callable[[threading.Event], Task]) -> float:
    """Return how long a run goes on after it was interrupted."""
    dag, over, told = independent(n), threading.Event(), Told(os.kill, os.getpid(), signal.SIGINT)
    task = kind(over)

    def tells() -> Any:
        told.running.set()
        return task()

    try:
        DAGExecutor(dag, max_workers=n).execute(dict.fromkeys(dag, tells))
    except KeyboardInterrupt:
        return perf_counter() - told.at
    finally:
        over.set()
    raise AssertionError("nobody interrupted the run")


# -- Stop in a notebook -------------------------------------------------------------------------


def stops(n: int, rounds: int) -> Iterator[Measurement]:
    """Stop, and Cancel of a run in the background, in a real kernel whose workers are busy."""
    for kind, workers, body in (
        ("nodes that sleep", n, "time.sleep(0.01)"),
        ("nodes that compute", n, "pass"),
        ("main thread", 1, "time.sleep(60)"),
    ):
        with kernel(workers, body) as (press_stop, cancel):
            times = [press_stop() for _ in range(rounds)]
            yield longest("W8 Stop in a kernel", kind, workers, times, STOP_SECONDS)
            if workers > 1:
                times = [cancel() for _ in range(rounds)]
                yield longest("W8 Cancel in the background", kind, workers, times, CANCEL_SECONDS)


@contextmanager
def kernel(workers: int, body: str) -> Iterator[tuple[Callable[[], float], Callable[[], float]]]:
    """Start a kernel with a node a worker that never ends; yield two ways to run and end them."""
    manager, client = start_new_kernel()
    with TemporaryDirectory() as folder:
        try:
            for source in cells(workers, body, folder):
                printed(client, source)
            numbers, begun = count(1), Path(folder)
            yield (
                lambda: stopped(manager, client, begun, workers, next(numbers)),
                lambda: cancelled_apart(client, begun, workers, next(numbers)),
            )
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def printed(client: BlockingKernelClient, source: str) -> str:
    """Run a cell that must not fail; return what it printed."""
    texts: list[str] = []

    def hook(message: dict[str, Any]) -> None:
        texts.append(message["content"].get("text", ""))

    reply = client.execute_interactive(source, timeout=60, output_hook=hook)
    assert reply["content"]["status"] == "ok", reply
    return "".join(texts)


def cells(workers: int, body: str, folder: str) -> Iterator[str]:
    """Yield the cells that define the nodes; while ``go`` is 0, they end."""
    yield f"%load_ext dagnb\n%dag workers {workers}\nimport dagnb, pathlib, time"
    yield "%%dag_node go\n0;"
    for number in range(workers):
        yield (
            f"%%dag_node n{number}\nif go:\n"
            f"    pathlib.Path({folder!r}, '{number}').touch()\n    while True: {body}\ngo;"
        )


def stopped(
    manager: KernelManager, client: BlockingKernelClient, folder: Path, workers: int, go: int
) -> float:
    """Return how long a cell goes on after Stop, once all nodes run."""
    client.execute(f"%%dag_node go\n{go};", stop_on_error=False)  # or the next may be dropped
    wait_for(folder, workers)
    began = perf_counter()
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=60)
    seconds = perf_counter() - began
    assert reply["content"]["ename"] == "KeyboardInterrupt", reply
    return seconds


def cancelled_apart(client: BlockingKernelClient, folder: Path, workers: int, go: int) -> float:
    """Return how long a run in the background goes on after it was cancelled, in the kernel."""
    printed(client, "%dag auto off")
    printed(client, f"%%dag_node go\n{go};")
    printed(client, "handle = dagnb.session().run(background=True)")
    wait_for(folder, workers)
    return float(
        printed(
            client,
            "began = time.perf_counter()\nhandle.cancel()\nstate = handle.result().stopped\n"
            "print(time.perf_counter() - began)",
        )
    )


def wait_for(folder: Path, workers: int) -> None:
    """Wait until every node has made its file, and remove the files."""
    while len(begun := list(folder.iterdir())) < workers:
        sleep(LINK)
    for each in begun:
        each.unlink()


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
