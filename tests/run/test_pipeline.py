from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dagnb import (
    CycleError,
    HookEvent,
    HookRegistry,
    IncrementalExecutor,
    MissingInputError,
    NodeNotFoundError,
    NodeStatus,
    Pipeline,
    task,
)


@task
def rows() -> list[int]:
    """Return data."""
    return [3, 1, 2]


@task
def ordered(rows: list[int]) -> list[int]:
    """Sort."""
    return sorted(rows)


def report(ordered: list[int], rows: list[int], title: str = "rows") -> str:
    """Describe."""
    return f"{title}: {ordered} from {rows}"


@pytest.fixture
def pipeline() -> Pipeline:
    """Three tasks, one of them a plain function, out of order."""
    return Pipeline(tasks=[report, rows, ordered], name="sorting")


# -- binding ------------------------------------------------------------------------------------


def test_parameters_name_the_tasks_they_need(pipeline: Pipeline) -> None:
    """A default is kept where no task has the name."""
    assert pipeline.execute()["report"].result == "rows: [1, 2, 3] from [3, 1, 2]"


def test_the_graph_follows_from_the_parameters(pipeline: Pipeline) -> None:
    """It is an ordinary graph."""
    assert pipeline.dag.predecessors("report") == ["ordered", "rows"]
    assert pipeline.dag.topological_sort() == ["rows", "ordered", "report"]
    assert pipeline.task_names == ["report", "rows", "ordered"]
    assert repr(pipeline) == "<Pipeline 'sorting': report, rows, ordered>"


def test_a_name_given_to_a_task_counts() -> None:
    """Not that of its function."""
    pipeline = Pipeline([task(name="rows")(lambda: [1]), ordered])
    assert pipeline.execute()["ordered"].result == [1]


def test_a_task_wins_over_a_default() -> None:
    """The parameter takes the task's value, by keyword too."""

    def title() -> str:
        return "numbers"

    def shout(*, title: str = "none") -> str:
        return title.upper()

    assert Pipeline([shout, title]).execute()["shout"].result == "NUMBERS"


def test_variadic_parameters_name_nothing() -> None:
    """They stay empty."""

    def anything(*args: int, **kwargs: int) -> tuple[Any, ...]:
        return args, kwargs

    assert Pipeline([anything, rows]).execute()["anything"].result == ((), {})


# -- what is refused ----------------------------------------------------------------------------


def test_an_unknown_parameter_is_refused() -> None:
    """At construction, with the nearest task."""

    def total(row: int) -> int:
        return row

    with pytest.raises(MissingInputError, match=r"'total' needs 'row'.*did you mean 'rows'"):
        Pipeline([rows, total])


def test_two_tasks_of_one_name_are_refused() -> None:
    """The message says what to do."""
    with pytest.raises(ValueError, match=r"two tasks are named 'rows'.*task\(name="):
        Pipeline([rows, rows])


def test_tasks_that_need_each_other_are_refused() -> None:
    """A task that needs itself, too."""

    def hen(egg: int) -> int:
        return egg

    def egg(hen: int) -> int:
        return hen

    with pytest.raises(CycleError, match=r"hen -> egg -> hen|egg -> hen -> egg"):
        Pipeline([hen, egg])
    with pytest.raises(CycleError):
        Pipeline([task(name="egg")(hen)])


@pytest.mark.parametrize("wrong", [3, "rows", None])
def test_what_is_not_callable_is_refused(wrong: Any) -> None:
    """The message shows it."""
    with pytest.raises(TypeError, match="callable"):
        Pipeline([rows, wrong])


def test_options_are_checked(pipeline: Pipeline) -> None:
    """As by the executors."""
    with pytest.raises(ValueError, match="max_workers"):
        pipeline.execute(max_workers=0)
    with pytest.raises(ValueError, match="timeout"):
        pipeline.execute(timeout=-1)
    with pytest.raises(NodeNotFoundError, match=r"overrides.*did you mean 'rows'"):
        pipeline.execute(overrides={"row": 1})


