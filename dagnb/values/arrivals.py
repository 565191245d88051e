"""Modules that code is the first to import: what they hold when they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection

from dagnb.errors import UncacheableValue
from dagnb.values.bytecode import Load
from dagnb.values.fingerprint import digest
from dagnb.values.functions import by_value_or_type
from dagnb.values.names import Found, find, is_library


def as_it_came(name: str, paths: Collection[str]) -> Callable[[], bool]:
    """Return whether a module that code will import holds what it did when it was imported."""
    first: list[str | None] = []

    def holds() -> bool:
        module = sys.modules.get(name)
        if module is None or is_library(module):
            return True
        found = [find(load_of(path), vars(module)) if path else module for path in paths]
        if None in found:
            return True
        values = [each.value if isinstance(each, Found) else each for each in found]
        now = digest_or_none([by_value_or_type(value) for value in values])
        if not first:
            first.append(now)
        return now == first[0]

    return holds


def load_of(path: str) -> Load:
    """Return a dotted name as code would read it."""
    name, *attributes = path.split(".")
    return Load(name, tuple(attributes))


def digest_or_none(value: object) -> str | None:
    """Return what names a value, if anything does."""
    try:
        return digest(value)
    except UncacheableValue:
        return None
