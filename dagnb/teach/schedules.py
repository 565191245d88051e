"""A graph on k workers: who does what when, and how long it must and may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from html import escape

from dagnb.graph.analysis import cost_to_go
from dagnb.graph.dag import DAG
from dagnb.graph.named import check_costs
from dagnb.observe.text import table
from dagnb.results import NodeResult
from dagnb.run.checks import check_dag, check_workers

MOST_WORKERS = 8  # of the table of speed-ups
WIDTH = 60  # of a chart in text, in characters


@dataclass(frozen=True, slots=True)
class Slot:
    """One node's place in a schedule; workers are numbered from 0."""

    name: str
    worker: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What any schedule on so many workers can and cannot do.

    Attributes
    ----------
    work : float
        The sum of all durations: what one worker takes.
    span : float
        The length of the critical path: what no number of workers can beat.
    workers : int

    Examples
    --------
    >>> bounds = Bounds(work=12.0, span=5.0, workers=2)
    >>> bounds.lower, bounds.upper, bounds.best_speedup
    (6.0, 8.5, 2.0)
    """

    work: float
    span: float
    workers: int

    @property
    def lower(self) -> float:
        """``max(work / k, span)``: no schedule is shorter."""
        return max(self.work / self.workers, self.span)

    @property
    def upper(self) -> float:
        """``work / k + span * (k - 1) / k``: no list schedule is longer.

        Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM J. Appl. Math. 17 (1969); the
        simpler ``work / k + span`` is known as Brent's bound (J. ACM 21, 1974).
        """
        return self.work / self.workers + self.span * (self.workers - 1) / self.workers

    def explained(self) -> list[str]:
        """Return each bound as a line: its formula, its value, and who found it.

        Examples
        --------
        >>> for line in Bounds(work=12.0, span=5.0, workers=2).explained():
        ...     print(line)
        work 12: all durations together; one worker takes as long
        span 5: the longest chain; no number of workers is faster
        at least 6: max(work / k, span)
        at most 8.5: work / k + span * (k - 1) / k (Graham 1969)
        at most 11: work / k + span, which is simpler (Brent 1974)
        """
        brent = self.work / self.workers + self.span
        return [
            f"work {_number(self.work)}: all durations together; one worker takes as long",
            f"span {_number(self.span)}: the longest chain; no number of workers is faster",
            f"at least {_number(self.lower)}: max(work / k, span)",
            f"at most {_number(self.upper)}: work / k + span * (k - 1) / k (Graham 1969)",
            f"at most {_number(brent)}: work / k + span, which is simpler (Brent 1974)",
        ]

    @property
    def best_speedup(self) -> float:
        """The most that so many workers can be faster than one: ``work / lower``."""
        return self.work / self.lower if self.lower else 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who does what when. Prints as a chart; a notebook draws it.

    Attributes
    ----------
    slots : tuple of Slot
        By start, then by worker.
    bounds : Bounds
    """

    slots: tuple[Slot, ...]
    bounds: Bounds

    @property
    def makespan(self) -> float:
        """When the last node ends."""
        return max((slot.end for slot in self.slots), default=0.0)

    @property
    def speedup(self) -> float:
        """How many times faster it is than one worker."""
        return self.bounds.work / self.makespan if self.makespan else 1.0

    def lane(self, worker: int) -> list[Slot]:
        """Return what one worker does, in order."""
        return [slot for slot in self.slots if slot.worker == worker]

    def summary(self) -> str:
        """Return one line: how long, how much faster, and how much is possible."""
        bounds = self.bounds
        return (
            f"{_workers(bounds.workers)}: {_number(self.makespan)}, {self.speedup:.2f} times as "
            f"fast as one; no schedule is shorter than {_number(bounds.lower)}"
        )

    def __str__(self) -> str:
        rows = [[str(n + 1), _bars(self, n)] for n in range(self.bounds.workers)]
        return f"{self.summary()}\n{table(['worker', f'0 to {_number(self.makespan)}'], rows)}"

    __repr__ = __str__

    def _repr_svg_(self) -> str:
        return gantt_svg(self)


def schedule(dag: DAG, durations: Mapping[str, float] | None = None, workers: int = 2) -> Schedule:
    """Return a list schedule: whenever a worker is free, it takes a node that is ready.

    Of several that are ready it takes the one with the longest way to the end of the graph, which
    is how dagnb's executors choose when they are given costs.

    Parameters
    ----------
    dag : DAG
    durations : mapping of str to float, optional
        How long each node takes, in any unit; 1 for a node that is not named.
    workers : int
        From 1 on.

    Raises
    ------
    NodeNotFoundError, TypeError, ValueError
        A duration belongs to no node, is no number, or is negative; or there are no workers.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("load", "fit").add_edge("load", "plot").build()
    >>> print(schedule(dag, {"load": 1, "fit": 4, "plot": 2}, workers=2))
    2 workers: 5, 1.40 times as fast as one; no schedule is shorter than 5
    worker  0 to 5
    1       |load-------|fit--------------------------------------------
    2       ............|plot-------------------........................
    """
    check_dag(dag)
    workers = check_workers(workers, "workers")
    costs = dag.costs_by_number(check_costs(durations))
    seconds = {node: float(costs.get(node, 1.0)) for node in dag.adjacency.ids.values()}
    to_go = cost_to_go(dag.adjacency, seconds, 1.0)
    slots = _list_schedule(dag, seconds, to_go, workers)
    span = max((to_go[node] for node in seconds), default=0.0)
    return Schedule(tuple(slots), Bounds(sum(seconds.values()), span, workers))


