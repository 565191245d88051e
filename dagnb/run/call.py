"""A task bound to its inputs, and what a worker does with it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from types import FunctionType
from typing import Any, NamedTuple, TypeAlias

from dagnb.errors import UnusableValue
from dagnb.graph.adjacency import Adjacency
from dagnb.run.coroutines import run_coroutine
from dagnb.tasks import Options, Task
from dagnb.values.describe import name_of, trouble_with
from dagnb.values.plain import PLAIN

NOT_SIMPLE = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_COROUTINE
new_tuple = tuple.__new__  # a third of the cost of calling a named tuple's class


class Call(NamedTuple):
    """What to call for a node, and with what.

    Attributes
    ----------
    tells : bool
        Whether somebody wants to hear of it while it is under way, if that costs more.
    """

    node: int
    function: Callable[..., Any]
    arguments: Sequence[Any]
    keywords: Mapping[str, Any] | None
    options: Options | None = None
    tells: bool = False


class Report(NamedTuple):
    """What came of a call. ``started`` and ``ended`` are ``perf_counter()`` in the worker.

    Attributes
    ----------
    attempts : int
        How often the function was called.
    overdue : str
        Why it was given up, if it was; empty otherwise.
    place : str
        Where it was performed, if not by the worker that reports it.
    beside : object
        What the function brought back from there beside its value.
    """

    value: Any
    error: BaseException | None
    started: float
    ended: float
    attempts: int = 1
    overdue: str = ""
    place: str = ""
    beside: Any = None


def perform(call: Call) -> Report:
    """Call the function once and report; whatever it raises is in the report."""
    _, function, arguments, keywords, _, _ = call
    started = perf_counter()
    try:
        value = function(*arguments, **keywords) if keywords else function(*arguments)
    except BaseException as error:
        return Report(None, error, started, perf_counter())
    return new_tuple(Report, (value, None, started, perf_counter(), 1, "", "", None))


# The task of a node, the function to call, the nodes whose values it takes by position and by
# name, and its options. For None it takes all predecessors in the order of their edges, so that
# one binding serves every node with the same task. An exact tuple: each node that runs reads one.
Bound: TypeAlias = (
    "tuple[Callable[..., Any], Callable[..., Any], Sequence[int] | None,"
    " Sequence[tuple[str, int]], Options | None]"
)


def checked(name: str, report: Report) -> Report:
    """Let a node fail whose value nobody can look at; return the reports of all others."""
    unusable = None if type(report.value) in PLAIN else why_unusable(name, report.value)
    return report if unusable is None else report._replace(value=None, error=unusable)


def why_unusable(name: str, value: object) -> UnusableValue | None:
    """Return what a node fails with whose value raises as soon as it is asked for its class."""
    raised = trouble_with(value)
    if not raised:
        return None
    kind = name_of(type(value))
    return UnusableValue(
        f"node {str(name)!r} gave a value of type {kind} that nothing can look at: to ask for its "
        f"class raised {raised}; mend __class__ or __getattribute__ of {kind}"
    )


def _no_task() -> None:
    """Stand where no task is."""


class Binder:
    """Binds the parameters of tasks to the predecessors of their nodes, by name.

    A parameter that names a predecessor takes its value; ``*args`` takes the values of all
    other predecessors in the order of their edges, ``**kwargs`` the same by name. A task
    without parameters takes nothing. A binding is kept until the task or the graph changes.

    Attributes
    ----------
    shared : Bound
        The last binding that serves every node with its task; before there is one, of no task.
    """

    def __init__(self, graph: Adjacency) -> None:
        self._graph = graph
        self._version = -1
        self._bound: list[Bound | None] = []
        self.shared: Bound = (_no_task, _no_task, (), (), None)
        self._parameters: dict[Any, list[inspect.Parameter]] = {}

    @property
    def bindings(self) -> list[Bound | None]:
        """The bindings by node, as far as they are known for the graph as it is."""
        if self._version != self._graph.version:
            self._bound = [None] * len(self._graph.names)
            self._version = self._graph.version
        return self._bound

    def grow(self, edited: Iterable[int]) -> None:
        """Keep the bindings of a graph that grew, but for nodes whose edges were edited."""
        self._bound.extend([None] * (len(self._graph.names) - len(self._bound)))
        for node in edited:
            self._bound[node] = None
        self._version = self._graph.version

    def bind(self, node: int, task: Callable[..., Any]) -> Bound:
        """Return the task of a node with its inputs.

        Raises
        ------
        TypeError
            A parameter without a default names no predecessor of the node.
        """
        bindings = self.bindings
        bound = bindings[node]
        if bound is None or bound[0] is not task:
            bound = self.shared
            if bound[0] is not task:
                bound = self.simple(node, task) or self.matched(node, task)
            bindings[node] = bound
        return bound

    def simple(self, node: int, task: Callable[..., Any]) -> Bound | None:
        """Bind the plain functions that most tasks are, each parameter a predecessor, or none."""
        if task.__class__ is not FunctionType or task.__dict__:  # it may be wrapped or marked
            return None
        code = task.__code__
        flags, count = code.co_flags & NOT_SIMPLE, code.co_argcount
        if flags & ~inspect.CO_VARARGS or code.co_kwonlyargcount or (flags and count):
            return None
        if not count:  # all inputs or none, whatever the node: the next one often has it too
            self.shared = (task, task, None if flags else (), (), None)
            return self.shared
        ids, above, inputs = self._graph.ids, self._graph.predecessors[node], []
        for name in code.co_varnames[:count]:
            source = ids.get(name)
            if source is None or source not in above:
                return None
            inputs.append(source)
        return task, task, inputs, (), None

    def matched(self, node: int, task: Callable[..., Any]) -> Bound:
        """Bind any task by its signature; see `bind` for what it raises."""
        function = task.function if isinstance(task, Task) else task
        options = task.options if isinstance(task, Task) else None
        if is_coroutine_function(function):
            function = OwnLoop(function)
        inputs, keywords = self._match(node, self._parameters_of(task))
        return task, function, inputs, keywords, options

    def _parameters_of(self, task: Callable[..., Any]) -> list[inspect.Parameter]:
        if not isinstance(task, FunctionType) or task.__dict__:
            return parameters_of(task)
        key = task.__code__, len(task.__defaults__ or ()), frozenset(task.__kwdefaults__ or ())
        if key not in self._parameters:
            self._parameters[key] = parameters_of(task)
        return self._parameters[key]

    def _match(
        self, node: int, parameters: Sequence[inspect.Parameter]
    ) -> tuple[tuple[int, ...], tuple[tuple[str, int], ...]]:
        names = self._graph.names
        free = {names[each]: each for each in self._graph.predecessors[node]}
        inputs: list[int] = []
        keywords: list[tuple[str, int]] = []
        gap = False
        for each in parameters:
            if each.kind is each.VAR_POSITIONAL:
                named = {other.name for other in parameters}
                inputs += [free.pop(name) for name in list(free) if name not in named]
            elif each.kind is each.VAR_KEYWORD:
                keywords += free.items()
            elif each.name not in free:
                if each.default is each.empty:
                    raise TypeError(self._unmatched(node, each.name))
                gap = True
            elif each.kind is each.KEYWORD_ONLY or gap:
                keywords.append((each.name, free.pop(each.name)))
            else:
                inputs.append(free.pop(each.name))
        return tuple(inputs), tuple(keywords)

    def _unmatched(self, node: int, parameter: str) -> str:
        name = self._graph.names[node]
        return (
            f"the task of node {str(name)!r} takes {parameter!r}, which is no predecessor of it; "
            f"add the edge {parameter!r} -> {str(name)!r} or give the parameter a default"
        )


def parameters_of(task: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters of a task; those of a builtin that does not tell count as none."""
    try:
        return list(inspect.signature(task).parameters.values())
    except ValueError:
        return []


class OwnLoop:
    """Makes a coroutine function one that runs the coroutine to its end.

    It has a loop of its own; on a thread whose loop runs, as a notebook's, it gets the one of
    the helper thread.

    Attributes
    ----------
    function : callable
        The coroutine function, for a driver that has a loop.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Run the coroutine."""
        coroutine = self.function(*arguments, **keywords)
        return run_coroutine(coroutine) if _is_on_a_loop() else asyncio.run(coroutine)


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine: it, or the method behind it, is an ``async def``."""
    method = getattr(type(function), "__call__", None)  # noqa: B004  # of its class, as Python does
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(method)
