"""Nodes that wait for a name to be defined, by a node or as a variable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dagnb.results import NodeResult, NodeStatus
from dagnb.run.policies import Inputs, Policy


class Waiting(Policy):
    """Skips a node that needs a name which nothing defines yet.

    Parameters
    ----------
    missing : callable
        Returns the names that a node needs and nothing defines.

    Attributes
    ----------
    names : set of str
        The nodes that were skipped for it.
    """

    def __init__(self, missing: Callable[[str], list[str]]) -> None:
        self._missing = missing
        self.names: set[str] = set()

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Say what the node waits for."""
        missing = self._missing(name)
        if not missing:
            self.names.discard(name)
            return None
        self.names.add(name)
        return NodeResult(name, NodeStatus.SKIPPED, reason=waits_for(missing))


def waits_for(names: Sequence[str]) -> str:
    """Return the clause that says what a node waits for.

    Examples
    --------
    >>> waits_for(["raw", "limit"])
    'it waits for `raw`, `limit`, which nothing defines yet'
    """
    listed = ", ".join(f"`{name}`" for name in names)
    return f"it waits for {listed}, which nothing defines yet"
