"""What a run tells those who listen: seven kinds of event, as data.

Events are delivered on the driver's thread, in the order in which things happened. An
observer is a callable that takes one event; one that raises is logged once and dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, overload

from dagnb.results import ExecutionResult, NodeResult

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins. ``nodes`` are those it will look at first, dependencies first."""

    nodes: Sequence[str]
    at: float


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node's task begins now on ``worker`` (empty: the driver's own thread)."""

    name: str
    at: float
    worker: str = ""


@dataclass(frozen=True, slots=True)
class NodePlaced:
    """A node that has started is performed by ``worker``, as soon as that is known.

    It is told of what a backend performs, once an attempt: the scheduler of a cluster chooses.
    """

    name: str
    worker: str


@dataclass(frozen=True, slots=True)
class NodeSettled:
    """A node reached its final state for this run: it happens once per node and run."""

    result: NodeResult


@dataclass(frozen=True, slots=True)
class NodesStale:
    """These nodes are no longer up to date; nothing has run yet."""

    names: Sequence[str]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GraphChange:
    """What one edit changed, for who has seen all edits before it.

    ``number`` counts the edits that were told, from 1. ``inputs`` maps each node that is new, or
    has other inputs or another group, to its inputs; ``removed`` are the nodes that are gone.
    """

    number: int
    inputs: Mapping[str, Sequence[str]]
    removed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class GraphEdited:
    """The graph's structure is now this.

    ``nodes``, ``edges`` and ``groups``, which maps a node to the name of its group, are whole.
    They are what they are when they are first read, which is to be while the event is
    delivered; who reads only ``change`` pays for what was edited, not for the graph.

    ``by`` names the node whose expansion made the edit, and is empty for an edit by the user.
    ``added`` are the nodes that such an expansion added.
    """

    nodes: Sequence[str]
    edges: Sequence[tuple[str, str]]
    groups: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    added: Sequence[str] = ()
    change: GraphChange | None = None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run is over; ``result.stopped`` says why if it ended early."""

    result: ExecutionResult


Event = RunStarted | NodeStarted | NodePlaced | NodeSettled | NodesStale | GraphEdited | RunFinished
Observer = Callable[[Event], None]


class Lazy(Sequence[T]):
    """A sequence made when it is first read: an event that nobody reads costs nothing."""

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make = make
        self._made: Sequence[T] | None = None

    @property
    def _items(self) -> Sequence[T]:
        if self._made is None:
            self._made = self._make()
        return self._made

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...

    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)
