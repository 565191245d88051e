"""The source of a function, as well as it can be found."""

from __future__ import annotations

import inspect
import linecache
import textwrap
from collections.abc import Callable
from tokenize import TokenError
from types import CodeType, FunctionType
from weakref import WeakKeyDictionary

_SOURCES: WeakKeyDictionary[CodeType, str] = WeakKeyDictionary()


def source_of(function: FunctionType) -> str:
    """The source of a function, or its signature where there is none."""
    code = function.__code__
    found = _SOURCES.get(code)
    if found is None:
        found = _SOURCES[code] = _read_source(function)
    return found


def _read_source(function: FunctionType) -> str:
    code = function.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    try:  # inspect.getsource first looks through all modules, which takes a millisecond
        block = inspect.getblock(lines[code.co_firstlineno - 1 :])
        return textwrap.dedent("".join(block)).rstrip() or _signature_of(function)
    except (SyntaxError, TokenError, IndexError):
        return _signature_of(function)


def _signature_of(function: FunctionType) -> str:
    return f"def {function.__name__}{_signature(function)}"


def _signature(function: Callable[..., object]) -> str:
    try:
        return str(inspect.signature(function, follow_wrapped=False))
    except Exception:  # a default of the user's may have a repr that raises
        return "(...)"
