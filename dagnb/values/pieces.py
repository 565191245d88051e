"""What objects that are made around functions consist of."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from dagnb.values.names import is_library

Table = Mapping[object, object] | Collection[object]
TABLES = (dict, list, tuple)
_WRAPPERS = (staticmethod, classmethod, functools._lru_cache_wrapper)


def defaults_of(function: FunctionType) -> list[tuple[str, object]]:
    """The parameters of a function that have a default, with it."""
    if function.__defaults__ is None and function.__kwdefaults__ is None:
        return []
    code = function.__code__
    values = function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(values) : code.co_argcount]
    keywords = function.__kwdefaults__ or {}
    return [*zip(names, values, strict=True), *sorted(keywords.items())]


def is_bound(value: BuiltinFunctionType) -> bool:
    """Whether a builtin method is bound to an object."""
    return value.__self__ is not None and not isinstance(value.__self__, ModuleType)


def is_code(value: object) -> bool:
    """Whether a value is code or made around code."""
    return isinstance(value, FunctionType | type) or bool(pieces_of(value))


def holds_code(table: Table) -> bool:
    """Whether a container holds code of the user."""
    try:
        values = [*(table.values() if isinstance(table, dict) else table)]
    except Exception:  # a subclass of the user's that cannot be looked through
        return False
    return any(is_code(value) and not is_library(value) for value in values)


def closed_over(function: FunctionType) -> dict[str, object]:
    """The variables that a function closes over and that are set."""
    found = {}
    names, cells = function.__code__.co_freevars, function.__closure__ or ()
    for name, cell in zip(names, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def code_within(value: object, depth: int = 3) -> dict[str, object]:
    """The user's code that a library made a function around, as ``contextmanager`` does."""
    if not isinstance(value, FunctionType) or not depth:
        return {}
    held = closed_over(value)
    if "__wrapped__" in vars(value):
        held["__wrapped__"] = vars(value)["__wrapped__"]
    return {name: each for name, each in held.items() if _is_own(each, depth - 1)}


def _is_own(value: object, depth: int) -> bool:
    """Whether something is code of the user, or holds some."""
    if isinstance(value, TABLES):
        return holds_code(value)
    return is_code(value) and (not is_library(value) or bool(code_within(value, depth)))


def pieces_of(value: object) -> dict[str, object]:
    """What an object that is made around functions consists of."""
    if isinstance(value, functools.partial):
        arguments = {"args": value.args, "keywords": value.keywords}
        return {"func": value.func, **{k: v for k, v in arguments.items() if v}}
    if isinstance(value, MethodType):
        return {value.__func__.__name__: value.__func__, "__self__": value.__self__}
    if isinstance(value, property):
        each = {"fget": value.fget, "fset": value.fset, "fdel": value.fdel}
        return {name: piece for name, piece in each.items() if piece is not None}
    if isinstance(value, functools.cached_property):
        return {"func": value.func}
    if isinstance(value, functools.singledispatchmethod):
        return {"dispatcher": value.dispatcher}
    if isinstance(value, _WRAPPERS):
        return {"__wrapped__": value.__wrapped__}
    return {}
