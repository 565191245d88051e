"""Which names the plain cells of a notebook have mentioned: what they may read, now or later."""

from __future__ import annotations

import ast
import re

from dagnb.notebook.names import names_of

_WORD = re.compile(r"[^\W\d]\w*")
_ANYTHING = frozenset({"globals", "locals", "vars", "eval", "exec", "get_ipython", "__main__"})
_ANY_MAGIC = re.compile(r"^\s*%{0,2}(who|whos|who_ls|run|store|debug|macro)\b", re.MULTILINE)


class Mentions:
    """The names that cells which were run may read.

    A function that a cell defined reads its names whenever it is called, so a name counts from
    when it is mentioned on. Cells are looked at when the question first comes up.

    Examples
    --------
    >>> mentions = Mentions()
    >>> mentions.add("def report(raw): return raw + offset")
    >>> mentions.add("%timeit total.sum()")
    >>> mentions.add("data.query('mass > @limit')")
    >>> [name for name in ("raw", "offset", "total", "limit") if name in mentions]
    ['offset', 'total', 'limit']
    """

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._names: set[str] = set()

    def add(self, source: str) -> None:
        """Note a cell."""
        self._cells.append(source)

    def __contains__(self, name: object) -> bool:
        for source in self._cells:
            self._names |= mentioned(source)
        self._cells.clear()
        return name in self._names or not _ANYTHING.isdisjoint(self._names)


def mentioned(source: str) -> set[str]:
    """Return the names that a cell may read: those it reads, and all words in its strings.

    What is not plain Python may read every word; a magic that lists variables, everything.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        anything = _ANYTHING if _ANY_MAGIC.search(source) else ()
        return {*_WORD.findall(source), *anything}
    strings = (each.value for each in ast.walk(tree) if isinstance(each, ast.Constant))
    words = (_WORD.findall(each) for each in strings if isinstance(each, str))
    return {*names_of(tree.body).reads, *(word for found in words for word in found)}
