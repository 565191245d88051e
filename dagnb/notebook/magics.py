"""``%%dag_node``, ``%dag`` and ``@dag_node``: the session's methods, said in a cell."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from IPython.core.error import UsageError
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import (
    argument,
    magic_arguments,
)

from dagnb.errors import DagError, DefinitionError, SqlError, did_you_mean
from dagnb.notebook import capture
from dagnb.notebook.cells import NodeCode, function_node, parse_cell, spelled
from dagnb.notebook.cluster import check_named
from dagnb.notebook.completion import NODE_OPTIONS, completions
from dagnb.notebook.conditions import Condition, condition_of, parse_condition
from dagnb.notebook.hooks import CellHooks
from dagnb.notebook.kinds import check_kind, check_rule
from dagnb.notebook.node import ONE_ATTEMPT, NodeOptions
from dagnb.notebook.session import Session
from dagnb.notebook.sql_cells import parse_sql_cell
from dagnb.notebook.tracebacks import cache_cell, show_user_frames
from dagnb.notebook.verbs import VERBS, Verbs, words_of
from dagnb.run.drive import Interrupted
from dagnb.tasks import Options
from dagnb.values.declared import Declared


@magics_class
class DagMagics(Magics):
    """The magics of one shell, and the session they speak for."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, session: Session | None = None) -> None:
        super().__init__(shell)
        self.session = session or Session(shell, shell.user_ns)
        self.hooks = CellHooks(shell, self.session)
        self._verbs = Verbs(self.session)

    # -- %%dag_node -------------------------------------------------------------------------

    @no_var_expand
    @magic_arguments()
    @argument("name", nargs="?", help="the node's name; else what the cell defines or assigns last")
    @argument(
        "--deps", action="append", metavar="A,B", help="nodes it comes after, beside those it reads"
    )
    @argument(
        "--manual", action="store_true", help="run only when its cell is run or it is asked for"
    )
    @argument(
        "--tags",
        "--tag",
        action="append",
        metavar="A,B",
        help="the first one is its group in the picture",
    )
    @argument(
        "--timeout", type=float, metavar="SECONDS", help="interrupt an attempt that takes longer"
    )
    @argument("--retries", type=int, default=0, metavar="N", help="try again after an error")
    @argument(
        "--backoff",
        type=float,
        default=ONE_ATTEMPT.backoff,
        metavar="SECONDS",
        help="wait so long before the first retry, then twice as long each time",
    )
    @argument(
        "--when",
        metavar="EXPRESSION",
        help="run only if this holds: over nodes and variables, or a function of them",
    )
    @argument(
        "--depends", action="append", metavar="A,B", help="names it reads where no one can see it"
    )
    @argument("--env", action="append", metavar="A,B", help="variables of the environment it reads")
    @argument(
        "--files",
        "--file",
        action="append",
        metavar="A,B",
        help="files, folders or patterns it reads; they count by their content",
    )
    @argument("--no-cache", action="store_true", help="do not save its value for after a restart")
    @argument(
        "--expand",
        action="store_true",
        help="its value, a dict of names and functions, makes further nodes",
    )
    @argument(
        "--backend",
        metavar="NAME",
        help="run it in a process of its own (processes), whatever others do",
    )
    @argument(
        "--lang",
        default="python",
        metavar="NAME",
        help="sql: a SELECT over nodes and variables by name, and $name for a value",
    )
    @argument(
        "--type",
        default="",
        metavar="KIND",
        help="source, transform, aggregation, feature_group, model, rule or exposure; "
        "dagnb run --types selects by it, and a rule fails if it finds a row",
    )
    @argument("--replace", action="store_true", help="take the name over from another cell")
    @cell_magic
    def dag_node(self, line: str, cell: str) -> None:
        """Make this cell a node: its value is that of its last expression.

        The names it reads that are nodes are its inputs; what it assigns stays its own. It runs
        now, and again whenever its code, its inputs or what else it reads change.
        """
        arguments = self._parse(line)
        options = _options(arguments)
        with self._plainly():
            code = self._parse_cell(cell, arguments)
            if arguments.when is not None:
                options = dataclasses.replace(options, when=self._when(arguments.when, code.name))
            self.define(code, options, replace=arguments.replace)
            for name in self.hooks.superseded():
                self.session.remove(name)
        self.run_own(code.name, live=True)

    def _parse(self, line: str) -> Any:
        try:
            return self.dag_node.parser.parse_args(words_of(line))
        except UsageError as error:
            raise UsageError(f"{error}{_nearest_option(str(error))}; see %%dag_node?") from None

    def _when(self, text: str, name: str) -> Condition:
        filename = self.shell.compile.cache(text, self.shell.execution_count, raw_code=text)
        try:
            return parse_condition(
                text, name, self.shell.user_ns, self.session.nodes, filename=filename
            )
        except DefinitionError as error:
            raise UsageError(f"--when: {error}; see %%dag_node?") from None

    def _parse_cell(self, cell: str, arguments: Any) -> NodeCode:
        raw_cell = self.hooks.raw_cell or f"%%dag_node\n{cell}"
        first_line = raw_cell.count("\n", 0, max(raw_cell.find("%%"), 0)) + 2
        is_sql = arguments.lang == "sql"
        filename = cache_cell(
            self.shell, cell, raw_cell=raw_cell, first_line=first_line, is_python=not is_sql
        )
        given: dict[str, Any] = {
            "name": arguments.name,
            "namespace": self.shell.user_ns,
            "node_names": self.session.nodes,
            "filename": filename,
            "first_line": first_line,
        }
        if is_sql:
            return self._parse_sql(cell, given, is_rule=arguments.type == "rule")
        code = parse_cell(cell, transform=self.shell.transform_cell, **given)
        check_rule(arguments.type, code)
        return code

    def _parse_sql(self, cell: str, given: Mapping[str, Any], *, is_rule: bool) -> NodeCode:
        try:
            return parse_sql_cell(cell, is_rule=is_rule, **given)
        except SqlError as error:
            raise UsageError(f"{error}") from None

    def define(
        self, code: NodeCode, options: NodeOptions, *, replace: bool, in_cell: bool = True
    ) -> None:
        """Define a node for the cell that is being executed, or for a module's function."""
        notice = self.hooks.check_owner(code.name, replace=replace) if in_cell else ""
        self.session.define(code, options, self.hooks.cell_id if in_cell else None)
        self.hooks.claim(code.name)
        if notice:
            print(notice)

    def run_own(self, name: str, *, live: bool, needed: bool = False) -> None:
        """Run the node of the cell that is being executed, and show it; raise what it raised."""
        if self.session.gate.defer(name, needed=needed):
            return
        with self._plainly():
            self.session.run_own(name, live=live)
        own = self.session.settled.get(name) or self.session.result(name)
        if own.error is not None:
            raise show_user_frames(self.shell, own.error)
        if not own.executed:
            self.session.show_again(name)
        for sentence in [*self.session.failures(), *self.session.cautions.news(name)]:
            print(sentence)

    def decorate(
        self,
        function: Callable[..., Any],
        name: str | None,
        options: NodeOptions,
        when: str | Callable[..., Any] | None,
        *,
        replace: bool,
    ) -> Any:
        """Define a node from a function; run it if the function belongs to a cell."""
        namespace = getattr(function, "__globals__", self.shell.user_ns)
        in_cell = namespace is self.shell.user_ns
        with self._plainly():
            code = function_node(function, name)
            check_rule(options.kind, code)
            if when is not None:
                condition = condition_of(when, code.name, namespace, self.session.nodes)
                options = dataclasses.replace(options, when=condition)
            self.define(code, options, replace=replace, in_cell=in_cell)
        if not in_cell:
            return function
        self.run_own(code.name, live=False, needed=self.hooks.names(code.name))
        if code.name in self.session.gate.deferred:
            return function
        last = self.session.result(code.name)
        if not last.status.is_success:
            return function
        return self.session[code.name] if self.hooks.names(code.name) else last.held

    def complete(self, _shell: Any, event: Any) -> Sequence[str]:
        """Return what may follow; called by IPython."""
        return completions(event.line, VERBS, self.session.nodes)

    # -- %dag -------------------------------------------------------------------------------

    @no_var_expand
    @line_magic
    def dag(self, line: str) -> object:
        """Look after the nodes of this notebook: %dag VERB; %dag help lists the verbs."""
        with self._plainly():
            return self._verbs.say(line)

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        """Let errors appear without the frames of this package; a stopped run as a stop."""
        try:
            yield
        except Interrupted as stop:
            raise show_user_frames(self.shell, stop.__cause__ or stop) from None
        except UsageError:
            raise
        except Exception as error:
            raise show_user_frames(self.shell, error) from None


