"""Tasks whose parameters say which other tasks they need."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dagnb.errors import MissingInputError, NodeNotFoundError
from dagnb.graph.dag import DAG
from dagnb.observe.hooks import HookRegistry
from dagnb.results import ExecutionResult
from dagnb.run.backends import Chosen
from dagnb.run.call import parameters_of
from dagnb.run.checks import check_limits
from dagnb.run.executors import Executor
from dagnb.run.limits import CancelEvent
from dagnb.run.policies import Cache, Given, Policy
from dagnb.tasks import Task
from dagnb.values.code import code_digest
from dagnb.values.memory import MemoryStore

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Pipeline:
    """Tasks bound by name: a parameter called like another task takes its value.

    Parameters
    ----------
    tasks : list of callable
        Made with `task`, or plain functions. A parameter that names no task keeps its default.
    name : str, optional
        For people.

    Attributes
    ----------
    dag : DAG
        The graph of the tasks, in the order in which they were given.
    tasks : dict of str to Task
        The tasks by name; with ``dag`` they can be given to any executor.
    name : str

    Raises
    ------
    MissingInputError
        A parameter without a default names no task.
    CycleError
        Tasks need each other.
    TypeError, ValueError
        One of them is not callable; two have the same name.

    Examples
    --------
    >>> from dagnb import Pipeline, task
    >>> @task
    ... def rows():
    ...     return [1, 2, 3]
    >>> @task
    ... def total(rows):
    ...     return sum(rows)
    >>> pipeline = Pipeline(tasks=[total, rows], name="sums")
    >>> pipeline.execute()["total"].result
    6
    >>> pipeline.execute(overrides={"rows": [10, 20]})["total"].result
    30
    """

    def __init__(self, tasks: Iterable[Callable[..., Any]], name: str | None = None) -> None:
        self.name = name or ""
        self.tasks = _by_name(tasks)
        self.dag = DAG()
        self.dag.add_nodes(list(self.tasks))
        for each in self.tasks.values():
            self.dag.add_edges([(source, each.name) for source in self._inputs(each)])
        self._store = MemoryStore()

    def _inputs(self, task: Task) -> list[str]:
        """Return the tasks that a task needs, in the order of its parameters."""
        parameters = [each for each in parameters_of(task) if each.kind not in VARIADIC]
        missing = [
            each.name
            for each in parameters
            if each.name not in self.tasks and each.default is each.empty
        ]
        if missing:
            raise MissingInputError(task.name, missing, self.tasks)
        return [each.name for each in parameters if each.name in self.tasks]

    @property
    def task_names(self) -> list[str]:
        """The names of the tasks in the order in which they were given."""
        return list(self.tasks)

    def execute(
        self,
        *,
        max_workers: int | None = None,
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        overrides: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
        hooks: HookRegistry | None = None,
        backend: Chosen = None,
    ) -> ExecutionResult:
        """Run all tasks, on threads or where a backend has them run.

        Parameters
        ----------
        overrides : mapping of str to object, optional
            Values to use for tasks instead of running them.
        max_workers, callbacks, fail_fast, enable_tracing, hooks, backend
            As for `DAGExecutor`.
        timeout, cancel_event
            As for `DAGExecutor.execute`.

        Raises
        ------
        NodeNotFoundError
            An override names no task.
        KeyboardInterrupt
            Ctrl-C arrived; its ``result`` holds what was done.
        """
        check_limits(timeout, cancel_event)
        runner = self._executor(
            max_workers, callbacks, fail_fast, enable_tracing, hooks, backend=backend
        )
        engine = runner.engine(self.tasks, self._policies(overrides))
        return runner.drive(engine, timeout, cancel_event)

    async def execute_async(
        self,
        *,
        max_workers: int | None = None,
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        overrides: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        cancel_event: CancelEvent | None = None,
        hooks: HookRegistry | None = None,
        backend: Chosen = None,
    ) -> ExecutionResult:
        """Run all tasks: coroutine functions on the running loop, plain ones on threads.

        See `execute` for the parameters.
        """
        check_limits(timeout, cancel_event)
        runner = self._executor(
            max_workers, callbacks, fail_fast, enable_tracing, hooks, backend=backend
        )
        engine = runner.engine(self.tasks, self._policies(overrides))
        return await runner.drive_on_loop(engine, timeout, cancel_event)

    def _executor(
        self,
        max_workers: int | None,
        callbacks: object,
        fail_fast: bool,
        enable_tracing: bool,
        hooks: HookRegistry | None,
        *,
        backend: Chosen,
    ) -> Executor:
        return Executor(
            self.dag,
            max_workers,
            callbacks=callbacks,
            fail_fast=fail_fast,
            enable_tracing=enable_tracing,
            hooks=hooks,
            backend=backend,
        )

    def _policies(self, overrides: Mapping[str, Any] | None) -> list[Policy]:
        policies: list[Policy] = []
        if overrides:
            self._check_overrides(overrides)
            policies.append(Given(overrides))
        cached = {each.name for each in self.tasks.values() if each.cache}
        if cached:
            policies.append(Cache(cached, self._code_of, self._store))
        return policies

    def _check_overrides(self, overrides: Mapping[str, Any]) -> None:
        for name in overrides:
            if name not in self.tasks:
                raise NodeNotFoundError(name, self.tasks, "overrides")

    def _code_of(self, name: str) -> str:
        return code_digest(self.tasks[name].function).digest

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        return f"<Pipeline{named}: {', '.join(self.tasks)}>"


def _by_name(tasks: Iterable[Callable[..., Any]]) -> dict[str, Task]:
    """Return the tasks by name, plain functions made tasks."""
    found: dict[str, Task] = {}
    for each in tasks:
        task = each if isinstance(each, Task) else Task(each)
        if task.name in found:
            raise ValueError(
                f"two tasks are named {task.name!r}; name one differently with task(name=...)"
            )
        found[task.name] = task
    return found
