from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagnb import (
    DAG,
    DAGExecutor,
    ExecutionResult,
    HookContext,
    HookEvent,
    HookRegistry,
    IncrementalExecutor,
)

Tasks = dict[str, Callable[..., Any]]


@pytest.fixture
def dag() -> DAG:
    """From a to b."""
    return DAG.builder().add_edge("a", "b").build()


@pytest.fixture
def heard() -> list[HookContext]:
    """What the hooks were told."""
    return []


@pytest.fixture
def hooks(heard: list[HookContext]) -> HookRegistry:
    """A hook on every event."""
    registry = HookRegistry()
    for event in HookEvent:
        registry.register(event, heard.append)
    return registry


@pytest.mark.parametrize("executor", [DAGExecutor, IncrementalExecutor])
def test_hooks_hear_a_run_in_order(
    executor: type, dag: DAG, hooks: HookRegistry, heard: list[HookContext]
) -> None:
    """Before and after the run and each node, with what is known then."""
    result = executor(dag, hooks=hooks).execute({"a": lambda: 1, "b": lambda a: a + 1})
    assert [(each.event.value, each.node_name) for each in heard] == [
        ("pre_execute", None),
        ("pre_node", "a"),
        ("post_node", "a"),
        ("pre_node", "b"),
        ("post_node", "b"),
        ("post_execute", None),
    ]
    assert all(each.dag is dag for each in heard)
    assert heard[4].node_result == 2
    assert heard[-1].execution_result is result
    assert isinstance(result, ExecutionResult)


def test_an_error_has_a_hook(dag: DAG, hooks: HookRegistry, heard: list[HookContext]) -> None:
    """In place of the one after the node."""
    DAGExecutor(dag, hooks=hooks).execute({"a": lambda: 1 / 0, "b": lambda: 1})
    assert [each.event for each in heard if each.node_name] == [
        HookEvent.PRE_NODE, HookEvent.ON_ERROR
    ]  # fmt: skip
    assert isinstance(heard[2].error, ZeroDivisionError)


def test_a_reused_node_has_no_hooks(
    dag: DAG, hooks: HookRegistry, heard: list[HookContext]
) -> None:
    """Hooks are about what runs."""
    executor = IncrementalExecutor(dag, hooks=hooks)
    tasks: Tasks = {"a": lambda: 1, "b": lambda: 2}
    executor.execute(tasks)
    heard.clear()
    executor.execute(tasks, changed_nodes=["b"])
    assert [each.node_name for each in heard] == [None, "b", "b", None]


def test_higher_priorities_come_first() -> None:
    """Equal ones in the order of registration."""
    registry, order = HookRegistry(), []
    for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
        registry.register(HookEvent.PRE_NODE, lambda context, n=name: order.append(n), priority)
    registry.fire(HookContext(HookEvent.PRE_NODE))
    assert order == ["b", "d", "a", "c"]


def test_a_hook_can_be_removed() -> None:
    """Only its own registration goes, and only once."""
    registry, calls = HookRegistry(), []
    remove = registry.register(HookEvent.PRE_NODE, calls.append)
    registry.register(HookEvent.PRE_NODE, calls.append)
    remove()
    remove()
    registry.fire(HookContext(HookEvent.PRE_NODE))
    assert len(calls) == 1


def test_hooks_can_be_counted_and_cleared(hooks: HookRegistry) -> None:
    """Of one event, or all."""
    assert (hooks.hook_count(), hooks.hook_count(HookEvent.PRE_NODE)) == (5, 1)
    hooks.clear(HookEvent.PRE_NODE)
    assert (hooks.hook_count(), hooks.hook_count(HookEvent.PRE_NODE)) == (4, 0)
    hooks.clear()
    assert hooks.hook_count() == 0


def test_a_hook_that_raises_is_logged_once(
    dag: DAG, hooks: HookRegistry, heard: list[HookContext], caplog: pytest.LogCaptureFixture
) -> None:
    """It goes on being called, and changes neither the run nor other hooks."""
    calls: list[str | None] = []

    def broken(context: HookContext) -> None:
        calls.append(context.node_name)
        raise ValueError("hook")

    hooks.register(HookEvent.PRE_NODE, broken, priority=1)
    result = DAGExecutor(dag, hooks=hooks).execute({"a": lambda: 1, "b": lambda: 2})
    assert (result.succeeded, calls, len(heard)) == (2, ["a", "b"], 6)
    [logged] = caplog.records
    assert logged.exc_info is not None


def test_a_hook_cannot_edit_the_running_graph(dag: DAG, caplog: pytest.LogCaptureFixture) -> None:
    """The edit is refused and logged; the run goes on."""
    registry = HookRegistry()
    registry.register(HookEvent.PRE_EXECUTE, lambda context: context.dag.add_node("c"))
    result = DAGExecutor(dag, hooks=registry).execute({"a": lambda: 1, "b": lambda: 2})
    assert (result.succeeded, dag.node_count()) == (2, 2)
    assert "pre_execute" in caplog.text
