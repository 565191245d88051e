"""Digests of nested lists, tuples and dicts of plain values, at the speed of C.

The value is read level by level: all objects at one depth form a list, whose types, lengths
and leaves are hashed in bulk. This says as much as a traversal in depth, and needs no
bytecode per object. A value that unfolds to too many objects (a few lists that contain each
other many times over) or too deep is refused; whether it is depends on its value alone, so
that a copy without shared parts takes the same way.
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, compress, repeat
from operator import itemgetter
from typing import Any

import xxhash

from dagnb.values.plain import scalar

MAX_OBJECTS = 4_000_000
# Data are wide near the top; what is still wide far down contains itself.
_WIDE_LEVELS, _MAX_DEEP_LEVEL = 8, 1 << 16
MAX_TEXT = 1 << 28
_FOREIGN = 99

Foreign = Callable[[object], bytes]
_Level = list[object]


class _TooLarge(Exception):
    """The value unfolds to more than the limits allow, or holds what levels cannot carry."""


def flat_digest(value: object, depth: int, foreign: Foreign | None = None) -> bytes | None:
    """Digest ``value`` level by level, or return None if it is not of this kind.

    Parameters
    ----------
    value : object
    depth : int
        The number of levels to go down at most.
    foreign : callable, optional
        Names an object that is neither plain nor a list, tuple or dict; without it such an
        object makes the answer None.
    """
    hasher = xxhash.xxh3_128(b"levels")
    level, count = [value], 0
    try:
        for at in range(depth):
            count += len(level)
            room = MAX_OBJECTS - count
            if at >= _WIDE_LEVELS:
                room = min(room, _MAX_DEEP_LEVEL)
            level = _read_level(level, hasher, room, foreign)
            if not level:
                return hasher.digest()
    except _TooLarge:
        pass
    return None


def _read_level(
    level: _Level, hasher: xxhash.xxh3_128, room: int, foreign: Foreign | None
) -> _Level:
    """Hash the objects of one depth and return those one deeper, in the same order."""
    kinds = set(map(type, level))
    tags = {_TAGS.get(kind, _FOREIGN) for kind in kinds}
    hasher.update(b"%d %d;" % (len(level), len(tags)))
    if len(tags) == 1:
        return _read_members(tags.pop(), level, hasher, room, foreign)
    of_each = bytes(map(_TAGS.get, map(type, level), repeat(_FOREIGN)))
    hasher.update(of_each)
    deeper: _Level = []
    for tag in sorted(tags):
        members = list(compress(level, of_each.translate(_ONLY[tag])))
        deeper += _read_members(tag, members, hasher, room - len(deeper), foreign)
    return deeper


def _read_members(
    tag: int, members: _Level, hasher: xxhash.xxh3_128, room: int, foreign: Foreign | None
) -> _Level:
    """Hash objects of one type; return their children."""
    hasher.update(b"%d:%d;" % (tag, len(members)))
    if tag != _FOREIGN:
        return _READERS[tag](members, hasher, room)
    if foreign is None:
        raise _TooLarge
    hasher.update(b"".join(map(foreign, members)))
    return []


def _read_nothing(members: _Level, hasher: xxhash.xxh3_128, room: int) -> _Level:
    """None is known by its type."""
    return []


def _read_bools(members: list[bool], hasher: xxhash.xxh3_128, room: int) -> _Level:
    hasher.update(bytes(members))
    return []


def _read_ints(members: list[int], hasher: xxhash.xxh3_128, room: int) -> _Level:
    try:
        hasher.update(array("q", members))
    except OverflowError:
        hasher.update(b"wide")
        hasher.update(marshal.dumps(members, 2))
    return []


def _read_floats(members: list[float], hasher: xxhash.xxh3_128, room: int) -> _Level:
    total = sum(members)
    if total != total:  # noqa: PLR0124  # some are NaN, or infinities cancelled out
        members = [each if each == each else float("nan") for each in members]  # noqa: PLR0124
    hasher.update(array("d", members))
    return []


def _read_complexes(members: _Level, hasher: xxhash.xxh3_128, room: int) -> _Level:
    hasher.update(b"".join(map(scalar, members)))
    return []


def _read_texts(members: list[str], hasher: xxhash.xxh3_128, room: int) -> _Level:
    _read_lengths(members, hasher, MAX_TEXT)
    hasher.update("".join(members).encode("utf-8", "surrogatepass"))
    return []


def _read_bytes(members: list[bytes], hasher: xxhash.xxh3_128, room: int) -> _Level:
    _read_lengths(members, hasher, MAX_TEXT)
    hasher.update(b"".join(members))
    return []


def _read_sequences(members: list[list[object]], hasher: xxhash.xxh3_128, room: int) -> _Level:
    _read_lengths(members, hasher, room)
    return list(chain.from_iterable(members))


def _read_dicts(members: list[dict[object, object]], hasher: xxhash.xxh3_128, room: int) -> _Level:
    """Hash the sorted keys of dicts; their values in that order are one level deeper."""
    _read_lengths(members, hasher, room)
    if not set(map(type, chain.from_iterable(members))) <= {str, int}:
        raise _TooLarge
    shapes = {shape: _in_order(shape) for shape in set(map(tuple, members))}
    if len(shapes) == 1:
        return _read_records(next(iter(shapes.values())), members, hasher)
    numbers: dict[tuple[object, ...], int] = {}
    keys = [shapes[tuple(each)] for each in members]
    hasher.update(array("q", [numbers.setdefault(each, len(numbers)) for each in keys]))
    hasher.update(marshal.dumps(list(numbers), 2))
    return [each[key] for each, names in zip(members, keys, strict=True) for key in names]


def _read_records(
    keys: tuple[Any, ...], members: list[dict[object, object]], hasher: xxhash.xxh3_128
) -> _Level:
    """Hash the keys that all dicts have in common."""
    hasher.update(marshal.dumps(keys, 2))
    if len(keys) > 1:
        return list(chain.from_iterable(map(itemgetter(*keys), members)))
    return [each[key] for key in keys for each in members]


def _in_order(keys: tuple[object, ...]) -> tuple[object, ...]:
    """Sort keys that are all str or all int."""
    try:
        return tuple(sorted(keys))  # type: ignore[type-var]  # all str or all int, else refused
    except TypeError:
        raise _TooLarge from None


def _read_lengths(members: Sequence[object], hasher: xxhash.xxh3_128, room: int) -> None:
    """Hash how long each is, before anything is made of their contents."""
    lengths = array("q", map(len, members))  # type: ignore[arg-type]  # all have a length
    if sum(lengths) > room:
        raise _TooLarge
    hasher.update(lengths)


_Reader = Callable[[list, xxhash.xxh3_128, int], list]  # type: ignore[type-arg]  # of its own type
_BY_TYPE: Iterable[tuple[type, _Reader]] = (
    (type(None), _read_nothing),
    (bool, _read_bools),
    (int, _read_ints),
    (float, _read_floats),
    (complex, _read_complexes),
    (str, _read_texts),
    (bytes, _read_bytes),
    (list, _read_sequences),
    (tuple, _read_sequences),
    (dict, _read_dicts),
)
_TAGS: dict[type, int] = {kind: tag for tag, (kind, _) in enumerate(_BY_TYPE)}
_ONLY = {tag: bytes(each == tag for each in range(256)) for tag in (*_TAGS.values(), _FOREIGN)}
_READERS: list[_Reader] = [reader for _, reader in _BY_TYPE]
