"""How many orders a graph has, and whether it matters which one is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from random import Random
from typing import Any

from dagnb.errors import UncacheableValue
from dagnb.graph.dag import DAG
from dagnb.observe.text import listed
from dagnb.results import NodeResult
from dagnb.run.checks import check_dag, check_tasks, check_workers
from dagnb.run.incremental import IncrementalExecutor
from dagnb.values.fingerprint import digest

MOST_SETS = 100_000  # of nodes that may have run at one time; more are not gone through
SAMPLES = 1000

Tasks = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class OrderCount:
    """How many topological orders a graph has.

    Attributes
    ----------
    number : int
    exact : bool
        Whether they were counted; else the number is an estimate.
    """

    number: int
    exact: bool

    def __str__(self) -> str:
        size = f"{self.number:,}" if self.number < 10**15 else f"10^{log10(self.number):.1f}"
        if self.exact:
            return f"{size} order{'' if self.number == 1 else 's'}"
        return f"about {size} orders (an estimate from {SAMPLES} random ones)"

    __repr__ = __str__


def count_orders(dag: DAG, seed: int = 0) -> OrderCount:
    """Count the topological orders of a graph.

    They are counted by going through the sets of nodes that may have run at one time; there are
    few of them in small and in narrow graphs. Counting is #P-complete in general (Brightwell and
    Winkler 1991), so of other graphs the number is estimated: the mean, over random orders, of
    the product of how many nodes were ready at each step (Knuth 1975, "Estimating the efficiency
    of backtrack programs"). That is right on average, and may be far off.

    Parameters
    ----------
    dag : DAG
    seed : int
        Of the random orders.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("a", "b").add_edge("a", "c").add_edge("b", "d").build()
    >>> count_orders(dag)
    3 orders
    """
    levels = _Sets(dag).levels()
    if levels is not None:
        return OrderCount(next(iter(levels[-1].values())), exact=True)
    random, sets = Random(seed), _Sets(dag)
    return OrderCount(sum(sets.walk(random)[1] for _ in range(SAMPLES)) // SAMPLES, exact=False)


def random_orders(dag: DAG, seed: int = 0) -> Iterator[list[str]]:
    """Yield topological orders, forever.

    Each is as likely as any other if they can be counted (see `count_orders`). Of other graphs
    each step takes one of the nodes that are ready, which makes some orders likelier than others.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("a", "c").add_edge("b", "c").build()
    >>> orders = random_orders(dag)
    >>> sorted({tuple(next(orders)) for _ in range(100)})
    [('a', 'b', 'c'), ('b', 'a', 'c')]
    """
    sets, random = _Sets(dag), Random(seed)
    levels = sets.levels()
    while True:
        yield sets.walk(random)[0] if levels is None else sets.draw(levels, random)


class _Sets:
    """The sets of nodes that may have run at one time, as bits of a number."""

    def __init__(self, dag: DAG) -> None:
        check_dag(dag)
        self.names = [str(name) for name in dag.nodes()]
        place = {name: number for number, name in enumerate(self.names)}
        self.below = [[place[str(n)] for n in dag.successors(name)] for name in self.names]
        self.needs = [
            sum(1 << place[str(each)] for each in dag.predecessors(n)) for n in self.names
        ]

    def ready(self, done: int) -> list[int]:
        """Return the places of the nodes that may come next."""
        return [
            place
            for place, needs in enumerate(self.needs)
            if not done >> place & 1 and needs & done == needs
        ]

    def levels(self) -> list[dict[int, int]] | None:
        """Return, by size, each set with the number of orders that lead to it; None if too many."""
        levels, seen = [{0: 1}], 1
        for _ in self.names:
            level: dict[int, int] = {}
            for done, count in levels[-1].items():
                for place in self.ready(done):
                    level[done | 1 << place] = level.get(done | 1 << place, 0) + count
                if seen + len(level) > MOST_SETS:
                    return None
            levels.append(level)
            seen += len(level)
        return levels

    def draw(self, levels: Sequence[Mapping[int, int]], random: Random) -> list[str]:
        """Return an order, each with the same probability: from its end to its beginning."""
        order: list[str] = []
        done = (1 << len(self.names)) - 1
        for level in reversed(levels[:-1]):
            before = [
                p for p in range(len(self.names)) if done & ~(1 << p) in level and done >> p & 1
            ]
            counts = [level[done & ~(1 << place)] for place in before]
            [place] = random.choices(before, counts)
            order.append(self.names[place])
            done &= ~(1 << place)
        return order[::-1]

    def walk(self, random: Random) -> tuple[list[str], int]:
        """Return an order, and the product of how many nodes there were to choose from."""
        waits = [needs.bit_count() for needs in self.needs]
        ready = [place for place, count in enumerate(waits) if not count]
        order, product = [], 1
        while ready:
            product *= len(ready)
            place = ready.pop(random.randrange(len(ready)))
            order.append(self.names[place])
            for below in self.below[place]:
                waits[below] -= 1
                if not waits[below]:
                    ready.append(below)
        return order, product


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of running a graph in several orders.

    Attributes
    ----------
    orders : tuple of list of str
        The different orders that were run.
    differing : mapping of str to tuple of list of str
        The nodes whose values depend on the order, each with two orders that tell.
    unknown : tuple of str
        The nodes whose values have no digest, and cannot be compared.
    """

    orders: tuple[list[str], ...]
    differing: Mapping[str, tuple[list[str], list[str]]]
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        ran = f"{len(self.orders)} different order{'' if len(self.orders) == 1 else 's'}"
        lines = [f"every value is the same in {ran}"]
        if self.differing:
            first = next(iter(self.differing))
            one, other = (", ".join(order) for order in self.differing[first])
            lines = [
                f"in {ran}, {listed(list(self.differing))} did not come out the same",
                f"{first} has one value after {one}",
                f"and another after {other}",
            ]
        if self.unknown:
            lines.append(f"not compared, since their values have no digest: {listed(self.unknown)}")
        return "\n".join(lines)

    __repr__ = __str__


def compare_orders(dag: DAG, tasks: Tasks, times: int = 10, seed: int = 0) -> Comparison:
    """Run a graph in random orders, and compare the values at the end.

    Parameters
    ----------
    dag : DAG
    tasks : mapping of str to callable
        As for the executors. Each is called once for each order, with all that it does.
    times : int
        How many orders to draw; those that come twice are run once.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("rows", "total").add_edge("rows", "sorted").build()
    >>> tasks = {"rows": lambda: [3, 1], "total": lambda rows: sum(rows)}
    >>> compare_orders(dag, tasks | {"sorted": lambda rows: sorted(rows)})
    every value is the same in 2 different orders
    """
    check_dag(dag)
    check_tasks(dag, tasks)
    drawn = zip(range(check_workers(times, "times")), random_orders(dag, seed), strict=False)
    orders = list({tuple(order): order for _, order in drawn}.values())
    found = [_digests(dag, tasks, order) for order in orders]
    differing, unknown = {}, []
    for name in map(str, dag.topological_sort()):
        seen = [each[name] for each in found]
        other = next((n for n, each in enumerate(seen) if each != seen[0]), 0)
        if None in seen:
            unknown.append(name)
        elif other:
            differing[name] = orders[0], orders[other]
    return Comparison(tuple(orders), differing, tuple(unknown))


def _digests(dag: DAG, tasks: Tasks, order: Sequence[str]) -> dict[str, str | None]:
    """Run in an order, which a graph has whose nodes were added in it."""
    same = DAG()
    same.add_nodes(order)
    same.add_edges([(str(source), str(target)) for source, target in dag.edges()])
    results = IncrementalExecutor(same, fail_fast=False).execute(tasks).node_results
    return {name: _digest(results[name]) for name in order}


def _digest(result: NodeResult) -> str | None:
    """Name what a node came to; None for a value that cannot be named."""
    if not result.status.is_success:
        return f"{result.status.value}: {result.error!r}"
    try:
        return digest(result.result)
    except UncacheableValue:
        return None
