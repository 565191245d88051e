"""What a store holds, as text."""

from __future__ import annotations

import time

from dagnb.observe.text import seconds, table
from dagnb.values.layout import Layout
from dagnb.values.upkeep import saved_values, size_of


def store_listing(layout: Layout, key: bytes) -> str:
    """Return a line for each value, the last used first, and the sum."""
    found = sorted(saved_values(layout, key), key=lambda each: -each[1])
    rows = [
        [each.node, byte_count(each.size), seconds(each.seconds), _ago(used), each.text]
        for each, used in found
    ]
    lines = [table(["node", "size", "took", "used", "value"], rows)] if rows else []
    return "\n".join([*lines, store_summary(layout)])


def store_summary(layout: Layout) -> str:
    """Return one line: how many values there are, how large they are, and where."""
    count = len(layout.records())
    values = "1 value" if count == 1 else f"{count} values"
    return f"{values}, {byte_count(size_of(layout))} in {layout.folder}"


def byte_count(number: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> byte_count(512), byte_count(23_456_789)
    ('512 B', '23.5 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _ago(at: float) -> str:
    """Return how long ago something was."""
    passed = max(time.time() - at, 0.0)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= length:
            return f"{passed / length:.0f} {unit} ago"
    return "just now"
