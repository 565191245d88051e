"""One look at all that the nodes read finds those that read something changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagnb.notebook.watch import Watch
from dagnb.values.code import code_digest
from dagnb.values.guards import Guards

Namespace = dict[str, Any]


def watched(namespace: Namespace, **sources: str) -> Watch:
    """Watch nodes whose bodies are these expressions."""
    watch = Watch()
    for name, source in sources.items():
        function = eval(f"lambda: {source}", namespace)
        watch.put(name, [(code_digest(function).guards, function)])
    return watch


def test_names() -> None:
    """A name that is bound anew, unbound, or defined at last."""
    namespace: Namespace = {"k": 1, "j": 1}
    watch = watched(namespace, a="k", b="j", c="k + j", d="later")
    assert watch.broken() == set()
    namespace["k"] = 2
    assert watch.broken() == {"a", "c"}
    del namespace["j"]
    assert watch.broken() == {"a", "b", "c"}
    namespace["later"] = None
    assert watch.broken() == {"a", "b", "c", "d"}


def test_scope() -> None:
    """Only the nodes asked for are told, and what others read is not digested for them."""
    namespace: Namespace = {"k": 1, "rows": [1], "more": [1]}
    watch = watched(namespace, a="k", b="rows", c="more")
    namespace["k"] = 2
    namespace["rows"].append(1)
    assert watch.broken({"a"}) == {"a"}
    assert watch.broken({"b", "c"}) == {"b"}


@pytest.mark.parametrize(
    "change",
    [
        lambda ns: ns["rows"].append(2),
        lambda ns: setattr(ns["helper"], "__defaults__", (5,)),
        lambda ns: setattr(ns["helper"], "__code__", (lambda x=1: x * 3).__code__),
        lambda ns: setattr(ns["Kind"], "value", 2),
        lambda ns: setattr(ns["Kind"], "another", 2),
        lambda ns: ns["table"].update(f=len),
        lambda ns: ns["set_closed"](2),
    ],
)
def test_changes_in_place(change: Callable[[Namespace], object]) -> None:
    """Values, functions, classes, tables and closures are seen to change in place."""
    namespace: Namespace = {}
    exec(
        "rows = [1]\ndef helper(x=1): return x\nclass Kind: value = 1\ntable = {'f': helper}\n"
        "def outer():\n    closed = 1\n    def get(): return closed\n"
        "    def put(value):\n        nonlocal closed\n        closed = value\n"
        "    return get, put\nget_closed, set_closed = outer()",
        namespace,
    )
    source = "(rows, helper(), Kind.value, Kind().value, table['f'], get_closed())"
    watch = watched(namespace, a=source, b="1")
    assert watch.broken() == set()
    change(namespace)
    assert watch.broken() == {"a"}


def test_looked_at_once() -> None:
    """What many nodes read is digested once."""
    looks = []
    guards = Guards()
    guards.checks["value", 1] = lambda: not looks.append(1)
    watch = Watch()
    for name in "abc":
        watch.put(name, [(guards, None)])
    assert watch.broken() == set()
    assert looks == [1]


def test_forgotten() -> None:
    """A node that is gone is not told, and what it alone read is let go."""
    namespace: Namespace = {"k": 1}
    watch = watched(namespace, a="k", b="k")
    watch.forget("a")
    namespace["k"] = 2
    assert watch.broken() == {"b"}
    watch.forget("b")
    watch.forget("never there")
    assert watch.broken() == set()
