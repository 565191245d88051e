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


def test_what_seldom_changes_will_likely_cut_off_what_is_below(dag: DAG) -> None:
    """Judged from how often inputs came out different; unknown ones are taken to."""
    numbers = {name: dag.number(name) for name in "abcd"}
    seconds = {numbers[name]: 10.0 for name in "abcd"}
    changes = {numbers["a"]: 0.2}
    causes = {numbers["a"]: "its code changed"}
    plan = make_plan(dag.adjacency, causes, {}, seconds, changes=changes)
    chances = {step.name: step.chance for step in plan}
    assert chances == pytest.approx({"a": 1.0, "b": 0.2, "c": 0.2, "d": 0.36, "e": 0.0})
    assert [step.name for step in plan if step.is_unlikely] == ["b", "c", "d"]
    assert plan.expected_seconds == pytest.approx(10 + 2 + 2 + 3.6)
    assert "b: if a comes out different; likely cut off" in str(plan)
    assert "expected 10 to 40 s, likely 18 s" in str(plan)


def test_without_a_past_nothing_is_said_of_it(dag: DAG) -> None:
    """What may run is not called unlikely."""
    plan = make_plan(dag.adjacency, {dag.number("a"): "its code changed"}, {}, {})
    assert not any(step.is_unlikely for step in plan)
    assert "likely" not in str(plan)


def test_a_plan_as_data(dag: DAG) -> None:
    """What is reused is only counted."""
    a, b = dag.number("a"), dag.number("b")
    plan = make_plan(dag.adjacency, {a: "edited"}, {b: "it is manual"}, {a: 1.0}, changes={a: 0.0})
    assert plan.as_dict() == {
        "steps": {
            "a": {"action": "run", "reason": "edited", "seconds": 1.0, "chance": 1.0},
            "b": {"action": "wait", "reason": "it is manual", "seconds": None, "chance": 0.0},
            "c": {
                "action": "unlikely",
                "reason": "if a comes out different",
                "seconds": None,
                "chance": 0.0,
            },
            "d": {"action": "wait", "reason": "b waits", "seconds": None, "chance": 0.0},
        },
        "reused": 1,
        "seconds": [1.0, 1.0, 1.0],
        "critical": list(plan.critical_path),
    }
