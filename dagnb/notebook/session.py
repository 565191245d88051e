"""The live pipeline of one notebook: what is defined, what is current, and what runs next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from dagnb.errors import DagError, NodeNotFoundError
from dagnb.events import Event, GraphEdited, NodeSettled, NodesStale, Observer
from dagnb.graph.dag import DAG
from dagnb.notebook.capture import Output, Shell
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.display import CellOutput, format_value, value_outputs, without_twins
from dagnb.notebook.performing import NodeTask, Performance
from dagnb.notebook.registry import NodeOptions, NotebookNode, Registry
from dagnb.notebook.show import GraphDisplay
from dagnb.notebook.tracebacks import error_output
from dagnb.notebook.why import Explain, Why
from dagnb.observe.text import seconds, table
from dagnb.render.svg import svg
from dagnb.render.view import GraphView
from dagnb.results import IncrementalResult, NodeResult, NodeStatus
from dagnb.run.call import Binder
from dagnb.run.drive import drive_inline
from dagnb.run.engine import Engine
from dagnb.run.frontier import Scan
from dagnb.run.plan import Plan, make_plan
from dagnb.run.policies import Fact, Guard, Inputs, Policy, Remember, was_changed
from dagnb.run.records import Memory
from dagnb.values.code import CodeDigest
from dagnb.values.fingerprint import digest
from dagnb.values.store import MemoryStore
from dagnb.values.walk import combine

NO_OPTIONS = NodeOptions()


class Waiting(Policy):
    """Skips a node that needs a name which nothing defines yet.

    Attributes
    ----------
    names : set of str
        The nodes that wait.
    """

    def __init__(self, missing: Callable[[str], list[str]]) -> None:
        self._missing = missing
        self.names: set[str] = set()

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Say what the node waits for."""
        missing = self._missing(name)
        if not missing:
            self.names.discard(name)
            return None
        self.names.add(name)
        reason = waits_for(missing)
        return NodeResult(name, NodeStatus.SKIPPED, reason=reason)


class TaskView(Mapping[str, NodeTask]):
    """The tasks of all nodes, made when asked for."""

    def __init__(self, nodes: Mapping[str, NotebookNode], make: Callable[[str], NodeTask]) -> None:
        self._nodes, self._make = nodes, make

    def __getitem__(self, name: str) -> NodeTask:
        if name not in self._nodes:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


