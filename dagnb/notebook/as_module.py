"""A notebook as a plain module, or as a manifest with a module of functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Sequence

from dagnb.errors import DefinitionError
from dagnb.notebook.file import Cell
from dagnb.notebook.names import names_of
from dagnb.notebook.node import NotebookNode
from dagnb.notebook.scopes import Function
from dagnb.notebook.session import Session
from dagnb.project.as_module import HEAD, joined, last_lines
from dagnb.project.manifest import Manifest, ManifestNode

_MAGIC = re.compile(r"^(?=\s*[%!])", re.MULTILINE)
MADE = '"""Made from {name} by `dagnb export`: the functions of a manifest."""'
_TASK = "task"


def as_module(name: str, cells: Sequence[Cell], session: Session) -> str:
    """Return the text of a module that computes what a notebook does.

    Parameters
    ----------
    name : str
        Of the notebook.
    cells : sequence of Cell
        Its code cells, which have been executed.
    session : Session

    Raises
    ------
    DefinitionError
        A node does what functions in a module cannot: it has a condition, or makes nodes.
    """
    before, after = _plain_cells(cells, session)
    order = [str(each) for each in session.dag.topological_sort()]
    tasks = [f"@task{_options(node)}\n{_function(node, session)}" for node in _nodes(session)]
    return joined([HEAD.format(name=name), *before, *tasks, last_lines(order), *after])


def as_manifest(
    name: str, cells: Sequence[Cell], session: Session, module: str
) -> tuple[Manifest, str]:
    """Return a manifest that computes what the nodes of a notebook do, and its module.

    Plain cells that read nodes are left out: a manifest has nothing to run them.

    Parameters
    ----------
    name, cells, session
        As for `as_module`.
    module : str
        Where the module will be, as seen from where the manifest is run.

    Raises
    ------
    DefinitionError
        As for `as_module`.
    """
    functions = [_function(node, session) for node in _nodes(session)]
    text = joined([MADE.format(name=name), *_plain_cells(cells, session)[0], *functions])
    made = [
        ManifestNode(
            f"{_TASK}.{node.name}",
            node.name,
            _TASK,
            {"function": f"{module}:{node.name}"},
            tuple(filter(None, (*node.options.tags, node.options.kind))),
        )
        for node in _nodes(session)
    ]
    edges = [(f"{_TASK}.{source}", f"{_TASK}.{end}") for source, end in session.dag.edges()]
    return Manifest(made, edges), text


def _nodes(session: Session) -> list[NotebookNode]:
    """Return the nodes, dependencies first."""
    return [session.nodes[str(each)] for each in session.dag.topological_sort()]


def _plain_cells(cells: Sequence[Cell], session: Session) -> tuple[list[str], list[str]]:
    """Return the texts of plain cells: those that read no node, and those that do."""
    before: list[str] = []
    after: list[str] = []
    for cell in cells:
        text = _plain_text(cell, session)
        (after if _reads(text, session) else before).append(text)
    return before, after


def _plain_text(cell: Cell, session: Session) -> str:
    """Return what a cell does beside defining nodes; magics as comments."""
    if cell.source.lstrip().startswith("%%"):
        is_node = cell.source.lstrip().startswith("%%dag_node")
        return "" if is_node else re.sub("^", "# ", cell.source, flags=re.MULTILINE)
    text = _MAGIC.sub("# ", cell.source)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return re.sub("^", "# ", cell.source, flags=re.MULTILINE)
    lines = text.splitlines()
    for start, end in _defined(tree, session, cell.id):
        lines[start:end] = [""] * (end - start)
    return "\n".join(lines)


def _defined(tree: ast.Module, session: Session, cell: str) -> Iterator[tuple[int, int]]:
    """Yield the lines of the functions of a cell that are nodes."""
    functions = {session.nodes[name].code.function.__name__ for name in session.of_cell(cell)}
    for each in tree.body:
        decorators = getattr(each, "decorator_list", [])
        if decorators and getattr(each, "name", "") in functions:
            yield decorators[0].lineno - 1, each.end_lineno or each.lineno


def _reads(text: str, session: Session) -> bool:
    """Whether plain code reads nodes, so that it comes after them."""
    return not set(names_of(ast.parse(text).body).reads).isdisjoint(session.nodes)


def _function(node: NotebookNode, session: Session) -> str:
    """Return a node as a function."""
    options = node.options
    if options.when is not None or options.expand or node.code.is_async:
        what = "a condition" if options.when is not None else "what it makes or awaits"
        raise DefinitionError(f"node {node.name!r} cannot be written as a task because of {what}")
    function = node.code.definition()
    function.decorator_list = []
    _give_variables(function, node.code.optional, session.nodes)
    function.name = node.name
    return ast.unparse(function)


def _give_variables(function: Function, optional: Container[str], nodes: Container[str]) -> None:
    """Let parameters that are variables of the notebook have these as defaults."""
    arguments = function.args
    for each in [*arguments.args]:
        if each.arg not in nodes and each.arg not in optional:
            arguments.args.remove(each)
            arguments.kwonlyargs.append(each)
            arguments.kw_defaults.append(ast.Name(each.arg, ast.Load()))


def _options(node: NotebookNode) -> str:
    """Return the options of a node as those of a task."""
    attempts, words = node.options.attempts, []
    if node.options.tags:
        words.append(f"tags={list(node.options.tags)!r}")
    if attempts.timeout is not None:
        words.append(f"timeout={attempts.timeout:g}")
    if attempts.retries:
        words.append(f"retries={attempts.retries}, backoff={attempts.backoff:g}")
    return f"({', '.join(words)})" if words else ""
