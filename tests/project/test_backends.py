"""Every backend of the state keeps the same promises."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dagnb import FileStateBackend, FsspecStateBackend, SqliteStateBackend, StateBackend
from dagnb.project.state import NodeState, State
from dagnb.values.durable import Damaged

Make = Callable[[Path], StateBackend]
BACKENDS: dict[str, Make] = {
    "file": lambda folder: FileStateBackend(folder / "deep" / "state"),
    "sqlite": lambda folder: SqliteStateBackend(folder / "deep" / "state"),
    "fsspec": lambda folder: FsspecStateBackend(f"file://{folder}/deep/state"),
}
FIRST = {"source.users": {"status": "success", "row_count": 3}, "b": {"status": "failed"}}


@pytest.fixture(params=BACKENDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], StateBackend]:
    """Return what opens one state again and again."""
    return lambda: BACKENDS[request.param](tmp_path)


class TestEveryBackend:
    """What every backend promises."""

    def test_there_is_nothing_at_first(self, make: Callable[[], StateBackend]) -> None:
        """An empty state is no error, and nothing is made by looking."""
        assert make().load() == {}

    def test_what_is_saved_is_loaded(self, make: Callable[[], StateBackend]) -> None:
        """By another one too, in the same order."""
        make().save(FIRST)
        assert list(make().load().items()) == list(FIRST.items())

    def test_a_save_replaces_all(self, make: Callable[[], StateBackend]) -> None:
        """What is not in it is gone."""
        backend = make()
        backend.save(FIRST)
        backend.save({"b": {"status": "success"}})
        assert (backend.load(), make().load()) == ({"b": {"status": "success"}},) * 2

    def test_a_save_without_a_load_replaces_all(self, make: Callable[[], StateBackend]) -> None:
        """What is there need not be known."""
        make().save(FIRST)
        make().save({"c": {}})
        assert make().load() == {"c": {}}

    def test_a_damaged_one_is_set_aside(
        self, make: Callable[[], StateBackend], tmp_path: Path
    ) -> None:
        """It is told, kept under another name, and gives way to the next save."""
        make().save(FIRST)
        (tmp_path / "deep" / "state").write_bytes(b"\x00 no state \xff" * 100)
        backend = make()
        with pytest.raises(Damaged, match=r"it is set aside as .*state\.damaged-"):
            backend.load()
        backend.save({"c": {}})
        assert backend.load() == {"c": {}}
        assert len(list((tmp_path / "deep").glob("state.damaged-*"))) == 1

    def test_nothing_else_is_left(self, make: Callable[[], StateBackend], tmp_path: Path) -> None:
        """No temporary file stays."""
        make().save(FIRST)
        make().save(FIRST)
        assert [each.name for each in (tmp_path / "deep").iterdir()] == ["state"]

    def test_a_state_goes_there_and_back(self, make: Callable[[], StateBackend]) -> None:
        """With all that is known of a node."""
        node = NodeState("success", 0.5, 3, 1.0, 2, "key", "digest", {"a": "b"}, {"c": "d"})
        State(make()).put("source.users", node)
        assert State(make()).nodes == {"source.users": node}

    def test_what_cannot_be_written_is_an_os_error(
        self, make: Callable[[], StateBackend], tmp_path: Path
    ) -> None:
        """So that the run can go on."""
        (tmp_path / "deep").write_text("a file where a folder should be")
        with pytest.raises(OSError, match=r"."):
            make().save(FIRST)


def test_the_file_is_as_documented(tmp_path: Path) -> None:
    """A JSON object by id."""
    FileStateBackend(tmp_path / "state.json").save(FIRST)
    assert json.loads((tmp_path / "state.json").read_text()) == FIRST


def test_a_database_writes_only_what_changed(tmp_path: Path) -> None:
    """A row that is the same is left alone."""
    backend = SqliteStateBackend(tmp_path / "state.db")
    backend.save(FIRST)
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute(
            "CREATE TRIGGER no_change BEFORE UPDATE ON nodes WHEN old.id = 'source.users' "
            "BEGIN SELECT RAISE(ABORT, 'it was written'); END"
        )
    connection.close()
    backend.save({**FIRST, "b": {"status": "success"}})
    assert SqliteStateBackend(tmp_path / "state.db").load()["b"] == {"status": "success"}


def test_a_state_in_memory_of_fsspec() -> None:
    """Any address will do."""
    backend = FsspecStateBackend("memory://dagnb/state.json")
    backend.save(FIRST)
    assert FsspecStateBackend("memory://dagnb/state.json").load() == FIRST
