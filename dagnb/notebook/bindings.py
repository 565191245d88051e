"""Which names a piece of syntax binds, and how the compiler spells them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from dagnb.values.queries import METHODS, names_in

Assigned: TypeAlias = "set[str] | None"  # None: this place is never reached


def copied(assigned: Assigned) -> Assigned:
    """Return names that are assigned, to add others to."""
    return None if assigned is None else set(assigned)


def meet(ends: Iterable[Assigned]) -> Assigned:
    """Return what is assigned on every path that goes on, or None if none does."""
    alive = [end for end in ends if end is not None]
    return set.intersection(*alive) if alive else None


def arguments_of(arguments: ast.arguments) -> Iterator[ast.arg]:
    """Yield every parameter of a signature."""
    yield from arguments.posonlyargs
    yield from arguments.args
    yield from arguments.kwonlyargs
    for each in (arguments.vararg, arguments.kwarg):
        if each is not None:
            yield each


def stored_in(target: ast.AST) -> Iterator[str]:
    """Yield the names that an assignment to `target` binds."""
    if isinstance(target, ast.Name):
        yield target.id
        return
    for each in ast.walk(target):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id


def type_parameters(node: ast.AST) -> frozenset[str]:
    """Return the names of ``[T, *Ts]``, of Python 3.12."""
    return frozenset(each.name for each in getattr(node, "type_params", ()))


def always_matches(case: ast.match_case) -> bool:
    """Whether nothing gets past a case."""
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def may_suppress(node: ast.With | ast.AsyncWith) -> bool:
    """Whether a block says that it may be left in its middle: ``with suppress(...)``."""
    calls = [each.context_expr for each in node.items if isinstance(each.context_expr, ast.Call)]
    names = [getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls]
    return "suppress" in names


def quoted_in(call: ast.Call) -> Iterator[str]:
    """Yield the names in strings that are given to what evaluates strings."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in METHODS:
        return
    owner = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
    for given in [*call.args, *(each.value for each in call.keywords)]:
        for each in ast.walk(given):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield from names_in(each.value, call.func.attr, owner)


def mangled(name: str, owner: str) -> str:
    """Return a name as it is spelled within the class `owner`, if within any.

    Examples
    --------
    >>> mangled("__limit", "_Plot"), mangled("__limit__", "Plot"), mangled("__limit", "")
    ('_Plot__limit', '__limit__', '__limit')
    """
    owner = owner.lstrip("_")
    if not owner or not name.startswith("__") or name.endswith("__"):
        return name
    return f"_{owner}{name}"
