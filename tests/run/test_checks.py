"""Bad input of the executors: refused before anything runs, with the name of what is wrong."""

from __future__ import annotations

import asyncio
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dagnb import (
    DAG,
    AsyncDAGExecutor,
    CheckpointExecutor,
    ConditionalExecutor,
    DAGExecutor,
    DynamicExecutor,
    ExecutionCallbacks,
    ExecutionResult,
    GraphInUseError,
    HookRegistry,
    IncrementalExecutor,
    NodeNotFoundError,
    Pipeline,
    task,
)

EXECUTORS: dict[str, Callable[..., Any]] = {
    "plain": DAGExecutor,
    "async": AsyncDAGExecutor,
    "incremental": IncrementalExecutor,
    "dynamic": lambda dag, **options: DynamicExecutor(dag, {}, **options),
    "conditional": lambda dag, **options: ConditionalExecutor(dag, {}, **options),
    "checkpoint": lambda dag, **options: CheckpointExecutor(dag, "checkpoint", **options),
}
CALLED: list[str] = []
TASKS: dict[str, Any] = {"a": lambda: CALLED.append("a"), "b": lambda: CALLED.append("b")}


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each kind of executor."""
    return EXECUTORS[request.param]


@pytest.fixture
def pair() -> DAG:
    """From a to b."""
    return DAG.builder().add_edge("a", "b").build()


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """See that no task was called, in a folder of our own."""
    monkeypatch.chdir(tmp_path)
    CALLED.clear()
    yield
    assert CALLED == []


def run(made: Any, tasks: Any = TASKS, **limits: Any) -> ExecutionResult:
    """Execute, on a loop where it has to be."""
    result = made.execute(tasks, **limits)
    if inspect.isawaitable(result):

        async def wait() -> Any:
            return await result

        result = asyncio.run(wait())
    assert isinstance(result, ExecutionResult)
    return result


RUNS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a task that is none": ({"tasks": {"a": 3}}, TypeError, "node 'a' is not callable: 3"),
    "a task of no node": ({"tasks": {"aa": len}}, NodeNotFoundError, "did you mean 'a'"),
    "a list of tasks": ({"tasks": [("a", len)]}, TypeError, "tasks is a mapping by node"),
    "no tasks": ({"tasks": None}, TypeError, "tasks is a mapping by node"),
    "a negative timeout": ({"timeout": -1}, ValueError, "timeout is a number of seconds from 0"),
    "a timeout that is none": ({"timeout": "1"}, TypeError, "timeout is a number of seconds"),
    "an event that is none": ({"cancel_event": True}, TypeError, "threading.Event, not True"),
}


@pytest.mark.parametrize("case", RUNS)
def test_what_a_run_is_given(executor: Any, pair: DAG, case: str) -> None:
    """Each executor says the same of it."""
    given, kind, message = RUNS[case]
    with pytest.raises(kind, match=message):
        run(executor(pair), **given)


class Ready:
    """Has one callback."""

    on_node_start: Any = 3


OPTIONS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no workers": ({"max_workers": 0}, ValueError, "max_workers is at least 1, not 0"),
    "half a worker": ({"max_workers": 0.5}, TypeError, "max_workers is a whole number"),
    "a class of callbacks": ({"callbacks": Ready}, TypeError, r"give Ready\(\)"),
    "a callback that is none": ({"callbacks": Ready()}, TypeError, "on_node_start is not callable"),
    "a list of hooks": ({"hooks": [len]}, TypeError, "hooks is a HookRegistry, not"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options(executor: Any, pair: DAG, case: str) -> None:
    """Each executor says the same of them, where it has them, when it is made or run."""
    options, kind, message = OPTIONS[case]
    with pytest.raises(kind, match=message):
        run(executor(pair, **options))


COSTS = {
    "a cost that is none": ({"costs": {"a": "high"}}, TypeError, "cost of node 'a' is a number"),
    "a cost of no node": ({"costs": {"aa": 1.0}}, NodeNotFoundError, "costs.*did you mean 'a'"),
    "a list of costs": ({"costs": [1.0]}, TypeError, "costs is a mapping by node"),
}


@pytest.mark.parametrize("kind", ["plain", "async", "conditional"])
@pytest.mark.parametrize("case", COSTS)
def test_costs(kind: str, pair: DAG, case: str) -> None:
    """The same, for the executors that have them."""
    options, error, message = COSTS[case]
    with pytest.raises(error, match=message):
        run(EXECUTORS[kind](pair, **options))


@pytest.mark.parametrize("wrong", [None, "a", DAG.builder().add_node("a")])
def test_what_is_no_graph(executor: Any, wrong: Any) -> None:
    """A builder is named as such."""
    with pytest.raises(
        TypeError, match="dag is a DAG, not .*" + ("" if isinstance(wrong, str | None) else "build")
    ):
        executor(wrong)


@pytest.mark.parametrize("case", COSTS)
def test_costs_of_a_plan(pair: DAG, case: str) -> None:
    """Nor does the graph take them."""
    options, error, message = COSTS[case]
    for ask in (pair.critical_path, pair.execution_plan):
        with pytest.raises(error, match=message):
            ask(**options)


EXPANDERS: dict[str, Any] = {
    "takes nothing": lambda: None,
    "takes three": lambda a, b, c: None,
    "must be named": lambda *, value: None,
}


@pytest.mark.parametrize("case", EXPANDERS)
def test_expanders_with_other_parameters(pair: DAG, case: str) -> None:
    """They are told how they are called before anything runs."""
    with pytest.raises(TypeError, match=r"expander of node 'a' takes \(.*\); it is called with"):
        DynamicExecutor(pair, {"a": EXPANDERS[case]})
    for fits in (lambda *values: None, lambda value=1: None, print, dict):
        DynamicExecutor(pair, {"a": fits})


def test_mappings_of_other_things(pair: DAG) -> None:
    """Expanders are by node, conditions by edge."""
    with pytest.raises(TypeError, match="expanders is a mapping by node"):
        DynamicExecutor(pair, [("a", len)])  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(TypeError, match="conditions is a mapping by edge"):
        ConditionalExecutor(pair, [("a", "b")])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"\(source, target\), not of 'ab'"):
        ConditionalExecutor(pair, {"ab": len})  # type: ignore[dict-item]


class Misspelt:
    """Nothing calls either."""

    def on_node_completed(self, name: str, value: object) -> None:
        """Not a name that is called."""

    onNodeStart = on_node_completed  # as in other languages


def test_callbacks_that_nothing_calls(pair: DAG) -> None:
    """The nearest name is told; without one, all that there are."""
    with pytest.warns(UserWarning, match="did you mean on_node_complete"):
        DAGExecutor(pair, callbacks=Misspelt()).execute({})
    with pytest.warns(UserWarning, match=r"nothing calls .*print.* it has none of on_node_start"):
        DAGExecutor(pair, callbacks=print).execute({})
    DAGExecutor(pair, callbacks=ExecutionCallbacks(), hooks=HookRegistry()).execute({})


def test_warnings_name_the_line_that_led_to_them(executor: Any, pair: DAG) -> None:
    """The user's, not one of dagnb's."""
    with pytest.warns(UserWarning, match="nothing calls") as caught:
        run(executor(pair, callbacks=Misspelt()), {})
    assert {Path(warning.filename) for warning in caught} == {Path(__file__)}


def test_bad_callbacks_cost_no_checkpoint(pair: DAG, tmp_path: Path) -> None:
    """They are found before what an earlier run saved is removed."""
    folder = tmp_path / "kept"
    CheckpointExecutor(pair, folder).execute({"a": int, "b": int})
    for made in (CheckpointExecutor, IncrementalExecutor):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UserWarning, match="nothing calls"):
                made(pair, checkpoint_dir=folder, callbacks=Misspelt()).execute(TASKS)
    assert CheckpointExecutor(pair, folder).resume({"a": int, "b": int})["a"].executed is False


def test_a_parameter_that_nothing_feeds(executor: Any, pair: DAG) -> None:
    """The node fails, and the error says what to do."""
    result = run(executor(pair, fail_fast=False), {"a": int, "b": lambda a, other: a})
    assert isinstance(result["b"].error, TypeError)
    assert "takes 'other', which is no predecessor" in str(result["b"].error)
    assert "add the edge 'other' -> 'b'" in str(result["b"].error)


EDITS: dict[str, Callable[[DAG], object]] = {
    "adds a node": lambda dag: dag.add_node("c"),
    "adds nodes": lambda dag: dag.add_nodes(["c", "d"]),
    "adds an edge": lambda dag: dag.add_edges([("a", "b")]),
    "removes the node that runs": lambda dag: dag.remove_node("a"),
    "removes one that waits": lambda dag: dag.remove_nodes(["b"]),
    "removes an edge": lambda dag: dag.remove_edge("a", "b"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_task_that_edits_the_graph(executor: Any, pair: DAG, kind: str) -> None:
    """It fails, the graph is as before, and free afterwards."""
    result = run(executor(pair, fail_fast=False), {"a": lambda: EDITS[kind](pair), "b": int})
    assert isinstance(result["a"].error, GraphInUseError)
    assert (list(pair), pair.edge_count()) == (["a", "b"], 1)
    pair.add_node("c")


def test_an_edit_from_another_thread(executor: Any, pair: DAG) -> None:
    """Is refused there; the run does not notice."""
    refused: list[BaseException] = []

    def edit() -> None:
        try:
            pair.remove_node("b")
        except GraphInUseError as error:
            refused.append(error)

    def meanwhile() -> int:
        thread = threading.Thread(target=edit)
        thread.start()
        thread.join()
        return 1

    assert run(executor(pair), {"a": meanwhile, "b": int}).succeeded == 2
    assert len(refused) == 1


def test_a_pipeline_refuses_the_same() -> None:
    """In its execute."""
    pipeline = Pipeline([task(lambda: CALLED.append("a"), name="a")])
    for options, kind, message in (*RUNS.values(), *OPTIONS.values()):
        if options.keys() <= {"timeout", "cancel_event", "max_workers", "callbacks", "hooks"}:
            with pytest.raises(kind, match=message):
                pipeline.execute(**options)
            with pytest.raises(kind, match=message):
                asyncio.run(pipeline.execute_async(**options))
