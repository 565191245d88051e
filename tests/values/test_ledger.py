from __future__ import annotations

import errno
import json
import os
import pickle
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb.errors import CheckpointError
from dagnb.values import durable
from dagnb.values.durable import Damaged
from dagnb.values.filenames import file_name
from dagnb.values.ledger import Entry, Ledger
from dagnb.values.signature import is_signed, key_path, sign, signing_key

KEY = b"k" * 32
ENTRY = Entry("digest", 1.5, {"": "code"}, [("input", "token")])


@pytest.fixture
def warnings() -> list[str]:
    """What the ledger complained of."""
    return []


@pytest.fixture
def opened(tmp_path: Path, warnings: list[str]) -> Callable[[], Ledger]:
    """Open the ledger as a new process would."""

    def open_ledger(key: bytes = KEY) -> Ledger:
        ledger = Ledger(tmp_path / "ledger", key, warnings.append)
        ledger.read()
        return ledger

    return open_ledger


@pytest.fixture
def ledger(opened: Callable[[], Ledger]) -> Ledger:
    """A ledger with a value for ``a``."""
    ledger = opened()
    ledger.claim()
    ledger.start(3)
    assert ledger.put("a", [1, 2], ENTRY) == ""
    return ledger


def names(ledger: Ledger) -> list[str]:
    """Return the files in the folder."""
    return sorted(os.listdir(ledger.folder))


def test_a_value_comes_back(ledger: Ledger, opened: Callable[[], Ledger]) -> None:
    """With what is known of it, in another process too."""
    again = opened()
    assert again.get("a") == [1, 2]
    known = again.entries["a"]
    assert (known.digest, known.seconds, known.code) == ("digest", 1.5, {"": "code"})
    assert known.inputs == [("input", "token")]
    assert (again.total, again.timestamp) == (3, ledger.timestamp)


def test_the_layout(ledger: Ledger) -> None:
    """The pickled result alone, and one file that describes it."""
    assert names(ledger) == ["_meta.json", "a.pkl"]
    assert pickle.loads((ledger.folder / "a.pkl").read_bytes()) == [1, 2]
    meta = json.loads((ledger.folder / "_meta.json").read_text())
    assert (meta["completed_nodes"], meta["failed_nodes"], meta["total_nodes"]) == (["a"], [], 3)
    assert meta["timestamp"].endswith("+00:00")


def test_a_failure_is_noted_and_its_value_forgotten(
    ledger: Ledger, opened: Callable[[], Ledger]
) -> None:
    """No earlier value counts after a failure."""
    ledger.fail("a")
    again = opened()
    assert (list(again.entries), list(again.failed)) == ([], ["a"])
    assert names(ledger) == ["_meta.json"]


def test_a_success_after_a_failure(ledger: Ledger) -> None:
    """A node is in one list only."""
    ledger.fail("a")
    ledger.put("a", 3, ENTRY)
    assert (list(ledger.entries), list(ledger.failed)) == (["a"], [])


def test_a_value_that_does_not_pickle(ledger: Ledger, opened: Callable[[], Ledger]) -> None:
    """Is known, with the reason, and has no file; nor has the one before any more."""
    assert "pickle" in ledger.put("a", lambda: 0, ENTRY)
    assert names(ledger) == ["_meta.json"]
    with pytest.raises(Damaged, match="was not saved"):
        opened().get("a")


def damage(kind: str) -> Callable[[Path], None]:
    """Return what damages a file in one way."""
    ways: dict[str, Callable[[Path], Any]] = {
        "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
        "longer": lambda path: path.write_bytes(path.read_bytes() + b"."),
        "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
        "empty": lambda path: path.write_bytes(b""),
        "bit": lambda path: path.write_bytes(path.read_bytes().replace(b"\x02", b"\x03")),
        "missing": Path.unlink,
        "folder": lambda path: (path.unlink(), path.mkdir()),
        "link": lambda path: (path.rename(path.with_suffix(".old")),
                              path.symlink_to(path.with_suffix(".old"))),
        "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    }  # fmt: skip
    return ways[kind]


KINDS = ["truncated", "longer", "zeroed", "empty", "bit", "missing", "folder", "link", "pipe"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_value_is_not_used(
    ledger: Ledger, opened: Callable[[], Ledger], kind: str
) -> None:
    """Whatever became of its file; saving it again heals."""
    damage(kind)(ledger.folder / "a.pkl")
    again = opened()
    with pytest.raises(Damaged, match=r"a\.pkl"):
        again.get("a")
    if kind != "folder":
        assert again.put("a", 5, ENTRY) == ""
        assert opened().get("a") == 5


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("missing", "bit")])
def test_a_damaged_description_counts_for_nothing(
    ledger: Ledger, opened: Callable[[], Ledger], warnings: list[str], kind: str
) -> None:
    """It is reported, and set aside where something new is written."""
    damage(kind)(ledger.folder / "_meta.json")
    again = opened()
    assert not again.entries
    assert "is damaged or was not written here" in warnings[0]
    again.start(1)
    assert "_meta.json.set-aside-1" in names(again)
    again.put("a", 7, ENTRY)
    assert "a.pkl.set-aside-1" in names(again)
    assert opened().get("a") == 7


