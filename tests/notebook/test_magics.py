"""``%%dag_node`` and ``%dag``: options, verbs, and what they say when they are misused."""

from __future__ import annotations

import re

import pytest
from IPython.core.error import UsageError

from dagnb.errors import CycleError, DagError, DefinitionError, NodeNotFoundError
from tests.notebook.conftest import Notebook


class TestNaming:
    """A node's name is the argument, the cell's only def, or what its last statement assigns."""

    def test_by_argument(self, nb: Notebook) -> None:
        """The argument comes first."""
        nb.run("%%dag_node given\nassigned = 1\nassigned")
        assert list(nb.session.nodes) == ["given"]

    def test_by_only_function(self, nb: Notebook) -> None:
        """A cell that is one def is that function, with its parameters as inputs."""
        nb.node("raw", "3")
        nb.run("%%dag_node\ndef twice(raw):\n    return 2 * raw")
        assert nb["twice"] == 6
        assert nb.session.dag.predecessors("twice") == ["raw"]

    def test_by_last_assignment(self, nb: Notebook) -> None:
        """Else the last assignment names it."""
        nb.run("%%dag_node\nx = 1\ny = x + 1")
        assert nb["y"] == 2
        assert "x" not in nb.shell.user_ns

    @pytest.mark.parametrize(
        ("line", "body", "message"),
        [
            ("", "def a(): pass\ndef b(): pass", r"defines 2 functions; write it after the magic"),
            ("", "1 + 1", r"last statement assigns no name; write it after the magic"),
            ("1x", "1", r"'1x' cannot name a node.*try 'node_1x'"),
            ("class", "1", r"'class' cannot name a node.*try 'class_'"),
            ("a-b", "1", r"'a-b' cannot name a node.*try 'a_b'"),
            ("In", "1", r"'In' cannot name a node, it is IPython's own; try 'node_1'"),
            ("__", "1", r"'__' cannot name a node, it is IPython's own"),
            ("x", "y = 1\nclass A: y = y", r"class in node 'x' reads 'y' and assigns.* y_ = y"),
            ("x", "x + 1", r"node 'x' reads 'x' before it assigns it.*%%dag_node x_2"),
            ("x --deps x", "1", r"node 'x' cannot depend on itself; drop it from --deps"),
            ("x", "# nothing", r"the cell holds no code; a node needs a value"),
            ("x", "for i in (1, 2): i", r"node 'x' has no value.*assign x = \.\.\."),
            ("x", "def f(*args): return 1\ng = 2", r"node 'x' has no value"),
            ("x", "def f(*args): return 1", r"node 'x' takes \*args; .*name each of them"),
            ("x", "%%time\n1", r"%%time cannot follow another cell magic; use .* %time"),
        ],
    )
    def test_refused(self, chain: Notebook, line: str, body: str, message: str) -> None:
        """A definition that cannot be is refused with what to do, and changes nothing."""
        before = chain.state()
        ran = chain.run(f"%%dag_node {line}\n{body}", fails=DefinitionError)
        assert re.search(message, str(ran.error)), ran.error
        assert chain.state() == before
        assert ran.executed == []

    def test_name_with_two_spellings(self, nb: Notebook) -> None:
        """A micro sign on the keyboard is a Greek mu in code, and means the same node."""
        nb.node("\N{MICRO SIGN}", "2")
        assert nb.node("b", "\N{MICRO SIGN} + 1", "--deps \N{MICRO SIGN}").executed == ["b"]
        assert nb["b"] == 3
        assert nb.run("%dag run \N{MICRO SIGN} --fresh").executed == ["\N{GREEK SMALL LETTER MU}"]

    def test_refusal_is_one_line(self, chain: Notebook) -> None:
        """An error of ours is its message: no traceback header over nothing."""
        ran = chain.run("%%dag_node 1x\n1", fails=DefinitionError)
        lines = [line for line in ran.out.splitlines() if line]
        assert lines == [
            "DefinitionError: '1x' cannot name a node, it is no variable name; try 'node_1x'"
        ]

    def test_empty_cell(self, chain: Notebook) -> None:
        """An empty cell is a usage error, and changes nothing."""
        before = chain.state()
        ran = chain.run("%%dag_node clean\n", fails=UsageError)
        assert "dag_node" in ran.text
        assert "empty" in ran.text
        assert chain.state() == before


