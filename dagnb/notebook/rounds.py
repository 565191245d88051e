"""One run of a session: a round, and another for what was changed in place meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from dagnb.errors import DagError, UpstreamDrift
from dagnb.events import Event, NodeSettled, Observer
from dagnb.notebook.drift import Drift
from dagnb.notebook.gate import Gate
from dagnb.notebook.loading import Loading
from dagnb.notebook.offspring import Families, Offspring
from dagnb.notebook.registry import Registry
from dagnb.notebook.staleness import HELD, Staleness
from dagnb.notebook.tasks import Tasks
from dagnb.notebook.waiting import Waiting
from dagnb.notebook.when import WhenNodes
from dagnb.notebook.why import Explain
from dagnb.observe.trace import ExecutionTrace, trace_of
from dagnb.results import IncrementalResult, NodeResult, NodeStatus
from dagnb.run.alarm import perform_under_alarm
from dagnb.run.backends import Backends, Chosen
from dagnb.run.drive import Interrupted, drive_inline, drive_threads
from dagnb.run.engine import Engine
from dagnb.run.frontier import Countdown, Frontier
from dagnb.run.policies import Fact, Guard, Policy, Remember
from dagnb.run.records import Memory
from dagnb.values.memory import Values


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do.

    Attributes
    ----------
    causes : dict of int to str
        The nodes that are dirty, by number, and why.
    asked : set of str
        Those that run although they are manual.
    fresh : set of str
        Those that run although nothing changed.
    allowed : set of str or None
        Those that may run at all; None for all.
    alone : bool
        Whether nodes run one at a time, whoever performs their calls.
    """

    causes: dict[int, str]
    asked: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    allowed: set[str] | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Hands:
    """Who performs the calls of a run.

    Attributes
    ----------
    workers : int
        So many threads; 1 is the thread that runs.
    cancelled : threading.Event or None
        Of a run in the background, which leaves its own thread free to watch for that.
    backend : str, Backend, Executor or None
        Performs the calls of nodes that do not say otherwise, if not these threads.
    """

    workers: int = 1
    cancelled: threading.Event | None = None
    backend: Chosen = None

    @property
    def are_alone(self) -> bool:
        """Whether nothing else goes on while a node runs, no other node and no plain cell."""
        return self.workers == 1 and self.cancelled is None and self.backend is None

    def drive(self, engine: Engine, *, alone: bool) -> IncrementalResult:
        """Run to the end, one node at a time if each is to be alone."""
        workers, cancelled = 1 if alone else self.workers, self.cancelled
        if workers == 1 and cancelled is None and self.backend is None:
            return drive_inline(engine, IncrementalResult, perform_under_alarm)
        return drive_threads(
            engine,
            IncrementalResult,
            workers,
            cancel_event=cancelled,
            abandon=True,
            backends=Backends(self.backend),
        )


