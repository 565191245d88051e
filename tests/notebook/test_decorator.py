"""``@dag_node`` does for a function what ``%%dag_node`` does for a cell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dagnb import dag_node
from dagnb.errors import CycleError, DefinitionError
from tests.notebook.conftest import Notebook

IMPORT = "from dagnb import dag_node\n"


class TestInACell:
    """A decorated function in an ordinary cell."""

    def test_same_node(self, nb: Notebook) -> None:
        """Both forms give the same node: inputs, value, name in the notebook."""
        nb.node("raw", "[1, 2]")
        nb.run("%%dag_node by_magic\ndef f(raw):\n    return len(raw)")
        ran = nb.run(f"{IMPORT}@dag_node\ndef by_decorator(raw):\n    return len(raw)")
        assert ran.executed == ["by_decorator"]
        assert nb["by_decorator"] == nb["by_magic"] == 2
        assert nb.node("raw", "[3]").executed == ["raw", "by_magic", "by_decorator"]

    def test_options(self, nb: Notebook) -> None:
        """The same options under the same names."""
        nb.node("a", "1")
        options = "name='given', deps=['a'], manual=True, tags=['etl']"
        nb.run(f"{IMPORT}@dag_node({options})\ndef f(): return 2")
        node = nb.session.nodes["given"]
        assert (node.options.deps, node.options.manual, node.options.tags) == (
            ("a",),
            True,
            ("etl",),
        )
        assert nb.node("a", "3").executed == ["a"]

    def test_edit(self, chain: Notebook) -> None:
        """Running the edited cell re-runs the node; a comment does not."""
        source = f"{IMPORT}@dag_node\ndef size(clean):\n    return len(clean)"
        chain.run(source, "c")
        assert chain.run(source.replace("return", "# why\n    return"), "c").executed == []
        assert chain.run(source.replace("len(clean)", "sum(clean)"), "c").executed == ["size"]
        assert chain["size"] == 6

    def test_variable_as_parameter(self, chain: Notebook) -> None:
        """A parameter that is no node is a variable; changing it re-runs the node."""
        chain.run(f"{IMPORT}@dag_node\ndef many(clean, limit):\n    return len(clean) * limit")
        assert chain["many"] == 3
        assert chain.run("limit = 2").executed == ["clean", "total", "many"]
        assert chain["many"] == 4
        assert "global `limit` changed from 1 to 2" in str(chain.session.why("many"))

    def test_variable_changed_in_place(self, nb: Notebook) -> None:
        """So does changing it in place."""
        nb.run(f"rows = [1]\n{IMPORT}@dag_node\ndef size(rows): return len(rows)")
        assert nb.run("rows.append(2)").executed == ["size"]
        assert nb["size"] == 2

    def test_variable_that_becomes_a_node(self, nb: Notebook) -> None:
        """A node of that name takes the variable's place."""
        nb.run(f"rows = [1]\n{IMPORT}@dag_node\ndef size(rows): return len(rows)")
        assert nb.node("rows", "[1, 2]").executed == ["rows", "size"]
        assert nb["size"] == 2

    def test_variable_without_a_digest(self, nb: Notebook) -> None:
        """A variable that has no digest counts by its type."""
        nb.run("import threading\nlock = threading.Lock()")
        nb.run(f"{IMPORT}@dag_node\ndef f(lock):\n    return lock.locked()")
        assert nb["f"] is False
        assert nb.run("lock = threading.Lock()").executed == []

    def test_default(self, nb: Notebook) -> None:
        """A parameter with a default is optional."""
        nb.run(f"{IMPORT}@dag_node\ndef f(scale=2): return scale")
        assert nb["f"] == 2
        assert nb.node("scale", "5").executed == ["scale", "f"]
        assert nb["f"] == 5

    def test_waits(self, nb: Notebook) -> None:
        """It waits for what nothing defines; until then its name is the function."""
        ran = nb.run(f"{IMPORT}@dag_node\ndef f(later): return later")
        assert "f is defined and did not run: it waits for `later`" in ran.out
        assert nb.node("later", "1").executed == ["later", "f"]
        assert nb["f"] == 1

    def test_async(self, nb: Notebook) -> None:
        """A coroutine function is awaited."""
        nb.run(f"{IMPORT}@dag_node\nasync def f():\n    return 4")
        assert nb["f"] == 4

    def test_several_in_one_cell(self, nb: Notebook) -> None:
        """One cell may define several; dropping one from it removes that node."""
        both = f"{IMPORT}@dag_node\ndef a(): return 1\n@dag_node\ndef b(a): return a + 1"
        nb.run(both, "c")
        assert nb["b"] == 2
        ran = nb.run(both.partition("\n@dag_node\ndef b")[0], "c")
        assert "b is no longer a node" in ran.out
        assert list(nb.session.nodes) == ["a"]

    def test_failure(self, nb: Notebook) -> None:
        """A failing function fails its cell, with the user's lines only."""
        ran = nb.run(f"{IMPORT}@dag_node\ndef f():\n    return 1 / 0", fails=ZeroDivisionError)
        assert "return 1 / 0" in ran.out
        assert "dagnb/" not in ran.out
        assert nb.status("f") == "failed"

    def test_cycle(self, chain: Notebook) -> None:
        """A cycle is refused, as for a cell."""
        before = chain.state()
        source = f"{IMPORT}@dag_node(replace=True)\ndef raw(total): return [total]"
        ran = chain.run(source, "cell-raw", fails=CycleError)
        assert "raw -> clean -> total -> raw" in str(ran.error)
        assert chain.state() == before

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("dag_node(lambda: 1)", "a lambda has no name; give one: dag_node(name='...')"),
            ("@dag_node\ndef f(*a): return 1", "node 'f' takes *a"),
            ("@dag_node(deps=['f'])\ndef f(): return 1", "cannot depend on itself"),
        ],
    )
    def test_refused(self, nb: Notebook, source: str, message: str) -> None:
        """What cannot be a node says why."""
        ran = nb.run(IMPORT + source, fails=DefinitionError)
        assert message in str(ran.error)
        assert nb.session.nodes == {}


