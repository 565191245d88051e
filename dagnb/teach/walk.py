"""An algorithm one decision at a time: steps that can be gone through forward and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dagnb.observe.text import table

MOST_ROWS = 40  # of a table; of more nodes those are shown that the step is about


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
    looks : mapping of str to str
        What the live graph would show of each node: ``"completed"``, ``"stale"``, ...; a node that
        is not in it is pending.
    """

    said: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    active: frozenset[str] = frozenset()
    looks: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        rows = self.rows
        if len(rows) > MOST_ROWS:
            rows = tuple(row for row in rows if row[0] in self.active)
        left_out = len(self.rows) - len(rows)
        more = f"\n({left_out} more nodes, which this step is not about)" if left_out else ""
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
