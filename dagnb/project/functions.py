"""Functions that a manifest names: found, bound to inputs by name, and given what they ask for."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from dagnb.errors import DefinitionError, did_you_mean

Function = Callable[..., Any]
_CONTENT = "__dagnb_content__"
_LIBRARIES = ("pandas", "polars", "pyarrow")


def find_function(reference: str, root: Path) -> Function:
    """Return the function that ``module:name`` or ``file.py:name`` means.

    Parameters
    ----------
    reference : str
    root : Path
        Where files and modules are looked for; modules then where Python looks.

    Raises
    ------
    DefinitionError
        There is none, or its module cannot be imported.
    """
    place, colon, name = str(reference).rpartition(":")
    if not colon or not place or not name:
        raise DefinitionError(f"{reference!r} names no function; write module:name or file.py:name")
    module = _file(place, root) if place.endswith(".py") else _module(place, root)
    found = getattr(module, name, None)
    if not callable(found):
        public = [each for each in vars(module) if not each.startswith("_")]
        raise DefinitionError(f"{place} has no function {name!r}{did_you_mean(name, public)}")
    return found  # type: ignore[no-any-return]  # callable, as just seen


def _file(place: str, root: Path) -> ModuleType:
    """Run a file as a module of its own, found by its name when values are unpickled.

    All functions of a file come from one run of it, until somebody edits it.
    """
    path, name = root / place, "dagnb_file_" + re.sub(r"\W", "_", place)
    if not path.is_file():
        raise DefinitionError(f"there is no file {path.absolute()}")
    content = path.read_bytes()
    known = sys.modules.get(name)
    if known is not None and vars(known).get(_CONTENT) == (path.absolute(), content):
        return known
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    with _importable(path.parent), _explained(str(path)):
        spec.loader.exec_module(module)
    vars(module)[_CONTENT] = path.absolute(), content
    return module


def _module(name: str, root: Path) -> ModuleType:
    with _importable(root), _explained(name):
        return import_module(name)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let modules in a folder be found, as for a script that lies there."""
    entry = str(folder.absolute())
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the user's module may raise anything
        raise DefinitionError(f"{place} cannot be imported: {error!r}") from error


def check_binding(function: Function, names: Mapping[str, object]) -> None:
    """Refuse a function with a parameter that none of these names gives a value.

    Raises
    ------
    DefinitionError
        It names the parameter and the nearest name.
    """
    for each in inspect.signature(function).parameters.values():
        is_named = each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
        if is_named and each.default is each.empty and each.name not in names:
            raise DefinitionError(
                f"its parameter {each.name!r} is no input and none of its params"
                f"{did_you_mean(each.name, names)}"
            )


def call(function: Function, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
    """Call a function with the inputs and params that its parameters name.

    A table comes as what the parameter is annotated with (a frame of pandas or polars, a table
    of pyarrow, a list of dicts); without, as a frame of the library that the function's module
    has imported; else as a table of pyarrow.
    """
    values = {**params, **inputs}
    hints, chosen = _hints(function), _library(function)
    arguments = {}
    for each in inspect.signature(function).parameters.values():
        names = list(values) if each.kind is each.VAR_KEYWORD else [each.name]
        for name in names:
            if name in values and name not in arguments:
                arguments[name] = _given(values[name], hints.get(name), chosen)
    return function(**arguments)


def _hints(function: Function) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # of names that only a type checker has
        return {}


def _library(function: Function) -> str:
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    modules = {each.__name__ for each in namespace.values() if isinstance(each, ModuleType)}
    return next((name for name in _LIBRARIES if name in modules), "pyarrow")


def _given(value: Any, hint: Any, chosen: str) -> Any:
    if type(value).__module__.partition(".")[0] != "pyarrow":
        return value
    wanted = getattr(hint, "__origin__", hint)
    library = str(getattr(wanted, "__module__", "")).partition(".")[0]
    if wanted is list:
        return value.to_pylist()
    library = library if library in _LIBRARIES else chosen
    if library == "pandas":
        return value.to_pandas()
    return import_module("polars").from_arrow(value) if library == "polars" else value
