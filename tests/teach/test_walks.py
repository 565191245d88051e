"""Algorithms step by step: each step follows from the one before, on any graph."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb import DAG, IncrementalExecutor, NodeResult, NodeStatus
from dagnb.teach import Rerun, steps
from dagnb.teach.ordering import grade_order
from dagnb.teach.random_graph import random_graph

GRAPHS = st.builds(random_graph, st.integers(0, 10_000).map(Random), st.integers(1, 12))


def chain() -> tuple[DAG, dict[str, object]]:
    """Rows, their number, a report; and a node beside them."""
    dag = DAG.builder().add_edge("rows", "count").add_edge("count", "report").build()
    dag.add_node("beside")
    return dag, {
        "rows": lambda: [1, 2],
        "count": lambda rows: sum(1 for _ in rows),
        "report": lambda count: f"{count} rows",
        "beside": lambda: 0,
    }


@given(dag=GRAPHS)
def test_kahn_takes_what_is_ready(dag: DAG) -> None:
    """Each step takes a node that was ready, and what is ready misses nothing."""
    walk = steps(dag)
    before = {row[0]: row for row in walk[0].rows}
    for step in walk[1:]:
        rows = {row[0]: row for row in step.rows}
        [taken] = [
            name
            for name, row in rows.items()
            if row[3].startswith("taken") and not before[name][3].startswith("taken")
        ]
        assert before[taken][3] == "ready"
        assert step.said.startswith(f"{taken} is taken")
        assert all((row[2] == "0") == (row[3] != "waits") for row in rows.values())
        before = rows
    assert grade_order(dag, walk.order)


def test_kahn_without_nodes() -> None:
    """There is one step, which says so."""
    [step] = steps(DAG())
    assert str(step) == "the graph has no nodes, so there is nothing to order"


def test_kahn_with_one_node() -> None:
    """It is ready, and then it is taken."""
    dag = DAG.builder().add_nodes(["only"]).build()
    before, after = steps(dag)
    assert (before.marks, after.marks) == (
        {"only": ("running", "ready")},
        {"only": ("completed", "number 1")},
    )


def test_a_large_graph_shows_what_the_step_is_about() -> None:
    """The others are counted."""
    dag = DAG()
    dag.add_nodes([f"n{number}" for number in range(100)])
    dag.add_edges([(f"n{number}", f"n{number + 1}") for number in range(99)])
    shown = str(steps(dag)[50])
    assert "n49   n48     0        taken, number 50" in shown
    assert "(98 more nodes, which this step is not about)" in shown


def test_a_step_about_very_many_nodes() -> None:
    """It shows the first of them, and counts the others."""
    dag = DAG()
    dag.add_nodes([f"n{number}" for number in range(100)])
    step = steps(dag)[1]
    assert (len(step.shown), step.decided) == (40, "n0")
    assert str(step).endswith("(60 more nodes)")


def test_steps_are_a_sequence() -> None:
    """From the end, in slices, and a sentence for a step that is not there."""
    walk = steps(chain()[0])
    assert walk[-1] == walk[4]
    assert walk[1:3] == [walk[1], walk[2]]
    with pytest.raises(IndexError, match="steps 0 to 4, no step 5"):
        walk[5]
    assert str(walk).count("Topological order, step") == 5


def test_a_run_that_is_cut_off() -> None:
    """It says what is dirty, what came out the same, and what was left alone for it."""
    dag, tasks = chain()
    executor = IncrementalExecutor(dag)
    executor.execute(tasks)
    tasks["rows"] = lambda: [3, 4]
    walk = steps(dag, executor.execute(tasks, changed_nodes=["rows"]))
    assert isinstance(walk, Rerun)
    assert walk.dirty == ["rows", "count", "report"]
    assert [step.said for step in walk] == [
        "rows must be looked at. 2 more below may be affected; nobody knows yet. All of these are "
        "the dirty set.",
        "rows ran: direct change. It has another value than before: look at count.",
        "count ran: input rows changed. It has the same value as before: early cutoff, no "
        "need to look at report.",
        "the end. Of 3 dirty nodes 2 ran, and 1 was left alone by early cutoff.",
    ]
    assert [row[2] for row in walk[2].rows] == [
        "ran: another value",
        "ran: the same value",
        "left alone: its inputs are the same",
    ]


def test_a_run_that_failed() -> None:
    """The failure is named, and what it holds up."""
    dag, tasks = chain()
    executor = IncrementalExecutor(dag, fail_fast=False)
    executor.execute(tasks)
    tasks["rows"] = lambda: 1 // 0
    walk = steps(dag, executor.execute(tasks, changed_nodes=["rows"]))
    assert walk[1].said.startswith("rows failed with ZeroDivisionError: ")
    assert walk[1].said.endswith("So count cannot run.")
    assert [row[2] for row in walk[-1].rows] == ["failed", "skipped", "skipped"]


def test_a_run_of_a_part() -> None:
    """What was to be looked at and was not is no early cutoff."""
    dag, _ = chain()
    ran = NodeResult("rows", NodeStatus.COMPLETED, executed=True, reason="ran for the first time")
    walk = steps(dag, {"rows": ran})
    assert (
        walk[-1].said
        == "the end. Of 3 dirty nodes 1 ran, and 2 wait for a run that is to run them."
    )


def test_a_run_of_nothing() -> None:
    """One step, which says so; nodes that are gone since count as nothing."""
    gone = NodeResult("gone", NodeStatus.COMPLETED, executed=True)
    for settled in ({}, {"gone": gone}):
        [step] = steps(chain()[0], settled)
        assert str(step) == "nothing had to run: everything was up to date"


@given(dag=GRAPHS, seed=st.integers(0, 1000))
def test_a_run_step_by_step_agrees_with_its_result(dag: DAG, seed: int) -> None:
    """What the walk says ran is what ran, and what it says was left alone is the rest."""
    random = Random(seed)
    tasks = {str(name): task(dag, str(name), random.randrange(1, 4)) for name in dag}
    executor = IncrementalExecutor(dag)
    executor.execute(tasks)
    edited = random.choice(sorted(tasks))
    tasks[edited] = task(dag, edited, random.randrange(1, 4))
    result = executor.execute(tasks, changed_nodes=[edited])
    states = {row[0]: row[2] for row in steps(dag, result)[-1].rows}
    assert set(states) == set(dag.dirty_set([edited]))
    assert {name for name in states if states[name].startswith("ran")} == set(result.recomputed)
    same = {name for name in states if states[name] == "ran: the same value"}
    assert same == set(result.early_cutoff)
    assert set(states.values()) <= {"ran: another value", "ran: the same value", "left alone"}


def task(dag: DAG, name: str, number: int) -> object:
    """A function of the node's inputs whose value often stays what it was."""
    inputs = ", ".join(map(str, dag.predecessors(name)))
    return eval(f"lambda {inputs}: (sum([{inputs}]) + {number}) // 3")