class TestElsewhere:
    """A decorated function in a module."""

    def test_without_a_notebook(self) -> None:
        """Outside of a notebook the function stays what it is."""

        @dag_node(tags=["x"])
        def double(x: int) -> int:
            return 2 * x

        assert double(4) == 8

    def test_one_string(self) -> None:
        """A string where a list of names belongs is refused."""
        with pytest.raises(TypeError, match=r"write \['etl'\]"):
            dag_node(tags="etl")

    def test_imported_module(
        self, nb: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A module keeps its functions; the notebook that imports it has nodes, which can run."""
        (tmp_path / "steps_of_mine.py").write_text(
            "from dagnb import dag_node\nfactor = 3\n\n@dag_node\ndef scaled(raw):\n"
            "    return factor * raw\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        nb.node("raw", "2")
        nb.run("import steps_of_mine")
        assert callable(nb["steps_of_mine"].scaled)
        assert nb.status("scaled") == "pending"
        assert nb.run("%dag run").executed == ["scaled"]
        assert nb["scaled"] == 6
        assert nb.run("steps_of_mine.factor = 4").executed == ["scaled"]
        assert nb["scaled"] == 8
        del sys.modules["steps_of_mine"]


def test_a_decorator_that_takes_no_keywords(nb: Notebook) -> None:
    """The error says which argument it is, and shows none of what called it."""
    nb.run(
        "import functools\ndef once(function):\n @functools.wraps(function)\n"
        " def call(first): return function(first)\n return call"
    )
    nb.node("raw", "1")
    source = "from dagnb import dag_node\n@dag_node\n@once\ndef n(raw): return raw"
    failed = nb.run(source, fails=TypeError)
    assert "unexpected keyword argument 'raw'" in failed.out
    assert "dagnb/" not in failed.out
