from __future__ import annotations

import random

import pytest

from dagnb import DAG
from dagnb.graph.adjacency import Adjacency
from dagnb.run.frontier import Countdown, Frontier, Scan


def graph_of(*edges: tuple[int, int], size: int = 0) -> Adjacency:
    """Return a graph of the numbers that the edges name."""
    graph = Adjacency()
    for number in range(max([size, *(1 + max(edge) for edge in edges)])):
        graph.add(str(number))
    for source, target in edges:
        graph.link(source, target)
    return graph


def frontier_of(kind: str, graph: Adjacency, seeds: list[int] | None) -> Frontier:
    """Return either frontier."""
    if kind == "scan":
        flags = bytearray(len(graph.order) + 1)
        return Scan(graph) if seeds is None else Scan(graph, flags, seeds)
    return Countdown(graph, seeds)


@pytest.fixture(params=["scan", "countdown"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the two frontiers."""
    return str(request.param)


def test_all_nodes_come_in_topological_order(kind: str) -> None:
    """Without seeds every node is dirty."""
    frontier = frontier_of(kind, graph_of((2, 0), (0, 1)), None)
    popped = []
    while (node := frontier.pop()) >= 0:
        popped.append(node)
        frontier.settled(node, False)
    assert popped == [2, 0, 1]


def test_a_change_makes_dependents_dirty(kind: str) -> None:
    """What is below an unchanged node is passed over, on and on."""
    frontier = frontier_of(kind, graph_of((0, 1), (1, 2), (0, 3)), [0])
    assert frontier.pop() == 0
    frontier.settled(0, True)
    assert frontier.pop() == 1
    frontier.settled(1, False)
    assert frontier.pop() == 3
    frontier.settled(3, True)
    assert frontier.pop() == -1


def test_a_seed_below_another_waits_for_it(kind: str) -> None:
    """A node starts when all dirty nodes above it have settled."""
    frontier = frontier_of(kind, graph_of((0, 1), (1, 2)), [2, 0])
    assert frontier.pop() == 0
    frontier.settled(0, False)
    assert frontier.pop() == 2


def test_a_popped_node_is_left_until_it_settles(kind: str) -> None:
    """So nothing is lost if the run breaks off in between."""
    frontier = frontier_of(kind, graph_of((0, 1)), None)
    assert frontier.left() == [0, 1]
    frontier.pop()
    assert frontier.left() == [0, 1]
    frontier.settled(0, True)
    assert frontier.left() == [1]


def test_a_closed_frontier_has_nothing_left(kind: str) -> None:
    """What a stopped run leaves is forgotten."""
    frontier = frontier_of(kind, graph_of((0, 1)), None)
    frontier.close()
    assert frontier.left() == []
    assert frontier.pop() == -1


def test_scan_leaves_the_flags_as_it_found_them() -> None:
    """The same bytes serve run after run."""
    flags = bytearray(3)
    scan = Scan(graph_of((0, 1), (1, 2)), flags, [0])
    assert scan.pop() == 0
    scan.close()
    assert flags == bytearray(3)


def test_ready_nodes_come_by_priority() -> None:
    """The highest first; ties in topological order."""
    frontier = Countdown(graph_of(size=4), None, [1.0, 3.0, 1.0, 2.0])
    assert [frontier.pop() for _ in range(5)] == [1, 3, 0, 2, -1]


def test_nodes_of_two_branches_are_ready_at_once() -> None:
    """There are no levels: a node waits for its own inputs only."""
    frontier = Countdown(graph_of((0, 2), (1, 3), (3, 4)), None)
    assert [frontier.pop(), frontier.pop(), frontier.pop()] == [0, 1, -1]
    frontier.settled(1, True)
    assert [frontier.pop(), frontier.pop()] == [3, -1]
    frontier.settled(3, True)
    assert frontier.pop() == 4


@pytest.mark.parametrize("seed", range(20))
def test_both_frontiers_agree_on_what_is_dirty(seed: int) -> None:
    """Whatever changes, the same nodes are looked at, in the same order by one worker."""
    chance = random.Random(seed)
    dag = DAG()
    names = dag.add_nodes([str(number) for number in range(30)])
    for _ in range(50):
        low, high = sorted(chance.sample(range(30), 2))
        dag.add_edge(names[high], names[low])
    seeds = chance.sample(range(30), 4)
    changes = {node: chance.random() < 0.6 for node in range(30)}
    runs = []
    for kind in ("scan", "countdown"):
        frontier = frontier_of(kind, dag.adjacency, seeds)
        popped = []
        while (node := frontier.pop()) >= 0:
            popped.append(node)
            frontier.settled(node, changes[node])
        runs.append(popped)
    assert runs[0] == sorted(runs[1], key=dag.adjacency.positions.__getitem__)
