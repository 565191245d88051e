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
from collections.abc import Callable, Iterable
from typing import TypeAlias

from dagnb.notebook.bindings import (
    Assigned,
    always_matches,
    arguments_of,
    copied,
    may_suppress,
    meet,
    quoted_in,
    stored_in,
    type_parameters,
)
from dagnb.notebook.name_table import Kind, NameTable

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Scope(NameTable):
    """One walk through one scope."""

    def __init__(self, kind: Kind, bound: Iterable[str] = (), owner: str = "") -> None:
        super().__init__(kind, bound, owner)
        self.awaits = False
        self.forbidden: ast.AST | None = None
        self.nested_globals: list[ast.Global] = []
        self.looked_past: set[str] = set()
        self._breaks: list[list[Assigned]] = []

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
            self.seen.add(self.spelled(node.target.id))

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
        names = [self.spelled(name) for name in node.names]
        self.shared.update(names)
        if isinstance(node, ast.Global) and self.kind != "body" and names == node.names:
            self.nested_globals.append(node)

    # Control flow: every branch starts from the same set, and they meet in the intersection

    def _branch(self, start: Assigned, *bodies: Iterable[ast.AST]) -> Assigned:
        """Walk through `bodies` from `start`; return what is assigned after them."""
        self.bound = copied(start)
        for body in bodies:
            self._each(body)
        return self.bound

    def _test(self, node: ast.expr) -> tuple[Assigned, Assigned]:
        """Walk through a condition; return what is assigned if it holds, and if it does not."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yes, no = self._test(node.operand)
            return no, yes
        if not isinstance(node, ast.BoolOp):
            self.visit(node)
            return self.bound, self.bound
        ends = []
        for value in node.values:
            yes, no = self._test(value)
            goes_on, ends_here = (yes, no) if isinstance(node.op, ast.And) else (no, yes)
            self.bound = copied(goes_on)
            ends.append(ends_here)
        both = goes_on, meet(ends)
        return both if isinstance(node.op, ast.And) else both[::-1]

    def _bool_op(self, node: ast.BoolOp) -> None:
        self.bound = meet(self._test(node))

    def _compare(self, node: ast.Compare) -> None:
        """``a < b < c`` is ``a < b and b < c``."""
        first, *others = node.comparators
        self._each([node.left, first])
        start = self.bound
        self._branch(start, others)
        self.bound = start

    def _assert(self, node: ast.Assert) -> None:
        holds, fails = self._test(node.test)
        self._branch(fails, [node.msg] if node.msg is not None else [])
        self.bound = holds

    def _if(self, node: ast.If | ast.IfExp) -> None:
        holds, fails = self._test(node.test)
        yes = node.body if isinstance(node.body, list) else [node.body]
        no = node.orelse if isinstance(node.orelse, list) else [node.orelse]
        self.bound = meet([self._branch(holds, yes), self._branch(fails, no)])

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.awaits |= isinstance(node, ast.AsyncFor)
        self.visit(node.iter)
        start = self.bound
        self._loop(start, start, [node.target, *node.body], node.orelse)

    def _while(self, node: ast.While) -> None:
        """A loop's body may run no time at all, unless it is ``while True``."""
        holds, fails = self._test(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._loop(holds, None if endless else fails, node.body, node.orelse)

    def _loop(
        self,
        start: Assigned,
        end: Assigned,
        body: Iterable[ast.AST],
        orelse: Iterable[ast.AST],
    ) -> None:
        """Walk through a loop whose body begins and ends with these names."""
        self._breaks.append([])
        self._branch(start, body)
        breaks = self._breaks.pop()
        self.bound = meet([self._branch(end, orelse), *breaks])

    def _break(self, node: ast.Break) -> None:
        if self._breaks:
            self._breaks[-1].append(self.bound)
        self.bound = None

    def _leave(self, node: ast.AST) -> None:
        """``continue``, ``raise`` and ``return``: nothing after them is reached."""
        self._each(ast.iter_child_nodes(node))
        self.bound = None

    def _try(self, node: ast.Try) -> None:
        start = copied(self.bound)
        ends = [self._branch(start, node.body, node.orelse)]
        ends += [self._handler(start, handler) for handler in node.handlers]
        after = meet(ends)
        final = self._branch(start, node.finalbody)
        self.bound = None if after is None or final is None else after | final

    def _handler(self, start: Assigned, node: ast.ExceptHandler) -> Assigned:
        self.bound = copied(start)
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.bind(node.name)
        self.block(node.body)
        if node.name:
            self.unbind(node.name)
        return self.bound

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        """A block is taken to run to its end, unless it always raises or says ``suppress``."""
        self.awaits |= isinstance(node, ast.AsyncWith)
        self._each(node.items)
        start = copied(self.bound)
        self.block(node.body)
        if self.bound is None or may_suppress(node):
            self.bound = start

    def _match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        start = self.bound
        ends = [self._case(start, case) for case in node.cases]
        if not any(always_matches(case) for case in node.cases):
            ends.append(start)
        self.bound = meet(ends)

    def _case(self, start: Assigned, node: ast.match_case) -> Assigned:
        self._branch(start, [node.pattern])
        holds = self.bound if node.guard is None else self._test(node.guard)[0]
        return self._branch(holds, node.body)

    def _capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        self._each(ast.iter_child_nodes(node))
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self.bind(name)

    def _call_of(self, node: ast.Call) -> None:
        """Look for names in strings that are given to what evaluates strings."""
        self._each(ast.iter_child_nodes(node))
        self.quoted.update(dict.fromkeys(quoted_in(node)))

    # Scopes within this one

    def _function(self, node: Function) -> None:
        self.header(node)
        generic = type_parameters(node)
        inner = [name for name in self.reads_of(node.body, node.args) if name not in generic]
        self.bind(node.name)
        if node.decorator_list or self.kind == "class":
            self.read_all(inner)
        else:
            self.functions[self.spelled(node.name)] = tuple(inner)
            self.called.pop(self.spelled(node.name), None)

    def header(self, node: Function) -> None:
        """Read what a ``def`` evaluates where it stands."""
        self._each(node.decorator_list)
        self._defaults(node.args)
        hidden, self.hidden = self.hidden, self.hidden | type_parameters(node)
        self._each(arg.annotation for arg in arguments_of(node.args))
        self._each([node.returns])
        self.hidden = hidden

    def _lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self.read_all(self.reads_of([node.body], node.args))

    def _defaults(self, arguments: ast.arguments) -> None:
        self._each(arguments.defaults)
        self._each(arguments.kw_defaults)

    def reads_of(self, body: Iterable[ast.AST], arguments: ast.arguments) -> list[str]:
        """Return the names a nested function reads from around it."""
        bound = [arg.arg for arg in arguments_of(arguments)]
        bound += ["__class__"] if self.owner else []
        inner = Scope("function", bound, self.owner)
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
        hidden, self.hidden = self.hidden, self.hidden | type_parameters(node)
        self._each(node.bases)
        self._each(node.keywords)
        inner = Scope("class", ["__module__", "__qualname__"], node.name)
        inner.block(node.body)
        self.nested_globals += inner.nested_globals
        if self.kind != "function":  # Python looks for these outside of the body
            self.looked_past |= inner.looked_past | inner.seen.intersection(inner.reads)
        self.bind(node.name)
        self.read_all(inner.reads)
        self.hidden = hidden

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        first, *_ = node.generators
        self.visit(first.iter)
        self.awaits |= any(each.is_async for each in node.generators)
        hidden, bound = self.hidden, self.bound
        targets = [name for each in node.generators for name in stored_in(each.target)]
        self.hidden = hidden.union(map(self.spelled, targets))
        self.bound = set() if self.kind == "class" else copied(bound)
        for each in node.generators:
            self._each([] if each is first else [each.iter])
            for test in each.ifs:
                self.bound, _ = self._test(test)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._each(parts)
        self.hidden, self.bound = hidden, bound  # there may have been nothing to go through

    def _type_alias(self, node: ast.AST) -> None:
        """``type Name[T] = value``, of Python 3.12; the value is evaluated when asked for."""
        hidden, self.hidden = self.hidden, self.hidden | type_parameters(node)
        self.visit(getattr(node, "name"))  # noqa: B009 - Python 3.11 does not know the attribute
        self.visit(getattr(node, "value"))  # noqa: B009
        self.hidden = hidden

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
    ast.BoolOp: Scope._bool_op,
    ast.Compare: Scope._compare,
    ast.Assert: Scope._assert,
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
