"""Bring in what knows the types of an optional library, when a value of it turns up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from weakref import WeakKeyDictionary

from dagnb.values.expand import expand
from dagnb.values.walk import Parts

_MODULES = {
    "numpy": "numpy_arrays",
    "pandas": "pandas_frames",
    "pyarrow": "arrow_tables",
    "polars": "polars_frames",
    "scipy": "scipy_sparse",
    "matplotlib": "matplotlib_figures",
    "PIL": "pil_images",
    "torch": "torch_tensors",
}
_HANDLERS: WeakKeyDictionary[type, Callable[[object], Parts]] = WeakKeyDictionary()


def take_apart(value: object) -> Parts:
    """Take a value of any type apart for its digest.

    A type is looked at once: which library it, or a class that it inherits from, is part of.
    """
    handler = _HANDLERS.get(type(value)) or _learn(type(value))
    return handler(value)


def forget_handlers() -> None:
    """Look at every type anew: another function was registered for one of them."""
    _HANDLERS.clear()


def _learn(kind: type) -> Callable[[object], Parts]:
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
    for root in roots & _MODULES.keys() & sys.modules.keys():
        import_module(f"dagnb.values.{_MODULES[root]}")
    handler = _HANDLERS[kind] = expand.dispatch(kind)
    return handler
