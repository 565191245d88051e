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


class Growing:
    """A run of a seeded frontier in which nodes bring forth others, and what came of it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.graph = Adjacency()
        for number in range(20):
            self.graph.add(str(number))
        for _ in range(25):
            low, high = sorted(chance.sample(range(20), 2))
            self.graph.link(low, high)
        self.seeds = set(chance.sample(range(20), 3))
        self.frontier = Countdown(self.graph, self.seeds)
        self.out: list[int] = []
        self.began: dict[int, int] = {}
        self.ended: dict[int, int] = {}
        self.changed: set[int] = set()
        self.late: set[int] = set()

    def run(self) -> None:
        """Run with up to three nodes out at once."""
        clock = 0
        while True:
            clock += 1
            node = self.frontier.pop() if len(self.out) < 3 else -1
            if node >= 0:
                assert node not in self.began, "popped twice"
                self.began[node] = clock
                self.out.append(node)
            elif self.out:
                self.settle(self.out.pop(self.chance.randrange(len(self.out))), clock)
            else:
                return

    def settle(self, node: int, clock: int) -> None:
        """Settle a node, after an edit now and then."""
        if self.chance.random() < 0.4:
            self.edit(node)
        if self.chance.random() < 0.6:
            self.changed.add(node)
        self.ended[node] = clock
        self.frontier.settled(node, node in self.changed)

    def edit(self, node: int) -> None:
        """Add nodes below this one and above others, and edges; cut some."""
        above = self.graph.reach([node], self.graph.predecessors)
        free = [each for each in range(20) if each not in above]
        old = list(self.graph.edges)
        cut = [(s, t) for s, t in old if t not in self.began and self.chance.random() < 0.1]
        for source, target in cut:
            self.graph.unlink(source, target)
        added, edges = [], []
        for _ in range(self.chance.randint(1, 2)):
            added.append(len(self.graph.names))
            self.graph.add(f"new {len(self.graph.names)}")
            edges.append((node, added[-1]))
            edges += [(added[-1], each) for each in self.chance.sample(free, min(2, len(free)))]
        both = [each for each in free if each not in self.began]
        edges += [(s, t) for s in both for t in both if s < t and self.chance.random() < 0.05]
        new = [(s, t) for s, t in edges if not self.graph.edges.has(s, t)]
        edges = [edge for edge in new if self.graph.link(*edge) is None]
        started = self.began.__contains__
        self.late |= self.frontier.follow(added, edges, (), cut, has_started=started)
        self.seeds.update(added, (target for _, target in [*cut, *edges]))


@pytest.mark.parametrize("seed", range(150))
def test_a_frontier_that_grows_from_the_affected_part(seed: int) -> None:
    """What is dirty in the final graph comes, after its inputs; what had started before is told."""
    run = Growing(random.Random(seed))
    run.run()
    below = run.graph.reach(run.late, run.graph.successors)
    for node in run.graph.ids.values():
        dirty = node in run.seeds or run.changed.intersection(run.graph.predecessors[node])
        if node not in below:
            assert (node in run.began) == bool(dirty)
        for each in run.graph.predecessors[node]:
            if node in run.began and each in run.began and node not in below:
                assert run.ended[each] < run.began[node]
    assert run.frontier.left() == []
