"""What happens around a cell: which cell it is, which nodes are its own, what it changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagnb.errors import DefinitionError
from tests.notebook.conftest import Notebook


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the notebook, as the front end tells it."""
    path = tmp_path / "notebook.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    return path


def save(path: Path, *cell_ids: str) -> None:
    """Save a notebook with these cells."""
    path.write_text(json.dumps({"cells": [{"id": each} for each in cell_ids]}))


class TestOwner:
    """The same name in two cells."""

    def test_the_other_cell_is_gone(self, nb: Notebook, saved: Path) -> None:
        """A name whose cell was deleted is taken over, with a notice that names both."""
        nb.run("%%dag_node a\n1 + 1", "old")
        save(saved, "new")
        ran = nb.run("%%dag_node a\n2 + 2", "new")
        assert "a was defined by the cell that starts with `1 + 1`, which is gone" in ran.out
        assert nb["a"] == 4

    def test_the_other_cell_is_there(self, nb: Notebook, saved: Path) -> None:
        """A name whose cell is there is refused."""
        nb.run("%%dag_node a\n1 + 1", "old")
        save(saved, "old", "new")
        nb.run("%%dag_node a\n2 + 2", "new", fails=DefinitionError)
        assert nb["a"] == 2

    @pytest.mark.parametrize("text", ["", "{", '{"cells": 3}', "[]"])
    def test_a_file_that_tells_nothing(self, nb: Notebook, saved: Path, text: str) -> None:
        """A file that cannot be read counts as if the cell were there."""
        saved.write_text(text)
        nb.run("%%dag_node a\n1 + 1", "old")
        nb.run("%%dag_node a\n2 + 2", "new", fails=DefinitionError)

    def test_without_ids(self, nb: Notebook) -> None:
        """Without cell ids the name alone is the identity."""
        nb.run("%%dag_node a\n1")
        nb.run("%%dag_node a\n2")
        assert nb["a"] == 2


class TestPlainCells:
    """What a plain cell starts, and what it prints."""

    def test_silence(self, chain: Notebook) -> None:
        """A cell that changes nothing prints nothing."""
        for source in (
            "x = 1",
            "limit",
            "clean",
            "# a comment",
            "%precision",
            "for x in raw: pass",
            "",
        ):
            assert "dag" not in chain.run(source).text
            assert "because" not in chain.run(source).text

    def test_one_line(self, chain: Notebook) -> None:
        """A cell that changes what nodes read prints one line."""
        (line,) = chain.run("limit = 2").out.splitlines()
        assert line.startswith("because of this cell: ran clean, total (")

    def test_many_nodes_are_counted(self, nb: Notebook) -> None:
        """The line stays short, however many nodes there are."""
        nb.run("k = 0")
        for i in range(20):
            nb.node(f"n{i}", f"k + {i}")
        (line,) = nb.run("k = 1").out.splitlines()
        assert "n7 and 12 more" in line

    def test_nothing_is_run_for_names_alone(self, chain: Notebook) -> None:
        """A magic, a shell command or broken Python is looked at and does no harm."""
        assert chain.run("!true").executed == []
        assert chain.run("%time clean").executed == []
        assert chain.run("x = = 1", fails=SyntaxError).executed == []

    def test_assignment_by_a_magic(self, chain: Notebook) -> None:
        """A variable is seen to change however it was changed."""
        assert chain.run("%%time\nlimit = 2").executed == ["clean", "total"]
        assert chain.run("globals()['limit'] = 3").executed == ["clean", "total"]
        assert chain.run("%time limit = 1").executed in ([], ["clean", "total"])
        assert chain["total"] == 6

    def test_deleted_variable(self, chain: Notebook) -> None:
        """A node whose variable is deleted waits for it."""
        chain.run("del limit")
        assert "it waits for `limit`" in str(chain.session.why("clean"))
        assert chain.run("limit = 1").executed == []
        assert chain["total"] == 6
        assert not chain.session.is_stale("total")

    def test_reset(self, chain: Notebook) -> None:
        """%reset takes the values from the namespace; the next run gives them back."""
        chain.run("%reset -f")
        chain.run("%load_ext dagnb\nlimit = 1")
        chain.run("%dag run --fresh")
        assert chain["total"] == 6

    def test_interrupted_while_it_runs_nodes(self, chain: Notebook) -> None:
        """Stop during the nodes after a plain cell leaves the rest stale, and says what to do."""
        chain.node("slow", "if limit == 2: raise KeyboardInterrupt\nlimit")
        ran = chain.run("limit = 2")
        assert "stopped; %dag run goes on from here" in ran.err
        assert chain.status("slow") == "cancelled"
        assert chain.run("limit = 3").executed[-1] == "slow"
