"""How a node of a run brings forth more nodes, without the run starting anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping
from typing import TYPE_CHECKING, Any

from dagnb.errors import ExpansionError
from dagnb.events import GraphEdited, Lazy
from dagnb.graph.dag import DAG
from dagnb.graph.edit import Edit, Expansion, NewNodes
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.frontier import Countdown
from dagnb.run.policies import Policy
from dagnb.run.records import RUN, Memory, Record, as_result

if TYPE_CHECKING:
    from dagnb.run.engine import Engine


class Growth:
    """Asks a policy for more nodes, and puts them into graph, memory and frontier.

    An expansion costs what it adds: no order is computed and nothing is copied.

    Parameters
    ----------
    dag : DAG
        Edited in place.
    tasks : dict
        The run's tasks; those of new nodes go there.
    memory, frontier
        Those of the engine. The frontier may be one over what a change can reach.
    policy : Policy
        Asked what each node brings forth.
    causes : dict
        Why nodes run; new ones go there.
    limit : int
        How many nodes may be added in all.
    anew : callable, optional
        Returns an engine of the whole run, in the graph as it was before.

    Attributes
    ----------
    anew : callable or None
        As given.
    late : set of int
        The nodes that had started before an edit gave them, or something above them, an input.
    """

    def __init__(
        self,
        dag: DAG,
        tasks: MutableMapping[str, Callable[..., Any]],
        memory: Memory,
        frontier: Countdown,
        *,
        policy: Policy,
        causes: MutableMapping[int, str],
        limit: int,
        anew: Callable[[], Engine] | None = None,
    ) -> None:
        self.anew = anew
        self._dag = dag
        self._tasks = tasks
        self._memory = memory
        self._frontier = frontier
        self._policy = policy
        self._causes = causes
        self._limit = limit
        self._added = 0
        self._first = len(dag.adjacency.names), len(dag.adjacency.edited)
        self.late: set[int] = set()

    def touched(self) -> list[int]:
        """Return the nodes that are new in this run, or have other inputs than before it."""
        graph, (node, edit) = self._dag.adjacency, self._first
        found = {*range(node, len(graph.names)), *graph.edited[edit:]}
        return [each for each in found if graph.ids.get(graph.names[each]) == each]

    def ask(self, node: int, settled: Record) -> tuple[Record, Any]:
        """Ask for more nodes; if that raises, the node has failed."""
        result = as_result(self._dag.adjacency.names[node], settled)
        try:
            return settled, self.expand(result)
        except (Exception, SystemExit) as error:
            run, _, how, started, ended = settled
            reason = how.reason and f"{how.reason}; the nodes it makes were refused"
            failed = how._replace(
                status=NodeStatus.FAILED, changed=True, error=error, reason=reason, digest=None
            )
            return (run, None, failed, started, ended), None

    def expand(self, result: NodeResult) -> Any:
        """Return what a node's value brings forth, for `apply`, or None."""
        return self._policy.expand(result)

    def apply(self, node: int, modification: Any, running: Collection[int]) -> GraphEdited:
        """Edit the graph, and return the event that says so.

        Raises
        ------
        GraphError, TypeError
            The modification is refused; nothing has changed.
        """
        graph = self._dag.adjacency
        by = graph.names[node]
        edit = Edit(self._dag, by, modification)
        self._check(by, edit, running)
        with graph.edited_by_its_run():
            expansion = edit.apply()
        self._added += len(edit.specs)
        self._hand_over_tasks(edit)
        self.take_in(expansion, running)
        self._causes.update((graph.ids[name], f"added by {by}") for name in expansion.added)
        new = NewNodes(expansion.added, edit.specs, edit.removed)
        edges = Lazy(lambda: [(str(source), str(target)) for source, target in self._dag.edges()])
        return GraphEdited(Lazy(lambda: list(map(str, self._dag))), edges, by=str(by), added=new)

    def _check(self, by: str, edit: Edit, running: Collection[int]) -> None:
        """Refuse a runaway expansion, and one that comes too late for a node."""
        if self._added + len(edit.specs) > self._limit:
            reason = f"the run would add more than max_dynamic_nodes={self._limit} nodes"
            raise ExpansionError(by, reason)
        ids = self._dag.adjacency.ids
        for name in edit.touched():
            if self._has_started(ids[name], running):
                edit.check_cycles()  # the truer reason, where it is one
                raise ExpansionError(
                    by,
                    f"node {name!r} has already started; only one that has not can be removed "
                    "or get a new input",
                )

    def _hand_over_tasks(self, edit: Edit) -> None:
        for name in edit.removed:
            self._tasks.pop(name, None)
        for spec in edit.specs:
            self._tasks[str(spec.name)] = spec.task

    def take_in(self, expansion: Expansion, running: Collection[int]) -> None:
        """Let memory, binder and frontier know of an edit; what it comes too late for is stale."""
        ids = self._dag.adjacency.ids
        gone = {source for source, _ in expansion.cut} | {target for _, target in expansion.cut}
        self._memory.grow()
        self._memory.binder.grow([*gone, *(target for _, target in expansion.edges)])
        late = self._frontier.follow(
            [ids[name] for name in expansion.added],
            expansion.edges,
            expansion.gone,
            expansion.cut,
            has_started=lambda node: self._has_started(node, running),
        )
        self._memory.stale.update(late)
        self.late |= late

    def _has_started(self, node: int, running: Collection[int]) -> bool:
        last = self._memory.records[node]
        return node in running or (last is not None and last[RUN] == self._memory.run)
