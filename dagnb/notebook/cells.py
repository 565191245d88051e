"""From the text of a node cell, or from a function, to something that can be called.

A cell that is exactly one ``def`` is that function: its parameters are its inputs. Any other cell
becomes the body of a function::

    %%dag_node clean                    def clean(raw):
    kept = raw.dropna()                     kept = raw.dropna()
    kept[kept.mass > limit]                 return kept[kept.mass > limit]

What the body assigns is local to the node. Which of the names it reads are nodes is not known when
the cell is parsed, because the order of definition does not matter; `NodeCode.bind` compiles the
function whose parameters are those that are nodes by now. All other names are looked up in the
user's namespace when the node runs. A name that is read from there *and* assigned
(``count = count + 1``) is first copied into the function.

The value of a body is its last expression, or the variable named like the node if the last
statement is not an expression, or if it is one whose value is None (a ``print``, a plot call). A
body that has neither is refused.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
import textwrap
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType, FunctionType

from dagnb.errors import DefinitionError
from dagnb.notebook.names import Function, Names, free_names, names_of

Namespace = dict[str, object]


@dataclass(frozen=True, slots=True)
class NodeCode:
    """The code of one node.

    Attributes
    ----------
    name : str
    source : str
        As typed, below the magic's line; without decorators for a function.
    function : callable
        Takes its inputs and returns the node's value (a coroutine if `is_async`). Its globals
        are the user's namespace.
    parameters : tuple of str
        The inputs of `function`: for a body, the names it reads that are nodes, in order of
        first use; for a function, its parameters.
    optional : frozenset of str
        Those of `parameters` that have a default.
    reads : tuple of str
        All names that may be read from outside, `parameters` and builtins included.
    is_async : bool
        Whether calling `function` gives a coroutine; see `run_coroutine`.
    """

    name: str
    source: str
    function: Callable[..., object]
    parameters: tuple[str, ...]
    optional: frozenset[str]
    reads: tuple[str, ...]
    is_async: bool
    _body: _Body | None = field(default=None, repr=False, compare=False)

    def bind(self, node_names: Container[str], extra: Iterable[str] = ()) -> NodeCode:
        """Return this code with those of its names as inputs that are nodes by now.

        Parameters
        ----------
        node_names : container of str
            The names of all nodes.
        extra : iterable of str
            Inputs that the code does not name (``--deps``); a function ignores them, because it
            has no parameter for them.

        Returns
        -------
        NodeCode
            This very object if its inputs stay the same.

        Raises
        ------
        DefinitionError
            If the body declares one of its inputs ``global``.
        """
        if self._body is None:
            return self
        inputs = self._body.inputs(self.name, node_names, extra)
        if inputs == self.parameters:
            return self
        function = self._body.compile(self.name, inputs)
        return replace(self, function=function, parameters=inputs)

    def missing(self, node_names: Container[str], namespace: Container[str]) -> tuple[str, ...]:
        """Return the names that neither a node nor a variable nor Python itself defines."""
        local = self._body.names.local if self._body is not None else self.optional
        return tuple(
            name
            for name in self.reads
            if name not in node_names
            and name not in namespace
            and name not in local
            and not hasattr(builtins, name)
        )


@dataclass(frozen=True, slots=True)
class _Body:
    """A cell's statements, ready to be compiled for any set of inputs."""

    statements: Sequence[ast.stmt]
    names: Names
    namespace: Namespace
    filename: str
    lines: Sequence[str]

    def inputs(
        self, name: str, node_names: Container[str], extra: Iterable[str]
    ) -> tuple[str, ...]:
        """Return the names to be handed in, in order of first use, then the extra ones."""
        found = [each for each in self.names.reads if each in node_names and each != name]
        inputs = tuple(dict.fromkeys([*found, *extra]))
        shared = self.names.shared.intersection(inputs)
        if shared:
            first = min(shared)
            raise DefinitionError(
                f"node {name!r} declares {first!r} global, but {first!r} is a node; "
                f"drop the global statement, {first!r} is handed in as an input"
            )
        return inputs

    def compile(self, name: str, inputs: Sequence[str]) -> Callable[..., object]:
        """Compile the function ``name(*inputs)``."""
        copied = [
            each
            for each in self.names.reads
            if each in self.names.local and each not in inputs and each != name
        ]
        header = "async def" if self.names.awaits else "def"
        shell = ast.parse(f"{header} {name}({', '.join(inputs)}): pass")
        function = shell.body[0]
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        function.body = [*_preludes(copied), *self.statements]
        return _as_cell(self.evaluate(shell, name))

    def evaluate(self, module: ast.Module, name: str) -> Callable[..., object]:
        """Execute a module that defines `name`, and return it; the namespace stays as it is."""
        scope: dict[str, Callable[..., object]] = {}
        code = _compiled(module, self.filename, self.lines)
        exec(code, self.namespace, scope)
        return scope[name]


