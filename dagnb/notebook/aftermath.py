"""What a plain cell leaves behind: nodes that must run now, values that it spoiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from dagnb.notebook.node import NotebookNode
from dagnb.notebook.publishing import Publisher
from dagnb.notebook.registry import Registry
from dagnb.notebook.staleness import Staleness
from dagnb.notebook.waiting import Waiting
from dagnb.notebook.why import ending
from dagnb.results import NodeResult
from dagnb.run.conditions import is_passed_by


class Aftermath:
    """Knows what is due after a plain cell.

    Parameters
    ----------
    registry : Registry
    staleness : Staleness
    waiting : Waiting
    publisher : Publisher
    last : callable
        Returns the last result of a node.
    """

    def __init__(
        self,
        registry: Registry,
        staleness: Staleness,
        waiting: Waiting,
        publisher: Publisher,
        *,
        last: Callable[[str], NodeResult | None],
    ) -> None:
        self._registry = registry
        self._staleness = staleness
        self._waiting = waiting
        self._publisher = publisher
        self._last = last
        self._changed: set[str] = set()

    def note(self, names: Iterable[str]) -> None:
        """Note nodes that changed; they are due after the next cell that succeeds."""
        self._changed.update(names)

    def begin_anew(self) -> None:
        """Take no value for granted, after an edit that was broken off."""
        self._publisher.withdraw_gone()
        names = [*self._registry.nodes]
        self._staleness.mark(names, "an edit was interrupted")
        self.note(names)

    def check_values(self, names: Iterable[str]) -> list[str]:
        """Find nodes whose value was replaced or changed in place; say so in a sentence each.

        Parameters
        ----------
        names : iterable of str
            Those that the cell mentions.
        """
        lasts = {name: self._last(name) for name in names if name in self._registry}
        values = {name: last for name, last in lasts.items() if last and last.status.is_success}
        notices, spoiled = self._publisher.check(values)
        self._staleness.spoiled.update(spoiled)
        self._staleness.mark(spoiled, "its value was changed in place by a plain cell")
        return notices

    def take_due(self) -> list[str]:
        """Return the nodes to run now: changed, spoiled, or waiting for what is there now.

        A node that never ran is not run because of a plain cell, and a manual one neither.
        """
        nodes = self._registry.nodes
        ready = {name for name in self._waiting.names if not self._registry.missing(name)}
        changed = {name for name in self._changed if name in nodes and self._last(name)}
        found, self._changed = ready | changed | self._staleness.spoiled, set()
        due = [name for name in nodes if name in found] if found else []
        return [n for n in due if n in self._staleness and not nodes[n].options.manual]


def has_news(results: Iterable[NodeResult]) -> bool:
    """Whether a run executed a node, or took its value away because of its condition."""
    return any(each.executed or (each.changed and is_passed_by(each)) for each in results)


def failures(results: Iterable[NodeResult], nodes: Mapping[str, NotebookNode]) -> list[str]:
    """Return a sentence for each node that failed in a run."""
    failed = [each for each in results if each.error is not None]
    return [f"{ending(each)} (see {_cell_of(each.name, nodes)})" for each in failed]


def _cell_of(name: str, nodes: Mapping[str, NotebookNode]) -> str:
    parent = nodes[name].parent if name in nodes else ""
    return f"the cell of {parent}" if parent else "its cell"
