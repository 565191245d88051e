"""Stop at any line of an edit or of a run's beginning: the notebook goes on, and is right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

import dagnb
from tests.notebook.conftest import Notebook, opened
from tests.run.test_interrupts import interrupt_at

PACKAGE = Path(dagnb.__file__).parent
RAW, CLEAN = "%%dag_node raw\n[3, 1, 2]", "%%dag_node clean\n[x for x in raw if x > 1]"


def define(nb: Notebook) -> None:
    """Make a node and one that reads it."""
    nb.run(RAW, "first")
    nb.run(CLEAN, "second")


def remove(nb: Notebook) -> None:
    """Remove the first."""
    nb.session.remove("raw")


def rename(nb: Notebook) -> None:
    """Give the first another name."""
    nb.shell.run_cell("%%dag_node rows\n[3, 1, 2]", cell_id="first")


def redefine(nb: Notebook) -> None:
    """Give the first other code."""
    nb.shell.run_cell("%%dag_node raw\n[5, 1]", cell_id="first")


@pytest.mark.parametrize("edit", [remove, rename, redefine])
def test_an_edit_that_is_broken_off(
    edit: Callable[[Notebook], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The nodes there are have the edges and the values that a new notebook would give them."""
    line, interrupted = 1, True
    while interrupted:
        with opened(capsys.readouterr) as nb:
            define(nb)
            with suppress(KeyboardInterrupt), interrupt_at(line, folder=str(PACKAGE)) as seen:
                edit(nb)
            interrupted = seen[0] == line
            capsys.readouterr()
            nb.run("%dag run")
            check(nb, line)
        line += 211
    assert line > 1000


def check(nb: Notebook, line: int) -> None:
    """Compare with what the present nodes must be."""
    session = nb.session
    assert sorted(session.dag) == sorted(session.nodes) == sorted(session.view.nodes), line
    if "raw" in session.nodes:
        is_new = "[5, 1]" in session.source("raw")
        assert session["clean"] == nb["clean"] == ([5] if is_new else [3, 2]), line
    else:
        assert session.status().count("it waits for `raw`") == 1, line
        assert "raw" not in nb.shell.user_ns, line


def test_a_run_that_never_ends(nb: Notebook) -> None:
    """An interrupt between a run's beginning or end and the rest of it locks nobody out."""
    define(nb)
    line, interrupted = 0, True
    file = str(PACKAGE / "notebook" / "one_run.py")
    while interrupted:
        line += 1
        with suppress(KeyboardInterrupt), interrupt_at(line, folder=file) as seen:
            nb.session.run(["raw"], fresh=True)
        interrupted = seen[0] == line
        assert nb.run("1").value == 1
        assert "raw" in nb.run("%dag run raw --fresh").executed
    assert line > 5
