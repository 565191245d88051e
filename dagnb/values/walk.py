"""Digests of any object graph: shared parts, cycles and unordered collections included.

An object is taken apart into its *parts*, children that are themselves digested. Most values
are trees; their objects are hashed over the digests of their children. Where that comes to a
cycle, the graph is cut into strongly connected components (Tarjan 1972, without recursion). A
cycle is named by refining colours until they are stable (Paige and Tarjan 1987), which depends
on what the objects hold and never on where in memory they are, so a copy has the digest of its
original. What holds many objects is not walked through but read in bulk, if it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from dagnb.errors import UncacheableValue
from dagnb.values.flat import CONTAINERS, flat_digest
from dagnb.values.instances import columns_of, is_attributes_alone
from dagnb.values.plain import PLAIN, scalar

MAX_DEPTH = 64
_MAX_DEPTH_OF_PART = 16
_MAX_RECURSION = 100
_MAX_REFINEMENTS = 2_000_000
_LONG = 4096
_WORTH_LEVELS = 32
_LEAF, _OBJECT = b"leaf", b"object"


@dataclass(slots=True)
class Parts:
    """What an object is made of: a word for its kind, and children that are digested in turn.

    ``ordered=False`` says that the order of the children means nothing; ``leaf=True`` that they
    are few and small, so that many such objects are best read together.
    """

    kind: str
    children: Sequence[object] = ()
    ordered: bool = True
    leaf: bool = False


Expand = Callable[[object], Parts]


@dataclass(slots=True)
class _Node:
    """An object being digested; ``value`` keeps it alive, and with it its ``id``."""

    value: object
    parts: Parts
    tokens: list[bytes | int]


class _NoTree(Exception):
    """An object is a part of itself, or lies too deep."""


class Walk:
    """Digests objects that may share parts, each of them once.

    Parameters
    ----------
    expand : callable
        Takes an object apart; raises `UncacheableValue` if there is no way to.
    objects : bool
        Whether many objects of one class are read in bulk; not while the class is named.
    """

    def __init__(self, expand: Expand, *, objects: bool = True) -> None:
        self._expand = expand
        self._objects = objects
        self._done: dict[int, bytes] = {}
        self._nodes: dict[int, _Node] = {}
        self._ahead: dict[int, Parts] = {}
        self._kinds: dict[type, bytes | None] = {}
        self._alive: list[object] = []

    def digest(self, value: object) -> bytes:
        """Return 16 bytes that name ``value``."""
        if type(value) in PLAIN:
            return xxhash.xxh3_128_digest(scalar(value))
        if type(value) in CONTAINERS or self._is_object(value):
            flat = flat_digest(value, MAX_DEPTH, _Others(self, self.name))
            if flat is not None:
                return flat
        return self.name(value)

    def name(self, value: object) -> bytes:
        """Name an object as part of another."""
        try:
            return self._name(value, set())
        except _NoTree:
            return self._resolve(value)

    def _name(self, value: object, path: set[int]) -> bytes:
        """Hash an object over the names of its children; ``path`` is what it is a part of."""
        key = id(value)
        done = self._done.get(key)
        if done is not None:
            return done
        if key in path or len(path) > _MAX_RECURSION:
            raise _NoTree
        name = self._flat(value)
        if name is None:
            parts = self._take_apart(value)
            path.add(key)
            tokens = [
                _token(child) if type(child) in PLAIN else self._name(child, path)
                for child in parts.children
            ]
            path.remove(key)
            name = combine(parts.kind, tokens, parts.ordered)
        self._alive.append(value)
        self._done[key] = name
        return name

    def _flat(self, value: object) -> bytes | None:
        """Name a container of many things in bulk, if there is a way to."""
        if type(value) not in CONTAINERS or len(value) <= _WORTH_LEVELS:  # type: ignore[arg-type]  # all have a length
            return None
        return flat_digest(value, _MAX_DEPTH_OF_PART, _Others(self, _nothing))

    def _take_apart(self, value: object) -> Parts:
        """Take an object apart, unless that was done to learn about its kind."""
        return self._ahead.pop(id(value), None) or self._expand(value)

    def token(self, sample: object) -> bytes | None:
        """Name a type whose objects are read in bulk, by one of them."""
        kind = type(sample)
        if kind not in self._kinds:
            self._kinds[kind] = self._token_of(sample)
        return self._kinds[kind]

    def _token_of(self, sample: object) -> bytes | None:
        parts = self._ahead[id(sample)] = self._expand(sample)
        self._alive.append(sample)
        if parts.leaf:
            return _LEAF
        if parts.kind == "object" and self._objects and is_attributes_alone(sample):
            return _OBJECT + Walk(self._expand, objects=False).name(type(sample))
        return None

    def columns(self, token: bytes, members: list[Any]) -> Iterable[list[Any]]:
        """Return what objects of a type that has a token hold."""
        if token != _LEAF:
            return columns_of(members)
        parts = map(self._expand, members)
        return [[(each.kind, *each.children) for each in parts]]

    def _is_object(self, value: object) -> bool:
        return (self.token(value) or b"").startswith(_OBJECT)

    def _resolve(self, root: object) -> bytes:
        """Digest every object that can be reached from ``root``, components inside out."""
        done = self._done.get(id(root))
        if done is not None:
            return done
        order: dict[int, int] = {}
        low: dict[int, int] = {}
        path: list[int] = []
        frames: list[tuple[int, Iterator[int]]] = []

        def enter(key: int) -> None:
            order[key] = low[key] = len(order)
            path.append(key)
            frames.append((key, iter(self._edges(key))))

        enter(self._open(root))
        while frames:
            key, edges = frames[-1]
            child = next((each for each in edges if each not in self._done), None)
            if child is None:
                frames.pop()
                if frames:
                    parent = frames[-1][0]
                    low[parent] = min(low[parent], low[key])
                if low[key] == order[key]:
                    self._close(_cut(path, key))
            elif child in order:
                low[key] = min(low[key], order[child])
            else:
                enter(child)
        return self._done[id(root)]

    def _open(self, value: object) -> int:
        """Take an object apart; return the key it is known by from now on."""
        key = id(value)
        if key in self._nodes or key in self._done:
            return key
        self._alive.append(value)
        flat = self._flat(value)
        if flat is not None:
            self._done[key] = flat
        else:
            self._nodes[key] = _Node(value, self._take_apart(value), [])
        return key

    def _edges(self, key: int) -> Iterable[int]:
        """Open the children of an object, remember their tokens, return the keys to visit."""
        node = self._nodes.get(key)
        if node is None:
            return ()
        node.tokens = [
            _token(child) if type(child) in PLAIN else self._open(child)
            for child in node.parts.children
        ]
        return (token for token in node.tokens if isinstance(token, int))

    def _close(self, members: list[int]) -> None:
        """Digest a component, whose children elsewhere are done."""
        if len(members) == 1 and members[0] not in self._nodes:
            return
        cyclic = len(members) > 1 or members[0] in self._nodes[members[0]].tokens
        if cyclic:
            self._done.update(self._refine(members))
        else:
            self._done[members[0]] = self._sign(members[0], self._done)
        for key in members:
            del self._nodes[key]

    def _sign(self, key: int, known: dict[int, bytes]) -> bytes:
        """Hash an object over the digests of its children."""
        node = self._nodes[key]
        tokens = [known[token] if isinstance(token, int) else token for token in node.tokens]
        return combine(node.parts.kind, tokens, node.parts.ordered)

    def _refine(self, members: list[int]) -> dict[int, bytes]:
        """Name the objects of a cycle by what can be told apart of them."""
        colours = dict.fromkeys(members, b"")
        known = {key: self._done[key] for member in members for key in self._outside(member)}
        count, work = 0, 0
        while (count_now := len(set(colours.values()))) > count:
            count, before = count_now, colours
            known.update(before)
            colours = {key: self._sign(key, known) for key in members}
            work += len(members)
            if work > _MAX_REFINEMENTS:
                raise UncacheableValue(
                    f"a cycle through {len(members):,} objects that look alike has no digest; "
                    "name such a value with dagnb.register_digest(type, function)"
                )
        pairs = {before[key] + colours[key] for key in members}
        component = combine("cycle", list(pairs), ordered=False)
        return {key: combine("in cycle", [component, colours[key]]) for key in members}

    def _outside(self, key: int) -> list[int]:
        """The children of an object whose digests are known."""
        tokens = self._nodes[key].tokens
        return [token for token in tokens if isinstance(token, int) and token in self._done]


@dataclass(slots=True)
class _Others:
    """What reads the objects of a level that are no builtin containers."""

    walk: Walk
    name: Callable[[object], bytes | None]

    def token(self, sample: object) -> bytes | None:
        """Name a type whose objects are read in bulk."""
        return self.walk.token(sample)

    def columns(self, token: bytes, members: list[Any]) -> Iterable[list[Any]]:
        """Return what such objects hold."""
        return self.walk.columns(token, members)


def _nothing(value: object) -> None:
    """Within a part, nothing is named on its own: a cycle might lead back to it."""


def _cut(path: list[int], key: int) -> list[int]:
    """Remove the end of ``path`` from ``key`` on and return it."""
    members: list[int] = []
    while not members or members[-1] != key:
        members.append(path.pop())
    return members


def combine(kind: str, tokens: Sequence[bytes], ordered: bool = True) -> bytes:
    """Hash a word and byte strings of any length, without ambiguity of where one ends."""
    framed = [b"%d:%b" % (len(token), token) for token in tokens]
    if not ordered:
        framed.sort()
    head = kind.encode("utf-8", "surrogatepass")
    return xxhash.xxh3_128_digest(b"%d:%b%d;" % (len(head), head, ordered) + b"".join(framed))


def _token(value: object) -> bytes:
    """Name a plain child: itself if short, its digest if long."""
    content = scalar(value)
    return content if len(content) < _LONG else b"long" + xxhash.xxh3_128_digest(content)
