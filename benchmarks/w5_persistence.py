"""W5: saving values and getting them back.

Files are written where temporary files go, and not synced, by anyone. The floors are what a
library writes that knows nothing of keys, signatures and damage: numpy's own file, mapped; Arrow's
own file; a file for each result.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc

from benchmarks.measure import Measurement, Prepare, compare, main
from benchmarks.memories import NAME, savings
from benchmarks.memories import Load as Loading
from benchmarks.memories import Save as Saving
from benchmarks.peers import wanted
from dagnb.values.fingerprint import digest
from dagnb.values.saved import Saved
from dagnb.values.store import Store

SIZES = (100, 1_000)  # megabytes of the array
LEAST = 1
FAST = ("joblib",)  # the peer that takes a large array in seconds
LARGE = 500
FRAME_BYTES = 37 * 2**20
RESULTS = 10_000
KEY = b"k" * 32

Save = Callable[[Path], Any]


class Folders:
    """Folders that are new, one after the other, in one that is removed in the end."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="dagnb-w5-"))
        self._numbers = itertools.count()

    def new(self) -> Path:
        """Remove the last folder and make another."""
        self.remove()
        folder = self._home / str(next(self._numbers))
        folder.mkdir(parents=True)
        return folder

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._home, ignore_errors=True)

    def saving(self, save: Save) -> Prepare:
        """Return how to time a save into a new folder."""

        def prepare() -> Callable[[], Any]:
            folder = self.new()
            return lambda: save(folder)

        return prepare

    def loading(self, save: Save, load: Save) -> Prepare:
        """Return how to time a load of what was saved before."""

        def prepare() -> Callable[[], Any]:
            folder = self.new()
            save(folder)
            return lambda: load(folder)

        return prepare


def a_store(folder: Path) -> Store:
    """Return a store that is not empty, as the folders of the others are there, too."""
    store = Store(folder / "store", KEY, print)
    store.put(Saved("first", "node", digest(0)), 0, always=True)
    return store


def putting(folders: Folders, value: object, named: str, seconds: float = 60.0) -> Prepare:
    """Return how to time a save into a store; the digest is known, as after any run."""

    def prepare() -> Callable[[], Any]:
        store, saved = a_store(folders.new()), Saved("key", "node", named, seconds)
        return lambda: store.put(saved, value)

    return prepare


def get(store: Store) -> object:
    """Find and load it."""
    saved = store.find("key")
    assert saved is not None
    return store.load(saved)


def getting(folders: Folders, value: object, named: str) -> Prepare:
    """Return how to time a load by a process that has the store open and nothing else."""

    def prepare() -> Callable[[], Any]:
        folder = folders.new()
        a_store(folder).put(Saved("key", "node", named, 60.0), value)
        store = Store(folder / "store", KEY, print)
        return lambda: get(store)

    return prepare


def with_peers(
    candidates: dict[str, Prepare],
    chosen: Sequence[str] | None,
    prepare: Callable[[Saving, Loading], Prepare],
) -> dict[str, Prepare]:
    """Add the peers that are wanted and installed."""
    for peer, (save, load) in savings(chosen).items():
        candidates[peer] = prepare(save, load)
    return candidates


def large_array(
    megabytes: int, folders: Folders, chosen: Sequence[str] | None, rounds: int
) -> list[Measurement]:
    """An array, saved and mapped again; and one that is quicker to compute than to save."""
    if megabytes >= LARGE:
        chosen = [each for each in FAST if wanted(each, chosen)] or ["none"]
    array = np.random.default_rng(0).random(megabytes * 10**6 // 8)
    named = digest(array)
    (folders.new() / "a").write_bytes(array.data)  # the first gigabyte takes longest
    bare: Save = lambda folder: np.save(folder / "a.npy", array)  # noqa: E731
    saves = {
        "floor": folders.saving(bare),
        "dagnb": putting(folders, array, named),
        "dagnb, not worth it": putting(folders, array, named, 0.0),
    }
    loads = {
        "floor": folders.loading(bare, lambda folder: np.load(folder / "a.npy", mmap_mode="c")),
        "dagnb": getting(folders, array, named),
    }
    return [
        *compare(
            "W5 save an array", megabytes,
            with_peers(saves, chosen, lambda save, load: folders.saving(
                lambda folder: save(folder, array, NAME))),
            unit="MB", units=megabytes, targets={"dagnb": 1.56, "dagnb, not worth it": 0.01},
            rounds=rounds,
        ),
        *compare(
            "W5 load an array", megabytes,
            with_peers(loads, chosen, lambda save, load: folders.loading(
                lambda folder: save(folder, array, NAME), load)),
            unit="load", units=1, targets={"dagnb": 2.5}, rounds=3 * rounds,
        ),
    ]  # fmt: skip


def frame(folders: Folders, chosen: Sequence[str] | None, rounds: int) -> list[Measurement]:
    """A frame of ten columns of numbers."""
    rows, chance = FRAME_BYTES // 80, np.random.default_rng(0)
    data = pd.DataFrame({name: chance.random(rows) for name in "abcdefghij"})
    named = digest(data)

    def bare(folder: Path) -> None:
        table = pa.Table.from_pandas(data)
        with pa.ipc.new_file(str(folder / "a.arrow"), table.schema) as writer:
            writer.write_table(table)

    candidates = {
        "floor": folders.saving(bare),
        "dagnb": putting(folders, data, named),
    }
    return compare(
        "W5 save a frame", FRAME_BYTES // 2**20,
        with_peers(candidates, chosen, lambda save, load: folders.saving(
            lambda folder: save(folder, data, NAME))),
        unit="frame", units=1, targets={"dagnb": 1.15},
        rounds=6 * rounds,  # as short as a writing back by the system, which hits some turns
    )  # fmt: skip


def small_results(folders: Folders, chosen: Sequence[str] | None, rounds: int) -> list[Measurement]:
    """Many results of a hundred bytes."""
    values = [f"{number:0100}" for number in range(RESULTS)]
    facts = [Saved(f"{n:032x}", "node", digest(value), 1.0) for n, value in enumerate(values)]

    def bare(folder: Path) -> None:
        for number, value in enumerate(values):
            (folder / str(number)).write_text(value)

    def ours(folder: Path) -> None:
        store = Store(folder / "store", KEY, print)
        for saved, value in zip(facts, values, strict=True):
            store.put(saved, value)

    candidates = {"floor": folders.saving(bare), "dagnb": folders.saving(ours)}
    return compare(
        "W5 save small results", RESULTS,
        with_peers(candidates, chosen, lambda save, load: folders.saving(
            lambda folder: [save(folder, value, str(n)) for n, value in enumerate(values)])),
        unit="result", units=RESULTS, targets={"dagnb": 1.35}, rounds=rounds,
    )  # fmt: skip


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure all of them; the sizes are those of the array, in megabytes."""
    folders = Folders()
    try:
        measurements: list[Measurement] = []
        for megabytes in sizes:
            measurements += large_array(megabytes, folders, chosen, rounds)
        measurements += frame(folders, chosen, rounds)
        return measurements + small_results(folders, chosen, rounds)
    finally:
        folders.remove()


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