class Rounds:
    """Runs the nodes of a session.

    A node that changes an input in place fails, and the input is computed again, in another
    round, and so is one whose saved value cannot be used. Their results count as one. It ends,
    since a node that changed its input is not run again, nor one that was computed here. Where
    nodes run side by side nobody can tell which one changed an input they share, so they run
    again one by one.

    Parameters
    ----------
    registry : Registry
    tasks : Tasks
    memory : Memory
    staleness : Staleness
    waiting : Waiting
    explain : Explain
    facts : dict of str to Fact
        What the value of each node rests on; kept up to date here.
    last : callable
        Returns the last result of a node.
    families : Families
    values : Values
        Of earlier runs, by key.
    loading : Loading
    gate : Gate

    Attributes
    ----------
    last_run : IncrementalResult or None
    settled : dict of str to NodeResult
        What the last run came to, of those nodes that it looked at, in order.
    began : float
        When the last run began, by ``perf_counter()``.
    drift : Drift
        Asked in runs that other cells go on beside.
    """

    def __init__(
        self,
        registry: Registry,
        tasks: Tasks,
        memory: Memory,
        staleness: Staleness,
        *,
        waiting: Waiting,
        explain: Explain,
        facts: dict[str, Fact],
        last: Callable[[str], NodeResult | None],
        families: Families,
        values: Values,
        loading: Loading,
        gate: Gate,
    ) -> None:
        self._gate = gate
        self._dag, self._nodes = registry.dag, registry.nodes
        self._tasks = tasks
        self._memory = memory
        self._staleness = staleness
        self._waiting = waiting
        self._explain = explain
        self._families, self._last = families, last
        self._values = values
        self._loading = loading
        self._facts = facts
        self._when = WhenNodes(registry.nodes, facts, loading)
        self._first = 0
        self.drift = Drift(registry, staleness)
        self.last_run: IncrementalResult | None = None
        self.settled: dict[str, NodeResult] = {}
        self.began = 0.0

    def forget(self, name: str) -> None:
        """Forget a node that was removed."""
        self._facts.pop(name, None)

    def trace(self) -> ExecutionTrace:
        """Return the last run as a timeline.

        Raises
        ------
        DagError
            Nothing has run yet.
        """
        if self.last_run is None:
            raise DagError("nothing has run yet, so there is nothing to trace; %dag run")
        return trace_of(self.last_run, self.settled.values(), self.began)

    def run(
        self, request: Request, observers: Sequence[Observer], hands: Hands
    ) -> IncrementalResult:
        """Run what is dirty.

        Raises
        ------
        Interrupted
            The run was stopped; its result is kept as that of the last run all the same.
        """
        self.settled, self.began = {}, perf_counter()
        self._first = self._memory.run + 1
        self.drift.begin()
        try:
            return self._until_right(replace(request, alone=hands.are_alone), observers, hands)
        finally:
            self.drift.end()

    def _until_right(
        self, request: Request, observers: Sequence[Observer], hands: Hands
    ) -> IncrementalResult:
        result, again = self._round(request, observers, hands)
        while again is not None and not result.stopped:
            before = result.total_duration_seconds
            result, again = self._round(again, observers, hands)
            result.total_duration_seconds += before
        return result

    def _round(
        self, request: Request, observers: Sequence[Observer], hands: Hands
    ) -> tuple[IncrementalResult, Request | None]:
        """Run, and return what is to run then."""
        names = self._dag.adjacency.names
        self._explain.causes = {names[node]: why for node, why in request.causes.items()}
        guard = Guard(alone=request.alone, reads=self._sees)
        beside = [self.drift] if hands.cancelled is not None else []
        engine, late = self._engine(request, [guard, *beside], [*observers, self._note])
        self._tasks.sinks = {}
        try:
            self.last_run = hands.drive(engine, alone=request.alone)
        except Interrupted as stop:
            if isinstance(stop.result, IncrementalResult):
                self.last_run = stop.result
            raise
        self._staleness.explain(self._dag.refs(engine.held), HELD)
        wrong = guard.spoiled | self._loading.take_lost() | self._drifted()
        if wrong:
            alone = request.alone or bool(guard.spoiled)
            return self.last_run, self._again(wrong, request, alone=alone)
        return self.last_run, self._rest(request, late)

    def _drifted(self) -> dict[str, str]:
        """Return the nodes whose values were lost with their worker, and came out different."""
        errors = (each.error for each in self.settled.values())
        lost = [
            value for each in errors if isinstance(each, UpstreamDrift) for value in each.values
        ]
        return {
            str(name): "its value was lost with its worker, and came out different"
            for name in self._dag.topological_sort()
            if lost and any(self._held(str(name)) is value for value in lost)
        }

    def _held(self, name: str) -> object:
        last = self._last(name)
        return None if last is None else last.held

    def _engine(
        self, request: Request, checks: Sequence[Policy], observers: Sequence[Observer]
    ) -> tuple[Engine, set[int]]:
        """Return an engine, and where it puts what starts too early for a new input."""
        memory = self._memory
        fresh = request.fresh | self._staleness.take_spoiled()
        remember = Remember(
            self._code_of, self._values, self._facts, self._last, fresh, reads=self._reads
        )
        frontier, growth = self._frontier(request)
        engine = Engine(
            self._tasks,
            memory,
            frontier,
            policies=[self._waiting, *checks, self._when, remember, self._loading, self._explain],
            observers=observers,
            fail_fast=False,
            causes=request.causes,
            may_run=lambda name: (
                self._may_run(name, request)
                and self._gate.lets(name, lambda name: self._is_known(name, remember))
            ),
            growth=growth,
        )
        engine.results.since = self._first
        self._staleness.begin(request.causes)
        return engine, set() if growth is None else growth.late

    def _frontier(self, request: Request) -> tuple[Frontier, Offspring | None]:
        """Return a frontier for a run, one that grows where nodes make nodes."""
        memory, causes = self._memory, request.causes
        if not self._families.are_there:
            return memory.scan(causes), None
        countdown = Countdown(memory.graph, causes)
        return countdown, Offspring(self._families, memory, countdown, causes=causes)

    def _code_of(self, name: str) -> str:
        """Name a node's code; two nodes with the same code, as two random draws, are two."""
        return f"{name} {self._nodes[name].digest.digest}"

    def _reads(self, name: str, each: str) -> bool:
        return each in self._nodes[name].reads

    def _sees(self, name: str, each: str) -> bool:
        return each in self._nodes[name].reads or each in self._nodes[name].asks

    def _is_known(self, name: str, remember: Remember) -> bool:
        """Whether a node need not run, as its inputs are; nothing is taken yet."""
        fact = self._facts.get(name)
        above = ((str(each), self._last(each)) for each in self._dag.predecessors(name))
        inputs = {each: last for each, last in above if last is not None}
        known = remember.decide(name, inputs) is not None
        if fact is None:
            self._facts.pop(name, None)
        else:
            self._facts[name] = fact
        return known

    def _may_run(self, name: str, request: Request) -> bool:
        if name in request.asked:
            return True
        node = self._nodes[name]
        family = {name, node.parent}
        allowed = request.allowed is None or not family.isdisjoint(request.allowed)
        return allowed and not node.options.manual

    def _again(self, wrong: Mapping[str, str], request: Request, *, alone: bool) -> Request:
        """Ask for the nodes whose values are wrong, and what was skipped for it."""
        causes = {
            self._dag.number(name): "its input was computed again"
            for name, last in self.settled.items()
            if name in self._staleness and may_be_mended(last.error)
        }
        ids = self._dag.adjacency.ids
        causes.update((ids[name], why) for name, why in wrong.items() if name in ids)
        return Request(causes, request.asked | wrong.keys(), set(wrong), request.allowed, alone)

    def _rest(self, request: Request, late: set[int]) -> Request | None:
        """Ask for the nodes that had started before an input of theirs was born.

        What was skipped for want of them is asked for, too: to it they may be what they were.
        """
        graph = self._dag.adjacency
        alive = [node for node in late if graph.ids.get(graph.names[node]) == node]
        if not alive:
            return None
        below = self._memory.stale.intersection(graph.reach(alive, graph.successors))
        causes = dict.fromkeys(below, "an input of it was born in this run")
        causes.update(dict.fromkeys(alive, "it has another input now"))
        return replace(request, causes=causes, fresh=set())

    def _note(self, event: Event) -> None:
        if not isinstance(event, NodeSettled):
            return
        name = str(event.result.name)
        self.settled[name] = event.result
        if event.result.status is NodeStatus.CACHE_HIT:
            above = ((str(each), self._last(each)) for each in self._dag.predecessors(name))
            inputs = {each: last for each, last in above if last is not None}
            source = event.result.reason.partition(":")[0].removeprefix("reused ")
            self._explain.remembered(name, inputs, source)


def may_be_mended(error: BaseException | None) -> bool:
    """Whether a node is to run again in the same run, if its inputs do."""
    return error is None or isinstance(error, UpstreamDrift)
