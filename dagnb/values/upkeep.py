"""Looking after a store: what is in it, whether it is intact, and what has to go.

Nothing here stops other processes from using the store. What goes is a miss for them, and is
computed again.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dagnb.values import blobs
from dagnb.values.durable import Damaged
from dagnb.values.layout import Layout
from dagnb.values.saved import Saved, read_record

BUDGET_BYTES = 5 * 10**9
GRACE_SECONDS = 3600.0
QUARANTINE_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Use:
    """A record's file: when its value was last used, and what it holds on to."""

    path: Path
    size: int
    used: float
    blobs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Freed:
    """What had to go."""

    values: int
    bytes: int


def saved_values(layout: Layout, key: bytes) -> Iterator[tuple[Saved, float]]:
    """Yield what is known of each value, and when it was last used; what is damaged is left out."""
    for path in layout.records():
        with suppress(Damaged, OSError):
            yield read_record(str(path), key), path.stat().st_mtime


def problems(layout: Layout, key: bytes) -> list[str]:
    """Check every byte; return a sentence for each file that is not what was written there."""
    found = []
    for path in layout.records():
        try:
            for name in read_record(str(path), key).blobs:
                blobs.verify(layout.blob_path(name), key)
        except Damaged as damage:
            found.append(f"{path.relative_to(layout.folder)}: {damage}")
        except FileNotFoundError:
            continue  # it went meanwhile
    return found


def size_of(layout: Layout) -> int:
    """Return the bytes of all values and records."""
    found = map(_stat, (*layout.records(), *layout.blobs()))
    return sum(status.st_size for status in found if status is not None)


def evict(
    layout: Layout, budget_bytes: int = BUDGET_BYTES, clock: Callable[[], float] = time.time
) -> Freed:
    """Let values go, the least recently used first, until the rest fits a number of bytes.

    What was used or written within the last hour stays. Left-overs of killed processes go, too,
    and what has been in quarantine for a week.
    """
    now = clock()
    _remove_old(layout.tmp, now - GRACE_SECONDS)
    _remove_old(layout.quarantine, now - QUARANTINE_SECONDS)
    sweep = _Sweep(layout, now - GRACE_SECONDS)
    sweep.remove_unnamed()
    sweep.remove_oldest(budget_bytes)
    return Freed(sweep.values, sweep.bytes)


def clear(layout: Layout) -> None:
    """Remove all values, and no file that is not the store's."""
    for path in (*layout.records(), *layout.blobs()):
        _remove(path)
    _remove_old(layout.tmp, float("inf"))
    _remove_old(layout.quarantine, float("inf"))


class _Sweep:
    """One eviction: what there is, and what has gone so far."""

    def __init__(self, layout: Layout, before: float) -> None:
        self._layout = layout
        self._before = before
        self._files = {path.name: status for path in layout.blobs() if (status := _stat(path))}
        self._uses = sorted(_uses(layout), key=lambda use: use.used)
        self._holders = Counter(name for use in self._uses for name in use.blobs)
        self._total = sum(use.size for use in self._uses)
        self._total += sum(status.st_size for status in self._files.values())
        self.values, self.bytes = 0, 0

    def remove_unnamed(self) -> None:
        """Remove values that no record names, and that nobody is about to name."""
        for name, status in self._files.items():
            if not self._holders[name] and status.st_mtime < self._before:
                self._remove_blob(name)

    def remove_oldest(self, budget_bytes: int) -> None:
        """Remove what was used longest ago, until the rest fits."""
        for use in self._uses:
            if self._total <= budget_bytes or use.used >= self._before:
                return
            if _used(use.path) == use.used:  # nobody has used it meanwhile
                self._remove_use(use)

    def _remove_use(self, use: Use) -> None:
        """Remove a record, then the values that no other one names."""
        self.values += 1
        self._count(_remove(use.path) * use.size)
        for name in use.blobs:
            self._holders[name] -= 1
            if not self._holders[name] and name in self._files:
                self._remove_blob(name)

    def _remove_blob(self, name: str) -> None:
        self._count(_remove(self._layout.blob(name)) * self._files[name].st_size)

    def _count(self, size: int) -> None:
        self.bytes += size
        self._total -= size


def _uses(layout: Layout) -> Iterator[Use]:
    """Yield the records, signed or not: all that depends on it is what goes first."""
    for path in layout.records():
        status = _stat(path)
        if status is None:
            continue
        try:
            fields = json.loads(path.read_bytes().partition(b"\n")[0])
            names = [fields.get("blob"), fields.get("outputs_blob")]
        except (OSError, ValueError, AttributeError):
            names = []
        held = [name for name in names if isinstance(name, str)]
        yield Use(path, status.st_size, status.st_mtime, held)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def _used(path: Path) -> float | None:
    status = _stat(path)
    return None if status is None else status.st_mtime


def _remove(path: Path) -> bool:
    """Remove a file; say whether it went: another process may be faster, or have it open."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _remove_old(folder: Path, before: float) -> None:
    """Remove the files of a folder that were written before a time."""
    for path in folder.glob("*"):
        status = _stat(path)
        if status is not None and status.st_mtime < before:
            _remove(path)
