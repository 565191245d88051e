"""Where the state of runs is kept: a file, a SQLite database, or what fsspec reaches."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from dagnb.values import durable
from dagnb.values.durable import Damaged


class StateBackend(Protocol):
    """Keeps one JSON object. What it raises to say that it cannot is an `OSError`."""

    def load(self) -> dict[str, Any]:
        """Return what was saved last; an empty dict if nothing was.

        Raises
        ------
        Damaged
            Something was, and cannot be used.
        """

    def save(self, state: dict[str, Any]) -> None:
        """Save it whole: who is killed meanwhile leaves what was there before.

        The record of a node that did not change is the same object as in the save before.
        """


class Texts:
    """The records of a state as JSON; one that was encoded before is not encoded again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, str, str]] = {}

    def _encode(self, state: dict[str, Any]) -> None:
        known = self._known
        self._known = {
            name: last
            if (last := known.get(name)) is not None and last[0] is each
            else (each, text := json.dumps(each), f"{json.dumps(name)}: {text}")
            for name, each in state.items()
        }

    def of(self, state: dict[str, Any]) -> dict[str, str]:
        """Return the text of each record."""
        self._encode(state)
        return {name: text for name, (_, text, _) in self._known.items()}

    def whole(self, state: dict[str, Any]) -> bytes:
        """Return the text of it all, a line for each record."""
        self._encode(state)
        lines = ",\n".join([line for _, _, line in self._known.values()])
        return f"{{\n{lines}\n}}\n".encode()


class FileStateBackend:
    """Keeps the state in a JSON file, replaced in one step.

    Examples
    --------
    >>> import tempfile
    >>> backend = FileStateBackend(Path(tempfile.mkdtemp()) / "state.json")
    >>> backend.save({"source.users": {"status": "success"}})
    >>> backend.load()
    {'source.users': {'status': 'success'}}
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._texts = Texts()

    def load(self) -> dict[str, Any]:
        """Read the file; one that is damaged is set aside."""
        try:
            return _parsed(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except Damaged as damage:
            raise _set_aside(self.path, damage) from damage

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file."""
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        temporary = durable.write_temporary(folder, self._texts.whole(state))
        durable.place(folder / temporary, self.path)


class SqliteStateBackend:
    """Keeps the state in a SQLite database, a row for each node; only what changed is written.

    Examples
    --------
    >>> import tempfile
    >>> backend = SqliteStateBackend(Path(tempfile.mkdtemp()) / "state.db")
    >>> backend.save({"source.users": {"status": "success"}})
    >>> backend.load()
    {'source.users': {'status': 'success'}}
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._saved: dict[str, str] | None = None
        self._texts = Texts()

    def load(self) -> dict[str, Any]:
        """Read all rows."""
        self._saved = {}
        if not self.path.exists():
            return {}
        try:
            with self._opened() as connection:
                rows = connection.execute("SELECT id, state FROM nodes ORDER BY rowid").fetchall()
            found = {name: _parsed(text) for name, text in rows}
        except Damaged as damage:
            raise _set_aside(self.path, damage) from damage
        self._saved = dict(rows)
        return found

    def save(self, state: dict[str, Any]) -> None:
        """Write the rows that changed, in one transaction."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._saved is None:
            self.load()
        known, rows = self._saved or {}, self._texts.of(state)
        new = [(name, text) for name, text in rows.items() if known.get(name) != text]
        gone = [(name,) for name in known if name not in rows]
        with self._opened() as connection, connection:
            connection.executemany("DELETE FROM nodes WHERE id = ?", gone)
            connection.executemany(
                "INSERT INTO nodes VALUES (?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state",
                new,
            )
        self._saved = rows

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path)) as connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS nodes (id TEXT PRIMARY KEY, state TEXT NOT NULL)"
                )
                yield connection
        except sqlite3.OperationalError as error:
            raise OSError(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise Damaged(str(error)) from error


class FsspecStateBackend:
    """Keeps the state in a file that fsspec reaches: ``s3://bucket/state.json``.

    Needs fsspec (``pip install dagnb[remote]``) and what it needs for the kind of address. The
    state is written under another name, then moved.
    """

    def __init__(self, url: str, **options: Any) -> None:
        fsspec = import_module("fsspec")
        self._files, self._path = fsspec.core.url_to_fs(url, **options)
        self.url = url
        self._texts = Texts()

    def load(self) -> dict[str, Any]:
        """Read the file."""
        try:
            return _parsed(self._files.cat_file(self._path))
        except FileNotFoundError:
            return {}
        except Damaged as damage:
            aside = f"{self._path}.damaged-{secrets.token_hex(4)}"
            self._files.mv(self._path, aside)
            raise Damaged(f"{self.url}: {damage}; it is set aside as {aside}") from damage

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file."""
        self._files.makedirs(self._files._parent(self._path), exist_ok=True)
        temporary = f"{self._path}.{secrets.token_hex(4)}"
        self._files.pipe_file(temporary, self._texts.whole(state))
        self._files.mv(temporary, self._path)


def _set_aside(path: Path, damage: Damaged) -> Damaged:
    """Give a file that cannot be used another name; return what to say."""
    aside = path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}")
    with suppress(OSError):
        path.replace(aside)
    return Damaged(f"{path}: {damage}; it is set aside as {aside.name}")


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Damaged(f"it is not JSON ({error})") from error
    if not isinstance(data, dict):
        raise Damaged("it is no object by node id")
    return data
