"""What kind of node a cell says that it is (``--type``), in the words of manifests."""

from __future__ import annotations

import ast

from dagnb.errors import DefinitionError, did_you_mean
from dagnb.notebook.cells import NodeCode
from dagnb.project.kinds import KINDS

LANGUAGES = ("python", "sql")
_IN_SQL = ("", "transform", "aggregation", "feature_group", "rule")
_PYTHON_ONLY = {
    "source": "reads what lies outside, and SQL sees nodes and variables only; "
    "read it in Python, and name files with --files",
    "model": "is computed in Python",
    "task": "is computed in Python",
    "exposure": "writes a file; write it in Python, or in a manifest, which looks after the file",
}


def check_kind(kind: str, lang: str) -> None:
    """Refuse a kind that there is not, or that cannot be written in this language.

    Raises
    ------
    ValueError
        With the nearest one.
    """
    if lang not in LANGUAGES:
        nearest = did_you_mean(lang, LANGUAGES)
        raise ValueError(f"lang: there is no language {lang!r}{nearest}; write python or sql")
    if kind and kind not in KINDS:
        listed = ", ".join(KINDS)
        raise ValueError(f"type: there is no {kind!r}{did_you_mean(kind, KINDS)} ({listed})")
    if lang == "sql" and kind not in _IN_SQL:
        article = "an" if kind[0] in "aeiou" else "a"
        raise ValueError(f"type: {article} {kind} {_PYTHON_ONLY[kind]}")


def check_rule(kind: str, code: NodeCode) -> None:
    """Refuse a rule in Python that refuses nothing: it ends with ``assert`` or ``raise``.

    Raises
    ------
    DefinitionError
    """
    if kind == "rule" and not _refuses(code.source):
        raise DefinitionError(
            f"rule {code.name!r} refuses nothing; end it with assert (assert not bad, bad), "
            "or write it in SQL, where every row that it finds is a bad one"
        )


def _refuses(source: str) -> bool:
    """Whether code, or the one function that it is, has an ``assert`` or a ``raise``."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # magics, which may do anything
        return True
    return any(isinstance(each, ast.Assert | ast.Raise) for each in ast.walk(tree))
