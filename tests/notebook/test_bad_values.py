"""Values that refuse what is asked of them: a node may have them, and the notebook goes on."""

from __future__ import annotations

import pytest

from dagnb.errors import DefinitionError, UnusableValue
from tests.notebook.conftest import Notebook

# Each is looked at anew every time, or has a digest: both are right.
REFUSING = {
    "repr": "class K:\n def __repr__(s): raise RuntimeError('no')",
    "repr of another type": "class K:\n def __repr__(s): return 5",
    "html": "class K:\n def _repr_html_(s): raise RuntimeError('no')",
    "comparison": "class K:\n def __eq__(s, o): raise RuntimeError('no')\n __hash__ = None",
    "truth of a comparison": "class K:\n def __eq__(s, o): return s\n"
    " def __bool__(s): raise RuntimeError('no')",
    "hash": "class K:\n def __hash__(s): raise RuntimeError('no')",
    "pickle": "class K:\n def __reduce__(s): raise RuntimeError('no')",
    "pickle of one protocol": "class K:\n def __reduce_ex__(s, p): raise RuntimeError('no')",
    "pickle, by nonsense": "class K:\n def __reduce__(s): return 5",
    "state": "class K:\n def __getstate__(s): raise RuntimeError('no')",
    "attributes": "class K:\n def __getattr__(s, n): raise RuntimeError('no')",
    "size": "class K:\n def __sizeof__(s): raise RuntimeError('no')",
    "length and elements": "class K:\n def __len__(s): raise RuntimeError('no')\n"
    " def __iter__(s): raise RuntimeError('no')",
    "elements of a list": "class K(list):\n def __init__(s): s.append(1)\n"
    " def __iter__(s): raise RuntimeError('no')",
    "keys": "class H:\n def __hash__(s): return 1\n def __eq__(s, o): raise RuntimeError('no')\n"
    "def K(): return {H(): 1}",
    "cycle": "class K:\n def __init__(s): s.me = [s]",
    "cycle of containers": "def K():\n d = {'l': []}\n d['l'].append(d)\n return d",
    "depth": "def K():\n l = []\n for _ in range(5_000): l = [l]\n return l",
    "class of a function": "def K():\n class Local: pass\n return Local()",
    "text that is none": "def K(): return '\\ud800'",
}


@pytest.mark.parametrize("source", REFUSING.values(), ids=REFUSING)
def test_a_value_that_refuses(nb: Notebook, source: str) -> None:
    """As a node's value, as the input of another, and as a variable that a node reads."""
    nb.run(source)
    assert nb.node("value", "K();").executed == ["value"]
    assert nb.node("read", "type(value).__name__").executed == ["read"]
    nb.run("variable = K()")
    assert nb.node("third", "type(variable).__name__").executed == ["third"]
    for line in ("1", "%dag run", "%dag why value", "%dag status", "%dag plan", "variable = K()"):
        nb.run(line)
    assert nb["read"] == nb["third"] == type(nb["value"]).__name__


@pytest.mark.parametrize("source", REFUSING.values(), ids=REFUSING)
def test_a_value_that_refuses_is_never_stale(nb: Notebook, source: str) -> None:
    """What reads it sees an edit of what makes it."""
    nb.run(source)
    nb.node("value", "(1, K());")
    nb.node("read", "value[0]")
    assert "read" in nb.node("value", "(2, K());").executed
    assert nb["read"] == 2


def test_a_class_of_the_notebook_that_is_defined_anew(nb: Notebook) -> None:
    """Its objects are made anew, also those inside of others; then nothing is left to do."""
    nb.run("class K:\n def f(s): return 1")
    nb.node("made", "{'k': [K()]}")
    nb.node("called", "made['k'][0].f()")
    assert nb.run("class K:\n def f(s): return 2").executed == ["made", "called"]
    assert nb["called"] == 2
    assert nb.run("class K:\n def f(s): return 2").executed == []


HIDING = {
    "class": "class K:\n @property\n def __class__(s): raise RuntimeError('no')",
    "every attribute": "class K:\n def __getattribute__(s, n): raise RuntimeError('no')",
}


@pytest.mark.parametrize("source", HIDING.values(), ids=HIDING)
def test_a_value_that_nothing_can_look_at(nb: Notebook, source: str) -> None:
    """Its node fails, named with the type; the rest of the graph runs."""
    nb.run(source)
    nb.node("other", "1")
    failed = nb.node("value", "K()", fails=UnusableValue)
    assert "node 'value' gave a value of type K" in str(failed.error)
    assert "read" not in nb.node("read", "type(value).__name__").executed
    assert set(nb.node("value", "'mended'").executed) == {"value", "read"}
    assert nb["read"] == "str"


@pytest.mark.parametrize("source", HIDING.values(), ids=HIDING)
def test_a_variable_that_nothing_can_look_at(nb: Notebook, source: str) -> None:
    """Nodes that read it are refused with its name and type, when they come or when it does."""
    nb.run(source)
    nb.node("first", "0")
    nb.run("variable = K()")
    refused = nb.node("read", "type(variable)", fails=DefinitionError)
    assert "'variable' holds a K that nothing can look at" in str(refused.error)
    assert nb.node("first", "1").executed == ["first"]