def parse_cell(
    source: str,
    *,
    name: str | None,
    namespace: Namespace,
    node_names: Container[str],
    transform: Callable[[str], str],
    filename: str,
    first_line: int = 1,
) -> NodeCode:
    r"""Turn the text of a node cell into its code.

    Parameters
    ----------
    source : str
        The text below the magic's line.
    name : str or None
        The name given; else the cell names itself: by its only ``def``, or by the name its last
        statement assigns.
    namespace : dict
        The user's namespace, the globals of the function.
    node_names : container of str
        The names of the nodes so far.
    transform : callable
        Turns ``%magic`` and ``!command`` into Python, line by line (``ip.transform_cell``). Asked
        only if the text is not Python.
    filename : str
        Shown in tracebacks (``ip.compile.cache(...)``).
    first_line : int
        The line of the cell where `source` starts.

    Returns
    -------
    NodeCode
        Bound to `node_names`.

    Raises
    ------
    DefinitionError
        If the cell has no usable name or no value.
    SyntaxError
        With the line and text of the cell.

    Examples
    --------
    >>> code = parse_cell("kept = [x for x in raw if x]\nlen(kept)", name="n", namespace={},
    ...                   node_names={"raw"}, transform=str, filename="<cell>")
    >>> code.parameters, code.function(raw=[0, 1, 2])
    (('raw',), 2)
    """
    _refuse_cell_magic(source)
    lines = [""] * (first_line - 1) + source.splitlines()
    tree = _parse(source, transform, filename, lines)
    if not tree.body:
        raise DefinitionError("the cell holds no code; a node needs a value")
    names = names_of(tree.body)
    if names.forbidden is not None:
        raise _located(_forbidden(names.forbidden), names.forbidden, filename, lines)
    name = _checked(name if name is not None else _name_of(tree.body))
    body = _Body(tree.body, names, namespace, filename, lines)
    only = tree.body[0]
    if len(tree.body) == 1 and isinstance(only, ast.FunctionDef | ast.AsyncFunctionDef):
        return _function_cell(name, source, only, body)
    return _body_cell(name, source, body, node_names)


def function_node(function: Callable[..., object], name: str | None = None) -> NodeCode:
    """Turn a function of a cell or of a module into the code of a node.

    Raises
    ------
    DefinitionError
        If it has no name, no signature, or takes ``*args`` or ``**kwargs``.

    Examples
    --------
    >>> def area(radius, unit=1):
    ...     return 3 * radius ** 2 * unit
    >>> code = function_node(area)
    >>> code.name, code.parameters, sorted(code.optional)
    ('area', ('radius', 'unit'), ['unit'])
    """
    if name is None:
        name = getattr(function, "__name__", None)
        if name is None or name == "<lambda>":
            kind = "a lambda" if name else f"a {type(function).__name__}"
            raise DefinitionError(f"{kind} has no name; give one: dag_node(name='...')")
    name = _checked(name)
    parameters, optional = _signature(name, function)
    source, reads = _source_of(function)
    return NodeCode(
        name=name,
        source=source,
        function=function,
        parameters=parameters,
        optional=optional,
        reads=tuple(dict.fromkeys([*parameters, *reads])),
        is_async=inspect.iscoroutinefunction(function),
    )


