"""Nodes with conditions: what runs, what is skipped, and what never stays from before."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from IPython.core.error import UsageError

from dagnb import DagError, DefinitionError, dag_node
from tests.notebook.conftest import Notebook


@pytest.fixture
def rows(nb: Notebook) -> Notebook:
    """A notebook with a node to ask about, and a variable."""
    nb.run("least = 100")
    nb.node("rows", "120")
    return nb


@pytest.fixture
def branches(rows: Notebook) -> Notebook:
    """Two branches, of which one is taken, and where they meet."""
    rows.node("report", "f'{rows} rows'", '--when "rows > least"')
    rows.node("short", "'few rows'", "--when 'rows <= least'")
    rows.node("end", "report or short")
    return rows


class TestOneNode:
    """A node runs only if its condition holds."""

    def test_it_holds(self, rows: Notebook) -> None:
        """The node runs, after the nodes that the condition names."""
        assert rows.node("a", "1", '--when "rows > least"').executed == ["a"]
        assert rows.session.dag.predecessors("a") == ["rows"]

    def test_it_does_not(self, rows: Notebook) -> None:
        """The node is skipped, and its cell says why."""
        ran = rows.node("a", "1", '--when "rows > 2 * least"')
        text = "its condition `rows > 2 * least` does not hold: rows is 120, least is 100"
        assert (ran.executed, ran.out) == ([], f"a did not run: {text}\n")
        assert rows.status("a") == "skipped"
        assert rows.run("%dag why a").out == f"a did not run: {text}\n"
        assert text in rows.run("%dag status").out

    def test_that_is_final(self, rows: Notebook) -> None:
        """It is up to date until something it depends on changes; no run asks again."""
        rows.node("a", "1", '--when "rows > 2 * least"')
        assert not rows.session.is_stale("a")
        assert rows.run("%dag plan").out == "nothing to run; 2 up to date\n"
        rows.run("%dag run")
        assert list(rows.session.settled) == []

    def test_a_changed_input_asks_again(self, rows: Notebook) -> None:
        """And the node runs in the same run."""
        rows.node("a", "1", '--when "rows > 2 * least"')
        assert rows.node("rows", "300").executed == ["rows", "a"]
        assert rows["a"] == 1

    def test_a_changed_variable_asks_again(self, rows: Notebook) -> None:
        """As it would have the node run if its code read it."""
        rows.node("a", "1", '--when "rows > 2 * least"')
        ran = rows.run("least = 1")
        assert ran.executed == ["a"]
        assert ran.out.startswith("because of this cell: ran a")

    def test_a_changed_helper_asks_again(self, rows: Notebook) -> None:
        """Functions count by their code; the name of one alone is a call of it."""
        rows.run("def is_big(rows): return rows > 1000")
        rows.node("a", "1", "--when is_big")
        assert rows.status("a") == "skipped"
        assert rows.run("def is_big(rows): return rows > 100").executed == ["a"]

    def test_as_long_as_it_holds_nothing_runs_for_it(self, rows: Notebook) -> None:
        """What only the condition reads is no part of what decides the value."""
        rows.node("a", "1", '--when "rows > least"')
        assert rows.node("rows", "500").executed == ["rows"]
        assert rows.run("least = 50").executed == []
        assert rows.status("a") == "reused"

    def test_a_changed_condition_asks_again(self, rows: Notebook) -> None:
        """The same cell with another one, or with none."""
        rows.node("a", "1", '--when "rows > 1000"')
        assert rows.node("a", "1", '--when "rows > 10"').executed == ["a"]
        assert rows.node("a", "1", '--when "rows > 20"').executed == []
        rows.node("a", "1", '--when "rows > 1000"')
        assert "a" not in rows.shell.user_ns
        rows.node("a", "1")
        assert (rows["a"], rows.status("a")) == (1, "cached")

    def test_no_value_of_before_stays(self, rows: Notebook) -> None:
        """Neither in the notebook nor for those that ask the session."""
        rows.node("a", "rows + 1", '--when "rows > least"')
        assert rows["a"] == 121
        rows.node("rows", "7")
        assert rows.run("a", fails=NameError)
        with pytest.raises(DagError, match="node 'a' has no value"):
            rows.session["a"]

    def test_fresh_does_not_force_it(self, rows: Notebook) -> None:
        """A run that is asked to run a node again asks its condition, too."""
        rows.node("a", "1", '--when "rows > 1000"')
        assert rows.run("%dag run a --fresh").executed == []

    def test_it_raises(self, rows: Notebook) -> None:
        """Then the node has failed, with that error and that line."""
        ran = rows.node("a", "1", '--when "1 / (rows - 120)"', fails=ZeroDivisionError)
        assert "1 / (rows - 120)" in ran.text
        assert rows.status("a") == "failed"
        why = rows.run("%dag why a").out
        assert why.endswith("division by zero: its condition `1 / (rows - 120)` raised\n")
        assert rows.session.is_stale("a")
        assert rows.node("rows", "121").executed == ["rows", "a"]

    def test_its_node_failed(self, rows: Notebook) -> None:
        """What the condition needs has no value: the node is skipped, and stays stale."""
        rows.node("a", "1", '--when "rows > 1"')
        rows.node("rows", "1 / 0", fails=ZeroDivisionError)
        assert rows.status("a") == "skipped"
        assert rows.session.result("a").reason == "rows failed"
        assert rows.session.is_stale("a")

    def test_its_node_is_removed(self, rows: Notebook) -> None:
        """Then it waits, as for a name in its code."""
        rows.node("a", "1", '--when "rows > 1"')
        rows.run("%dag rm rows")
        assert "it waits for `rows`" in rows.run("%dag why a").out

    def test_a_cycle_is_refused(self, rows: Notebook) -> None:
        """A condition draws edges like code."""
        rows.node("a", "rows")
        before = rows.state()
        ran = rows.run('%%dag_node rows --when "a > 1"\n1', "cell-rows", fails=Exception)
        assert "rows -> a -> rows" in ran.text or "a -> rows -> a" in ran.text
        assert rows.state() == before

    def test_plan(self, rows: Notebook) -> None:
        """A plan does not know what a condition will say."""
        rows.run("%dag auto off")
        rows.node("a", "1", '--when "rows > least"')
        rows.run("least = 10")
        line = rows.run("%dag plan").out.splitlines()[0]
        assert line == "may run  a: if `rows > least` holds; something its code reads changed"


class TestBranches:
    """What is below nodes that were skipped."""

    def test_one_of_two(self, branches: Notebook) -> None:
        """A node with another input takes None for the one that was skipped."""
        assert branches.statuses() == {
            "rows": "completed", "report": "completed", "short": "skipped", "end": "completed"
        }  # fmt: skip
        assert branches["end"] == "120 rows"

    def test_the_other(self, branches: Notebook) -> None:
        """When the outcome changes, just what it decides runs."""
        assert branches.run("least = 200").executed == ["short", "end"]
        assert branches["end"] == "few rows"
        assert "report" not in branches.shell.user_ns
        assert branches.run("least = 100").executed == []
        assert (branches["end"], branches.status("end")) == ("120 rows", "cached")

    def test_below_a_skipped_node_only(self, branches: Notebook) -> None:
        """A node all of whose inputs were skipped is skipped, too, and says for whom."""
        branches.node("only", "short + '!'")
        assert branches.session.result("only").reason == "short was skipped"
        branches.node("more", "only, rows")
        assert branches["more"] == (None, 120)
        branches.run("least = 200")
        assert branches["more"] == ("few rows!", 120)

    def test_a_condition_over_a_skipped_node(self, branches: Notebook) -> None:
        """It does not hold."""
        branches.node("c", "rows", '--when "short is None"')
        reason = branches.session.result("c").reason
        assert reason == "its condition cannot hold: short was skipped"

    def test_a_failure_is_no_condition(self, branches: Notebook) -> None:
        """Who gets an input from a failed node is skipped, whatever else it gets."""
        branches.node("report", "1 / 0", '--when "rows > least"', fails=ZeroDivisionError)
        assert branches.session.result("end").reason == "report failed"
        assert branches.session.is_stale("end")

    def test_every_change_of_outcome(self, nb: Notebook) -> None:
        """After each, every value is that of a computation from scratch, and no other is there."""
        nb.node("n", "0")
        nb.node("even", "('even', n)", "--when 'n % 2 == 0'")
        nb.node("big", "('big', n)", "--when 'n > 5'")
        nb.node("both", "even, big")
        nb.node("tail", "both, even")
        for before, after in permutations((0, 1, 2, 7, 8, 10), 2):
            for n in (before, after):
                nb.node("n", f"{n}")
                even = ("even", n) if n % 2 == 0 else None
                big = ("big", n) if n > 5 else None
                both = (even, big) if even or big else None
                tail = (both, even) if both else None
                found = [nb.shell.user_ns.get(name) for name in ("even", "big", "both", "tail")]
                assert found == [even, big, both, tail]
                nb.run("%dag run")
                assert list(nb.session.settled) == []


class TestDecorator:
    """``@dag_node(when=...)`` says the same."""

    def test_expression(self, rows: Notebook) -> None:
        """As text."""
        rows.run(
            "from dagnb import dag_node\n@dag_node(when='rows > least')\ndef a():\n    return 1"
        )
        assert rows["a"] == 1
        rows.run("least = 500")
        assert rows.status("a") == "skipped"

    def test_function(self, rows: Notebook) -> None:
        """A function, whose parameters are nodes or variables."""
        rows.run(
            "from dagnb import dag_node\n@dag_node(when=lambda rows, least: rows > least)\n"
            "def a():\n    return 1"
        )
        assert rows["a"] == 1
        ran = rows.run("least = 500")
        assert "skipped a" in ran.out
        reason = rows.session.result("a").reason
        assert reason == "its condition `lambda` does not hold: rows is 120, least is 500"

    @pytest.mark.parametrize("when", [1, True, ["rows > 1"]])
    def test_neither(self, when: Any) -> None:
        """Anything else is refused, in or out of a notebook."""
        with pytest.raises(TypeError, match="when is an expression as text, or a function"):
            dag_node(when=when)

    def test_unknown_name(self, rows: Notebook) -> None:
        """It is refused, and nothing is defined."""
        source = "from dagnb import dag_node\n@dag_node(when='rowz > 1')\ndef a():\n    return 1"
        ran = rows.run(source, fails=DefinitionError)
        assert "did you mean 'rows'" in ran.text
        assert "a" not in rows.session.nodes


@pytest.mark.parametrize(
    ("when", "message"),
    [("rowz > 1", "did you mean 'rows'"), ("1 +", "'1 +' is none"), ("a > 1", "reads 'a' itself")],
)
def test_what_makes_no_sense_is_refused(rows: Notebook, when: str, message: str) -> None:
    """As misuse of an option, and nothing is defined."""
    ran = rows.run(f'%%dag_node a --when "{when}"\n1', fails=UsageError)
    assert message in ran.text
    assert "a" not in rows.session.nodes
