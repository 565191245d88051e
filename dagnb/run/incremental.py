"""The executor that runs what changed and what is below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from dagnb.events import Observer
from dagnb.graph.dag import DAG
from dagnb.observe.hooks import HookRegistry
from dagnb.results import IncrementalResult
from dagnb.run.backends import Backends, Chosen
from dagnb.run.checks import (
    check_dag,
    check_limits,
    check_tasks,
    check_unlimited,
    check_workers,
)
from dagnb.run.conditions import Condition, Conditions, When
from dagnb.run.drifted import until_none_drifts
from dagnb.run.drive import drive_inline, drive_threads
from dagnb.run.engine import Engine
from dagnb.run.executors import EVERY, Tasks, observers_for
from dagnb.run.limits import CancelEvent
from dagnb.run.policies import Policy
from dagnb.run.records import HOW, Memory
from dagnb.run.resuming import Checkpoint, Checkpointed, Folder
from dagnb.tasks import check_backend

Company: TypeAlias = "tuple[Sequence[Policy], Sequence[Observer]]"
NOBODY: Company = (), ()


class IncrementalExecutor(Checkpointed):
    """Runs what changed and what is below it, and stops where a value comes out the same.

    Values are compared by digest, so that arrays, frames and NaN are right and ``1``, ``1.0``
    and ``True`` differ. A node that failed or was stopped, a new node and one whose edges
    changed run again by themselves. Nodes run one after another on the calling thread, unless
    ``max_workers``, a timeout or a backend asks for threads.

    A run costs what it touches: the size of the graph, or of the results, does not count.

    Parameters
    ----------
    dag : DAG
        May be edited between runs.
    callbacks, fail_fast, enable_tracing, hooks
        As for `DAGExecutor`; ``on_node_skip`` is called for reused nodes too.
    max_workers : int, optional
        Run up to so many tasks at once, on threads.
    conditions : mapping of (str, str) to callable, optional
        As for `ConditionalExecutor`.
    checkpoint_dir : path, optional
        Where to save every value as soon as it is there. A run of everything begins it anew,
        other runs bring it up to date, and `resume` takes over what it has.
    backend : str, Backend or Executor, optional
        As for `DAGExecutor`. Values are compared here, so all of them come back.

    Examples
    --------
    >>> from dagnb import DAG, IncrementalExecutor
    >>> dag = DAG.builder().add_edge("rows", "count").add_edge("count", "report").build()
    >>> tasks = {
    ...     "rows": lambda: ["a", "b"],
    ...     "count": lambda rows: len(rows),
    ...     "report": lambda count: f"{count} rows",
    ... }
    >>> executor = IncrementalExecutor(dag)
    >>> executor.execute(tasks).recomputed
    ['rows', 'count', 'report']
    >>> tasks["rows"] = lambda: ["c", "d"]
    >>> result = executor.execute(tasks, changed_nodes=["rows"])
    >>> result.recomputed, result.early_cutoff, result.reused
    (['rows', 'count'], ['count'], ['report'])
    """

    def __init__(  # noqa: PLR0917  # the order is the contract
        self,
        dag: DAG,
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        hooks: HookRegistry | None = None,
        max_workers: int | None = None,
        *,
        conditions: Mapping[tuple[str, str], Condition] | None = None,
        checkpoint_dir: Folder | None = None,
        backend: Chosen = None,
    ) -> None:
        check_dag(dag)
        self._backend = check_backend(backend)
        self._dag = dag
        self.checkpoint = Checkpoint(dag, checkpoint_dir)
        self._callbacks = callbacks
        self._fail_fast = fail_fast
        self._tracing = enable_tracing
        self._hooks = hooks
        self._workers = None if max_workers is None else check_workers(max_workers)
        if backend is not None:
            self._workers = None if backend == "inline" else check_workers(max_workers)
        self._conditions = Conditions(conditions)
        self._memory = Memory(dag.adjacency)
        self._checked: tuple[Tasks | None, int, int] = (None, 0, 0)
        others = callbacks, hooks, conditions, checkpoint_dir, enable_tracing or None
        self._alone = all(each is None for each in others)

    def execute(
        self,
        tasks: Tasks,
        changed_nodes: Sequence[str] | None = None,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> IncrementalResult:
        """Run what is dirty.

        Parameters
        ----------
        tasks : mapping of str to callable
            The task of each node.
        changed_nodes : list of str, optional
            Nodes to run again. None runs everything; an empty list what is stale by itself.
        timeout, cancel_event
            As for `DAGExecutor.execute`.

        Raises
        ------
        NodeNotFoundError
            ``tasks`` or ``changed_nodes`` names no node.
        TypeError
            A task is not callable, or ``changed_nodes`` is a string.
        KeyboardInterrupt
            Ctrl-C arrived; its ``result`` holds what was done.
        """
        return self._run(tasks, changed_nodes, timeout, cancel_event)

    def resume(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> IncrementalResult:
        """Take over what the checkpoint has, and run the rest; see `DAGExecutor.resume`.

        After it `execute` knows the values, as if they had been computed here.
        """
        return self._run(tasks, None, timeout, cancel_event, resume=True)

    def _run(
        self,
        tasks: Tasks,
        changed_nodes: Sequence[str] | None,
        timeout: float | None,
        cancel_event: CancelEvent | None,
        *,
        resume: bool = False,
    ) -> IncrementalResult:
        self._check_tasks(tasks)
        limited = timeout is not None or cancel_event is not None
        if limited:
            self._check_limits(timeout, cancel_event)
        memory = self._memory
        memory.catch_up()
        causes, cause = self._causes(changed_nodes), "" if changed_nodes is not None else EVERY
        policies, observers = NOBODY
        if resume or not self._alone:
            policies, observers = self._company(tasks, resume, fresh=causes is None)
        frontier = memory.scan(causes)
        engine = Engine(
            tasks, memory, frontier, policies, observers, causes, cause, self._fail_fast
        )
        backends = None if self._backend is None else Backends(self._backend).ready()
        memory.take_stale()
        if self._workers is None and not limited:
            return drive_inline(engine, IncrementalResult)
        for each, seconds in until_none_drifts(engine, timeout):
            result = drive_threads(
                each,
                IncrementalResult,
                self._workers or 1,
                timeout=seconds,
                cancel_event=cancel_event,
                backends=backends,
            )
        return result

    def _company(self, tasks: Tasks, resume: bool, fresh: bool) -> Company:
        """Return who decides and who listens."""
        self._conditions.check(self._dag)
        observers = observers_for(self._dag, self._callbacks, self._tracing, self._hooks)
        remember = self.checkpoint.begin(tasks, resume=resume, fresh=fresh)
        when = [When(self._conditions)] if self._conditions else []
        return [*when, *remember], [*remember, *observers]

    def _check_limits(self, timeout: float | None, cancel_event: CancelEvent | None) -> None:
        check_limits(timeout, cancel_event)
        if self._backend == "inline":
            check_unlimited(timeout, cancel_event)

    def _check_tasks(self, tasks: Tasks) -> None:
        """Check tasks once, not before every run: that would cost more than a small run."""
        seen, size, version = self._checked
        now = self._dag.adjacency.version
        if tasks is None or tasks is not seen or len(tasks) != size or now != version:
            check_tasks(self._dag, tasks)
            self._checked = tasks, len(tasks), now

    def _causes(self, changed: Sequence[str] | None) -> dict[int, str] | None:
        """Map each node to start from to why, or None for all nodes."""
        if changed is None:
            return None
        stale = self._memory.stale
        causes: dict[int, str] = {}
        if stale:
            causes = {node: self._staleness(node) for node in stale if self._is_alive(node)}
        for node in self._dag.numbers(changed, "changed_nodes"):
            causes[node] = "direct change"
            stale.add(node)  # until the run has begun, so that an interrupt loses nothing
        return causes

    def _is_alive(self, node: int) -> bool:
        graph = self._dag.adjacency
        return graph.ids.get(graph.names[node]) == node

    def _staleness(self, node: int) -> str:
        last = self._memory.records[node]
        if last is None:
            return "it has not run yet"
        status = last[HOW].status
        if status.is_success:
            return "its edges changed"
        return f"it {status.value.replace('_', ' ')} last time"
