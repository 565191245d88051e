"""The graphs that are measured, as edges between the numbers ``0 .. n - 1``, which go up."""

from __future__ import annotations

import random
from collections.abc import Callable

Edges = list[tuple[int, int]]
WIDTH = 100


def chain(n: int) -> Edges:
    """Each node feeds the next."""
    return [(number - 1, number) for number in range(1, n)]


def fan(n: int) -> Edges:
    """One source feeds all others, which feed one sink."""
    inner = range(1, n - 1)
    return [(0, number) for number in inner] + [(number, n - 1) for number in inner]


def layered(n: int, inputs: int = 3, width: int = WIDTH) -> Edges:
    """Layers, of a hundred nodes if not said; each node reads random nodes of the one before."""
    chance = random.Random(0)
    return [
        (source, number)
        for number in range(width, n)
        for source in chance.sample(
            range(number - number % width - width, number - number % width), inputs
        )
    ]


SHAPES: dict[str, Callable[[int], Edges]] = {"chain": chain, "fan": fan, "layered": layered}


def names(n: int) -> list[str]:
    """Return a name for each number."""
    return [f"n{number}" for number in range(n)]


def adjacency(n: int, edges: Edges) -> tuple[list[list[int]], list[list[int]]]:
    """Return predecessors and successors by number."""
    predecessors: list[list[int]] = [[] for _ in range(n)]
    successors: list[list[int]] = [[] for _ in range(n)]
    for source, target in edges:
        predecessors[target].append(source)
        successors[source].append(target)
    return predecessors, successors
