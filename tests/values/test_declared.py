from __future__ import annotations

import os
from pathlib import Path

import pytest

from dagnb.values.code import CodeDigest, code_digest, explain_change
from dagnb.values.declared import Declared, with_declared


def nothing() -> int:
    """Code that names nothing."""
    return 1


def of(declared: Declared, **variables: object) -> CodeDigest:
    """The digest of code that names nothing, and of what was declared."""
    return with_declared(code_digest(nothing), declared, variables)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str, age: int = 60) -> None:
    """Write a file as it would be some seconds later."""
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    at = path.stat().st_mtime - age
    os.utime(path, (at, at))


def test_nothing_declared_changes_nothing() -> None:
    """The digest is the code's own."""
    assert of(Declared()) == code_digest(nothing)


def test_a_variable_of_the_environment_counts_by_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also whether it is set at all."""
    monkeypatch.delenv("DAGNB_X", raising=False)
    unset = of(Declared(env=("DAGNB_X",)))
    monkeypatch.setenv("DAGNB_X", "")
    assert not unset.is_current()
    empty = of(Declared(env=("DAGNB_X",)))
    assert empty.is_current() and empty.digest != unset.digest
    assert [str(change) for change in explain_change(unset, empty)] == [
        "environment variable `DAGNB_X` changed from not set to ''"
    ]


def test_a_file_counts_by_its_content(here: Path) -> None:
    """Written anew with the same content it is the same."""
    write(here / "my rows.csv", "a,b")
    before = of(Declared(files=("my rows.csv",)))
    write(here / "my rows.csv", "a,b", age=30)
    assert before.is_current()
    write(here / "my rows.csv", "a,c")
    after = of(Declared(files=("my rows.csv",)))
    assert not before.is_current() and after.digest != before.digest
    (change,) = explain_change(before, after)
    assert str(change) == "file `my rows.csv` changed"
    assert str(change.after).startswith("my rows.csv: 3 bytes, content ")


def test_a_file_that_is_written_twice_at_once_is_seen(here: Path) -> None:
    """Of one size, and within one tick of the clock of the file system."""
    file = here / "rows.csv"
    file.write_text("1")
    before = of(Declared(files=("rows.csv",)))
    stamp = file.stat()
    file.write_text("2")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert not before.is_current()


def test_a_file_may_come_and_go(here: Path) -> None:
    """What is not there is known, too."""
    missing = of(Declared(files=("rows.csv",)))
    assert missing.is_current() and missing.reads["file rows.csv"].text == "missing"
    write(here / "rows.csv", "1")
    assert not missing.is_current()
    there = of(Declared(files=("rows.csv",)))
    (here / "rows.csv").unlink()
    assert not there.is_current()
    assert of(Declared(files=("rows.csv",))).digest == missing.digest


@pytest.mark.parametrize("name", ["data", "data/*.csv", "data/**/*.csv"])
def test_a_folder_or_pattern_stands_for_its_files(here: Path, name: str) -> None:
    """One more, one less, another name or other content is a change."""
    write(here / "data" / "a.csv", "1")
    write(here / "data" / "b.csv", "2")
    digests = {of(Declared(files=(name,))).digest}
    for change in (
        lambda: write(here / "data" / "a.csv", "3"),
        lambda: write(here / "data" / "c.csv", "2"),
        (here / "data" / "b.csv").unlink,
        lambda: (here / "data" / "c.csv").rename(here / "data" / "d.csv"),
    ):
        before = of(Declared(files=(name,)))
        change()
        assert not before.is_current()
        digests.add(of(Declared(files=(name,))).digest)
    assert len(digests) == 5


def test_a_relative_name_is_that_of_the_present_folder(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is when the code opens it."""
    write(here / "rows.csv", "1")
    write(here / "other" / "rows.csv", "2")
    before = of(Declared(files=("rows.csv",)))
    monkeypatch.chdir(here / "other")
    assert not before.is_current()


def test_names_are_read_as_if_the_code_named_them() -> None:
    """Variables by value, functions by their code and what they read."""
    namespace: dict[str, object] = {"__name__": "__main__", "k": 1}
    exec("def helper(): return k", namespace)
    before = with_declared(code_digest(nothing), Declared(depends=("helper",)), namespace)
    assert set(before.reads) == {"helper", "helper.k"}
    namespace["k"] = 2
    assert not before.is_current()


def test_a_name_that_is_a_node_is_an_input() -> None:
    """It is listed and not read."""
    declared = Declared(depends=("raw",))
    digest = with_declared(code_digest(nothing), declared, {"raw": 1}, frozenset({"raw"}))
    assert digest.nodes == ("raw",) and digest.reads == {}


@pytest.mark.parametrize("name", ["a b", "1", "f()", "", "a..b", "class"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Nothing is ever run to find what code depends on."""
    with pytest.raises(ValueError, match="is no name"):
        Declared(depends=(name,))


@pytest.mark.parametrize("name", ["", "A=1", "A\0"])
def test_what_is_no_variable_is_refused(name: str) -> None:
    """It would never be set."""
    with pytest.raises(ValueError, match="is no variable; write its name alone"):
        Declared(env=(name,))


@pytest.mark.parametrize("name", ["", "rows\0.csv"])
def test_what_is_no_file_is_refused(name: str) -> None:
    """The empty name would be the folder that the notebook is in."""
    with pytest.raises(ValueError, match="is no file; write its path"):
        Declared(files=(name,))


def test_what_is_no_text_is_refused() -> None:
    """By the name of the option."""
    with pytest.raises(TypeError, match="env is a list of names, and 1 is none"):
        Declared(env=(1,))  # type: ignore[arg-type]  # as users do it


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts by its value, and no text about it tells that."""
    monkeypatch.setenv("SERVICE_API_KEY", "hush")
    before = of(Declared(env=("SERVICE_API_KEY",)))
    monkeypatch.setenv("SERVICE_API_KEY", "hush hush")
    after = of(Declared(env=("SERVICE_API_KEY",)))
    assert [str(change) for change in explain_change(before, after)] == [
        "environment variable `SERVICE_API_KEY` changed"
    ]
    assert not any("hush" in read.text for read in after.reads.values())
