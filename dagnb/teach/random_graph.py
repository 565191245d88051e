"""Random graphs, the same for the same seed, small enough to be read."""

from __future__ import annotations

from random import Random
from string import ascii_lowercase

from dagnb.graph.dag import DAG

DIFFICULTIES = {"easy": 5, "medium": 8, "hard": 12}  # nodes
MOST_INPUTS = 3
REACH = 5  # inputs are found among so many nodes before


def random_graph(random: Random, nodes: int) -> DAG:
    """Return a graph whose nodes are called ``a``, ``b``, ..., which is rarely an order of it.

    Examples
    --------
    >>> dag = random_graph(Random(1), 5)
    >>> [str(name) for name in dag], dag.edge_count() >= 3
    (['a', 'b', 'c', 'd', 'e'], True)
    """
    hidden = list(ascii_lowercase[:nodes])
    random.shuffle(hidden)
    dag = DAG()
    dag.add_nodes(sorted(hidden))
    for place, name in enumerate(hidden[1:], 1):
        before = hidden[max(place - REACH, 0) : place]
        # The node right after the first one has an input, so that no graph is without edges.
        wanted = random.choice((1, 1, 2, 2, MOST_INPUTS) if place < 3 else (0, 1, 1, 2, 2, 3))
        for each in sorted(random.sample(before, min(wanted, len(before)))):
            dag.add_edge(each, name)
    return dag
