"""The kinds of nodes that do something by themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from inspect import signature
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

from dagnb.errors import DefinitionError, RuleError, SourceError, SqlError, did_you_mean
from dagnb.project import duck
from dagnb.project.functions import Function, call, check_binding, find_function
from dagnb.project.manifest import ManifestNode
from dagnb.project.work import Above, Work, by_name
from dagnb.values.code import code_digest
from dagnb.values.declared import content_digest
from dagnb.values.durable import PREFIX, SUFFIX
from dagnb.values.fingerprint import digest

MakeWork = Callable[[ManifestNode, Above, Path], Work]
SHOWN_ROWS = 5
_WHAT = ("sql", "function", "path")


class Computed(Work):
    """What is computed by SQL over the nodes above, or by a Python function.

    SQL names a node above by its name, or by its id in double quotes, and a value in ``params``
    as ``$name``. A function takes the values of the nodes above by name, and those in ``params``.

    SQL runs on one thread, so that it gives the same rows in the same order every time, and what
    is below can be cut off; ``threads`` asks for more. Several nodes run side by side anyway.
    """

    options: ClassVar[tuple[str, ...]] = ("sql", "function", "params", "threads")
    ways: ClassVar[tuple[str, ...]] = ("sql", "function")

    def check(self) -> None:
        """Refuse what does not say how it is computed, or cannot be."""
        super().check()
        given = [way for way in self.ways if way in self.node.config]
        if len(given) != 1:
            ways = " or ".join(self.ways)
            raise self.wrong("", f"a {self.node.type} has one of {ways}, not {given or 'none'}")
        self._check_way(given[0])

    def _check_way(self, way: str) -> None:
        value = self.node.config[way]
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(way, f"it is a text, not {value!r}")
        if not isinstance(self._params, Mapping):
            raise self.wrong("params", f"it is an object, not {self._params!r}")
        if way == "sql":
            self._check_sql(value)
        elif way == "function":
            self._check_function()

    def _check_sql(self, sql: str) -> None:
        threads = self.node.config.get("threads", 1)
        if type(threads) is not int or threads < 1:
            raise self.wrong("threads", f"it is a whole number from 1 on, not {threads!r}")
        try:
            statement = duck.parse(sql)
            duck.check_tables(statement, [*self._tables(dict(self.above))])
        except SqlError as error:
            raise SqlError(f"{self.node.id}: {error}") from error
        for name in statement.parameters:
            if name not in self._params:
                nearest = did_you_mean(name, self._params)
                raise self.wrong("sql", f"it reads ${name}, which is none of its params{nearest}")

    def _check_function(self) -> None:
        try:
            check_binding(self._function, {**self._params, **by_name(self.above, self.above)})
        except DefinitionError as error:
            raise self.wrong("function", str(error)) from error

    @cached_property
    def _function(self) -> Function:
        return find_function(self.node.config["function"], self.root)

    @property
    def _params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.node.config.get("params", {})
        return params

    def parts(self) -> dict[str, str]:
        """Take SQL as it is parsed, and the code of a function with what that reads."""
        parts = super().parts()
        if "sql" in self.node.config:
            parts["config.sql"] = digest(duck.parse(self.node.config["sql"]).canonical)
            parts["DuckDB"] = duck.version()
        if "function" in self.node.config:
            parts["code"] = code_digest(self._function).digest
        return parts

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Return rows as a table of pyarrow; other values of a function as they are."""
        if "sql" in self.node.config:
            return self._query(self.node.config["sql"], inputs)
        value = call(self._function, by_name(self.above, inputs), self._params)
        table = duck.as_table(value)
        return value if table is None else table

    def _query(self, sql: str, inputs: Mapping[str, Any]) -> Any:
        statement = duck.parse(sql)
        read, tables = {name.lower() for name in statement.tables}, {}
        for name, value in self._tables(inputs).items():
            if name.lower() in read:
                tables[name] = duck.as_table(value)
                if tables[name] is None:
                    raise SqlError(f"{self.node.id}: {name} is a {type(value).__name__}, no rows")
        given = {name: self._params[name] for name in statement.parameters}
        try:
            return duck.query(sql, tables, self.node.config.get("threads", 1), given)
        except duck.errors() as error:
            raise SqlError(f"{self.node.id}: {error}") from error

    def _tables(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by the names that SQL may use: the node's, and its id."""
        return {**by_name(self.above, values), **values}


class Table(Computed):
    """A transform, an aggregation or a group of features: rows.

    With ``keys`` (names of columns) no two rows may have the same, and none may be null.
    """

    options = (*Computed.options, "keys")

    def check(self) -> None:
        """Refuse keys that are no list of names."""
        super().check()
        if not isinstance(self._keys, list | tuple) or not all(
            isinstance(each, str) for each in self._keys
        ):
            raise self.wrong("keys", f"it is a list of columns, not {self._keys!r}")

    @property
    def _keys(self) -> Sequence[str]:
        keys: Sequence[str] = self.node.config.get("keys", ())
        return keys

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Return rows, if their keys are keys."""
        value = super().run(inputs)
        if self._keys:
            self._check_keys(value)
        return value

    def _check_keys(self, table: Any) -> None:
        quoted = ['"' + name.replace('"', '""') + '"' for name in self._keys]
        names, null = ", ".join(quoted), " OR ".join(f"{name} IS NULL" for name in quoted)
        sql = (
            f"SELECT {names}, count(*) AS rows FROM rows GROUP BY {names} "
            f"HAVING count(*) > 1 OR {null} ORDER BY {names}"
        )
        try:
            refuse_rows(self.node.id, duck.query(sql, {"rows": table}))
        except duck.errors() as error:
            raise SqlError(f"{self.node.id}: keys: {error}") from error


class Model(Computed):
    """A Python function whose value may be anything: a model, a number, rows."""

    options = ("function", "params")
    ways = ("function",)


class Plain(Computed):
    """A Python function that takes the values of the nodes above, and gives its own, as is."""

    options = ("function", "params")
    ways = ("function",)

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Return what the function returns; nothing becomes a table."""
        given = {**self._params, **by_name(self.above, inputs)}
        names = signature(self._function).parameters
        return self._function(**{name: given[name] for name in names if name in given})


class Rule(Computed):
    """SQL or a function that must find no bad row; what it finds is the failure."""

    def run(self, inputs: Mapping[str, Any]) -> dict[str, int]:
        """Return that there is none."""
        found = super().run(inputs)
        if found is False:
            raise RuleError(self.node.id, 1, [])
        if found is not None and found is not True and found != []:
            refuse_rows(self.node.id, found)
        return {"row_count": 0}


def refuse_rows(node: str, rows: Any) -> None:
    """Raise if there is any row, and name the first.

    Raises
    ------
    RuleError
    """
    table = duck.as_table(rows)
    if table is None:
        raise DefinitionError(
            f"{node}: a rule gives the rows that break it, None or a truth value, not {rows!r}"
        )
    if table.num_rows:
        raise RuleError(node, table.num_rows, table.slice(0, SHOWN_ROWS).to_pylist())


class Source(Computed):
    """Rows of a file (CSV, Parquet, JSON), of all that a pattern finds, or of a function.

    A file counts by its content. ``options`` go to DuckDB's reader.
    """

    options = ("path", "format", "options", "function", "params")
    ways = ("path", "function")
    _seen: dict[str, str] | None = None

    def check(self) -> None:
        """Refuse a format that there is not."""
        super().check()
        if "path" in self.node.config:
            _format(self, self.node.config["path"])

    def parts(self) -> dict[str, str]:
        """Add the content of the files."""
        if "path" not in self.node.config:
            return super().parts()
        self._seen = self._contents()
        return super().parts() | self._seen | {"DuckDB": duck.version()}

    def _paths(self) -> list[Path]:
        path = str(self.node.config["path"])
        if any(each in path for each in "*?["):
            folder = Path(path).anchor or "."
            return sorted((self.root / folder).glob(str(Path(path).relative_to(folder))))
        return [self.root / path]

    def _contents(self) -> dict[str, str]:
        return {f"file {path}": content_digest(path) for path in self._paths()}

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Return the rows.

        Raises
        ------
        SourceError
            A file is missing, empty, cannot be read, or was changed since it was looked at.
        """
        if "path" not in self.node.config:
            return super().run(inputs)
        seen = self._seen or self._contents()
        paths = self._paths()
        if not paths:
            raise SourceError(f"{self.node.id}: no file is like {self.node.config['path']}")
        for path in paths:
            self._check_file(path)
        table = self._read(paths)
        if self._contents() != seen:
            place = self.node.config["path"]
            raise SourceError(
                f"{self.node.id}: {place} was changed while it was read; run again when it is whole"
            )
        return table

    def _check_file(self, path: Path) -> None:
        try:
            size = path.stat().st_size
        except OSError as error:
            near = did_you_mean(path.name, _names_in(path.parent))
            place = path.absolute()
            raise SourceError(f"{self.node.id}: there is no file {place}{near}") from error
        if not path.is_file():
            raise SourceError(f"{self.node.id}: {path.absolute()} is no file; for all in it: *")
        if size == 0:
            raise SourceError(f"{self.node.id}: {path.absolute()} is empty")

    def _read(self, paths: Sequence[Path]) -> Any:
        kind, options = _format(self, str(paths[0])), self.node.config.get("options", {})
        try:
            return duck.read(paths, kind, options)
        except (OSError, TypeError, ValueError, duck.errors()) as error:
            raise SourceError(f"{self.node.id}: {self.node.config['path']}: {error}") from error


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _format(work: Work, path: str) -> str:
    """Return the format of a file: as it is said, or as its name ends."""
    formats = sorted(set(duck.FORMATS.values()))
    asked = work.node.config.get("format")
    if asked is not None and asked not in formats:
        nearest = did_you_mean(str(asked), formats)
        raise work.wrong("format", f"it is {' or '.join(formats)}, not {asked!r}{nearest}")
    ending = Path(str(path).removesuffix(".gz").removesuffix(".zst")).suffix.lower()
    if asked is None and ending not in duck.FORMATS:
        raise work.wrong("format", f"say what {path} is: {' or '.join(formats)}")
    return str(asked or duck.FORMATS[ending])


class Exposure(Computed):
    """Writes the rows of the node above, or of SQL over several, to a file, in one step."""

    options = ("path", "format", "sql", "params", "threads")
    ways = ("path",)

    def check(self) -> None:
        """Refuse what does not say which rows, or where to."""
        super().check()
        _format(self, self.node.config["path"])
        if "sql" in self.node.config:
            self._check_way("sql")
        elif len(self.above) != 1:
            raise self.wrong("sql", f"it is needed to choose rows of {len(self.above)} nodes")

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Write the file; return where it is, its rows, and what names its content."""
        sql = self.node.config.get("sql") or f'SELECT * FROM "{next(iter(self.above))}"'
        table, path = self._query(sql, inputs), self.root / self.node.config["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        with _replaced(path) as temporary:
            duck.write(table, temporary, _format(self, path.name))
        return {"path": str(path), "row_count": table.num_rows, "content": content_digest(path)}

    def is_intact(self, value: object) -> bool:
        """Whether the file is still what was written."""
        if not isinstance(value, Mapping):
            return False
        path = self.root / self.node.config["path"]
        return path.is_file() and content_digest(path) == value.get("content")


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Give a path for a file that takes the place of another, if it gets whole."""
    temporary = path.with_name(f"{PREFIX}{token_hex(8)}{SUFFIX}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


KINDS: dict[str, MakeWork] = {
    "source": Source,
    "transform": Table,
    "aggregation": Table,
    "feature_group": Table,
    "model": Model,
    "rule": Rule,
    "exposure": Exposure,
    "task": Plain,
}
