"""Nodes that make nodes: how families come, change and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagnb import CycleError, DagError, DefinitionError
from dagnb.events import GraphEdited, NodeSettled, NodeStarted
from tests.notebook.conftest import Notebook

SIZES = """\
made = {f"size_{word}": partial(size_of, word) for word in words}
{**made, "total": (lambda *sizes: sum(sizes), [*made])}"""


@pytest.fixture
def family(nb: Notebook) -> Notebook:
    """Words, a node for the size of each, and their total."""
    nb.run("from functools import partial\ndef size_of(word):\n    return len(word)")
    nb.node("words", "['a', 'bb']")
    nb.node("sizes", SIZES, "--expand")
    return nb


class TestBirth:
    """The nodes come in the run of the node that makes them."""

    def test_they_run(self, family: Notebook) -> None:
        """After it, and before what reads them."""
        assert list(family.session.settled) == ["sizes", "size_a", "size_bb", "total"]
        assert [family[name] for name in ("size_a", "size_bb", "total")] == [1, 2, 3]

    def test_the_cell_says_what_it_made(self, nb: Notebook) -> None:
        """In place of its value."""
        assert nb.node("p", "{'a': lambda: 1}", "--expand").out == "made 1 node: a\n"
        assert nb.node("p", "{}", "--expand").out == "made no nodes\n"

    def test_they_belong_to_it(self, family: Notebook) -> None:
        """They come after it, and are drawn in a group with it."""
        assert family.session.nodes["size_a"].parent == "sizes"
        assert family.session.dag.predecessors("size_a") == ["sizes"]
        assert family.session.dag.predecessors("total") == ["sizes", "size_a", "size_bb"]
        names = ("sizes", "size_a", "size_bb", "total")
        assert family.session.view.groups == dict.fromkeys(names, "sizes")

    def test_the_view_has_them_before_they_start(self, family: Notebook) -> None:
        """The event that tells of them comes before any of theirs."""
        events: list[str] = []

        def note(event: object) -> None:
            if isinstance(event, GraphEdited):
                events.append(f"made {' '.join(event.added)} by {event.by}")
            elif isinstance(event, NodeStarted):
                events.append(f"{event.name} starts")
            elif isinstance(event, NodeSettled):
                events.append(f"{event.result.name} ends")

        family.session.observers.append(note)
        family.node("words", "['ccc']")
        about = [each for each in events if "size" in each]
        assert about == [
            "sizes starts", "sizes ends", "made size_ccc by sizes", "size_ccc starts",
            "size_ccc ends",
        ]  # fmt: skip

    def test_a_reader_that_waits(self, nb: Notebook) -> None:
        """A node that reads one before it is there runs as soon as it is, in the same run."""
        nb.node("reader", "a + 1")
        nb.node("after", "reader + 1")
        ran = nb.node("p", "{'a': lambda: 1}", "--expand")
        assert ran.executed == ["p", "a", "reader", "after"]
        assert nb["after"] == 3
        assert set(nb.statuses().values()) == {"completed"}
        assert nb.run("%dag run").executed == []

    def test_a_reader_that_comes_later(self, family: Notebook) -> None:
        """It reads a made node like any other."""
        family.node("end", "total * 10 + size_a")
        assert family["end"] == 31
        assert family.session.dag.predecessors("end") == ["total", "size_a"]

    def test_one_that_waits_in_vain(self, nb: Notebook) -> None:
        """A node whose name is not born says what it waits for, and nothing else is kept up."""
        nb.node("reader", "nowhere")
        nb.node("p", "{'a': lambda: 1}", "--expand")
        assert nb.session.result("reader").reason.startswith("it waits for `nowhere`")
        assert nb["a"] == 1
        assert nb.node("p", "{'a': lambda: 2}", "--expand").executed == ["p", "a"]

    def test_inputs_of_their_own(self, nb: Notebook) -> None:
        """Parameters are nodes, variables, and each other."""
        nb.run("factor = 10")
        nb.node("n", "2")
        nb.node("p", "{'b': lambda a, factor: a * factor, 'a': lambda n: n + 1}", "--expand")
        assert nb["b"] == 30
        assert nb.node("n", "3").executed == ["n", "a", "b"]
        assert nb.run("factor = 1").executed == ["b"]
        assert nb["b"] == 4

    def test_they_are_tried_again_like_it(self, nb: Notebook) -> None:
        """Its timeout and its retries are theirs."""
        body = "{'slow': lambda: __import__('time').sleep(60)}"
        ran = nb.node("p", body, "--expand --timeout 0.05")
        assert "slow timed out: it took longer than its timeout of 0.05 s" in ran.out
        assert "(see the cell of p)" in ran.out
        assert nb.status("p") == "completed"

    def test_decorator(self, nb: Notebook) -> None:
        """``@dag_node(expand=True)`` says the same."""
        nb.run(
            "from dagnb import dag_node\n@dag_node(expand=True)\n"
            "def p():\n    return {'a': lambda: 1}"
        )
        assert nb["a"] == 1


class TestChange:
    """When the value changes, its nodes do."""

    def test_only_what_is_new_runs(self, family: Notebook) -> None:
        """Those with the same code and inputs are reused, though their parent is another."""
        assert family.node("words", "['a', 'ccc']").executed == [
            "words", "sizes", "size_ccc", "total"
        ]  # fmt: skip
        assert family["total"] == 4
        assert family.status("size_a") == "reused"
        assert family.run("%dag why size_a").out.startswith(
            "size_a did not run: nothing it depends on changed"
        )

    def test_files_that_it_declares(self, nb: Notebook, tmp_path: Path) -> None:
        """They count for the nodes that it makes, whether or not its value tells."""
        (tmp_path / "a.txt").write_text("one")
        nb.run(f"import pathlib\nfolder = pathlib.Path({str(tmp_path)!r})")
        nb.node(
            "texts",
            "{path.stem: lambda path=path: path.read_text() for path in folder.glob('*.txt')}",
            f"--expand --files {tmp_path}/*.txt",
        )
        assert nb["a"] == "one"
        (tmp_path / "a.txt").write_text("another")
        assert nb.run("%dag run").executed == ["texts", "a"]
        assert nb["a"] == "another"

    def test_those_that_are_gone(self, family: Notebook) -> None:
        """They leave graph, view and notebook; what read them waits."""
        family.node("reader", "size_bb")
        family.node("words", "['a']")
        assert "size_bb" not in family.session.nodes
        assert "size_bb" not in family.session.view.nodes
        assert "size_bb" not in family.shell.user_ns
        assert family.session.result("reader").reason.startswith("it waits for `size_bb`")
        assert family["total"] == 1

    def test_those_that_come_back(self, family: Notebook) -> None:
        """Their values come from memory, and what waited for them runs."""
        family.node("reader", "size_bb + 1")
        family.node("words", "['a']")
        assert family.node("words", "['a', 'bb']").executed == []
        assert (family["reader"], family["total"]) == (3, 3)
        assert family.run("%dag run").executed == []

    def test_below_those_that_come_back(self, nb: Notebook) -> None:
        """What was skipped for want of one that waited runs again, though that comes out as before.

        The reader stands before the nodes it reads, so that it is looked at before they are born.
        """
        nb.node("words", "['a', 'b']")
        nb.node("of_b", "b")
        nb.node("p", "{name: lambda name=name: name for name in words}", "--expand")
        nb.node("end", "of_b * 2")
        nb.node("words", "['a']")
        nb.node("words", "['a', 'b']")
        assert nb["end"] == "bb"
        assert nb.run("%dag run").executed == []

    def test_the_edit_is_told_alone(self, family: Notebook) -> None:
        """The view gets what was edited, not the whole graph."""
        told: list[object] = []
        family.node("far", "1")
        family.session.observers.append(told.append)
        family.node("words", "['a', 'ccc']")
        change = next(each.change for each in told if isinstance(each, GraphEdited) and each.by)
        assert change is not None
        assert list(change.inputs) == ["words", "size_a", "size_ccc", "total", "sizes"]
        assert list(change.removed) == ["size_bb"]
        assert family.session.view.edges == tuple(
            (above, name) for name in family.session.view.nodes
            for above in family.session.dag.predecessors(name)
        )  # fmt: skip

    def test_groups_end_with_their_families(self, family: Notebook) -> None:
        """A node that makes nothing any more is in no group, or in the one of its tag."""
        family.node("sizes", "{}", "--expand")
        assert family.session.view.groups == {}
        family.node("sizes", SIZES, "--expand --tags etl")
        assert family.session.view.groups["sizes"] == "etl"
        assert family.session.view.groups["total"] == "sizes"

    def test_another_order_is_another_total(self, nb: Notebook) -> None:
        """Inputs that change places are other inputs; a cycle that never was is none."""
        nb.node("order", "['a', 'b']")
        body = "first, second = order\n{first: lambda: 1, second: (lambda *x: x[0] + 1, [first])}"
        nb.node("p", body, "--expand")
        assert (nb["a"], nb["b"]) == (1, 2)
        nb.node("order", "['b', 'a']")
        assert (nb["a"], nb["b"]) == (2, 1)

    def test_a_helper_changes(self, family: Notebook) -> None:
        """As in any code, it counts."""
        ran = family.run("def size_of(word):\n    return 2 * len(word)")
        assert ran.executed == ["sizes", "size_a", "size_bb", "total"]
        assert family["total"] == 6

    def test_a_value_that_comes_out_the_same(self, family: Notebook) -> None:
        """The node runs, its nodes are what they were, and nothing else runs."""
        assert family.node("words", "['a'] + ['bb']").executed == ["words"]
        again = SIZES + "  # the same, but for the name of a variable"
        assert family.node("sizes", again.replace("made", "them"), "--expand").executed == ["sizes"]

    def test_a_failure_of_the_parent(self, family: Notebook) -> None:
        """Its nodes are there still, and are skipped; mended, they are what they were."""
        family.node("sizes", "1 / 0", "--expand", fails=ZeroDivisionError)
        assert family.status("total") == "skipped"
        assert family.session.result("size_a").reason == "sizes failed"
        family.node("sizes", SIZES, "--expand")
        assert family["total"] == 3
        assert set(family.statuses().values()) <= {"completed", "reused", "cached"}

    def test_a_failure_of_a_child(self, nb: Notebook) -> None:
        """It is told below the cell of its parent, and tried again by the next run."""
        nb.run("ok = False")
        ran = nb.node("p", "{'a': lambda: 1 if ok else 1 / 0, 'b': lambda a: a}", "--expand")
        assert "a failed with ZeroDivisionError: division by zero (see the cell of p)" in ran.out
        assert [nb.status(name) for name in "pab"] == ["completed", "failed", "skipped"]
        nb.run("ok = True")
        assert nb["b"] == 1

    def test_a_condition_of_the_parent(self, family: Notebook) -> None:
        """Where it does not hold, its nodes are skipped, whatever else they read."""
        family.node("sizes", SIZES, "--expand --when 'len(words) > 1'")
        family.node("words", "['a']")
        assert family.session.result("size_a").reason == "sizes was skipped"
        assert "total" not in family.shell.user_ns
        assert family.node("words", "['a', 'bb']").executed == []
        assert family["total"] == 3

    def test_a_cell_that_makes_no_more(self, family: Notebook) -> None:
        """Without --expand its nodes go, and its value is a value."""
        family.node("sizes", "1")
        assert list(family.session.nodes) == ["words", "sizes"]
        assert "total" not in family.shell.user_ns

    def test_remove(self, family: Notebook) -> None:
        """Its nodes go with it, and cannot go alone."""
        ran = family.run("%dag rm size_a", fails=DagError)
        assert "size_a is made by sizes" in ran.text
        family.run("%dag rm sizes")
        assert list(family.session.nodes) == ["words"]

    def test_auto_off(self, family: Notebook) -> None:
        """Running its cell runs what it makes, and marks what reads that stale."""
        family.node("end", "total")
        family.run("%dag auto off")
        family.node("words", "['a', 'ccc']")
        ran = family.run(f"%%dag_node sizes --expand\n{SIZES}", "cell-sizes")
        assert ran.executed == ["sizes", "size_ccc", "total"]
        assert family.status("end") == "stale"

    def test_workers(self, family: Notebook) -> None:
        """They are born and run beside each other as well."""
        family.run("%dag workers 3")
        family.node("end", "total")
        family.node("words", "[c * n for n, c in enumerate('abcdefgh', 1)]")
        assert (family["total"], family["end"]) == (36, 36)
        assert family.run("%dag run").executed == []


class TestRefusals:
    """A family that cannot be is the failure of the node that makes it, and changes nothing."""

    @pytest.mark.parametrize(
        ("body", "kind", "message"),
        [
            ("3", DefinitionError, "node 'p' makes nodes, so its value is a dict of names and fun"),
            (
                "{'n': lambda: 1}",
                DefinitionError,
                "the notebook has a node of that name; choose another",
            ),
            ("{'x': lambda: 1}", DefinitionError, "the notebook has a variable of that name"),
            ("{'p': lambda: 1}", DefinitionError, "the notebook has a node of that name"),
            ("{'a-b': lambda: 1}", DefinitionError, "'a-b' cannot name a node"),
            ("{'n2': lambda below: 1}", CycleError, "n2 -> below -> n2"),
        ],
    )
    def test_refused(self, nb: Notebook, body: str, kind: type[Exception], message: str) -> None:
        """Its cell says why, and the nodes it had made stay, skipped."""
        nb.run("x = 1")
        nb.node("n", "1")
        nb.node("below", "n2")
        nb.node("p", "{'n2': lambda n: n + 1}", "--expand")
        before = list(nb.session.nodes), sorted(nb.session.dag.edges())
        ran = nb.node("p", body, "--expand", fails=kind)
        assert message in ran.text
        assert (list(nb.session.nodes), sorted(nb.session.dag.edges())) == before
        assert nb.statuses() == {
            "n": "completed", "below": "skipped", "p": "failed", "n2": "skipped"
        }  # fmt: skip
        assert nb["x"] == 1
        nb.node("p", "{'n2': lambda n: n + 2}", "--expand")
        assert (nb["n2"], nb["below"]) == (3, 3)

    def test_a_name_that_is_made(self, family: Notebook) -> None:
        """No cell can define a node that another one makes."""
        before = family.state()
        ran = family.node("size_a", "1", fails=DefinitionError)
        assert "node 'size_a' is made by node 'sizes'; choose another name" in ran.text
        assert family.state() == before

    def test_a_name_that_was_taken_since(self, nb: Notebook) -> None:
        """Its value comes from memory, and is not what keeps it from being up to date."""
        nb.node("p", "{'a': lambda: 1}", "--expand")
        nb.node("p", "{'b': lambda: 1}", "--expand")
        nb.node("a", "5")
        nb.node("p", "{'a': lambda: 1}", "--expand", fails=DefinitionError)
        last = nb.session.result("p")
        assert not last.executed
        assert last.reason.startswith("from memory: ")
        assert last.reason.endswith("; the nodes it makes were refused")
        assert nb["a"] == 5

    def test_two_families(self, family: Notebook) -> None:
        """Nor can another family."""
        ran = family.node("other", "{'size_a': lambda: 1}", "--expand", fails=DefinitionError)
        assert "the notebook has a node of that name" in ran.text
        assert family["size_a"] == 1

    def test_stop(self, family: Notebook) -> None:
        """Ctrl-C among them leaves nothing half made; the next run does what is due."""
        family.run("import signal\nstop = True")
        body = "{'a': lambda: stop and signal.raise_signal(signal.SIGINT), 'b': lambda a: 7}"
        family.node("p", body, "--expand", fails=KeyboardInterrupt)
        assert [family.status(name) for name in "pab"] == ["completed", "cancelled", "cancelled"]
        assert family.run("stop = False").executed == ["p", "a", "b"]
        assert family["b"] == 7
