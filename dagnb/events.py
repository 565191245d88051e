"""What a run tells those who listen: five kinds of event, as data.

Events are delivered on the driver's thread, in the order in which things happened. An
observer is a callable that takes one event; one that raises is logged once and dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dagnb.results import ExecutionResult, NodeResult


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
class NodeSettled:
    """A node reached its final state for this run: it happens once per node and run."""

    result: NodeResult


@dataclass(frozen=True, slots=True)
class NodesStale:
    """These nodes are no longer up to date; nothing has run yet."""

    names: Sequence[str]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GraphEdited:
    """The graph's structure is now this (whole, not a difference).

    ``groups`` maps a node to the name of its group; ``by`` names the node whose expansion
    made the edit, and is empty for an edit by the user. ``added`` are the nodes that such an
    expansion added; ``nodes`` and ``edges`` are then what they are when they are first read,
    which is to be while the event is delivered.
    """

    nodes: Sequence[str]
    edges: Sequence[tuple[str, str]]
    groups: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    added: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run is over; ``result.stopped`` says why if it ended early."""

    result: ExecutionResult


Event = RunStarted | NodeStarted | NodeSettled | NodesStale | GraphEdited | RunFinished
Observer = Callable[[Event], None]