def load(shell: InteractiveShell) -> None:
    """Put the magics, hooks and completion in place; a session that is there goes on."""
    known = shell.magics_manager.registry.get("DagMagics")
    if known is not None:
        known.hooks.unregister()
    magics = DagMagics(shell, known.session if known is not None else None)
    shell.register_magics(magics)
    capture.install(shell)
    magics.hooks.register()
    for prefix in ("%dag", "dag", "%%dag_node"):
        shell.set_hook("complete_command", magics.complete, str_key=prefix)


def unload(shell: InteractiveShell) -> None:
    """Take them away again; the nodes stay for the next time."""
    magics = shell.magics_manager.registry["DagMagics"]
    magics.hooks.unregister()
    capture.uninstall(shell)
    shell.magics_manager.magics["line"].pop("dag", None)
    shell.magics_manager.magics["cell"].pop("dag_node", None)


def session() -> Session:
    """Return the session of the notebook that this code runs in.

    Raises
    ------
    DagError
        This is no notebook, or the extension is not loaded.
    """
    magics = _magics()
    if magics is None:
        raise DagError("there is no session here; run %load_ext dagnb in a notebook first")
    return magics.session


def dag_node(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    deps: Sequence[str] = (),
    manual: bool = False,
    tags: Sequence[str] = (),
    timeout: float | None = None,
    retries: int = 0,
    backoff: float = ONE_ATTEMPT.backoff,
    when: str | Callable[..., Any] | None = None,
    depends: Sequence[str] = (),
    env: Sequence[str] = (),
    files: Sequence[str | os.PathLike[str]] = (),
    cache: bool = True,
    expand: bool = False,
    backend: str | None = None,
    type: str = "",
    replace: bool = False,
) -> Any:
    """Make a function a node: its parameters are its inputs.

    The decorator does for a function what ``%%dag_node`` does for a cell. In a cell the node
    runs at once, and its name then holds its value. In a module, or outside of a notebook, the
    function stays what it is; a notebook that imports it has a node that ``%dag run`` runs.

    Parameters
    ----------
    function : callable
    name : str, optional
        The node's name; the function's by default.
    deps : sequence of str
        Nodes it comes after, beside its parameters.
    manual : bool
        Whether it runs only when asked for.
    tags : sequence of str
        The first one is its group in the picture.
    timeout : float, optional
        Seconds for one attempt; one that takes longer is interrupted, and the node has timed
        out. Code that never returns to Python, or catches everything, is noticed late.
    retries : int
        How many attempts may follow one that raised; one that timed out is not repeated.
    backoff : float
        Seconds to wait before the first retry; each later wait is twice as long, up to a minute.
    when : str or callable, optional
        Must hold for the node to run: an expression over nodes and variables, or a function
        whose parameters are some. A node for which it does not hold is skipped, and so is what
        gets all of its inputs from such nodes; what has others takes None for it.
    depends : sequence of str
        Names of variables and functions that it reads where no one can see it: by ``eval``,
        ``getattr`` or ``globals()``.
    env : sequence of str
        Variables of the environment that it reads.
    files : sequence of str or path
        Files, folders and patterns that it reads, relative to the folder the notebook runs in.
        They count by their content.
    cache : bool
        Whether its value is saved for after a restart.
    expand : bool
        Whether the value makes further nodes: a dict of names and functions, whose parameters
        are inputs like its own. They are tried as often and for as long as it is.
    backend : str, optional
        Where it runs, whatever others do: ``"processes"`` for a process of its own, which can be
        killed when it takes too long, and crash without harm.
    type : str
        What it is in the words of manifests: ``"source"``, ``"model"``, ``"rule"``, ...;
        ``dagnb run --types`` selects by it. A rule must have an ``assert`` or a ``raise``.
    replace : bool
        Take the name over from another cell.

    Returns
    -------
    object
        The node's value, or the function if it has none (yet).

    Examples
    --------
    >>> @dag_node(tags=["etl"])
    ... def clean(raw):
    ...     return [row for row in raw if row]
    >>> clean([1, None])
    [1]
    """
    if when is not None and not isinstance(when, str) and not callable(when):
        raise TypeError(f"when is an expression as text, or a function, not {when!r}")
    lists = {"deps": deps, "tags": tags, "depends": depends, "env": env, "files": files}
    for option, value in lists.items():
        if isinstance(value, str | os.PathLike):
            one = "string" if isinstance(value, str) else "path"
            raise TypeError(f"{option} is a list of names, not one {one}; write [{value!r}]")
    attempts = Options.checked(timeout, retries, backoff, backend)
    declared = Declared(tuple(depends), tuple(env), tuple(os.fspath(each) for each in files))
    check_kind(type, "python")
    options = NodeOptions(
        tuple(map(spelled, deps)),
        manual,
        tuple(tags),
        attempts,
        cache=cache,
        declared=declared,
        expand=expand,
        kind=type,
    )

    def decorate(function: Callable[..., Any]) -> Any:
        magics = _magics()
        if magics is None:
            return function
        return magics.decorate(function, name, options, when, replace=replace)

    return decorate if function is None else decorate(function)


