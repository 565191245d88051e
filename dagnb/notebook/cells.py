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

The value of a body is its last expression. A body that assigns the node's own name has the value
of that variable, as if the cell had been run by hand; what it ends with is only shown
(``clean = raw.dropna()``, then ``clean.head()``). A check, which ends with ``assert`` or ``raise``,
has the value None. Any other body is refused.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
import textwrap
import tokenize
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import cast

from dagnb.errors import DefinitionError
from dagnb.notebook.bodies import (
    Body,
    CellText,
    Namespace,
    evaluate,
    forbidden,
    refuse_classes,
    refuse_self,
    share_globals,
    shows,
    value_of,
)
from dagnb.notebook.names import free_names, names_of
from dagnb.notebook.scopes import Function

# What IPython puts into every namespace: it decides no value, and holds the whole shell.
SHELL_NAMES = frozenset({"get_ipython", "exit", "quit", "In", "Out"})


@dataclass(frozen=True, slots=True)
class NodeCode:
    """The code of one node.

    Attributes
    ----------
    name : str
    source : str
        As typed, below the magic's line; without decorators for a function.
    function : callable
        Takes its inputs and returns the node's value (a coroutine if `is_async`); if `shows`, a
        pair of what the cell ends with and the value. Its globals are the user's namespace.
    parameters : tuple of str
        The inputs of `function`: for a body, the names it reads that are nodes, in order of
        first use; for a function, its parameters.
    optional : frozenset of str
        Those of `parameters` that have a default.
    reads : tuple of str
        All names that may be read from outside, `parameters` and builtins included.
    is_async : bool
        Whether calling `function` gives a coroutine; see `run_coroutine`.
    shows : bool
        Whether the cell ends with an expression that is not its value.
    is_sql : bool
        Whether the source is SQL, where a semicolon ends a statement and hides nothing.
    """

    name: str
    source: str
    function: Callable[..., object]
    parameters: tuple[str, ...]
    optional: frozenset[str]
    reads: tuple[str, ...]
    is_async: bool
    shows: bool = False
    is_sql: bool = False
    _body: Body | None = field(default=None, repr=False, compare=False)

    @property
    def quiet(self) -> bool:
        """Whether the code ends with a semicolon: the value is kept and not shown."""
        if self.is_sql or ";" not in self.source.rstrip().rpartition("\n")[2]:
            return False
        return _ends_quietly(self.source)

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

    def call(self, given: Mapping[str, object]) -> object:
        """Call the function with values for its parameters, by name."""
        count = getattr(getattr(self.function, "__code__", None), "co_posonlyargcount", 0)
        positional = [given[name] for name in self.parameters[:count] if name in given]
        named = {n: value for n, value in given.items() if n not in self.parameters[:count]}
        return self.function(*positional, **named)

    def definition(self) -> Function:
        """Return a function that gives the node's value, as it would be written in a module.

        Raises
        ------
        DefinitionError
            Nobody knows its source.
        """
        if self._body is None:
            return _written(self.name, self.source)
        function = self._body.definition(self.name, self.parameters)
        last = function.body[-1]
        if self.shows and isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple):
            function.body[-1] = ast.copy_location(ast.Return(last.value.elts[1]), last)
        return function

    def is_foreign(self, namespace: Container[str]) -> bool:
        """Whether this is a function whose globals are those of another module."""
        own = getattr(inspect.unwrap(self.function), "__globals__", namespace)
        return self._body is None and own is not namespace

    def missing(self, node_names: Container[str], namespace: Container[str]) -> tuple[str, ...]:
        """Return the names that neither a node nor a variable nor Python itself defines.

        A function of another module looks all but its parameters up there.
        """
        names = None if self._body is None else self._body.names
        local = self.optional if names is None else names.local | names.perhaps
        return tuple(
            name
            for name in (self.parameters if self.is_foreign(namespace) else self.reads)
            if name not in node_names
            and name not in namespace
            and name not in local
            and not hasattr(builtins, name)
        )


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
    text = CellText(source, filename, first_line)
    tree = text.parse(transform)
    if not tree.body:
        raise DefinitionError("the cell holds no code; a node needs a value")
    only = tree.body[0]
    if len(tree.body) == 1 and isinstance(only, ast.FunctionDef | ast.AsyncFunctionDef):
        return _function_cell(
            checked_name(only.name if name is None else name), only, namespace, text
        )
    names = names_of(tree.body)
    if names.forbidden is not None:
        raise text.error(forbidden(names.forbidden), names.forbidden)
    name = checked_name(name if name is not None else name_of(tree.body))
    return _body_cell(name, Body(tree.body, names, namespace, text), node_names)


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
    name = checked_name(name)
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


