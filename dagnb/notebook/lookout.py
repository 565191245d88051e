"""What a run is about: a look at the code of nodes, and at what it reads, before they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagnb.errors import CycleError
from dagnb.notebook.aftermath import Aftermath
from dagnb.notebook.announcing import Announcer
from dagnb.notebook.node import NotebookNode
from dagnb.notebook.registry import Registry
from dagnb.notebook.rounds import Request
from dagnb.notebook.staleness import Staleness


class Lookout:
    """Finds what became stale, and says what a run that is asked for has to do.

    Parameters
    ----------
    registry : Registry
    staleness : Staleness
    aftermath : Aftermath
        Told of the nodes that changed.
    announce : Announcer
    """

    def __init__(
        self, registry: Registry, staleness: Staleness, aftermath: Aftermath, announce: Announcer
    ) -> None:
        self._registry = registry
        self._dag = registry.dag
        self._staleness = staleness
        self._aftermath = aftermath
        self._announce = announce

    def mend(self) -> None:
        """Make up for an edit that an interrupt broke off; what is current need not run again."""
        if self._registry.is_whole:
            return
        self._registry.mend()
        self._aftermath.begin_anew()
        self._announce.anew()
        self._registry.is_whole = True

    def look(self, names: Iterable[str] | None = None) -> list[str]:
        """Look at the code of nodes and what it reads; return those that became stale.

        Raises
        ------
        CycleError
            A helper function was changed so that a node depends on itself.
        """
        self.mend()
        changed, refused = [], None
        with self._registry.edit():
            for name in self._registry.changed(None if names is None else set(names)):
                try:
                    changed += [name] if self._registry.refresh(name) else []
                except CycleError as error:
                    refused = refused or error
            self._aftermath.note(changed)
            self._announce.structure()
            self.mark_stale(changed, "something its code reads changed")
        if refused is not None:
            raise refused
        return changed

    def remove(self, name: str) -> NotebookNode:
        """Remove a node; what depends on it is stale, and waits for its name."""
        readers, dependents = self._dag.successors(name), self._dag.descendants(name)
        node = self._registry.remove(name)
        self._aftermath.note(map(str, readers))
        self._announce.structure()
        self.mark_stale([*map(str, dependents)], f"{name} was removed")
        return node

    def mark_stale(self, names: Sequence[str], reason: str) -> None:
        """Note that nodes must run, and show it."""
        self._staleness.mark(names, reason)
        if names:
            self._staleness.show()

    def targets(self, names: Iterable[str] | None) -> list[str]:
        """Return the nodes asked for; all if none are named.

        Raises
        ------
        NodeNotFoundError
            A name is unknown.
        """
        if names is None:
            return list(self._registry.nodes)
        if isinstance(names, str):
            raise TypeError(f"names is a list of names, not one string; write [{names!r}]")
        targets = list(names)
        for name in targets:
            self._registry[name]  # raises if there is no such node
        return targets

    def request(
        self, targets: Sequence[str], *, named: bool, fresh: bool, downstream: bool
    ) -> Request:
        """Look at the code in question and return what is to run, and why.

        Parameters
        ----------
        named : bool
            Whether somebody asked for these nodes, and not for all there are.
        fresh, downstream : bool
            See `Session.run`.
        """
        scope = self.scope(targets, downstream=downstream)
        asked = set(targets) if named else set()
        again = set(targets) if fresh else set()
        causes = self._staleness.causes(scope)
        for number in self._dag.numbers(asked | again, "names"):
            causes.setdefault(number, "it was asked to run again" if fresh else "")
        allowed = None if downstream else {*map(str, self._dag.refs(scope))}
        return Request(causes, asked, again, allowed)

    def scope(self, targets: Sequence[str], *, downstream: bool) -> set[int]:
        """Return the targets with what they need and, if asked, what depends on them.

        That is after a look at the code in question, which may draw other edges.
        """
        self.mend()
        scope = self._reach(targets, downstream)
        return self._reach(targets, downstream) if self.look(self._dag.refs(scope)) else scope

    def _reach(self, targets: Sequence[str], downstream: bool) -> set[int]:
        """Follow the edges; what may run may need others that are stale: they are part of it."""
        graph = self._dag.adjacency
        numbers = self._dag.numbers(targets, "names")
        found = graph.reach(numbers, graph.predecessors)
        starts = {*numbers, *self._staleness.causes(found)} if downstream else set()
        while starts:
            found |= graph.reach(starts, graph.successors)
            starts = self._staleness.above(found)
        return found
