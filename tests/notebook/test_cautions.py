"""What is said of a node once: files it read, and what it may depend on unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebook.conftest import Notebook

READS_ROWS = "import pathlib\npathlib.Path('my rows.csv').read_text()"
ADVICE = (
    "rows read my rows.csv, not among its inputs, so edits of it go unseen; "
    "add --files 'my rows.csv'"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the notebook runs in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my rows.csv").write_text("1")
    return tmp_path


def test_a_file_that_was_read_is_offered_once(nb: Notebook, folder: Path) -> None:
    """Below the cell of its node, not again when that runs again."""
    assert nb.node("rows", READS_ROWS).out.endswith(f"{ADVICE}\n")
    assert "my rows.csv" not in nb.node("rows", f"{READS_ROWS} + '2'").out


def test_why_and_plan_tell_of_it_as_long_as_it_is_so(nb: Notebook, folder: Path) -> None:
    """Also for nodes whose cells nobody has run since."""
    nb.node("rows", READS_ROWS)
    assert ADVICE in str(nb.session.why("rows"))
    assert ADVICE in nb.run("%dag plan").out
    nb.node("rows", READS_ROWS, "--files 'my rows.csv'")
    assert "read my rows" not in str(nb.session.why("rows"))
    assert "read my rows" not in nb.run("%dag plan").out


@pytest.mark.parametrize("declared", ["'my rows.csv'", "'*.csv'", "."])
def test_what_is_declared_is_not_offered(nb: Notebook, folder: Path, declared: str) -> None:
    """By its name, a pattern or a folder."""
    assert "read" not in nb.node("rows", READS_ROWS, f"--files {declared}").out


@pytest.mark.parametrize(
    "source",
    [
        "pathlib.Path('out').write_text('1')\npathlib.Path('out').read_text()",
        "with open('out', 'w+') as file:\n    file.write('1')\n1",
        "import json\nlen(pathlib.Path(json.__file__).read_text())",
        "with open('/dev/null') as file:\n    text = file.read()\ntext",
        "pathlib.Path('none').exists()",
    ],
    ids=["written first", "written", "a library's", "a device", "not there"],
)
def test_what_is_no_input_is_not_offered(nb: Notebook, folder: Path, source: str) -> None:
    """What the node itself made, and what nobody edits."""
    assert "read" not in nb.node("n", f"import pathlib\n{source}").out


def test_a_temporary_file_is_not_offered(
    nb: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the notebook itself is in the folder for those."""
    (tmp_path / "scratch").write_text("1")
    monkeypatch.chdir("/")
    source = f"import pathlib\npathlib.Path({str(tmp_path / 'scratch')!r}).read_text()"
    assert "read" not in nb.node("n", source).out


def test_what_a_plain_cell_reads_is_nobodys(nb: Notebook, folder: Path) -> None:
    """Only what is opened while a node runs is its own."""
    nb.node("n", "1")
    nb.run(READS_ROWS)
    assert nb.session.why("n").evidence == ()


def test_files_are_noticed_in_threads(nb: Notebook, folder: Path) -> None:
    """Each by the node that opened it."""
    nb.run("%dag workers 2\n%dag auto off")
    (folder / "other.csv").write_text("2")
    for name, file in (("first", "my rows.csv"), ("second", "other.csv")):
        nb.node(name, f"import pathlib\npathlib.Path({file!r}).read_text()")
    nb.run("%dag run first second --fresh")
    for name, file in (("first", "my rows.csv"), ("second", "other.csv")):
        (evidence,) = nb.session.why(name).evidence
        assert evidence.startswith(f"{name} read {file}")


def test_a_declaration_that_stands_for_nothing_is_told(nb: Notebook, folder: Path) -> None:
    """It may be misspelt; it counts as soon as it stands for something."""
    ran = nb.node("n", "1", "--files 'my row.csv' --depends limti")
    assert "n: --files 'my row.csv' stands for no file now" in ran.out
    assert "n: --depends limti names nothing that is defined now" in ran.out
    (folder / "my row.csv").touch()
    assert nb.run("pass").executed == ["n"]


def test_a_warning_names_the_line(nb: Notebook) -> None:
    """The one of the cell where it is."""
    nb.run("import random")
    ran = nb.node("n", "x = 1\ny = random.random()\nx + y")
    assert "n: random.random depends on chance; pass a seed or a generator in" in ran.out
    assert "in `y = random.random()`" in ran.out


def test_the_remedy_is_an_option_of_the_cell(nb: Notebook) -> None:
    """What is to be declared is said as it is typed after the magic."""
    assert "eval() hides what it reads; declare it with --depends" in nb.node("n", "eval('1')").out


def test_what_a_plain_cell_made_a_node_read(nb: Notebook) -> None:
    """It is said when the node runs, also if that is not because of its own cell; once."""
    nb.node("n", "sum(numbers)")
    first = nb.run("numbers = iter([1, 2])").text
    assert "numbers counts by its type only" in first
    assert "numbers counts by its type only" not in nb.run("numbers = [1]").text
    assert "numbers counts by its type only" not in nb.run("numbers = iter([3])").text
