"""Which names a piece of code reads from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from dagnb.notebook.bindings import type_parameters
from dagnb.notebook.scopes import Function, Scope


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of a body are to it.

    Attributes
    ----------
    reads : tuple of str
        Possibly read from outside, builtins included, in order of first use.
    quoted : frozenset of str
        Those of `reads` that stand in strings, which a library evaluates.
    perhaps : frozenset of str
        Those that stand nowhere else: the library may know better what they are.
    early : frozenset of str
        Those of `reads` that are read where nothing before them assigns them.
    local : frozenset of str
        Assigned somewhere in the body.
    shared : frozenset of str
        Declared ``global`` by the body itself.
    looked_past : frozenset of str
        Those of `local` that a class reads and assigns: Python looks for them outside of the body.
    completes : bool
        Whether the end of the body can be reached.
    awaits : bool
        Whether the body awaits outside of its own functions.
    forbidden : ast.AST or None
        The first ``return``, ``yield`` or ``import *``, which a body cannot hold.
    nested_globals : tuple of ast.Global
        The ``global`` statements of nested functions.
    """

    reads: tuple[str, ...]
    quoted: frozenset[str]
    perhaps: frozenset[str]
    early: frozenset[str]
    local: frozenset[str]
    shared: frozenset[str]
    looked_past: frozenset[str]
    completes: bool
    awaits: bool
    forbidden: ast.AST | None
    nested_globals: tuple[ast.Global, ...]


def names_of(body: Iterable[ast.stmt]) -> Names:
    r"""Look at statements as the body of a function; linear in their size.

    Examples
    --------
    >>> names = names_of(ast.parse("df = df.dropna()\nprint(df)").body)
    >>> names.reads, sorted(names.local)
    (('df', 'print'), ['df'])
    """
    scope = Scope("body")
    scope.block(body)
    scope.flush()
    quoted = [each for each in scope.quoted if each not in scope.seen]
    perhaps = [each for each in quoted if each not in scope.reads]
    return Names(
        reads=(*scope.reads, *perhaps),
        quoted=frozenset(quoted),
        perhaps=frozenset(perhaps),
        early=frozenset(scope.early),
        local=frozenset(scope.seen - scope.shared),
        shared=frozenset(scope.shared),
        looked_past=frozenset(scope.looked_past & scope.seen - scope.shared),
        completes=scope.bound is not None,
        awaits=scope.awaits,
        forbidden=scope.forbidden,
        nested_globals=tuple(scope.nested_globals),
    )


def free_names(function: Function) -> tuple[str, ...]:
    """Return the names that a ``def`` reads from outside, its decorators and defaults included.

    Examples
    --------
    >>> free_names(ast.parse("def area(r, unit=METRE): return pi * r ** 2").body[0])
    ('METRE', 'pi')
    """
    scope = Scope("body")
    scope.header(function)
    scope.read_all(scope.reads_of(function.body, function.args))
    generic = type_parameters(function)
    return tuple(name for name in scope.reads if name not in generic)
