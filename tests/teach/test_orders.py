"""How many orders there are, and whether it matters which one is taken."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from itertools import count, islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb import DAG, ExecutionCallbacks, IncrementalExecutor, NodeNotFoundError
from dagnb.teach import compare_orders, count_orders, random_orders
from dagnb.teach.ordering import grade_order
from dagnb.teach.random_graph import random_graph

SMALL = st.builds(random_graph, st.integers(0, 10_000).map(Random), st.integers(1, 6))


def independent(nodes: int) -> DAG:
    """So many nodes without edges."""
    dag = DAG()
    dag.add_nodes([f"n{number}" for number in range(nodes)])
    return dag


@given(dag=SMALL)
def test_the_number_of_orders(dag: DAG) -> None:
    """The same as trying all permutations."""
    tried = itertools.permutations(map(str, dag))
    found = count_orders(dag)
    assert found.number == sum(bool(grade_order(dag, order)) for order in tried)
    assert found.exact


def test_no_nodes() -> None:
    """There is one order, the empty one."""
    assert str(count_orders(DAG())) == "1 order"
    assert next(random_orders(DAG())) == []


def test_a_long_chain() -> None:
    """It has one order, however long it is."""
    dag = independent(500)
    dag.add_edges([(f"n{number}", f"n{number + 1}") for number in range(499)])
    assert count_orders(dag).number == 1


def test_an_estimate_says_so() -> None:
    """Too many to be counted; for nodes without edges the estimate is right."""
    found = count_orders(independent(30))
    assert not found.exact
    assert found.number == math.factorial(30)
    assert str(found) == "about 10^32.4 orders (an estimate from 1000 random ones)"


def test_the_estimate_is_right_on_average() -> None:
    """Within a fifth for a graph whose orders can be worked out: chains side by side."""
    two = independent(20)
    two.add_edges([(f"n{number}", f"n{number + 2}") for number in range(18)])
    assert count_orders(two).number == math.comb(20, 10)
    six = independent(36)
    six.add_edges([(f"n{number}", f"n{number + 6}") for number in range(30)])
    found = count_orders(six)
    assert not found.exact
    assert found.number / (math.factorial(36) / math.factorial(6) ** 6) == pytest.approx(1, abs=0.2)


@given(dag=SMALL, seed=st.integers(0, 100))
def test_random_orders_are_orders(dag: DAG, seed: int) -> None:
    """Each of them, and the same ones for the same seed."""
    drawn = list(islice(random_orders(dag, seed), 5))
    assert all(grade_order(dag, order) for order in drawn)
    assert drawn == list(islice(random_orders(dag, seed), 5))


def test_each_order_is_as_likely_as_any_other() -> None:
    """Also where taking what is ready would prefer some."""
    dag = DAG.builder().add_nodes("abcd").add_edges([("b", "c"), ("c", "d")]).build()
    counts = Counter(map(tuple, islice(random_orders(dag), 4000)))
    assert len(counts) == 4
    assert all(abs(times - 1000) < 150 for times in counts.values())


def test_random_orders_of_a_graph_too_large_to_count() -> None:
    """They are orders, too."""
    dag = independent(40)
    dag.add_edge("n39", "n0")
    assert grade_order(dag, next(random_orders(dag)))


def test_a_run_takes_the_order_it_is_given() -> None:
    """What a comparison relies on: nodes that are added in an order run in it."""
    dag = random_graph(Random(3), 10)
    for order in islice(random_orders(dag), 20):
        edges = [(str(source), str(target)) for source, target in dag.edges()]
        same = DAG.builder().add_nodes(order).add_edges(edges).build()
        ran: list[str] = []
        callbacks = ExecutionCallbacks(on_start=ran.append)
        tasks = {name: lambda **_: None for name in order}
        IncrementalExecutor(same, callbacks=callbacks).execute(tasks)
        assert ran == order


FORK = [("rows", "total"), ("rows", "largest")]


def test_pure_functions_come_out_the_same() -> None:
    """Whatever the order."""
    dag = DAG.builder().add_edges(FORK).build()
    found = compare_orders(
        dag,
        {
            "rows": lambda: [3, 1],
            "total": lambda rows: rows[0] + rows[1],
            "largest": lambda rows: rows[0],
        },
    )
    assert (len(found.orders), found.differing, found.unknown) == (2, {}, ())
    assert str(found) == "every value is the same in 2 different orders"


def test_a_change_in_place_is_found() -> None:
    """The nodes that differ are named, with two orders that tell."""

    def largest(rows: list[int]) -> int:
        rows.sort()
        return rows[-1]

    dag = DAG.builder().add_edges([*FORK, ("rows", "first")]).build()
    found = compare_orders(
        dag,
        {
            "rows": lambda: [3, 1],
            "total": lambda rows: rows[0] + rows[1],
            "largest": largest,
            "first": lambda rows: rows[0],
        },
    )
    assert list(found.differing) == ["first"]
    one, other = found.differing["first"]
    assert (one.index("first") < one.index("largest")) != (
        other.index("first") < other.index("largest")
    )
    assert "first did not come out the same" in str(found)


def test_hidden_state_is_found() -> None:
    """A counter that nodes share is no input of theirs."""
    numbers = count()
    dag = independent(2)
    found = compare_orders(dag, {"n0": lambda: next(numbers), "n1": lambda: next(numbers)})
    assert set(found.differing) == {"n0", "n1"}


def test_what_cannot_be_compared_is_named() -> None:
    """A generator has no digest; a failure is compared as such."""
    dag = independent(2)
    found = compare_orders(dag, {"n0": lambda: (n for n in range(3)), "n1": lambda: 1 // 0})
    assert found.unknown == ("n0",)
    assert found.differing == {}
    assert "not compared, since their values have no digest: n0" in str(found)


def test_bad_input() -> None:
    """A task without a node, and no number of times."""
    with pytest.raises(NodeNotFoundError, match="no node 'x'"):
        compare_orders(independent(1), {"x": lambda: 1})
    with pytest.raises(ValueError, match="times is at least 1"):
        compare_orders(independent(1), {}, times=0)
    with pytest.raises(TypeError, match="dag is a DAG"):
        count_orders({})  # type: ignore[arg-type]  # what is wrong
