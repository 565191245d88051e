"""What may start in a run without anyone to click: asked before each node."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from dagnb.events import Event, NodeSettled
from dagnb.notebook.node import NotebookNode


@dataclass
class Gate:
    """Lets nodes start, or leaves them stale with all that depends on them.

    Attributes
    ----------
    nodes : mapping of str to NotebookNode
    defers : bool
        Whether cells only define their nodes, which run together later.
    deferred : dict of str to None
        The nodes whose cells wait for their outputs.
    only_known : bool
        Whether values are taken from the store and nothing is computed.
    excludes : callable
        Says of the nodes there are which must not run.
    closed : str
        Why nothing starts any more; empty while it is open.
    closes_on_error : bool
        Whether the first failure closes it.
    """

    nodes: Mapping[str, NotebookNode]
    defers: bool = False
    deferred: dict[str, None] = field(default_factory=dict)
    only_known: bool = False
    excludes: Callable[[Mapping[str, NotebookNode]], Container[str]] = lambda nodes: ()
    closed: str = ""
    closes_on_error: bool = False

    def lets(self, name: str, is_known: Callable[[str], bool]) -> bool:
        """Say whether a node may start, or take a value that is known."""
        if self.closed or name in self.excludes(self.nodes):
            return False
        return not self.only_known or is_known(name)

    def defer(self, name: str, *, needed: bool) -> bool:
        """Say whether a node whose cell is executed runs later; not if the cell needs it now."""
        self.deferred.pop(name, None)
        if self.defers and not needed:
            self.deferred[name] = None
        return name in self.deferred

    def close(self, reason: str = "it was stopped") -> None:
        """Let nothing more start."""
        self.closed = self.closed or reason

    def __call__(self, event: Event) -> None:
        """Close when a node fails, if asked to; an observer."""
        if self.closes_on_error and isinstance(event, NodeSettled) and event.result.error:
            self.close(f"{event.result.name} failed")
