"""Calling a node's function in the notebook: with its variables, its loop, and its outputs kept."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from dagnb.notebook.capture import Output, Shell, capture
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.coroutines import run_coroutine


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


class NodeTask:
    """The task of a node, called with its inputs by keyword.

    Parameters
    ----------
    code : NodeCode
    inputs : sequence of str
        Those of its parameters that are nodes; the others are variables of the notebook.
    namespace : mapping
        The notebook's variables.
    shell : InteractiveShell
    performances : dict
        Where what it shows is put, by name.
    live : container of str
        The nodes whose prints shall appear at once.
    """

    def __init__(
        self,
        code: NodeCode,
        inputs: tuple[str, ...],
        *,
        namespace: Mapping[str, Any],
        shell: Shell,
        performances: MutableMapping[str, Performance],
        live: set[str],
    ) -> None:
        self._code = code
        self._namespace = namespace
        self._shell = shell
        self._performances = performances
        self._live = live
        parameter, kind = inspect.Parameter, inspect.Parameter.KEYWORD_ONLY
        self.__signature__ = inspect.Signature([parameter(name, kind) for name in inputs])

    def __call__(self, **inputs: Any) -> Any:
        """Run the node's code and keep what it shows, also if it raises."""
        name = self._code.name
        sink = None
        try:
            with capture(self._shell, live=name in self._live) as sink:
                return self._perform(inputs)
        finally:
            if sink is not None:  # complete only after the capture: figures come last
                self._performances[name] = Performance(sink.outputs, sink.passed_on)

    def _perform(self, inputs: Mapping[str, Any]) -> Any:
        given = {**self.variables(), **inputs}
        function = self._code.function
        count = getattr(getattr(function, "__code__", None), "co_posonlyargcount", 0)
        positional = [given.pop(name) for name in self._code.parameters[:count] if name in given]
        value: Any = function(*positional, **given)
        return run_coroutine(value) if self._code.is_async else value

    def variables(self) -> dict[str, Any]:
        """Return the values of those parameters that are variables of the notebook."""
        names = set(self._code.parameters) - set(self.__signature__.parameters)
        return {name: self._namespace[name] for name in names if name in self._namespace}
