"""A notebook as a plain module: plain cells as they stand, nodes as tasks of a `Pipeline`."""

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

_MAGIC = re.compile(r"^(?=\s*[%!])", re.MULTILINE)
_HEAD = '''"""Made from {name} by `dagnb export`: run it from top to bottom."""

from dagnb import Pipeline, task
'''


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
    nodes = session.nodes
    before: list[str] = []
    after: list[str] = []
    for cell in cells:
        text = _plain_text(cell, session)
        (after if _reads(text, session) else before).append(text)
    order = [str(each) for each in session.dag.topological_sort()]
    tasks = [_task(nodes[each], session) for each in order]
    run = [f"pipeline = Pipeline([{', '.join(order)}])", "values = pipeline.execute().node_results"]
    values = [f'{each} = values["{each}"].result' for each in order]
    parts = [_HEAD.format(name=name), *before, *tasks, "\n".join([*run, *values]), *after]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


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


def _task(node: NotebookNode, session: Session) -> str:
    """Return a node as a decorated function."""
    options = node.options
    if options.when is not None or options.expand or node.code.is_async:
        what = "a condition" if options.when is not None else "what it makes or awaits"
        raise DefinitionError(f"node {node.name!r} cannot be written as a task because of {what}")
    function = node.code.definition()
    function.decorator_list = []
    _give_variables(function, node.code.optional, session.nodes)
    given = _options(node)
    function.name = node.name
    return f"@task{given}\n{ast.unparse(function)}"


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
