"""From a settled node to the notebook: its value under its name, its outputs under its cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from dagnb.events import Event, NodeSettled, RunFinished
from dagnb.notebook.capture import Output, Shell, Sink
from dagnb.notebook.display import value_outputs, without_twins
from dagnb.notebook.registry import Registry
from dagnb.notebook.saving import Saving
from dagnb.notebook.tasks import Tasks
from dagnb.notebook.tracebacks import error_output
from dagnb.observe.text import listed
from dagnb.results import Deferred, NodeResult, NodeStatus
from dagnb.run.conditions import is_passed_by
from dagnb.run.policies import Fact, was_changed
from dagnb.run.remote.handle import Handle

OUTPUTS_KEPT = 8  # a node's outputs for that many of its last keys


class Publisher:
    """An observer that gives every settled node to the notebook.

    What a node showed is kept by the key of its value, and shown again when that value comes
    from memory.

    Parameters
    ----------
    shell : InteractiveShell
    namespace : dict
        Where the values are published.
    registry : Registry
    tasks : Tasks
    facts : mapping of str to Fact
        Tells the key of each node's value.
    saving : Saving
        Keeps values with what their nodes showed.

    Attributes
    ----------
    own : str or None
        The node whose cell is being executed; its outputs are shown, the others' refreshed.
    """

    def __init__(
        self,
        shell: Shell,
        namespace: MutableMapping[str, Any],
        registry: Registry,
        tasks: Tasks,
        *,
        facts: Mapping[str, Fact],
        saving: Saving,
    ) -> None:
        self._shell = shell
        self._namespace = namespace
        self._nodes = registry.nodes
        self._children = registry.children
        self._tasks = tasks
        self._facts = facts
        self._published: dict[str, Any] = {}
        self._saving = saving
        self._outputs: dict[str, list[Output]] = {}
        self._kept: dict[str, dict[str | None, list[Output]]] = {}
        self._families: dict[str, int | None] = {}
        self.own: str | None = None

    def __call__(self, event: Event) -> None:
        """Publish what a node came to, and at the end of a run what families did."""
        if isinstance(event, RunFinished):
            families, self._families = self._families, {}
            for name, shown in families.items():
                self._show_family(name, shown)
        if not isinstance(event, NodeSettled):
            return
        result = event.result
        if result.status.is_success:
            self.publish(str(result.name), result.held)
        if result.executed or result.error is not None:
            self._show(result)
        elif is_passed_by(result):
            self._withhold(result)
        elif result.status is NodeStatus.CACHE_HIT:
            self._recall(result)

    def publish(self, name: str, value: object) -> None:
        """Give the notebook a value; one that is still in the store, when somebody reads it."""
        if isinstance(value, Deferred):
            self._namespace.pop(name, None)
            self._published.pop(name, None)
        else:
            self._namespace[name] = self._published[name] = value

    def lend(self, name: str, value: object) -> None:
        """Give the notebook a value beside a run, which may give it a newer one at any time."""
        self._published.setdefault(name, self._namespace.setdefault(name, value))

    def tidy(self, names: Iterable[str]) -> None:
        """Take away what a decorated function left under the names of values in the store."""
        for name in names:
            if isinstance(self._namespace.get(name), Deferred):
                del self._namespace[name]

    def show_again(self, name: str, last: NodeResult) -> None:
        """Show a node's last outputs below the cell that is being executed, which is its own.

        Why a node did not run is replaced by outputs as soon as it runs.
        """
        self._nodes[name].output.show(self.outputs(name, last))

    def outputs(self, name: str, last: NodeResult) -> list[Output]:
        """Return what belongs below a node's cell: its outputs, or why it did not run."""
        waits = last.status is NodeStatus.SKIPPED
        return [notice(last)] if waits else self._outputs_below(name)

    def refresh(self, name: str) -> None:
        """Show a node's last outputs once more below its own cell, if it has one."""
        node = self._nodes.get(name)
        if node is not None and not node.parent:
            node.output.refresh(self._outputs_below(name))

    def check(self, values: Mapping[str, NodeResult]) -> tuple[list[str], list[str]]:
        """Find the nodes whose value a plain cell replaced, deleted or changed in place.

        What was deleted is published again: nothing would run to bring it back.

        Returns
        -------
        notices : list of str
            A sentence for each of them.
        spoiled : list of str
            Those whose value was changed in place.
        """
        notices, spoiled = [], []
        for name, last in sorted(values.items()):
            if self._is_gone(name, last):
                self.publish(name, last.held)
                notices.append(
                    f"{name} is a node whose variable was deleted; it is there again "
                    f"(%dag rm {name} removes the node)"
                )
            elif not self._is_published(name, last):
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

    def _is_gone(self, name: str, last: NodeResult) -> bool:
        return name not in self._namespace and not isinstance(last.held, Deferred)

    def _is_published(self, name: str, last: NodeResult) -> bool:
        """Whether the notebook has a node's value, or none as long as that is in the store."""
        if isinstance(last.held, Deferred):
            return self._namespace.get(name) is self._published.get(name)
        return self._namespace.get(name) is last.held

    def withdraw(self, name: str, output: Any) -> None:
        """Take a removed node's value and outputs back, also the value of before it failed."""
        self._outputs.pop(name, None)
        self._kept.pop(name, None)
        output.refresh([])
        published = self._published.pop(name, self)
        if self._namespace.get(name, self._shell) is published:
            del self._namespace[name]

    def withdraw_gone(self) -> None:
        """Take back the values of nodes whose removal was broken off."""
        for name in self._published.keys() - self._nodes.keys():
            if self._namespace.get(name, self._shell) is self._published.pop(name):
                del self._namespace[name]

    def _withhold(self, result: NodeResult) -> None:
        """Take the last value of a node away that its condition does not lead to any more."""
        name = str(result.name)
        self._namespace.pop(name, None)
        self._published.pop(name, None)
        self._outputs[name] = [] if self._nodes[name].parent else [notice(result)]
        if name != self.own:
            self._refresh(name)

    def _show(self, result: NodeResult) -> None:
        name = result.name
        sinks = self._tasks.sinks.pop(name, [])
        printed = [output for sink in sinks for output in sink.outputs]
        outputs = self._outputs_of(result, printed)
        self._keep(name, outputs)
        self._show_in_cell(result, sinks, outputs)
        if result.error is None:
            self._saving.save(result, outputs)

    def _show_in_cell(
        self, result: NodeResult, sinks: Sequence[Sink], outputs: Sequence[Output]
    ) -> None:
        name = result.name
        if name != self.own:
            self._refresh(name)
            return
        printed = [each for sink in sinks for each in sink.outputs]
        node, failed = self._nodes[name], result.error is not None
        shown = len(printed) if any(sink.passed_on for sink in sinks) else 0
        if node.options.expand and not failed:
            self._families[name] = shown
            return
        node.output.show(printed if failed else outputs, shown=shown, raises=failed)
        self.own = None

    def _refresh(self, name: str) -> None:
        """Show a node's outputs in place of its last ones; those of families when the run ends."""
        node = self._nodes[name]
        if node.parent or node.options.expand:
            self._families.setdefault(node.parent or name, None)
        else:
            node.output.refresh(self._outputs[name])

    @property
    def families(self) -> list[str]:
        """The nodes that make others below whose cells there is news, told when the run ends."""
        return list(self._families)

    def _show_family(self, name: str, shown: int | None) -> None:
        """Show what a node that makes others showed, and what these did, below the cell of both."""
        if name not in self._nodes:
            return
        output, outputs = self._nodes[name].output, self._outputs_below(name)
        if shown is not None:
            output.show(outputs, shown=shown)
            self.own = None
        elif name != self.own:
            output.refresh(outputs)

    def _outputs_below(self, name: str) -> list[Output]:
        """Return all that stands below the cell of a node."""
        names = [name, *self._children(name)]
        return [output for each in names for output in self._outputs.get(each, [])]

    def _recall(self, result: NodeResult) -> None:
        """Show what a node showed when it had the value that came from memory."""
        name, key = result.name, self._key(result.name)
        kept = self._saving.take_outputs(key)
        kept = self._kept.get(name, {}).get(key) if kept is None else kept
        self._keep(name, self._outputs_of(result, []) if kept is None else kept)
        if name != self.own:
            self._refresh(name)

    def _keep(self, name: str, outputs: list[Output]) -> None:
        self._outputs[name] = outputs
        kept = self._kept.setdefault(name, {})
        kept.pop(self._key(name), None)
        kept[self._key(name)] = outputs
        while len(kept) > OUTPUTS_KEPT:
            del kept[next(iter(kept))]

    def _key(self, name: str) -> str | None:
        fact = self._facts.get(name)
        return None if fact is None else fact.key

    def _outputs_of(self, result: NodeResult, shown: list[Output]) -> list[Output]:
        """Return what a node showed, then its value, or what it made, or its error."""
        if result.error is not None:
            return [*shown, error_output(self._shell, result.error)]
        node = self._nodes[result.name]
        if node.code.quiet or node.parent:
            return shown
        if node.options.expand:
            return [*shown, self._what_it_made(node.name)]
        try:
            is_far = isinstance(result.held, Handle)  # it is fetched when somebody looks at it
            value = result.held if is_far else result.result
            return without_twins(shown, value_outputs(self._shell, value))
        except Exception as error:  # what a value of the user's does when it is displayed
            return [*shown, error_output(self._shell, error)]

    def _what_it_made(self, name: str) -> Output:
        made = self._children(name)
        count = f"{len(made) or 'no'} node{'' if len(made) == 1 else 's'}"
        text = f"made {count}{': ' if made else ''}{listed(made)}"
        return {"output_type": "stream", "name": "stdout", "text": text}


def notice(result: NodeResult) -> Output:
    """Return what stands below a node's cell in place of its outputs if it did not run."""
    defined = "" if is_passed_by(result) else "is defined and "
    text = f"{result.name} {defined}did not run: {result.reason}"
    return {"output_type": "stream", "name": "stdout", "text": text}
