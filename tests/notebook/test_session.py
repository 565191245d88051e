"""What runs when a cell is run: exactly what must, and nothing else."""

from __future__ import annotations

import threading

import pytest

from dagnb.errors import DagError, InputMutatedError, NodeNotFoundError, UncacheableValue
from dagnb.events import Event, NodeSettled
from dagnb.results import IncrementalResult, NodeStatus
from tests.notebook.conftest import Notebook


class TestFirstRuns:
    """Defining nodes, in whatever order."""

    def test_order_of_definition_is_irrelevant(self, nb: Notebook) -> None:
        """A node that reads what comes later waits, and runs as soon as that is there."""
        waiting = nb.node("total", "sum(clean)")
        assert "total is defined and did not run: it waits for `clean`" in waiting.out
        nb.node("clean", "[x for x in raw if x]")
        ran = nb.node("raw", "[0, 1, 2]")
        assert ran.executed == ["raw", "clean", "total"]
        assert nb["total"] == 3

    def test_a_node_in_a_string_is_an_input(self, nb: Notebook) -> None:
        """If a library evaluates the string; what may be a table is not waited for."""
        nb.run("import polars as pl")
        nb.node("limit", "1")
        nb.node("frame", "pl.DataFrame({'a': [1, 2]})")
        nb.node(
            "kept",
            "pl.sql('SELECT a FROM frame JOIN known USING (a)', eager=True)",
            fails=Exception,
        )
        nb.node("known", "pl.DataFrame({'a': [limit, 3]})")
        assert set(nb.session.dag.predecessors("kept")) == {"frame", "known"}
        assert nb["kept"]["a"].to_list() == [1]
        assert nb.node("limit", "2").executed == ["limit", "known", "kept"]
        assert nb["kept"]["a"].to_list() == [2]

    def test_waits_for_a_variable(self, nb: Notebook) -> None:
        """A plain cell that defines the missing name makes the node run."""
        nb.node("raw", "[0, 1, 2]")
        nb.node("clean", "[x for x in raw if x > limit]")
        ran = nb.run("limit = 0")
        assert ran.executed == ["clean"]
        assert nb["clean"] == [1, 2]

    def test_helper_defined_later(self, nb: Notebook) -> None:
        """A node runs when the helper that its helper calls is defined."""
        nb.run("def outer(x): return inner(x) + 1")
        nb.node("a", "outer(1)", fails=NameError)
        assert nb.run("def inner(x): return x * 10").executed == ["a"]
        assert nb["a"] == 11

    def test_names_are_local_to_the_node(self, nb: Notebook) -> None:
        """The same name in several nodes is no conflict and does not leak."""
        nb.node("a", "i = 1\nfor x in range(3): i += x\ni")
        nb.node("b", "i = 10\ni")
        assert (nb["a"], nb["b"]) == (4, 10)
        assert "i" not in nb.shell.user_ns
        assert "x" not in nb.shell.user_ns

    def test_values_are_published(self, chain: Notebook) -> None:
        """A plain cell reads the current value under the node's name."""
        assert chain.run("(raw, clean, total)").value == ([3, 1, 2], [3, 1, 2], 6)

    def test_await(self, nb: Notebook) -> None:
        """A node cell may await at its top level."""
        nb.node("a", "import asyncio\nawait asyncio.sleep(0)\n7")
        assert nb["a"] == 7
        assert nb.node("b", "a + 1").executed == ["b"]

    def test_magics_in_the_body(self, nb: Notebook) -> None:
        """Line magics and shell commands work in a node cell."""
        nb.node("a", "lines = !echo hello\n%precision 3\nlines[0]")
        assert nb["a"] == "hello"

    def test_long_chain(self, nb: Notebook) -> None:
        """A chain of 1,050 cells runs, and runs again from its start, without recursion."""
        nb.node("n0", "0")
        for i in range(1, 1050):
            nb.shell.run_cell(f"%%dag_node n{i}\nn{i - 1} + 1", cell_id=f"c{i}")
        assert nb["n1049"] == 1049
        ran = nb.node("n0", "1")
        assert len(ran.executed) == 1050
        assert nb["n1049"] == 1050


