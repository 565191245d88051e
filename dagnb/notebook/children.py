"""The nodes that a node's value makes: ``--expand``.

The value says what they are: a dict of names and functions, whose parameters are inputs like
those of a function under ``@dag_node``: nodes, variables, or each other::

    %%dag_node sizes --expand
    {f"size_{path.stem}": partial(size_of, path) for path in folder.glob("*.csv")}

A function that takes ``*args`` or ``**kwargs`` says which nodes these are, in a list beside it::

    {**sizes, "total": (lambda *sizes: sum(sizes), [*sizes])}

A list of ``(name, function)`` or ``(name, function, inputs)`` does the same, and so do the
`DynamicNodeSpec` and `DynamicModification` of the executors, as far as they add nodes and name
what these come after.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from dagnb.errors import DefinitionError
from dagnb.graph.edit import DynamicModification, DynamicNodeSpec
from dagnb.notebook.cells import NodeCode, checked_name, function_node, spelled
from dagnb.notebook.node import NodeOptions, NotebookNode
from dagnb.run.call import parameters_of

Made = dict[str, tuple[NodeCode, NodeOptions]]
Item = tuple[object, object, object]  # a name, a function, and its inputs or None

STARS = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


def children_of(parent: NotebookNode, value: object) -> Made:
    """Return the nodes that a node's value describes, by name.

    They are tried as often and for as long as the node that makes them, and depend on what that
    one is declared to.

    Raises
    ------
    DefinitionError
        It describes none, or one that cannot be; the message says how to write it.
    """
    made: Made = {}
    for given, function, inputs in _items(parent.name, value):
        if not isinstance(given, str):
            raise _refusal(parent.name, f"the name {given!r} is no text")
        name = checked_name(given)
        if name in made:
            raise _refusal(parent.name, f"it names {name!r} twice")
        if not callable(function):
            raise _refusal(parent.name, f"{name!r} has {function!r}, which is no function")
        deps = _names(parent.name, name, inputs)
        code = _code(name, function, deps)
        source = code.source or parent.code.source
        options = parent.options
        own = NodeOptions(
            deps or (), attempts=options.attempts, cache=options.cache, declared=options.declared
        )
        made[name] = replace(code, source=source), own
    return made


def _items(parent: str, value: object) -> Iterator[Item]:
    """Yield what any of the forms describes."""
    if isinstance(value, DynamicModification):
        if value.remove_nodes:
            raise _refusal(parent, "it removes nodes, which only their own cells can")
        value = value.add_nodes
    if isinstance(value, Mapping):
        for name, described in value.items():
            yield _item(parent, (name, *_pair(described)))
    elif isinstance(value, list | tuple):
        for each in value:
            yield _spec(parent, each) if isinstance(each, DynamicNodeSpec) else _item(parent, each)
    elif value is not None:
        raise _refusal(parent, f"it is a {type(value).__name__}")


def _pair(described: object) -> tuple[object, ...]:
    return described if isinstance(described, tuple) else (described,)


def _item(parent: str, given: object) -> Item:
    match given:
        case (name, function):
            return name, function, None
        case (name, function, inputs):
            return name, function, inputs
    raise _refusal(parent, f"it holds {given!r}")


def _spec(parent: str, spec: DynamicNodeSpec) -> Item:
    if spec.dependents:
        why = f"{spec.name!r} has dependents; what comes after a node names it in its own code"
        raise _refusal(parent, why)
    if spec.expander is not None:
        raise _refusal(parent, f"{spec.name!r} has an expander; made nodes make no others")
    inputs = [each for each in spec.dependencies or () if each != parent]
    return spec.name, spec.task, None if spec.dependencies is None else inputs


def _names(parent: str, name: str, inputs: object) -> tuple[str, ...] | None:
    if inputs is None:
        return None
    if isinstance(inputs, str) or not isinstance(inputs, Iterable):
        raise _refusal(parent, f"the inputs of {name!r} are {inputs!r}; give a list of names")
    names = tuple(spelled(each) if isinstance(each, str) else each for each in inputs)
    if name in names:
        raise _refusal(parent, f"{name!r} is among its own inputs")
    return names


def _code(name: str, function: Callable[..., Any], deps: tuple[str, ...] | None) -> NodeCode:
    """Return the code of a node, whose stars take the inputs that it does not name."""
    parameters = parameters_of(function)
    kinds = {each.kind for each in parameters}
    if deps is None or kinds.isdisjoint(STARS):
        return function_node(function, name)
    named = [each.name for each in parameters if each.kind not in STARS]
    inputs = tuple(dict.fromkeys([*(n for n in named if n in deps), *deps]))
    return NodeCode(
        name=name,
        source="",
        function=partial(gathered, function, STARS[0] in kinds, named),
        parameters=inputs,
        optional=frozenset(),
        reads=inputs,
        is_async=inspect.iscoroutinefunction(function),
    )


def gathered(
    function: Callable[..., Any], in_order: bool, named: Sequence[str], /, **inputs: Any
) -> Any:
    """Call a function with stars: its own parameters by name, the rest in order or by name.

    Examples
    --------
    >>> gathered(lambda *sizes: sum(sizes), True, [], a=1, b=2)
    3
    """
    own = {name: inputs.pop(name) for name in named if name in inputs}
    if not in_order:
        return function(**own, **inputs)
    return function(*own.values(), *inputs.values())


def _refusal(parent: str, why: str) -> DefinitionError:
    return DefinitionError(
        f"node {parent!r} makes nodes, so its value is a dict of names and functions, "
        f"e.g. {{'a': lambda: 1}}; {why}"
    )
