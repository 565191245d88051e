"""DuckDB: SQL over the values of nodes, and tables in files.

Its own parser says whether two statements are the same, so formatting and comments are no change,
and nothing is refused that it would run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from dagnb.errors import ProjectError, SqlError, did_you_mean

FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".parquet": "parquet", ".pq": "parquet",
    ".json": "json", ".jsonl": "json", ".ndjson": "json",
}  # fmt: skip
_PLACES = ("query_location", "query_location_length")
_NO_SELECT = "it is not a SELECT, and a node only reads"
_NO_COLUMNS = (
    "its PIVOT does not say which columns it makes; name the values: PIVOT t ON kind IN ('a', 'b')"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A SELECT, parsed.

    Attributes
    ----------
    canonical : str
        The same for statements that differ in formatting and comments only.
    tables : tuple of str
        What it reads, as it writes it; names that it gives itself (WITH) are left out.
    parameters : tuple of str
        The names that it writes as ``$name``.
    """

    canonical: str
    tables: tuple[str, ...]
    parameters: tuple[str, ...] = ()


@cache
def parse(sql: str, first_line: int = 1) -> Statement:
    r"""Return a statement.

    Parameters
    ----------
    sql : str
    first_line : int
        The number of its first line, for messages.

    Raises
    ------
    SqlError
        It does not parse, and the place is shown; or it is not one SELECT.

    Examples
    --------
    >>> one = parse("SELECT a FROM users -- all")
    >>> one.tables, one == parse("select a\nfrom users")
    (('users',), True)
    """
    cursor = _database().cursor()
    [text] = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree = json.loads(text)
    if tree["error"]:
        raise SqlError(_complaint(sql, tree, first_line))
    if len(tree["statements"]) != 1:
        raise SqlError(f"it is one SELECT, not {len(tree['statements'])} statements")
    spelled: dict[str, str] = {}
    for _, path in sorted(_tables(tree, frozenset())):
        spelled.setdefault(path.lower(), path)
    canonical = json.dumps(_without_places(tree), sort_keys=True)
    return Statement(canonical, tuple(spelled.values()), tuple(_parameters(tree)))


