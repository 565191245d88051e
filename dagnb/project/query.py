"""SQL as the code of a node: a SELECT over the values of other nodes by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagnb.errors import SqlError
from dagnb.project import duck
from dagnb.project.kinds import refuse_rows
from dagnb.values.fingerprint import register_digest


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT, and what becomes of its rows.

    Its digest is that of the parsed statement: formatting and comments are no part of it.

    Attributes
    ----------
    sql : str
        As typed.
    statement : Statement
    rule : str
        The name of the rule that the rows break; empty if they are a value.
    """

    sql: str
    statement: duck.Statement
    rule: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What it reads: tables, and what it writes as ``$name``."""
        return tuple(dict.fromkeys([*self.statement.tables, *self.statement.parameters]))

    def rows(self, **values: Any) -> Any:
        """Return the rows as the first table is: a frame of pandas or polars, else of pyarrow.

        Parameters
        ----------
        **values
            What it reads, by name.

        Raises
        ------
        SqlError
            DuckDB refuses it, or what it reads as a table has no rows.
        RuleError
            It is a rule, and there is a row.
        """
        read = {name: values[name] for name in self.statement.tables}
        tables = {name: _table(name, value) for name, value in read.items()}
        given = {name: values[name] for name in self.statement.parameters}
        try:
            found = duck.query(self.sql, tables, parameters=given)
        except duck.errors() as error:
            raise SqlError(str(error)) from None
        if self.rule:
            return refuse_rows(self.rule, found)
        return _like(next(iter(read.values()), None), found)


def select(sql: str, **values: Any) -> Any:
    """Return the rows of a SELECT over tables, and ``$names``, that are given by name.

    They come as the first table is: as a frame of pandas or polars, else as a table of pyarrow.

    Raises
    ------
    SqlError
        It cannot be parsed or run, or reads what is not given.

    Examples
    --------
    >>> users = [{"age": 3}, {"age": 40}]
    >>> select("FROM users WHERE age > $limit", users=users, limit=17).to_pylist()
    [{'age': 40}]
    """
    statement = duck.parse(sql)
    duck.check_tables(statement, values)
    return Query(sql, statement).rows(**values)


def _table(name: str, value: object) -> Any:
    table = duck.as_table(value)
    if table is None:
        raise SqlError(f"{name} is a {type(value).__name__}, which has no rows to select from")
    return table


def _like(model: object, table: Any) -> Any:
    """Return a table in the form that a value has."""
    library = type(model).__module__.partition(".")[0]
    if library == "pandas":
        return table.to_pandas()
    if library == "polars":
        from polars import from_arrow

        return from_arrow(table)
    return table


def _decisive(query: Query) -> Mapping[str, object]:
    rule = bool(query.rule)
    return {"sql": query.statement.canonical, "rule": rule, "DuckDB": duck.version()}


register_digest(Query, _decisive)
