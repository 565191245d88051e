"""Hashes of many plain values of one type at once.

Each function takes a hash and the values, whose number the hash has been told. What is hashed
says how long it is before it begins, so that no two collections can be read as one.
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import xxhash

from dagnb.values.plain import scalar

MAX_TEXT = 1 << 28
_SOME = 512
_NAN = float("nan")

Hash = xxhash.xxh3_128
HashMany = Callable[[Hash, list[Any]], None]


class TooLarge(Exception):
    """The values unfold to more than can be hashed at once."""


def _nones(hasher: Hash, members: list[None]) -> None:
    """None is known by its type."""


def _bools(hasher: Hash, members: list[bool]) -> None:
    hasher.update(bytes(members))


def _ints(hasher: Hash, members: list[int]) -> None:
    try:
        numbers = array("q", members)
    except OverflowError:
        wide = marshal.dumps(members, 2)
        hasher.update(b"wide %d;" % len(wide))
        hasher.update(wide)
    else:
        hasher.update(b"q")
        hasher.update(numbers)


def _floats(hasher: Hash, members: list[float]) -> None:
    total = sum(members)
    if total != total:  # noqa: PLR0124  # some are NaN, or infinities cancelled out
        members = [each if each == each else _NAN for each in members]  # noqa: PLR0124
    hasher.update(array("d", members))


def _complexes(hasher: Hash, members: list[complex]) -> None:
    hasher.update(b"".join(map(scalar, members)))


def _texts(hasher: Hash, members: list[str]) -> None:
    """Texts end to end; their lengths too if one of them holds what stands between."""
    joined = "\0".join(_joined(members))
    is_clear = joined.count("\0") == len(members) - 1
    text = joined.encode("utf-8", "surrogatepass")
    hasher.update(b"%d %d;" % (is_clear, len(text)))
    hasher.update(text)
    if not is_clear:
        hasher.update(array("q", map(len, members)))


def _joined(members: list[str]) -> Iterator[str]:
    """Join some at a time: it is quicker to see how long that gets than to ask each before."""
    left = MAX_TEXT
    for at in range(0, len(members), _SOME):
        joined = "\0".join(members[at : at + _SOME])
        left -= len(joined)
        if left < 0:
            raise TooLarge
        yield joined


def _bytes(hasher: Hash, members: list[bytes]) -> None:
    lengths = array("q", map(len, members))
    if sum(lengths) > MAX_TEXT:
        raise TooLarge
    hasher.update(lengths)
    hasher.update(b"".join(members))


HASH_MANY: Mapping[type, HashMany] = {
    type(None): _nones,
    bool: _bools,
    int: _ints,
    float: _floats,
    complex: _complexes,
    str: _texts,
    bytes: _bytes,
}