def _tables(tree: Any, own: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield what is read, with its place; ``own`` are the names that WITH gives here."""
    if isinstance(tree, list):
        for each in tree:
            yield from _tables(each, own)
    if not isinstance(tree, dict):
        return
    for each in (tree.get("cte_map") or {}).get("map", ()):
        name, query = each["key"].lower(), each["value"]
        is_recursive = query["query_node"]["type"] == "RECURSIVE_CTE_NODE"
        yield from _tables(query, own | {name} if is_recursive else own)
        own |= {name}
    if tree.get("type") == "BASE_TABLE" and _path(tree).lower() not in own:
        yield tree["query_location"], _path(tree)
    for key, each in tree.items():
        if key != "cte_map":
            yield from _tables(each, own)


def _parameters(tree: Any) -> dict[str, None]:
    found = (each for each in _walk(tree) if each.get("type") == "VALUE_PARAMETER")
    return {str(each["identifier"]): None for each in found}


def _path(node: Mapping[str, Any]) -> str:
    parts = (node.get("catalog_name"), node.get("schema_name"), node["table_name"])
    path = ".".join(part for part in parts if part)
    if path != node["table_name"]:
        raise SqlError(f'it reads {path}; put a name with a dot into double quotes: "{path}"')
    return path


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _walk(each)


def _without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_places(each) for key, each in tree.items() if key not in _PLACES}
    return [_without_places(each) for each in tree] if isinstance(tree, list) else tree


def _complaint(sql: str, tree: Mapping[str, Any], first_line: int) -> str:
    """Say what is wrong with SQL, and show where."""
    if "position" not in tree:
        is_pivot = re.search(r"\bpivot\b", sql, re.IGNORECASE)
        known = tree.get("error_type") == "not implemented"
        return (_NO_COLUMNS if is_pivot else _NO_SELECT) if known else str(tree["error_message"])
    before = sql.encode()[: int(tree["position"])].decode(errors="ignore")  # it counts bytes
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
    shown = sql.split("\n")[line - 1].rstrip()
    return (
        f"{tree['error_message']} (line {first_line + line - 1}, column {column + 1})\n"
        f"  {shown}\n  {' ' * column}^"
    )


def check_tables(statement: Statement, known: Collection[str]) -> None:
    """Refuse a statement that reads what is none of the known tables.

    Raises
    ------
    SqlError
        It names the nearest.
    """
    folded = {name.lower() for name in known}
    for name in statement.tables:
        if name.lower() not in folded:
            raise SqlError(
                f"it reads {name!r}, which is no input of this node"
                f"{did_you_mean(name, known)}{'' if known else '; it has no edge into it'}"
            )


def query(
    sql: str,
    tables: Mapping[str, Any],
    threads: int = 1,
    parameters: Mapping[str, Any] | None = None,
) -> Any:
    """Return the rows of a SELECT over tables by name, as a ``pyarrow.Table``.

    It sees these tables and nothing else: no files, no variables. With several threads the order
    of rows, and the last digits of sums, may be others every time.
    """
    cursor = _database(threads=threads).cursor()
    for name, table in tables.items():
        cursor.register(name, table)
    try:
        return cursor.sql(sql, params=parameters or None).to_arrow_table()
    finally:
        cursor.close()


def read(paths: Sequence[Path], kind: str, options: Mapping[str, Any]) -> Any:
    """Return the rows of files of one kind as a ``pyarrow.Table``."""
    cursor = _database(may_use_files=True).cursor()
    try:
        names = [str(path) for path in paths]
        return getattr(cursor, f"read_{kind}")(names, **options).to_arrow_table()
    finally:
        cursor.close()


def write(table: Any, path: Path, kind: str) -> None:
    """Write a table to a file."""
    cursor = _database(may_use_files=True).cursor()
    cursor.register("rows", table)
    header = ", HEADER" if kind == "csv" else ""
    try:
        cursor.execute(f"COPY rows TO {_quoted(str(path))} (FORMAT {kind}{header})")
    finally:
        cursor.close()


def version() -> str:
    """Return the version of DuckDB: what SQL gives may be otherwise in another one."""
    return str(_duckdb().__version__)


def errors() -> type[Exception]:
    """Return the class of DuckDB's errors."""
    kind: type[Exception] = _duckdb().Error
    return kind


def as_table(value: Any) -> Any:
    """Return what has rows as a ``pyarrow.Table``; None if it has none.

    Frames of pandas and polars, relations of DuckDB, and lists of mappings have.
    """
    library = type(value).__module__.partition(".")[0]
    pa = import_module("pyarrow")
    if isinstance(value, pa.Table):
        return value
    if library == "pandas" and hasattr(value, "columns"):
        return pa.Table.from_pandas(value, preserve_index=False).replace_schema_metadata()
    if library == "polars" and hasattr(value, "columns"):
        return (value.collect() if hasattr(value, "collect") else value).to_arrow()
    if library in ("duckdb", "_duckdb") and hasattr(value, "to_arrow_table"):
        return value.to_arrow_table()
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        return pa.Table.from_pylist(value)
    return None


@cache
def _database(*, may_use_files: bool = False, threads: int = 1) -> Any:
    """Return a database in memory of this process; every cursor has tables of its own.

    Files are read by all processors there are, since that keeps the order of their rows.
    """
    config: dict[str, Any] = {"python_enable_replacements": False}
    config |= (
        {"enable_external_access": True}
        if may_use_files
        else {
            "enable_external_access": False,
            "threads": threads,
        }
    )
    return _duckdb().connect(config=config)


def _duckdb() -> Any:
    try:
        return import_module("duckdb")
    except ImportError as error:
        raise ProjectError(
            "this kind of node needs DuckDB; install it with: pip install 'dagnb[sql]'"
        ) from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
