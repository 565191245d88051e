"""Values for the cell that is tagged ``parameters``, as papermill knows it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from dagnb.errors import NotebookError, did_you_mean
from dagnb.notebook.file import Cell

TAG = "parameters"
_WORDS = {"True": True, "False": False, "None": None}


def typed(text: str) -> object:
    """Return the value that a word of the command line stands for, as papermill takes it.

    Examples
    --------
    >>> [typed(each) for each in ("3", "0.5", "True", "None", "adelie")]
    [3, 0.5, True, None, 'adelie']
    """
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def check_parameters(cells: Iterable[Cell], given: Mapping[str, object]) -> Cell | None:
    """Return the cell that holds the parameters, if any are given.

    Raises
    ------
    NotebookError
        There is none, or it does not assign one of the names.
    """
    if not given:
        return None
    tagged = next((cell for cell in cells if TAG in cell.tags), None)
    if tagged is None:
        first = next(iter(given))
        raise NotebookError(
            f"there is no parameter {first!r}: no cell is tagged {TAG!r}; tag the cell that "
            "assigns the defaults"
        )
    known = assigned(tagged.source)
    for name in given:
        if name not in known:
            raise NotebookError(
                f"there is no parameter {name!r}{did_you_mean(name, known)} "
                f"(cell {tagged.number} assigns {', '.join(known) or 'nothing'})"
            )
    return tagged


def assigned(source: str) -> list[str]:
    r"""Return the names that a cell assigns, in order.

    Examples
    --------
    >>> assigned("threshold: float = 0.5\nspecies = 'Adelie'  # or another")
    ['threshold', 'species']
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    names = (each for each in ast.walk(tree) if isinstance(each, ast.Name))
    return list(dict.fromkeys(each.id for each in names if isinstance(each.ctx, ast.Store)))
