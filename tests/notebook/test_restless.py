"""Nodes that change what they read: they run after every cell, and that is said."""

from __future__ import annotations

import pytest

from tests.notebook.conftest import Notebook

COUNTS = """
import functools
class Counted:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.calls = 0
    def __call__(self, **inputs):
        self.calls += 1
        return self.__wrapped__(**inputs)
"""
ADVICE = "let it make what it changes, or add --manual"


@pytest.fixture
def counting(nb: Notebook) -> Notebook:
    """A notebook with a node that appends to a list of the notebook's."""
    nb.run("calls = []")
    nb.node("n", "calls.append(1)\nlen(calls)")
    return nb


def test_a_node_that_changes_what_it_reads_is_named_once(counting: Notebook) -> None:
    """With what it changes and what to do; it runs again all the same."""
    first, second = counting.run("1"), counting.run("2")
    assert "n runs again after every cell: global `calls` changes while it runs" in first.text
    assert ADVICE in first.text
    assert ADVICE not in second.text
    assert second.executed == ["n"]


def test_a_decorator_that_keeps_state(nb: Notebook) -> None:
    """Its state is part of the node's code."""
    nb.run(COUNTS)
    said = nb.run("from dagnb import dag_node\n@dag_node\n@Counted\ndef n(): return 1").text
    assert "every cell: what a decorator or default keeps changes while it runs" in said
    assert ADVICE in str(nb.session.why("n"))


def test_why_tells_of_it(counting: Notebook) -> None:
    """Also after it was said."""
    assert ADVICE not in str(counting.session.why("n"))
    counting.run("1")
    assert ADVICE in str(counting.session.why("n"))


def test_it_is_forgotten_when_it_is_over(counting: Notebook) -> None:
    """A node that was defined anew, and one that changes something only once."""
    counting.run("1")
    counting.node("n", "len(calls)")
    assert ADVICE not in str(counting.session.why("n"))
    assert counting.run("2").executed == []


def test_what_changes_only_once_is_nothing_to_tell(nb: Notebook) -> None:
    """It is filled by the first run, and stays."""
    nb.run("known = {}")
    nb.node("n", "known.setdefault('a', 1)")
    ran = nb.run("1")
    assert (ran.executed, ADVICE in ran.text) == (["n"], False)
    assert nb.run("2").executed == []


def test_a_manual_node_runs_only_when_it_is_asked_for(nb: Notebook) -> None:
    """So there is nothing to tell."""
    nb.run("calls = []")
    nb.node("n", "calls.append(1)\nlen(calls)", "--manual")
    ran = nb.run("1")
    assert (ran.executed, ADVICE in ran.text) == ([], False)
