from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from dagnb import DAG, AsyncDAGExecutor, DAGExecutor, NodeNotFoundError, Task

T = TypeVar("T")
Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def pair() -> DAG:
    """From a to b."""
    return DAG.builder().add_edge("a", "b").build()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on a loop that reports forgotten things as errors."""
    return asyncio.run(coroutine, debug=True)


def statuses(result: Any) -> list[str]:
    """Return what became of each node, dependencies first."""
    return [each.status.name for each in result.node_results.values()]


async def forever() -> None:
    """Sleep until somebody cancels."""
    await asyncio.sleep(3600)


async def stubborn() -> None:
    """Swallow every cancellation."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


def test_coroutines_run_on_the_loop_and_functions_in_threads(pair: DAG) -> None:
    """Values pass between the two."""
    places: list[object] = []

    async def fetch() -> int:
        places.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return 20

    def add(a: int) -> int:
        places.append(threading.current_thread().name)
        return a + 1

    async def main() -> None:
        result = await AsyncDAGExecutor(pair).execute({"a": fetch, "b": add})
        assert result["b"].result == 21
        assert places == [asyncio.get_running_loop(), "dagnb-1"]
        assert [result[name].worker for name in "ab"] == ["asyncio", "dagnb-1"]

    run(main())


def test_coroutines_overlap() -> None:
    """Two that wait for each other both finish."""
    dag = DAG()
    dag.add_nodes(["a", "b"])

    async def main() -> list[str]:
        met = asyncio.Barrier(2)
        tasks = dict.fromkeys("ab", met.wait)
        return statuses(await AsyncDAGExecutor(dag, max_workers=2).execute(tasks, timeout=30))

    assert run(main()) == ["COMPLETED", "COMPLETED"]


def test_no_more_run_at_once_than_workers() -> None:
    """Coroutines and threads together."""
    dag = DAG()
    dag.add_nodes([str(number) for number in range(12)])
    now, most = 0, 0

    async def wait() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1

    run(AsyncDAGExecutor(dag, max_workers=3).execute(dict.fromkeys(dag, wait)))
    assert most == 3


def test_a_function_that_returns_a_coroutine(pair: DAG) -> None:
    """The coroutine is awaited, as if the function had been declared ``async``."""

    async def more(a: int) -> int:
        await asyncio.sleep(0)
        return a + 1

    tasks: Tasks = {"a": lambda: more(1), "b": lambda a: more(a + 1)}
    assert run(AsyncDAGExecutor(pair).execute(tasks))["b"].result == 4


def test_an_object_with_an_async_call(pair: DAG) -> None:
    """Its method makes it a coroutine function."""

    class Fetch:
        async def __call__(self) -> int:
            return 5

    tasks: Tasks = {"a": Fetch(), "b": lambda a: a}
    assert run(AsyncDAGExecutor(pair).execute(tasks))["b"].result == 5
    assert DAGExecutor(pair).execute(tasks)["b"].result == 5


def test_an_error_fails_its_node(pair: DAG) -> None:
    """And what is below it is skipped; a coroutine that cancels itself has failed too."""

    async def fail() -> None:
        raise TimeoutError("the server")

    async def give_up() -> None:
        raise asyncio.CancelledError

    for task, kind in ((fail, TimeoutError), (give_up, asyncio.CancelledError)):
        result = run(AsyncDAGExecutor(pair).execute({"a": task, "b": int}))
        assert statuses(result) == ["FAILED", "SKIPPED"]
        assert isinstance(result["a"].error, kind)


@pytest.mark.parametrize("kind", ["sleeps", "refuses", "blocks a thread"])
def test_the_deadline_holds(kind: str) -> None:
    """Whatever the tasks do; the loop ends, too."""
    dag = DAG.builder().add_edges([("stuck", "after"), ("quick", "after")]).build()
    release = threading.Event()
    stuck = {"sleeps": forever, "refuses": stubborn, "blocks a thread": release.wait}[kind]
    tasks: Tasks = {"stuck": stuck, "quick": int, "after": int}
    result = run(AsyncDAGExecutor(dag, max_workers=2).execute(tasks, timeout=0.5))
    release.set()
    assert {name: each.status.name for name, each in result.node_results.items()} == {
        "stuck": "TIMED_OUT", "quick": "COMPLETED", "after": "CANCELLED"
    }  # fmt: skip


def test_a_cancel_event_ends_the_run(pair: DAG) -> None:
    """What runs finishes, the rest is cancelled."""
    cancel = threading.Event()

    async def work() -> int:
        cancel.set()
        await asyncio.sleep(0.01)
        return 1

    result = run(AsyncDAGExecutor(pair).execute({"a": work, "b": int}, cancel_event=cancel))
    assert statuses(result) == ["COMPLETED", "CANCELLED"]
    assert result["a"].result == 1


