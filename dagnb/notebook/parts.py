"""What a session is made of, put together once."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from dagnb.events import Observer
from dagnb.graph.dag import DAG
from dagnb.notebook.aftermath import Aftermath
from dagnb.notebook.announcing import Announcer
from dagnb.notebook.answers import Answers
from dagnb.notebook.background import check_threads
from dagnb.notebook.capture import Output, Shell
from dagnb.notebook.cautions import Cautions
from dagnb.notebook.display import CellOutput
from dagnb.notebook.gate import Gate
from dagnb.notebook.loading import Loading
from dagnb.notebook.lookout import Lookout
from dagnb.notebook.node import NotebookNode
from dagnb.notebook.offspring import Families
from dagnb.notebook.one_run import OneRun
from dagnb.notebook.panel import Panel
from dagnb.notebook.publishing import Publisher
from dagnb.notebook.registry import Registry
from dagnb.notebook.restless import Restless
from dagnb.notebook.rounds import Rounds
from dagnb.notebook.runs import Runs
from dagnb.notebook.saving import Saving, store_folder
from dagnb.notebook.show import GraphDisplay
from dagnb.notebook.stage import Stage
from dagnb.notebook.staleness import Staleness
from dagnb.notebook.tasks import Tasks
from dagnb.notebook.waiting import Waiting
from dagnb.notebook.why import Explain
from dagnb.observe.history import History
from dagnb.render.picture import Picture
from dagnb.render.recording import Recorder
from dagnb.render.view import GraphView
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.backends import Chosen
from dagnb.run.policies import Fact
from dagnb.run.records import Memory, as_result
from dagnb.run.remote.cluster import CLUSTERS
from dagnb.tasks import Options, check_backend


class Parts:
    """The parts of a session, each of which knows only those that it is given.

    Parameters
    ----------
    shell : InteractiveShell
    namespace : dict
        The notebook's variables.
    panel : Panel
        Answers the live graph.

    Attributes
    ----------
    saving : Saving
        What is kept for other kernels, and where.
    view : GraphView
        What the graph looks like now.
    history : History
        How long nodes took in their last runs.
    cautions : Cautions
        What nodes may depend on unseen.
    restless : Restless
        Which nodes change what they read.
    stage : Stage
        The cell that is being executed.
    gate : Gate
        What may start when nobody is there to click.
    """

    def __init__(self, shell: Shell, namespace: MutableMapping[str, Any], panel: Panel) -> None:
        self._shell = shell
        self._panel = panel
        self._registry = Registry(namespace)
        self._memory = Memory(self.dag.adjacency)
        self._tasks = Tasks(self.nodes, shell, namespace)
        facts: dict[str, Fact] = {}
        self.saving = Saving(store_folder(shell, namespace), self._registry, facts)
        self._publisher = Publisher(
            shell, namespace, self._registry, self._tasks, facts=facts, saving=self.saving
        )
        self._one_run = OneRun()
        self.gate = Gate(self.nodes)
        self._loading = Loading(self.dag, self._memory, self._publisher, self._one_run)
        self.saving.is_wanted = self._loading.is_wanted
        self._explain = Explain(self._registry.present, self.saving.take_miss)
        self._waiting = Waiting(self._registry)
        self.cautions = Cautions(self.nodes, self._tasks.opened)
        self.view = GraphView()
        self._display = GraphDisplay(
            shell,
            self.view,
            details=panel.details,
            act=panel.act,
            record=panel.record,
            teach=panel.lesson,
        )
        self._recorder = Recorder(self.view)
        self.history = History()
        watching: list[Observer] = [self._recorder, self.history, self._display]
        self._announce = Announcer(self._registry, watching)
        self._staleness = Staleness(self.dag, self._memory, self.view, self._announce)
        self.restless = Restless(self._registry)
        parts = self._tasks, self._staleness, self._explain, self.cautions
        self._answers = Answers(self._registry, *parts, restless=self.restless, last=self._last)
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
            gate=self.gate,
        )
        self._aftermath = Aftermath(
            self._registry, self._staleness, self._waiting, self._publisher, last=self._last
        )
        self._lookout = Lookout(self._registry, self._staleness, self._aftermath, self._announce)
        self.stage = Stage()
        self._runs = Runs(
            shell,
            self._tasks,
            self._rounds,
            self._publisher,
            self._staleness,
            self.stage,
            self._announce,
            self._recorder,
            self._display.follow,
        )

    @property
    def picture(self) -> Picture:
        """How the graph is looked at: what is folded, around which node, in which direction."""
        return self._display.picture

    @property
    def dag(self) -> DAG:
        """The graph: edit it by defining and removing nodes, not directly."""
        return self._registry.dag

    @property
    def nodes(self) -> Mapping[str, NotebookNode]:
        """The nodes by name, in the order of definition."""
        return self._registry.nodes

    @property
    def attempts(self) -> Options:
        """The timeout and the retries of nodes that say nothing of them; set it before they run."""
        return self._tasks.attempts

    @attempts.setter
    def attempts(self, attempts: Options) -> None:
        self._tasks.attempts = attempts

    @property
    def backend(self) -> Chosen:
        """Who performs nodes that do not say otherwise: what `DAGExecutor` takes."""
        return self._runs.backend or "threads"

    @backend.setter
    def backend(self, backend: Chosen) -> None:
        check_backend(backend)
        is_here = backend in (None, "threads", "inline")
        if not is_here:
            check_threads()
        self._runs.backend = None if is_here else backend

    @property
    def cluster(self) -> str:
        """The address of the cluster of Dask that nodes may run on; empty if there is none."""
        present = CLUSTERS.present()
        return "" if present is None else present.address

    def result(self, name: str) -> NodeResult:
        """Return what happened to a node the last time anything did."""
        self._registry[name]  # raises if there is no such node
        return self._last(name) or NodeResult(name, NodeStatus.PENDING, changed=False)

    def outputs(self, name: str) -> list[Output]:
        """Return what belongs below the cell of a node, as in a notebook file."""
        return self._publisher.outputs(name, self.result(name))

    def _last(self, name: str) -> NodeResult | None:
        """Return the last record of a node as a result."""
        self._memory.catch_up()
        node, records = self.dag.number(name), self._memory.records
        last = records[node] if node < len(records) else None  # it is being born
        return None if last is None else as_result(name, last)

    def _withdraw(self, node: NotebookNode) -> None:
        """Take back what a node that is gone published, and forget it."""
        self._publisher.withdraw(node.name, node.output)
        for each in (self._tasks, self._rounds, self._waiting, self._explain):
            each.forget(node.name)
