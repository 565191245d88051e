"""Which nodes read something that is no longer what it was: one look for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import CellType
from typing import NamedTuple

from dagnb.values.guards import Guards, contents, is_body, is_size

_Check = Callable[[], bool]


class _Place(NamedTuple):
    """What a namespace held under a name, and the nodes that read it."""

    namespace: Mapping[str, object]
    name: str
    value: object
    nodes: set[str]


@dataclass(slots=True)
class _Thing:
    """What else can change, and the nodes that read it."""

    holds: _Check
    is_dear: bool
    nodes: set[str] = field(default_factory=set)


class Watch:
    """Looks after what the code of all nodes reads.

    A thing that many nodes read is looked at once. So a look costs about 0.1 microseconds for
    each variable and helper function that any node reads, and the digests of what can change in
    place.
    """

    def __init__(self) -> None:
        self._places: dict[Hashable, _Place] = {}
        self._things: dict[Hashable, _Thing] = {}
        self._keys: dict[str, list[Hashable]] = {}

    def put(self, node: str, codes: Iterable[tuple[Guards, object]]) -> None:
        """Watch what a node reads now, and nothing else for it.

        Parameters
        ----------
        node : str
        codes : iterable of (Guards, function)
            The functions themselves are not watched: one that is changed comes as a new
            definition.
        """
        self.forget(node)
        self._keys[node] = []
        for guards, function in codes:
            self._add(node, guards, function)

    def _add(self, node: str, guards: Guards, function: object) -> None:
        keys = self._keys[node]
        for namespace, name, value in guards.places.values():
            key: Hashable = ("place", id(namespace), name, id(value))
            self._places.setdefault(key, _Place(namespace, name, value, set())).nodes.add(node)
            keys.append(key)
        for key, holds, is_dear in _checks(guards, function):
            self._things.setdefault(key, _Thing(holds, is_dear)).nodes.add(node)
            keys.append(key)

    def forget(self, node: str) -> None:
        """Watch nothing for a node any more."""
        for key in self._keys.pop(node, ()):
            found: dict[Hashable, _Place] | dict[Hashable, _Thing]
            found = self._places if key in self._places else self._things
            nodes = found[key].nodes
            nodes.discard(node)
            if not nodes:
                del found[key]

    def holds(self, node: str) -> bool:
        """Whether all that one node reads is what it was."""
        return all(map(self._is_same, self._keys[node]))

    def _is_same(self, key: Hashable) -> bool:
        place = self._places.get(key)
        if place is None:
            return self._things[key].holds()
        return place.namespace.get(place.name, place.namespace) is place.value

    def broken(self, scope: set[str] | None = None) -> set[str]:
        """Return the nodes that read something that changed; of the given ones, or of all."""
        found: set[str] = set()
        for namespace, name, value, nodes in self._places.values():
            if namespace.get(name, namespace) is not value:
                found |= nodes
        for thing in self._things.values():
            outside = thing.is_dear and scope is not None and scope.isdisjoint(thing.nodes)
            if not outside and not thing.nodes <= found and not thing.holds():
                found |= thing.nodes
        return found if scope is None else found & scope


def _checks(guards: Guards, own: object) -> Iterator[tuple[Hashable, _Check, bool]]:
    """Yield a key, a check, and whether it takes long, for all that is no place."""
    for key, (function, body) in guards.bodies.items():
        if function is not own:
            yield ("body", key, *map(id, body)), partial(is_body, function, body), False
    for key, (cell, value) in guards.cells.items():
        yield ("cell", key, id(value)), partial(_holds, cell, value), False
    for key, (members, size) in guards.sizes.items():
        yield ("size", key, size), partial(is_size, members, size), False
    for check, holds in guards.checks.items():
        yield check, holds, True


def _holds(cell: CellType, value: object) -> bool:
    return contents(cell) is value
