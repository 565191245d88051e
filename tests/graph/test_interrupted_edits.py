"""Ctrl-C in an edit of a graph, wherever the interpreter can deliver it: nothing is half done."""

from __future__ import annotations

import contextlib
import dis
import functools
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import dagnb.graph.adjacency
from dagnb import DAG, CycleError, IncrementalExecutor

FOLDER = str(Path(dagnb.graph.adjacency.__file__).parent)


@functools.cache
def places(code: CodeType) -> Collection[int]:
    """Return where a pending signal is seen to: on entry, after calls, where loops go back."""
    found, called = set(), False
    for each in dis.get_instructions(code):
        if called or each.opname == "RESUME" or "BACKWARD" in each.opname:
            found.add(each.offset)
        called = each.opname.startswith("CALL")
    return found


@contextlib.contextmanager
def interrupt_at(*numbers: int) -> Iterator[list[int]]:
    """Raise ``KeyboardInterrupt`` at the places of these numbers, counted while the block runs."""
    seen = [0]

    def trace(frame: FrameType, kind: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        frame.f_trace_opcodes = True
        if kind == "opcode" and frame.f_lasti in places(frame.f_code):
            seen[0] += 1
            if seen[0] in numbers:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for it before the first event
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)


Structure = tuple[list[str], list[tuple[str, str, float | None, str | None]]]
EDGES = ["ba", "cb", "dc", "ea", "fb", "ge", "gh", "ch", "ih", "di"]  # from each first to second


def graph() -> DAG:
    """Return a graph of nine nodes, most edges of which go against the order of addition."""
    dag = DAG()
    dag.add_nodes(list("abcdefghi"))
    for source, target in EDGES:
        dag.add_edge(source, target, weight=1.0 if source == "c" else None)
    return dag


def structure(dag: DAG) -> Structure:
    """Return nodes and edges, each in the order of addition, with the data of the edges."""
    edges = [(str(a), str(b), *dag.edge_data(a, b)) for a, b in dag.edges()]
    return [str(name) for name in dag.nodes()], edges


def check(dag: DAG) -> None:
    """Compare with a graph that was built at once, and go on editing both."""
    nodes, edges = structure(dag)
    other = DAG()
    other.add_nodes(nodes)
    other.add_edges(edges)
    for name in nodes:
        assert dag.successors(name) == other.successors(name)
        assert dag.predecessors(name) == other.predecessors(name)
    assert dag.topological_sort() == other.topological_sort()
    for source, target in zip(nodes, nodes[3:] + nodes[:3], strict=True):
        assert links(dag, source, target) == links(other, source, target)
    assert dag.add_node("last").epoch > max((each.epoch for each in dag.nodes()[:-1]), default=-1)
    dag.add_edge("last", nodes[0])
    other.add_node("last")
    other.add_edge("last", nodes[0])
    assert dag.topological_sort() == other.topological_sort()


def links(dag: DAG, source: str, target: str) -> bool:
    """Add an edge, if that closes no cycle."""
    try:
        dag.add_edge(source, target)
    except CycleError:
        return False
    return True


def crowd(dag: DAG) -> None:
    """Use a gap between two nodes up, so that others are moved on."""
    labels = dag.adjacency.order_kept.labels
    for node in range(1, len(labels)):
        labels[node] = labels[0] + node
    dag.add_edge("a", "h")


EDITS: dict[str, Callable[[DAG], object]] = {
    "a node": lambda dag: dag.add_node("x"),
    "nodes": lambda dag: dag.add_nodes(["x", "y", "z"]),
    "an edge": lambda dag: dag.add_edge("d", "a"),
    "an edge that moves what is above it": lambda dag: dag.add_edge("i", "g"),
    "an edge that moves what is below it": lambda dag: dag.add_edge("a", "d"),
    "an edge where it is narrow": crowd,
    "edges": lambda dag: dag.add_edges([("d", "a"), ("i", "f"), ("f", "g"), ("e", "c")]),
    "an edge with a label": lambda dag: dag.add_edge("d", "a", label="x"),
    "edges with weights": lambda dag: dag.add_edges([("d", "a", 1.0), ("c", "b", 2.0), ("c", "h")]),
    "an edge less": lambda dag: dag.remove_edge("c", "b"),
    "a node less": lambda dag: dag.remove_node("b"),
    "nodes less": lambda dag: dag.remove_nodes(["h", "b", "c"]),
    "numbering anew": lambda dag: dag.adjacency.compact(),
}


def outcomes(edit: Callable[[DAG], object]) -> list[Structure]:
    """Return the structure before an edit, and after it."""
    dag = graph()
    before = structure(dag)
    with contextlib.suppress(CycleError):
        edit(dag)
    return [before, structure(dag)]


def number_of_places(edit: Callable[[DAG], object]) -> int:
    """Count where an edit can be interrupted."""
    dag = graph()
    with interrupt_at() as seen, contextlib.suppress(CycleError):
        edit(dag)
    return seen[0]


@pytest.mark.parametrize("kind", EDITS)
def test_an_interrupted_edit_is_made_or_not(kind: str) -> None:
    """Whole or not at all, and the graph goes on working."""
    edit, allowed = EDITS[kind], outcomes(EDITS[kind])
    count = number_of_places(edit)
    assert count > 1
    for place in range(1, count + 1):
        dag = graph()
        with contextlib.suppress(KeyboardInterrupt, CycleError), interrupt_at(place):
            edit(dag)
        assert structure(dag) in allowed
        check(dag)


@pytest.mark.parametrize("kind", ["an edge that moves what is above it", "nodes less"])
def test_two_interrupts_in_a_row(kind: str) -> None:
    """The second arrives while what the first left is mended."""
    edit, allowed = EDITS[kind], outcomes(EDITS[kind])
    for place in range(1, number_of_places(edit) + 1):
        for later in (5, 20):
            dag = graph()
            with contextlib.suppress(KeyboardInterrupt), interrupt_at(place, place + later):
                edit(dag)
            assert structure(dag) in allowed
            check(dag)


@pytest.mark.parametrize("kind", ["an edge", "an edge less", "edges", "a node less"])
def test_an_executor_sees_what_an_interrupted_edit_did(kind: str) -> None:
    """The nodes whose inputs changed run, if they did change."""
    for place in range(1, number_of_places(EDITS[kind]) + 1):
        dag = graph()
        executor = IncrementalExecutor(dag)
        tasks = {name: lambda *inputs, name=name: (name, *inputs) for name in "abcdefghi"}
        executor.execute(tasks)
        with contextlib.suppress(KeyboardInterrupt), interrupt_at(place):
            EDITS[kind](dag)
        tasks = {name: tasks[name] for name in structure(dag)[0]}
        result = executor.execute(tasks, changed_nodes=[])
        plain = IncrementalExecutor(dag).execute(tasks)
        assert [each.result for each in result.node_results.values()] == [
            each.result for each in plain.node_results.values()
        ]
