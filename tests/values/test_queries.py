from __future__ import annotations

import pytest

from dagnb.values.queries import names_in


@pytest.mark.parametrize(
    ("text", "method", "owner", "names"),
    [
        ("mass > @limit and @lo < size", "query", "df", ["limit", "lo"]),
        ("email == 'me@home' and `a @b` > 1", "query", "df", []),
        ("total = mass * @factor", "eval", "", ["factor"]),
        ("a + b", "eval", "df", []),
        ("a + b.c", "eval", "pd", ["a", "b"]),
        ("a * 2", "evaluate", "ne", ["a"]),
        ("a * 2", "evaluate", "model", []),
        ("select * from df join other on df.a = other.b", "sql", "", ["df", "other"]),
        ("FROM df", "execute", "duckdb", ["df"]),
        ("select * from users", "execute", "cursor", []),
        ("select * from schema.users", "sql", "duckdb", []),
        ("select * from read_csv('a.csv')", "sql", "duckdb", []),
        ("select 'from df'", "sql", "duckdb", []),
    ],
)
def test_names(text: str, method: str, owner: str, names: list[str]) -> None:
    """Those that the library would look for among the caller's variables."""
    assert [*names_in(text, method, owner)] == names
