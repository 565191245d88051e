from __future__ import annotations

import errno
import os
import pickle
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dagnb.errors import StoreError
from dagnb.values import codecs
from dagnb.values.blobs import MAPPED_BYTES
from dagnb.values.codecs import Unsaved
from dagnb.values.durable import Damaged
from dagnb.values.expand import REGISTERED
from dagnb.values.fingerprint import digest
from dagnb.values.saved import INLINE_BYTES, Saved
from dagnb.values.store import Store

KEY = b"k" * 32
SMALL = {"a": [1, 2.5, None]}
PICKLED = {"large": list(range(INLINE_BYTES)), "set": {1, 2}}
ARRAY = np.arange(INLINE_BYTES, dtype="int32").reshape(2, -1)
LARGE = np.arange(MAPPED_BYTES // 4, dtype="float64")
FRAME = pd.DataFrame({"number": LARGE[::2], "whole": np.arange(LARGE.size // 2)})
VALUES = {"small": SMALL, "pickled": PICKLED, "array": ARRAY, "large": LARGE, "frame": FRAME}


@pytest.fixture
def told() -> list[str]:
    """What stores complained of."""
    return []


@pytest.fixture
def opened(tmp_path: Path, told: list[str]) -> Callable[..., Store]:
    """Open the store as a new process would."""

    def open_store(key: bytes = KEY, *, durable: bool = False) -> Store:
        return Store(tmp_path / "store", key, told.append, durable=durable)

    return open_store


@pytest.fixture
def store(opened: Callable[..., Store]) -> Store:
    """A store with the values by their names."""
    store = opened()
    for name, value in VALUES.items():
        assert put(store, name, value)
    return store


def put(store: Store, key: str, value: object, **options: Any) -> bool:
    """Save a value, however quick it was to compute."""
    about = Saved(key, f"node {key}", digest(value), 1.5, {"input": "token"}, "words")
    return store.put(about, value, always=True, **options)


def get(store: Store, key: str) -> Any:
    """Find a value and load it."""
    saved = store.find(key)
    assert saved is not None
    return store.load(saved)


def files(store: Store, kind: str = "") -> list[Path]:
    """Return the files below a folder of the store."""
    return sorted(path for path in (store.layout.folder / kind).rglob("*") if path.is_file())


def file_of(store: Store, key: str) -> Path:
    """Return the file that holds a value."""
    saved = store.find(key)
    assert saved is not None
    return store.layout.blob(saved.blob) if saved.blob else store.layout.record(key)


# What comes back


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back(store: Store, opened: Callable[..., Store], name: str) -> None:
    """With what is known of it, in another process too."""
    saved = opened().find(name)
    assert saved is not None
    assert (saved.node, saved.digest) == (f"node {name}", digest(VALUES[name]))
    assert (saved.seconds, saved.inputs, saved.text) == (1.5, {"input": "token"}, "words")
    assert saved.created.endswith("+00:00")
    assert digest(get(opened(), name)) == digest(VALUES[name])


def test_what_was_found_first_can_be_loaded_last(store: Store) -> None:
    """Whatever was found in between."""
    found = {name: store.find(name) for name in VALUES}
    for name, saved in found.items():
        assert saved is not None
        assert digest(store.load(saved)) == digest(VALUES[name])


def test_a_frame_of_many_columns_comes_back(store: Store) -> None:
    """Though more has to be said of it than fits where it usually stands."""
    wide = pd.DataFrame({f"column {number}": LARGE[:8] for number in range(2000)})
    put(store, "wide", wide)
    pd.testing.assert_frame_equal(get(store, "wide"), wide)


def test_nothing_under_a_key(store: Store) -> None:
    """Is None, and no damage."""
    assert store.find("unknown") is None


def test_a_value_is_replaced_by_a_later_one(store: Store) -> None:
    """Under the same key."""
    put(store, "small", [7])
    assert get(store, "small") == [7]


def test_a_large_array_is_mapped_and_its_file_stays_as_it_is(store: Store) -> None:
    """Writing to it copies what is written to; others have the value as it was."""
    value = get(store, "large")
    assert type(value) is np.ndarray
    value[0] = -1
    assert get(store, "large")[0] == 0
    store.find("large")
    assert files(store, "quarantine") == []


def test_equal_values_share_a_file(store: Store) -> None:
    """It is written once."""
    before = file_of(store, "large").stat().st_ino
    put(store, "other", LARGE.copy())
    assert file_of(store, "other") == file_of(store, "large")
    assert file_of(store, "other").stat().st_ino == before


@pytest.mark.parametrize("size", [1, 100_000])
def test_outputs_come_back(store: Store, opened: Callable[..., Store], size: int) -> None:
    """Short ones and long ones."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * size}]
    put(store, "key", 1, outputs=outputs)
    again = opened()
    saved = again.find("key")
    assert saved is not None
    assert again.outputs(saved) == outputs


@pytest.mark.parametrize("name", ["../../x", "CON", "n" * 300, "🙂\n", "A", "a", "\udc80"])
def test_any_name_is_safe(store: Store, name: str) -> None:
    """Names of nodes are no part of the names of files."""
    before = {path.parent for path in files(store)}
    about = Saved(name.encode("utf-8", "replace").hex(), name, digest(name))
    store.put(about, name)
    saved = store.find(about.key)
    assert saved is not None
    assert (saved.node, store.load(saved)) == (name, name)
    assert {path.parents[1] for path in files(store, "keys")} <= {store.layout.folder / "keys"}
    assert {path.parent for path in files(store, "blobs")} <= before


# What is saved at all


def test_a_value_that_does_not_pickle(store: Store) -> None:
    """Is an error that says why; nothing is left of it."""
    with pytest.raises(Unsaved, match="pickle"):
        put(store, "bad", [lambda: 0])
    assert store.find("bad") is None
    assert files(store, "tmp") == []


@pytest.mark.parametrize("value", [np.zeros(10**7), [{"a": (n,)} for n in range(10**5)]])
def test_a_value_that_is_quicker_to_compute_than_to_save(store: Store, value: object) -> None:
    """Is not saved, and costs no more than it took to compute."""
    before = files(store)
    assert not store.put(Saved("quick", "node", "digest", 0.0001), value)
    assert files(store) == before
    assert store.put(Saved("slow", "node", digest(value), 60.0), value)


# Damage


def damage(kind: str) -> Callable[[Path], object]:
    """Return what damages a file in one way."""
    ways: dict[str, Callable[[Path], object]] = {
        "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
        "longer": lambda path: path.write_bytes(path.read_bytes() + b"."),
        "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
        "empty": lambda path: path.write_bytes(b""),
        "first bit": lambda path: flip(path, 2),
        "middle bit": lambda path: flip(path, path.stat().st_size // 2),
        "last bit": lambda path: flip(path, path.stat().st_size - 1),
        "folder": lambda path: (path.unlink(), path.mkdir()),
        "link": lambda path: (path.rename(path.with_suffix(".old")),
                              path.symlink_to(path.with_suffix(".old"))),
        "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    }  # fmt: skip
    return ways[kind]


def flip(path: Path, place: int) -> None:
    """Change a bit of a file in place."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


KINDS = ["truncated", "longer", "zeroed", "empty", "first bit", "middle bit", "last bit",
         "folder", "link", "pipe"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", VALUES)
def test_damage_is_a_miss_and_heals(
    store: Store, opened: Callable[..., Store], told: list[str], name: str, kind: str
) -> None:
    """With a reason; the file is set aside, and the value can be saved again."""
    damage(kind)(file_of(store, name))
    again = opened()
    with pytest.raises(Damaged):
        again.find(name)
    assert len(list(again.layout.quarantine.iterdir())) == 1
    assert len(told) == 1
    assert "set aside and computed again" in told[0]
    put(again, name, VALUES[name])
    assert digest(get(opened(), name)) == digest(VALUES[name])


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_record_is_a_miss_and_heals(
    store: Store, opened: Callable[..., Store], kind: str
) -> None:
    """As a damaged value is."""
    damage(kind)(store.layout.record("array"))
    with pytest.raises(Damaged):
        opened().find("array")
    assert opened().find("array") is None
    put(store, "array", ARRAY)
    assert get(opened(), "array").tolist() == ARRAY.tolist()


def test_a_value_that_is_gone(store: Store) -> None:
    """Is a miss."""
    file_of(store, "array").unlink()
    with pytest.raises(Damaged, match="missing"):
        store.find("array")


@pytest.mark.parametrize("name", ["pickled", "array", "large", "frame"])
def test_damage_after_a_value_was_found(store: Store, name: str) -> None:
    """Is a miss when it is loaded."""
    saved = store.find(name)
    assert saved is not None
    damage("middle bit")(file_of(store, name))
    with pytest.raises(Damaged):
        store.load(saved)


def test_another_file_after_a_value_was_found(store: Store) -> None:
    """Is looked at like any, though it has the time and size of the one that was found."""
    saved, path = store.find("large"), file_of(store, "large")
    assert saved is not None
    times = path.stat()
    path.rename(path.with_suffix(".old"))
    shutil.copyfile(path.with_suffix(".old"), path)
    flip(path, 2)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(Damaged, match="was damaged"):
        store.load(saved)


def test_a_bit_that_flipped_on_the_disk_is_found_in_what_is_read_whole(store: Store) -> None:
    """Though the file seems untouched."""
    path = file_of(store, "array")
    times = path.stat()
    damage("last bit")(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    saved = store.find("array")
    assert saved is not None
    with pytest.raises(Damaged, match="not what was written"):
        store.load(saved)


@pytest.mark.parametrize("value", [LARGE + 1, FRAME + 1], ids=["array", "frame"])
@pytest.mark.parametrize("name", ["", "numpy.ndarray", "pandas.DataFrame"])
@pytest.mark.parametrize("kind", ["middle bit", "last bit"])
def test_damage_to_large_numbers(
    store: Store, monkeypatch: pytest.MonkeyPatch, value: Any, name: str, kind: str
) -> None:
    """Is found, whoever says what names an array or a frame."""
    if name:
        monkeypatch.setitem(REGISTERED, name, len)
    assert put(store, "another", value)
    damage(kind)(file_of(store, "another"))
    monkeypatch.undo()
    with pytest.raises(Damaged, match="not what was written"):
        store.find("another")


def test_any_bit_of_a_large_frame_is_looked_at(store: Store) -> None:
    """Whether it stands for a number or says where the numbers are."""
    size = file_of(store, "frame").stat().st_size
    for place in [*range(0, size, size // 20), *range(size - 600, size, 20)]:
        put(store, "frame", FRAME)
        flip(file_of(store, "frame"), place)
        with pytest.raises(Damaged):
            store.find("frame")


def test_a_copied_store_is_as_good(store: Store, tmp_path: Path, told: list[str]) -> None:
    """Other times of files only mean that every byte is looked at."""
    shutil.copytree(store.layout.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    (tmp_path / "copy").chmod(0o700)
    copy = Store(tmp_path / "copy", KEY, told.append)
    for name, value in VALUES.items():
        assert digest(get(copy, name)) == digest(value)
    assert told == []


# Trust


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_planted_pickle_is_never_loaded(
    store: Store, opened: Callable[..., Store], tmp_path: Path
) -> None:
    """Neither as a value, nor in a record, nor beside a signature of somebody else."""
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    path = file_of(store, "pickled")
    start = path.read_bytes().index(b"\x80\x05")
    path.write_bytes(path.read_bytes()[:start] + trap.ljust(path.stat().st_size - start))
    other = Store(tmp_path / "other", b"o" * 32, str)
    about = Saved("array", "node", digest(ARRAY), 1.5)
    assert other.put(about, Trap(tmp_path / "sprung"))
    shutil.copyfile(other.layout.record("array"), store.layout.record("array"))
    for name in ("pickled", "array"):
        with pytest.raises(Damaged):
            opened().find(name)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(trap)
    assert (tmp_path / "sprung").exists()


def test_one_value_cannot_stand_for_another(store: Store) -> None:
    """A record counts only under its own key."""
    store.layout.record("other").parent.mkdir(exist_ok=True)
    shutil.copyfile(store.layout.record("small"), store.layout.record("other"))
    with pytest.raises(Damaged, match="something else"):
        store.find("other")


def test_the_file_of_one_value_cannot_stand_for_that_of_another(store: Store) -> None:
    """Signed and whole as it is; it is found out, and the other value can be saved again."""
    put(store, "other", LARGE + 1)
    file_of(store, "large").replace(file_of(store, "other"))
    with pytest.raises(Damaged, match="not what was written"):
        store.find("other")
    put(store, "other", LARGE + 1)
    assert digest(get(store, "other")) == digest(LARGE + 1)


def test_another_signing_key(store: Store, opened: Callable[..., Store], told: list[str]) -> None:
    """All are misses, said once; new values can be saved, and the old key finds them damaged."""
    other = opened(b"n" * 32)
    for name in VALUES:
        with pytest.raises(Damaged, match="another key"):
            other.find(name)
    assert len(told) == 1
    put(other, "small", SMALL)
    assert get(opened(b"n" * 32), "small") == SMALL


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_that_others_can_write_to(
    store: Store, opened: Callable[..., Store], mode: int
) -> None:
    """Is refused, with the command that mends it."""
    store.layout.folder.chmod(mode)
    with pytest.raises(StoreError, match="chmod 700"):
        opened()


@pytest.mark.skipif(os.name != "posix", reason="users are those of POSIX")
def test_a_folder_of_somebody_else(
    store: Store, opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is refused, with the command that mends it."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StoreError, match=r"sudo chown -R \$\(id -u\)"):
        opened()


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_new_store_is_its_users(store: Store) -> None:
    """And so is all that is in it; git leaves it alone."""
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [store.layout.folder, *files(store)]}
    assert modes == {0o700, 0o600}
    assert (store.layout.folder / ".gitignore").read_text() == "*\n"


# Formats and places


def test_a_newer_format_is_refused_and_not_touched(
    store: Store, opened: Callable[..., Store]
) -> None:
    """Whoever wrote it knows better."""
    (store.layout.folder / "dagnb-store.json").write_text('{"format": 2}')
    before = {path: path.read_bytes() for path in files(store)}
    with pytest.raises(StoreError, match="newer dagnb"):
        opened()
    assert {path: path.read_bytes() for path in files(store)} == before


@pytest.mark.parametrize("text", ['{"format": 0}', "{", ""])
def test_an_older_or_damaged_marker_is_read(
    store: Store, opened: Callable[..., Store], text: str
) -> None:
    """Every file has a format of its own."""
    (store.layout.folder / "dagnb-store.json").write_text(text)
    assert get(opened(), "small") == SMALL


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    """Is refused: the store would mix with it."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="no store and not empty"):
        Store(tmp_path, KEY, str)
    with pytest.raises(StoreError, match="is a file"):
        Store(tmp_path / "mine.txt", KEY, str)


@pytest.mark.parametrize("below", ["file/store", "file/a/b", "x" * 300, "no\0path"])
def test_a_folder_that_cannot_be_made(tmp_path: Path, below: str) -> None:
    """Is refused before anything is computed for it."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="cannot be"):
        Store(tmp_path / below, KEY, str)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_device_holds_no_store() -> None:
    """The message names it."""
    with pytest.raises(StoreError, match=f"since {os.devnull} is a file; name another folder"):
        Store(Path(os.devnull) / "x", KEY, str)


def test_nothing_is_made_before_something_is_saved(opened: Callable[..., Store]) -> None:
    """Looking leaves no trace."""
    store = opened()
    assert store.find("key") is None
    assert not store.layout.folder.exists()


def test_a_store_that_was_removed_meanwhile(store: Store) -> None:
    """Is made anew."""
    shutil.rmtree(store.layout.folder)
    assert store.find("small") is None
    assert put(store, "small", SMALL)
    assert get(store, "small") == SMALL


# Other versions


def test_another_version_of_a_library(
    store: Store, opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickle of its objects is a miss that says so; plain arrays do not care."""
    put(store, "frame", {1: ARRAY})
    monkeypatch.setattr(codecs, "version_of", lambda name: "99.0")
    with pytest.raises(Damaged, match=r"saved with numpy [\d.]+, and now it is 99\.0"):
        opened().find("frame")
    assert opened().find("array") is not None
    assert files(store, "quarantine") == []


class Renamed:
    """A class that will be gone."""


def test_a_class_that_is_gone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a miss that names it."""
    put(store, "object", Renamed())
    saved = store.find("object")
    assert saved is not None
    monkeypatch.delitem(globals(), "Renamed")
    with pytest.raises(Damaged, match=r"AttributeError: .*Renamed"):
        store.load(saved)


def test_a_class_that_is_another_one_now(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a miss: its objects would be other values."""
    put(store, "object", Renamed())
    saved = store.find("object")
    assert saved is not None
    other = type("Renamed", (), {"more": 1, "__module__": __name__})
    monkeypatch.setitem(globals(), "Renamed", other)
    with pytest.raises(Damaged, match="class is another one now"):
        store.load(saved)


# Disks that are full, or cannot be written to


@pytest.mark.parametrize("function", ["open", "write", "fsync", "utime", "replace", "mkdir"])
@pytest.mark.parametrize("call", range(1, 8))
@pytest.mark.parametrize("is_new", [False, True])
def test_a_full_disk_stops_nothing(  # noqa: PLR0917  # fixtures and parameters
    tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch,
    function: str, call: int, is_new: bool,
) -> None:  # fmt: skip
    """One complaint, what was there stays readable, nothing is left behind."""
    store = Store(tmp_path / "store", KEY, told.append, durable=True)
    if not is_new:
        put(store, "before", ARRAY)
    true, calls = getattr(os, function), 0

    def fail(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        writes = function != "open" or arguments[1] & os.O_CREAT
        calls += bool(writes)
        if writes and calls >= call:
            raise OSError(errno.ENOSPC, "No space left on device")
        return true(*arguments, **options)

    monkeypatch.setattr(os, function, fail)
    saved = [put(store, f"during {n}", ARRAY + n, outputs=["x" * 20_000]) for n in range(2)]
    monkeypatch.undo()
    assert len(told) == (not all(saved))
    assert all("No space left on device" in sentence for sentence in told)
    assert [path for path in files(store) if path.name.endswith(".tmp")] == []
    again = Store(tmp_path / "store", KEY, told.append)
    for name, value in [("before", ARRAY), ("during 0", ARRAY), ("during 1", ARRAY + 1)]:
        was_saved = not is_new if name == "before" else saved[int(name[-1])]
        assert not was_saved or digest(get(again, name)) == digest(value)
    assert put(store, "after", ARRAY)
    assert get(again, "after").tolist() == ARRAY.tolist()


def test_a_folder_that_can_only_be_read(
    store: Store, opened: Callable[..., Store], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gives what it has, damage included; saving says once that it cannot."""

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise PermissionError(errno.EROFS, "Read-only file system")

    damage("truncated")(file_of(store, "pickled"))
    again = opened()
    for name in ("replace", "utime", "unlink", "mkdir", "rename"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr("dagnb.values.durable.write_temporary", refuse)
    assert get(again, "large").tolist() == LARGE.tolist()
    for _ in range(2):
        with pytest.raises(Damaged):
            again.find("pickled")
        assert not put(again, "new", [1])
    assert len(told) == 2
    assert "Read-only file system" in told[1]


@pytest.mark.parametrize("function", ["write", "replace"])
def test_an_interrupt_while_something_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    """Leaves nothing behind."""

    def stop(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    before = files(store)
    monkeypatch.setattr(os, function, stop)
    with pytest.raises(KeyboardInterrupt):
        put(store, "new", ARRAY + 1)
    monkeypatch.undo()
    assert files(store) == before


def test_a_durable_value_is_on_the_disk_before_its_name_is(
    opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is synced before it is renamed, and its folder after that; a value comes first."""
    calls: list[str] = []
    for name in ("fsync", "replace"):
        true = getattr(os, name)
        note = lambda *given, name=name, true=true: (true(*given), calls.append(name))  # noqa: E731
        monkeypatch.setattr(os, name, note)
    store = opened(durable=True)
    put(store, "first", ARRAY)
    calls.clear()
    put(store, "second", ARRAY + 1)
    assert calls == ["fsync", "replace", "fsync", "fsync"] * 2
