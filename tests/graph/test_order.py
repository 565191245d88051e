from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb import DAG, CycleError
from dagnb.graph.adjacency import Adjacency
from dagnb.graph.order import canonical_order

Edge = tuple[str, str]


def smallest_order(names: list[str], edges: set[Edge]) -> list[str]:
    """Order by brute force: of all names without an open input, the one added first."""
    left, order = list(names), []
    while left:
        ready = [n for n in left if not any(b == n and a in left for a, b in edges)]
        order.append(ready[0])
        left.remove(ready[0])
    return order


def reachable(start: str, edges: set[Edge]) -> set[str]:
    """Return what can be reached from ``start``, itself included, by repeated passes."""
    found = {start}
    while more := {b for a, b in edges if a in found} - found:
        found |= more
    return found


names = st.sampled_from([f"n{number}" for number in range(7)])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), names),
        st.tuples(st.just("remove"), names),
        st.tuples(st.just("link"), names, names),
        st.tuples(st.just("link"), names, names),
        st.tuples(st.just("link"), names, names),
        st.tuples(st.just("unlink"), names, names),
        st.tuples(st.just("compact")),
        st.tuples(st.just("look")),
    ),
    max_size=40,
)


@given(steps)
def test_the_kept_order_is_the_smallest_after_any_edits(edits: list[tuple[str, ...]]) -> None:
    """Order, positions, neighbours and cycles agree with brute force at every step."""
    dag, nodes, edges = DAG(), [], []
    for step in edits:
        apply(dag, nodes, edges, step)
        if step[0] == "look":
            check(dag, nodes, set(edges))
    check(dag, nodes, set(edges))


def apply(dag: DAG, nodes: list[str], edges: list[Edge], step: tuple[str, ...]) -> None:
    """Make the same edit in the graph and in the lists, if it is a legal one."""
    kind, *ends = step
    if kind == "compact":
        dag.adjacency.compact()
    elif kind == "add" and ends[0] not in nodes:
        if len(nodes) % 2:
            dag.add_node(ends[0])
        else:
            dag.add_nodes([ends[0]])
        nodes.append(ends[0])
    elif kind == "remove" and ends[0] in nodes:
        dag.remove_node(ends[0])
        nodes.remove(ends[0])
        edges[:] = [edge for edge in edges if ends[0] not in edge]
    elif kind == "unlink" and tuple(ends) in edges:
        dag.remove_edge(*ends)
        edges.remove(tuple(ends))
    elif kind == "link" and set(ends) <= set(nodes):
        link(dag, edges, *ends, bulk=len(edges) % 2 == 0)


def link(dag: DAG, edges: list[Edge], source: str, target: str, *, bulk: bool) -> None:
    """Add an edge, or see it refused with a path that is a cycle indeed."""
    if source in reachable(target, set(edges)):
        before = dag.edges()
        with pytest.raises(CycleError) as caught:
            dag.add_edges([*edges, (source, target)])
        assert dag.edges() == before
        path = caught.value.path
        assert path[0] == path[-1]
        closed = {*edges, (source, target)}
        assert all(pair in closed for pair in itertools.pairwise(path))
        assert (source, target) in itertools.pairwise(path)
    else:
        if bulk:
            dag.add_edges([(source, target), *edges])
        else:
            dag.add_edge(source, target)
        if (source, target) not in edges:
            edges.append((source, target))


def check(dag: DAG, nodes: list[str], edges: set[Edge]) -> None:
    """Compare all that can be asked about the structure."""
    graph = dag.adjacency
    labels = [graph.order_kept.labels[graph.ids[name]] for name in nodes]
    assert len(set(labels)) == len(labels)
    for a, b in edges:
        below, above = graph.order_kept.labels[graph.ids[a]], graph.order_kept.labels[graph.ids[b]]
        assert below < above
    order = smallest_order(nodes, edges)
    assert dag.topological_sort() == order
    assert [graph.positions[graph.ids[name]] for name in order] == list(range(len(order)))
    assert dag.nodes() == nodes
    assert set(dag.edges()) == edges
    for name in nodes:
        assert set(dag.successors(name)) == {b for a, b in edges if a == name}
        assert set(dag.predecessors(name)) == {a for a, b in edges if b == name}
        assert set(dag.descendants(name)) == reachable(name, edges) - {name}