def _body_cell(name: str, source: str, body: _Body, node_names: Container[str]) -> NodeCode:
    """Take a cell's statements as the body of a function."""
    names = body.names
    _refuse_self(name, names)
    _share_globals(names)
    statements = [*body.statements[:-1], *_value_of(body.statements[-1], name, names.local)]
    body = replace(body, statements=statements)
    inputs = body.inputs(name, node_names, ())
    return NodeCode(
        name=name,
        source=source,
        function=body.compile(name, inputs),
        parameters=inputs,
        optional=frozenset(),
        reads=names.reads,
        is_async=names.awaits,
        _body=body,
    )


def _function_cell(name: str, source: str, function: Function, body: _Body) -> NodeCode:
    """Take the one function of a cell; a recursive one finds itself in a closure."""
    reads = free_names(function)
    module = ast.Module([function], type_ignores=[])
    if function.name in reads:
        shell = ast.parse(f"def {function.name}():\n pass\n return {function.name}")
        outer = shell.body[0]
        assert isinstance(outer, ast.FunctionDef)
        outer.body[0] = function
        made = body.evaluate(shell, function.name)()
        assert callable(made)
    else:
        made = body.evaluate(module, function.name)
    parameters, optional = _signature(name, made)
    return NodeCode(
        name=name,
        source=source,
        function=made,
        parameters=parameters,
        optional=optional,
        reads=tuple(dict.fromkeys([*parameters, *(r for r in reads if r != function.name)])),
        is_async=inspect.iscoroutinefunction(made),
    )


# Names


def _checked(name: str) -> str:
    """Return `name` if it can be a variable, since the value is published under it."""
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    fixed = re.sub(r"\W+", "_", name).strip("_") or "node"
    fixed = f"node_{fixed}" if fixed[0].isdigit() else fixed
    fixed = f"{fixed}_" if keyword.iskeyword(fixed) else fixed
    raise DefinitionError(f"{name!r} cannot name a node, it is no variable name; try {fixed!r}")