# -- running ------------------------------------------------------------------------------------


def test_an_override_replaces_a_task(pipeline: Pipeline) -> None:
    """It does not run; its value is used, here and not in the next run."""
    result = pipeline.execute(overrides={"rows": [9, 8]})
    assert result["ordered"].result == [8, 9]
    assert (result["rows"].executed, result["rows"].reason) == (False, "given")
    assert result.succeeded == 3
    assert pipeline.execute()["ordered"].result == [1, 2, 3]


def test_an_override_needs_no_inputs() -> None:
    """A failure above it does not matter; None is a value."""

    def broken() -> int:
        raise ValueError("no")

    def middle(broken: int) -> int:
        return broken

    def last(middle: int) -> str:
        return f"{middle}"

    pipeline = Pipeline([broken, middle, last])
    result = pipeline.execute(overrides={"middle": None}, fail_fast=False)
    assert (result["last"].result, result["broken"].status) == ("None", NodeStatus.FAILED)


def test_tasks_keep_their_options() -> None:
    """Retries and timeouts of tasks hold in a pipeline."""
    left = [1]

    @task(retries=1, backoff=0.0)
    def flaky() -> int:
        if left:
            left.pop()
            raise ConnectionError
        return 1

    assert Pipeline([flaky]).execute()["flaky"].attempts == 2


def test_a_cached_task_runs_once() -> None:
    """Until its inputs or its code change; others run every time."""
    source = [1]

    @task
    def read() -> int:
        return source[0]

    @task(cache=True)
    def slow(read: int) -> int:
        return read * 10

    pipeline = Pipeline([read, slow])
    assert pipeline.execute()["slow"].status is NodeStatus.COMPLETED
    again = pipeline.execute()
    assert (again["slow"].status, again["slow"].result) == (NodeStatus.CACHE_HIT, 10)
    assert (again["read"].executed, again.succeeded) == (True, 2)
    source[0] = 2
    changed = pipeline.execute()
    assert (changed["slow"].status, changed["slow"].result) == (NodeStatus.COMPLETED, 20)


def test_options_reach_the_run(pipeline: Pipeline) -> None:
    """Callbacks, hooks, tracing, workers, a cancel event."""
    heard: list[str] = []
    hooks = HookRegistry()
    hooks.register(HookEvent.POST_EXECUTE, lambda context: heard.append("hook"))

    class Listener:
        def on_node_complete(self, name: str, result: object) -> None:
            heard.append(name)

    result = pipeline.execute(
        max_workers=1, callbacks=Listener(), hooks=hooks, enable_tracing=True, timeout=60
    )
    assert heard == ["rows", "ordered", "report", "hook"]
    assert result.trace is not None
    cancel = threading.Event()
    cancel.set()
    assert pipeline.execute(cancel_event=cancel).cancelled == 3


def test_a_pipeline_runs_on_a_loop() -> None:
    """Coroutine functions and plain ones, with overrides."""

    @task
    async def fetched() -> list[int]:
        await asyncio.sleep(0)
        return [1, 2]

    @task
    def total(fetched: list[int]) -> int:
        return sum(fetched)

    pipeline = Pipeline([fetched, total])
    assert asyncio.run(pipeline.execute_async())["total"].result == 3
    assert asyncio.run(pipeline.execute_async(overrides={"fetched": [5]}))["total"].result == 5
    assert pipeline.execute()["total"].result == 3


def test_a_pipeline_runs_incrementally(pipeline: Pipeline) -> None:
    """Its graph and tasks are those that any executor takes."""
    executor = IncrementalExecutor(pipeline.dag)
    executor.execute(pipeline.tasks)
    result = executor.execute(pipeline.tasks, changed_nodes=["rows"])
    assert (result.recomputed, result.early_cutoff) == (["rows"], ["rows"])
