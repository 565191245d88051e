"""Edits of a graph as data: applied whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DynamicNodeSpec:
    """A node to add, with its task and its place.

    Attributes
    ----------
    name : str
    task : callable
    dependencies : sequence of str
        Nodes it comes after; others of the same edit count, in any order.
    dependents : sequence of str
        Nodes that come after it.
    """

    name: str
    task: Callable[..., object]
    dependencies: Sequence[str] | None = None
    dependents: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class DynamicModification:
    """Nodes to add and nodes to remove; the removed ones go first."""

    add_nodes: Sequence[DynamicNodeSpec] | None = field(default=None)
    remove_nodes: Sequence[str] | None = field(default=None)
