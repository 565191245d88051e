"""Digests of values: short strings by which dagnb knows whether anything changed.

Two values with one digest are interchangeable: of one type, with equal contents. xxh3-128 is
fast and good at telling values of a trusted process apart; it is not a signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import xxhash

import dagnb.values.functions  # noqa: F401  # functions and classes are taken apart as code
from dagnb.errors import UncacheableValue
from dagnb.values.describe import describe, name_of
from dagnb.values.expand import REGISTERED, a, expand, full_name
from dagnb.values.libraries import forget_handlers, take_apart
from dagnb.values.plain import PLAIN, is_plain, same, scalar
from dagnb.values.walk import Parts, Walk

__all__ = ["PLAIN", "describe", "digest", "is_plain", "register_digest", "same"]

_T = TypeVar("_T")
_BUILTIN = frozenset({*PLAIN, list, tuple, dict, object})


def digest(value: object) -> str:
    """Name a value: equal values have one digest, different ones have different ones.

    It is the same in every process, whatever the layout of an array, the order of a dict or
    the parts that two values share. NaN equals itself and -0.0 differs from 0.0; 1, 1.0 and
    True differ.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    UncacheableValue
        If looking at the value would change or exhaust it (a generator, an open file), or if
        nothing can take it apart.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest([1]) == digest([True])
    False
    """
    if type(value) in PLAIN:
        return xxhash.xxh3_128_hexdigest(scalar(value))
    try:
        return Walk(take_apart).digest(value).hex()
    except UncacheableValue:
        raise
    except Exception as error:  # whatever a class of the user's raises when somebody looks at it
        name = name_of(type(value))
        raise UncacheableValue(
            f"{a(name)} has no digest, as looking at it raised {type(error).__name__}: {error}; "
            f"register one: dagnb.register_digest({name}, lambda value: ...)"
        ) from error


def register_digest(kind: type[_T], function: Callable[[_T], object]) -> None:
    """Say what names the values of a type, its subclasses included.

    Values of one type for which the function returns the same count as equal: what reads one is
    not run for another. Nodes whose code names the type run again if the function is another one.
    Registering a type again replaces the function; say it again in every process.

    Parameters
    ----------
    kind : type
        Not a built-in one; a subclass of such a one can be.
    function : callable
        Takes a value; returns something with a digest that stands for it: a string, bytes,
        numbers, a tuple of what decides. If it raises, or returns None or the value itself, the
        value has no digest: nothing is saved, and what reads it runs every time.

    Raises
    ------
    ValueError
        The type is built in.
    TypeError
        ``kind`` is no type, or ``function`` cannot be called.

    Examples
    --------
    >>> class Connection:
    ...     def __init__(self, url):
    ...         self.url = url
    >>> register_digest(Connection, lambda connection: connection.url)
    >>> digest(Connection("a")) == digest(Connection("a"))
    True
    """
    if not isinstance(kind, type) or not callable(function):
        raise TypeError("register_digest takes a type, and a function of its values")
    if kind in _BUILTIN:
        raise ValueError(f"the digest of {kind.__name__} is built in; register a subclass of it")

    def named(value: _T) -> Parts:
        return Parts(
            "registered",
            [type(value).__module__, type(value).__qualname__, _asked(function, value)],
        )

    expand.register(kind, named)
    REGISTERED[full_name(kind)] = function
    forget_handlers()


def _asked(function: Callable[[_T], object], value: _T) -> object:
    """Ask the user's function what stands for a value."""
    what = f"the function registered for {type(value).__qualname__}"
    try:
        found = function(value)
    except Exception as error:
        raise UncacheableValue(f"{what} raised {type(error).__name__}: {error}") from error
    if found is None or found is value:
        name = "None" if found is None else "the value itself"
        raise UncacheableValue(f"{what} returned {name}; return what decides, e.g. a string")
    return found
