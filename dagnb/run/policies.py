"""What may steer a run: three questions a policy answers about a node."""

from __future__ import annotations

from collections.abc import Mapping

from dagnb.results import NodeResult

Inputs = Mapping[str, NodeResult]


class Policy:
    """Answers as if it were not there; override what you need.

    Called on the driver's thread. What a policy raises ends the run.
    """

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Return a result to use instead of running the node; the first answer wins."""

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Return the result as the rest of the run shall see it; called if it was executed."""
        return result
