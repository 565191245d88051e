"""An algorithm one decision at a time: steps that can be gone through forward and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dagnb.observe.text import table

MOST_ROWS = 40  # of a table; of more nodes those are shown that the step is about


class Mark(NamedTuple):
    """What the live graph puts on a node: the colour of a status, and a word or two."""

    look: str
    badge: str


@dataclass(frozen=True, slots=True)
class Step:
    """One decision, and how things are after it.

    Attributes
    ----------
    said : str
        What was decided, and why.
    header : tuple of str
    rows : tuple of tuple of str
        A row for each node.
    active : frozenset of str
        The nodes that the step is about.
    marks : mapping of str to Mark
        What the live graph shows of each node; a node without one recedes.
    decided : str
        The node that was decided on, if it was one.
    """

    said: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    active: frozenset[str] = frozenset()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    decided: str = ""

    @property
    def shown(self) -> tuple[tuple[str, ...], ...]:
        """All rows, or of too many the first of those that the step is about."""
        if len(self.rows) <= MOST_ROWS:
            return self.rows
        return tuple(row for row in self.rows if row[0] in self.active)[:MOST_ROWS]

    def __str__(self) -> str:
        rows = self.shown
        left_out = len(self.rows) - len(rows)
        why = "" if len(rows) < len(self.active) else ", which this step is not about"
        more = f"\n({left_out} more nodes{why})" if left_out else ""
        return f"{self.said}\n\n{table(self.header, rows)}{more}" if self.rows else self.said


class Walk(Sequence[Step]):
    """Steps, the first of which is how things are before anything is decided.

    A step is made when it is asked for, in time linear in the graph.
    """

    title: str

    def step(self, number: int) -> Step:
        """Return a step, from 0 to ``len(self) - 1``."""
        raise NotImplementedError

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # int or slice, as in a list
        if isinstance(place, slice):
            return [self.step(number) for number in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"there are steps 0 to {len(self) - 1}, no step {place}")
        return self.step(place % len(self))

    def __iter__(self) -> Iterator[Step]:
        return (self.step(number) for number in range(len(self)))

    def show(self, number: int) -> str:
        """Return a step as text, with where it stands among the others."""
        return f"{self.title}, step {number} of {len(self) - 1}: {self[number]}"

    def __str__(self) -> str:
        return "\n\n".join(self.show(number) for number in range(len(self)))

    __repr__ = __str__
