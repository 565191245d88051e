"""Objects that are their class and their attributes, and nothing besides: read many at once."""

from __future__ import annotations

import copyreg
import dataclasses
from operator import attrgetter
from typing import Any

_HEAP_TYPE = 1 << 9
_HOOKS = ("__getnewargs__", "__getnewargs_ex__", "__setstate__")
# The second is that of a frozen dataclass with slots: its state is its fields.
_GET_STATE: tuple[object, ...] = (
    getattr(object, "__getstate__", None),
    getattr(dataclasses, "_dataclass_getstate", None),
)


def is_attributes_alone(value: object) -> bool:
    """Whether pickle would take objects like this one apart into class and attributes alone."""
    kind = type(value)
    if not kind.__flags__ & _HEAP_TYPE or kind in copyreg.dispatch_table:
        return False
    if kind.__reduce_ex__ is not object.__reduce_ex__ or kind.__reduce__ is not object.__reduce__:
        return False
    get_state: object = getattr(kind, "__getstate__", None)
    return get_state in _GET_STATE and not _hides(value)


def _hides(value: object) -> bool:
    """Whether an object is made in C, or holds items or arguments beside its attributes."""
    kind = type(value)
    try:
        reduced: Any = value.__reduce_ex__(4)
    except Exception:  # also whatever a property or hook of the user raises
        return True
    return bool(reduced[1] != (kind,) or reduced[3:] != (None, None))


def columns_of(members: list[Any]) -> list[list[Any]]:
    """The attributes of objects of one class: their dicts, then slot by slot."""
    kind = type(members[0])
    columns: list[list[Any]] = [list(map(vars, members))] if kind.__dictoffset__ else []
    for name in copyreg._slotnames(kind):  # type: ignore[attr-defined]  # what pickle asks
        columns += _slot(name, members)
    return columns


def _slot(name: str, members: list[Any]) -> list[list[Any]]:
    """Whether each object has set a slot, and to what."""
    try:
        return [[True], list(map(attrgetter(name), members))]
    except AttributeError:
        found = [hasattr(each, name) for each in members]
        return [found, [getattr(each, name, None) for each in members]]
