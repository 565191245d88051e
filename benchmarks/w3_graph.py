"""W3: what a graph of three edges a node costs: to build, to order, to edit, to ask."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import floors, peers
from benchmarks.measure import Measurement, Prepare, compare, main
from benchmarks.shapes import Edges, adjacency, layered, names
from benchmarks.w1_scheduling import graph
from dagnb import DAG

SIZES = (100_000,)
LEAST = 1_000
EDITS = 200
TARGETS = {  # times the reference
    "build, one by one": ("networkx", 0.50),
    "build, in bulk": ("networkx", 0.30),
    "topological order, anew": ("floor", 1.18),
    "topological order, kept": ("floor", 0.10),
    "add an edge": ("floor", 3.1),
    "add an edge that reorders": ("floor", 3.0),
    "ten descendants": ("floor", 2.7),
}
Candidates = dict[str, Prepare]


def build(n: int, edges: Edges, chosen: Sequence[str] | None, *, bulk: bool) -> Candidates:
    """Names and edges, one call each or one call for all."""
    known = names(n)
    pairs = [(known[source], known[target]) for source, target in edges]

    def built(dag: Any) -> Any:
        if bulk:
            dag.add_nodes(known)
            dag.add_edges(pairs)
            return dag
        for name in known:
            dag.add_node(name)
        for source, target in pairs:
            dag.add_edge(source, target)
        return dag

    found: Candidates = {
        "floor": lambda: lambda: adjacency(n, edges),
        "floor with names": lambda: lambda: built(floors.NamedLists()),
        "dagnb": lambda: lambda: built(DAG()),
    }
    if peers.wanted("dagron", chosen) and peers.load("dagron") is not None and not bulk:
        found["dagron"] = lambda: lambda: peers.dagron_graph(n, edges)
    if peers.wanted("networkx", chosen) and (networkx := peers.load("networkx")) is not None:
        found["networkx"] = lambda: lambda: networkx_graph(networkx, known, pairs)
    if peers.wanted("rustworkx", chosen) and (rustworkx := peers.load("rustworkx")) is not None:
        found["rustworkx"] = lambda: lambda: rustworkx_graph(rustworkx, known, edges)
    return found


def networkx_graph(networkx: Any, known: list[str], pairs: list[tuple[str, str]]) -> Any:
    """Return a networkx graph."""
    made = networkx.DiGraph()
    made.add_nodes_from(known)
    made.add_edges_from(pairs)
    return made


def rustworkx_graph(rustworkx: Any, known: list[str], edges: Edges) -> Any:
    """Return a rustworkx graph."""
    made = rustworkx.PyDiGraph()
    made.add_nodes_from(known)
    made.add_edges_from_no_data(edges)
    return made


def order(n: int, edges: Edges, chosen: Sequence[str] | None, *, anew: bool) -> Candidates:
    """All nodes, dependencies first, after an edit that keeps no order, or after none."""
    predecessors, successors = adjacency(n, edges)
    dag = graph(n, edges)
    last = f"n{edges[-1][0]}", f"n{edges[-1][1]}"

    def ours() -> Callable[[], Any]:
        if anew:
            dag.remove_edge(*last)
            dag.add_edge(*last)
            return lambda: dag.adjacency.order
        dag.topological_sort()
        return lambda: dag.adjacency.order

    found: Candidates = {
        "floor": lambda: lambda: floors.topological_order(predecessors, successors),
        "dagnb": ours,
    }
    if not anew:
        return found
    if peers.wanted("dagron", chosen) and peers.load("dagron") is not None:
        peer = peers.dagron_graph(n, edges)
        found["dagron"] = lambda: peer.topological_sort
    if peers.wanted("networkx", chosen) and (networkx := peers.load("networkx")) is not None:
        known = names(n)
        made = networkx_graph(networkx, known, [(known[a], known[b]) for a, b in edges])
        found["networkx"] = lambda: lambda: list(networkx.topological_sort(made))
    if peers.wanted("rustworkx", chosen) and (rustworkx := peers.load("rustworkx")) is not None:
        rust = rustworkx_graph(rustworkx, names(n), edges)
        found["rustworkx"] = lambda: lambda: rustworkx.topological_sort(rust)
    return found


def new_edges(n: int, edges: Edges, *, reorder: bool) -> Edges:
    """Return edges to add: along the numbers, or within a layer and against them."""
    chance, known = random.Random(1), set(edges)
    made: Edges = []
    while len(made) <= EDITS:
        low = chance.randrange(n - 2)
        high = (
            chance.randrange(low + 1, min(low + 50, n)) if reorder else chance.randrange(low + 1, n)
        )
        if reorder and low // 100 != high // 100:
            continue
        pair = (high, low) if reorder else (low, high)
        if pair not in known and (pair[1], pair[0]) not in known:
            made.append(pair)
            known.add(pair)
    return made


def edit(n: int, edges: Edges, chosen: Sequence[str] | None, *, reorder: bool) -> Candidates:
    """Add edges, each checked for a cycle, to a graph that has just been made."""
    new = new_edges(n, edges, reorder=reorder)
    text = [(f"n{source}", f"n{target}") for source, target in new]

    def floor() -> Callable[[], Any]:
        kept = floors.KeptOrder(*adjacency(n, edges))
        kept.link(*new[0])
        return lambda: [kept.link(source, target) for source, target in new[1:]]

    def ours() -> Callable[[], Any]:
        dag = graph(n, edges)
        dag.add_edge(*text[0])  # what the first reordering edge sets up is paid once a graph

        def add() -> None:
            for source, target in text[1:]:
                dag.add_edge(source, target)

        return add

    return {"floor": floor, "dagnb": ours}


def reach(n: int, edges: Edges, chosen: Sequence[str] | None) -> Candidates:
    """The descendants of a node that has about ten."""
    from benchmarks.w2_incremental import edges_of

    edges, (node, *_) = edges_of("ten affected", n)
    _, successors = adjacency(n, edges)
    dag, name = graph(n, edges), f"n{node}"
    found: Candidates = {
        "floor": lambda: lambda: [floors.descendants(node, successors) for _ in range(EDITS)],
        "dagnb": lambda: lambda: [dag.descendants(name) for _ in range(EDITS)],
    }
    dag.descendants(name)
    if peers.wanted("dagron", chosen) and peers.load("dagron") is not None:
        peer = peers.dagron_graph(n, edges)
        found["dagron"] = lambda: lambda: [peer.descendants(name) for _ in range(EDITS)]
    return found


def workloads(n: int, chosen: Sequence[str] | None) -> dict[str, tuple[Candidates, str, int]]:
    """Return the candidates of each workload, its unit, and how many units a turn takes."""
    edges = layered(n)
    return {
        "build, one by one": (build(n, edges, chosen, bulk=False), "graph", 1),
        "build, in bulk": (build(n, edges, chosen, bulk=True), "graph", 1),
        "topological order, anew": (order(n, edges, chosen, anew=True), "order", 1),
        "topological order, kept": (order(n, edges, chosen, anew=False), "order", 1),
        "add an edge": (edit(n, edges, chosen, reorder=False), "edge", EDITS),
        "add an edge that reorders": (edit(n, edges, chosen, reorder=True), "edge", EDITS),
        "ten descendants": (reach(n, edges, chosen), "query", EDITS),
    }


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure all workloads in all sizes."""
    measurements: list[Measurement] = []
    for n in sizes:
        for workload, (found, unit, units) in workloads(n, chosen).items():
            reference, ratio = TARGETS[workload]
            goal = {"dagnb": ratio} if reference in found else {}
            measurements += compare(
                f"W3 {workload}", n, found, unit=unit, units=units, targets=goal,
                reference=reference if reference in found else "floor", rounds=rounds,
            )  # fmt: skip
    return measurements


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
