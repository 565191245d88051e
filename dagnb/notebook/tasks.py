"""The tasks of nodes: their functions, called with the notebook's variables, outputs kept."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dagnb.notebook.capture import Output, Shell, capture
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.coroutines import run_coroutine
from dagnb.notebook.display import show
from dagnb.notebook.registry import NotebookNode


@dataclass(frozen=True, slots=True)
class Performance:
    """What a node showed when it was last executed.

    Attributes
    ----------
    outputs : list of dict
        As in a notebook file.
    live : bool
        Whether the cell that is being executed has shown some of them already.
    """

    outputs: list[Output]
    live: bool


class Tasks(Mapping[str, "NodeTask"]):
    """The task of each node, made when asked for and kept as long as the node is the same.

    Attributes
    ----------
    performances : dict of str to Performance
        What nodes showed, until somebody takes it out.
    live : set of str
        The nodes whose prints shall appear at once.
    """

    def __init__(
        self, nodes: Mapping[str, NotebookNode], shell: Shell, namespace: Mapping[str, Any]
    ) -> None:
        self._nodes = nodes
        self._made: dict[str, tuple[NotebookNode, NodeTask]] = {}
        self.shell = shell
        self.namespace = namespace
        self.performances: dict[str, Performance] = {}
        self.live: set[str] = set()

    def __getitem__(self, name: str) -> NodeTask:
        node = self._nodes[name]
        made = self._made.get(name)
        if made is None or made[0] is not node:
            inputs = tuple(each for each in node.code.parameters if each in self._nodes)
            made = self._made[name] = node, NodeTask(node.code, inputs, self)
        return made[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def forget(self, name: str) -> None:
        """Forget a node that was removed."""
        self._made.pop(name, None)
        self.performances.pop(name, None)


class NodeTask:
    """The task of one node, called with its inputs by keyword.

    Parameters
    ----------
    code : NodeCode
    inputs : tuple of str
        Those of its parameters that are nodes; the others are variables of the notebook.
    tasks : Tasks
        Where what it shows is put.
    """

    def __init__(self, code: NodeCode, inputs: tuple[str, ...], tasks: Tasks) -> None:
        self._code = code
        self._tasks = tasks
        self._variables = tuple(each for each in code.parameters if each not in inputs)
        kind = inspect.Parameter.KEYWORD_ONLY
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in inputs])

    def __call__(self, **inputs: Any) -> Any:
        """Run the node's code and keep what it shows, also if it raises."""
        name, tasks, sink = self._code.name, self._tasks, None
        try:
            with capture(tasks.shell, live=name in tasks.live) as sink:
                return self._perform(inputs)
        finally:
            if sink is not None:  # complete only after the capture: figures come last
                tasks.performances[name] = Performance(sink.outputs, sink.passed_on)

    def _perform(self, inputs: Mapping[str, Any]) -> Any:
        given = {**self.variables(), **inputs}
        function = self._code.function
        count = getattr(getattr(function, "__code__", None), "co_posonlyargcount", 0)
        positional = [given.pop(name) for name in self._code.parameters[:count] if name in given]
        value: Any = function(*positional, **given)
        if self._code.is_async:
            value = run_coroutine(value)
        if not self._code.shows:
            return value
        ending, value = value
        if not self._code.quiet:
            show(self._tasks.shell, ending)
        return value

    def variables(self) -> dict[str, Any]:
        """Return the values of those parameters that are variables of the notebook."""
        namespace = self._tasks.namespace
        return {name: namespace[name] for name in self._variables if name in namespace}
