"""The condition of a node: ``--when "rows > 100"``, an expression over nodes and variables.

It is code like that of a node. The nodes it names come before the node, and a change of anything
it reads has it asked again. But it is no part of what decides the node's value: as long as it
holds, the node runs only if what its own code reads has changed.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import ModuleType

from dagnb.errors import DefinitionError, did_you_mean
from dagnb.notebook.bodies import Namespace
from dagnb.notebook.cells import NodeCode, function_node, parse_cell
from dagnb.values.describe import describe

MOST_FACTS = 3  # values that are told with an outcome


@dataclass(frozen=True, slots=True)
class Condition:
    """When a node is to run.

    Attributes
    ----------
    text : str
        As typed.
    code : NodeCode
        Returns whether it holds.
    namespace : dict
        Where it looks up what is no node.
    """

    text: str
    code: NodeCode
    namespace: Namespace

    def holds(self, inputs: Mapping[str, object]) -> bool:
        """Ask it; `inputs` are the values of nodes. Whatever it raises is the user's."""
        return bool(self.code.call(self._given(inputs)))

    def facts(self, inputs: Mapping[str, object]) -> str:
        """Return what it was asked about, in a few words.

        Examples
        --------
        >>> condition = parse_condition("n > most", "a", {"most": 3}, {"n"}, filename="<cell>")
        >>> condition.holds({"n": 2}), condition.facts({"n": 2})
        (False, 'n is 2, most is 3')
        """
        code = self.code
        names = code.parameters if code.is_foreign(self.namespace) else code.reads
        known = {n: values[n] for n in names for values in (self.namespace, inputs) if n in values}
        data = [name for name, value in known.items() if _is_data(value)]
        return ", ".join(f"{name} is {describe(known[name])}" for name in data[:MOST_FACTS])

    def bind(self, node_names: Collection[str]) -> Condition:
        """Return it with those of its names as inputs that are nodes by now."""
        return replace(self, code=self.code.bind(node_names))

    def _given(self, inputs: Mapping[str, object]) -> dict[str, object]:
        names = self.code.parameters
        variables = {name: self.namespace[name] for name in names if name in self.namespace}
        return {**variables, **{name: inputs[name] for name in names if name in inputs}}


def parse_condition(
    text: str, node: str, namespace: Namespace, node_names: Collection[str], *, filename: str
) -> Condition:
    """Turn the text of a condition into code; the name of a function means a call of it.

    Parameters
    ----------
    text : str
        A Python expression.
    node : str
        The node that it is for.
    namespace : dict
        The notebook's variables.
    node_names : container of str
    filename : str
        Shown in tracebacks.

    Raises
    ------
    DefinitionError
        It is no expression, awaits something, or names what is neither a node nor a variable.
    """
    tree = _expression(text, node)
    names = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    if node in names:
        raise DefinitionError(f"the condition of node {node!r} reads {node!r} itself; name others")
    source = _called(text, tree, namespace, node_names)
    code = parse_cell(
        source,
        name=node,
        namespace=namespace,
        node_names=node_names,
        transform=str,
        filename=filename,
    )
    return _checked(Condition(text, code, namespace), node_names)


def condition_of(
    when: str | Callable[..., object],
    node: str,
    namespace: Namespace,
    node_names: Collection[str],
) -> Condition:
    """Take a text or a function as a condition; a function's parameters are nodes or variables.

    Raises
    ------
    DefinitionError
        As for `parse_condition`.
    """
    if isinstance(when, str):
        return parse_condition(when, node, namespace, node_names, filename="<--when>")
    return _function_condition(when, node, namespace, node_names)


def _function_condition(
    function: Callable[..., object], node: str, namespace: Namespace, node_names: Collection[str]
) -> Condition:
    text = getattr(function, "__name__", type(function).__name__)
    code = function_node(function, node)
    return _checked(Condition(text.strip("<>"), code, namespace), node_names)


def _expression(text: str, node: str) -> ast.Expression:
    try:
        return ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise DefinitionError(
            f"the condition of node {node!r} is a Python expression; {text!r} is none: {error.msg}"
        ) from None


def _called(
    text: str, tree: ast.Expression, namespace: Namespace, node_names: Collection[str]
) -> str:
    """Return the expression, as a call with its parameters if it names a function."""
    if not isinstance(tree.body, ast.Name) or tree.body.id in node_names:
        return text.strip()
    function = namespace.get(tree.body.id)
    if not inspect.isfunction(function):
        return text.strip()
    parameters = inspect.signature(function).parameters.values()
    needed = [each for each in parameters if each.default is each.empty]
    positional = [n.name for n in needed if n.kind is not n.KEYWORD_ONLY]
    named = [f"{n.name}={n.name}" for n in needed if n.kind is n.KEYWORD_ONLY]
    return f"{tree.body.id}({', '.join([*positional, *named])})"


def _checked(condition: Condition, node_names: Collection[str]) -> Condition:
    code, namespace = condition.code, condition.namespace
    if code.is_async:
        raise DefinitionError(
            f"the condition of node {code.name!r} awaits something; let a node do that, and read it"
        )
    missing = code.missing(node_names, namespace)
    if missing:
        hint = did_you_mean(missing[0], [*node_names, *namespace, *vars(builtins)])
        raise DefinitionError(
            f"the condition of node {code.name!r} names {missing[0]!r}, "
            f"which is neither a node nor a variable{hint}"
        )
    return condition


def _is_data(value: object) -> bool:
    return not callable(value) and not isinstance(value, ModuleType)
