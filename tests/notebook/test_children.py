"""What a node's value says of the nodes it makes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dagnb import DefinitionError, DynamicModification, DynamicNodeSpec
from dagnb.notebook.cells import parse_cell
from dagnb.notebook.children import children_of
from dagnb.notebook.display import CellOutput
from dagnb.notebook.node import NodeOptions, NotebookNode
from dagnb.tasks import Options
from dagnb.values.code import code_digest


def parent(**options: Any) -> NotebookNode:
    """Return a node that makes others."""
    code = parse_cell("{}", name="p", namespace={}, node_names=(), transform=str, filename="<cell>")
    output = CellOutput(None)  # type: ignore[arg-type]  # never shown
    made = NodeOptions(expand=True, **options)
    return NotebookNode(code, made, None, output, code_digest(code.function))


def described(value: object) -> dict[str, tuple[str, ...]]:
    """Return the names of the nodes that a value describes, and their inputs."""
    made = children_of(parent(), value)
    return {name: (*code.parameters, *options.deps) for name, (code, options) in made.items()}


def double(n: int, by: int = 2) -> int:
    """Be a function with an input and a default."""
    return n * by


def test_names_and_functions() -> None:
    """The parameters of a function are its inputs."""
    made = children_of(parent(), {"a": double, "b": partial(double, by=3), "c": lambda a, b: a + b})
    assert {name: code.parameters for name, (code, _) in made.items()} == {
        "a": ("n", "by"), "b": ("n", "by"), "c": ("a", "b")
    }  # fmt: skip
    assert made["a"][0].optional == {"by"}
    assert made["b"][0].call({"n": 2}) == 6


@pytest.mark.parametrize("value", [None, {}, [], (), DynamicModification()])
def test_nothing(value: object) -> None:
    """No nodes are fine."""
    assert described(value) == {}


def test_stars_take_what_is_named_beside_them() -> None:
    """In that order, or by name; parameters that are named come by name."""
    made = children_of(
        parent(),
        {
            "total": (lambda *sizes: sum(sizes), ["b", "a"]),
            "table": (lambda **sizes: sorted(sizes), ("b", "a")),
            "none": (lambda *sizes: sum(sizes), []),
            "rest": (lambda first, *others: (first, others), ["x", "first"]),
        },
    )
    assert made["total"][0].call({"b": 1, "a": 2}) == 3
    assert made["table"][0].call({"b": 1, "a": 2}) == ["a", "b"]
    assert made["none"][0].call({}) == 0
    assert made["rest"][0].parameters == ("first", "x")
    assert made["rest"][0].call({"first": 1, "x": 2}) == (1, (2,))


def test_inputs_beside_a_plain_function() -> None:
    """They only come before it."""
    code, options = children_of(parent(), {"a": (double, ["b"])})["a"]
    assert (code.parameters, options.deps) == (("n", "by"), ("b",))


def test_a_list() -> None:
    """Of pairs, triples, or what executors take."""
    specs = [("a", double), ("b", double, ["a"]), DynamicNodeSpec("c", double, ["p", "b"])]
    assert described(specs) == {"a": ("n", "by"), "b": ("n", "by", "a"), "c": ("n", "by", "b")}
    assert described(DynamicModification([DynamicNodeSpec("c", double)])) == {"c": ("n", "by")}


def test_they_are_tried_like_their_parent() -> None:
    """As often, and for as long."""
    attempts = Options(timeout=3.0, retries=2)
    _, options = children_of(parent(attempts=attempts), {"a": double})["a"]
    assert options.attempts == attempts


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "it is a int"),
        ("text", "it is a str"),
        ({"a": 3}, "'a' has 3, which is no function"),
        ({1: double}, "the name 1 is no text"),
        ([double], "it holds <function double"),
        ([("a", double), ("a", double)], "it names 'a' twice"),
        ({"a": (double, "b")}, "the inputs of 'a' are 'b'; give a list of names"),
        ({"a": (double, ["a"])}, "'a' is among its own inputs"),
        ({"2024-01": double}, "'2024-01' cannot name a node.*try 'node_2024_01'"),
        ({"a": lambda *rest: 1}, r"node 'a' takes \*rest; its inputs are its parameters"),
        (DynamicModification(remove_nodes=["x"]), "it removes nodes, which only their own cells"),
        ([DynamicNodeSpec("a", double, dependents=["b"])], "'a' has dependents; what comes after"),
        ([DynamicNodeSpec("a", double, expander=print)], "made nodes make no others"),
    ],
)
def test_what_makes_no_sense_is_refused(value: object, message: str) -> None:
    """With what was found, and how to write it."""
    with pytest.raises(DefinitionError, match=message):
        described(value)
