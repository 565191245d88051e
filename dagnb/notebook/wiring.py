"""Edits of a notebook's graph: nodes get the inputs that follow from their code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dagnb.graph.dag import DAG
from dagnb.graph.edit import Expansion

Edge = tuple[str, str]


def rewire(dag: DAG, wanted: Mapping[str, Sequence[str]], gone: Sequence[str] = ()) -> Expansion:
    """Give nodes these inputs and no others, and remove some nodes: all of it or nothing.

    Parameters
    ----------
    dag : DAG
    wanted : mapping of str to list of str
        The inputs of each node that is to be looked at; one that does not exist is added.
    gone : list of str
        The nodes to remove.

    Returns
    -------
    Expansion
        What was done to the graph.

    Raises
    ------
    CycleError
        The edges would close a cycle.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("a", "b").build()
    >>> done = rewire(dag, {"b": ["c"], "c": []}, gone=["a"])
    >>> [str(name) for name in done.added], sorted(dag.edges())
    (['c'], [('c', 'b')])
    """
    graph, edits = dag.adjacency, len(dag.adjacency.edited)
    before = {name: dag.predecessors(name) for name in wanted if name in dag}
    cut = list(dict.fromkeys([*_outdated(before, wanted), *_edges_of(dag, gone)]))
    edges = [
        (source, name)
        for name, inputs in wanted.items()
        for source in inputs
        if source not in before.get(name, ())
    ]
    numbers = [(graph.ids[source], graph.ids[target]) for source, target in cut]
    new = [name for name in wanted if name not in before]
    try:
        added = dag.add_nodes(new) if new else []  # an edit that changes nothing would count as one
        for edge in cut:
            dag.remove_edge(*edge)
        if edges:
            dag.add_edges(edges)
    except BaseException:
        _take_back(dag, new, cut)
        del graph.edited[edits:]  # the inputs of every node are what they were
        raise
    ids = [graph.ids[name] for name in gone]
    if gone:
        dag.remove_nodes(gone)
    linked = [(graph.ids[source], graph.ids[target]) for source, target in edges]
    return Expansion(added, linked, [], ids, numbers)


def _outdated(
    before: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]]
) -> Iterator[Edge]:
    for name, inputs in before.items():
        kept = set(wanted[name])
        yield from ((str(each), name) for each in inputs if each not in kept)


def _edges_of(dag: DAG, names: Sequence[str]) -> Iterator[Edge]:
    for name in names:
        yield from ((str(each), name) for each in dag.predecessors(name))
        yield from ((name, str(each)) for each in dag.successors(name))


def _take_back(dag: DAG, new: Sequence[str], cut: Sequence[Edge]) -> None:
    """Undo an edit that is refused, or was interrupted somewhere."""
    dag.remove_nodes([name for name in new if name in dag])
    dag.add_edges([edge for edge in cut if not dag.has_edge(*edge)])