def _body_cell(name: str, body: Body, node_names: Container[str]) -> NodeCode:
    """Take a cell's statements as the body of a function."""
    names = body.names
    refuse_self(name, names)
    refuse_classes(name, names)
    share_globals(names)
    last = body.statements[-1]
    statements = [*body.statements[:-1], *value_of(last, name, names)]
    body = replace(body, statements=statements)
    inputs = body.inputs(name, node_names, ())
    return NodeCode(
        name=name,
        source=body.text.source,
        function=body.compile(name, inputs),
        parameters=inputs,
        optional=frozenset(),
        reads=names.reads,
        is_async=names.awaits,
        shows=shows(last, name, names),
        _body=body,
    )


def _function_cell(name: str, function: Function, namespace: Namespace, text: CellText) -> NodeCode:
    """Take the one function of a cell; a recursive one finds itself in a closure."""
    reads = free_names(function)
    module = ast.Module([function], type_ignores=[])
    if function.name in reads:
        module = ast.parse(f"def {function.name}():\n pass\n return {function.name}")
        outer = module.body[0]
        assert isinstance(outer, ast.FunctionDef)
        outer.body[0] = function
    made = evaluate(module, function.name, namespace, text)
    if function.name in reads:
        made = cast(Callable[..., object], made())
    parameters, optional = _signature(name, made)
    return NodeCode(
        name=name,
        source=text.source,
        function=made,
        parameters=parameters,
        optional=optional,
        reads=tuple(dict.fromkeys([*parameters, *(r for r in reads if r != function.name)])),
        is_async=inspect.iscoroutinefunction(made),
    )


def _written(name: str, source: str) -> Function:
    """Return the one function of a source."""
    body = ast.parse(textwrap.dedent(source)).body
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef):
        raise DefinitionError(f"node {name!r} has no source that could be written down")
    return body[0]


_MAY_HIDE = re.compile(r"[#'\"]")  # a comment begins here, or a string begins or ends
_NO_CODE = {tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.DEDENT}


def _ends_quietly(source: str) -> bool:
    """Say whether a semicolon is the last there is, comments aside; magics end as typed."""
    last = source.rstrip().rpartition("\n")[2]
    if not _MAY_HIDE.search(last):
        return last.endswith(";")
    try:
        tokens = [*tokenize.generate_tokens(StringIO(source).readline)]
    except (tokenize.TokenError, SyntaxError):
        return source.rstrip().endswith(";")
    return next((t.string for t in reversed(tokens) if t.type not in _NO_CODE), "") == ";"


def _refuse_cell_magic(source: str) -> None:
    first = source.lstrip().partition("\n")[0]
    if first.startswith("%%"):
        magic = first.split()[0]
        raise DefinitionError(
            f"{magic} cannot follow another cell magic; use the line magic {magic[1:]} on a line, "
            "or drop it"
        )


def checked_name(name: str) -> str:
    """Return `name` as Python spells it if it can be a variable: its value is published so."""
    name = spelled(name)
    if name in SHELL_NAMES or (name and not name.strip("_")):
        raise DefinitionError(f"{name!r} cannot name a node, it is IPython's own; try 'node_1'")
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    fixed = re.sub(r"\W+", "_", name).strip("_") or "node"
    fixed = f"node_{fixed}" if fixed[0].isdigit() else fixed
    fixed = f"{fixed}_" if keyword.iskeyword(fixed) else fixed
    raise DefinitionError(f"{name!r} cannot name a node, it is no variable name; try {fixed!r}")


def spelled(name: str) -> str:
    """Return a name as Python spells it in code, where a micro sign is a Greek mu.

    Examples
    --------
    >>> spelled("\N{MICRO SIGN}") == "\N{GREEK SMALL LETTER MU}"
    True
    """
    return unicodedata.normalize("NFKC", name)


def name_of(body: Sequence[ast.stmt]) -> str:
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
