"""The executor of graphs whose edges have conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagnb.graph.dag import DAG
from dagnb.observe.hooks import HookRegistry
from dagnb.results import ExecutionResult
from dagnb.run.backends import Chosen
from dagnb.run.conditions import Condition, Conditions, When
from dagnb.run.engine import Engine
from dagnb.run.executors import DAGExecutor, Tasks
from dagnb.run.limits import CancelEvent
from dagnb.run.policies import Policy
from dagnb.run.resuming import Folder


class ConditionalExecutor(DAGExecutor):
    """Runs the nodes that conditions lead to.

    A node with several incoming edges runs if at least one of them is taken and none of the
    nodes before it failed. A parameter whose node was skipped takes None. `resume` asks the
    conditions again, about the values that the checkpoint has.

    Parameters
    ----------
    dag : DAG
    conditions : mapping of (str, str) to callable
        By edge; asked with the value of the first node. An edge without one is taken if its
        first node runs.
    callbacks, fail_fast, enable_tracing
        As for `DAGExecutor`.
    joins : mapping of str to str, optional
        ``"all"`` for nodes that run only if every edge into them is taken.
    max_workers, costs, hooks, checkpoint_dir, backend
        As for `DAGExecutor`. Conditions are asked here, wherever the nodes run.

    Raises
    ------
    EdgeNotFoundError, NodeNotFoundError
        From a run, before it begins: a condition is for no edge, a join for no node.
    """

    def __init__(
        self,
        dag: DAG,
        conditions: Mapping[tuple[str, str], Condition],
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        *,
        joins: Mapping[str, str] | None = None,
        max_workers: int | None = None,
        costs: Mapping[str, float] | None = None,
        hooks: HookRegistry | None = None,
        checkpoint_dir: Folder | None = None,
        backend: Chosen = None,
    ) -> None:
        super().__init__(
            dag, max_workers, costs, callbacks, fail_fast, enable_tracing, hooks,
            checkpoint_dir=checkpoint_dir, backend=backend,
        )  # fmt: skip
        self._conditions = Conditions(conditions, joins)

    def engine(self, tasks: Tasks, policies: Sequence[Policy] = (), **options: Any) -> Engine:
        """Return the engine of a run that asks the conditions first."""
        self._conditions.check(self._dag)
        return super().engine(tasks, [When(self._conditions), *policies], **options)

    async def execute_async(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Run on the running event loop; see `AsyncDAGExecutor.execute`."""
        return await self._run_async(tasks, timeout, cancel_event)

    async def resume_async(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Do the same with what the checkpoint has; see `DAGExecutor.resume`."""
        return await self._run_async(tasks, timeout, cancel_event, resume=True)
