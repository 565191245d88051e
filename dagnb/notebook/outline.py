"""The nodes of a notebook file as far as one can tell by reading it: no cell is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError
from IPython.core.inputtransformer2 import TransformerManager

from dagnb.errors import DefinitionError, SqlError
from dagnb.notebook.cells import name_of
from dagnb.notebook.file import Cell
from dagnb.notebook.magics import DagMagics
from dagnb.notebook.mentions import mentioned
from dagnb.notebook.names import free_names, names_of
from dagnb.notebook.scopes import Function
from dagnb.notebook.verbs import words_of
from dagnb.project.duck import parse
from dagnb.project.manifest import Manifest

MAGIC = "%%dag_node"
KIND = "node"


@dataclass(frozen=True, slots=True)
class Sketch:
    """A node as it is written down.

    Attributes
    ----------
    name : str
    cell : Cell
    code : str
        As Python writes it, or as SQL is parsed: formatting and comments make no difference.
    options : str
    reads : frozenset of str
        The names that its code reads from outside.
    tags : tuple of str
    """

    name: str
    cell: Cell
    code: str
    options: str
    reads: frozenset[str]
    tags: tuple[str, ...] = ()


def outline(cells: Iterable[Cell]) -> dict[str, Sketch]:
    """Return the nodes that cells define, by name; what cannot be read is left out.

    Nodes that others make while they run are not known before.
    """
    return {sketch.name: sketch for cell in cells for sketch in _sketches(cell)}


def described(cells: Sequence[Cell]) -> Manifest:
    """Return the nodes of cells, and what they read from plain cells, as a manifest."""
    sketches = outline(cells)
    plain = _definitions(cell for cell in cells if not _is_node(cell))
    nodes = {f"{KIND}.{each.name}": _entry(each, sketches, plain) for each in sketches.values()}
    edges = [
        [f"{KIND}.{name}", f"{KIND}.{each.name}"]
        for each in sketches.values()
        for name in sketches
        if name in each.reads and name != each.name
    ]
    return Manifest.from_dict({"nodes": nodes, "edges": edges})


def _entry(
    sketch: Sketch, sketches: Mapping[str, Sketch], plain: Mapping[str, str]
) -> dict[str, Any]:
    """Return a node with the source of all that it reads, helpers of helpers included."""
    reads: dict[str, str] = {}
    todo = [name for name in sketch.reads if name not in sketches]
    while todo:
        name = todo.pop()
        if name in plain and name not in reads:
            reads[name] = plain[name]
            todo += [each for each in mentioned(plain[name]) if each not in sketches]
    config = {"code": sketch.code, "options": sketch.options, "reads": dict(sorted(reads.items()))}
    return {"type": KIND, "config": config, "tags": list(sketch.tags)}


def _is_node(cell: Cell) -> bool:
    return cell.source.lstrip().startswith(MAGIC)


def _sketches(cell: Cell) -> Iterator[Sketch]:
    try:
        if _is_node(cell):
            yield _of_magic(cell)
        else:
            yield from (_of_function(cell, each) for each in _decorated(_parsed(cell.source)))
    except (SyntaxError, UsageError, DefinitionError, SqlError):
        return


def _of_magic(cell: Cell) -> Sketch:
    line, _, body = cell.source.lstrip().partition("\n")
    words = line.removeprefix(MAGIC)
    arguments = DagMagics.dag_node.parser.parse_args(words_of(words))
    if arguments.lang == "sql":
        return _of_sql(cell, words, arguments, body)
    tree = _parsed(body)
    if not tree.body:
        raise DefinitionError("the cell holds no code")
    only = tree.body[0]
    is_function = len(tree.body) == 1 and isinstance(only, ast.FunctionDef | ast.AsyncFunctionDef)
    name = arguments.name or name_of(tree.body)
    reads = _reads_of(only) if is_function else names_of(tree.body).reads
    return _sketch(cell, words, arguments, name=name, code=ast.unparse(tree), reads=reads)


def _of_sql(cell: Cell, words: str, arguments: Any, body: str) -> Sketch:
    """Return a node in SQL; its code is the parsed statement."""
    if arguments.name is None:
        raise DefinitionError("a node of SQL needs a name")
    statement = parse(body)
    reads, name = (*statement.tables, *statement.parameters), arguments.name
    return _sketch(cell, words, arguments, name=name, code=statement.canonical, reads=reads)


def _sketch(
    cell: Cell, words: str, arguments: Any, *, name: str, code: str, reads: Iterable[str]
) -> Sketch:
    """Return a node with what its magic says."""
    after = [each.strip() for some in arguments.deps or [] for each in some.split(",")]
    tags = [each.strip() for some in arguments.tags or [] for each in some.split(",")]
    options = words.replace(name, "", 1).strip()
    asked = mentioned(arguments.when or "")
    return Sketch(name, cell, code, options, frozenset([*reads, *after, *asked]), tuple(tags))


def _of_function(cell: Cell, function: Function) -> Sketch:
    decorator = next(each for each in function.decorator_list if _is_ours(each))
    named = {each.arg: each.value for each in getattr(decorator, "keywords", ())}
    given = named.get("name")
    name = str(given.value) if isinstance(given, ast.Constant) else function.name
    options = ast.unparse(decorator).partition("(")[2].removesuffix(")")
    function.decorator_list = []
    return Sketch(name, cell, ast.unparse(function), options, frozenset(_reads_of(function)))


def _reads_of(function: ast.stmt) -> Iterable[str]:
    """Return what a function reads: its parameters are its inputs."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*(each.arg for each in parameters), *free_names(function)]


def _decorated(tree: ast.Module) -> Iterator[Function]:
    for each in tree.body:
        decorators = getattr(each, "decorator_list", ())
        if isinstance(each, Function) and any(map(_is_ours, decorators)):
            yield each


def _is_ours(decorator: ast.expr) -> bool:
    """Whether a decorator is ``dag_node``, however it is reached."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(target).rpartition(".")[2] == "dag_node"


def _parsed(source: str) -> ast.Module:
    """Parse the text of a cell; magics and commands as the calls that they are turned into."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.parse(TransformerManager().transform_cell(source))


def _definitions(cells: Iterable[Cell]) -> dict[str, str]:
    """Return what plain cells say of each name, in the order in which they say it."""
    found: dict[str, str] = {}
    for cell in cells:
        try:
            statements = _parsed(cell.source).body
        except SyntaxError:
            continue
        for statement in statements:
            for name in names_of([statement]).local:
                found[name] = f"{found.get(name, '')}{ast.unparse(statement)}\n"
    return found
