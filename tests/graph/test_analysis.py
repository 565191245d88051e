from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb import DAG, NodeNotFoundError


@pytest.fixture
def dag() -> DAG:
    """Two inputs, one node in the middle, one out, and one apart."""
    return (
        DAG.builder()
        .add_nodes(["out", "mid", "in1", "in2", "other"])
        .add_edges([("in1", "mid"), ("in2", "mid"), ("mid", "out")])
        .build()
    )


def test_the_dirty_set_is_topological(dag: DAG) -> None:
    """Dependencies come first, whatever the order of addition or of the question."""
    assert dag.dirty_set(changed=["mid", "in2"]) == ["in2", "mid", "out"]


def test_the_dirty_set_of_nothing_is_empty(dag: DAG) -> None:
    """No change reaches nothing."""
    assert dag.dirty_set(changed=[]) == []


@pytest.mark.parametrize("question", ["dirty_set", "change_provenance"])
def test_changed_is_a_list_of_known_names(dag: DAG, question: str) -> None:
    """One string and an unknown name are refused."""
    with pytest.raises(TypeError):
        getattr(dag, question)(changed="mid")
    with pytest.raises(NodeNotFoundError, match=r"'mit' \(in changed\); did you mean 'mid'"):
        getattr(dag, question)(changed=["mit"])


def test_changed_may_be_any_iterable(dag: DAG) -> None:
    """A generator and a set are as good as a list."""
    assert dag.dirty_set(changed=(name for name in ["mid"])) == ["mid", "out"]  # type: ignore[arg-type]
    assert list(dag.change_provenance(changed={"mid"})) == ["mid", "out"]  # type: ignore[arg-type]


def test_reasons_print_as_sentences(dag: DAG) -> None:
    """A reason names the changes above a node, in topological order."""
    reasons = dag.change_provenance(changed=["in2", "in1"])
    assert {name: str(reason) for name, reason in reasons.items()} == {
        "in1": "direct change",
        "in2": "direct change",
        "mid": "ancestors in1, in2",
        "out": "ancestors in1, in2",
    }


def test_a_reason_is_a_collection_with_a_path(dag: DAG) -> None:
    """A reason can be asked for one cause and for the way it took."""
    reasons = dag.change_provenance(changed=["in1", "in2"])
    assert "in1" in reasons["out"]
    assert "mid" not in reasons["out"]
    assert list(reasons["out"]) == ["in1", "in2"]
    assert reasons["out"].path in (["in1", "mid", "out"], ["in2", "mid", "out"])
    assert reasons["in1"].path == ["in1"]
    assert reasons["out"] == ["in1", "in2"] == reasons["mid"].causes


def test_a_direct_change_below_another_is_direct(dag: DAG) -> None:
    """Being changed comes before being below a change; both are among the causes."""
    reason = dag.change_provenance(changed=["in1", "mid"])["mid"]
    assert str(reason) == "direct change"
    assert reason.causes == ["in1", "mid"]


def test_an_unaffected_node_has_no_reason(dag: DAG) -> None:
    """What a change does not reach is not in the mapping."""
    reasons = dag.change_provenance(changed=["mid"])
    assert "other" not in reasons
    with pytest.raises(KeyError):
        reasons["other"]


def test_levels_are_longest_paths(dag: DAG) -> None:
    """A node's level is one more than the highest of its inputs'; ties by addition."""
    assert dag.topological_levels() == [["in1", "in2", "other"], ["mid"], ["out"]]


def test_the_plan_has_steps_and_an_estimate(dag: DAG) -> None:
    """Steps, the widest of them, the critical path and its length."""
    plan = dag.execution_plan(costs={"in2": 5.0, "mid": 2.0})
    assert [step.nodes for step in plan.steps] == [["in1", "in2", "other"], ["mid"], ["out"]]
    assert [step.level for step in plan] == [0, 1, 2]
    assert (plan.max_parallelism, plan.total_nodes, len(plan)) == (3, 5, 3)
    assert plan.critical_path == ["in2", "mid", "out"]
    assert plan.estimated_makespan == 8.0
    assert plan[1].nodes == ["mid"]


def test_a_step_prints_as_it_is_written(dag: DAG) -> None:
    """The text of a step is code that makes it."""
    assert str(dag.execution_plan()[1]) == "ExecutionStep(level=1, nodes=['mid'])"


def test_an_unknown_cost_is_refused(dag: DAG) -> None:
    """A misspelt name in the costs would silently change the plan."""
    with pytest.raises(NodeNotFoundError, match="costs"):
        dag.critical_path({"midd": 1.0})


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20), st.data())
def test_provenance_agrees_with_walking_back(pairs: list[tuple[int, int]], data: st.DataObject):
    """A cause is a changed node that is the node or one of its ancestors."""
    dag = DAG()
    dag.add_nodes([str(number) for number in range(9)])
    dag.add_edges([(str(max(pair)), str(min(pair))) for pair in pairs if pair[0] != pair[1]])
    changed = data.draw(st.lists(st.sampled_from(dag.nodes()), unique=True))
    reasons = dag.change_provenance(changed=changed)
    assert list(reasons) == dag.dirty_set(changed=changed)
    for name, reason in reasons.items():
        above = {name, *dag.ancestors(name)}
        assert set(reason) == above.intersection(changed)
        path = reason.path
        assert path[0] in changed
        assert path[-1] == name
        assert all(dag.has_edge(a, b) for a, b in itertools.pairwise(path))


class Counted(list[int]):
    """A list of neighbours that counts how often it is gone through."""

    looks = 0

    def __iter__(self) -> Iterator[int]:
        """Count, and iterate."""
        Counted.looks += 1
        return super().__iter__()


def test_analysis_is_not_quadratic() -> None:
    """A chain of 100,000 below two changes: each question looks at each node a few times."""
    size = 100_000
    dag = DAG()
    dag.add_nodes([str(number) for number in range(size)])
    dag.add_edges([(str(number), str(number + 1)) for number in range(size - 1)])
    for neighbours in (dag.adjacency.successors, dag.adjacency.predecessors):
        neighbours[:] = map(Counted, neighbours)
    reasons = dag.change_provenance(changed=["0", "1"])
    assert len(reasons) == size
    assert str(reasons[str(size - 1)]) == "ancestors 0, 1"
    assert sum(reason is not None for reason in reasons.values()) == size
    assert len(dag.dirty_set(changed=["0"])) == size
    assert len(dag.topological_levels()) == size
    assert dag.critical_path()[1] == float(size)
    assert 0 < Counted.looks < 20 * size