@pytest.mark.parametrize("seed", range(3))
def test_many_edges_in_random_order(seed: int) -> None:
    """A few hundred nodes with edges along a hidden order, crowding labels and all."""
    chance = random.Random(seed)
    size = 300
    hidden = list(range(size))
    chance.shuffle(hidden)
    graph = Adjacency()
    for number in range(size):
        graph.add(str(number))
    for _ in range(4 * size):
        low, high = sorted(chance.sample(range(size), 2))
        assert graph.link(hidden[low], hidden[high]) is None
        if chance.random() < 0.1:
            assert graph.link(hidden[high], hidden[low]) is not None
    for number, below in enumerate(graph.successors):
        assert all(graph.order_kept.labels[number] < graph.order_kept.labels[b] for b in below)
    degrees = [len(above) for above in graph.predecessors]
    assert graph.order == canonical_order(range(size), graph.successors, degrees)


def test_labels_are_spread_when_a_gap_is_full() -> None:
    """Edges that always move a node into the same gap do not run out of labels."""
    graph = Adjacency()
    for number in range(202):
        graph.add(str(number))
    for number in range(201, 1, -1):  # each has to move before node 1, after the last that did
        assert graph.link(number, 1) is None
        assert graph.link(0, number) is None
    assert graph.order == [0, *range(2, 202), 1]


class Counted(list[int]):
    """A list of neighbours that counts how often it is gone through."""

    looks = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        """Count, and iterate."""
        Counted.looks += 1
        return super().__iter__()


@pytest.mark.parametrize("direction", ["grow at the front", "grow at the end", "from the middle"])
def test_a_chain_against_the_order_of_addition_is_linear(direction: str) -> None:
    """However a chain is put together, each edge looks at a few nodes."""
    size = 100_000 if direction == "grow at the front" else 20_000
    graph = Adjacency()
    for number in range(size):
        graph.add(str(number))
    graph.successors[:] = [Counted() for _ in range(size)]
    graph.predecessors[:] = [Counted() for _ in range(size)]
    sources = {
        "grow at the front": range(1, size),
        "grow at the end": range(size - 1, 0, -1),
        "from the middle": sorted(range(1, size), key=lambda number: abs(number - size // 2)),
    }[direction]
    Counted.looks = 0
    for source in sources:
        assert graph.link(source, source - 1) is None
    assert Counted.looks <= 3 * size
    assert graph.order == list(range(size - 1, -1, -1))


def test_a_cycle_of_100_000_is_found_without_recursion() -> None:
    """The path of the longest cycle is complete."""
    size = 100_000
    dag = DAG()
    dag.add_nodes([str(number) for number in range(size)])
    dag.add_edges([(str(number), str(number + 1)) for number in range(size - 1)])
    with pytest.raises(CycleError) as caught:
        dag.add_edge(str(size - 1), "0")
    assert len(caught.value.path) == size + 1


def test_nodes_added_one_by_one_or_at_once_have_the_next_places() -> None:
    """Whether their numbers are their places or not, and whoever has asked before."""
    for edges in [("a", "b")], [("b", "a")]:
        dag = DAG()
        dag.add_nodes(["a", "b"])
        dag.add_edges(edges)
        graph, first = dag.adjacency, [source for source, _ in edges]
        assert graph.positions[graph.ids[first[0]]] == 0
        dag.add_node("c")
        dag.add_nodes(["d", "e"])
        assert graph.positions[2:] == [2, 3, 4]
        assert [graph.positions[node] for node in graph.order] == list(range(5))
