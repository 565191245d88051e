"""One run as a state machine: no threads, no sleeping, no I/O.

A driver asks for calls (`Engine.take`), has them performed somewhere, and hands back what came
of them (`Engine.settle`) until nothing is active. Each node settles exactly once: the result is
amended by the policies, recorded, announced, the graph grows by what it brings forth, and then
its dependents are released.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import get_ident
from time import perf_counter
from typing import Any, TypeAlias, TypeVar

from dagnb.events import (
    NodePlaced,
    NodeSettled,
    NodeStarted,
    Observer,
    RunFinished,
    RunStarted,
)
from dagnb.results import ExecutionResult, NodeStatus
from dagnb.run.audience import Audience
from dagnb.run.call import Bound, Call, Report, checked, new_tuple
from dagnb.run.counsel import ENDINGS, FAILED, SKIPPED, Counsel
from dagnb.run.frontier import Countdown, Frontier, Scan
from dagnb.run.growth import Growth
from dagnb.run.policies import Policy
from dagnb.run.records import (
    HOW,
    RUN,
    VALUE,
    How,
    Memory,
    Record,
    RunRecords,
    not_started,
)
from dagnb.run.remote.handle import digest_of
from dagnb.values.plain import PLAIN, same

ResultT = TypeVar("ResultT", bound=ExecutionResult)
MakeResult: TypeAlias = Callable[[RunRecords, float, str], ResultT]
COMPLETED = NodeStatus.COMPLETED
TASKLESS: Bound = (lambda: None, lambda: None, (), (), None)  # for a node without a task


class Engine:
    """The state of one run.

    Parameters
    ----------
    tasks : mapping of str to callable
    memory : Memory
        What is known of the graph and from earlier runs; this run's records go there.
    frontier : Frontier
        Which node may start next.
    policies : sequence of Policy
    observers : sequence of Observer
    causes : mapping of int to str
        Why the first nodes are dirty, for the reasons in the results.
    default_cause : str
        The same for all nodes not in ``causes``.
    fail_fast : bool
        Whether the first failure stops the run.
    compare : bool
        Whether a value equal to the one before counts as unchanged (early cutoff).
    may_run : callable, optional
        Asked by name before a dirty node runs; one that may not stays stale, and so does what
        is below it. They do not settle; `held` has their numbers.
    growth : Growth, optional
        How nodes bring forth more; without it they do not.
    """

    _watchful = False  # whether a node may settle without a call
    _want_digest = False
    _stopped: tuple[NodeStatus, str] | None = None

    def __init__(  # noqa: PLR0917  # names of arguments would cost a small run more than a node
        self,
        tasks: Mapping[str, Callable[..., Any]],
        memory: Memory,
        frontier: Frontier,
        policies: Sequence[Policy] = (),
        observers: Sequence[Observer] = (),
        causes: Mapping[int, str] | None = None,
        default_cause: str = "",
        fail_fast: bool = True,
        *,
        compare: bool = True,
        may_run: Callable[[str], bool] | None = None,
        growth: Growth | None = None,
    ) -> None:
        self._graph = memory.graph
        self._tasks = tasks
        self._memory = memory
        self._frontier = frontier
        self._binder = memory.binder
        self._policies = policies
        self._observers = Audience(observers)
        self._fail_fast = fail_fast
        self._compare = compare
        self.results = memory.begin({} if causes is None else causes, default_cause)
        self._records = memory.records
        self._replaced = memory.replaced
        self._run = memory.run
        self._may_run = may_run
        self._growth = growth
        if policies or may_run is not None:
            self._watchful = True
            self._want_digest = any(each.want_digest for each in policies)
        self.held: set[int] = set()
        self.running: dict[int, float] = {}
        self._thread = get_ident()
        self._began = perf_counter()
        memory.unfinished = self

    def begin(self) -> None:
        """Begin: from here to `finish` the graph refuses edits."""
        self._graph.runs.add(self)
        if self._observers:
            self._observers.tell(RunStarted(self._first_nodes(), self._began))

    def release_graph(self) -> None:
        """Let the graph be edited again; drivers do so whatever happens."""
        self._graph.runs.discard(self)

    def _first_nodes(self) -> list[str]:
        nodes = self.results.causes or self._graph.order
        return [self._graph.names[node] for node in nodes]

    @property
    def active(self) -> bool:
        """Whether calls are out whose settling is awaited."""
        return bool(self.running)

    @property
    def memory(self) -> Memory:
        """What is known of the graph, and what this run came to."""
        return self._memory

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._observers)

    @property
    def looks(self) -> bool:
        """Whether values are looked at here, beside by what takes them."""
        return bool(self._policies) or self._compare or self._growth is not None

    @property
    def was_cancelled(self) -> bool:
        """Whether somebody wanted the run to end."""
        return self._stopped is not None and self._stopped[0] is NodeStatus.CANCELLED

    @cached_property
    def _counsel(self) -> Counsel:
        return Counsel(self._memory, self.results, self._policies)

    # -- handing out ------------------------------------------------------------------------

    def take(self) -> Call | None:
        """Return the next call to perform, or None if none can start now.

        Nodes that need no call (reused by a policy, without a task, below a failure) settle on
        the way.
        """
        while self._stopped is None:
            node = self._frontier.pop()
            if node < 0:
                return None
            if self._growth is not None:
                self._memory.stale.discard(node)  # it may have come into the run without a cause
            if self._may_run is not None and self._hold(node, self._may_run):
                continue
            bound = self._bind(node)
            if bound is not None and not self._settle_without_call(node, bound):
                self.running[node] = now = perf_counter()
                if self._observers:
                    self._observers.tell(NodeStarted(self._graph.names[node], now))
                return self._call(node, bound)
        return None

    @property
    def may_sprint(self) -> bool:
        """Whether nothing but values matters, so that one worker may run many nodes."""
        if self._observers or self._watchful or self._stopped or self._growth is not None:
            return False
        return self._frontier.in_order

    def spread(self) -> None:
        """Go on with several workers, if more is to start: let the frontier count inputs."""
        scan = self._frontier
        if isinstance(scan, Scan) and self._stopped is None:
            left = scan.left()
            seeds = None if len(left) == len(scan.order) else left
            self._frontier = Countdown(self._graph, seeds, out=self.running)

    def gather(self) -> None:
        """Go on with one worker at a time: let the frontier follow the order."""
        if isinstance(self._frontier, Countdown):
            flags = bytearray(len(self._graph.order) + 1)
            self._frontier = Scan(self._graph, flags, self._frontier.dirty)

    def _bind(self, node: int) -> Bound | None:
        """Bind the task of a node, or settle a node whose task does not fit."""
        task = self._tasks.get(self._graph.names[node])
        if task is None:
            return TASKLESS
        try:
            return self._binder.bind(node, task)
        except TypeError as error:
            self._record(node, not_started(self._run, FAILED, error=error))
            return None

    def _call(self, node: int, bound: Bound) -> Call:
        records, (_, function, inputs, keywords, options) = self._records, bound
        taken = self._graph.predecessors[node] if inputs is None else inputs
        arguments = [records[each][VALUE] for each in taken]  # type: ignore[index]  # settled
        named = {name: records[each][VALUE] for name, each in keywords}  # type: ignore[index]
        return Call(node, function, arguments, named or None, options)

    def _hold(self, node: int, may_run: Callable[[str], bool]) -> bool:
        """Leave a node stale if it may not run, or is below one that may not; say whether."""
        above = self.held.intersection(self._graph.predecessors[node])
        if not above and may_run(self._graph.names[node]):
            return False
        self.held.add(node)
        self._memory.stale.add(node)
        self._frontier.settled(node, True)
        return True

    def _settle_without_task(self, node: int) -> None:
        last = self._records[node]
        changed = last is None or last[HOW].reason != "no task"
        self._record(node, not_started(self._run, SKIPPED, "no task", changed=changed))

    def _settle_without_call(self, node: int, bound: Bound) -> bool:
        """Settle a node that a failure, a policy or its lack of a task keeps from running."""
        if self._watchful:
            settled = self._counsel.instead(node, bound)
            if settled is not None:
                self._record(node, settled)
                return True
        if bound is TASKLESS:
            self._settle_without_task(node)
        return bound is TASKLESS

    # -- taking in --------------------------------------------------------------------------

    def place(self, node: int, worker: str) -> None:
        """Take in which worker performs a call that is out."""
        if self._observers and node in self.running:
            self._observers.tell(NodePlaced(self._graph.names[node], worker))

    def settle(self, node: int, report: Report, worker: str = "") -> None:
        """Take in what came of a call. A report for a node that is not out is dropped."""
        if node not in self.running:
            return
        if report.value is not None:
            report = checked(self._graph.names[node], report)
        value, error, started, ended, attempts, overdue, place, _ = report
        changed, name = True, None
        if overdue:
            status = NodeStatus.TIMED_OUT
        elif error is not None:
            status = FAILED
        else:
            status = COMPLETED
            if self._compare:
                changed, name = self._compared(self._records[node], value)
        place = place or worker
        how = new_tuple(How, (status, changed, True, error, name, overdue, place, attempts))
        settled: Record = self._run, value, how, started, ended
        if self._policies:
            settled = self._counsel.amended(node, settled)
        self._record(node, settled)

    def _compared(self, last: Record | None, value: Any) -> tuple[bool, str | None]:
        """Say whether a value differs from the last one, and name it unless it is plain."""
        known = last is not None and last[HOW].status.is_success
        if type(value) in PLAIN and not self._want_digest:
            return not (known and same(value, last[VALUE])), None  # type: ignore[index]  # known
        name = digest_of(value)
        if name is None:
            return True, None
        return not (known and last[HOW].digest == name), name  # type: ignore[index]  # known

    def _record(self, node: int, settled: Record) -> None:
        """Record, announce, grow, release: the one way in which a node settles.

        The graph grows first, so that no dependent starts before what is to come in between;
        the frontier comes to know last, so that `finish` finds what an interrupt left undone.
        """
        edit = None
        if self._growth is not None and self._stopped is None and settled[HOW].status.is_success:
            settled, edit = self._growth.ask(node, settled)
        self._store(node, settled)
        if edit is not None and self._growth is not None:
            self._observers.tell(self._growth.apply(node, edit, self.running))
        self._frontier.settled(node, settled[HOW].changed)
        self.running.pop(node, None)

    def _store(self, node: int, settled: Record) -> None:
        """Record and announce. That a node is stale is noted before it counts as settled."""
        status = settled[HOW].status
        is_final = status is SKIPPED and settled[HOW].digest is not None  # no condition leads to it
        if not status.is_success and not is_final:
            self._note_failure(node, status)
        self._put(node, settled)

    def _put(self, node: int, settled: Record) -> None:
        if self._replaced is not None:
            self._replaced[node] = self._records[node]
        self._observers.begin(node)
        self._records[node] = settled
        if self._observers:
            self._observers.go_on(NodeSettled(self.results.result_of(node)))

    def _note_failure(self, node: int, status: NodeStatus) -> None:
        self._memory.stale.add(node)
        self._watchful = True
        if status in ENDINGS and self._fail_fast and self._stopped is None:
            self._stopped = SKIPPED, f"fail-fast: {self._graph.names[node]} {ENDINGS[status]}"

    # -- ending -----------------------------------------------------------------------------

    def stop(self, status: NodeStatus, reason: str, *, abandon: NodeStatus | None = None) -> None:
        """Start nothing more; what has not started will end in ``status``.

        With ``abandon`` the nodes that are out settle now, in that status, and what comes of
        them later is dropped.
        """
        if self._stopped is None:
            self._stopped = status, reason
        if abandon is None:
            return
        for node in list(self.running):
            self._record(node, self._broken_off(node, abandon, reason))

    def _broken_off(self, node: int, status: NodeStatus, reason: str) -> Record:
        """Return the record of a node that is out and will not be waited for."""
        how = How(status, executed=True, reason=reason)
        return self._run, None, how, self.running[node], perf_counter()

    def finish(self, kind: MakeResult[ResultT]) -> ResultT:
        """End the run: whatever is left settles as stopped. Return the results."""
        reason = self._settle_rest() if self._stopped or self.running else ""
        if self._growth is not None:
            self.results.seal()
        result = kind(self.results, perf_counter() - self._began, reason)
        self._memory.end(self._frontier)
        self._graph.runs.discard(self)
        if self._observers:
            self._observers.tell(RunFinished(result))
        return result

    def _settle_rest(self) -> str:
        """Settle what is out and what has not started; return why, if there was anything.

        What has not started has one record for all, so that a stop is prompt however much is
        left. Whatever an interrupt cut short before is done here, and can be done again.
        """
        status, reason = self._stopped or (NodeStatus.CANCELLED, "")
        left, common = self._left(), not_started(self._run, status, reason)
        failed = [node for node in self._memory.stale if self._has_failed(node)]
        below = {each for node in failed for each in self._graph.successors[node]}
        self._memory.stale.update(left)
        for node in left:
            settled = common
            if node in self.running:
                settled = self._broken_off(node, NodeStatus.CANCELLED, reason)
            elif node in below:
                settled = not_started(self._run, status, self._why_stopped(node, reason))
            self._put(node, settled)
        self._frontier.close()
        self.running.clear()
        return reason if left else ""

    def _left(self) -> list[int]:
        """Return what has not settled, whatever an interrupt came between."""
        if self._growth is not None:
            self._memory.grow()
            self._tell_rest()
            left = {*self._frontier.left(), *self._growth.touched()}
            left = {node for node in left if not self._has_settled(node)}
            return [node for node in self._graph.affected(left) if not self._has_settled(node)]
        self._tell_rest()
        for node in filter(self._has_settled, self._frontier.left()):
            self._frontier.settled(node, self._records[node][HOW].changed)  # type: ignore[index]  # settled
        return self._graph.affected(self._frontier.left())

    def _tell_rest(self) -> None:
        node = self._observers.subject
        if node >= 0 and self._has_settled(node):
            self._observers.go_on(NodeSettled(self.results.result_of(node)))

    def _has_settled(self, node: int) -> bool:
        last = self._records[node]
        return last is not None and last[RUN] == self._run

    def _has_failed(self, node: int) -> bool:
        last = self._records[node]
        return last is not None and last[RUN] == self._run and last[HOW].status is FAILED

    def again(self, causes: dict[int, str]) -> Engine:
        """Return an engine that goes on from what there is, when this one has finished.

        Both count as one run. One whose graph has grown begins anew, from the graph as it was.
        """
        if self._growth is not None and self._growth.anew is not None:
            return self._growth.anew()
        memory = self._memory
        following = Engine(
            self._tasks, memory, memory.scan(causes), self._policies, self._observers, causes,
            fail_fast=self._fail_fast, compare=self._compare,
        )  # fmt: skip
        memory.take_stale()
        following.results.since = self.results.since
        return following

    def recover(self) -> None:
        """Finish a run whose driver was interrupted, if this is its thread; others cannot tell."""
        if self._thread == get_ident() and self not in self._graph.runs:
            self.stop(NodeStatus.CANCELLED, "interrupted")
            self.finish(ExecutionResult)

    def _why_stopped(self, node: int, reason: str) -> str:
        for each in self._graph.predecessors[node]:
            if self._has_failed(each):
                return f"{self._graph.names[each]} failed"
        return reason
