"""Notebooks with nodes in SQL, from a terminal: run, selected, compared, exported."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.notebook.notebooks import LOAD, texts, written

ADULTS = "%%dag_node adults --type transform --lang sql\nselect name from people where age > $limit"
CELLS = (
    LOAD,
    "limit = 17",
    "%%dag_node people --type source\n[{'name': 'ada', 'age': 36}, {'name': 'bob', 'age': 8}]",
    ADULTS,
    "%%dag_node named --type rule --lang sql\nfrom adults where name is null",
    "%%dag_node names\nadults.column('name').to_pylist()",
)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A notebook with people -> adults -> names, and a rule."""
    return written(tmp_path / "people.ipynb", *CELLS)


def test_run(dagnb: Command, people: Path) -> None:
    """Once; formatting runs nothing again, another statement does."""
    assert dagnb("run", people.name, "--json").executed == ["people", "adults", "named", "names"]
    assert texts(people)[5] == ["['ada']"]
    written(people, *[each.replace("select name", "SELECT\n  name -- who\n") for each in CELLS])
    assert dagnb("run", people.name, "--json").executed == []
    written(people, *[each.replace("> $limit", ">= $limit") for each in CELLS])
    assert dagnb("run", people.name, "--json").executed == ["adults"]


def test_choosing_by_type(dagnb: Command, people: Path) -> None:
    """With what it needs and feeds, as by tag; the rest does not run."""
    written(people, *CELLS, "%%dag_node beside\n1")
    found = dagnb("run", people.name, "--types", "source,rule", "--json")
    assert found.executed == ["people", "adults", "named", "names"]
    assert dagnb("run", people.name, "--json").executed == ["beside"]


def test_a_type_of_no_node(dagnb: Command, people: Path) -> None:
    """Is wrong usage, with the nearest."""
    found = dagnb("run", people.name, "--types", "transfrom", code=2)
    assert "no node is of the type 'transfrom', in --types; did you mean 'transform'?" in found.err


def test_a_rule_that_is_broken(dagnb: Command, people: Path) -> None:
    """Fails the run, and names the rows."""
    written(people, *[each.replace("'ada'", "None") for each in CELLS])
    found = dagnb("run", people.name, code=1)
    assert "1 row breaks the rule named: name=None" in found.out


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("from people", "form people wher", "cell 4: UsageError: "),
        ("from people", "from poeple", "it waits for `poeple`, which nothing defines yet; did you"),
    ],
)
def test_a_statement_that_cannot_run(
    dagnb: Command, people: Path, before: str, after: str, message: str
) -> None:
    """Is said with its cell, and the position or the nearest name."""
    written(people, *[each.replace(before, after) for each in CELLS])
    found = dagnb("run", people.name, code=1)
    assert message in found.out
    assert "Traceback" not in found.out + found.err


def test_diff(dagnb: Command, tmp_path: Path, people: Path) -> None:
    """By the parsed statement."""
    changes = {"same": ("select name", "select\n name"), "other": ("> $limit", ">= $limit")}
    for name, (before, after) in changes.items():
        written(tmp_path / f"{name}.ipynb", *[each.replace(before, after) for each in CELLS])
    assert dagnb("diff", people.name, "same.ipynb").out == "no difference\n"
    assert dagnb("diff", people.name, "other.ipynb").out.splitlines() == [
        "modified adults: its code",
        "to run: adults, named, names",
    ]


def test_a_module(dagnb: Command, people: Path) -> None:
    """Gives the same values from top to bottom."""
    dagnb("export", people.name, "-o", "made.py")
    found = runpy.run_path(str(people.with_name("made.py")))
    assert found["names"] == ["ada"]
