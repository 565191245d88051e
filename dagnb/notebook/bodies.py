"""The statements of a node cell, compiled as the body of a function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType

from dagnb.errors import DefinitionError
from dagnb.notebook.names import Names

Namespace = dict[str, object]


@dataclass(frozen=True, slots=True)
class CellText:
    """The text of a cell below the magic, at the line where it stands."""

    source: str
    filename: str
    first_line: int = 1

    def parse(self, transform: Callable[[str], str]) -> ast.Module:
        """Parse it with the line numbers of the cell; `transform` is asked if it is not Python."""
        padding = "\n" * (self.first_line - 1)
        try:
            return ast.parse(padding + self.source, self.filename)
        except SyntaxError:
            transformed = transform(self.source)
        try:
            return ast.parse(padding + transformed, self.filename)
        except SyntaxError as error:
            raise self._as_typed(error) from None

    def compile(self, module: ast.Module) -> CodeType:
        """Compile a tree that was made of this text."""
        try:
            return compile(module, self.filename, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise self._as_typed(error) from None

    def error(self, message: str, node: ast.AST) -> SyntaxError:
        """Make a SyntaxError that points at `node`."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return self._as_typed(SyntaxError(message, (self.filename, line, column + 1, None)))

    def _as_typed(self, error: SyntaxError) -> SyntaxError:
        """Show the line as it stands in the cell."""
        lines = self.source.splitlines()
        index = (error.lineno or 0) - self.first_line
        if 0 <= index < len(lines):
            error.text = lines[index]
        return error


@dataclass(frozen=True, slots=True)
class Body:
    """A cell's statements, ready to be compiled for any set of inputs."""

    statements: Sequence[ast.stmt]
    names: Names
    namespace: Namespace
    text: CellText

    def inputs(
        self, name: str, node_names: Container[str], extra: Iterable[str]
    ) -> tuple[str, ...]:
        """Return the names to be handed in, in order of first use, then the extra ones."""
        found = [each for each in self.names.reads if each in node_names and each != name]
        inputs = tuple(dict.fromkeys([*found, *extra]))
        shared = {each for each in self.names.shared if each in node_names or each in inputs}
        if shared:
            first = min(shared)
            raise DefinitionError(
                f"node {name!r} declares {first!r} global, but {first!r} is a node; "
                f"drop the global statement, {first!r} is handed in as an input"
            )
        return inputs

    def compile(self, name: str, inputs: Sequence[str]) -> Callable[..., object]:
        """Compile the function ``name(*inputs)``."""
        shell = ast.Module([self.definition(name, inputs)], type_ignores=[])
        return _as_cell(evaluate(shell, name, self.namespace, self.text))

    def definition(
        self, name: str, inputs: Sequence[str]
    ) -> ast.FunctionDef | ast.AsyncFunctionDef:
        """Return the function ``name(*inputs)`` as it would be written."""
        ours = self.names.local | self.names.quoted  # polars looks no further than a frame's own
        copied = [
            each
            for each in self.names.reads
            if each in ours and each not in inputs and each != name
        ]
        header = "async def" if self.names.awaits else "def"
        shell = ast.parse(f"{header} {name}({', '.join(inputs)}): pass")
        function = shell.body[0]
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        function.body = [*_preludes(copied), *self.statements]
        return function


def evaluate(
    module: ast.Module, name: str, namespace: Namespace, text: CellText
) -> Callable[..., object]:
    """Execute a module that defines `name`, and return it; the namespace stays as it is."""
    scope: dict[str, Callable[..., object]] = {}
    exec(text.compile(module), namespace, scope)
    return scope[name]


def shows(last: ast.stmt, name: str, names: Names) -> bool:
    """Whether a body assigns the node's own name and ends with something else, to be looked at."""
    if name not in names.local or not isinstance(last, ast.Expr):
        return False
    return not (isinstance(last.value, ast.Name) and last.value.id == name)


def value_of(last: ast.stmt, name: str, names: Names) -> list[ast.stmt]:
    """Return the statements that end the function in place of the cell's last one."""
    own = name in names.local
    if shows(last, name, names) and isinstance(last, ast.Expr):
        pair = ast.Tuple([last.value, _load(name, last)], ast.Load())
        return [_return(ast.copy_location(pair, last), last)]
    if isinstance(last, ast.Expr):
        return [_return(last.value, last)]
    if own:
        return [last, _return(_load(name, last), last)]
    if isinstance(last, ast.Assert) or not names.completes:
        return [last]
    raise DefinitionError(
        f"node {name!r} has no value: the cell ends with neither an expression nor a variable "
        f"called {name!r}; end it with the value, or assign {name} = ..."
    )


def _return(value: ast.expr, at: ast.stmt) -> ast.Return:
    return ast.copy_location(ast.Return(value), at)


def _load(name: str, at: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Name(name, ast.Load()), at)


def _as_cell(function: Callable[..., object]) -> Callable[..., object]:
    """Let the frames of a body look like those of a plain cell.

    Otherwise IPython searches the cell for the ``def`` that it does not have, and shows no line.
    """
    assert isinstance(function, FunctionType)
    function.__code__ = function.__code__.replace(co_name="<module>", co_qualname="<module>")
    return function


def _preludes(names: Iterable[str]) -> list[ast.stmt]:
    """Return statements that copy variables of the namespace into the function, if they exist.

    The nested function makes it a plain global lookup, which the digest of the code finds.
    """
    text = "".join(
        f"try:\n def {name}():\n  global {name}\n  return {name}\n {name} = {name}()\n"
        f"except NameError: del {name}\n"
        for name in names
    )
    statements = ast.parse(text).body if text else []
    for node in (each for statement in statements for each in ast.walk(statement)):
        if isinstance(node, ast.stmt | ast.expr | ast.ExceptHandler):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0
    return statements


def refuse_self(name: str, names: Names) -> None:
    """Refuse a node that reads its own last value, since every run would change it."""
    if name in names.early:
        raise DefinitionError(
            f"node {name!r} reads {name!r} before it assigns it, so it would build on its own "
            f"last value; give the node another name, e.g. %%dag_node {name}_2"
        )


def refuse_classes(name: str, names: Names) -> None:
    """Refuse a class that says ``x = x`` for a variable of the body, which it would not find."""
    if names.looked_past:
        first = min(names.looked_past)
        raise DefinitionError(
            f"a class in node {name!r} reads {first!r} and assigns it, so Python would look for it "
            f"outside of the node; give the variable another name, e.g. {first}_ = {first}"
        )


def share_globals(names: Names) -> None:
    """Let nested functions that say ``global x`` reach the body's own variable ``x``.

    In a plain cell both are the notebook's ``x``; in a node it belongs to the function.
    """
    for statement in names.nested_globals:
        if names.local.issuperset(statement.names):
            statement.__class__ = ast.Nonlocal  # type: ignore[assignment]  # the fields are equal


def forbidden(node: ast.AST) -> str:
    """Say why a body cannot hold this statement, and what to do."""
    if isinstance(node, ast.ImportFrom):
        return "'import *' is not possible in a node; import the names, or do it in a plain cell"
    word = "return" if isinstance(node, ast.Return) else "yield"
    return (
        f"'{word}' outside of a function; the node's value is the cell's last expression, "
        "or make the whole cell one def"
    )
