"""How code is laid out says nothing; every other change of it is noticed: on real modules."""

from __future__ import annotations

import argparse
import ast
import asyncio.base_events
import contextlib
import dataclasses
import inspect
import json.decoder
import statistics
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any

import pytest

from dagnb.values.bytecode import normal_form

MODULES = [contextlib, json.decoder, statistics]
LARGE_MODULES = [argparse, asyncio.base_events, dataclasses]


def on_one_line(tree: ast.AST) -> None:
    """Put everything on one line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt | ast.excepthandler | ast.arg | ast.keyword):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = 0


def on_lines_of_their_own(tree: ast.AST) -> None:
    """Break the line wherever one can."""
    on_one_line(tree)
    lines = 0

    def visit(node: ast.AST) -> None:
        nonlocal lines
        if hasattr(node, "lineno"):
            lines += 1
            node.lineno = lines
        for child in ast.iter_child_nodes(node):
            visit(child)
        if hasattr(node, "lineno"):
            node.end_lineno = lines

    visit(tree)


def codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and all within it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from codes(each)


def compiled(tree: ast.Module) -> CodeType:
    """Compile a module."""
    return compile(tree, "<module>", "exec")


@pytest.mark.parametrize("layout", [on_one_line, on_lines_of_their_own])
@pytest.mark.parametrize("module", [*MODULES, *LARGE_MODULES], ids=lambda module: module.__name__)
def test_layout_says_nothing(module: ModuleType, layout: Callable[[ast.AST], None]) -> None:
    """Functions are the same whatever their line breaks, though the compiler is not."""
    source = inspect.getsource(module)
    tree = ast.parse(source)
    layout(tree)
    one, other = compiled(ast.parse(source)), compiled(tree)
    assert {each.co_code for each in codes(one)} != {each.co_code for each in codes(other)}
    assert normal_form(one).digest == normal_form(other).digest


OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Mod: ast.Mult,
}  # fmt: skip


def rename_keyword(node: ast.AST) -> bool:
    """``f(a=1)`` is not ``f(b=1)``."""
    if isinstance(node, ast.keyword) and node.arg:
        node.arg += "_"
        return True
    return False


def rename_attribute(node: ast.AST) -> bool:
    """``x.a`` is not ``x.b``."""
    if isinstance(node, ast.Attribute):
        node.attr += "_"
        return True
    return False


def change_constant(node: ast.AST) -> bool:
    """1 is not 2, and ``"a"`` is not ``"b"``."""
    if isinstance(node, ast.Return | ast.Assign) and isinstance(node.value, ast.Constant):
        old = node.value.value
        node.value = ast.copy_location(ast.Constant((old, "another")), node.value)
        return True
    return False


def change_operator(node: ast.AST) -> bool:
    """``+`` is not ``-``, ``<`` not ``<=``, ``and`` not ``or``."""
    for field in ("op", "ops"):
        found = getattr(node, field, None)
        one = found[0] if isinstance(found, list) else found
        if one is not None and (other := OPERATORS.get(type(one))):
            setattr(node, field, [other(), *found[1:]] if isinstance(found, list) else other())
            return True
    return False


def negate(node: ast.AST) -> bool:
    """A condition is not its opposite."""
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Constant):
        node.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        return True
    return False


def swap_branches(node: ast.AST) -> bool:
    """What is done if so is not what is done if not."""
    if isinstance(node, ast.If) and node.orelse and ast.dump(node) != ast.dump(node.body[0]):
        node.body, node.orelse = node.orelse, node.body
        return True
    return False


def drop_statement(node: ast.AST) -> bool:
    """A call less is another function."""
    body = getattr(node, "body", None)
    if not isinstance(node, ast.FunctionDef | ast.If | ast.For | ast.With | ast.Try):
        return False
    for at, each in enumerate(body or ()):
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            body[at] = ast.copy_location(ast.Pass(), each)  # type: ignore[index]  # it has one
            return True
    return False


def swap_arguments(node: ast.AST) -> bool:
    """``f(a, b)`` is not ``f(b, a)``."""
    if isinstance(node, ast.Call) and len(node.args) > 1:
        one, other = node.args[:2]
        if ast.dump(one) != ast.dump(other):
            node.args[:2] = [other, one]
            return True
    return False


def change_parameter(node: ast.AST) -> bool:
    """The order of parameters counts."""
    if isinstance(node, ast.FunctionDef) and len(node.args.args) > 1:
        node.args.args[:2] = node.args.args[1::-1]
        return True
    return False


CHANGES = [
    rename_keyword, rename_attribute, change_constant, change_operator, negate, swap_branches,
    drop_statement, swap_arguments, change_parameter,
]  # fmt: skip


def changed(module: ModuleType, change: Callable[[Any], bool]) -> Iterator[tuple[str, CodeType]]:
    """Yield the source of each statement of a module, and its code with one thing changed."""
    for statement in ast.parse(inspect.getsource(module)).body:
        size = sum(1 for _ in ast.walk(statement))
        source = ast.unparse(statement)
        for number in range(0, size, 1 + size // 4):
            tree = ast.parse(source)
            if any(change(node) for node in [*ast.walk(tree)][number:]):
                yield source, compiled(ast.fix_missing_locations(tree))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_changes_are_noticed(change: Callable[[Any], bool]) -> None:
    """A function in which anything else was changed is another one."""
    count = 0
    for module in MODULES:
        for source, other in changed(module, change):
            count += 1
            one = compiled(ast.parse(source))
            assert normal_form(one).digest != normal_form(other).digest, source
    assert count > 8
