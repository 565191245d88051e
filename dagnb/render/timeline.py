"""A run as a timeline, a lane for each worker, and as the frames of a replay: data, no pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagnb.graph.analysis import critical_path
from dagnb.graph.dag import DAG
from dagnb.observe.text import seconds, table
from dagnb.render.recording import Moment, Recording, Work
from dagnb.render.view import NodeView

_SELF = "main"
_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class Lane:
    """What one worker did, in its order; nothing overlaps."""

    worker: str
    bars: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the nodes of a run ran, and where.

    Attributes
    ----------
    seconds : float
    lanes : tuple of Lane
        By the name of the worker.
    marks : tuple of Work
        The nodes that settled without their task being called, in their order.
    critical_path : tuple of str
        The executed nodes of the longest chain: no number of workers makes the run shorter.
    critical_seconds : float
        Its length.
    """

    seconds: float
    lanes: tuple[Lane, ...]
    marks: tuple[Work, ...]
    critical_path: tuple[str, ...]
    critical_seconds: float

    def __str__(self) -> str:
        """A line for each node that ran, with its bar; those on the critical path are solid."""
        bars = sorted((bar for lane in self.lanes for bar in lane.bars), key=lambda bar: bar.start)
        names = [(bar, bar.worker or _SELF) for bar in bars]
        rows = [
            [bar.name, worker, seconds(bar.end - bar.start), self._drawn(bar)]
            for bar, worker in names
        ]
        path = f"critical path {seconds(self.critical_seconds)}: {' -> '.join(self.critical_path)}"
        if not rows:
            return "no node ran"
        return f"{table(['node', 'worker', 'took', ''], rows)}\n{path}"

    def _drawn(self, bar: Work) -> str:
        scale = _COLUMNS / max(self.seconds, 1e-9)
        begin, end = round(bar.start * scale), round(bar.end * scale)
        mark = "\u2588" if bar.name in self.critical_path else "\u2591"
        return " " * min(begin, _COLUMNS - 1) + mark * max(end - begin, 1)

    def as_dict(self) -> dict[str, object]:
        """Return it ready for JSON; a bar is name, status, start and end."""
        return {
            "seconds": self.seconds,
            "lanes": [
                {"worker": lane.worker, "bars": [_compact(each) for each in lane.bars]}
                for lane in self.lanes
            ],
            "marks": [_compact(each) for each in self.marks],
            "critical": list(self.critical_path),
            "critical_seconds": self.critical_seconds,
        }


def timeline(recording: Recording, dag: DAG) -> Timeline:
    """Return the timeline of a run. A node that ran in two rounds has two bars.

    Parameters
    ----------
    recording : Recording
    dag : DAG
        The graph that ran; a node that is gone from it has its bar, and is on no path.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("raw", "clean").build()
    >>> raw = Work("raw", "completed", 0.0, 1.0, executed=True)
    >>> clean = Work("clean", "completed", 1.0, 3.0, executed=True)
    >>> moments = [Moment(each.end, "", {}, each) for each in (raw, clean)]
    >>> made = timeline(Recording(0.0, {}, tuple(moments)), dag)
    >>> made.critical_path, made.critical_seconds, [lane.worker for lane in made.lanes]
    (('raw', 'clean'), 3.0, ['main'])
    """
    works = [each.work for each in recording.moments if each.work is not None]
    bars = [each for each in works if each.executed]
    path, length = _longest(bars, dag)
    marks = tuple(each for each in works if not each.executed)
    return Timeline(recording.seconds, _lanes(bars), marks, path, length)


def _longest(bars: Iterable[Work], dag: DAG) -> tuple[tuple[str, ...], float]:
    """Return the executed nodes of the chain that took longest, and how long it took."""
    took: dict[int, float] = {}
    for bar in bars:
        if bar.name in dag:
            node = dag.number(bar.name)
            took[node] = took.get(node, 0.0) + bar.end - bar.start
    if not took:
        return (), 0.0
    path, length = critical_path(dag.adjacency, took, 0.0)
    return tuple(dag.adjacency.names[node] for node in path if node in took), length


def _lanes(bars: Iterable[Work]) -> tuple[Lane, ...]:
    """Give each worker a lane, and another where a task of its own was given up and went on."""
    lanes: dict[str, list[Work]] = {}
    for bar in sorted(bars, key=lambda each: each.start):
        worker, number = bar.worker or _SELF, 1
        lane = worker
        while lane in lanes and lanes[lane][-1].end > bar.start + 1e-9:
            number += 1
            lane = f"{worker} ({number})"
        lanes.setdefault(lane, []).append(bar)
    return tuple(Lane(worker, tuple(lanes[worker])) for worker in sorted(lanes, key=_natural))


def _natural(worker: str) -> list[tuple[int, str]]:
    """Sort ``dagnb-10`` behind ``dagnb-9``."""
    return [
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", worker)
    ]


def frames(recording: Recording, now: Mapping[str, NodeView]) -> dict[str, object]:
    """Return the frames of a replay, ready for JSON: the state before, and what each moment adds.

    Parameters
    ----------
    recording : Recording
    now : mapping of str to NodeView
        The nodes of the graph that is drawn; others are left out.

    Returns
    -------
    dict
        ``before``, the facts of each node before the run, and ``moments``, each with ``at``
        (seconds), ``said`` and ``nodes``, the new facts; null for a node that is not there.
    """
    began = recording.began
    first = recording.at(0, now)
    return {
        "before": {name: _facts(first.get(name), began) for name in now},
        "moments": [_frame(each, now, began) for each in recording.moments],
    }


def _frame(moment: Moment, now: Mapping[str, NodeView], began: float) -> dict[str, object]:
    shown = {name: node for name, node in moment.nodes.items() if name in now}
    changed = {name: _facts(node, began) for name, node in shown.items()}
    return {"at": round(moment.at, 6), "said": moment.said, "nodes": changed}


def _facts(node: NodeView | None, began: float) -> dict[str, object] | None:
    """Return what is shown of a node; its start counts from the run's, which is what moves."""
    if node is None:
        return None
    facts = node.as_dict()
    facts.pop("started", None)
    if node.status == "running":
        facts["started"] = round(node.started - began, 6)
    return facts


def _compact(work: Work) -> list[object]:
    return [work.name, work.status, round(work.start, 6), round(work.end, 6)]