class TestEdits:
    """An edit re-runs what it must."""

    def test_downstream_of_an_edit(self, chain: Notebook) -> None:
        """The edited node and what depends on it run; what is beside it does not."""
        assert chain.node("raw", "[5, 6]").executed == ["raw", "clean", "total"]
        assert chain["total"] == 11

    def test_upstream_is_left_alone(self, chain: Notebook) -> None:
        """What the edited node needs and is current does not run."""
        assert chain.node("clean", "[x * 2 for x in raw]").executed == ["clean", "total"]

    def test_early_cutoff(self, chain: Notebook) -> None:
        """A value that comes out the same ends the run there."""
        assert chain.node("raw", "[3, 1, 2, 0]").executed == ["raw", "clean"]
        assert chain.statuses() == {
            "raw": "completed",
            "clean": "cutoff",
            "total": "reused",
            "other": "completed",
        }

    @pytest.mark.parametrize(
        "source",
        [
            "# a comment\n[x for x in raw if x >= limit]",
            "[\n    x\n    for x in raw\n    if x >= limit\n]",
            "'''What it does.'''\n[x for x in raw if x >= limit]",
            "[x for x in raw if x >= limit]\n\n# the end",
        ],
    )
    def test_form_is_no_edit(self, chain: Notebook, source: str) -> None:
        """Comments, formatting and docstrings run nothing."""
        assert chain.node("clean", source).executed == []
        assert chain["clean"] == [3, 1, 2]
        assert chain.session.source("clean").strip() == source

    def test_same_cell_again(self, chain: Notebook) -> None:
        """Running a cell that did not change runs nothing, and shows its outputs again."""
        ran = chain.node("raw", "[3, 1, 2]")
        assert ran.executed == []
        assert ran.out == "[3, 1, 2]\n"

    def test_global(self, chain: Notebook) -> None:
        """A plain cell that changes a variable re-runs exactly the nodes that read it."""
        assert chain.run("limit = 2").executed == ["clean", "total"]
        assert chain["clean"] == [3, 2]
        assert chain.run("limit = 2").executed == []
        assert chain.run("unrelated = 1").executed == []

    def test_global_changed_in_place(self, nb: Notebook) -> None:
        """A list that a node reads and a plain cell extends makes the node stale."""
        nb.run("rows = [1]\nalias = rows")
        nb.node("a", "len(rows)")
        nb.node("b", "1")
        assert nb.run("alias.append(2)").executed == ["a"]

    def test_helper(self, nb: Notebook) -> None:
        """A helper function counts by its code, whatever its comments."""
        nb.run("def scale(x): return 2 * x")
        nb.node("a", "scale(1)")
        nb.node("b", "1")
        assert nb.run("def scale(x):\n    # twice\n    return 2 * x").executed == []
        assert nb.run("def scale(x): return 3 * x").executed == ["a"]
        assert nb["a"] == 3

    def test_global_of_a_helper(self, nb: Notebook) -> None:
        """So does what a helper's helper reads."""
        nb.run("factor = 2\ndef inner(x): return factor * x\ndef scale(x): return inner(x)")
        nb.node("a", "scale(1)")
        nb.node("b", "1")
        assert nb.run("factor = 5").executed == ["a"]
        assert nb["a"] == 5

    def test_helper_that_reads_a_node(self, chain: Notebook) -> None:
        """A node that a helper reads is an input of the node that calls it."""
        chain.run("def half(): return total / 2")
        chain.node("h", "half()")
        assert chain.node("raw", "[8]").executed == ["raw", "clean", "total", "h"]
        assert chain["h"] == 4

    def test_helper_comes_to_read_a_node(self, chain: Notebook) -> None:
        """A plain cell that changes a helper changes the edges."""
        chain.run("def half(): return 1")
        chain.node("h", "half()")
        assert chain.run("def half(): return total / 2").executed == ["h"]
        assert chain.node("raw", "[8]").executed == ["raw", "clean", "total", "h"]

    def test_function_default_and_class(self, nb: Notebook) -> None:
        """Classes and defaults count too."""
        nb.run("class Rate:\n    value = 2\ndef f(x, k=1): return k * x")
        nb.node("a", "Rate.value")
        nb.node("b", "f(1)")
        assert nb.run("class Rate:\n    value = 3").executed == ["a"]
        assert nb.run("def f(x, k=2): return k * x").executed == ["b"]

    def test_value_back(self, chain: Notebook) -> None:
        """What ran before with the same code and inputs comes from memory."""
        chain.run("limit = 2")
        ran = chain.run("limit = 1")
        assert ran.executed == []
        assert chain["total"] == 6
        assert chain.status("clean") == "cached"

    def test_plain_cell_that_fails_runs_nothing(self, chain: Notebook) -> None:
        """A plain cell that raises starts no run; the next cell that does not makes up for it."""
        ran = chain.run("limit = 3\n1 / 0", fails=ZeroDivisionError)
        assert ran.executed == []
        assert chain.statuses()["clean"] == "stale"
        assert chain.run("1 + 1").executed == ["clean", "total"]
        assert chain["clean"] == [3]

    def test_failed_node_is_not_tried_again_by_an_unrelated_cell(self, chain: Notebook) -> None:
        """A node that failed runs again when it is asked for, or what it reads changes."""
        chain.node("bad", "1 / 0", fails=ZeroDivisionError)
        assert chain.run("limit = 2").executed == ["clean", "total"]
        assert chain.run("unrelated = 2").executed == []
        assert chain.run("%dag run", fails=ZeroDivisionError).executed == ["bad"]

    def test_other_input_is_stale_too(self, chain: Notebook) -> None:
        """A dependent never runs on an old value: whatever else it needs runs before it."""
        chain.node("both", "[total, other]")
        chain.run("%dag auto off")
        chain.node("other", "'new'")
        chain.run("%dag auto on")
        assert chain.node("raw", "[3, 1, 5]").executed == ["raw", "clean", "total", "both"]
        assert chain["both"] == [9, "new"]

    def test_other_input_is_stale_and_manual(self, chain: Notebook) -> None:
        """A dependent of a stale manual node waits for it."""
        chain.run("%dag auto off")
        chain.node("other", "limit", "--manual")
        chain.node("both", "[total, other]")
        chain.run("%dag auto on")
        chain.run("limit = 0")
        assert chain.node("raw", "[3, 1, 5]").executed == ["raw", "clean", "total"]
        assert chain.status("both") == "stale"