@pytest.mark.parametrize(
    "edit",
    [
        lambda meta: meta.update(total_nodes=9),
        lambda meta: meta["nodes"]["a"].update(sha256="0" * 64),
        lambda meta: meta["nodes"].update(b=meta["nodes"]["a"]),
        lambda meta: meta.update(hmac="0" * 64),
        lambda meta: meta.update(hmac=3),
        lambda meta: meta.pop("hmac"),
        lambda meta: meta.pop("format"),
    ],
)
def test_a_description_that_was_edited_counts_for_nothing(
    ledger: Ledger, opened: Callable[[], Ledger], edit: Callable[[Any], None]
) -> None:
    """Its signature no longer fits."""
    path = ledger.folder / "_meta.json"
    meta = json.loads(path.read_text())
    edit(meta)
    path.write_text(json.dumps(meta))
    assert not opened().entries


def test_another_key_opens_nothing(ledger: Ledger, opened: Any, warnings: list[str]) -> None:
    """One message, no values."""
    assert not opened(b"x" * 32).entries
    assert len(warnings) == 1


def test_a_newer_format_is_refused_and_not_touched(ledger: Ledger, opened: Any) -> None:
    """Whoever wrote it can go on using it."""
    path = ledger.folder / "_meta.json"
    path.write_text(path.read_text().replace('"format":1', '"format":2'))
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="newer dagnb"):
        opened()
    assert path.read_bytes() == before


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_planted_pickle_is_never_loaded(
    ledger: Ledger, opened: Callable[[], Ledger], tmp_path: Path
) -> None:
    """Neither over a known file nor under a new name."""
    trap = tmp_path / "sprung"
    for name in ("a.pkl", "b.pkl"):
        (ledger.folder / name).write_bytes(pickle.dumps(Bomb(trap)))
    again = opened()
    with pytest.raises(Damaged):
        again.get("a")
    assert "b" not in again.entries
    assert not trap.exists()


def test_only_own_files_are_cleared(ledger: Ledger) -> None:
    """What else is in the folder stays."""
    for name in ("notes.txt", "b.pkl", "other.tmp"):
        (ledger.folder / name).write_text("mine")
    (ledger.folder / ".dagnb-abc.tmp").write_text("left by a crash")
    ledger.clear()
    assert names(ledger) == ["b.pkl", "notes.txt", "other.tmp"]
    assert not ledger.timestamp


def test_a_foreign_file_in_the_way_is_set_aside(ledger: Ledger, warnings: list[str]) -> None:
    """Under another name, and said so."""
    (ledger.folder / "b.pkl").write_text("mine")
    ledger.put("b", 1, ENTRY)
    assert (ledger.folder / "b.pkl.set-aside-1").read_text() == "mine"
    assert "it is now b.pkl.set-aside-1" in warnings[0]


