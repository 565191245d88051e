"""Cheap checks that what a function reads is still what it was."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType

_Place = tuple[Mapping[str, object], str, object]
_Body = tuple[CodeType, object, object, Mapping[str, object]]

# What a class is given by those that look at it: by pickle, and by who asks for annotations.
_LATE = "__slotnames__", "__annotations_cache__"
_IF_ANY = "__annotations__", "__annotate_func__"  # empty, or None, if it has none


def _body(function: FunctionType) -> _Body:
    keywords = function.__kwdefaults__
    return function.__code__, function.__defaults__, keywords, dict(keywords or {})


@dataclass(slots=True)
class Guards:
    """What was where, by identity; the objects are kept, so that no other takes their place.

    Attributes
    ----------
    places : dict
        What each namespace holds under which name; the namespace itself stands for nothing.
    bodies : dict
        The code and defaults of each function.
    cells : dict
        What each variable of a closure holds.
    sizes : dict
        How many names each class has.
    checks : dict
        What takes longer: digests of what can change in place, files. The keys tell what is
        looked at, so that many guards of one thing look at it once.
    """

    places: dict[tuple[int, str], _Place] = field(default_factory=dict)
    bodies: dict[int, tuple[FunctionType, _Body]] = field(default_factory=dict)
    cells: dict[int, tuple[CellType, object]] = field(default_factory=dict)
    sizes: dict[int, tuple[Mapping[str, object], int]] = field(default_factory=dict)
    checks: dict[Hashable, Callable[[], bool]] = field(default_factory=dict)

    def place(self, namespace: Mapping[str, object], name: str, value: object) -> None:
        """Remember what a namespace holds under a name."""
        self.places[id(namespace), name] = (namespace, name, value)

    def body(self, function: FunctionType) -> None:
        """Remember the code, defaults and closure of a function."""
        self.bodies[id(function)] = (function, _body(function))
        for cell in function.__closure__ or ():
            self.cells[id(cell)] = (cell, contents(cell))

    def members(self, kind: type) -> None:
        """Remember all attributes of a class."""
        namespace = vars(kind)
        self.sizes[id(namespace)] = (namespace, _size(namespace))
        for name, value in namespace.items():
            if name not in _LATE and (value or name not in _IF_ANY):
                self.place(namespace, name, value)

    def joined(self, other: Guards) -> Guards:
        """Return guards of everything that either looks after."""
        return Guards(
            self.places | other.places,
            self.bodies | other.bodies,
            self.cells | other.cells,
            self.sizes | other.sizes,
            self.checks | other.checks,
        )

    def hold(self) -> bool:
        """Whether everything is as it was; about 50 ns each, and the checks on top."""
        for namespace, name, value in self.places.values():
            if namespace.get(name, namespace) is not value:
                return False
        if not all(is_body(function, body) for function, body in self.bodies.values()):
            return False
        for cell, value in self.cells.values():
            if contents(cell) is not value:
                return False
        if not all(is_size(namespace, size) for namespace, size in self.sizes.values()):
            return False
        return all(check() for check in self.checks.values())


def is_body(function: FunctionType, body: _Body) -> bool:
    """Whether a function still has the code and defaults that it had."""
    code, defaults, keywords, values = body
    now = function.__kwdefaults__
    if function.__code__ is not code or function.__defaults__ is not defaults:
        return False
    if now is not keywords or len(now or ()) != len(values):
        return False
    return all(now.get(name, now) is value for name, value in values.items())  # type: ignore[union-attr]  # without any, values is empty


def is_size(namespace: Mapping[str, object], size: int) -> bool:
    """Whether a class still has as many names as it had."""
    return _size(namespace) == size


def _size(namespace: Mapping[str, object]) -> int:
    """How many names a class has, apart from those that it got by being looked at."""
    late = sum(name in namespace for name in _LATE)
    return len(namespace) - late - sum(not namespace.get(name, True) for name in _IF_ANY)


def contents(cell: CellType) -> object:
    """What a cell holds; the cell itself if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return cell