class TestFailures:
    """A node that raises."""

    def test_own_error(self, chain: Notebook) -> None:
        """The user's exception, and dependents skipped."""
        ran = chain.node("clean", "1 / 0", fails=ZeroDivisionError)
        assert ran.executed == ["clean"]
        assert chain.statuses() == {
            "raw": "completed",
            "clean": "failed",
            "total": "skipped",
            "other": "completed",
        }
        assert "clean failed" in chain.session.result("total").reason

    def test_failure_below(self, chain: Notebook) -> None:
        """A dependent that fails is named below the cell that was run, which succeeds."""
        chain.node("ratio", "1 / (total - 11)")
        ran = chain.node("raw", "[5, 6]")
        assert "ratio failed with ZeroDivisionError: division by zero (see its cell)" in ran.text
        assert chain.status("ratio") == "failed"

    def test_fixed_later(self, chain: Notebook) -> None:
        """Once the node is mended, what was skipped runs."""
        chain.node("clean", "1 / 0", fails=ZeroDivisionError)
        assert chain.node("clean", "raw[:1]").executed == ["clean", "total"]
        assert chain["total"] == 3

    def test_fixed_upstream(self, chain: Notebook) -> None:
        """A node that failed on its input runs again when the input changes."""
        chain.node("ratio", "1 / (total - 6)", fails=ZeroDivisionError)
        assert chain.node("raw", "[5]").executed == ["raw", "clean", "total", "ratio"]
        assert chain["ratio"] == -1

    def test_back_to_what_worked(self, chain: Notebook) -> None:
        """After a failure, the old code takes its old value from memory."""
        chain.node("clean", "1 / 0", fails=ZeroDivisionError)
        assert chain.node("clean", "[x for x in raw if x >= limit]").executed == []
        assert chain["total"] == 6
        assert not chain.session.is_stale("total")

    def test_transient_failure(self, nb: Notebook) -> None:
        """A failure is never taken for current: the same cell run again runs the node."""
        nb.run("import os\nos.environ.pop('DAGNB_READY', None)")
        source = "import os\nint(os.environ['DAGNB_READY'])"
        nb.node("a", source, fails=KeyError)
        nb.node("b", "a + 1")
        nb.run("os.environ['DAGNB_READY'] = '1'")
        assert nb.node("a", source).executed == ["a", "b"]
        nb.run("del os.environ['DAGNB_READY']")

    @pytest.mark.filterwarnings("ignore:To exit")
    @pytest.mark.parametrize("source", ["import sys\nsys.exit(3)", "raise SystemExit(3)"])
    def test_exit_in_a_node(self, chain: Notebook, source: str) -> None:
        """Leaving Python is that node's failure; the shell and the run go on."""
        chain.node("leaves", source, fails=SystemExit)
        assert chain.status("leaves") == "failed"
        assert chain.node("raw", "[9]").executed == ["raw", "clean", "total"]

    def test_interrupt(self, chain: Notebook) -> None:
        """Stop in a node cancels it and what is left; the next run does exactly that."""
        chain.node("slow", "if total == 7: raise KeyboardInterrupt\ntotal")
        chain.node("last", "slow")
        ran = chain.node("raw", "[7]", fails=KeyboardInterrupt)
        assert ran.executed == ["raw", "clean", "total", "slow"]
        assert (chain.status("slow"), chain.status("last")) == ("cancelled", "cancelled")
        assert (chain["total"], chain["slow"]) == (7, 6)
        assert not chain.session.running
        assert chain.node("raw", "[8]").executed == ["raw", "clean", "total", "slow", "last"]
        assert chain["last"] == 8

    def test_interrupt_between_two_nodes(self, chain: Notebook) -> None:
        """A node that had just come to its value is published, whatever was to be told then."""

        def stop(event: Event) -> None:
            if isinstance(event, NodeSettled) and event.result.name == "raw":
                chain.session.observers.remove(stop)
                raise KeyboardInterrupt

        chain.session.observers.append(stop)
        chain.node("raw", "[7]", fails=KeyboardInterrupt)
        assert (chain["raw"], chain.status("raw")) == ([7], "completed")
        assert "total" in chain.run("%dag run").executed
        assert (chain["raw"], chain["total"]) == ([7], 7)

    def test_run_inside_a_node(self, chain: Notebook) -> None:
        """A node that starts a run is refused with words, and nothing is lost."""
        ran = chain.node("inner", "import dagnb\ndagnb.session().run()", fails=DagError)
        assert "a node cannot start a run" in str(ran.error)
        assert chain.node("raw", "[1]").executed == ["raw", "clean", "total"]

    def test_define_inside_a_node(self, chain: Notebook) -> None:
        """So is one that defines or removes nodes while it runs."""
        before = chain.state()
        chain.run("import dagnb")
        chain.node("eater", "dagnb.session().remove('raw')", fails=DagError)
        chain.run("%dag rm eater")
        assert chain.state() == before


