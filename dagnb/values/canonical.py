"""The one order in which the keys of equal dicts and the elements of equal sets are read."""

from __future__ import annotations

import marshal
from collections.abc import Collection
from itertools import chain

from dagnb.values.plain import PLAIN, scalar

_ALIKE: tuple[set[type], ...] = ({str}, {int}, set())


def in_order(keys: Collection[object]) -> list[object] | None:
    """Sort keys that are plain values or tuples of such; return None for others.

    The order depends on the keys alone, never on how a dict or set came to hold them.

    Examples
    --------
    >>> in_order({"b", "a"}), in_order([None, (2, "x")]), in_order([frozenset()])
    (['a', 'b'], [(2, 'x'), None], None)
    """
    kinds = set(map(type, keys))
    if kinds in _ALIKE:
        return sorted(keys)  # type: ignore[type-var]  # all str or all int
    if kinds <= PLAIN:
        return sorted(keys, key=scalar)
    tuples = (key for key in keys if type(key) is tuple)
    inside = set(map(type, chain.from_iterable(tuples)))
    if kinds - {tuple} <= PLAIN and inside <= PLAIN:
        return sorted(keys, key=_bytes_of)
    return None


def _bytes_of(key: object) -> bytes:
    """Format 2 of ``marshal`` knows neither interning nor references."""
    return marshal.dumps(key, 2)  # type: ignore[arg-type]  # plain, or a tuple of plain values
