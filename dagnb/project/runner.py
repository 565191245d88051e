"""The runner of a manifest: what changed runs, in order, and every result is kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dagnb.errors import ManifestError, StateWarning, did_you_mean
from dagnb.events import Event, NodeSettled, NodeStarted, Observer
from dagnb.observe.hooks import HookRegistry
from dagnb.project.backends import StateBackend
from dagnb.project.diff import ManifestDiff
from dagnb.project.keep import Keep, loaded
from dagnb.project.kinds import KINDS
from dagnb.project.manifest import Manifest
from dagnb.project.planning import planned
from dagnb.project.progress import ProgressLines
from dagnb.project.select import Names, Selection, refuse_what_cannot_run, select
from dagnb.project.state import DEFAULT_FOLDER, State, backend_for, claimed
from dagnb.project.summary import (
    ExecutionSummary,
    NodeOutcome,
    Write,
    outcome_of,
    print_plan_lines,
)
from dagnb.project.work import Custom, Executor, Work
from dagnb.results import ExecutionResult
from dagnb.run.checks import check_limits, check_workers
from dagnb.run.drive import Interrupted, drive_inline, drive_threads
from dagnb.run.engine import Engine
from dagnb.run.executors import observers_for
from dagnb.run.limits import CancelEvent
from dagnb.run.records import Memory
from dagnb.tasks import Task
from dagnb.values.signature import signing_key
from dagnb.values.store import Store
from dagnb.warning import warn

VALUES = "values"
BACKOFF_SECONDS = 0.5


class DAGRunner:
    """Runs what has changed in a manifest since its nodes last ran, and what reads that.

    A node runs if it is new, if its configuration, code, file or edges are others, if an input
    came out different, or if its last run failed. What decides is the state in ``state_dir``;
    it is saved after each node.

    Parameters
    ----------
    manifest : Manifest
    old_manifest : Manifest, optional
        An earlier one, for the reasons that the plan and the results give.
    state_dir : path, optional
        ``target/state`` by default. Holds the state and the values of nodes.
    backend : StateBackend, optional
        Keeps the state elsewhere than in a file in ``state_dir``, where the values stay.
    hooks : HookRegistry, optional
        As for `DAGExecutor`.
    observers : sequence of callable
        Told of every event of a run.
    root : path, optional
        Where relative paths of configurations begin; the working directory by default.

    Attributes
    ----------
    diff : ManifestDiff or None
        What differs from the old manifest.
    summary : ExecutionSummary or None
        That of the last run, interrupted or not.

    Examples
    --------
    >>> import tempfile
    >>> manifest = Manifest.from_dict({"nodes": {"query.a": {"type": "query"}}})
    >>> runner = DAGRunner(manifest, state_dir=tempfile.mkdtemp())
    >>> @runner.register("query")
    ... def execute_query(node):
    ...     return {"row_count": 100}
    >>> runner.run(progress=False)["query.a"].row_count
    100
    >>> runner.run(progress=False).cached_nodes
    1
    """

    def __init__(
        self,
        manifest: Manifest,
        old_manifest: Manifest | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        *,
        backend: StateBackend | None = None,
        hooks: HookRegistry | None = None,
        observers: Sequence[Observer] = (),
        root: str | os.PathLike[str] | None = None,
    ) -> None:
        for option, given in (("manifest", manifest), ("old_manifest", old_manifest)):
            if not isinstance(given, Manifest) and (given is not None or option == "manifest"):
                raise TypeError(f"{option} is a Manifest, not {given!r}; see Manifest.load")
        self.manifest = manifest
        self.diff = None if old_manifest is None else ManifestDiff(old_manifest, manifest)
        self.state_dir = Path(state_dir or DEFAULT_FOLDER)
        self._backend = backend_for(self.state_dir, backend)
        self._hooks = hooks
        self._observers = list(observers)
        self._root = Path(root or ".")
        self._executors: dict[str, Executor] = {}
        self.summary: ExecutionSummary | None = None

    # -- kinds ------------------------------------------------------------------------------

    def register(self, kind: str, executor: Executor | None = None) -> Any:
        """Teach the runner a kind of node, or another way to run one; also as a decorator.

        Parameters
        ----------
        kind : str
            The type of the nodes.
        executor : callable
            Takes the `ManifestNode` or, with two parameters, also the values of its inputs by
            name. A mapping that it returns is a report of what it did (``row_count``,
            ``metadata``), and what is below runs whenever it ran. Anything else is the value of
            the node, and what is below runs if that has changed.
        """
        if executor is None:
            return partial(self.register, kind)
        if not callable(executor):
            raise TypeError(f"the executor of the kind {kind!r} is not callable: {executor!r}")
        self._executors[str(kind)] = executor
        return executor

    @property
    def kinds(self) -> list[str]:
        """The kinds that the runner knows."""
        return [*KINDS, *(kind for kind in self._executors if kind not in KINDS)]

    def _works(self) -> dict[str, Work]:
        """Return what each node does; refuse what cannot work."""
        works = {name: self._work(name) for name in self.manifest.nodes}
        for work in works.values():
            work.check()
        return works

    def _work(self, name: str) -> Work:
        node = self.manifest.nodes[name]
        above = {each: self.manifest.nodes[each] for each in self.manifest.upstream(name)}
        executor = self._executors.get(node.type)
        if executor is not None:
            return Custom(node, above, self._root, executor)
        if node.type not in KINDS:
            raise ManifestError(
                f"nodes[{name!r}].type",
                f"there is no kind {node.type!r}{did_you_mean(node.type, self.kinds)}; "
                "runner.register teaches others",
            )
        return KINDS[node.type](node, above, self._root)

    # -- running ----------------------------------------------------------------------------

    def run(  # noqa: PLR0917  # the order is the contract
        self,
        full: bool = False,
        dry_run: bool = False,
        node_types: Names = None,
        nodes: Names = None,
        exclude_tags: Names = None,
        continue_on_error: bool = False,
        retry: int = 0,
        *,
        tags: Names = None,
        downstream: bool = True,
        timeout: float | None = None,
        jobs: int = 1,
        backoff: float = BACKOFF_SECONDS,
        cancel_event: CancelEvent | None = None,
        progress: bool | Write = True,
    ) -> ExecutionSummary:
        """Run what is selected and not up to date, with what that needs.

        Parameters
        ----------
        full : bool
            Run all that is selected, up to date or not.
        dry_run : bool
            Only print the plan; the summary says what would run.
        node_types, nodes, tags, exclude_tags : list of str, optional
            See `select`: ``nodes`` takes names or ids, adds what is below, and runs all of it.
        downstream : bool
            Whether what is below ``nodes`` is added.
        continue_on_error : bool
            After a failure go on with what does not depend on it.
        retry : int
            How often a node that fails is tried again.
        timeout : float, optional
            Seconds for one attempt of a node.
        jobs : int
            How many nodes run at once.
        backoff : float
            Seconds before the first retry; each later wait is twice as long.
        cancel_event : threading.Event, optional
            Once it is set, running nodes end and no more are started.
        progress : bool or callable
            Whether to print a line when a node starts and ends; or what to give these lines to.

        Raises
        ------
        ManifestError, SelectionError, SqlError
            Something cannot run; nothing has.
        StateInUseError
            Another run uses the state; it says which.
        KeyboardInterrupt
            Ctrl-C arrived. What had ended is in the state.
        """
        selection = self._select(full, node_types, nodes, tags, exclude_tags, downstream=downstream)
        works, write = self._works(), print if progress is True else (progress or None)
        if dry_run:
            steps = self._plan(selection, works)
            if write is not None:
                print_plan_lines(steps, self.manifest.nodes, write)
            return ExecutionSummary(steps)
        check_limits(None, cancel_event)
        workers = check_workers(jobs, "jobs")
        tasks = {
            name: _task(work, retries=retry, timeout=timeout, backoff=backoff)
            for name, work in works.items()
        }
        with claimed(self.state_dir):
            keep, state = self._keep(selection, works)
            refuse_what_cannot_run(
                selection, self.manifest, lambda name: keep.last(name) is not None
            )
            state.keep_only(self.manifest.nodes)
            return self._drive(
                keep,
                state,
                tasks,
                workers=workers,
                write=write,
                cancel_event=cancel_event,
                fail_fast=not continue_on_error,
            )

    def _drive(
        self,
        keep: Keep,
        state: State,
        tasks: Mapping[str, Callable[..., Any]],
        *,
        workers: int,
        write: Write | None,
        cancel_event: CancelEvent | None,
        fail_fast: bool,
    ) -> ExecutionSummary:
        dag = self.manifest.dag
        memory = Memory(dag.adjacency)
        memory.catch_up()
        observers: list[Observer] = [partial(self._tell, state), *self._observers]
        observers += observers_for(dag, None, hooks=self._hooks)
        observers += [] if write is None else [ProgressLines(self.manifest.nodes, write)]
        engine = Engine(tasks, memory, memory.scan(None), [keep], observers, fail_fast=fail_fast)
        try:
            if workers == 1 and cancel_event is None:
                result = drive_inline(engine, ExecutionResult)
            else:
                result = drive_threads(engine, ExecutionResult, workers, cancel_event=cancel_event)
        except Interrupted as interrupt:
            self.summary = self._summary(interrupt.result, state)
            raise
        self.summary = self._summary(result, state)
        return self.summary

    def _summary(self, result: ExecutionResult, state: State) -> ExecutionSummary:
        outcomes = [self._outcome(each, state) for each in result.node_results.values()]
        return ExecutionSummary(outcomes, result.total_duration_seconds, result.stopped)

    @staticmethod
    def _outcome(result: Any, state: State) -> NodeOutcome:
        return outcome_of(result, state.nodes.get(str(result.name)))

    # -- events -----------------------------------------------------------------------------

    def _tell(self, state: State, event: Event) -> None:
        if isinstance(event, NodeStarted):
            self.on_node_start(str(event.name))
        elif isinstance(event, NodeSettled):
            self.on_node_complete(str(event.result.name), self._outcome(event.result, state))

    def on_node_start(self, node_id: str) -> None:
        """Do nothing; a subclass may do something when a node starts."""

    def on_node_complete(self, node_id: str, result: NodeOutcome) -> None:
        """Do nothing; a subclass may do something when a node has settled, run or not."""

    # -- looking ahead ----------------------------------------------------------------------

    def print_plan(
        self,
        full: bool = False,
        node_types: Names = None,
        nodes: Names = None,
        exclude_tags: Names = None,
        *,
        tags: Names = None,
        write: Write = print,
    ) -> None:
        """Print what `run` would do to each node, and why; nothing runs."""
        steps = self.plan(full, node_types, nodes, exclude_tags, tags=tags)
        print_plan_lines(steps, self.manifest.nodes, write)

    def plan(
        self,
        full: bool = False,
        node_types: Names = None,
        nodes: Names = None,
        exclude_tags: Names = None,
        *,
        tags: Names = None,
    ) -> list[NodeOutcome]:
        """Return what `run` would do to each node, dependencies first.

        Nodes that would run are PENDING, unless an input that runs comes out the same.
        """
        selection = self._select(full, node_types, nodes, tags, exclude_tags)
        return self._plan(selection, self._works())

    def _plan(self, selection: Selection, works: Mapping[str, Work]) -> list[NodeOutcome]:
        keep, state = self._keep(selection, works)
        refuse_what_cannot_run(selection, self.manifest, lambda name: keep.last(name) is not None)
        reasons = {} if self.diff is None else self.diff.reasons
        return planned(self.manifest, keep, state, reasons)

    def _select(
        self,
        full: bool,
        node_types: Names,
        nodes: Names,
        tags: Names,
        exclude_tags: Names,
        *,
        downstream: bool = True,
    ) -> Selection:
        return select(
            self.manifest, nodes, node_types, tags, exclude_tags,
            full=full, downstream=downstream, kinds=self.kinds,
        )  # fmt: skip

    def _keep(self, selection: Selection, works: Mapping[str, Work]) -> tuple[Keep, State]:
        state = State(self._backend)
        store = Store(self.state_dir / VALUES, signing_key(), _warn)
        return Keep(works, state, store, selection), state


def _task(work: Work, **options: Any) -> Task:
    def perform(**inputs: Any) -> Any:
        return work.run({name: loaded(value) for name, value in inputs.items()})

    return Task(perform, name=work.node.id, tags=work.node.tags, **options)


def _warn(sentence: str) -> None:
    warn(sentence, StateWarning)
