"""Digests of many objects at once: nested containers, records and objects, at the speed of C.

A value is read level by level. The objects at one depth form groups, the members of a group
stand at one place of what holds them: the third elements of tuples, the values under one key of
dicts, one attribute of objects. Such columns are mostly of one type, so types, lengths and
contents are hashed in bulk. This says as much as a traversal in depth, and needs no bytecode
per object.

A value that unfolds to too many objects (a few lists that contain each other many times over)
or too deep is refused; whether it is depends on its value alone, so that a copy without shared
parts takes the same way.
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, compress
from operator import countOf, itemgetter
from typing import Any, Protocol

import xxhash

from dagnb.values.canonical import in_order
from dagnb.values.scalars import HASH_MANY, TooLarge

MAX_OBJECTS = 4_000_000
# Data are wide near the top; what is still wide far down contains itself.
_WIDE_LEVELS, _MAX_DEEP_LEVEL = 12, 1 << 16
_MANY, _MAX_COLUMNS, _MAX_TYPES = 8, 64, 255
_SORTED = frozenset((str, int))

_Group = list[Any]


class Others(Protocol):
    """What knows the objects that are neither plain nor a builtin container."""

    def token(self, sample: object) -> bytes | None:
        """Name a type whose objects are read in bulk; None if each is named on its own."""

    def columns(self, token: bytes, members: _Group) -> Iterable[_Group]:
        """Return what such objects hold: a list for each thing, in the order of the objects."""

    def name(self, value: object) -> bytes | None:
        """Name an object on its own, by 16 bytes; None if that cannot be done here."""


def flat_digest(value: object, depth: int, others: Others) -> bytes | None:
    """Digest ``value`` level by level, or return None if it is not of this kind.

    Parameters
    ----------
    value : object
    depth : int
        The number of levels to go down at most.
    others : Others
    """
    levels = _Levels(value, others)
    try:
        for at in range(depth):
            if not levels.read_next(wide=at < _WIDE_LEVELS):
                return levels.hasher.digest()
    except TooLarge:
        pass
    return None


class _Levels:
    """One level of a value after the other, hashed as it is read."""

    def __init__(self, value: object, others: Others) -> None:
        self.hasher = xxhash.xxh3_128(b"levels")
        self._others = others
        self._groups: list[_Group] = [[value]]
        self._room = self._left = MAX_OBJECTS

    def read_next(self, *, wide: bool) -> bool:
        """Read a level; say whether there is a deeper one."""
        groups, self._groups = self._groups, []
        self._left = self._room if wide else min(self._room, _MAX_DEEP_LEVEL)
        for group in groups:
            self._read(group)
        return bool(self._groups)

    def _read(self, group: _Group) -> None:
        """Hash of what types the members are, then those of each type together."""
        tokens = {kind: self._token(kind, group) for kind in _types(group)}
        names = sorted(set(tokens.values()))
        self.hasher.update(b"%d %d;%b" % (len(group), len(names), b"".join(map(_framed, names))))
        if len(names) == 1:
            return self._read_members(names[0], group)
        if len(names) > _MAX_TYPES:
            raise TooLarge
        numbers = {kind: names.index(token) for kind, token in tokens.items()}
        of_each = bytes(map(numbers.__getitem__, map(type, group)))
        self.hasher.update(of_each)
        for number, name in enumerate(names):
            self._read_members(name, list(compress(group, of_each.translate(_only(number)))))
        return None

    def _token(self, kind: type, group: _Group) -> bytes:
        """Name a type, by its objects if it is none of the builtin ones."""
        known = _TOKENS.get(kind)
        if known is not None:
            return known
        return self._others.token(next(each for each in group if type(each) is kind)) or _ALONE

    def _read_members(self, token: bytes, members: _Group) -> None:
        """Hash objects of one type."""
        if token in _SCALARS:
            _SCALARS[token](self.hasher, members)
        elif token in _CONTAINERS:
            _CONTAINERS[token](self, members)
        elif token == _ALONE:
            self._name_each(members)
        else:
            self._go_into(self._others.columns(token, members))

    def _name_each(self, members: _Group) -> None:
        """Hash the names of objects that are read on their own, however often they occur."""
        names = {id(each): self._others.name(each) for each in members}
        if None in names.values():
            raise TooLarge
        self.hasher.update(b"".join([names[id(each)] or b"" for each in members]))

    def _read_sequences(self, members: _Group) -> None:
        """Hash how long lists or tuples are; go into their elements, by place if that helps."""
        first, width = members[0], self._hash_lengths(members)
        is_table = width is not None and _are_columns(len(members), width)
        if is_table and len(set(map(type, first))) > 1:
            return self._go_into([each[at] for each in members] for at in range(width or 0))
        if len(members) == 1 and type(first) is list:
            return self._go_into([first])
        return self._go_into([list(chain.from_iterable(members))])

    def _read_dicts(self, members: _Group) -> None:
        """Hash the keys of dicts; go into their values, by key if they have the same ones."""
        is_record = self._hash_lengths(members) is not None and _are_alike(members)
        keys = sorted(members[0]) if is_record else []
        columns = _values_of(keys, members) if is_record else None
        if columns is not None:
            self.hasher.update(_framed(marshal.dumps(keys, 2)))
            return self._go_into(columns)
        self.hasher.update(b"keys")
        ordered = self._in_order(members)
        self._go_into([keys for _, keys in ordered])
        return self._go_into([list(map(each.__getitem__, keys)) for each, keys in ordered])

    def _read_sets(self, members: _Group) -> None:
        """Go into the elements of sets, each in its one order."""
        self._hash_lengths(members)
        self._go_into([[elements for _, elements in self._in_order(members)]])

    def _in_order(self, members: _Group) -> list[tuple[Any, list[object]]]:
        """Return dicts or sets with their keys in order; those that have none are named."""
        if _are_alike(members):
            self.hasher.update(b"sorted")
            return list(zip(members, map(sorted, members), strict=True))
        orders = [(each, in_order(each)) for each in members]
        has_none = [order is None for _, order in orders]
        self.hasher.update(bytes(has_none))
        self._name_each(list(compress(members, has_none)))
        return [(each, order) for each, order in orders if order is not None]

    def _hash_lengths(self, members: Sequence[Collection[object]]) -> int | None:
        """Hash how long each is, before anything is made of their contents; return that if one."""
        width = len(members[0])
        if countOf(map(len, members), width) == len(members):
            self._check_room(width * len(members))
            self.hasher.update(b"each %d;" % width)
            return width
        lengths = array("q", map(len, members))
        self._check_room(sum(lengths))
        self.hasher.update(b"lengths")
        self.hasher.update(lengths)
        return None

    def _check_room(self, count: int) -> None:
        """See that so many more objects are not too many."""
        if count > self._left:
            raise TooLarge

    def _go_into(self, groups: Iterable[_Group]) -> None:
        """Leave groups for the next level."""
        for group in groups:
            self._left -= len(group)
            self._room -= len(group)
            if self._left < 0:
                raise TooLarge
            if group:
                self._groups.append(group)


def _types(group: _Group) -> Collection[type]:
    """Return the types of some objects; to count the first one is quicker than to collect all."""
    first = type(group[0])
    return (first,) if countOf(map(type, group), first) == len(group) else set(map(type, group))


def _are_alike(members: Sequence[Collection[object]]) -> bool:
    """Whether all keys or elements have one type whose values can be sorted."""
    first = next(chain.from_iterable(members), None)
    types = map(type, chain.from_iterable(members))
    return type(first) in _SORTED and countOf(types, type(first)) == sum(map(len, members))


def _are_columns(count: int, width: int) -> bool:
    """Whether it pays to read what stands at one place of many objects together."""
    return count >= _MANY and 1 < width <= _MAX_COLUMNS


def _values_of(keys: list[Any], members: Sequence[dict[Any, Any]]) -> list[_Group] | None:
    """Return what dicts of one size hold under some keys; None if one has others."""
    try:
        if _are_columns(len(members), len(keys)):
            return [list(map(itemgetter(key), members)) for key in keys]
        return [[each[key] for each in members for key in keys]]
    except KeyError:
        return None


def _framed(content: bytes) -> bytes:
    return b"%d:%b" % (len(content), content)


@cache
def _only(number: int) -> bytes:
    """Return a table that makes 1 of one byte and 0 of all others."""
    return bytes(each == number for each in range(256))


_SEQUENCES, _DICTS, _SETS = _Levels._read_sequences, _Levels._read_dicts, _Levels._read_sets
_BY_TYPE: Mapping[type, Callable[[_Levels, _Group], None]] = {
    list: _SEQUENCES,
    tuple: _SEQUENCES,
    dict: _DICTS,
    set: _SETS,
    frozenset: _SETS,
}
CONTAINERS = frozenset(_BY_TYPE)
_TOKENS = {kind: kind.__name__.encode() for kind in (*HASH_MANY, *_BY_TYPE)}
_SCALARS = {_TOKENS[kind]: function for kind, function in HASH_MANY.items()}
_CONTAINERS = {_TOKENS[kind]: method for kind, method in _BY_TYPE.items()}
_ALONE = b"alone"