class Session:
    """The pipeline of a notebook.

    Everything that the magics do can be done here; `dagnb.session()` returns the notebook's.

    Parameters
    ----------
    shell : InteractiveShell
        Where nodes show what they print, and whose namespace holds their values.

    Attributes
    ----------
    dag : DAG
        The graph. Edit it by defining and removing nodes, not directly.
    auto : bool
        Whether what is downstream of a change runs at once; else it becomes stale.
    last_run : IncrementalResult or None
        What the last run did to each node.
    view : GraphView
        What the graph looks like now.
    observers : list of Observer
        Called with every event; add your own.
    """

    def __init__(self, shell: Shell, namespace: MutableMapping[str, Any]) -> None:
        self._shell = shell
        self._namespace = namespace
        self._registry = Registry()
        self._memory = Memory(self.dag.adjacency)
        self._binder = Binder(self.dag.adjacency)
        self._store = MemoryStore()
        self._facts: dict[str, Fact] = {}
        self._explain = Explain(self._present)
        self._performances: dict[str, Performance] = {}
        self._outputs: dict[str, list[Output]] = {}
        self._tasks: dict[str, tuple[NotebookNode, NodeTask]] = {}
        self._live: set[str] = set()
        self._own: str | None = None
        self._running = False
        self._began = 0
        self._spoiled: set[str] = set()
        self._shown_stale: set[str] = set()
        self._why_stale: dict[str, str] = {}
        self._waiting = Waiting(self._missing)
        self._structure: tuple[int, dict[str, str]] = -1, {}
        self.auto = True
        self.last_run: IncrementalResult | None = None
        self.view = GraphView()
        self._display = GraphDisplay(shell, self.view, self._details, self._act)
        self.observers: list[Observer] = [self.view, self._display]

    @property
    def dag(self) -> DAG:
        """The graph of the nodes."""
        return self._registry.dag

    @property
    def nodes(self) -> Mapping[str, NotebookNode]:
        """The nodes by name, in the order of definition."""
        return self._registry.nodes

    @property
    def running(self) -> bool:
        """Whether a run is going on."""
        return self._running

    def __getitem__(self, name: str) -> Any:
        """Return the current value of a node."""
        last = self._last(name)
        if last is None or not last.status.is_success:
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
        """
        known = self.nodes.get(code.name)
        node = self._registry.put(code, options, cell_id, lambda: CellOutput(self._shell))
        self._announce_structure()
        if known is None or known.digest.digest != node.digest.digest:
            self._mark_stale([code.name], "its code changed")
        return node

    def remove(self, name: str) -> None:
        """Remove a node; what depends on it waits for its name to be defined again.

        Raises
        ------
        NodeNotFoundError
            There is no such node.
        """
        self._memory.catch_up()
        last = self._last(name)
        dependents = [str(each) for each in self.dag.descendants(name)]
        node = self._registry.remove(name)
        node.output.refresh([])
        if last is not None and self._namespace.get(name) is last.result:
            self._namespace.pop(name, None)
        for kept in (self._facts, self._outputs, self._tasks, self._performances):
            kept.pop(name, None)
        self._explain.forget(name)
        self._announce_structure()
        self._mark_stale(dependents, f"{name} was removed")

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
        if self._running:
            raise DagError("a run is going on; wait for it, or stop it")
        targets = self._targets(names)
        downstream = (self.auto if downstream is None else downstream) or names is None
        scope = self._scope(targets, downstream)
        self.look(scope)
        causes = self._causes(scope, targets if names is not None else [], fresh)
        asked = set(targets) if names is not None else set()
        allowed = None if downstream else scope
        self._running, self._own = True, own
        self._live.update([own] if own is not None and live else [])
        try:
            self._began = self._memory.run + 1
            guard = self._drive(causes, asked, allowed, set(targets) if fresh else set())
            while guard.spoiled:
                guard = self._mend(guard.spoiled, asked, allowed)
        finally:
            self._running, self._own = False, None
            self._live.clear()
            self._show_staleness()
        assert self.last_run is not None
        return self.last_run

    def _drive(
        self,
        causes: dict[int, str],
        asked: set[str],
        allowed: set[str] | None,
        fresh: set[str],
    ) -> Guard:
        """Run once; a run may take several rounds, whose results count as one."""
        graph, memory, guard = self.dag.adjacency, self._memory, Guard()

        def may_run(name: str) -> bool:
            if name in asked:
                return True
            return (allowed is None or name in allowed) and not self.nodes[name].options.manual

        engine = Engine(
            graph,
            TaskView(self.nodes, self._task),
            memory,
            Scan(graph, memory.flags(), causes),
            binder=self._binder,
            policies=[
                self._waiting,
                guard,
                Remember(self._code_of, self._store, self._facts, self._last, fresh),
                self._explain,
            ],
            observers=[*self.observers, self._publish],
            fail_fast=False,
            causes=causes,
            may_run=may_run,
        )
        engine.results.since = self._began
        memory.stale.difference_update(causes)
        fresh |= self._spoiled
        self._spoiled = set()
        self.last_run = drive_inline(engine, IncrementalResult)
        held = self.dag.refs(engine.held)
        self._why_stale.update(dict.fromkeys(map(str, held), "an input changed since it ran"))
        return guard

    def _mend(self, spoiled: set[str], asked: set[str], allowed: set[str] | None) -> Guard:
        """Run again the nodes whose values were changed in place, then what was skipped for it.

        Ends, since each node that changes its inputs fails once and is not run again.
        """
        stale = self._memory.stale.intersection(self.dag.numbers(self.nodes, "nodes"))
        causes = {
            node: "its input was computed again"
            for node in stale
            if (last := self._memory.records[node]) is not None and last.error is None
        }
        reason = "its value was changed in place"
        causes.update(dict.fromkeys(self.dag.numbers(spoiled, "spoiled"), reason))
        first = self.last_run
        guard = self._drive(causes, asked | spoiled, allowed, spoiled)
        if first is not None and self.last_run is not None:
            self.last_run.total_duration_seconds += first.total_duration_seconds
        return guard

    def look(self, names: Iterable[str] | None = None) -> list[str]:
        """Look at the code of nodes and what it reads; return those that became stale.

        Raises
        ------
        CycleError
            A helper function was changed so that a node depends on itself.
        """
        changed = [name for name in (names or list(self.nodes)) if self._registry.refresh(name)]
        self._announce_structure()
        self._mark_stale(changed, "something its code reads changed")
        return changed

    def plan(self, names: Iterable[str] | None = None) -> Plan:
        """Return what `run` with the same names would do, without doing it."""
        targets = self._targets(names)
        scope = self._scope(targets, self.auto or names is None)
        self.look(scope)
        causes = self._causes(scope, [], False)
        waiting = {
            self.dag.number(name): reason
            for name in self.nodes
            if (reason := self._why_waiting(name, targets if names is not None else []))
        }
        took = {
            node: last.seconds
            for node, last in enumerate(self._memory.records)
            if last is not None and last.executed
        }
        return make_plan(self.dag.adjacency, causes, waiting, took)

    # -- asking -----------------------------------------------------------------------------

    def why(self, name: str) -> Why:
        """Say why a node ran last, or why it did not, with the evidence.

        Raises
        ------
        NodeNotFoundError
            There is no such node.
        """
        node = self._registry[name]
        missing = self._missing(name)
        if missing:
            return Why(f"{name} did not run: {waits_for(missing)}")
        self.look([node.name])
        run = self.last_run
        last = run[name] if run is not None and name in run else self._last(name)
        above = self.dag.predecessors(name)
        inputs = [run[each] for each in above if each in run] if run is not None else []
        return self._explain.why(name, last, self.is_stale(name), inputs)

    def is_stale(self, name: str) -> bool:
        """Whether a node has no current value: it must run before its value can be trusted."""
        self._memory.catch_up()
        return self.dag.number(name) in self._memory.stale

    def result(self, name: str) -> NodeResult:
        """Return what happened to a node the last time anything did."""
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
        rows = []
        for each in self.dag.topological_sort():
            shown, last = self.view.nodes[each], self._last(each)
            took = last.duration_seconds if last is not None and last.started else None
            rows.append([str(each), shown.status, seconds(took), shown.reason])
        return table(["node", "status", "took", "why"], rows)

    def show(self) -> None:
        """Show the live graph below the cell that is being executed."""
        self._display.show()

    def show_again(self, name: str) -> None:
        """Show a node's outputs below the cell that is being executed, which is its own."""
        self.nodes[name].output.show(self._outputs.get(name, []))

    def follow(self) -> None:
        """Bring still pictures of the graph up to date; called at the end of every cell."""
        self._display.follow()

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return self.status() if self.nodes else "a session without nodes"

    # -- what cells change ------------------------------------------------------------------

    def catch_up(self, *, run: bool) -> IncrementalResult | None:
        """After a plain cell: look at all code, and run what became stale or need not wait.

        Returns
        -------
        IncrementalResult or None
            None if nothing was to run, or ``run`` or `auto` are off.
        """
        changed = [name for name in self.look() if self._last(name) is not None]
        ready = [n for n in self._waiting.names if not self._registry.missing(n, self._namespace)]
        due = [name for name in (*changed, *ready, *self._spoiled) if name in self.nodes]
        due = [name for name in dict.fromkeys(due) if not self.nodes[name].options.manual]
        if not (due and run and self.auto):
            return None
        return self.run(due)

    def check_published(self, names: Iterable[str]) -> list[str]:
        """After a plain cell: find nodes whose value it replaced or changed in place.

        Parameters
        ----------
        names : iterable of str
            The names the cell mentions.

        Returns
        -------
        list of str
            A sentence for each.
        """
        notices = []
        for name in sorted(self.nodes.keys() & set(names)):
            last = self._last(name)
            if last is None or not last.status.is_success:
                continue
            if self._namespace.get(name) is not last.result:
                notices.append(
                    f"{name} is a node; its dependents go on with its own value, "
                    "not with the one assigned here"
                )
            elif was_changed(last):
                self._spoiled.add(name)
                self._mark_stale([name], "its value was changed in place by a plain cell")
                notices.append(
                    f"this cell changed the value of {name} in place, which its dependents do "
                    f"not see; it is computed again (work on a copy: {name}.copy())"
                )
        return notices

    # -- what changed -----------------------------------------------------------------------

    def _missing(self, name: str) -> list[str]:
        return self._registry.missing(name, self._namespace)

    def _targets(self, names: Iterable[str] | None) -> list[str]:
        if names is None:
            return list(self.nodes)
        if isinstance(names, str):
            raise TypeError(f"names is a list of names, not one string; write [{names!r}]")
        targets = list(names)
        for name in targets:
            if name not in self.nodes:
                raise NodeNotFoundError(name, self.nodes)
        return targets

    def _scope(self, targets: Sequence[str], downstream: bool) -> set[str]:
        """Return the targets with what they need and, if asked, what depends on them."""
        graph = self.dag.adjacency
        numbers = self.dag.numbers(targets, "names")
        found = graph.reach(numbers, graph.predecessors)
        if downstream:
            found |= graph.reach(numbers, graph.successors)
        return {str(name) for name in self.dag.refs(found)}

    def _causes(self, scope: set[str], asked: Sequence[str], fresh: bool) -> dict[int, str]:
        """Map the nodes to start from to why: what is stale in scope, and what was asked for."""
        self._memory.catch_up()
        stale = self._memory.stale.intersection(self.dag.numbers(scope, "names"))
        causes = {node: self._staleness(node) for node in stale}
        for name in asked:
            causes.setdefault(self.dag.number(name), "asked to run again" if fresh else "asked for")
        return causes

    def _staleness(self, node: int) -> str:
        last = self._memory.records[node]
        if last is None:
            return "it has not run yet"
        if last.status.is_success:
            name = str(self.dag.adjacency.names[node])
            return self._why_stale.get(name, "its code or what it reads changed")
        return f"it {last.status.value.replace('_', ' ')} last time"

    def _why_waiting(self, name: str, asked: Sequence[str]) -> str:
        missing = self._registry.missing(name, self._namespace)
        if missing:
            return waits_for(missing)
        manual = self.nodes[name].options.manual and name not in asked
        return f"it is manual: %dag run {name}" if manual else ""

    def _mark_stale(self, names: Sequence[str], reason: str) -> None:
        """Note that nodes must run, and show that they and what depends on them are stale."""
        self._memory.catch_up()
        numbers = self.dag.numbers(names, "names")
        self._memory.stale.update(numbers)
        self._why_stale.update(dict.fromkeys(names, reason))
        self._show_staleness()

    def _show_staleness(self) -> None:
        """Tell observers which nodes became stale, and which turned out not to be.

        A node with a value is stale if something it depends on must run; it is current again
        if that came out the same.
        """
        if self._running:
            return
        self._memory.catch_up()
        graph, records = self.dag.adjacency, self._memory.records
        alive = (n for n in self._memory.stale if graph.ids.get(graph.names[n]) == n)
        below = {
            str(graph.names[node])
            for node in graph.affected(alive)
            if (last := records[node]) is not None and last.status.is_success
        }
        for name in sorted(below - self._shown_stale):
            reason = self._why_stale.get(name, "something it depends on changed")
            self._announce(NodesStale([name], reason))
        for name in sorted(self._shown_stale - below):
            current = self._last(name) if name in self.nodes else None
            if current is not None and self.view.nodes[name].status == "stale":
                reason = "reused: nothing it depends on came out different"
                self._announce(NodeSettled(replace(current, executed=False, reason=reason)))
        self._shown_stale = below

    def _details(self, name: str) -> dict[str, object]:
        """Return what the panel of a node shows."""
        last = self.result(name)
        data: dict[str, Any] = {}
        if last.status.is_success:
            data, _ = format_value(self._shell, last.result)
        return {
            "source": self.source(name),
            "preview_html": data.get("text/html"),
            "preview_text": data.get("text/plain"),
            "why": str(self.why(name)),
            "seconds": last.duration_seconds,
            "status": self.view.nodes[name].status,
            "error": self.view.nodes[name].error,
            "inputs": [str(each) for each in self.dag.predecessors(name)],
            "dependents": [str(each) for each in self.dag.successors(name)],
        }

    def _act(self, verb: str, name: str) -> None:
        """Do what a button of the panel says."""
        if verb == "run":
            self.run([name], fresh=True)
        elif verb == "run_to":
            self.run([name], downstream=False)
        else:
            raise ValueError(f"no such button: {verb!r}")
        self.follow()

    def _code_of(self, name: str) -> str:
        """Name a node's code and the variables of the notebook among its parameters."""
        variables = self._task(name).variables()
        parts = [self.nodes[name].digest.digest]
        for each in sorted(variables):
            parts += [each, digest(variables[each])]
        return combine("code", [part.encode() for part in parts]).hex()

    def _present(self, name: str) -> tuple[str, CodeDigest, Mapping[str, Any]]:
        node = self.nodes[name]
        return node.code.source, node.digest, self._task(name).variables()

    def _task(self, name: str) -> NodeTask:
        """Return the task of a node, the same as long as the node is."""
        node = self.nodes[name]
        known = self._tasks.get(name)
        if known is None or known[0] is not node:
            inputs = tuple(each for each in node.code.parameters if each in self.nodes)
            task = NodeTask(
                node.code,
                inputs,
                namespace=self._namespace,
                shell=self._shell,
                performances=self._performances,
                live=self._live,
            )
            known = self._tasks[name] = node, task
        return known[1]

    def _last(self, name: str) -> NodeResult | None:
        """Return the last record of a node as a result."""
        self._memory.catch_up()
        node = self.dag.number(name)
        last = self._memory.records[node]
        return None if last is None else last.as_result(name)

    # -- telling ----------------------------------------------------------------------------

    def _announce(self, event: Event) -> None:
        for observer in self.observers:
            observer(event)

    def _announce_structure(self) -> None:
        """Tell observers the structure of the graph if it changed."""
        structure = self.dag.adjacency.version, self._registry.groups()
        if structure == self._structure:
            return
        self._structure = structure
        edges = [(str(a), str(b)) for a, b in self.dag.edges()]
        self._announce(GraphEdited([str(n) for n in self.dag], edges, structure[1]))

    def _publish(self, event: Event) -> None:
        """Give a settled node's value to the notebook, and its outputs to its cell."""
        if not isinstance(event, NodeSettled):
            return
        result = event.result
        if result.status.is_success:
            self._namespace[result.name] = result.result
        if result.executed:
            self._show(result)

    def _show(self, result: NodeResult) -> None:
        name = result.name
        performance = self._performances.pop(name, Performance([], False))
        outputs = self._outputs[name] = self._outputs_of(result, performance)
        output = self.nodes[name].output
        if name != self._own:
            output.refresh(outputs)
            return
        failed = result.error is not None
        shown = len(performance.outputs) if performance.live else 0
        output.show(performance.outputs if failed else outputs, shown=shown, raises=failed)
        self._own = None

    def _outputs_of(self, result: NodeResult, performance: Performance) -> list[Output]:
        if result.error is not None:
            return [*performance.outputs, error_output(self._shell, result.error)]
        if self.nodes[result.name].code.quiet:
            return performance.outputs
        return without_twins(performance.outputs, value_outputs(self._shell, result.result))


def waits_for(names: Sequence[str]) -> str:
    """Return the clause for names that nothing defines."""
    listed = ", ".join(f"`{name}`" for name in names)
    return f"it waits for {listed}, which nothing defines yet"
