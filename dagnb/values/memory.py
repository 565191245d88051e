"""Values by key, in memory, the least recently used out first."""

from __future__ import annotations

import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from dagnb.errors import UncacheableValue
from dagnb.values.fingerprint import digest
from dagnb.values.plain import PLAIN

BUDGET_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class Stored:
    """A value with its name, the seconds it took, and where it is from."""

    value: Any
    digest: str
    seconds: float
    source: str = "from memory"


class Values(Protocol):
    """Values by key."""

    def get(self, key: str) -> Stored | None:
        """Return what was put under a key, or None."""

    def put(self, key: str, stored: Stored) -> None:
        """Keep a value."""


class MemoryStore:
    """Keeps values by key, up to a number of bytes.

    A value that somebody changed in place since it was put here is no longer what its digest
    says; it is found out when it is asked for, and dropped.

    Parameters
    ----------
    budget_bytes : int
        How much to keep, by a quick estimate of sizes; the newest value always stays.

    Examples
    --------
    >>> store = MemoryStore()
    >>> store.put("key", Stored(3, digest(3), 0.1))
    >>> store.get("key").value
    3
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget = budget_bytes
        self._entries: OrderedDict[str, tuple[Stored, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Stored | None:
        """Return what was put under a key, or None if it is gone or was changed in place."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not _is_intact(entry[0]):
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: str, stored: Stored) -> None:
        """Keep a value; others may have to go."""
        self.drop(key)
        size = size_of(stored.value)
        self._entries[key] = stored, size
        self._bytes += size
        while self._bytes > self._budget and len(self._entries) > 1:
            self._bytes -= self._entries.popitem(last=False)[1][1]

    def drop(self, key: str) -> None:
        """Forget a key, if it is there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]


def size_of(value: object) -> int:
    """Estimate how many bytes a value keeps alive, without walking through it."""
    for attribute in ("nbytes", "memory_usage", "estimated_size"):
        try:
            found = getattr(value, attribute, None)
            size = found() if callable(found) else found
            return int(size if isinstance(size, int) else sum(size))  # type: ignore[arg-type]  # of columns
        except Exception:  # it is nothing of the kind, or a class of the user's that raises
            continue
    try:
        return sys.getsizeof(value)
    except Exception:  # as above
        return object.__sizeof__(value)


def _is_intact(stored: Stored) -> bool:
    if type(stored.value) in PLAIN:
        return True
    try:
        return digest(stored.value) == stored.digest
    except UncacheableValue:
        return False
