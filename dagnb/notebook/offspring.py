"""How the nodes that a notebook's node makes come into the run in which it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping, Sequence
from dataclasses import dataclass, field

from dagnb.events import GraphEdited
from dagnb.graph.edit import Expansion, NewNodes
from dagnb.notebook.children import children_of
from dagnb.notebook.display import CellOutput
from dagnb.notebook.node import NotebookNode
from dagnb.notebook.registry import Registry
from dagnb.results import NodeResult
from dagnb.run.frontier import Countdown
from dagnb.run.growth import Growth
from dagnb.run.policies import Policy
from dagnb.run.records import Memory


@dataclass(frozen=True, slots=True)
class Families:
    """What the made nodes of a session are made from, and what there is to do when one goes.

    Attributes
    ----------
    registry : Registry
    withdraw : callable
        Takes back what a node published, given the node.
    new_output : callable
        Makes the place for a node's outputs.
    edited : callable
        Returns the event that tells of an edit, given who made it and what nodes are new.
    """

    registry: Registry
    withdraw: Callable[[NotebookNode], None]
    new_output: Callable[[], CellOutput]
    edited: Callable[[str, Sequence[str]], GraphEdited]
    _made_from: dict[str, tuple[object, ...]] = field(default_factory=dict)

    @property
    def are_there(self) -> bool:
        """Whether any node makes others."""
        return bool(self.registry.makers)

    def forget(self, parent: str) -> None:
        """Forget what the nodes of a family were made from: they are gone."""
        self._made_from.pop(parent, None)

    def renew(self, node: NotebookNode, result: NodeResult) -> Expansion | None:
        """Let a node have made what its value describes; return what that did to the graph.

        Nothing is done if its nodes are of that value already.

        Raises
        ------
        DefinitionError, CycleError
            The nodes cannot be; nothing was changed.
        """
        options = node.options
        made_from = result.digest, options.attempts, options.declared, options.cache
        if result.digest is not None and self._made_from.get(node.name) == made_from:
            return None
        made = children_of(node, result.result)
        had = {name: self.registry[name] for name in self.registry.children(node.name)}
        with self.registry.edit(), self.registry.lock:
            with self.registry.dag.adjacency.edited_by_its_run():
                done = self.registry.adopt(node.name, made, self.new_output)
            for name in had.keys() - made.keys():
                self.withdraw(had[name])
        self._made_from[node.name] = made_from
        return done


class Offspring(Growth):
    """Puts the nodes of families into a session's graph, memory and frontier, as they are born.

    The graph is edited before the node that makes them counts as settled: what cannot be made is
    that node's failure, and an interrupt in between loses nothing.

    Parameters
    ----------
    families : Families
    memory, frontier
        Those of the engine.
    causes : dict
        Why nodes run; new ones go there.
    """

    def __init__(
        self,
        families: Families,
        memory: Memory,
        frontier: Countdown,
        *,
        causes: MutableMapping[int, str],
    ) -> None:
        dag = families.registry.dag
        super().__init__(dag, {}, memory, frontier, policy=Policy(), causes=causes, limit=0)
        self._families = families

    def expand(self, result: NodeResult) -> Expansion | None:
        """Edit the graph by what a node's value makes; return what that did to it."""
        node = self._families.registry.nodes.get(str(result.name))
        if node is None or not node.options.expand:
            return None
        return self._families.renew(node, result)

    def apply(self, node: int, done: Expansion, running: Collection[int]) -> GraphEdited:
        """Let the run know of an edit, and return the event that says so."""
        by = str(self._dag.adjacency.names[node])
        self.take_in(done, running)
        ids = self._dag.adjacency.ids
        self._causes.update((ids[name], f"{by} made it") for name in done.added)
        return self._families.edited(by, NewNodes(done.added))
