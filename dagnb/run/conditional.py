"""The executor of graphs whose edges have conditions."""

from __future__ import annotations

from collections.abc import Mapping

from dagnb.graph.dag import DAG
from dagnb.observe.hooks import HookRegistry
from dagnb.results import ExecutionResult
from dagnb.run.conditions import Condition, Conditions, When
from dagnb.run.drive import CancelEvent, drive_threads
from dagnb.run.drive_async import drive_async
from dagnb.run.engine import Engine
from dagnb.run.executors import Executor, Tasks, check_timeout


class ConditionalExecutor(Executor):
    """Runs the nodes that conditions lead to.

    A node with several incoming edges runs if at least one of them is taken and none of the
    nodes before it failed. A parameter whose node was skipped takes None.

    Parameters
    ----------
    dag : DAG
    conditions : mapping of (str, str) to callable
        By edge; asked with the value of the first node. An edge without one is taken if its
        first node runs.
    joins : mapping of str to str, optional
        ``"all"`` for nodes that run only if every edge into them is taken.
    callbacks, fail_fast, enable_tracing, max_workers, costs, hooks
        As for `DAGExecutor`.
    """

    def __init__(
        self,
        dag: DAG,
        conditions: Mapping[tuple[str, str], Condition],
        *,
        joins: Mapping[str, str] | None = None,
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        max_workers: int | None = None,
        costs: Mapping[str, float] | None = None,
        hooks: HookRegistry | None = None,
    ) -> None:
        super().__init__(dag, max_workers, costs, callbacks, fail_fast, enable_tracing, hooks)
        self._conditions = Conditions(conditions, joins)

    def execute(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Run what conditions lead to; see `DAGExecutor.execute`.

        Raises
        ------
        EdgeNotFoundError, NodeNotFoundError
            A condition is for no edge, a join or a task for no node.
        """
        return drive_threads(
            self._begin(tasks, timeout),
            ExecutionResult,
            self.workers,
            timeout=timeout,
            cancel_event=cancel_event,
        )

    async def execute_async(
        self,
        tasks: Tasks,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
    ) -> ExecutionResult:
        """Do the same on the running event loop; see `AsyncDAGExecutor.execute`."""
        return await drive_async(
            self._begin(tasks, timeout),
            ExecutionResult,
            self.workers,
            timeout=timeout,
            cancel_event=cancel_event,
        )

    def _begin(self, tasks: Tasks, timeout: float | None) -> Engine:
        check_timeout(timeout)
        self._conditions.check(self._dag)
        return self.engine(tasks, [When(self._conditions)])
