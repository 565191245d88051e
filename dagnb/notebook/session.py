"""The live pipeline of one notebook: what is defined, what is current, and what runs next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

from dagnb.errors import DagError
from dagnb.events import Observer
from dagnb.notebook.aftermath import failures
from dagnb.notebook.background import Background, check_threads
from dagnb.notebook.capture import Shell
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.display import CellOutput
from dagnb.notebook.handle import BackgroundRun
from dagnb.notebook.lessons import Lessons
from dagnb.notebook.node import NodeOptions, NotebookNode
from dagnb.notebook.panel import Panel
from dagnb.notebook.plain_cells import PlainCells
from dagnb.notebook.planning import plan_of
from dagnb.notebook.rounds import Request
from dagnb.notebook.shown import Shown
from dagnb.notebook.status import status_table
from dagnb.notebook.verifying import Verdict
from dagnb.notebook.why import Why
from dagnb.observe.trace import ExecutionTrace
from dagnb.render.tree import tree
from dagnb.results import IncrementalResult, NodeResult
from dagnb.run.checks import check_workers
from dagnb.run.plan import Plan

NO_OPTIONS = NodeOptions()
NO_NODES = (
    "there are no nodes yet; start a cell with %%dag_node, or write @dag_node above a function"
)


class Session(Shown):
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
    lessons : Lessons
        Steps, a prediction, a schedule: what who learns is shown of the session.
    cells : PlainCells
        What is done before and after each cell.
    """

    def __init__(self, shell: Shell, namespace: MutableMapping[str, Any]) -> None:
        super().__init__(shell, namespace, Panel(self, shell))
        self.auto = True
        self.lessons = Lessons(self)
        self.cells = PlainCells(
            self,
            self._aftermath,
            self._staleness,
            self._one_run,
            loading=self._loading,
            drift=self._rounds.drift,
        )
        self._background = Background(
            shell, self.view, self._one_run, self.stage, self.cells.make_up
        )

    @property
    def observers(self) -> list[Observer]:
        """What is called with every event: add your own."""
        return self._announce.observers

    @property
    def workers(self) -> int:
        """How many nodes run side by side."""
        return self._runs.workers

    @workers.setter
    def workers(self, workers: int | None) -> None:
        number = check_workers(workers, "workers")
        if number > 1:
            check_threads()
        self._runs.workers = number

    @property
    def store(self) -> Path | None:
        """Where values are saved; set it to a folder, to True for the usual one, or to None."""
        return self.saving.folder

    @store.setter
    def store(self, folder: str | os.PathLike[str] | bool | None) -> None:
        self._one_run.wait()
        self.saving.use(folder)

    @property
    def running(self) -> bool:
        """Whether a run is going on."""
        return self._one_run.thread is not None

    @property
    def background(self) -> BackgroundRun | None:
        """The present or last run in the background."""
        return self._background.last

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
            Nothing has run yet, or a run is going on, and not in the background.
        """
        self._one_run.wait()
        return self._rounds.trace()

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
            A run is going on, and not in the background.
        """
        self._one_run.wait()
        self._lookout.mend()
        with self._registry.edit():
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
            A run is going on, and not in the background, or another node made it.
        """
        self._one_run.wait()
        self._lookout.mend()
        parent = self._registry[name].parent
        if parent:
            raise DagError(f"{name} is made by {parent}: change what that makes, or remove it")
        with self._registry.edit():
            self._remove_children(name)
            self._withdraw(self._lookout.remove(name))

    def make_manual(self, name: str, manual: bool = True) -> None:
        """Let a node run only when it is asked for, or again as its inputs change.

        It holds until its cell is executed, which says by ``--manual`` what it is to be.

        Raises
        ------
        NodeNotFoundError
            There is no such node.
        DagError
            A run is going on, and not in the background.
        """
        self._one_run.wait()
        node = self._registry[name]
        node.options = replace(node.options, manual=manual)

    def _remove_children(self, name: str) -> None:
        for child in self._registry.children(name):
            self._withdraw(self._lookout.remove(child))
        self._families.forget(name)

    # -- running ----------------------------------------------------------------------------

    @overload
    def run(
        self,
        names: Iterable[str] | None = None,
        *,
        fresh: bool = False,
        downstream: bool | None = None,
        background: Literal[False] = False,
    ) -> IncrementalResult: ...

    @overload
    def run(
        self,
        names: Iterable[str] | None = None,
        *,
        fresh: bool = False,
        downstream: bool | None = None,
        background: Literal[True],
    ) -> BackgroundRun: ...

    def run(
        self,
        names: Iterable[str] | None = None,
        *,
        fresh: bool = False,
        downstream: bool | None = None,
        background: bool = False,
    ) -> IncrementalResult | BackgroundRun:
        """Run what is stale: all of it, or of what given nodes need and what depends on them.

        It waits for a run in the background to end before it begins.

        Parameters
        ----------
        names : list of str, optional
            The nodes asked for; all by default.
        fresh : bool
            Run the nodes asked for even if nothing changed.
        downstream : bool, optional
            Whether what depends on them runs too; by default if `auto` is on.
        background : bool
            Whether to return at once. Nodes then run in threads, with the code that they have
            now, while other cells are executed.

        Returns
        -------
        IncrementalResult or BackgroundRun

        Raises
        ------
        NodeNotFoundError
            A name is unknown; nothing ran.
        DagError
            A run is going on; if this is for the background, also one in the background.
        KeyboardInterrupt
            The run was stopped; its ``result`` holds what was done.
        """
        ask = self._asking(names, fresh, downstream)
        if background:
            return self._background.begin(lambda: partial(self._runs.perform_apart, ask()))
        with self._one_run.begun():
            return self._runs.perform(ask())

    async def arun(
        self, names: Iterable[str] | None = None, *, fresh: bool = False
    ) -> IncrementalResult:
        """Run as `run` does, in the background, while the loop goes on.

        A coroutine that is cancelled while it awaits this, as a cell is by Stop, cancels the run.
        """
        handle = self.run(names, fresh=fresh, background=True)
        try:
            return await handle
        except BaseException:
            handle.cancel()
            raise

    def run_own(self, name: str, *, live: bool) -> IncrementalResult:
        """Run the node of the cell that is being executed, as `run` does; it shows there.

        Parameters
        ----------
        live : bool
            Whether what it prints appears while it runs.
        """
        ask = self._asking([name], False, None)
        with self._one_run.begun():
            return self._runs.perform(ask(), name, live=live)

    def _asking(
        self, names: Iterable[str] | None, fresh: bool, downstream: bool | None
    ) -> Callable[[], Request]:
        """Check the names; return what looks at the code, which only the one run may do."""
        targets, named = self._lookout.targets(names), names is not None
        below = (self.auto if downstream is None else downstream) or not named
        request = self._lookout.request
        return lambda: request(targets, named=named, fresh=fresh, downstream=below)

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

    def plan(self, names: Iterable[str] | None = None, *, fresh: bool = False) -> Plan:
        """Return what `run` with the same names would do, without doing it."""
        self._one_run.wait()
        targets = self._lookout.targets(names)
        scope = self._lookout.scope(targets, downstream=self.auto or names is None)
        causes = self._staleness.causes(scope)
        again = self.dag.numbers(targets, "names") if fresh else []
        causes.update(dict.fromkeys(again, "it is asked to run again"))
        held = self._waiting.held_back(targets if names is not None else [])
        earlier = self.saving.earlier() if self.gate.only_known else {}
        past = self.saving.took()
        return plan_of(
            self._registry, self._memory, causes, held, self.history, past=past, earlier=earlier
        )

    def verify(self, names: Iterable[str] | None = None, timeout: float | None = None) -> Verdict:
        """Run nodes again in processes of their own; say which do not come out the same.

        Nothing here is touched. What nodes write or send, they write and send again.

        Parameters
        ----------
        names : list of str, optional
            By default all that are not manual.
        timeout : float, optional
            Seconds for all runs together; what is not judged by then is listed. Ctrl-C ends it too.

        Raises
        ------
        NodeNotFoundError
            A name is unknown.
        DagError
            A run is going on.
        """
        self._one_run.wait()
        targets = self._lookout.targets(names)
        self.look()
        return self._answers.verify(targets, named=names is not None, timeout=timeout)

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
        with self._registry.lock:
            return self._answers.why(name, self.settled)

    def is_stale(self, name: str) -> bool:
        """Whether a node has no current value: it must run before its value can be trusted."""
        return name in self._staleness

    def stale(self) -> list[str]:
        """Return the nodes that are shown as stale: they have a value, and it is not current."""
        return [name for name, shown in self.view.nodes.items() if shown.status == "stale"]

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
        with self._registry.lock:
            return status_table(map(str, self.dag.topological_sort()), self.view, self._last)

    def show_again(self, name: str) -> None:
        """Show a node's outputs, or why it has none, below the cell that is being executed.

        It takes that cell for the node's own.
        """
        self._publisher.show_again(name, self.result(name))

    def __repr__(self) -> str:
        return tree(self.view) if self.nodes else NO_NODES

    def failures(self) -> list[str]:
        """Return a sentence for each node that failed in the last run."""
        return failures(self.settled.values(), self.nodes)