def _magics() -> DagMagics | None:
    shell = get_ipython()
    if shell is None:
        return None
    magics = shell.magics_manager.registry.get("DagMagics")
    return magics if isinstance(magics, DagMagics) else None


def _options(arguments: Any) -> NodeOptions:
    """Return what was parsed as a node's options."""
    check_named(arguments.backend)
    try:
        attempts = Options.checked(
            arguments.timeout, arguments.retries, arguments.backoff, arguments.backend
        )
        declared = Declared(*map(_split, (arguments.depends, arguments.env, arguments.files)))
        check_kind(arguments.type, arguments.lang)
    except ValueError as error:
        raise UsageError(f"--{error}; see %%dag_node?") from None
    return NodeOptions(
        tuple(map(spelled, _split(arguments.deps))),
        arguments.manual,
        _split(arguments.tags),
        attempts,
        cache=not arguments.no_cache,
        declared=declared,
        expand=arguments.expand,
        kind=arguments.type,
    )


def _split(values: Sequence[str] | None) -> tuple[str, ...]:
    """Return comma-separated names, given once or several times, as one tuple."""
    return tuple(name for value in values or () for name in value.split(",") if name)


def _nearest_option(message: str) -> str:
    unknown = [word for word in message.split() if word.startswith("--")]
    return did_you_mean(unknown[-1], NODE_OPTIONS) if unknown else ""
