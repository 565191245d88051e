"""What can be asked of a notebook and of a manifest alike, without running a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dagnb.cli.manifests import runner_of
from dagnb.cli.options import is_manifest, refuse_for_notebooks
from dagnb.cli.selection import Selection
from dagnb.errors import NodeNotFoundError, NotebookError
from dagnb.events import GraphEdited
from dagnb.notebook.file import NotebookFile
from dagnb.notebook.headless import Headless, opened
from dagnb.notebook.session import Session
from dagnb.observe.text import seconds, table
from dagnb.project.runner import DAGRunner
from dagnb.project.state import State, backend_for
from dagnb.project.summary import ExecutionStatus
from dagnb.render.forms import formed
from dagnb.render.picture import Picture
from dagnb.render.view import GraphView


class Subject(Protocol):
    """What the commands that only look ask for."""

    def plan(self, selection: Selection, *, full: bool) -> str:
        """Say what a run would do."""

    def status(self) -> str:
        """List the nodes with what is known of them."""

    def why(self, name: str) -> str:
        """Say why a node would run, or why not."""

    def draw(self, file: Path) -> None:
        """Draw the graph, in the form that the ending of the file says."""


@dataclass(frozen=True, slots=True)
class NotebookSubject:
    """A notebook whose cells have defined their nodes; values come from the store alone."""

    headless: Headless

    @property
    def session(self) -> Session:
        """The session of the notebook."""
        return self.headless.session

    def plan(self, selection: Selection, *, full: bool) -> str:
        """Say what a run would do."""
        return str(self.session.plan(selection.names(self.session), fresh=full))

    def status(self) -> str:
        """List the nodes with what is known of them."""
        return self.session.status()

    def why(self, name: str) -> str:
        """Say why a node would run, or why not."""
        answer = self.session.why(name)
        step = next(each for each in self.session.plan() if each.name == name)
        is_due = step.action != "reuse"
        return f"{name} {_WOULD[step.action]}: {step.reason}" if is_due else str(answer)

    def draw(self, file: Path) -> None:
        """Draw the graph, in the form that the ending of the file says."""
        self.session.export(file)


_WOULD = {"run": "is to run", "may run": "may have to run", "wait": "cannot run"}


@dataclass(frozen=True, slots=True)
class ManifestSubject:
    """A manifest, and the state of its runs."""

    runner: DAGRunner

    def plan(self, selection: Selection, *, full: bool) -> str:
        """Say what a run would do."""
        lines: list[str] = []
        self.runner.print_plan(
            full,
            selection.types or None,
            selection.nodes or None,
            selection.exclude_tags or None,
            tags=selection.tags or None,
            write=lines.append,
        )
        return "\n".join(lines)

    def status(self) -> str:
        """List the nodes with what is known of them."""
        known = State(backend_for(self.runner.state_dir, None)).nodes
        rows = []
        for step in self.runner.plan():
            last = known.get(step.node_id)
            took = seconds(last.duration) if last else ""
            rows.append([step.node_id, step.status.value, took, step.reason])
        return table(["node", "status", "took", "why"], rows)

    def why(self, name: str) -> str:
        """Say why a node would run, or why not."""
        found = [each for each in self.runner.plan() if each.node_id == name]
        found += [each for each in self.runner.plan() if each.node_id.endswith(f".{name}")]
        if not found:
            raise NodeNotFoundError(name, self.runner.manifest.nodes)
        step = found[0]
        is_due = step.status is ExecutionStatus.PENDING
        would = "is to run" if is_due else f"does not run, it is {step.status.value}"
        return f"{step.node_id} {would}{': ' if step.reason else ''}{step.reason}"

    def draw(self, file: Path) -> None:
        """Draw the graph, in the form that the ending of the file says."""
        view = GraphView()
        dag = self.runner.manifest.dag
        edges = [(str(source), str(target)) for source, target in dag.edges()]
        view(GraphEdited([str(name) for name in dag.nodes()], edges))
        made = formed(Picture(view), file)
        file.write_bytes(made if isinstance(made, bytes) else made.encode())


@contextmanager
def looked_at(
    file: Path,
    *,
    parameters: Mapping[str, object] | None = None,
    state_dir: Path | None = None,
    kinds: Mapping[str, str] | None = None,
) -> Iterator[Subject]:
    """Open a notebook or a manifest for a look; no node runs.

    Raises
    ------
    NotebookError, ManifestError
        It cannot be used, or a cell of it fails.
    """
    if is_manifest(file):
        runner = runner_of(file, state_dir=state_dir, kinds=kinds, parameters=parameters)
        yield ManifestSubject(runner)
        return
    refuse_for_notebooks(state_dir, kinds)
    with opened(NotebookFile.read(file), parameters=parameters, prepare=only_look) as headless:
        headless.execute()
        if headless.failures:
            raise NotebookError(f"{file}, {headless.failures[0]}")
        headless.run()
        yield NotebookSubject(headless)


def only_look(session: Session) -> None:
    """Let a session take what is known, and compute nothing."""
    session.gate.only_known = True
