"""What a condition is: an expression or a function, over nodes and variables."""

from __future__ import annotations

from typing import Any

import pytest

from dagnb.errors import DefinitionError
from dagnb.notebook.conditions import Condition, condition_of


def condition(when: Any, namespace: dict[str, Any] | None = None, nodes: str = "rows") -> Condition:
    """Return the condition of a node ``a``."""
    return condition_of(when, "a", namespace or {}, nodes.split())


def test_an_expression() -> None:
    """Its names that are nodes are its inputs; builtins and variables are read as always."""
    made = condition("len(rows) > least", {"least": 2})
    assert made.code.parameters == ("rows",)
    assert [made.holds({"rows": rows}) for rows in ([1], [1, 2, 3])] == [False, True]


def test_the_name_of_a_function_is_a_call_of_it() -> None:
    """With its parameters, by name; otherwise a function would always be true."""

    def is_big(rows: int, *, most: int, factor: int = 2) -> bool:
        return rows > most * factor

    made = condition("is_big", {"is_big": is_big, "most": 3})
    assert made.code.parameters == ("rows",)
    assert [made.holds({"rows": rows}) for rows in (6, 7)] == [False, True]


def test_a_function() -> None:
    """Its parameters are nodes or variables."""
    made = condition(lambda rows, least: rows > least, {"least": 2})
    assert made.code.parameters == ("rows", "least")
    assert [made.holds({"rows": rows}) for rows in (2, 3)] == [False, True]
    assert made.text == "lambda"


def test_facts_name_data_only() -> None:
    """Not the functions and modules that it uses, and not more than three."""
    namespace = {"least": 2, "check": len, "np": pytest, "b": 1, "c": 2}
    made = condition("check(rows) > least and np and b and c", namespace)
    assert made.facts({"rows": [1]}) == "rows is [1], least is 2, b is 1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rowz > 1", "names 'rowz', which is neither a node nor a variable; did you mean 'rows'"),
        ("lenn(rows)", "names 'lenn', which is neither a node nor a variable; did you mean 'len'"),
        ("rows >", "'rows >' is none: invalid syntax"),
        ("x = 1", "'x = 1' is none"),
        ("", "'' is none"),
        ("a > 1", "the condition of node 'a' reads 'a' itself"),
        ("await rows", "the condition of node 'a' awaits something"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    """With what to do about it."""
    with pytest.raises(DefinitionError) as caught:
        condition(text)
    assert message in str(caught.value)
