"""A notebook that runs in this process, without a kernel and without anyone to click.

Plain cells run as they stand. Node cells only define their nodes, which run together afterwards,
or as soon as a plain cell reads them; so nothing runs twice because of a cell further down. It is
the same session with the same magics, keys and store as in Jupyter.
"""

from __future__ import annotations

import atexit
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TextIO, cast

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from dagnb.errors import DagError, NotebookError
from dagnb.notebook import capture, magics
from dagnb.notebook.capture import Output
from dagnb.notebook.display import bundle_of
from dagnb.notebook.file import Cell, NotebookFile, Ran
from dagnb.notebook.mentions import Mentions
from dagnb.notebook.parameters import check_parameters
from dagnb.notebook.session import Session
from dagnb.notebook.sheet import SheetShell, SheetStream
from dagnb.notebook.tracebacks import is_user_file
from dagnb.results import IncrementalResult, NodeStatus

NO_NODES = (
    "defines no node; start a cell with %%dag_node, or write @dag_node above a function of a cell"
)


_SESSION = re.compile(r"\bdagnb\s*\.\s*session\b|\bimport\s+.*\bsession\b")


@dataclass(frozen=True, slots=True)
class CellFailure:
    """A cell that raised.

    Attributes
    ----------
    cell : Cell
    error : BaseException
    """

    cell: Cell
    error: BaseException

    def __str__(self) -> str:
        line = line_of(self.error)
        place = f"cell {self.cell.number}{f', line {line}' if line else ''}"
        # The text of a SyntaxError would name a file that is no file, and the line again.
        text = self.error.msg if isinstance(self.error, SyntaxError) else self.error
        return f"{place}: {type(self.error).__name__}: {text}"


@dataclass
class Headless:
    """One notebook that runs in this process; see `opened`.

    Attributes
    ----------
    file : NotebookFile
    shell : SheetShell
    session : Session
    parameters : dict of str to object
        What the cell tagged ``parameters`` assigns instead of what it says.
    goes_on : bool
        Whether other cells are executed after one that failed.
    given : mapping of str to object
        Values for names that would else be nodes: what reads them reads these.
    failures : list of CellFailure
    notes : list of str
        What else somebody should know of the run.
    """

    file: NotebookFile
    shell: SheetShell
    session: Session
    parameters: Mapping[str, object] = field(default_factory=dict)
    goes_on: bool = False
    given: Mapping[str, object] = field(default_factory=dict)
    failures: list[CellFailure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)
    _mentions: Mentions = field(default_factory=Mentions)
    _asks: bool = False

    # -- cells ------------------------------------------------------------------------------

    def execute(self) -> None:
        """Execute the cells in order: plain ones run, node cells define their nodes.

        Raises
        ------
        NotebookError
            A parameter is unknown, or no cell defines a node.
        KeyboardInterrupt
            It was stopped.
        """
        tagged = check_parameters(self.file.cells, self.parameters)
        for cell in self.file.cells:
            if self.session.gate.closed or (self.failures and not self.goes_on):
                return
            if cell.source.strip():
                self._execute(cell)
            if cell is tagged:
                self.shell.user_ns.update(self.parameters)
        if not self.session.nodes and not self.failures:
            raise NotebookError(f"{self.file.path} {NO_NODES}")

    def _execute(self, cell: Cell) -> None:
        if not cell.source.lstrip().startswith("%%dag_node"):
            self._prepare(cell.source)
        self.shell.sheet.begin(cell.id)
        self._counts[cell.id] = self.shell.execution_count
        done = self.shell.run_cell(cell.source, store_history=True, cell_id=cell.id)
        self._hide_functions()
        self._give()
        error = done.error_before_exec or done.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            raise error
        if error is not None and "raises-exception" not in cell.tags:
            self._note_failure(CellFailure(cell, error))

    def _prepare(self, source: str) -> None:
        """Run the nodes that a plain cell reads, or all if it asks the session itself."""
        self._mentions.add(source)
        self._asks |= bool(_SESSION.search(source))
        every = self._asks or "%dag" in source
        shown = {*self.session.stale()}
        needed = [
            name
            for name in self.session.nodes
            if (every or name in self._mentions) and (name in shown or self.session.is_stale(name))
        ]
        if needed:
            self.run(needed, downstream=False)

    def _give(self) -> None:
        """Let variables stand in for nodes whose values are given."""
        for name in self.given.keys() & self.session.nodes.keys():
            self.session.remove(name)
            self.shell.user_ns[name] = self.given[name]

    def _hide_functions(self) -> None:
        """Leave no function in place of the value that its node will have."""
        namespace, nodes = self.shell.user_ns, self.session.nodes
        for name in self.session.gate.deferred:
            if name in nodes and namespace.get(name, self) is nodes[name].code.function:
                del namespace[name]

    def _note_failure(self, failure: CellFailure) -> None:
        """Note a failure; while nothing may be computed, a value that is not there is none."""
        lacks = isinstance(failure.error, NameError) and failure.error.name in self.session.nodes
        if self.session.gate.only_known and (lacks or isinstance(failure.error, DagError)):
            self.notes.append(f"{failure} (it reads what has not run yet)")
        else:
            self.failures.append(failure)

    # -- nodes ------------------------------------------------------------------------------

    def run(
        self, names: Iterable[str] | None = None, *, fresh: bool = False, downstream: bool = True
    ) -> IncrementalResult:
        """Run what is stale, or what some nodes need; see `Session.run`."""
        with self.shell.builtin_trap:
            return self.session.run(names, fresh=fresh, downstream=downstream)

    # -- what came of it --------------------------------------------------------------------

    def ran(self) -> dict[int, Ran]:
        """Return what stands below the cells now, by number; cells not in it are as they were."""
        cells = [cell for cell in self.file.cells if cell.id in self._counts]
        found = {cell.number: self._ran(cell) for cell in cells}
        return {number: ran for number, ran in found.items() if ran is not None}

    def _ran(self, cell: Cell) -> Ran | None:
        """Return what a cell and its nodes showed; None if its nodes were not looked at."""
        deferred = self.session.gate.deferred
        names = [name for name in self.session.of_cell(cell.id) if name in deferred]
        outputs = self.shell.sheet.outputs(cell.id)
        settled = [name for name in names if self._status(name) is not NodeStatus.PENDING]
        if names and not settled and not outputs:
            return None
        for name in settled:
            outputs += [_shown(each) for each in self.session.outputs(name)]
        return Ran(outputs, self._counts[cell.id])

    def _status(self, name: str) -> NodeStatus:
        return self.session.result(name).status


