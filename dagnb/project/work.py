"""What a node of some kind does: what it depends on, and how it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, ClassVar

from dagnb.errors import ManifestError, UncacheableValue, did_you_mean
from dagnb.project.manifest import ManifestNode
from dagnb.run.call import parameters_of
from dagnb.values.code import code_digest
from dagnb.values.fingerprint import digest

Executor = Callable[..., Any]
Above = Mapping[str, ManifestNode]
_CODE = ("function", "class", "module")


class Work:
    """What one node does; a kind is a subclass of this.

    Parameters
    ----------
    node : ManifestNode
    above : mapping of str to ManifestNode
        The nodes that it reads, by id, in the order of the edges.
    root : Path
        Where relative paths begin.

    Attributes
    ----------
    options : tuple of str
        The names that its configuration may have.
    """

    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, node: ManifestNode, above: Above, root: Path) -> None:
        self.node = node
        self.above = above
        self.root = root

    def check(self) -> None:
        """Refuse a configuration that cannot work, before anything runs.

        Raises
        ------
        ProjectError
        """
        for name in self.node.config:
            if name not in self.options:
                raise self.wrong(
                    name,
                    f"a {self.node.type} has no such option{did_you_mean(name, self.options)}",
                )

    def parts(self) -> dict[str, str]:
        """Return what its value depends on beside inputs, each with its digest."""
        config = {f"config.{name}": _named(each) for name, each in self.node.config.items()}
        return {"name": _named(self.node.name), "type": _named(self.node.type), **config}

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Return its value, from the values of the nodes above by id."""
        raise NotImplementedError

    def is_intact(self, value: object) -> bool:
        """Whether what it left elsewhere is still there; ``value`` is what it returned."""
        return True

    def wrong(self, option: str, problem: str) -> ManifestError:
        """Return the error about an option of its configuration."""
        place = f"nodes[{self.node.id!r}].config"
        return ManifestError(f"{place}.{option}" if option else place, problem)


class Custom(Work):
    """What a function that was registered for a kind does.

    It is called with the node, and with the values of its inputs by name if it takes two. A
    mapping that it returns is a report of what it did elsewhere: its ``row_count`` is noted, and
    what is below runs whenever it ran. Anything else is the node's value.
    """

    def __init__(self, node: ManifestNode, above: Above, root: Path, function: Executor) -> None:
        super().__init__(node, above, root)
        self._function = function

    def check(self) -> None:
        """Take any configuration: only the function knows it."""

    def parts(self) -> dict[str, str]:
        """Add the code of the function and of its helpers; what they keep is no part of it."""
        code = code_digest(_without_self(self._function))
        helpers = {
            f"code of {label}": read.digest
            for label, read in code.reads.items()
            if read.kind in _CODE
        }
        return super().parts() | {"code": code.code.digest} | helpers

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Call the function."""
        if len(parameters_of(self._function)) < 2:
            return self._function(self.node)
        return self._function(self.node, by_name(self.above, inputs))


def by_name(above: Above, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by the name of their node; by id where two have the same."""
    names = [node.name for node in above.values()]
    return {
        node.name if names.count(node.name) == 1 else key: values[key]
        for key, node in above.items()
        if key in values
    }


def is_report(value: object) -> bool:
    """Whether a custom executor only says what it did."""
    return value is None or isinstance(value, Mapping)


def row_count(value: object) -> int | None:
    """Return how many rows a value has, if it has rows or says so."""
    if isinstance(value, Mapping):
        found = value.get("row_count")
        return found if isinstance(found, int) else None
    if hasattr(value, "shape") or hasattr(value, "num_rows"):
        rows = getattr(value, "num_rows", None)
        found = rows if rows is not None else (tuple(value.shape) or (None,))[0]  # type: ignore[attr-defined]  # asked
        return int(found) if isinstance(found, int) else None
    return len(value) if isinstance(value, list | tuple) else None


def _without_self(function: Executor) -> Executor:
    """Return the function behind a method; the object it is bound to may note what it does."""
    if isinstance(function, MethodType):
        return function.__func__
    call = getattr(type(function), "__call__", None)  # noqa: B004  # of its class, as Python does
    return call if isinstance(call, FunctionType) else function


def _named(value: object) -> str:
    try:
        return digest(value)
    except UncacheableValue:
        return repr(value)
