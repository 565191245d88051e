"""The executors: each a choice of memory, frontier, driver and observers on the one engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dagnb.events import Observer
from dagnb.graph.analysis import cost_to_go
from dagnb.graph.dag import DAG
from dagnb.graph.named import check_costs
from dagnb.observe.callbacks import callbacks_observer
from dagnb.observe.hooks import HookRegistry, hooks_observer
from dagnb.observe.trace import Tracer
from dagnb.results import ExecutionResult
from dagnb.run.backends import Backends, Chosen, at_scheduler
from dagnb.run.checks import check_dag, check_limits, check_tasks, check_unlimited, check_workers
from dagnb.run.drifted import until_none_drifts
from dagnb.run.drive import drive_inline, drive_threads
from dagnb.run.drive_async import drive_async
from dagnb.run.engine import Engine
from dagnb.run.frontier import Countdown, Frontier
from dagnb.run.growth import Growth
from dagnb.run.limits import CancelEvent
from dagnb.run.policies import Policy
from dagnb.run.records import Memory
from dagnb.run.resuming import Checkpoint, Checkpointed, Folder
from dagnb.tasks import check_backend

Tasks = Mapping[str, Callable[..., Any]]
EVERY = "every node runs"


class Executor(Checkpointed):
    """What all executors that run every node have in common: their options, and the engine.

    See `DAGExecutor` for the parameters.

    Attributes
    ----------
    workers : int
        How many tasks run at once.
    checkpoint : Checkpoint
        Where runs keep what they did, if anywhere.
    """

    def __init__(  # noqa: PLR0917  # the order is the contract
        self,
        dag: DAG,
        max_workers: int | None = None,
        costs: Mapping[str, float] | None = None,
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        hooks: HookRegistry | None = None,
        *,
        checkpoint_dir: Folder | None = None,
        backend: Chosen = None,
        scheduler: str | None = None,
    ) -> None:
        check_dag(dag)
        self._backend = at_scheduler(check_backend(backend), scheduler)
        self._dag = dag
        self.workers = check_workers(max_workers)
        self.checkpoint = Checkpoint(dag, checkpoint_dir)
        self._costs = check_costs(costs)
        self._callbacks = callbacks
        self._fail_fast = fail_fast
        self._tracing = enable_tracing
        self._hooks = hooks

    def engine(
        self,
        tasks: Tasks,
        policies: Sequence[Policy] = (),
        *,
        expand: Policy | None = None,
        most_new_nodes: int = 0,
        resume: bool = False,
    ) -> Engine:
        """Return the engine of a run of every node, which has not begun.

        What the policy ``expand`` brings forth is added, up to a number of new nodes. With
        ``resume`` the values of the checkpoint are used.
        """
        graph = self._dag.adjacency
        check_tasks(self._dag, tasks)
        costs = self._dag.costs_by_number(self._costs)
        priorities = cost_to_go(graph, costs, 1.0) if costs else None
        memory = Memory(graph)
        memory.catch_up()
        frontier: Frontier = memory.scan(None)
        memory.take_stale()
        causes, growth = dict[int, str](), None
        if expand is not None or priorities is not None:
            frontier = countdown = Countdown(graph, None, priorities)
        given, tasks = tasks, (own := dict(tasks))
        observers = observers_for(self._dag, self._callbacks, self._tracing, self._hooks)
        remember = self.checkpoint.begin(tasks, resume=resume)
        if expand is not None:
            growth = Growth(
                self._dag, own, memory, countdown,
                policy=expand, causes=causes, limit=most_new_nodes,
                anew=lambda: self.engine(given, policies),
            )  # fmt: skip
        return Engine(
            tasks,
            memory,
            frontier,
            [*policies, *remember],
            [*remember, *observers],
            fail_fast=self._fail_fast,
            compare=any(policy.want_digest for policy in policies),
            causes=causes,
            default_cause=EVERY,
            growth=growth,
        )

    def _run(
        self,
        tasks: Tasks,
        timeout: float | None,
        cancel_event: CancelEvent | None,
        *,
        resume: bool = False,
    ) -> ExecutionResult:
        check_limits(timeout, cancel_event)
        return self.drive(self.engine(tasks, resume=resume), timeout, cancel_event)

    def drive(
        self, engine: Engine, timeout: float | None = None, cancel_event: CancelEvent | None = None
    ) -> ExecutionResult:
        """Run an engine on threads, which perform the calls or wait for who does."""
        for each, seconds in until_none_drifts(engine, timeout):
            result = self._driven(each, seconds, cancel_event)
        return result

    def _driven(
        self, engine: Engine, timeout: float | None, cancel_event: CancelEvent | None
    ) -> ExecutionResult:
        if self._backend == "inline":
            check_unlimited(timeout, cancel_event)
            return drive_inline(engine, ExecutionResult)
        return drive_threads(
            engine,
            ExecutionResult,
            self.workers,
            timeout=timeout,
            cancel_event=cancel_event,
            backends=self._backends(engine),
        )

    def _backends(self, engine: Engine) -> Backends:
        """Return who performs the calls; what nobody looks at may stay where it was made."""
        return Backends(self._backend, ships=not engine.looks).ready()

    async def _run_async(
        self,
        tasks: Tasks,
        timeout: float | None,
        cancel_event: CancelEvent | None,
        *,
        resume: bool = False,
    ) -> ExecutionResult:
        check_limits(timeout, cancel_event)
        engine = self.engine(tasks, resume=resume)
        return await self.drive_on_loop(engine, timeout, cancel_event)

    async def drive_on_loop(
        self, engine: Engine, timeout: float | None = None, cancel_event: CancelEvent | None = None
    ) -> ExecutionResult:
        """Run an engine on the running event loop."""
        for each, seconds in until_none_drifts(engine, timeout):
            result = await drive_async(
                each,
                ExecutionResult,
                self.workers,
                timeout=seconds,
                cancel_event=cancel_event,
                backends=self._backends(each),
            )
        return result


class DAGExecutor(Executor):
    """Runs every node of a graph on a crew of threads.

    A node starts when its own inputs are ready; there are no level barriers. A task takes the
    values of the predecessors that its parameters name.

    Parameters
    ----------
    dag : DAG
    max_workers : int, optional
        How many tasks run at once; the number of CPUs by default.
    costs : mapping of str to float, optional
        Of several ready nodes the one with the largest cost still to go starts first.
    callbacks : object, optional
        Has some of the methods ``on_node_start(name)``, ``on_node_complete(name, result)``,
        ``on_node_error(name, error)``, ``on_node_skip(name)``.
    fail_fast : bool
        Whether the first failure stops the run.
    enable_tracing : bool
        Whether ``result.trace`` is recorded.
    hooks : HookRegistry, optional
    checkpoint_dir : path, optional
        Where to save every value as soon as it is there, so that `resume` can go on after a
        failure or a crash. See `CheckpointExecutor`.
    backend : str, Backend or Executor, optional
        Who performs the tasks: ``"threads"`` (the default), ``"processes"``, ``"inline"`` (the
        calling thread, one after another), ``"dask"`` (a cluster), or an executor of
        `concurrent.futures`, which is not shut down. A `Task` may name another one for itself.
    scheduler : str, optional
        The address of a cluster of Dask; else it is the one that `%dag cluster` chose, or one
        that is started on this machine.

    Examples
    --------
    >>> from dagnb import DAG, DAGExecutor
    >>> dag = DAG.builder().add_edge("a", "b").build()
    >>> DAGExecutor(dag).execute({"a": lambda: 20, "b": lambda a: a + 1})["b"].result
    21
    """

    def execute(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Run all nodes.

        Parameters
        ----------
        tasks : mapping of str to callable
            The task of each node; a node without one is skipped, and what takes its value.
        timeout : float, optional
            Seconds for the whole run. What is running then ends as TIMED_OUT, the rest as
            CANCELLED; the call returns at once, whatever the tasks do.
        cancel_event : threading.Event, optional
            Once it is set, running tasks finish and the rest is CANCELLED.

        Raises
        ------
        NodeNotFoundError
            A task or a cost names no node.
        TypeError, ValueError
            A task is not callable; the timeout is negative.
        KeyboardInterrupt
            Ctrl-C arrived; its ``result`` holds what was done.
        """
        return self._run(tasks, timeout, cancel_event)

    def resume(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Run what the checkpoint does not have, and what has changed since.

        A value is used if its node has the same code and the same inputs as when it was saved
        and its file is intact. See `execute` for parameters and errors; with no checkpoint
        there, everything runs.
        """
        return self._run(tasks, timeout, cancel_event, resume=True)


class AsyncDAGExecutor(Executor):
    """Runs every node of a graph on the running event loop.

    Coroutine functions run as tasks of the loop, plain functions on threads. A plain function
    that returns a coroutine has it awaited. Otherwise all is as for `DAGExecutor`, which has
    the parameters.

    Examples
    --------
    >>> import asyncio
    >>> from dagnb import DAG, AsyncDAGExecutor
    >>> async def fetch():
    ...     await asyncio.sleep(0.01)
    ...     return 20
    >>> dag = DAG.builder().add_edge("a", "b").build()
    >>> tasks = {"a": fetch, "b": lambda a: a + 1}
    >>> asyncio.run(AsyncDAGExecutor(dag).execute(tasks))["b"].result
    21
    """

    async def execute(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Run all nodes.

        Parameters
        ----------
        tasks : mapping of str to callable
            The task of each node; a node without one is skipped, and what takes its value.
        timeout : float, optional
            Seconds for the whole run. Coroutines that run then are cancelled, and left to
            themselves if they swallow that; threads are abandoned. The promise holds as long as
            no coroutine blocks the loop.
        cancel_event : object with ``is_set()``, optional
            Once it is set, running tasks finish and the rest is CANCELLED.

        Raises
        ------
        NodeNotFoundError
            A task or a cost names no node.
        TypeError, ValueError
            A task is not callable; the timeout is negative.
        """
        return await self._run_async(tasks, timeout, cancel_event)

    async def resume(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Run what the checkpoint does not have, on the loop; see `DAGExecutor.resume`."""
        return await self._run_async(tasks, timeout, cancel_event, resume=True)


def observers_for(
    dag: DAG, callbacks: object, tracing: bool = False, hooks: HookRegistry | None = None
) -> list[Observer]:
    """Return the observers that an executor's options ask for."""
    observers: list[Observer] = []
    if callbacks is not None:
        observers.append(callbacks_observer(callbacks))
    if hooks is not None:
        observers.append(hooks_observer(hooks, dag))
    if tracing:
        observers.insert(0, Tracer())  # first, so that others find the trace in the result
    return observers
