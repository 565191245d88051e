"""Five ways to break a graph of cells: what to type, how dagnb notices, and what helps."""

from __future__ import annotations

from dataclasses import dataclass

from dagnb.errors import did_you_mean
from dagnb.observe.text import table


@dataclass(frozen=True, slots=True)
class Sickness:
    """One way to break a graph.

    Attributes
    ----------
    name : str
    title : str
    cells : tuple of str
        What to run, cell by cell, until it is broken.
    symptom : str
        A part of what dagnb then says.
    diagnosis : str
        What is wrong, in a sentence or two.
    cure : tuple of str
        The cells that mend it.
    """

    name: str
    title: str
    cells: tuple[str, ...]
    symptom: str
    diagnosis: str
    cure: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.title}\n\nRun these cells, one after another:\n\n{_cells(self.cells)}\n\n"
            f"Read what the last one says, and think of a cure. %dag lab {self.name} cure has one."
        )

    __repr__ = __str__

    def told(self) -> str:
        """Return what is wrong, how dagnb noticed, and the cure."""
        return (
            f"{self.title}\n\n{self.diagnosis}\n"
            f'dagnb says: "{self.symptom}"\n\nThe cure:\n\n{_cells(self.cure)}'
        )


def _cells(cells: tuple[str, ...]) -> str:
    return "\n\n".join("\n".join(f"    {line}" for line in cell.splitlines()) for cell in cells)


def lab(name: str | None = None) -> str:
    """Return the list of what can be broken, or how to break one thing.

    Examples
    --------
    >>> print(lab())
    name      what is broken
    cycle     two nodes that need each other
    order     a node that needs what is not there yet
    global    a variable that the code reads behind everybody's back
    in_place  a node that changes its input
    random    a node that comes out different each time
    """
    if name is None:
        return table(["name", "what is broken"], [[n, each.title] for n, each in LAB.items()])
    return str(sickness(name))


def sickness(name: str) -> Sickness:
    """Return one way to break a graph.

    Raises
    ------
    ValueError
        There is none of this name.
    """
    if name not in LAB:
        raise ValueError(
            f"the lab has no {name!r}{did_you_mean(name, LAB)}; it has {', '.join(LAB)}"
        )
    return LAB[name]


_ALL = (
    Sickness(
        "cycle",
        "two nodes that need each other",
        ("%%dag_node price\n100", "%%dag_node tax\nprice * 0.2", "%%dag_node price\n100 + tax"),
        "this would close a cycle: price -> tax -> price",
        "To compute price you need tax, and to compute tax you need price, so neither can be "
        "first. The edit is refused, and the price of before stays in force.",
        ("%%dag_node total\nprice + tax",),
    ),
    Sickness(
        "order",
        "a node that needs what is not there yet",
        ("%%dag_node total\nsum(prices)",),
        "it waits for `prices`, which nothing defines yet",
        "The cell stands above the one that it needs. In an ordinary notebook this is a "
        "NameError, or worse, the value of an earlier afternoon. Here the order of cells on the "
        "page does not count, only the arrows do.",
        ("%%dag_node prices\n[3, 4, 5]",),
    ),
    Sickness(
        "global",
        "a variable that the code reads behind everybody's back",
        ("rate = 0.2", '%%dag_node tax\n100 * globals()["rate"]', "rate = 0.5"),
        "globals() hides what it reads",
        "The variable is looked up by a text while the code runs, so nobody who reads the code "
        "can tell which one it is: there is no arrow, and a change of rate does not run tax. "
        "The warning comes with the second cell; after the third, tax is out of date, and "
        "nothing says so.",
        ("%%dag_node tax\n100 * rate",),
    ),
    Sickness(
        "in_place",
        "a node that changes its input",
        (
            "%%dag_node rows\n[3, 1, 2]",
            "%%dag_node first\nrows[0]",
            "%%dag_node largest\nrows.sort()\nrows[-1]",
        ),
        "changed its input 'rows' (a list) in place",
        "Sorting in place changes the list that first reads as well. What first comes to would "
        "then hang on whether it runs before largest or after it, and the graph has no arrow "
        "between them. dagnb fails the node and computes its input again.",
        ("%%dag_node largest\nsorted(rows)[-1]",),
    ),
    Sickness(
        "random",
        "a node that comes out different each time",
        ("import random", "%%dag_node draw\nrandom.random()", "%dag verify"),
        "draw gives another value each time",
        "With the same code and the same inputs the value is another one, so a value that is "
        "reused is not the one that a new run would give, and nobody can repeat what you found.",
        ("%%dag_node draw\nrandom.Random(7).random()", "%dag verify"),
    ),
)
LAB = {each.name: each for each in _ALL}
