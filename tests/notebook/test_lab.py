"""``%dag lab``: each sickness is real, is noticed, and the cure cures it."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from dagnb.teach.sicknesses import LAB, Sickness
from tests.notebook.conftest import Notebook

EACH = pytest.mark.parametrize("ill", LAB.values(), ids=LAB)


def said(nb: Notebook, ill: Sickness, cells: tuple[str, ...]) -> str:
    """What running the cells says, errors included, each node in a cell of its own."""
    texts = []
    for source in cells:
        cell = source.splitlines()[0]
        nb.read_output()
        done = nb.shell.run_cell(source, cell_id=cell)
        shown = nb.read_output()
        texts.append(f"{shown.out}{shown.err}{done.error_in_exec or ''}")
    return "\n".join(texts)


@EACH
def test_a_sickness_is_noticed_and_cured(nb: Notebook, ill: Sickness) -> None:
    """What dagnb says contains the symptom, and after the cure nothing does."""
    assert ill.symptom in said(nb, ill, ill.cells)
    assert ill.symptom not in said(nb, ill, ill.cure)
    nb.run("%dag run")
    assert set(nb.statuses().values()) <= {"completed", "cutoff", "reused", "cached"}


@EACH
def test_the_lab_shows_the_cells(nb: Notebook, ill: Sickness) -> None:
    """To type, and to mend; also where there are no nodes yet."""
    shown = nb.run(f"%dag lab {ill.name}").out
    assert all(f"    {line}" in shown for cell in ill.cells for line in cell.splitlines())
    told = nb.run(f"%dag lab {ill.name} cure").out
    assert ill.symptom in told
    assert all(f"    {line}" in told for cell in ill.cure for line in cell.splitlines())


def test_the_list(nb: Notebook) -> None:
    """All of them, by name."""
    names = [line.split()[0] for line in nb.run("%dag lab").out.splitlines()[1:]]
    assert names == list(LAB)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%dag lab cycel", "the lab has no 'cycel'; did you mean 'cycle'"),
        ("%dag lab cycle now", "usage: %dag lab"),
        ("%dag lab cycle cure me", "usage: %dag lab"),
    ],
)
def test_bad_input(nb: Notebook, line: str, says: str) -> None:
    """A sentence each."""
    assert says in str(nb.run(line, fails=UsageError).error)


def test_the_hidden_global_is_really_missed(nb: Notebook) -> None:
    """Nothing runs when it changes, which is what the lab says of it; after the cure it does."""
    ill = LAB["global"]
    said(nb, ill, ill.cells)
    assert nb["tax"] == 20.0
    said(nb, ill, ill.cure)
    assert nb["tax"] == 50.0
    assert nb.run("rate = 0.3").executed == ["tax"]
