"""Values that were computed while what they rest on was changed by a plain cell."""

from __future__ import annotations

from dagnb.notebook.registry import Registry
from dagnb.notebook.staleness import Staleness
from dagnb.results import NodeResult
from dagnb.run.policies import Inputs, Policy


class Drift(Policy):
    """Trusts no such value: it has no digest, is not remembered, and its node runs again.

    A run in the background keeps the code that it began with. What a node reads of the
    notebook's variables it reads when it runs, and a plain cell may have changed them since.

    Parameters
    ----------
    registry : Registry
    staleness : Staleness
    """

    def __init__(self, registry: Registry, staleness: Staleness) -> None:
        self._registry, self._staleness = registry, staleness
        self._changed: set[str] = set()
        self._drifted: set[str] = set()

    def begin(self) -> None:
        """Begin a run, whose nodes were looked at just now."""
        self._changed, self._drifted = set(), set()

    def note(self) -> None:
        """Note what a plain cell has changed, even if another one changes it back."""
        self._changed.update(self._registry.changed())

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Take the digest away if the node reads something that is not what it was."""
        name = str(result.name)
        if name not in self._changed and self._registry.reads_the_same(name):
            return result
        self._drifted.add(name)
        return result.but(digest=None, changed=True)

    def end(self) -> None:
        """Note which nodes must run again, whatever their key."""
        self._staleness.spoiled |= self._drifted
        self._staleness.mark(sorted(self._drifted), "what it reads was changed while it ran")