def test_a_crash_between_two_names_loses_nothing(
    ledger: Ledger, opened: Callable[[], Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is found under its temporary name, and gets its own."""
    true_replace = durable.replace

    def die_at_values(folder: Path, temporary: str, name: str) -> None:
        if name.endswith(".pkl"):
            raise KeyboardInterrupt
        true_replace(folder, temporary, name)

    monkeypatch.setattr(durable, "replace", die_at_values)
    with pytest.raises(KeyboardInterrupt):
        ledger.put("a", "new", ENTRY)
    monkeypatch.undo()
    again = opened()
    again.start(3)
    assert again.get("a") == "new"
    assert names(again) == ["_meta.json", "a.pkl"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_full_disk_stops_nothing(  # noqa: PLR0917  # fixtures and parameters
    ledger: Ledger, opened: Callable[[], Ledger], warnings: list[str],
    monkeypatch: pytest.MonkeyPatch, function: str, call: int,
) -> None:  # fmt: skip
    """One complaint, what was there stays readable, nothing is left behind."""
    true, calls = getattr(os, function), 0

    def fail(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= call:
            raise OSError(errno.ENOSPC, "No space left on device")
        return true(*arguments)

    monkeypatch.setattr(os, function, fail)
    ledger.put("b", 1, ENTRY)
    ledger.put("c", 1, ENTRY)
    monkeypatch.undo()
    assert len(warnings) == 1
    assert "No space left on device" in warnings[0]
    again = opened()
    assert again.get("a") == [1, 2]
    assert not [name for name in names(ledger) if durable.is_temporary(name)]
    ledger.put("b", 2, ENTRY)
    assert opened().get("b") == 2


def test_a_folder_that_is_a_file(tmp_path: Path, warnings: list[str]) -> None:
    """Is refused before anything runs."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot hold a checkpoint"):
        Ledger(tmp_path / "file", KEY, warnings.append).claim()


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_folder_that_anybody_can_write_to(ledger: Ledger) -> None:
    """Is refused, with the command that mends it."""
    ledger.folder.chmod(0o777)
    with pytest.raises(CheckpointError, match="chmod o-w"):
        ledger.claim()


@pytest.mark.skipif(os.name != "posix", reason="folders can be locked on POSIX")
def test_a_folder_has_one_writer_at_a_time(ledger: Ledger, opened: Callable[[], Ledger]) -> None:
    """Until it lets go, or nothing refers to it any more; reading is free."""
    ledger.begin(lambda: True)
    other = opened()
    assert other.get("a") == [1, 2]
    with pytest.raises(CheckpointError, match="another run writes to"):
        other.claim()
    ledger.release()
    other.claim()
    other.begin(lambda: True)
    del other
    ledger.claim()


@pytest.mark.skipif(os.name != "posix", reason="folders can be locked on POSIX")
def test_a_claim_that_an_interrupt_left_behind_gives_way(
    ledger: Ledger, opened: Callable[[], Ledger]
) -> None:
    """Of a run that is over, or of one that never began; not of one that is about to begin."""
    ledger.begin(lambda: False)
    second, third = opened(), opened()
    second.claim()
    refused = pytest.raises(CheckpointError, match="another run writes to")
    with ThreadPoolExecutor(1) as pool, refused:
        pool.submit(third.claim).result()
    third.claim()
    with ThreadPoolExecutor(1) as pool:
        third.release()
        pool.submit(second.claim).result()
    ledger.claim()


def test_a_file_system_without_locks(
    ledger: Ledger, opened: Callable[[], Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keeps nobody out, and nobody from working."""
    fcntl = pytest.importorskip("fcntl")

    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    other = opened()
    other.claim()
    other.start(1)
    assert other.put("b", 1, ENTRY) == ""


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_new_folder_is_its_owners(ledger: Ledger) -> None:
    """And so are the files in it."""
    assert stat.S_IMODE(ledger.folder.stat().st_mode) == 0o700
    for name in names(ledger):
        assert stat.S_IMODE((ledger.folder / name).stat().st_mode) == 0o600


HARD = ["..", ".", "a/b", "a_b", "A_b", "a\\b", "../../x", "CON", "con", "con.x", "nul", "COM1",
        "x" * 300, "x" * 299 + "y", "ü" * 100, "🦆", "a b", " ", "a.", "a%2fb", "_meta", "~",
        "\ud800", "a\x00b", "C:x", "-rf", "X" * 300, "é", "e\u0301", ".dagnb-x"]  # fmt: skip


def test_hard_names_have_files_of_their_own() -> None:
    """On any file system: lower case, short, in the folder, no device of Windows."""
    files = {name: file_name(name) + ".pkl" for name in HARD}
    assert len({file.casefold() for file in files.values()}) == len(HARD)
    for file in files.values():
        assert file == file.lower()
        assert len(file.encode()) <= 200
        assert not file.startswith(".")
        assert not set(file) & set('<>:"/\\|?* \0')
        assert file.partition(".")[0] not in ("con", "nul", "com1")


def test_values_under_hard_names(ledger: Ledger, opened: Callable[[], Ledger]) -> None:
    """Each comes back as itself, and none leaves the folder."""
    before = sorted(ledger.folder.parent.iterdir())
    for name in HARD:
        assert ledger.put(name, name, ENTRY) == ""
    again = opened()
    assert {name: again.get(name) for name in HARD} == dict(zip(HARD, HARD, strict=True))
    assert sorted(ledger.folder.parent.iterdir()) == before


@given(st.lists(st.text(min_size=1), unique=True))
def test_no_two_names_meet(drawn: list[str]) -> None:
    """Whatever they are."""
    assert len({file_name(name).casefold() for name in drawn}) == len(drawn)


def test_the_key_is_made_once_and_is_its_owners() -> None:
    """In the user's data folder."""
    key = signing_key()
    assert len(key) == 32
    assert signing_key() == key
    assert os.name != "posix" or stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert str(key_path()).startswith(os.environ["XDG_DATA_HOME"])


def test_a_key_where_there_are_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on the file system nor, as in a browser, in Python."""
    monkeypatch.delattr("os.link")
    assert signing_key() == signing_key()
    assert os.listdir(key_path().parent) == [key_path().name]


def test_a_key_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says where, and what to do."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(CheckpointError, match="set XDG_DATA_HOME"):
        signing_key()


def test_a_file_that_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of another length signs nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    key_path().parent.mkdir()
    key_path().write_bytes(b"short")
    with pytest.raises(CheckpointError, match="is not a key"):
        signing_key()


def test_signatures() -> None:
    """One key, one text, one signature."""
    assert is_signed(KEY, b"text", sign(KEY, b"text"))
    assert not is_signed(KEY, b"text", sign(b"other", b"text"))
    assert not is_signed(KEY, b"texts", sign(KEY, b"text"))
    assert not is_signed(KEY, b"text", None)
    assert not is_signed(KEY, b"text", "ü")
