from __future__ import annotations

import copy

import pytest

from dagnb import DAG, CycleError
from dagnb.graph.edges import FEW

MANY = 2 * FEW


def crowded() -> DAG:
    """Many sources, each with an edge to each of many sinks."""
    dag = DAG()
    sources, sinks = [f"s{i}" for i in range(MANY)], [f"t{i}" for i in range(MANY)]
    dag.add_nodes(sources + sinks)
    dag.add_edges([(source, sink) for source in sources for sink in sinks])
    return dag


def test_edges_come_in_the_order_of_addition() -> None:
    """Neither names nor nodes decide it."""
    dag = DAG.builder().add_edges([("b", "c"), ("a", "c"), ("a", "b")]).build()
    assert dag.edges() == [("b", "c"), ("a", "c"), ("a", "b")]


def test_an_edge_that_was_removed_and_added_again_comes_last() -> None:
    """Its place is that of the last time; it is there once."""
    dag = DAG.builder().add_edges([("a", "b"), ("a", "c"), ("b", "c")]).build()
    dag.remove_edge("a", "b")
    dag.add_edge("a", "b")
    assert dag.edge_count() == 3
    assert dag.edges() == [("a", "c"), ("b", "c"), ("a", "b")]
    assert dag.edge_count() == 3


def test_edits_by_the_thousand_keep_count_and_order() -> None:
    """Whoever adds and removes all day has the edges that are there, in their order."""
    dag = DAG.builder().add_edges([("a", "b"), ("b", "c"), ("a", "c")]).build()
    for _ in range(3_000):
        dag.remove_edge("a", "b")
        dag.add_edge("a", "b")
    assert (dag.edge_count(), dag.edges()) == (3, [("b", "c"), ("a", "c"), ("a", "b")])
    assert len(dag.adjacency.edges.targets) < 3_000


def test_a_repeated_edge_in_a_crowd_is_no_new_one() -> None:
    """Also where both ends have many edges, one exists once."""
    dag = crowded()
    dag.add_edges([("s1", "t2"), ("s2", "t1")])
    dag.add_edge("s3", "t3")
    assert dag.edge_count() == MANY * MANY
    assert len(dag.successors("s1")) == MANY


def test_an_edge_in_a_crowd_can_be_removed_and_asked_for() -> None:
    """What was looked up before the edit does not answer for what is there after it."""
    dag = crowded()
    assert dag.has_edge("s1", "t2")
    dag.remove_edge("s1", "t2")
    assert not dag.has_edge("s1", "t2")
    dag.add_edge("s1", "t2")
    dag.remove_node("t3")
    assert dag.has_edge("s1", "t2")
    assert dag.edge_count() == MANY * (MANY - 1)


def test_a_refused_addition_leaves_no_trace_in_a_crowd() -> None:
    """All edges of one call or none, and none is remembered."""
    dag = crowded()
    dag.remove_edge("s1", "t2")
    with pytest.raises(CycleError):
        dag.add_edges([("s1", "t2"), ("s1", "t2"), ("t2", "s1")])
    assert not dag.has_edge("s1", "t2")
    assert dag.edges() == [
        (f"s{i}", f"t{j}") for i in range(MANY) for j in range(MANY) if (i, j) != (1, 2)
    ]


def test_the_last_data_counts() -> None:
    """A repeated edge has what the last mention of it says, even if that is nothing."""
    dag = DAG.builder().add_edges([("a", "b", 1.0), ("a", "c"), ("a", "b", 2.0, "x")]).build()
    assert dag.edge_data("a", "b") == (2.0, "x")
    dag.add_edges([("a", "b"), ("a", "c", 3.0)])
    assert dag.edge_data("a", "b") == (None, None)
    assert dag.edge_data("a", "c") == (3.0, None)
    dag.add_edge("a", "c")
    assert dag.edge_data("a", "c") == (None, None)


def test_data_goes_with_its_edge() -> None:
    """An edge that is drawn anew does not inherit."""
    dag = DAG.builder().add_edge("a", "b", weight=1.0).add_edge("b", "c", weight=2.0).build()
    dag.remove_edge("a", "b")
    dag.add_edge("a", "b")
    assert dag.edge_data("a", "b") == (None, None)
    dag.remove_node("c")
    dag.add_node("c")
    dag.add_edge("b", "c")
    assert dag.edge_data("b", "c") == (None, None)


def test_numbers_given_anew_keep_edges_and_data() -> None:
    """Removing most of a large graph changes nothing for the rest."""
    dag = DAG()
    dag.add_nodes([f"n{i}" for i in range(3_000)])
    dag.add_edges([(f"n{i}", f"n{i + 1}", float(i)) for i in range(2_999)])
    dag.remove_edge("n2998", "n2999")
    dag.add_edge("n2990", "n2999", label="x")
    dag.remove_nodes([f"n{i}" for i in range(2_995)])
    assert dag.adjacency.generation == 1
    assert dag.edges() == [("n2995", "n2996"), ("n2996", "n2997"), ("n2997", "n2998")]
    assert dag.edge_data("n2996", "n2997") == (2996.0, None)


def test_a_copy_has_edges_of_its_own() -> None:
    """Also those that were looked up in a crowd before."""
    dag = crowded()
    assert dag.has_edge("s1", "t2")
    other = copy.deepcopy(dag)
    other.remove_edge("s1", "t2")
    assert dag.has_edge("s1", "t2")
    assert not other.has_edge("s1", "t2")
