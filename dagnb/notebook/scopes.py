"""Which names a piece of code reads from outside, found on its syntax tree.

The question is not only which names are free: ``df = df.dropna()`` reads ``df`` from outside and
then makes it its own. So the walk follows the order of execution and keeps the set of names that
are *definitely* assigned; what is read while it is not in that set may come from outside. Where
the paths through an ``if``, a loop, a ``try`` or a ``match`` meet, the set is the intersection.

Nested functions read their names when they are called, so a ``def`` is looked into where its name
is first used; lambdas, comprehensions and decorated functions where they stand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias

from dagnb.values.queries import METHODS, names_in

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Assigned: TypeAlias = "set[str] | None"  # None: this place is never reached


class Scope:
    """One walk through one scope: the cell's body, a class body, or a nested function."""

    def __init__(
        self, kind: Literal["body", "class", "function"], bound: Iterable[str] = ()
    ) -> None:
        self.kind = kind
        self.bound: Assigned = set(bound)
        self.seen = set(bound)
        self.reads: dict[str, None] = {}
        self.quoted: dict[str, None] = {}
        self.early: set[str] = set()
        self.shared: set[str] = set()
        self.awaits = False
        self.forbidden: ast.AST | None = None
        self.nested_globals: list[ast.Global] = []
        self.looked_past: set[str] = set()
        self._hidden: frozenset[str] = frozenset()
        self._functions: dict[str, tuple[str, ...]] = {}
        self._called: dict[str, set[str]] = {}  # with which names assigned, at the least
        self._breaks: list[list[Assigned]] = []

    # What happens to a name

    def read(self, name: str) -> None:
        """Note that `name` is looked up here."""
        if name in self._hidden:
            return
        if self.bound is not None and name not in self.bound:
            self.reads.setdefault(name)
            if name not in self.seen:
                self.early.add(name)
        if name in self._functions:
            self._call(name)

    def bind(self, name: str) -> None:
        """Note that `name` is assigned here."""
        self.seen.add(name)
        if self.bound is not None:
            self.bound.add(name)

    def unbind(self, name: str) -> None:
        """Note that `name` is gone after this place."""
        self.seen.add(name)
        if self.bound is not None:
            self.bound.discard(name)

    def flush(self) -> None:
        """Look into the functions that were defined and never used."""
        for name in self._functions:
            if name not in self._called:
                self._call(name)

    def _call(self, name: str) -> None:
        """Read what the function `name` reads, if fewer names are assigned than at its last use."""
        now, before = self.bound, self._called.get(name)
        if now is None or (before is not None and before <= now):
            return
        self._called[name] = set(now) if before is None else now & before
        hidden, self._hidden = self._hidden, frozenset()
        for each in self._functions[name]:
            self.read(each)
        self._hidden = hidden

    # The walk

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Walk through statements in their order."""
        for statement in body:
            self.visit(statement)

    def visit(self, node: ast.AST) -> None:
        """Walk through one node as it is executed."""
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node)
            return
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, ast.AST):
                self.visit(value)
            elif isinstance(value, list):
                self._each(value)

    def _each(self, nodes: Iterable[object]) -> None:
        for node in nodes:
            if isinstance(node, ast.AST):
                self.visit(node)

    def _skip(self, node: ast.AST) -> None:
        """Leaves hold no names."""

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self.bind(node.id)
        else:
            self.read(node.id)
            self.unbind(node.id)

    def _assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        self._each(node.targets)

    def _aug_assign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def _ann_assign(self, node: ast.AnnAssign) -> None:
        """Annotations of a function's local variables are never evaluated."""
        if self.kind == "class":
            self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        elif isinstance(node.target, ast.Name):
            self.seen.add(node.target.id)

    def _named_expr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.bind(node.target.id)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._forbid(node)
                continue
            self.bind(alias.asname or alias.name.partition(".")[0])

    def _global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.shared.update(node.names)
        if isinstance(node, ast.Global) and self.kind != "body":
            self.nested_globals.append(node)

    # Control flow: every branch starts from the same set, and they meet in the intersection

    def _branch(self, start: Assigned, *bodies: Iterable[ast.AST]) -> Assigned:
        """Walk through `bodies` from `start`; return what is assigned after them."""
        self.bound = _copy(start)
        for body in bodies:
            self._each(body)
        return self.bound

    def _if(self, node: ast.If | ast.IfExp) -> None:
        self.visit(node.test)
        start = self.bound
        yes = node.body if isinstance(node.body, list) else [node.body]
        no = node.orelse if isinstance(node.orelse, list) else [node.orelse]
        self.bound = _meet([self._branch(start, yes), self._branch(start, no)])

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.awaits |= isinstance(node, ast.AsyncFor)
        self.visit(node.iter)
        self._loop([node.target, *node.body], node.orelse)

    def _while(self, node: ast.While) -> None:
        self.visit(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._loop(node.body, node.orelse, endless=endless)

    def _loop(
        self, body: Iterable[ast.AST], orelse: Iterable[ast.AST], *, endless: bool = False
    ) -> None:
        """A loop's body may run no time at all, unless it is ``while True``."""
        start = _copy(self.bound)
        self._breaks.append([])
        self._branch(start, body)
        breaks = self._breaks.pop()
        after = None if endless else self._branch(start, orelse)
        self.bound = _meet([after, *breaks])

    def _break(self, node: ast.Break) -> None:
        if self._breaks:
            self._breaks[-1].append(self.bound)
        self.bound = None

    def _leave(self, node: ast.AST) -> None:
        """``continue``, ``raise`` and ``return``: nothing after them is reached."""
        self._each(ast.iter_child_nodes(node))
        self.bound = None

    def _try(self, node: ast.Try) -> None:
        start = _copy(self.bound)
        ends = [self._branch(start, node.body, node.orelse)]
        ends += [self._handler(start, handler) for handler in node.handlers]
        after = _meet(ends)
        final = self._branch(start, node.finalbody)
        self.bound = None if after is None or final is None else after | final

    def _handler(self, start: Assigned, node: ast.ExceptHandler) -> Assigned:
        self.bound = _copy(start)
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.bind(node.name)
        self.block(node.body)
        if node.name:
            self.unbind(node.name)
        return self.bound

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        """A block is taken to run to its end; one that always raises may be suppressed."""
        self.awaits |= isinstance(node, ast.AsyncWith)
        self._each(node.items)
        start = _copy(self.bound)
        self.block(node.body)
        if self.bound is None:
            self.bound = start

    def _match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        start = self.bound
        ends = [self._branch(start, [case]) for case in node.cases]
        if not any(_always_matches(case) for case in node.cases):
            ends.append(start)
        self.bound = _meet(ends)

    def _capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        self._each(ast.iter_child_nodes(node))
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self.bind(name)

    def _call_of(self, node: ast.Call) -> None:
        """Look for names in strings that are given to what evaluates strings."""
        self._each(ast.iter_child_nodes(node))
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in METHODS:
            return
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        for given in [*node.args, *(each.value for each in node.keywords)]:
            for each in ast.walk(given):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    self.quoted.update(dict.fromkeys(names_in(each.value, node.func.attr, owner)))

    # Scopes within this one

    def _function(self, node: Function) -> None:
        self.header(node)
        generic = type_parameters(node)
        inner = [name for name in self.reads_of(node.body, node.args) if name not in generic]
        self.bind(node.name)
        if node.decorator_list or self.kind == "class":
            self.read_all(inner)
        else:
            self._functions[node.name] = tuple(inner)
            self._called.pop(node.name, None)

    def header(self, node: Function) -> None:
        """Read what a ``def`` evaluates where it stands."""
        self._each(node.decorator_list)
        self._defaults(node.args)
        hidden, self._hidden = self._hidden, self._hidden | type_parameters(node)
        self._each(arg.annotation for arg in _arguments(node.args))
        self._each([node.returns])
        self._hidden = hidden

    def _lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self.read_all(self.reads_of([node.body], node.args))

    def _defaults(self, arguments: ast.arguments) -> None:
        self._each(arguments.defaults)
        self._each(arguments.kw_defaults)

    def reads_of(self, body: Iterable[ast.AST], arguments: ast.arguments) -> list[str]:
        """Return the names a nested function reads from around it."""
        inner = Scope("function", [arg.arg for arg in _arguments(arguments)])
        inner._each(body)
        inner.flush()
        self.nested_globals += inner.nested_globals
        self.quoted.update(dict.fromkeys(each for each in inner.quoted if each not in inner.seen))
        local = inner.seen - inner.shared
        return [name for name in inner.reads if name not in local]

    def read_all(self, names: Iterable[str]) -> None:
        """Read from within a nested scope, which does not see the names of a class body."""
        bound = self.bound
        if self.kind == "class":
            self.bound = set()
        for name in names:
            self.read(name)
        self.bound = bound

    def _class(self, node: ast.ClassDef) -> None:
        self._each(node.decorator_list)
        hidden, self._hidden = self._hidden, self._hidden | type_parameters(node)
        self._each(node.bases)
        self._each(node.keywords)
        inner = Scope("class")
        inner.block(node.body)
        self.nested_globals += inner.nested_globals
        if self.kind != "function":  # Python looks for these outside of the body
            self.looked_past |= inner.looked_past | inner.seen.intersection(inner.reads)
        self.bind(node.name)
        self.read_all(inner.reads)
        self._hidden = hidden

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        first, *_ = node.generators
        self.visit(first.iter)
        self.awaits |= any(each.is_async for each in node.generators)
        hidden, bound = self._hidden, self.bound
        self._hidden = hidden | {name for each in node.generators for name in _stored(each.target)}
        if self.kind == "class":
            self.bound = set()
        for each in node.generators:
            self._each([*([each.iter] if each is not first else []), *each.ifs])
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._each(parts)
        self._hidden = hidden
        if self.kind == "class":
            self.bound = bound

    def _type_alias(self, node: ast.AST) -> None:
        """``type Name[T] = value``, of Python 3.12; the value is evaluated when asked for."""
        hidden, self._hidden = self._hidden, self._hidden | type_parameters(node)
        self.visit(getattr(node, "name"))  # noqa: B009 - Python 3.11 does not know the attribute
        self.visit(getattr(node, "value"))  # noqa: B009
        self._hidden = hidden

    # What a body cannot hold

    def _await(self, node: ast.Await) -> None:
        self.awaits = True
        self.visit(node.value)

    def _return(self, node: ast.Return) -> None:
        self._forbid(node)
        self._leave(node)

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self._forbid(node)
        self._each(ast.iter_child_nodes(node))

    def _forbid(self, node: ast.AST) -> None:
        self.forbidden = self.forbidden or node


def _copy(assigned: Assigned) -> Assigned:
    return None if assigned is None else set(assigned)


def _meet(ends: Iterable[Assigned]) -> Assigned:
    """Return what is assigned on every path that goes on, or None if none does."""
    alive = [end for end in ends if end is not None]
    return set.intersection(*alive) if alive else None


def _always_matches(case: ast.match_case) -> bool:
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    """Yield every parameter of a signature."""
    yield from arguments.posonlyargs
    yield from arguments.args
    yield from arguments.kwonlyargs
    for each in (arguments.vararg, arguments.kwarg):
        if each is not None:
            yield each


def _stored(target: ast.AST) -> Iterator[str]:
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


_HANDLERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.Name: Scope._name,
    ast.Constant: Scope._skip,
    ast.Pass: Scope._skip,
    ast.Assign: Scope._assign,
    ast.AugAssign: Scope._aug_assign,
    ast.AnnAssign: Scope._ann_assign,
    ast.NamedExpr: Scope._named_expr,
    ast.Import: Scope._import,
    ast.ImportFrom: Scope._import,
    ast.Global: Scope._global,
    ast.Nonlocal: Scope._global,
    ast.If: Scope._if,
    ast.IfExp: Scope._if,
    ast.For: Scope._for,
    ast.AsyncFor: Scope._for,
    ast.While: Scope._while,
    ast.Break: Scope._break,
    ast.Call: Scope._call_of,
    ast.Continue: Scope._leave,
    ast.Raise: Scope._leave,
    ast.Try: Scope._try,
    ast.TryStar: Scope._try,
    ast.With: Scope._with,
    ast.AsyncWith: Scope._with,
    ast.Match: Scope._match,
    ast.MatchAs: Scope._capture,
    ast.MatchStar: Scope._capture,
    ast.MatchMapping: Scope._capture,
    ast.FunctionDef: Scope._function,
    ast.AsyncFunctionDef: Scope._function,
    ast.Lambda: Scope._lambda,
    ast.ClassDef: Scope._class,
    ast.ListComp: Scope._comprehension,
    ast.SetComp: Scope._comprehension,
    ast.GeneratorExp: Scope._comprehension,
    ast.DictComp: Scope._comprehension,
    ast.Await: Scope._await,
    ast.Return: Scope._return,
    ast.Yield: Scope._yield,
    ast.YieldFrom: Scope._yield,
}
if hasattr(ast, "TypeAlias"):
    _HANDLERS[ast.TypeAlias] = Scope._type_alias
