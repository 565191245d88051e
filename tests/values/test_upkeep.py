from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagnb.values.durable import Damaged
from dagnb.values.fingerprint import digest
from dagnb.values.saved import Saved
from dagnb.values.store import Store
from dagnb.values.upkeep import GRACE_SECONDS, evict, problems, size_of

KEY = b"k" * 32
NOW = 10**9
SIZE = 10_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Values a to d, of which d was used last; all long ago."""
    made = Store(tmp_path / "store", KEY, str)
    for age, name in enumerate("dcba", 2):
        put(made, name, age * 10 * GRACE_SECONDS)
    return made


def put(store: Store, name: str, age: float, value: object = None) -> None:
    """Save a value as if it had been used some seconds before now."""
    value = name * SIZE if value is None else value
    store.put(Saved(name, name, digest(value)), value, always=True)
    for path in (store.layout.record(name), *store.layout.folder.glob(f"blobs/*/{digest(value)}*")):
        os.utime(path, (NOW - age, NOW - age))


def left(store: Store) -> str:
    """Return the values that are still there."""
    return "".join(name for name in "abcdefgh" if store.layout.record(name).exists())


def collect(store: Store, values: int) -> None:
    """Let values go until so many fit."""
    evict(store.layout, int(values * SIZE * 1.2), lambda: NOW)


def test_what_was_used_longest_ago_goes_first(store: Store) -> None:
    """As much as must, with the files of the values."""
    collect(store, 4)
    assert left(store) == "abcd"
    collect(store, 2)
    assert left(store) == "cd"
    assert len(store.layout.blobs()) == 2
    assert size_of(store.layout) < 2.4 * SIZE


def test_what_was_used_within_the_hour_stays(store: Store) -> None:
    """Whatever the budget."""
    put(store, "e", GRACE_SECONDS / 2)
    collect(store, 0)
    assert left(store) == "e"
    assert store.find("e") is not None


def test_finding_a_value_is_a_use(store: Store) -> None:
    """So it stays when others go."""
    assert store.find("a") is not None
    collect(store, 2)
    assert left(store) == "ad"


def test_a_value_that_others_share_stays_with_them(store: Store) -> None:
    """Its file goes with the last record that names it."""
    put(store, "e", 0, "a" * SIZE)
    put(store, "f", 90 * GRACE_SECONDS, "a" * SIZE)
    collect(store, 1)
    assert left(store) == "e"
    assert store.load(Store(store.layout.folder, KEY, str).find("e")) == "a" * SIZE  # type: ignore[arg-type]  # it is there


def test_left_overs_go(store: Store) -> None:
    """Temporary files and values without a record, once nobody can be writing them."""
    old, new = NOW - 2 * GRACE_SECONDS, NOW - 1
    loose = store.layout.blob("0" * 32 + ".array")
    for path, time in [
        (store.layout.tmp / ".dagnb-old.tmp", old),
        (store.layout.tmp / ".dagnb-new.tmp", new),
        (loose, old),
    ]:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        os.utime(path, (time, time))
    collect(store, 9)
    assert [path.name for path in store.layout.tmp.iterdir()] == [".dagnb-new.tmp"]
    assert not loose.exists()
    assert left(store) == "abcd"


def test_what_has_been_in_quarantine_for_a_week_goes(store: Store) -> None:
    """Until then somebody may look at it."""
    for name, age in [("old", 8), ("new", 6)]:
        path = store.layout.quarantine / name
        path.write_text("x")
        os.utime(path, (NOW - age * 86400, NOW - age * 86400))
    collect(store, 9)
    assert [path.name for path in store.layout.quarantine.iterdir()] == ["new"]


def test_a_store_keeps_to_its_budget(tmp_path: Path) -> None:
    """By itself, as it is written to; a day after each value was used."""
    store = Store(tmp_path / "store", KEY, str, budget_bytes=3 * SIZE)
    for name in "abcdefgh":
        put(store, name, 0)
        os.utime(store.layout.record(name), (NOW, NOW))
    assert left(store) == "gh"


def test_a_value_that_goes_before_it_is_loaded(store: Store) -> None:
    """Is a miss, as one that was found and whose file went."""
    found = store.find("a")
    assert found is not None
    os.utime(store.layout.record("a"), (1, 1))
    collect(store, 0)
    with pytest.raises(Damaged, match="missing"):
        store.load(found)
    assert store.find("a") is None


def test_problems(store: Store) -> None:
    """Every damaged value is named, with what is wrong with it."""
    assert problems(store.layout, KEY) == []
    path = store.layout.blob(store.find("b").blob)  # type: ignore[union-attr]  # it is there
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    store.layout.record("c").write_text("{}")
    found = problems(store.layout, KEY)
    assert len(found) == 2
    assert all(sentence.startswith("keys/") for sentence in found)
