"""Telling observers what happens, whatever they do with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from dagnb.events import Event, GraphChange, GraphEdited, Lazy, Observer
from dagnb.notebook.registry import Registry

log = logging.getLogger(__name__)


class Announcer:
    """Hands every event to each observer; one that raises is logged once and dropped.

    Attributes
    ----------
    observers : list of Observer
    """

    def __init__(self, registry: Registry, observers: Iterable[Observer] = ()) -> None:
        self._registry = registry
        self._told: tuple[int, int] = 0, 0
        self._edits = 0
        self.observers = list(observers)

    def __call__(self, event: Event) -> None:
        """Tell all observers."""
        for observer in list(self.observers):
            try:
                observer(event)
            except Exception:
                self.observers.remove(observer)
                log.exception("%r raised on %s and is not called again", observer, event)

    def structure(self) -> None:
        """Tell the structure of the graph, if it changed since it was told: what was edited."""
        if self._structure != self._told:
            self(self.edited())

    def anew(self) -> None:
        """Tell the whole structure, to whoever may have missed an edit or half of one."""
        self._edits += 1
        self(self.edited())

    def edited(self, by: str = "", added: Sequence[str] = ()) -> GraphEdited:
        """Return what tells of the edits since the last one that did, for who tells it."""
        registry = self._registry
        self._told, self._edits = self._structure, self._edits + 1
        inputs, removed = registry.take_drawn()
        nodes, edges = Lazy(lambda: list(registry.nodes)), Lazy(registry.edges)
        change = GraphChange(self._edits, inputs, removed)
        return GraphEdited(nodes, edges, registry.groups, by=by, added=added, change=change)

    @property
    def _structure(self) -> tuple[int, int]:
        return self._registry.dag.adjacency.version, self._registry.edits
