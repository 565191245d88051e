"""Whether the conditions of a notebook's nodes lead to them."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from dagnb.notebook.conditions import Condition
from dagnb.notebook.loading import Loading
from dagnb.notebook.node import NotebookNode
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.conditions import Conditions, When, is_passed_by, pass_by
from dagnb.run.policies import Fact, Inputs


class WhenNodes(When):
    """Runs a node if its condition holds, and if not all of its inputs were passed by.

    A condition that reads a node which was passed by does not hold. One that raises fails its
    node.

    Parameters
    ----------
    nodes : mapping of str to NotebookNode
    facts : dict of str to Fact
        What the value of each node rests on: nothing, for one that is passed by.
    loading : Loading
        Gets what a condition asks for.
    """

    def __init__(
        self,
        nodes: Mapping[str, NotebookNode],
        facts: MutableMapping[str, Fact],
        loading: Loading,
    ) -> None:
        super().__init__(Conditions())
        self._loading = loading
        self._nodes = nodes
        self._facts = facts

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Skip a node that is not led to."""
        decided = self._decide(self._nodes[name], inputs)
        if decided is not None:
            self._facts.pop(name, None)
        return decided

    def _decide(self, node: NotebookNode, inputs: Inputs) -> NodeResult | None:
        if node.parent and is_passed_by(inputs[node.parent]):
            return pass_by(node.name, f"{node.parent} was skipped")
        read = {name: each for name, each in inputs.items() if name in node.reads}
        if super().decide(node.name, read) is not None:
            return pass_by(node.name, _were_skipped(read))
        condition = node.options.when
        if condition is None:
            return None
        asked = {name: each for name, each in inputs.items() if name in node.asks}
        if any(map(is_passed_by, asked.values())):
            return pass_by(node.name, f"its condition cannot hold: {_were_skipped(asked)}")
        lost = self._loading.decide(node.name, asked)
        if lost is not None:
            return lost
        return _asked(condition, node.name, {name: each.result for name, each in asked.items()})


def _asked(condition: Condition, name: str, inputs: Mapping[str, object]) -> NodeResult | None:
    """Ask a condition; return None if it holds."""
    try:
        if condition.holds(inputs):
            return None
    except Exception as error:
        reason = f"its condition `{condition.text}` raised"
        return NodeResult(name, NodeStatus.FAILED, error=error, reason=reason)
    facts = condition.facts(inputs)
    ending = f": {facts}" if facts else ""
    return pass_by(name, f"its condition `{condition.text}` does not hold{ending}")


def _were_skipped(inputs: Inputs) -> str:
    """Name the inputs that were passed by."""
    names = [str(name) for name, each in inputs.items() if is_passed_by(each)]
    return f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} skipped"
