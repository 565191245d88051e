"""A run as it was shown: what changed on the graph, moment by moment, and who was busy when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from dagnb.events import (
    Event,
    GraphEdited,
    NodePlaced,
    NodeSettled,
    NodesStale,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from dagnb.render.look import WORDS
from dagnb.render.view import GraphView, NodeView, display_status
from dagnb.results import NodeResult

Nodes = Mapping[str, NodeView | None]


@dataclass(frozen=True, slots=True)
class Work:
    """What became of one node, and when; seconds are since the run began.

    Attributes
    ----------
    name : str
    status : str
        As it is shown.
    start, end : float
        The same for a node whose task was not called.
    worker : str
        Empty for the thread that ran the others.
    executed : bool
    """

    name: str
    status: str
    start: float
    end: float
    worker: str = ""
    executed: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a run.

    Attributes
    ----------
    at : float
        Seconds since the run began; never less than that of the moment before.
    said : str
        What happened, in a few words.
    nodes : mapping of str to NodeView or None
        What changed, as it is from now on; None for a node that is gone.
    work : Work or None
        Of a node that settled.
    """

    at: float
    said: str
    nodes: Nodes
    work: Work | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One run.

    Attributes
    ----------
    began : float
        A reading of ``perf_counter()``.
    base : mapping of str to NodeView or None
        What each node was when the run began, if it has changed since; None if it was not there.
    moments : tuple of Moment
        In the order in which things happened.
    """

    began: float
    base: Nodes
    moments: tuple[Moment, ...]

    @property
    def seconds(self) -> float:
        """How long the run took, or has taken so far."""
        return self.moments[-1].at if self.moments else 0.0

    def at(self, moment: int, now: Nodes) -> dict[str, NodeView]:
        """Return what the graph showed after so many moments.

        Parameters
        ----------
        moment : int
            0 for before the run.
        now : mapping of str to NodeView
            What it shows at present; nodes that are gone by now are left out.
        """
        shown = {**now, **{name: node for name, node in self.base.items() if name in now}}
        for each in self.moments[:moment]:
            shown.update((name, node) for name, node in each.nodes.items() if name in now)
        return {name: node for name, node in shown.items() if node is not None}


class Recorder:
    """The observer that feeds a view, and remembers the last run as the view showed it.

    It keeps no value and no error, only what is shown. An event costs what it costs the view.

    Parameters
    ----------
    view : GraphView
    clock : callable

    Examples
    --------
    >>> view = GraphView()
    >>> recorder = Recorder(view, clock=lambda: 2.0)
    >>> recorder(GraphEdited(["raw"], []))
    >>> with recorder.run():
    ...     recorder(NodeStarted("raw", at=2.5))
    >>> [(each.at, each.said) for each in recorder.recording.moments]
    [(0.5, 'raw started')]
    >>> recorder.recording.at(0, view.nodes)["raw"].status
    'pending'
    """

    def __init__(self, view: GraphView, clock: Callable[[], float] = perf_counter) -> None:
        self._view = view
        self._clock = clock
        self._began = 0.0
        self._base: dict[str, NodeView | None] = {}
        self._moments: list[Moment] = []
        self._open: set[str] = set()
        self._is_on = False

    @contextmanager
    def run(self) -> Iterator[None]:
        """Record what happens meanwhile, in the place of the run before."""
        self._began = self._clock()
        self._base, self._moments, self._open = {}, [], set()
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False

    @property
    def recording(self) -> Recording:
        """The last run, or the present one so far. May be asked for on any thread."""
        return Recording(self._began, dict(self._base), tuple(self._moments))

    def __call__(self, event: Event) -> None:
        """Have the view take in an event, and note it if it belongs to a run."""
        names = self._touched(event)
        nodes = self._view.nodes
        for name in names:
            self._base.setdefault(name, nodes.get(name))
        self._view(event)
        if self._is_on:
            self._note(event, names)

    def _touched(self, event: Event) -> Iterable[str]:
        """Return the nodes that an event may change."""
        match event:
            case NodeStarted(name) | NodePlaced(name):
                return (name,)
            case NodeSettled(result):
                return (str(result.name),)
            case RunStarted(names) | NodesStale(names):
                return list(names)
            case GraphEdited(nodes, change=change):
                if change is None:
                    return {*nodes, *self._view.nodes}
                return [*change.inputs, *change.removed]
        return sorted(self._open)

    def _note(self, event: Event, names: Iterable[str]) -> None:
        self._follow(event, names)
        work = self._work(event.result) if isinstance(event, NodeSettled) else None
        at = max(self._time(event, work), self._moments[-1].at if self._moments else 0.0)
        shown = {name: self._view.nodes.get(name) for name in names}
        self._moments.append(Moment(at, said(event), shown, work))

    def _follow(self, event: Event, names: Iterable[str]) -> None:
        """Know which nodes the run has begun with and not ended."""
        if isinstance(event, RunStarted | NodeStarted):
            self._open.update(names)
        elif isinstance(event, NodeSettled):
            self._open.difference_update(names)

    def _time(self, event: Event, work: Work | None) -> float:
        if isinstance(event, RunStarted | NodeStarted):
            return event.at - self._began
        return self._now if work is None else work.end

    def _work(self, result: NodeResult) -> Work:
        name, status = str(result.name), display_status(result)
        if not result.executed or not result.started:
            return Work(name, status, self._now, self._now)
        start = max(result.started - self._began, 0.0)
        return Work(name, status, start, start + result.duration_seconds, result.worker, True)

    @property
    def _now(self) -> float:
        return max(self._clock() - self._began, 0.0)


def said(event: Event) -> str:
    """Return what an event says, in a few words.

    Examples
    --------
    >>> said(NodeStarted("raw", 0.0, "dagnb-1"))
    'raw started on dagnb-1'
    >>> said(GraphEdited(["a", "b"], [], by="a", added=["b"]))
    'a made b'
    """
    match event:
        case NodeStarted(name, _, worker):
            return f"{name} started{' on ' if worker else ''}{worker}"
        case NodePlaced(name, worker):
            return f"{name} runs on {worker}"
        case NodeSettled(result):
            return f"{result.name} {WORDS[display_status(result)]}"
        case RunStarted(nodes):
            return f"run of {len(nodes)} node{'' if len(nodes) == 1 else 's'} started"
        case RunFinished(result):
            return f"run stopped: {result.stopped}" if result.stopped else "run finished"
        case NodesStale(names, reason):
            return f"{_few(names)} stale{': ' if reason else ''}{reason}"
        case GraphEdited(by=by, added=added):
            return f"{by} made {_few(added)}" if by else "the graph was edited"


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return f"{', '.join(listed[:3])}{more}"
