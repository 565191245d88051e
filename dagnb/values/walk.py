"""Digests of any object graph: shared parts, cycles and unordered collections included.

An object is taken apart into its *parts*, children that are themselves digested. The graph
that this spans is cut into strongly connected components (Tarjan 1972, without recursion).
A component of one object is hashed over the digests of its children. A real cycle is named
by refining colours until they are stable (Paige and Tarjan 1987), which depends on what the
objects hold and never on where in memory they are, so a copy has the digest of its original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import xxhash

from dagnb.errors import UncacheableValue
from dagnb.values.flat import flat_digest
from dagnb.values.plain import PLAIN, scalar

MAX_DEPTH = 64
_MAX_DEPTH_OF_PART = 8
_MAX_REFINEMENTS = 2_000_000
_LONG = 4096
_WORTH_LEVELS = 32
_CONTAINERS = (list, tuple, dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """What an object is made of: a word for its kind, and children that are digested in turn.

    ``ordered=False`` says that the order of the children means nothing.
    """

    kind: str
    children: Sequence[object] = ()
    ordered: bool = True


Expand = Callable[[object], Parts]


@dataclass(slots=True)
class _Node:
    """An object being digested; ``value`` keeps it alive, and with it its ``id``."""

    value: object
    parts: Parts
    tokens: list[bytes | int]


class Walk:
    """Digests objects that may share parts, each of them once.

    Parameters
    ----------
    expand : callable
        Takes an object apart; raises `UncacheableValue` if there is no way to.
    """

    def __init__(self, expand: Expand) -> None:
        self._expand = expand
        self._done: dict[int, bytes] = {}
        self._nodes: dict[int, _Node] = {}
        self._alive: list[object] = []

    def digest(self, value: object) -> bytes:
        """Return 16 bytes that name ``value``."""
        if type(value) in PLAIN:
            return xxhash.xxh3_128_digest(scalar(value))
        if type(value) in _CONTAINERS:
            flat = flat_digest(value, MAX_DEPTH, self._resolve)
            if flat is not None:
                return flat
        return self._resolve(value)

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
        if type(value) in _CONTAINERS and len(value) > _WORTH_LEVELS:  # type: ignore[arg-type]  # all have a length
            flat = flat_digest(value, _MAX_DEPTH_OF_PART)
            if flat is not None:
                self._done[key] = flat
                return key
        self._nodes[key] = _Node(value, self._expand(value), [])
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
