"""A cell of SQL as the code of a node: the tables that it names are its inputs.

A name that is no node is a variable of the notebook, as in Python, and so is what is written as
``$name``. What decides is the parsed statement, so formatting and comments run nothing again.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from types import FunctionType

from dagnb.errors import DefinitionError, SqlError
from dagnb.notebook.bodies import Body, CellText, Namespace, evaluate
from dagnb.notebook.cells import NodeCode, checked_name
from dagnb.notebook.names import names_of
from dagnb.notebook.scopes import Function
from dagnb.project import duck
from dagnb.project.query import Query

_QUERY = "__query__"


@dataclass(frozen=True, slots=True)
class SqlBody(Body):
    """A statement, ready to be made a function of any set of inputs."""

    query: Query

    def compile(self, name: str, inputs: Sequence[str]) -> Callable[..., object]:
        """Return the function ``name(*inputs)``; the query is a default, which is digested."""
        given = ", ".join(f"{each}={each}" for each in self.query.names)
        source = f"def {name}({', '.join([*inputs, '*', _QUERY])}): return {_QUERY}.rows({given})"
        module = ast.increment_lineno(ast.parse(source), self.text.first_line - 1)
        function = evaluate(module, name, self.namespace, self.text)
        assert isinstance(function, FunctionType)
        function.__kwdefaults__ = {_QUERY: self.query}
        return function

    def definition(self, name: str, inputs: Sequence[str]) -> Function:
        """Return the function as it would be written in a module."""
        given = "".join(f", {each}={each}" for each in self.query.names)
        call = f"select({self.query.sql!r}{given})"
        lines = [f"def {name}({', '.join(inputs)}):", " from dagnb.project.query import select"]
        [function] = ast.parse("\n".join([*lines, f" return {call}"])).body
        assert isinstance(function, ast.FunctionDef)
        return function


def parse_sql_cell(
    source: str,
    *,
    name: str | None,
    namespace: Namespace,
    node_names: Container[str],
    filename: str,
    first_line: int = 1,
    is_rule: bool = False,
) -> NodeCode:
    """Turn the text of a cell of SQL into the code of a node.

    Parameters
    ----------
    source, name, namespace, node_names, filename, first_line
        As for `parse_cell`; the name must be given.
    is_rule : bool
        Whether every row that it finds is a bad one.

    Raises
    ------
    DefinitionError
        The node has no name, or the statement reads what can be no node.
    SqlError
        It does not parse; the line is that of the cell.
    """
    if name is None:
        raise DefinitionError(
            "a node of SQL needs a name; write it after the magic: %%dag_node NAME --lang sql"
        )
    statement = duck.parse(source, first_line)
    name = checked_name(name)
    for each in [*statement.tables, *statement.parameters]:
        _check(each, name)
    query = Query(source, statement, name if is_rule else "")
    names = names_of(ast.parse(f"({''.join(f'{each}, ' for each in query.names)})").body)
    body = SqlBody((), names, namespace, CellText(source, filename, first_line), query)
    inputs = body.inputs(name, node_names, ())
    return NodeCode(
        name=name,
        source=source,
        function=body.compile(name, inputs),
        parameters=inputs,
        optional=frozenset(),
        reads=names.reads,
        is_async=False,
        is_sql=True,
        _body=body,
    )


def _check(read: str, name: str) -> None:
    if read == name:
        raise DefinitionError(f"node {name!r} reads itself; give it another name")
    if not read.isidentifier() or keyword.iskeyword(read):
        raise SqlError(
            f"it reads {read!r}, and SQL in a notebook reads nodes and variables by name; "
            "let a node in Python load it, or write $name for a value"
        )
