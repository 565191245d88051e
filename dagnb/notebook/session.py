"""The live pipeline of one notebook: what is defined, what is current, and what runs next."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from dagnb.errors import CycleError, DagError
from dagnb.events import Observer
from dagnb.graph.dag import DAG
from dagnb.notebook.aftermath import Aftermath, failures, has_news
from dagnb.notebook.announcing import Announcer
from dagnb.notebook.answers import Answers
from dagnb.notebook.capture import Shell, proxies
from dagnb.notebook.cautions import Cautions
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.display import CellOutput
from dagnb.notebook.loading import Loading
from dagnb.notebook.lookout import Lookout
from dagnb.notebook.node import NodeOptions, NotebookNode
from dagnb.notebook.offspring import Families
from dagnb.notebook.panel import Panel
from dagnb.notebook.planning import plan_of
from dagnb.notebook.publishing import Publisher
from dagnb.notebook.registry import Registry
from dagnb.notebook.rounds import Hands, OneRun, Rounds
from dagnb.notebook.saving import Saving, store_folder
from dagnb.notebook.show import GraphDisplay
from dagnb.notebook.staleness import Staleness
from dagnb.notebook.status import status_table
from dagnb.notebook.tasks import Tasks
from dagnb.notebook.waiting import Waiting
from dagnb.notebook.why import Explain, Why
from dagnb.observe.text import run_summary
from dagnb.observe.trace import ExecutionTrace, trace_of
from dagnb.render.svg import svg
from dagnb.render.view import GraphView
from dagnb.results import IncrementalResult, NodeResult, NodeStatus
from dagnb.run.checks import check_workers
from dagnb.run.plan import Plan
from dagnb.run.policies import Fact
from dagnb.run.records import Memory, as_result

NO_OPTIONS = NodeOptions()
NO_NODES = (
    "there are no nodes yet; start a cell with %%dag_node, or write @dag_node above a function"
)


class Session:
    """The pipeline of a notebook.

    Everything that the magics do can be done here; `dagnb.session()` returns the notebook's.

    Parameters
    ----------
    shell : InteractiveShell
        Where nodes show what they print, and whose namespace holds their values.

    Attributes
    ----------
    auto : bool
        Whether what is downstream of a change runs at once; else it becomes stale.
    workers : int
        How many nodes run side by side, in threads; 1, as at first, is one after another on the
        thread that runs. Set it to None for as many as there are CPUs.
    saving : Saving
        What is kept for other kernels, and where.
    view : GraphView
        What the graph looks like now.
    cautions : Cautions
        What nodes may depend on unseen.
    """

    def __init__(self, shell: Shell, namespace: MutableMapping[str, Any]) -> None:
        self._shell = shell
        self._registry = Registry(namespace)
        self._memory = Memory(self.dag.adjacency)
        self._tasks = Tasks(self.nodes, shell, namespace)
        facts: dict[str, Fact] = {}
        self.saving = Saving(store_folder(shell, namespace), self._registry, facts)
        self._publisher = Publisher(
            shell, namespace, self._registry, self._tasks, facts=facts, saving=self.saving
        )
        self._loading = Loading(self.dag, self._memory, self._publisher.publish)
        self.saving.is_wanted = self._loading.is_wanted
        self._explain = Explain(self._registry.present, self.saving.take_miss)
        self._waiting = Waiting(self._registry)
        self._one_run = OneRun()
        self.cautions = Cautions(self.nodes, self._tasks.opened)
        self.auto = True
        self._workers = 1
        self.view = GraphView()
        panel = Panel(self, shell)
        self._display = GraphDisplay(shell, self.view, panel.details, panel.act)
        self._announce = Announcer(self._registry, [self.view, self._display])
        self._staleness = Staleness(self.dag, self._memory, self.view, self._announce)
        self._answers = Answers(
            self._registry, self._staleness, self._explain, self.cautions, last=self._last
        )
        self._families = Families(
            self._registry, self._withdraw, lambda: CellOutput(shell), self._announce.edited
        )
        self._rounds = Rounds(
            self._registry,
            self._tasks,
            self._memory,
            self._staleness,
            waiting=self._waiting,
            explain=self._explain,
            facts=facts,
            last=self._last,
            families=self._families,
            values=self.saving,
            loading=self._loading,
        )
        self._aftermath = Aftermath(
            self._registry, self._staleness, self._waiting, self._publisher, last=self._last
        )
        self._lookout = Lookout(self._registry, self._staleness, self._aftermath, self._announce)

    @property
    def observers(self) -> list[Observer]:
        """What is called with every event: add your own."""
        return self._announce.observers

    @property
    def dag(self) -> DAG:
        """The graph: edit it by defining and removing nodes, not directly."""
        return self._registry.dag

    @property
    def nodes(self) -> Mapping[str, NotebookNode]:
        """The nodes by name, in the order of definition."""
        return self._registry.nodes

    @property
    def workers(self) -> int:
        """How many nodes run side by side."""
        return self._workers

    @workers.setter
    def workers(self, workers: int | None) -> None:
        self._workers = check_workers(workers, "workers")

    @property
    def store(self) -> Path | None:
        """Where values are saved; set it to a folder, to True for the usual one, or to None."""
        return self.saving.folder

    @store.setter
    def store(self, folder: str | os.PathLike[str] | bool | None) -> None:
        self.saving.use(folder)

    @property
    def running(self) -> bool:
        """Whether a run is going on."""
        return self._one_run.thread is not None

    @property
    def last_run(self) -> IncrementalResult | None:
        """What every node was after the last run; None before the first one."""
        return self._rounds.last_run

    @property
    def settled(self) -> Mapping[str, NodeResult]:
        """What became of the nodes that the last run looked at, in the order it did."""
        return self._rounds.settled

    def trace(self) -> ExecutionTrace:
        """Return the last run as a timeline, with a lane for each worker.

        Raises
        ------
        DagError
            Nothing has run yet, or a run is going on.
        """
        self._one_run.check_none()
        if self.last_run is None:
            raise DagError("nothing has run yet, so there is nothing to trace; %dag run")
        return trace_of(self.last_run, self.settled.values(), self._rounds.began)

    def __getitem__(self, name: str) -> Any:
        """Return the current value of a node."""
        self.check_name(name)
        self.load([name])
        last = self.result(name)
        if not last.status.is_success:
            raise DagError(f"node {name!r} has no value; %dag why {name} says why")
        return last.result

    # -- defining ---------------------------------------------------------------------------

    def define(
        self, code: NodeCode, options: NodeOptions = NO_OPTIONS, cell_id: str | None = None
    ) -> NotebookNode:
        """Register a node, or register it anew; nothing runs.

        Raises
        ------
        CycleError, DefinitionError
            The definition is refused, and the one before stays in force.
        DagError
            A run is going on.
        """
        self._one_run.check_none()
        known = self.nodes.get(code.name)
        node = self._registry.put(code, options, cell_id, lambda: CellOutput(self._shell))
        self._announce.structure()
        if known is None or known.digest.digest != node.digest.digest:
            self._lookout.mark_stale([code.name], "its code changed")
        elif known.identity != node.identity:
            self._lookout.mark_stale([code.name], "its condition changed")
        if not options.expand:
            self._remove_children(code.name)
        return node

    def remove(self, name: str) -> None:
        """Remove a node; what depends on it waits for its name to be defined again.

        Raises
        ------
        NodeNotFoundError
            There is no such node.
        DagError
            A run is going on, or another node made it.
        """
        self._one_run.check_none()
        parent = self._registry[name].parent
        if parent:
            raise DagError(f"{name} is made by {parent}: change what that makes, or remove it")
        self._remove_children(name)
        self._withdraw(self._lookout.remove(name))

    def _remove_children(self, name: str) -> None:
        for child in self._registry.children(name):
            self._withdraw(self._lookout.remove(child))
        self._families.forget(name)

    def _withdraw(self, node: NotebookNode) -> None:
        """Take back what a node that is gone published, and forget it."""
        self._publisher.withdraw(node.name, node.output)
        for each in (self._tasks, self._rounds, self._waiting, self._explain):
            each.forget(node.name)

    # -- running ----------------------------------------------------------------------------

    def run(
        self,
        names: Iterable[str] | None = None,
        *,
        fresh: bool = False,
        downstream: bool | None = None,
        own: str | None = None,
        live: bool = False,
    ) -> IncrementalResult:
        """Run what is stale: all of it, or of what given nodes need and what depends on them.

        Parameters
        ----------
        names : list of str, optional
            The nodes asked for; all by default.
        fresh : bool
            Run the nodes asked for even if nothing changed.
        downstream : bool, optional
            Whether what depends on them runs too; by default if `auto` is on.
        own : str, optional
            The node whose cell is being executed: its outputs appear there.
        live : bool
            Whether they appear while it runs.

        Returns
        -------
        IncrementalResult

        Raises
        ------
        NodeNotFoundError
            A name is unknown; nothing ran.
        KeyboardInterrupt
            The run was stopped; its ``result`` holds what was done.
        """
        targets = self._lookout.targets(names)
        downstream = (self.auto if downstream is None else downstream) or names is None
        with self._one_run.begun():
            request = self._lookout.request(
                targets, named=names is not None, fresh=fresh, downstream=downstream
            )
            self._publisher.own = own
            self._tasks.begin([own] if own is not None and live else [])
            observers: list[Observer] = [self._announce, self._publisher]
            try:
                with proxies(self._shell):
                    return self._rounds.run(request, observers, Hands(self._workers))
            finally:
                self._publisher.own = None
                self._staleness.show()

    def load(self, names: Iterable[str]) -> None:
        """Load values that are still in the store; one that cannot be used is computed again."""
        lost = self._loading.fetch(names)
        for name, reason in lost.items():
            self._staleness.mark([name], reason)
        if lost:
            self.run(lost, fresh=True)

    def look(self, names: Iterable[str] | None = None) -> list[str]:
        """Look at the code of nodes and what it reads; return those that became stale.

        Raises
        ------
        CycleError
            A helper function was changed so that a node depends on itself.
        """
        return self._lookout.look(names)

    def plan(self, names: Iterable[str] | None = None) -> Plan:
        """Return what `run` with the same names would do, without doing it."""
        self._one_run.check_none()
        targets = self._lookout.targets(names)
        scope = self._lookout.scope(targets, downstream=self.auto or names is None)
        causes = self._staleness.causes(scope)
        held = self._waiting.held_back(targets if names is not None else [])
        return plan_of(self._registry, self._memory, causes, held)

    # -- asking -----------------------------------------------------------------------------

    def why(self, name: str) -> Why:
        """Say why a node ran last, or why it did not, with the evidence.

        Raises
        ------
        NodeNotFoundError
            There is no such node.
        """
        self.check_name(name)
        if not self.running and not self._registry.missing(name):
            self.look([name])
        return self._answers.why(name, self.settled)

    def is_stale(self, name: str) -> bool:
        """Whether a node has no current value: it must run before its value can be trusted."""
        return name in self._staleness

    def stale(self) -> list[str]:
        """Return the nodes that are shown as stale: they have a value, and it is not current."""
        return [name for name, shown in self.view.nodes.items() if shown.status == "stale"]

    def result(self, name: str) -> NodeResult:
        """Return what happened to a node the last time anything did."""
        self.check_name(name)
        return self._last(name) or NodeResult(name, NodeStatus.PENDING, changed=False)

    def svg(self) -> str:
        """Return the graph as it is now, as a picture."""
        return svg(self.view)

    def source(self, name: str) -> str:
        """Return the source of a node as typed."""
        return self._registry[name].code.source

    def of_cell(self, cell_id: str | None) -> list[str]:
        """Return the nodes that a cell defined."""
        return self._registry.of_cell(cell_id)

    def check_name(self, name: str) -> None:
        """Raise ``NodeNotFoundError`` unless a node has this name."""
        self._registry[name]

    def status(self) -> str:
        """Return a table: each node, what happened to it last, how long it took, and why."""
        return status_table(map(str, self.dag.topological_sort()), self.view, self._last)

    def show(self) -> None:
        """Show the live graph below the cell that is being executed."""
        self._display.show()

    def show_again(self, name: str) -> None:
        """Show a node's outputs, or why it has none, below the cell that is being executed.

        It takes that cell for the node's own.
        """
        self._publisher.show_again(name, self.result(name))

    def follow(self) -> None:
        """Bring still pictures of the graph up to date; called at the end of every cell."""
        self._display.follow()

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return self.status() if self.nodes else NO_NODES

    # -- what cells change ------------------------------------------------------------------

    def before_cell(self, source: str) -> None:
        """Before a plain cell: load the values that it may read."""
        self.load(self._loading.mentioned(source))

    def after_cell(self, names: Iterable[str], *, run: bool) -> list[str]:
        """After a plain cell: find what it changed, and run the nodes that read it.

        Parameters
        ----------
        names : iterable of str
            The names the cell mentions.
        run : bool
            False for a cell that failed: what became stale runs after the next one.

        Returns
        -------
        list of str
            A sentence for each thing to tell.
        """
        self._publisher.tidy(self._loading.deferred())
        notices = self._aftermath.check_values(names)
        try:
            self.look()
        except CycleError as error:
            notices.append(f"{type(error).__name__}: {error}")
        self._staleness.show()
        if run and (due := self._aftermath.take_due()) and self.auto:
            result = self.run(due)
            if has_news(self.settled.values()):
                took = result.total_duration_seconds
                notices.append(f"because of this cell: {run_summary(self.settled.values(), took)}")
            notices += self.failures()
        return notices

    def failures(self) -> list[str]:
        """Return a sentence for each node that failed in the last run."""
        return failures(self.settled.values(), self.nodes)

    def _last(self, name: str) -> NodeResult | None:
        """Return the last record of a node as a result."""
        self._memory.catch_up()
        node = self.dag.number(name)
        last = self._memory.records[node]
        return None if last is None else as_result(name, last)