class TestOptions:
    """What may follow ``%%dag_node``."""

    def test_deps(self, nb: Notebook) -> None:
        """--deps adds nodes that the code does not name, with commas or said twice."""
        for name in "abc":
            nb.node(name, "1")
        nb.node("d", "2", "--deps a,b --deps c")
        assert nb.session.dag.predecessors("d") == ["a", "b", "c"]
        assert nb.node("b", "5").executed == ["b", "d"]

    def test_deps_defined_later(self, nb: Notebook) -> None:
        """A dependency may be defined later; the node waits for it."""
        ran = nb.node("d", "2", "--deps later")
        assert "it waits for `later`" in ran.out
        assert nb.node("later", "1").executed == ["later", "d"]

    def test_manual(self, chain: Notebook) -> None:
        """A manual node, and what is below it, runs when asked for; until then it is stale."""
        assert chain.node("clean", "raw[:2]", "--manual").executed == ["clean", "total"]
        assert chain.node("raw", "[5, 6, 7]").executed == ["raw"]
        assert chain.status("clean") == "stale"
        assert chain.status("total") == "stale"
        assert chain.run("%dag run").executed == []
        assert chain.run("%dag run clean").executed == ["clean", "total"]
        assert chain["total"] == 11

    def test_tags(self, nb: Notebook) -> None:
        """The first tag is the node's group in the picture."""
        nb.node("a", "1", "--tags etl,slow")
        nb.node("b", "1", "--tag etl")
        nb.node("c", "1")
        assert nb.session.view.groups == {"a": "etl", "b": "etl"}
        nb.node("a", "1", "--tag model")
        assert nb.session.view.groups == {"a": "model", "b": "etl"}

    def test_unknown_option(self, chain: Notebook) -> None:
        """An unknown option is named, with the nearest, and changes nothing."""
        before = chain.state()
        ran = chain.run("%%dag_node clean --depz x\n1", fails=UsageError)
        assert "--depz x; did you mean '--deps'?" in ran.text
        assert "%%dag_node?" in ran.text
        assert chain.state() == before

    def test_two_names(self, chain: Notebook) -> None:
        """So is a second name."""
        before = chain.state()
        ran = chain.run("%%dag_node clean other\n1", fails=UsageError)
        assert "unrecognized arguments: other" in ran.text
        assert chain.state() == before

    def test_no_variables_in_the_line(self, nb: Notebook) -> None:
        """Braces and dollars in the line and in the cell are text."""
        nb.run("x = 'wrong'")
        nb.node("a", "'{x} $x'")
        assert nb["a"] == "{x} $x"

    def test_usage_text(self, nb: Notebook) -> None:
        """``%%dag_node?`` and ``%dag?`` print usage."""
        for magic in ("%%dag_node", "%dag"):
            text = nb.shell.object_inspect_text(magic)
            assert magic.strip("%") in text
        assert "--deps" in nb.shell.object_inspect_text("%%dag_node")
        assert "%dag help" in nb.shell.object_inspect_text("%dag")


