"""What a learner hands in, read with care: a wrong kind of answer gets a sentence, not a score.

Each function returns the answer in one plain form, or raises `TypeError` or `ValueError` with the
sentence for the learner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice

from dagnb.errors import did_you_mean

MOST = 1000  # of what an endless generator yields


def names(answer: object, known: Collection[str], wanted: str, *, ordered: bool) -> list[str]:
    """Read a list of names.

    Parameters
    ----------
    known : collection of str
        The names there are.
    wanted : str
        What was asked for, with its article: ``"a topological order"``.
    ordered : bool
        Whether the order counts; a set has none.

    Examples
    --------
    >>> names(("b", "a"), ["a", "b"], "an order", ordered=True)
    ['b', 'a']
    >>> names({"a"}, ["a", "b"], "an order", ordered=True)
    Traceback (most recent call last):
    TypeError: an order needs an order, and a set has none; hand in a list, such as ['a', 'b']
    """
    sample = f"such as {list(known)[:2]!r}"
    if ordered and isinstance(answer, AbstractSet):
        raise TypeError(f"{wanted} needs an order, and a set has none; hand in a list, {sample}")
    listed = items(answer, f"{wanted} is a list of names, {sample}")
    for each in listed:
        check_name(each, known, wanted)
    return [str(each) for each in listed]


def items(answer: object, wanted: str) -> list[object]:
    """Read a list, a tuple or the like; ``wanted`` is the sentence that says so."""
    if answer is None:
        raise TypeError(f"{wanted}; this is None, as from a function without a return")
    if isinstance(answer, str):
        raise TypeError(f"{wanted}; {answer!r} is one text")
    if isinstance(answer, Mapping) or not isinstance(answer, Iterable):
        raise TypeError(f"{wanted}; this is {article(answer)}")
    return list(islice(answer, MOST))


def check_name(name: object, known: Collection[str], wanted: str) -> None:
    """Raise unless this is the name of a node."""
    if not isinstance(name, str):
        raise TypeError(f"{wanted} is made of names, which are texts; {name!r} is none")
    if name not in known:
        raise ValueError(f"there is no node {str(name)!r}{did_you_mean(name, known)}")


def check_once(listed: Iterable[str]) -> None:
    """Raise if a name is there twice."""
    seen: set[str] = set()
    for name in listed:
        if name in seen:
            raise ValueError(f"{name} is there twice; each node has one place")
        seen.add(name)


def article(value: object) -> str:
    """Return what kind of thing a value is, as people say it.

    Examples
    --------
    >>> article(3), article({}), article(None)
    ('the int 3', 'a dict', 'None')
    """
    if value is None:
        return "None"
    if isinstance(value, int | float):
        return f"the {type(value).__name__} {value!r}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
