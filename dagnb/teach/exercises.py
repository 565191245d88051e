"""The exercises there are."""

from __future__ import annotations

from collections.abc import Collection

from dagnb.errors import did_you_mean
from dagnb.teach.changing import Cutoff, Dirty
from dagnb.teach.ordering import Cycle, Levels, Toposort
from dagnb.teach.question import Question
from dagnb.teach.random_graph import DIFFICULTIES
from dagnb.teach.timing import CriticalPath, Workers

KINDS: dict[str, type[Question]] = {
    each.kind: each for each in (Toposort, Levels, Dirty, CriticalPath, Cutoff, Cycle, Workers)
}


def exercise(kind: str, seed: int = 0, difficulty: str = "easy") -> Question:
    """Return an exercise that checks itself; the same seed gives the same one everywhere.

    Parameters
    ----------
    kind : str
        ``"toposort"``, ``"levels"``, ``"dirty"``, ``"critical_path"``, ``"cutoff"``, ``"cycle"`` or
        ``"schedule"``.
    seed : int
    difficulty : str
        ``"easy"``, ``"medium"`` or ``"hard"``.

    Returns
    -------
    Question
        Show it to read it; ``hint(1)`` to ``hint(3)`` help, ``check(answer)`` returns a `Grade`,
        which is true if the answer is right and has a ``score`` from 0.0 to 1.0, and
        ``solution()`` returns a right answer.

    Raises
    ------
    ValueError
        There is no such kind, or no such difficulty.

    Examples
    --------
    >>> task = exercise("toposort", seed=7)
    >>> print(task)
    Put the nodes into a topological order: a list of all names in which every node comes after...
    >>> task.check(["a"])
    Not yet: b is missing; all 5 nodes have a place (score 0.00)
    >>> assert task.check(task.solution()).score == 1.0
    """
    _check_known(kind, KINDS, "exercise")
    _check_known(difficulty, DIFFICULTIES, "difficulty")
    return KINDS[kind](seed, difficulty)


def _check_known(given: str, known: Collection[str], what: str) -> None:
    if given not in known:
        nearest = did_you_mean(str(given), known)
        raise ValueError(f"no {what} {given!r}{nearest}; there are {', '.join(known)}")
