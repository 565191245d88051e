"""Plain values: immutable scalars of an exact builtin type, which can be compared directly."""

from __future__ import annotations

import marshal
import math

PLAIN: frozenset[type] = frozenset({type(None), bool, int, float, complex, str, bytes})

_NAN = float("nan")


def is_plain(value: object) -> bool:
    """Whether ``value`` is an immutable scalar of an exact builtin type.

    Examples
    --------
    >>> is_plain(3), is_plain("a"), is_plain([3])
    (True, True, False)
    """
    return type(value) in PLAIN


def same(a: object, b: object) -> bool:
    """Whether two plain values agree in type and value, exactly as their digests do.

    NaN is the same as NaN; 0.0 is not the same as -0.0.

    Examples
    --------
    >>> same(1, 1), same(1, True), same(0.0, -0.0), same(float("nan"), float("nan"))
    (True, False, False, True)
    """
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is float or kind is complex:
        return scalar(a) == scalar(b)
    return a == b


def scalar(value: object) -> bytes:
    """Name a plain value by bytes: typed, self-delimiting, the same on every Python.

    Format 2 of ``marshal`` is used because it knows neither interning nor references.
    """
    if value != value:  # noqa: PLR0124  # only a NaN is not itself
        value = _one_nan(value)
    return marshal.dumps(value, 2)  # type: ignore[arg-type]  # all plain types are marshallable


def _one_nan(value: object) -> object:
    """Replace the many bit patterns of NaN by one."""
    if isinstance(value, complex):
        real, imag = value.real, value.imag
        return complex(_NAN if math.isnan(real) else real, _NAN if math.isnan(imag) else imag)
    return _NAN