class TestMutation:
    """Values changed in place."""

    def test_node_changes_its_input(self, chain: Notebook) -> None:
        """The node fails with what to do; the input is computed again, siblings see that."""
        ran = chain.node("bad", "clean.append(4)\nlen(clean)", fails=InputMutatedError)
        message = str(ran.error)
        assert "node 'bad' changed its input 'clean' (a list) in place" in message
        assert "clean = clean.copy()" in message
        assert chain["clean"] == [3, 1, 2]
        assert (chain["total"], chain.status("bad")) == (6, "failed")
        assert "changed in place" in chain.session.result("clean").reason
        assert chain.node("count", "len(clean)").executed == ["count"]
        assert chain["count"] == 3

    def test_plain_cell_changes_a_value(self, chain: Notebook) -> None:
        """The value is computed again, with a notice."""
        ran = chain.run("clean.append(99)")
        assert "clean" in ran.out
        assert "copy" in ran.out
        assert chain["clean"] == [3, 1, 2]
        assert ran.executed == ["clean"]

    def test_plain_cell_changes_a_value_through_an_alias(self, chain: Notebook) -> None:
        """What the cell does not name is found when the value is used next."""
        chain.run("alias = clean")
        chain.run("alias.append(99)")
        chain.node("count", "len(clean)")
        assert chain["count"] == 3

    def test_plain_cell_assigns_a_value(self, chain: Notebook) -> None:
        """An assignment does not reach the dependents, and the notice says so."""
        ran = chain.run("clean = 1")
        assert "clean is a node" in ran.out
        assert ran.executed == []
        assert chain.node("count", "len(clean)").executed == ["count"]
        assert chain["count"] == 3


