"""A notebook to type into: a real shell without a kernel, and real kernels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from dagnb.events import Event, NodeSettled
from dagnb.notebook.session import Session
from tests.notebook.shells import new_shell

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ran:
    """What running one cell came to."""

    out: str
    err: str
    value: object
    error: BaseException | None
    executed: list[str]

    @property
    def text(self) -> str:
        """All that was printed."""
        return self.out + self.err


Failure = type | tuple[type, ...] | None


@dataclass
class Notebook:
    """A shell with the extension loaded; `run` runs one cell."""

    shell: InteractiveShell
    read_output: Callable[[], Any]
    _executed: list[str] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """The session that the magics speak for."""
        session: Session = self.shell.magics_manager.registry["DagMagics"].session
        if self._note not in session.observers:
            session.observers.append(self._note)
        return session

    def run(self, source: str, cell: str | None = None, *, fails: Failure = None) -> Ran:
        """Run a cell, under a cell id if the front end gives one; say whether it shall fail."""
        self._executed.clear()
        self.read_output()
        done = self.shell.run_cell(source, cell_id=cell)
        shown = self.read_output()
        assert "Error in callback" not in shown.out, shown.out
        error = done.error_before_exec or done.error_in_exec
        assert isinstance(error, fails or type(None)), (error, shown.out)
        if fails is None:
            assert error is None, shown.out
        out, err = ANSI.sub("", shown.out), ANSI.sub("", shown.err)
        return Ran(out, err, done.result, error, list(self._executed))

    def node(self, name: str, source: str, options: str = "", **given: Any) -> Ran:
        """Run a cell that defines a node, in a cell of its own."""
        line = f"%%dag_node {name} {options}".rstrip()
        return self.run(f"{line}\n{source}", given.pop("cell", f"cell-{name}"), **given)

    def __getitem__(self, name: str) -> Any:
        """The notebook's variable of this name."""
        return self.shell.user_ns[name]

    def status(self, name: str) -> str:
        """What the graph shows of a node."""
        return self.session.view.nodes[name].status

    def statuses(self) -> dict[str, str]:
        """What the graph shows of every node."""
        return {name: node.status for name, node in self.session.view.nodes.items()}

    def state(self) -> tuple[object, ...]:
        """All that a refused edit must leave as it was."""
        session = self.session
        sources = {name: session.source(name) for name in session.nodes}
        values = {name: self.shell.user_ns.get(name) for name in session.nodes}
        stale = [name for name in session.nodes if session.is_stale(name)]
        return sources, values, stale, list(session.dag.edges()), self.statuses()

    def _note(self, event: Event) -> None:
        if isinstance(event, NodeSettled) and event.result.executed:
            self._executed.append(event.result.name)


@contextmanager
def opened(read_output: Callable[[], Any]) -> Iterator[Notebook]:
    """Open a notebook in a new shell, with the extension loaded."""
    with new_shell() as shell:
        made = Notebook(shell, read_output)
        made.run("%load_ext dagnb")
        assert made.session.nodes == {}
        yield made


@pytest.fixture
def nb(capsys: pytest.CaptureFixture[str]) -> Iterator[Notebook]:
    """A notebook of its own for one test, with the extension loaded."""
    with opened(capsys.readouterr) as made:
        yield made


@pytest.fixture
def chain(nb: Notebook) -> Notebook:
    """A notebook with raw -> clean -> total, and a node beside them."""
    nb.run("limit = 1")
    nb.node("raw", "[3, 1, 2]")
    nb.node("clean", "[x for x in raw if x >= limit]")
    nb.node("total", "sum(clean)")
    nb.node("other", "'beside'")
    return nb