def measured(results: Iterable[NodeResult]) -> dict[str, float]:
    """Return how long nodes took, in seconds; 0 for those that have not run.

    Examples
    --------
    >>> from dagnb import NodeStatus
    >>> measured([NodeResult("a", NodeStatus.COMPLETED, duration_seconds=1.5)])
    {'a': 1.5}
    """
    return {str(each.name): each.duration_seconds for each in results}


def _list_schedule(
    dag: DAG, seconds: Mapping[int, float], to_go: list[float], workers: int
) -> list[Slot]:
    """Go from one end of a node to the next, and hand out what is ready."""
    graph = dag.adjacency
    waits = {node: len(graph.predecessors[node]) for node in seconds}
    ready = [(-to_go[node], node) for node, count in waits.items() if not count]
    heapify(ready)
    free, running = list(range(workers)), list[tuple[float, int, int]]()
    slots, now = [], 0.0
    while ready or running:
        while ready and free:
            node, worker = heappop(ready)[1], heappop(free)
            end = now + seconds[node]
            slots.append(Slot(graph.names[node], worker, now, end))
            heappush(running, (end, worker, node))
        now = running[0][0]
        while running and running[0][0] == now:
            _, worker, node = heappop(running)
            heappush(free, worker)
            for below in graph.successors[node]:
                waits[below] -= 1
                if not waits[below]:
                    heappush(ready, (-to_go[below], below))
    return slots


def speedups(
    dag: DAG, durations: Mapping[str, float] | None = None, most: int = MOST_WORKERS
) -> str:
    """Return a table: a line for each number of workers, with the bounds.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("load", "fit").add_edge("load", "plot").build()
    >>> print(speedups(dag, {"load": 1, "fit": 4, "plot": 2}, most=2))
    workers  takes  speed-up  at least  at most
    1        7      1.00      7         7
    2        5      1.40      5         6
    <BLANKLINE>
    takes: a list schedule; work 7, span 5
    at least: max(work / k, span)
    at most: work / k + span * (k - 1) / k   (Graham 1969)
    """
    made = [schedule(dag, durations, workers) for workers in range(1, most + 1)]
    rows = [
        [
            str(each.bounds.workers),
            _number(each.makespan),
            f"{each.speedup:.2f}",
            _number(each.bounds.lower),
            _number(each.bounds.upper),
        ]
        for each in made
    ]
    bounds = made[0].bounds
    return "\n".join(
        [
            table(["workers", "takes", "speed-up", "at least", "at most"], rows),
            "",
            f"takes: a list schedule; work {_number(bounds.work)}, span {_number(bounds.span)}",
            "at least: max(work / k, span)",
            "at most: work / k + span * (k - 1) / k   (Graham 1969)",
        ]
    )


def _bars(plan: Schedule, worker: int) -> str:
    """Return a lane of the chart in text: a bar for each node, dots where nothing is done."""
    unit = _unit(plan.makespan)
    line = ""
    for slot in plan.lane(worker):
        start, end = round(slot.start * unit), round(slot.end * unit)
        line = line.ljust(start, ".") + f"|{slot.name}"[: end - start].ljust(end - start, "-")
    return line.ljust(round(plan.makespan * unit), ".")


def _unit(makespan: float) -> float:
    """Return how many characters a unit of time has: a whole number if it can be one."""
    if not makespan:
        return 1.0
    unit = WIDTH / makespan
    return float(int(unit)) if unit >= 1 else unit


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _number(value: float) -> str:
    return f"{value:.4g}"


LANE, BAR, LEFT, ACROSS = 34, 24, 70, 620  # pixels: lane and bar height, labels, chart width


def gantt_svg(plan: Schedule) -> str:
    """Return a schedule as a picture that says in words what it shows."""
    lanes = plan.bounds.workers
    height = lanes * LANE + 30
    labels = "".join(f'<text x="4" y="{n * LANE + 21}">worker {n + 1}</text>' for n in range(lanes))
    unit = ACROSS / plan.makespan if plan.makespan else 0.0
    axis = f'<text x="{LEFT}" y="{height - 8}">0</text>' + (
        f'<text x="{LEFT + ACROSS}" y="{height - 8}" text-anchor="end">'
        f"{_number(plan.makespan)}</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{LEFT + ACROSS + 10}" '
        f'height="{height}" font-family="sans-serif" font-size="12" fill="#1f2328">'
        f"<title>{escape(plan.summary())}</title>"
        f'<rect width="100%" height="100%" rx="8" fill="#ffffff"/>{labels}'
        f"{''.join(_bar(slot, unit) for slot in plan.slots)}{axis}</svg>"
    )


def _bar(slot: Slot, unit: float) -> str:
    x, y = LEFT + slot.start * unit, slot.worker * LANE + 5
    width = (slot.end - slot.start) * unit
    shown = slot.name if len(slot.name) * 7 < width else slot.name[: int(width / 8)]
    says = f"{slot.name}: {_number(slot.start)} to {_number(slot.end)}"
    return (
        f"<g><title>{escape(says)}</title>"
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3" '
        f'fill="#cfe3f7" stroke="#1f5c99"/>'
        f'<text x="{x + 5:.1f}" y="{y + 16}" fill="#10324f">{escape(shown)}</text></g>'
    )