class TestPython:
    """The session as an object."""

    def test_run(self, chain: Notebook) -> None:
        """Everything, some, fresh; downstream or not."""
        session = chain.session
        assert session.run().recomputed == []
        assert session.run(["clean"], fresh=True).recomputed == ["clean"]
        result = session.run(["raw"], fresh=True, downstream=False)
        assert isinstance(result, IncrementalResult)
        assert result["raw"].status is NodeStatus.COMPLETED
        assert session.last_run is result

    def test_unknown_name(self, chain: Notebook) -> None:
        """Every question about an unknown node suggests the nearest."""
        session = chain.session
        for ask in (
            lambda: session.run(["clen"]),
            lambda: session.plan(["clen"]),
            lambda: session.why("clen"),
            lambda: session.remove("clen"),
            lambda: session.source("clen"),
            lambda: session["clen"],
            lambda: session.result("clen"),
        ):
            with pytest.raises(NodeNotFoundError, match=r"no node 'clen'.*did you mean 'clean'"):
                ask()

    def test_one_string(self, chain: Notebook) -> None:
        """One string is no list of names."""
        with pytest.raises(TypeError, match=r"write \['raw'\]"):
            chain.session.run("raw")

    def test_values(self, chain: Notebook) -> None:
        """The session gives values by name; a node without one says why."""
        assert chain.session["total"] == 6
        chain.node("late", "nowhere")
        with pytest.raises(DagError, match=r"'late' has no value.*%dag why late"):
            chain.session["late"]

    def test_observer(self, chain: Notebook) -> None:
        """An observer of the user's that raises is dropped; the run goes on."""
        seen: list[object] = []
        chain.session.observers.append(seen.append)
        chain.node("raw", "[4]")
        assert {type(event).__name__ for event in seen} >= {"RunStarted", "NodeSettled"}

    def test_repr(self, nb: Notebook) -> None:
        """In a terminal a session is the tree of its nodes."""
        assert "no nodes yet" in repr(nb.session)
        nb.node("raw", "1")
        assert repr(nb.session) == "raw  completed 0ms"

    def test_remove(self, chain: Notebook) -> None:
        """A removed node takes its name with it; what reads it waits."""
        chain.session.remove("clean")
        assert "clean" not in chain.shell.user_ns
        assert chain.session.is_stale("total")
        assert "it waits for `clean`" in str(chain.session.why("total"))
        assert chain.node("clean", "raw").executed == ["clean"]
        assert chain["total"] == 6

    def test_remove_what_waits(self, nb: Notebook) -> None:
        """A node that waits for a name can be removed, and plain cells go on."""
        nb.node("waits", "nothing_yet + 1")
        nb.session.remove("waits")
        assert nb.run("nothing_yet = 1").text == ""

    @pytest.mark.parametrize("source", ["(x for x in range(3))", "iter([1])", "open(os.devnull)"])
    def test_value_without_a_digest(self, chain: Notebook, source: str) -> None:
        """A value that can be read only once fails its node with what to return instead."""
        chain.run("import os, warnings\nwarnings.simplefilter('ignore', ResourceWarning)")
        before = chain.state()
        ran = chain.node("once", source, fails=UncacheableValue)
        assert "node 'once'" in str(ran.error)
        assert "list" in str(ran.error) or "path" in str(ran.error)
        chain.run("%dag rm once")
        assert chain.state() == before


class TestThreads:
    """Clicks in the live graph come from other threads."""

    def test_one_run_at_a_time(self, nb: Notebook) -> None:
        """A run or an edit from elsewhere, while a run goes on, is refused with words."""
        begun, go_on = threading.Event(), threading.Event()
        nb.shell.user_ns.update(begun=begun.set, wait=go_on.wait)
        session, refused = nb.session, []

        def click() -> None:
            assert begun.wait(20)
            assert session.why("slow")  # as the panel asks
            for act in (session.run, session.plan, lambda: session.remove("slow")):
                with pytest.raises(DagError, match="a run is going on; wait for it, or stop it"):
                    act()
                refused.append(act)
            go_on.set()

        thread = threading.Thread(target=click)
        thread.start()
        nb.node("slow", "begun()\nwait(20)")
        thread.join()
        assert len(refused) == 3
        assert nb["slow"] is True