class TestCells:
    """Which cell a node belongs to."""

    def test_rename(self, chain: Notebook) -> None:
        """The same cell under a new name renames its node; what read the old name waits."""
        chain.run("%%dag_node kept\n[x for x in raw if x >= limit]", "cell-clean")
        assert list(chain.session.nodes) == ["raw", "total", "other", "kept"]
        assert "clean" not in chain.shell.user_ns
        assert "`clean`" in str(chain.session.why("total"))

    def test_rename_without_cell_ids(self, chain: Notebook) -> None:
        """Where cells have no ids, a new name is a new node."""
        chain.run("%%dag_node a\n1")
        chain.run("%%dag_node b\n1")
        assert {"a", "b"} <= set(chain.session.nodes)
        assert chain.run("%%dag_node a\n2").executed == ["a"]

    def test_refused_rename_keeps_the_old_node(self, chain: Notebook) -> None:
        """A cell that is refused under its new name leaves the old one."""
        before = chain.state()
        chain.run("%%dag_node kept\nkept + 1", "cell-clean", fails=DefinitionError)
        assert chain.state() == before

    def test_cell_becomes_plain(self, chain: Notebook) -> None:
        """A cell that defines its node no longer removes it, and says so."""
        ran = chain.run("clean = 5", "cell-clean")
        assert "clean is no longer a node" in ran.out
        assert "clean" not in chain.session.nodes
        assert chain["clean"] == 5
        assert ran.executed == ["total"]
        assert "total failed with TypeError: 'int' object is not iterable (see its cell)" in ran.out

    def test_name_taken(self, chain: Notebook) -> None:
        """A name that another cell defines is refused, and names that cell."""
        before = chain.state()
        ran = chain.run("%%dag_node total\n1", "new", fails=DefinitionError)
        assert "node 'total' is defined by another cell" in str(ran.error)
        assert "`sum(clean)`" in str(ran.error)
        assert "--replace" in str(ran.error)
        assert chain.state() == before

    def test_replace(self, chain: Notebook) -> None:
        """--replace takes the name over; the old cell then has to insist in turn."""
        ran = chain.run("%%dag_node total --replace\nlen(clean)", "new")
        assert "total was defined by the cell that starts with `sum(clean)`" in ran.out
        assert chain["total"] == 3
        chain.run("%%dag_node total\nsum(clean)", "cell-total", fails=DefinitionError)

    def test_cycle(self, chain: Notebook) -> None:
        """A cell that would close a cycle is refused with the path; all stays in force."""
        before = chain.state()
        ran = chain.run("%%dag_node raw\n[total]", "cell-raw", fails=CycleError)
        assert "raw -> clean -> total -> raw" in str(ran.error)
        assert [line for line in ran.out.splitlines() if line] == [f"CycleError: {ran.error}"]
        assert chain.state() == before
        assert chain.node("raw", "[1]").executed == ["raw", "clean", "total"]

    def test_cycle_by_a_new_node(self, nb: Notebook) -> None:
        """So is a new node that others wait for."""
        nb.node("b", "c + 1")
        nb.node("a", "b + 1")
        before = nb.state()
        ran = nb.node("c", "a + 1", fails=CycleError)
        assert "c" not in nb.session.nodes
        assert "a" in str(ran.error)
        assert nb.state() == before

    def test_cycle_through_a_helper(self, chain: Notebook) -> None:
        """A helper that comes to read what depends on its caller is refused where it is changed."""
        chain.run("def first(): return 3")
        chain.node("raw", "[first()]")
        ran = chain.run("def first(): return total")
        assert "CycleError" in ran.text
        assert "raw -> clean -> total -> raw" in ran.text
        assert chain["total"] == 3
        assert chain.node("apart", "1").executed == ["apart"]
        assert chain.run("def first(): return 4").executed == ["raw", "clean", "total"]

    def test_syntax_error(self, chain: Notebook) -> None:
        """A syntax error shows the line, and changes nothing."""
        before = chain.state()
        ran = chain.run("%%dag_node clean\nx = 1\ny = = 2", "cell-clean", fails=SyntaxError)
        assert "y = = 2" in ran.out
        assert "line 3" in ran.out
        assert chain.state() == before

    @pytest.mark.parametrize("body", ["return 1", "yield 1", "from math import *\n1"])
    def test_statement_that_a_body_cannot_hold(self, chain: Notebook, body: str) -> None:
        """``return`` and the like are refused with what to write instead."""
        before = chain.state()
        ran = chain.run(f"%%dag_node clean\n{body}", "cell-clean", fails=SyntaxError)
        assert ";" in str(ran.error)
        assert chain.state() == before

    def test_traceback(self, nb: Notebook) -> None:
        """A traceback shows the user's lines, helpers included, and nothing of ours."""
        nb.run("def helper(x):\n    return 1 / x")
        ran = nb.node("a", "x = 0\nhelper(x)", fails=ZeroDivisionError)
        assert "helper(x)" in ran.out
        assert "return 1 / x" in ran.out
        assert "dagnb/" not in ran.out
        assert "run_cell_magic" not in ran.out


