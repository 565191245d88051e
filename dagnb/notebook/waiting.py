"""Nodes that wait for a name to be defined, by a node or as a variable."""

from __future__ import annotations

from collections.abc import Container, Sequence

from dagnb.errors import did_you_mean
from dagnb.notebook.registry import Registry
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.policies import Inputs, Policy

_MOST_NAMES = 500


class Waiting(Policy):
    """Skips a node that needs a name which nothing defines yet.

    Parameters
    ----------
    registry : Registry

    Attributes
    ----------
    names : set of str
        The nodes that were skipped for it.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.names: set[str] = set()

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Say what the node waits for."""
        missing = self._registry.missing(name)
        if not missing:
            self.names.discard(name)
            return None
        self.names.add(name)
        reason = waits_for(missing) + self._nearest(missing[0])
        return NodeResult(name, NodeStatus.SKIPPED, reason=reason)

    def _nearest(self, missing: str) -> str:
        """Suggest a node or variable, unless there are so many that looking would take long."""
        names = [*self._registry.nodes, *self._registry.namespace]
        return did_you_mean(missing, names) if len(names) < _MOST_NAMES else ""

    def forget(self, name: str) -> None:
        """Forget a node that was removed."""
        self.names.discard(name)

    def held_back(self, asked: Container[str]) -> dict[str, str]:
        """Return the nodes that would not run now, manual ones included, and why."""
        found = {}
        for name, node in self._registry.nodes.items():
            missing = self._registry.missing(name)
            if missing:
                found[name] = waits_for(missing)
            elif node.options.manual and name not in asked:
                found[name] = f"it is manual: %dag run {name}"
        return found


def waits_for(names: Sequence[str]) -> str:
    """Return the clause that says what a node waits for.

    Examples
    --------
    >>> waits_for(["raw", "limit"])
    'it waits for `raw`, `limit`, which nothing defines yet'
    """
    listed = ", ".join(f"`{name}`" for name in names)
    return f"it waits for {listed}, which nothing defines yet"