@pytest.mark.parametrize("stuck", [forever, stubborn])
def test_cancelling_the_execution_cancels_its_tasks(pair: DAG, stuck: Any) -> None:
    """The graph is free again, and callbacks have heard of every node."""
    heard: list[str] = []

    class Listener:
        def on_node_skip(self, name: str) -> None:
            heard.append(name)

    async def main() -> None:
        executor = AsyncDAGExecutor(pair, callbacks=Listener())
        running = asyncio.create_task(executor.execute({"a": stuck, "b": int}))
        await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert [each for each in asyncio.all_tasks() if each is not asyncio.current_task()] == []

    run(main())
    assert heard == ["a", "b"]
    pair.add_node("c")


@pytest.mark.parametrize("stuck", [forever, stubborn])
def test_a_node_has_a_timeout_of_its_own(pair: DAG, stuck: Any) -> None:
    """The rest of the run goes on."""
    pair.add_node("c")
    tasks: Tasks = {"a": Task(stuck, timeout=0.02), "b": int, "c": int}
    result = run(AsyncDAGExecutor(pair, fail_fast=False).execute(tasks))
    assert statuses(result) == ["TIMED_OUT", "SKIPPED", "COMPLETED"]
    assert result["a"].reason == "it took longer than its timeout of 0.02 s"


def test_a_coroutine_is_tried_again(pair: DAG) -> None:
    """With the attempts in the result."""
    calls: list[int] = []

    async def flaky() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ConnectionError
        return "done"

    tasks: Tasks = {"a": Task(flaky, retries=2, backoff=0.0, timeout=30), "b": lambda a: a}
    result = run(AsyncDAGExecutor(pair).execute(tasks))
    assert (result["b"].result, result["a"].attempts) == ("done", 3)


def test_cancelling_interrupts_a_wait(pair: DAG) -> None:
    """A node between two attempts has failed with its last error."""
    cancel = threading.Event()

    async def fail() -> None:
        cancel.set()
        raise ConnectionError

    tasks: Tasks = {"a": Task(fail, retries=5, backoff=60.0), "b": int}
    result = run(AsyncDAGExecutor(pair).execute(tasks, cancel_event=cancel))
    assert (statuses(result), result["a"].attempts) == (["FAILED", "CANCELLED"], 1)


def test_bad_input_is_refused_before_anything_runs(pair: DAG) -> None:
    """As by the other executors."""
    with pytest.raises(NodeNotFoundError, match="did you mean 'b'"):
        run(AsyncDAGExecutor(pair).execute({"bb": int}))
    with pytest.raises(TypeError, match="not callable"):
        run(AsyncDAGExecutor(pair).execute({"a": 1}))  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="timeout"):
        run(AsyncDAGExecutor(pair).execute({}, timeout=-1))
    with pytest.raises(ValueError, match="max_workers"):
        AsyncDAGExecutor(pair, max_workers=0)


def test_a_hundred_runs_at_once() -> None:
    """On one loop, each with a graph of its own."""

    async def one(number: int) -> int:
        dag = DAG.builder().add_edge("a", "b").build()

        async def start() -> int:
            await asyncio.sleep(0)
            return number

        result = await AsyncDAGExecutor(dag).execute({"a": start, "b": lambda a: a * 2})
        value: int = result["b"].result
        return value

    async def main() -> list[int]:
        return await asyncio.gather(*(one(number) for number in range(100)))

    assert run(main()) == [2 * number for number in range(100)]


STUCK = """
import asyncio, sys, time
from dagnb import (
    DAG, AsyncDAGExecutor, ConditionalExecutor, DAGExecutor, IncrementalExecutor, Pipeline, task
)

def sleep(): time.sleep(3600)
def loop():
    while True: pass
def swallow():
    while True:
        try: time.sleep(3600)
        except BaseException: pass
async def stubborn():
    while True:
        try: await asyncio.sleep(3600)
        except asyncio.CancelledError: pass

dag = DAG(); dag.add_nodes(["a", "b", "c", "d"])
tasks = {{"a": sleep, "b": loop, "c": stubborn, "d": swallow}}
pipeline = Pipeline([task(each, name=name) for name, each in tasks.items()])
result = {run}
print(result.timed_out, DAGExecutor(DAG()).execute({{}}).succeeded)
"""


@pytest.mark.parametrize(
    "run",
    [
        "DAGExecutor(dag, max_workers=4).execute(tasks, timeout=0.5)",
        "asyncio.run(AsyncDAGExecutor(dag, max_workers=4).execute(tasks, timeout=0.5))",
        "IncrementalExecutor(dag, max_workers=4).execute(tasks, timeout=0.5)",
        "ConditionalExecutor(dag, {}, max_workers=4).execute(tasks, timeout=0.5)",
        "pipeline.execute(max_workers=4, timeout=0.5)",
    ],
    ids=["threads", "asyncio", "incremental", "conditional", "pipeline"],
)
def test_the_interpreter_ends_with_stuck_tasks(run: str) -> None:
    """Threads that sleep or loop for ever and stubborn coroutines do not keep it.

    Each run has a process of its own: what loops on from one would keep the next from beginning.
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STUCK).format(run=run)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("4 0\n", "", 0)
