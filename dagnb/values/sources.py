"""The source of a function, as well as it can be found."""

from __future__ import annotations

import inspect
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
    try:
        return textwrap.dedent(inspect.getsource(function.__code__)).rstrip()
    except (OSError, TypeError, SyntaxError, TokenError, IndexError):
        return f"def {function.__name__}{_signature(function)}"


def _signature(function: Callable[..., object]) -> str:
    try:
        return str(inspect.signature(function, follow_wrapped=False))
    except Exception:  # a default of the user's may have a repr that raises
        return "(...)"
