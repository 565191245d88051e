from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from dagnb.values.durable import Damaged
from dagnb.values.fingerprint import digest
from dagnb.values.saved import Saved
from dagnb.values.store import Store
from dagnb.values.upkeep import evict

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("DAGNB_KILLS", "40"))
KEY = b"k" * 32


@pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are killed in forked processes")
@pytest.mark.parametrize("writers", [1, 2])
def test_killed_writers_lose_nothing_that_was_saved(tmp_path: Path, writers: int) -> None:
    """After every kill all that a writer was told is saved can be read, and nothing is damaged."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.values.killed_store",
         str(tmp_path / "store"), str(KILLS // 2), str(writers), str(writers)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["saved"] > 5
    assert found["set aside"] == []


def test_eviction_while_values_are_read_and_written(tmp_path: Path) -> None:
    """Whatever goes meanwhile is a miss; what is read is right, and nothing counts as damaged."""
    told: list[str] = []
    ended, wrong, found = threading.Event(), [], 0

    def sweep() -> None:
        layout = Store(tmp_path / "store", KEY, told.append).layout
        while not ended.is_set():
            evict(layout, 50_000, clock=lambda: 10**11)  # nothing is too new to go

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    store = Store(tmp_path / "store", KEY, told.append)
    try:
        for number in range(300):
            key = str(number % 7)
            value = np.full(5_000, number % 7)
            store.put(Saved(key, key, digest(value)), value, always=True)
            for other in map(str, range(7)):
                try:
                    saved = store.find(other)
                    loaded = None if saved is None else store.load(saved)
                except Damaged as damage:
                    wrong += [] if "missing" in str(damage) else [str(damage)]
                else:
                    found += loaded is not None
                    wrong += [] if loaded is None or loaded[-1] == int(other) else [other]
    finally:
        ended.set()
        sweeper.join()
    assert wrong == []
    assert found > 0
    assert [sentence for sentence in told if "not saved" not in sentence] == []