def _shown(output: Output) -> Output:
    """Return an output of a node as a front end would save it: errors as such, else displays."""
    if output["output_type"] == "error":
        return output
    data, metadata = bundle_of(output)
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def line_of(error: BaseException) -> int | None:
    """Return the line of the user's code that an error comes from, if it is known."""
    if isinstance(error, SyntaxError):
        return error.lineno
    if isinstance(error, UsageError):  # of a magic, which says itself where
        return None
    line, trace = None, error.__traceback__
    while trace is not None:
        if is_user_file(trace.tb_frame.f_code.co_filename):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@contextmanager
def opened(
    file: NotebookFile,
    *,
    parameters: Mapping[str, object] | None = None,
    given: Mapping[str, object] | None = None,
    goes_on: bool = False,
    prepare: Callable[[Session], None] = lambda session: None,
) -> Iterator[Headless]:
    """Be the process that a notebook runs in, for a while.

    The working directory, the search path and the standard streams are those that its kernel
    would have.

    Parameters
    ----------
    file : NotebookFile
    parameters : mapping of str to object, optional
    given, goes_on
        See `Headless`.
    prepare : callable
        Sets the session up before any cell is executed.

    Raises
    ------
    DagError
        There is a shell in this process already.
    """
    if InteractiveShell.initialized():
        raise DagError("a notebook cannot be run from within another one; use another process")
    with ExitStack() as stack:
        _be_in(file, stack)
        shell = SheetShell.begin()
        stack.callback(_forget, shell)
        for name, redirect in (("stdout", redirect_stdout), ("stderr", redirect_stderr)):
            stream = cast(TextIO, SheetStream(name, shell.sheet))
            stack.enter_context(redirect(stream))
        stack.callback(capture.uninstall, shell)
        magics.load(shell)
        session: Session = shell.magics_manager.registry["DagMagics"].session
        session.auto, session.gate.defers = False, True
        session.observers.append(session.gate)
        prepare(session)
        yield Headless(file, shell, session, parameters or {}, goes_on, given or {})


def _be_in(file: NotebookFile, stack: ExitStack) -> None:
    """Take the place of a kernel: its folder, its path, its environment, nobody to answer."""
    path = file.path.resolve()
    before, search = os.getcwd(), list(sys.path)
    stack.callback(os.chdir, before)
    stack.callback(sys.path.__setitem__, slice(None), search)
    os.chdir(path.parent)
    sys.path.insert(0, "")
    wanted = {
        "JPY_SESSION_NAME": str(path),
        "MPLBACKEND": os.environ.get("MPLBACKEND", "module://matplotlib_inline.backend_inline"),
    }
    old = {name: os.environ.get(name) for name in wanted}
    stack.callback(_set_environment, old)
    _set_environment(wanted)
    stdin, sys.stdin = sys.stdin, io.StringIO()
    stack.callback(setattr, sys, "stdin", stdin)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _forget(shell: SheetShell) -> None:
    """End a shell: Python is as it was before."""
    shell.restore_sys_module_state()
    SheetShell.clear_instance()
    atexit.unregister(shell.atexit_operations)
