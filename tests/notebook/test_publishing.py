"""Values under their names, outputs below their cells."""

from __future__ import annotations

from tests.notebook.conftest import Notebook

RAISES = "class Odd:\n    def __repr__(self): raise RuntimeError('no')"


class TestValues:
    """The notebook's variables."""

    def test_published_and_withdrawn(self, chain: Notebook) -> None:
        """A value appears under its node's name, and goes with the node."""
        assert chain["total"] == 6
        chain.run("%dag rm total")
        assert "total" not in chain.shell.user_ns

    def test_failed_node_keeps_its_last_value(self, chain: Notebook) -> None:
        """A node that fails leaves the last value in the notebook, marked by its status."""
        chain.node("clean", "1 / 0", fails=ZeroDivisionError)
        assert chain["clean"] == [3, 1, 2]
        assert chain.status("clean") == "failed"

    def test_failed_node_is_withdrawn(self, chain: Notebook) -> None:
        """A failed node that is removed leaves no old value behind for others to read."""
        chain.node("clean", "1 / 0", fails=ZeroDivisionError)
        chain.run("%dag rm clean")
        assert "clean" not in chain.shell.user_ns
        assert chain.status("total") == "skipped"

    def test_none_is_a_value(self, nb: Notebook) -> None:
        """None is published like any other value, and passed on."""
        nb.node("nothing", "None")
        nb.node("is_nothing", "nothing is None")
        assert nb["is_nothing"] is True

    def test_assigned_by_a_plain_cell(self, chain: Notebook) -> None:
        """The dependents go on with the node's own value, and the notice says so, once."""
        ran = chain.run("clean = [100]")
        assert ran.out.splitlines() == [
            "clean is a node; its dependents go on with its own value, not with the one assigned "
            "here"
        ]
        assert chain.run("x = 1").out == ""
        chain.node("count", "len(clean)")
        assert chain["count"] == 3
        chain.node("clean", "raw[:1]")
        assert chain["clean"] == [3]

    def test_deleted_by_a_plain_cell(self, chain: Notebook) -> None:
        """A variable that was deleted is there again: its node is current, and would not run."""
        ran = chain.run("del clean")
        assert ran.out.startswith("clean is a node whose variable was deleted; it is there again")
        assert chain["clean"] == [3, 1, 2]
        chain.run("globals().pop('to' + 'tal')")
        assert "it is there again" in chain.run("total", fails=NameError).out
        assert chain.run("total").value == 6

    def test_same_value_assigned(self, chain: Notebook) -> None:
        """Assigning the very value is no news."""
        assert chain.run("clean = clean").out == ""

    def test_mutated_twice(self, chain: Notebook) -> None:
        """Each change in place is found and undone."""
        for _ in range(2):
            ran = chain.run("raw.append(0)")
            assert ran.out.startswith("this cell changed the value of raw in place")
            assert ran.executed[0] == "raw"
            assert chain["raw"] == [3, 1, 2]

    def test_mutated_with_auto_off(self, chain: Notebook) -> None:
        """With auto off the node is stale until it is run."""
        chain.run("%dag auto off")
        chain.run("raw.append(0)")
        assert chain.status("raw") == "stale"
        chain.run("%dag run")
        assert chain["raw"] == [3, 1, 2]


class TestOutputs:
    """What is shown."""

    def test_value_and_prints(self, nb: Notebook) -> None:
        """Prints come as they come, then the value."""
        assert nb.node("a", "print('one')\nprint('two')\n3").out.split() == ["one", "two", "3"]

    def test_semicolon(self, nb: Notebook) -> None:
        """A semicolon at the end keeps the value quiet."""
        assert nb.node("a", "print('one')\n3;").out == "one\n"

    def test_shown_again(self, nb: Notebook) -> None:
        """The same cell run again shows what the node showed, without running it."""
        nb.node("a", "print('one')\n3")
        ran = nb.node("a", "print('one')\n3")
        assert (ran.executed, ran.out.split()) == ([], ["one", "3"])

    def test_from_memory(self, nb: Notebook) -> None:
        """A value from memory comes with what was printed when it was computed."""
        for value in (1, 2):
            nb.node("a", f"print('made {value}')\n{value}")
        ran = nb.node("a", "print('made 1')\n1")
        assert (ran.executed, ran.out.splitlines()) == ([], ["made 1", "1"])

    def test_few_outputs_are_kept(self, nb: Notebook) -> None:
        """Only the last few are kept; of an older value the value alone is shown."""
        for value in range(12):
            nb.node("a", f"print('made {value}')\n{value}")
        assert nb.node("a", "print('made 0')\n0").out.splitlines() == ["0"]

    def test_value_that_cannot_be_displayed(self, nb: Notebook) -> None:
        """A value whose repr raises is published all the same, and so are all after it."""
        nb.run(RAISES)
        nb.node("odd", "Odd()")
        nb.node("after", "type(odd).__name__")
        assert nb["after"] == "Odd"
        nb.node("odd", "again = True\nOdd()")
        assert nb.status("odd") == "cutoff"

    def test_exception_that_cannot_be_displayed(self, nb: Notebook) -> None:
        """An exception whose str raises is that node's failure, and no other's."""
        nb.run("class Bad(Exception):\n    def __str__(self): raise RuntimeError('no')")
        nb.node("a", "k = 1\nk")
        nb.node("bad", "if a == 2: raise Bad\na")
        ran = nb.node("a", "2")
        assert "bad failed with Bad (see its cell)" in ran.out
        assert nb.run("%dag why bad").out.startswith("bad failed with Bad; it ran because")


class TestObservers:
    """Observers of the user's own."""

    def test_one_that_raises_is_dropped(self, chain: Notebook) -> None:
        """It is logged once and not called again; nothing else is affected."""

        def broken(event: object) -> None:
            raise RuntimeError("broken")

        chain.session.observers.append(broken)
        assert chain.node("raw", "[7]").executed == ["raw", "clean", "total"]
        assert broken not in chain.session.observers
        assert chain["total"] == 7
