"""From a settled node to the notebook: its value under its name, its outputs under its cell."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from dagnb.events import Event, NodeSettled
from dagnb.notebook.capture import Output, Shell
from dagnb.notebook.display import value_outputs, without_twins
from dagnb.notebook.registry import NotebookNode
from dagnb.notebook.tasks import Performance, Tasks
from dagnb.notebook.tracebacks import error_output
from dagnb.results import NodeResult
from dagnb.run.policies import was_changed


class Publisher:
    """An observer that gives every settled node to the notebook.

    Attributes
    ----------
    own : str or None
        The node whose cell is being executed; its outputs are shown, the others' refreshed.
    """

    def __init__(
        self,
        shell: Shell,
        namespace: MutableMapping[str, Any],
        nodes: Mapping[str, NotebookNode],
        tasks: Tasks,
    ) -> None:
        self._shell = shell
        self._namespace = namespace
        self._nodes = nodes
        self._tasks = tasks
        self._outputs: dict[str, list[Output]] = {}
        self.own: str | None = None

    def __call__(self, event: Event) -> None:
        """Publish what a node came to."""
        if not isinstance(event, NodeSettled):
            return
        result = event.result
        if result.status.is_success:
            self._namespace[result.name] = result.result
        if result.executed:
            self._show(result)

    def show_again(self, name: str, instead: str = "") -> None:
        """Show a node's last outputs below the cell that is being executed, which is its own.

        A text to show instead of them is replaced by outputs as soon as the node runs.
        """
        notice: Output = {"output_type": "stream", "name": "stdout", "text": instead}
        self._nodes[name].output.show([notice] if instead else self._outputs.get(name, []))

    def check(self, values: Mapping[str, NodeResult]) -> tuple[list[str], list[str]]:
        """Find the nodes whose value a plain cell replaced or changed in place.

        Returns
        -------
        notices : list of str
            A sentence for each of them.
        spoiled : list of str
            Those whose value was changed in place.
        """
        notices, spoiled = [], []
        for name, last in sorted(values.items()):
            if self._namespace.get(name) is not last.result:
                notices.append(
                    f"{name} is a node; its dependents go on with its own value, "
                    "not with the one assigned here"
                )
            elif was_changed(last):
                spoiled.append(name)
                notices.append(
                    f"this cell changed the value of {name} in place, which its dependents do "
                    f"not see; it is computed again (work on a copy: {name}.copy())"
                )
        return notices, spoiled

    def withdraw(self, name: str, last: NodeResult | None, output: Any) -> None:
        """Take a removed node's value and outputs back."""
        self._outputs.pop(name, None)
        output.refresh([])
        if last is not None and self._namespace.get(name) is last.result:
            self._namespace.pop(name, None)

    def _show(self, result: NodeResult) -> None:
        name = result.name
        performance = self._tasks.performances.pop(name, Performance([], False))
        try:
            outputs = self._outputs_of(result, performance)
        except Exception as error:  # what a value of the user's does when it is displayed
            outputs = [*performance.outputs, error_output(self._shell, error)]
        self._outputs[name] = outputs
        output = self._nodes[name].output
        if name != self.own:
            output.refresh(outputs)
            return
        failed = result.error is not None
        shown = len(performance.outputs) if performance.live else 0
        output.show(performance.outputs if failed else outputs, shown=shown, raises=failed)
        self.own = None

    def _outputs_of(self, result: NodeResult, performance: Performance) -> list[Output]:
        if result.error is not None:
            return [*performance.outputs, error_output(self._shell, result.error)]
        code = self._nodes[result.name].code
        if code.quiet or code.shows:
            return performance.outputs
        return without_twins(performance.outputs, value_outputs(self._shell, result.result))
