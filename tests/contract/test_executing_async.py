"""The examples of the documentation on executing tasks: the event loop, and pipelines."""

from __future__ import annotations

import asyncio
import inspect

import pytest

import dagnb as dagron
from dagnb import Pipeline, task


@pytest.fixture
def dag() -> dagron.DAG:
    """Two fetches into one node, then another."""
    return (
        dagron.DAG.builder()
        .add_edge("fetch_users", "enrich")
        .add_edge("fetch_orders", "enrich")
        .add_edge("enrich", "store")
        .build()
    )


def test_coroutines_run_on_the_loop(dag: dagron.DAG) -> None:
    """Four coroutine functions, four values; both fetches are under way at once."""
    both = asyncio.Barrier(2)

    async def fetch() -> list[dict[str, int]]:
        await asyncio.wait_for(both.wait(), 30)
        return [{"id": 1}]

    async def enrich() -> dict[str, int]:
        return {"users": 1, "orders": 1}

    async def store() -> str:
        return "stored"

    async def main() -> dagron.ExecutionResult:
        executor = dagron.AsyncDAGExecutor(dag, max_workers=2)
        tasks = {"fetch_users": fetch, "fetch_orders": fetch, "enrich": enrich, "store": store}
        return await executor.execute(tasks)

    result = asyncio.run(main())
    assert result.succeeded == 4
    assert result["store"].result == "stored"


def test_both_executors_take_the_same_options() -> None:
    """The constructor's parameters, and those of ``execute``."""
    for method in ("__init__", "execute"):
        ours = inspect.signature(getattr(dagron.AsyncDAGExecutor, method)).parameters
        other = inspect.signature(getattr(dagron.DAGExecutor, method)).parameters
        assert list(ours) == list(other)


def test_the_loop_has_a_timeout(dag: dagron.DAG) -> None:
    """Seconds for the whole run."""

    async def main() -> dagron.ExecutionResult:
        tasks = dict.fromkeys(dag, lambda: asyncio.sleep(60))
        return await dagron.AsyncDAGExecutor(dag, max_workers=2).execute(tasks, timeout=0.5)

    result = asyncio.run(main())
    assert (result.timed_out, result.cancelled) == (2, 2)


@task
def download() -> dict[str, list[int]]:
    """Return raw numbers."""
    return {"raw": [1, 2, 3]}


@task
def normalize(download: dict[str, list[int]]) -> list[int]:
    """Multiply by ten."""
    return [10 * each for each in download["raw"]]


@task
def summarize(normalize: list[int]) -> dict[str, int]:
    """Count and add."""
    return {"count": len(normalize), "total": sum(normalize)}


def test_a_pipeline_passes_values_by_name() -> None:
    """Each parameter takes the value of the task that it is called like."""
    pipeline = Pipeline(tasks=[download, normalize, summarize], name="etl")
    result = pipeline.execute()
    assert result.node_results["summarize"].result == {"count": 3, "total": 60}


def test_a_pipeline_runs_on_the_loop_too() -> None:
    """With the same values."""
    pipeline = Pipeline(tasks=[download, normalize, summarize])
    result = asyncio.run(pipeline.execute_async())
    assert result["summarize"].result == {"count": 3, "total": 60}


def test_edges_follow_from_parameters() -> None:
    """Two parameters, two edges."""

    @task
    def a() -> int:
        return 1

    @task
    def b() -> int:
        return 2

    @task
    def c(a: int, b: int) -> int:
        return a + b

    pipeline = Pipeline(tasks=[a, b, c])
    assert list(pipeline.dag.edges()) == [("a", "c"), ("b", "c")]
    assert pipeline.execute()["c"].result == 3
    assert c(5, 6) == 11


def test_a_pipeline_takes_the_documented_options() -> None:
    """All of them by keyword, with and without a loop."""
    for method in (Pipeline.execute, Pipeline.execute_async):
        parameters = inspect.signature(method).parameters
        assert {"max_workers", "callbacks", "fail_fast", "enable_tracing", "overrides", "timeout",
                "cancel_event"} <= set(parameters)  # fmt: skip