def _name_of(body: Sequence[ast.stmt]) -> str:
    """Return the name that a cell gives itself."""
    assigned = _assigned(body[-1])
    if assigned:
        return assigned
    functions = [each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    if len(functions) == 1:
        return functions[0].name
    why = (
        f"the cell defines {len(functions)} functions"
        if functions
        else "its last statement assigns no name"
    )
    raise DefinitionError(
        f"the node has no name: {why}; write it after the magic (%%dag_node NAME), "
        "or end the cell with NAME = ..."
    )


def _assigned(statement: ast.stmt) -> str | None:
    """Return the one variable that a statement assigns, unless it is ``_``."""
    targets: Sequence[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return None
    return targets[0].id if targets[0].id.strip("_") else None


# Bodies


def _value_of(last: ast.stmt, name: str, local: Container[str]) -> list[ast.stmt]:
    """Return the statements that end the function in place of the cell's last one."""
    if isinstance(last, ast.Expr):
        return [_return(_or_named(last.value, name) if name in local else last.value, last)]
    if name in local:
        return [last, _return(_load(name, last), last)]
    raise DefinitionError(
        f"node {name!r} has no value: the cell ends with neither an expression nor a variable "
        f"called {name!r}; end it with the value, or assign {name} = ..."
    )


def _return(value: ast.expr, at: ast.stmt) -> ast.Return:
    return ast.copy_location(ast.Return(value), at)


def _load(name: str, at: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Name(name, ast.Load()), at)


def _or_named(value: ast.expr, name: str) -> ast.expr:
    """Return ``value``, or the variable `name` where that is None."""
    if isinstance(value, ast.Name) and value.id == name:
        return value
    stored = ast.copy_location(ast.Name("__value__", ast.Store()), value)
    shown = ast.copy_location(ast.NamedExpr(stored, value), value)
    nothing = ast.copy_location(ast.Constant(None), value)
    test = ast.copy_location(ast.Compare(shown, [ast.IsNot()], [nothing]), value)
    return ast.copy_location(ast.IfExp(test, _load("__value__", value), _load(name, value)), value)


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


def _refuse_self(name: str, names: Names) -> None:
    if name in names.early:
        raise DefinitionError(
            f"node {name!r} reads {name!r} before it assigns it, so it would build on its own "
            f"last value; give the node another name, e.g. %%dag_node {name}_2"
        )


def _share_globals(names: Names) -> None:
    """Let nested functions that say ``global x`` reach the body's own variable ``x``.

    In a plain cell both are the notebook's ``x``; in a node it belongs to the function.
    """
    for statement in names.nested_globals:
        if names.local.issuperset(statement.names):
            statement.__class__ = ast.Nonlocal  # type: ignore[assignment]  # the fields are equal


def _forbidden(node: ast.AST) -> str:
    if isinstance(node, ast.ImportFrom):
        return "'import *' is not possible in a node; import the names, or do it in a plain cell"
    word = "return" if isinstance(node, ast.Return) else "yield"
    return (
        f"'{word}' outside of a function; the node's value is the cell's last expression, "
        "or make the whole cell one def"
    )


# Python


def _refuse_cell_magic(source: str) -> None:
    first = source.lstrip().partition("\n")[0]
    if first.startswith("%%"):
        magic = first.split()[0]
        raise DefinitionError(
            f"{magic} cannot follow another cell magic; use the line magic {magic[1:]} on a line, "
            "or drop it"
        )


def _parse(
    source: str, transform: Callable[[str], str], filename: str, lines: Sequence[str]
) -> ast.Module:
    """Parse a cell with the line numbers it has in the notebook."""
    padding = "\n" * (len(lines) - len(source.splitlines()))
    try:
        return ast.parse(padding + source, filename)
    except SyntaxError:
        transformed = transform(source)
    try:
        return ast.parse(padding + transformed, filename)
    except SyntaxError as error:
        raise _with_text(error, lines) from None


def _compiled(module: ast.Module, filename: str, lines: Sequence[str]) -> CodeType:
    try:
        return compile(module, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _with_text(error, lines) from None


def _located(message: str, node: ast.AST, filename: str, lines: Sequence[str]) -> SyntaxError:
    """Make a SyntaxError that points at `node`."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    return _with_text(SyntaxError(message, (filename, line, column + 1, None)), lines)


def _with_text(error: SyntaxError, lines: Sequence[str]) -> SyntaxError:
    """Show the line as it stands in the cell."""
    if error.lineno is not None and 0 < error.lineno <= len(lines):
        error.text = lines[error.lineno - 1]
    return error


# Functions


def _signature(
    name: str, function: Callable[..., object]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the parameters of a function, and which of them have a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise DefinitionError(
            f"node {name!r}: {function!r} tells no parameters; wrap it in a def that names them"
        ) from None
    for each in parameters:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            stars = "*" if each.kind is each.VAR_POSITIONAL else "**"
            raise DefinitionError(
                f"node {name!r} takes {stars}{each.name}; its inputs are its parameters, "
                "so name each of them (a decorator needs functools.wraps)"
            )
    optional = frozenset(each.name for each in parameters if each.default is not each.empty)
    return tuple(each.name for each in parameters), optional


def _source_of(function: Callable[..., object]) -> tuple[str, tuple[str, ...]]:
    """Return the source of a function without its decorators, and its free names."""
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
        definition = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError):
        return "", ()
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        return source, ()
    lines = source.splitlines(keepends=True)[definition.lineno - 1 :]
    definition.decorator_list = []
    return "".join(lines), free_names(definition)
