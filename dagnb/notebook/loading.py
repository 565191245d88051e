"""Saved values come when somebody needs them: a node that runs, a plain cell, the panel."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from dagnb.errors import StoreError, UpstreamDrift
from dagnb.graph.dag import DAG
from dagnb.notebook.mentions import Mentions
from dagnb.notebook.one_run import OneRun
from dagnb.notebook.publishing import Publisher
from dagnb.results import Deferred, NodeResult, NodeStatus
from dagnb.run.policies import Inputs, Policy, was_changed
from dagnb.run.records import VALUE, Memory, as_result
from dagnb.run.remote.handle import Handle


class Loading(Policy):
    """Loads the inputs of nodes that are about to run, and whatever else is asked for.

    Parameters
    ----------
    dag : DAG
    memory : Memory
        Where values are replaced by what they stand for.
    publisher : Publisher
        Gives the notebook the values.
    one_run : OneRun
    """

    def __init__(self, dag: DAG, memory: Memory, publisher: Publisher, one_run: OneRun) -> None:
        self._dag = dag
        self._memory = memory
        self._publisher = publisher
        self._one_run = one_run
        self._mentions = Mentions()
        self._lost: dict[str, str] = {}
        self._lock = threading.Lock()  # the panel asks from another thread

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Load the inputs; skip the node if that cannot be, until they are computed again."""
        needed = [str(each) for each, result in inputs.items() if _is_deferred(result)]
        lost = self.fetch(needed, verify=True)
        if not lost:
            return None
        self._lost.update(lost)
        return NodeResult(name, NodeStatus.SKIPPED, reason="; ".join(lost.values()))

    def take_lost(self) -> dict[str, str]:
        """Return, once, the inputs that could not be loaded, and why."""
        lost, self._lost = self._lost, {}
        return lost

    def fetch(self, names: Iterable[str], *, verify: bool = False) -> dict[str, str]:
        """Load values that are still in the store; return why, for those that cannot be.

        Parameters
        ----------
        names : iterable of str
        verify : bool
            Whether to look at every byte of large ones, too, which takes as long as reading them.
        """
        lost = {}
        with self._lock:
            for name in names:
                try:
                    self._load(name, verify=verify)
                except (StoreError, UpstreamDrift) as error:
                    lost[name] = str(error)
        return lost

    def _load(self, name: str, *, verify: bool) -> None:
        self._memory.catch_up()
        number = self._dag.number(name)
        last = self._memory.records[number]
        if last is None or not isinstance(last[VALUE], Deferred):
            return
        value = last[VALUE].load()
        if self._one_run.is_elsewhere:  # which may put another record there at any time
            self._publisher.lend(name, value)
            return
        run, _, how, started, ended = last
        loaded = run, value, how, started, ended
        if verify and was_changed(as_result(name, loaded)):
            raise StoreError(f"the saved value of {name} is not what was saved")
        self._memory.records[number] = loaded
        self._publisher.publish(name, value)

    def mentioned(self, source: str) -> list[str]:
        """Note a plain cell; return what cells have mentioned and is still in the store."""
        self._mentions.add(source)
        return [name for name in self.deferred() if name in self._mentions]

    def tidy(self) -> None:
        """Take away what a decorated function left under the names of values in the store."""
        self._publisher.tidy(self.deferred())

    def is_wanted(self, name: str) -> bool:
        """Whether a plain cell has mentioned a name, and may so read it at any time."""
        return name in self._mentions

    def deferred(self) -> list[str]:
        """Return the nodes whose values are still in the store."""
        names, records = self._dag.adjacency.names, self._memory.records
        return [
            str(names[number])
            for number, last in enumerate(records)
            if last is not None and isinstance(last[VALUE], Deferred)
        ]


def _is_deferred(result: NodeResult) -> bool:
    """Whether a value is in the store; a handle goes along with the call as it is."""
    return isinstance(result.held, Deferred) and not isinstance(result.held, Handle)