class TestVerbs:
    """``%dag`` and its verbs."""

    def test_before_any_node(self, nb: Notebook) -> None:
        """Without nodes every verb says how to make one."""
        for verb in ("status", "run", "plan", "show"):
            assert (
                "there are no nodes yet; start a cell with %%dag_node" in nb.run(f"%dag {verb}").out
            )
        ran = nb.run("%dag why x", fails=UsageError)
        assert "no node 'x': there are no nodes yet" in ran.text
        assert "auto is on" in nb.run("%dag auto").out

    def test_help(self, nb: Notebook) -> None:
        """No verb, or help, lists the verbs."""
        for line in ("%dag", "%dag help"):
            text = nb.run(line).out
            for verb in ("run", "plan", "status", "show", "why NAME", "rm NAME", "auto", "help"):
                assert f"%dag {verb}" in text

    def test_unknown_verb(self, chain: Notebook) -> None:
        """An unknown verb suggests the nearest."""
        ran = chain.run("%dag rum", fails=UsageError)
        assert "%dag has no verb 'rum'; did you mean 'r" in ran.text
        assert "%dag help" in ran.text

    @pytest.mark.parametrize(
        "line", ["run clen", "plan clen", "why clen", "rm clen", "rm raw clen"]
    )
    def test_unknown_node(self, chain: Notebook, line: str) -> None:
        """An unknown node suggests the nearest; nothing happens."""
        before = chain.state()
        ran = chain.run(f"%dag {line}", fails=NodeNotFoundError)
        assert "NodeNotFoundError: no node 'clen'; did you mean 'clean'?" in ran.out
        assert chain.state() == before

    @pytest.mark.parametrize(
        ("line", "usage"),
        [
            ("why", "usage: %dag why NAME"),
            ("why a b", "usage: %dag why NAME"),
            ("rm", "usage: %dag rm NAME ..."),
            ("status x", "usage: %dag status"),
            ("auto maybe", "usage: %dag auto [on|off]"),
            ("run --frsh", "unrecognized arguments: --frsh"),
            ("why 'a", "closing quotation"),
        ],
    )
    def test_usage(self, chain: Notebook, line: str, usage: str) -> None:
        """A misused verb says how it is used."""
        assert usage in chain.run(f"%dag {line}", fails=UsageError).text

    def test_run_with_a_manual_node(self, chain: Notebook) -> None:
        """One that is stale and was not asked for is named: not everything is up to date."""
        chain.node("clean", "raw[:2]", "--manual")
        chain.node("raw", "[5, 6]")
        said = chain.run("%dag run").out
        assert said == "nothing to run; manual and stale: clean (%dag run clean)\n"

    def test_run(self, chain: Notebook) -> None:
        """It says what ran; everything current is left alone."""
        assert "nothing to run, everything is up to date" in chain.run("%dag run").out
        chain.run("%dag auto off")
        chain.node("raw", "[7]")
        ran = chain.run("%dag run")
        assert ran.executed == ["clean", "total"]
        assert ran.out.startswith("ran clean, total (")

    def test_run_names(self, chain: Notebook) -> None:
        """With names, run does what they need and feed."""
        chain.run("%dag auto off")
        chain.node("raw", "[7]")
        assert chain.run("%dag run clean").executed == ["clean"]
        assert chain.run("%dag run total").executed == ["total"]

    def test_run_fresh(self, chain: Notebook) -> None:
        """--fresh runs the named nodes though nothing changed, with cutoff below."""
        ran = chain.run("%dag run clean --fresh")
        assert ran.executed == ["clean"]
        assert "clean (same value)" in ran.out
        assert sorted(chain.run("%dag run --fresh").executed) == ["clean", "other", "raw", "total"]

    def test_run_reports_a_failure(self, chain: Notebook) -> None:
        """A failure is raised once, after the summary."""
        chain.node("bad", "1 / 0", fails=ZeroDivisionError)
        ran = chain.run("%dag run", fails=ZeroDivisionError)
        assert ran.out.startswith("failed bad (")

    def test_status(self, chain: Notebook) -> None:
        """A table, dependencies first."""
        lines = chain.run("%dag status").out.splitlines()
        assert lines[0].split() == ["node", "status", "took", "why"]
        assert [line.split()[0] for line in lines[1:4]] == ["raw", "clean", "total"]

    def test_auto_off(self, chain: Notebook) -> None:
        """With auto off dependents become stale, until they are run."""
        assert chain.run("%dag auto off").out == "auto is off\n"
        assert chain.node("raw", "[7]").executed == ["raw"]
        assert chain.statuses()["clean"] == chain.statuses()["total"] == "stale"
        assert chain.run("limit = 2").executed == []
        ran = chain.run("%dag auto on")
        assert ran.executed == []
        assert "auto is on; 2 nodes are stale, %dag run brings them up to date" in ran.out
        assert chain.run("%dag run").executed == ["clean", "total"]

    def test_auto_off_own_upstream(self, chain: Notebook) -> None:
        """A cell still runs what its own node needs."""
        chain.run("%dag auto off")
        chain.node("raw", "[7]")
        assert chain.node("total", "max(clean)").executed == ["clean", "total"]

    def test_rm(self, chain: Notebook) -> None:
        """Nodes go with their values."""
        chain.run("%dag rm total other")
        assert list(chain.session.nodes) == ["raw", "clean"]
        assert "total" not in chain.shell.user_ns

    def test_show_says_how_to_look_at_the_graph(self, chain: Notebook) -> None:
        """The options stay in force until others are given; ``--all`` takes them back."""
        chain.run("%dag show --around clean --hops 1 --direction LR")
        lens = chain.session.picture.lens
        assert (lens.around, lens.hops, lens.direction) == ("clean", 1, "LR")
        chain.run("%dag show --fold all")
        assert chain.session.picture.lens.around == "clean"
        chain.run("%dag show --all")
        assert chain.session.picture.lens.around == ""

    @pytest.mark.parametrize("option", ["--fold nothing", "--around nobody", "--hops many"])
    def test_show_refuses_what_is_not_there(self, chain: Notebook, option: str) -> None:
        """With its name."""
        result = chain.run(f"%dag show {option}", fails=(UsageError, NodeNotFoundError))
        assert option.split()[1] in str(result.error)

    def test_show_in_a_terminal(self, chain: Notebook) -> None:
        """Without a front end that draws, show is a tree of text."""
        shown = chain.run("%dag show").out.splitlines()
        assert [line.split()[-3] for line in shown] == ["raw", "clean", "total", "other"]
        assert shown[2].startswith("   └─ total")


class TestLoading:
    """The extension itself."""

    def test_load_twice(self, chain: Notebook) -> None:
        """Loading it again keeps the nodes and doubles nothing."""
        before, session = chain.state(), chain.session
        chain.run("%load_ext dagnb")
        assert chain.state() == before
        chain.run("%reload_ext dagnb")
        assert chain.session is session
        assert chain.state() == before
        ran = chain.run("limit = 2")
        assert ran.executed == ["clean", "total"]
        assert ran.out.count("because of this cell") == 1

    def test_unload(self, chain: Notebook) -> None:
        """Unloading takes magics and hooks away; the nodes are there the next time."""
        chain.run("%unload_ext dagnb")
        assert chain.run("limit = 2").executed == []
        chain.run("%dag status", fails=UsageError)
        assert chain.run("%load_ext dagnb").executed == ["clean", "total"]

    def test_session_without_the_extension(self, nb: Notebook) -> None:
        """session() says what to load."""
        nb.run("import dagnb\ndagnb.session()")
        nb.shell.magics_manager.registry.pop("DagMagics")
        ran = nb.run("dagnb.session()", fails=DagError)
        assert "%load_ext dagnb" in str(ran.error)
