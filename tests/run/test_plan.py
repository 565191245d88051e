"""A plan says what a run would do, and the run then does it."""

from __future__ import annotations

import pytest

from dagnb import DAG
from dagnb.run.plan import PlanStep, make_plan


@pytest.fixture
def dag() -> DAG:
    """A diamond a -> (b, c) -> d, and e beside it."""
    dag = DAG()
    dag.add_nodes(list("abcde"))
    dag.add_edges([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    return dag


def actions(
    dag: DAG, causes: dict[str, str], waiting: dict[str, str] | None = None
) -> dict[str, str]:
    """Return what would happen to each node."""
    by_number = (
        {dag.number(n): why for n, why in each.items()} for each in (causes, waiting or {})
    )
    return {step.name: step.action for step in make_plan(dag.adjacency, *by_number, {})}


def test_nothing_dirty(dag: DAG) -> None:
    """Nothing to run."""
    plan = make_plan(dag.adjacency, {}, {}, {})
    assert sorted(plan.names("reuse")) == list("abcde")
    assert str(plan) == "nothing to run; 5 up to date"
    assert plan.seconds == (0.0, 0.0)
    assert plan.critical_path == ()


def test_below_a_dirty_node(dag: DAG) -> None:
    """What is dirty runs; what is below may."""
    assert actions(dag, {"b": "its code changed"}) == {
        "a": "reuse", "b": "run", "c": "reuse", "d": "may run", "e": "reuse"
    }  # fmt: skip


def test_reasons(dag: DAG) -> None:
    """A reason for each step, naming the inputs that may come out different."""
    plan = make_plan(dag.adjacency, {dag.number("a"): "its code changed"}, {}, {})
    reasons = {step.name: step.reason for step in plan}
    assert reasons["a"] == "its code changed"
    assert reasons["b"] == "if a comes out different"
    assert reasons["d"] == "if b, c come out different"
    assert reasons["e"] == "up to date"


def test_waiting(dag: DAG) -> None:
    """A node that must wait holds all below it, and what is below that."""
    assert actions(dag, {"a": "its code changed"}, {"b": "it waits for `x`"}) == {
        "a": "run", "b": "wait", "c": "may run", "d": "wait", "e": "reuse"
    }  # fmt: skip
    assert actions(dag, {}, {"b": "it is manual"})["b"] == "reuse"


def test_seconds_and_critical_path(dag: DAG) -> None:
    """By past durations: at least what surely runs, at most all; the longest chain of it."""
    took = {
        dag.number(name): seconds for name, seconds in zip("abcde", (1, 2, 5, 1, 9), strict=True)
    }
    plan = make_plan(dag.adjacency, {dag.number("a"): "its code changed"}, {}, took)
    assert plan.seconds == (1, 9)
    assert plan.critical_path == ("a", "c", "d")
    assert str(plan).splitlines()[-1] == (
        "1 up to date; expected 1 to 9 s; critical path: a -> c -> d"
    )


def test_sequence(dag: DAG) -> None:
    """A plan is a sequence of steps, dependencies first."""
    plan = make_plan(dag.adjacency, {}, {}, {})
    assert len(plan) == 5
    assert plan[0] == PlanStep("a", "reuse", "up to date", None)
    assert [step.name for step in plan].index("d") > [step.name for step in plan].index("c")
