"""Code written against dagron 0.1.1 runs when its import is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

import dagnb as dagron
from dagnb import DAGExecutor, DynamicModification, DynamicNodeSpec, TraceEventType


@pytest.fixture
def dag() -> dagron.DAG:
    """From a by b to c."""
    return dagron.DAG.builder().add_edges([("a", "b"), ("b", "c")]).build()


def fail() -> None:
    """Fail."""
    raise ValueError("boom")


def test_callbacks_in_both_spellings(dag: dagron.DAG) -> None:
    """The fields of the dataclass, as the library and as its documentation has them."""
    told: list[tuple[Any, ...]] = []
    note = lambda *words: told.append(words)  # noqa: E731
    for callbacks in (
        dagron.ExecutionCallbacks(on_start=note, on_complete=note, on_failure=note, on_skip=note),
        dagron.ExecutionCallbacks(
            on_node_start=note, on_node_complete=note, on_node_error=note, on_node_skip=note
        ),
    ):
        told.clear()
        DAGExecutor(dag, callbacks=callbacks).execute({"a": lambda: 1, "b": fail, "c": int})
        assert [tuple(map(str, words)) for words in told] == [
            ("a",), ("a", "1"), ("b",), ("b", "boom"), ("c",)
        ]  # fmt: skip


def test_an_object_with_earlier_names(dag: dagron.DAG) -> None:
    """Methods are accepted under the library's names, too."""
    told: list[str] = []

    class Listener:
        def on_start(self, name: str) -> None:
            told.append(f"start {name}")

        def on_complete(self, name: str, result: object) -> None:
            told.append(f"{name} = {result}")

    DAGExecutor(dag, callbacks=Listener(), max_workers=1).execute(dict.fromkeys("abc", lambda: 1))
    assert told == ["start a", "a = 1", "start b", "b = 1", "start c", "c = 1"]


@pytest.mark.parametrize(
    "expander",
    [
        lambda result: DynamicModification([DynamicNodeSpec(f"new {result}", int, ["a"])]),
        lambda name, result: DynamicModification([DynamicNodeSpec(f"new {result}", int, [name])]),
    ],
)
def test_expanders_with_one_or_two_arguments(dag: dagron.DAG, expander: Any) -> None:
    """The documentation's take a value, the library's a name and a value."""
    result = dagron.DynamicExecutor(dag, expanders={"a": expander}).execute(
        {"a": lambda: 7, "b": int, "c": int}
    )
    assert "new 7" in result.node_results


def test_new_nodes_bring_their_expanders(dag: dagron.DAG) -> None:
    """A name that is not there yet is refused; a spec takes the expander instead."""
    second = DynamicNodeSpec("second", int, ["first"])
    first = DynamicNodeSpec("first", int, ["a"], expander=lambda _: DynamicModification([second]))
    expanders = {"a": lambda _: DynamicModification([first])}
    tasks = dict.fromkeys("abc", int)
    assert dagron.DynamicExecutor(dag, expanders).execute(tasks).succeeded == 5
    with pytest.raises(dagron.NodeNotFoundError, match="expanders"):
        dagron.DynamicExecutor(dag, expanders | {"not there": expanders["a"]}).execute(tasks)


def test_a_dynamic_run_without_expanders(dag: dagron.DAG) -> None:
    """It is a plain one."""
    assert dagron.DynamicExecutor(dag).execute(dict.fromkeys("abc", int)).succeeded == 3


def test_a_builder_is_strict_once_it_declared_a_node() -> None:
    """Then edges create none; without any declaration they create all."""
    assert dagron.DAGBuilder().add_edge("a", "b").build().node_count() == 2
    with pytest.raises(dagron.NodeNotFoundError):
        dagron.DAGBuilder().add_node("a").add_edge("a", "b").build()
    with pytest.raises(dagron.CycleError):
        dagron.DAGBuilder().add_edge("a", "b").add_edge("b", "a").build()
    with pytest.raises(dagron.DuplicateNodeError):
        dagron.DAGBuilder().add_node("a").add_node("a").build()


def test_the_fields_of_a_plan(dag: dagron.DAG) -> None:
    """Steps, counts, the critical path and how long it takes."""
    plan = dag.execution_plan({"a": 2.0, "b": 5.0, "c": 3.0})
    assert isinstance(plan, dagron.ExecutionPlan)
    assert (plan.total_nodes, len(plan.steps), plan.max_parallelism) == (3, 3, 1)
    assert (plan.critical_path, plan.estimated_makespan) == (["a", "b", "c"], 10.0)
    assert all(isinstance(step, dagron.ExecutionStep) for step in plan)
    empty = dagron.DAG().execution_plan()
    assert (empty.steps, empty.max_parallelism) == ([], 0)


def test_a_handle_is_accepted_where_a_name_is() -> None:
    """By edits, questions, tasks and results; a stale one is refused."""
    dag = dagron.DAG()
    a, b = dag.add_nodes(["a", "b"])
    dag.add_edge(a, "b")
    assert isinstance(a, dagron.NodeRef)
    assert [ref.name for ref in dag.successors(a)] == dag.dirty_set([b]) == ["b"]
    result = DAGExecutor(dag).execute({a: lambda: 1, "b": lambda a: a + 1})
    assert (result[b].result, a in result) == (2, True)
    dag.remove_node(a)
    assert dag.add_node("a") == "a"
    with pytest.raises(dagron.StaleNodeRefError):
        dag.add_edge(a, b)


def test_a_trace_has_no_steps(dag: dagron.DAG) -> None:
    """Their types are there to be compared with; what is recorded is about the run and nodes."""
    tasks = {"a": lambda: 1, "b": fail, "c": int}
    trace = DAGExecutor(dag, enable_tracing=True).execute(tasks).trace
    kinds = [event.event_type for event in trace.events]
    assert {TraceEventType.STEP_STARTED, TraceEventType.STEP_COMPLETED}.isdisjoint(kinds)
    assert kinds[0] is TraceEventType.EXECUTION_STARTED
    assert kinds[-1] is TraceEventType.EXECUTION_COMPLETED
    (failed,) = [event for event in trace.events if event.event_type is TraceEventType.NODE_FAILED]
    assert "boom" in str(failed.error)
    assert {"event_type", "timestamp"} <= set(json.loads(trace.to_json())[0])


def test_conditions_with_the_library_s_order_of_parameters() -> None:
    """The graph, the conditions, callbacks, fail-fast, tracing."""
    dag, conditions = (
        dagron.ConditionalDAGBuilder()
        .add_node("a").add_node("b")
        .add_edge("a", "b", condition=lambda value: value > 1)
        .build()
    )  # fmt: skip
    skipped: list[str] = []
    callbacks = dagron.ExecutionCallbacks(on_skip=skipped.append)
    executor = dagron.ConditionalExecutor(dag, conditions, callbacks, True, True)
    assert executor.execute({"a": lambda: 1, "b": int}).skipped == 1
    assert skipped == ["b"]


def test_a_plain_function_is_a_task() -> None:
    """A pipeline takes it by its name."""

    def total(numbers: list[int]) -> int:
        return sum(numbers)

    numbers = dagron.task(name="numbers")(lambda: [1, 2])
    assert dagron.Pipeline([numbers, total]).execute()["total"].result == 3
