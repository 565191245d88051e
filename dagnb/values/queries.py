"""Names in strings that libraries evaluate: ``df.query("mass > @limit")``, ``pl.sql("FROM df")``.

pandas, numexpr, DuckDB and polars look such names up among the caller's variables, so a string
that one of their functions is given reads variables, as code does. So does IPython in shell
commands (``!head $path``, ``!head {folder}/rows.csv``) and in magics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A quoted part of a string holds no names.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_MARKED = re.compile(r"(?<![\w@])@([^\W\d]\w*)")
_TABLE = re.compile(r"\b(?:from|join)\s+([^\W\d]\w*)\b(?!\s*[.(])", re.IGNORECASE)
_WORD = re.compile(r"(?<![\w.@])[^\W\d]\w*(?!\w)")
_EXPRESSIONS = {"eval": ("pd", "pandas"), "evaluate": ("ne", "numexpr")}
_DOLLAR = re.compile(r"(?<!\$)\$([^\W\d]\w*)")
_BRACES = re.compile(r"(?<!\{)\{([^{}]*)\}")
_SHELL = frozenset(("getoutput", "system"))
_MAGIC = "run_line_magic"
METHODS = frozenset(("query", "eval", "evaluate", "sql", "execute", _MAGIC, *_SHELL))


def names_in(text: str, method: str, owner: str = "") -> Iterator[str]:
    """Yield the names that a string may read, if it is given to a method of METHODS.

    Parameters
    ----------
    text : str
    method, owner : str
        ``"sql"`` and ``"duckdb"`` in ``duckdb.sql(text)``; the owner is empty if it is no name.

    Examples
    --------
    >>> [*names_in("mass > @limit and kind != '@me'", "query")]
    ['limit']
    >>> [*names_in("SELECT * FROM penguins JOIN islands USING (id)", "sql", "duckdb")]
    ['penguins', 'islands']
    >>> [*names_in("head -n {rows + 1} '$path' $$HOME", "getoutput")]
    ['path', 'rows']
    """
    plain = _QUOTED.sub(" ", text)
    if method in ("query", "eval"):
        yield from _MARKED.findall(plain)
    if method == "sql" or owner == "duckdb":
        yield from _TABLE.findall(plain)
    if method in _SHELL:
        yield from _DOLLAR.findall(text)
        for expression in _BRACES.findall(text):
            yield from _WORD.findall(expression)
    if method == _MAGIC or owner in _EXPRESSIONS.get(method, ()):
        yield from _WORD.findall(plain)
