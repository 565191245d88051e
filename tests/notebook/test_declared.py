"""What a node is said to depend on: files, variables of the environment, names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from tests.notebook.conftest import Notebook

READS_ROWS = "import pathlib\npathlib.Path('rows.csv').read_text()"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the notebook runs in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("1")
    return tmp_path


def test_a_changed_file_runs_its_node_and_is_the_reason(nb: Notebook, folder: Path) -> None:
    """With its size and content before and after; what does not read it does not run."""
    nb.node("rows", READS_ROWS, "--files rows.csv")
    nb.node("count", "len(rows)")
    nb.node("beside", "0")
    (folder / "rows.csv").write_text("22")
    assert nb.run("pass").executed == ["rows", "count"]
    sentence, before, after = str(nb.session.why("rows")).splitlines()
    assert sentence == "rows ran because file `rows.csv` changed"
    assert before.startswith("  -rows.csv: 1 bytes, content ")
    assert after.startswith("  +rows.csv: 2 bytes, content ")


def test_a_file_written_anew_with_its_old_content_runs_nothing(nb: Notebook, folder: Path) -> None:
    """The time at which it was written is only what says where to look."""
    nb.node("rows", READS_ROWS, "--files rows.csv")
    (folder / "rows.csv").unlink()
    (folder / "rows.csv").write_text("1")
    assert nb.run("pass").executed == []


def test_of_many_files_why_names_those_that_changed(nb: Notebook, folder: Path) -> None:
    """One was edited, one is new."""
    for name in "abc":
        (folder / f"{name}.txt").write_text(name)
    nb.node("names", "import glob\nsorted(glob.glob('*.txt'))", "--files '*.txt'")
    (folder / "b.txt").write_text("other")
    (folder / "d.txt").write_text("d")
    assert nb.run("pass").executed == ["names"]
    evidence = nb.session.why("names").evidence
    assert [line.partition(":")[0] for line in evidence] == ["-b.txt", "+b.txt", "+d.txt"]


def test_a_changed_variable_of_the_environment_is_the_reason(
    nb: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its value before and after."""
    monkeypatch.setenv("DAGNB_MODE", "fast")
    nb.node("mode", "import os\nos.environ['DAGNB_MODE']", "--env DAGNB_MODE,HOME")
    monkeypatch.setenv("DAGNB_MODE", "slow")
    assert nb.run("pass").executed == ["mode"]
    assert str(nb.session.why("mode")) == (
        "mode ran because environment variable `DAGNB_MODE` changed from 'fast' to 'slow'"
    )


def test_a_name_that_is_read_unseen_is_the_reason(nb: Notebook) -> None:
    """As if the code named it, with what it reads in turn."""
    nb.run("k = 1\ndef helper(): return k")
    nb.node("opaque", "eval('helper' + '()')", "--depends helper")
    assert nb.run("k = 2").executed == ["opaque"]
    assert "global `helper.k` changed from 1 to 2" in str(nb.session.why("opaque"))


def test_a_node_that_is_read_unseen_is_an_input(nb: Notebook) -> None:
    """In whatever order they are defined."""
    nb.node("opaque", "eval('r' + 'aw') if 'raw' in globals() else None", "--depends raw")
    nb.node("raw", "1")
    assert list(nb.session.dag.predecessors("opaque")) == ["raw"]
    assert nb["opaque"] == 1


def test_the_decorator_takes_the_same_declarations(nb: Notebook, folder: Path) -> None:
    """Under the same names; files also as paths."""
    nb.run(
        "from dagnb import dag_node\nimport os, pathlib\nos.environ['DAGNB_MODE'] = '0'\nk = 1\n"
        "@dag_node(depends=['k'], env=['DAGNB_MODE'], files=[pathlib.Path('rows.csv')])\n"
        "def n(): return eval('k'), os.getenv('DAGNB_MODE'), pathlib.Path('rows.csv').read_text()"
    )
    assert nb["n"] == (1, "0", "1")
    assert nb.run("k = 2").executed == ["n"]
    assert nb.run("os.environ['DAGNB_MODE'] = '5'").executed == ["n"]
    assert nb.run("pathlib.Path('rows.csv').write_text('23')").executed == ["n"]
    assert nb["n"] == (2, "5", "23")


def test_names_of_a_function_in_a_module_are_those_of_the_module(
    nb: Notebook, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There its code looks them up, too."""
    (folder / "declared_nodes.py").write_text(
        "from dagnb import dag_node\nk = 1\n"
        "@dag_node(depends=['k'])\ndef opaque(): return eval('k')\n"
    )
    monkeypatch.syspath_prepend(folder)
    try:
        nb.run("k = 'not this one'\nimport declared_nodes\n%dag run")
        assert nb["opaque"] == 1
        assert nb.run("k = 'nor this one'").executed == []
        assert nb.run("declared_nodes.k = 2").executed == ["opaque"]
    finally:
        sys.modules.pop("declared_nodes", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--depends 'a b'", "--depends: 'a b' is no name"),
        ("--env A=1", "--env: 'A=1' is no variable"),
        ("--evn A", "did you mean '--env'"),
    ],
)
def test_a_wrong_declaration_is_refused(nb: Notebook, options: str, message: str) -> None:
    """The definition before stays in force."""
    nb.node("n", "1")
    assert message in str(nb.node("n", "2", options, fails=UsageError).error)
    assert nb["n"] == 1


@pytest.mark.parametrize("option", ["depends", "env", "files"])
def test_one_string_is_no_list_of_names(nb: Notebook, option: str) -> None:
    """It would be taken apart into letters."""
    ran = nb.run(
        f"from dagnb import dag_node\n@dag_node({option}='rows.csv')\ndef n(): return 1",
        fails=TypeError,
    )
    assert f"{option} is a list of names, not one string; write ['rows.csv']" in str(ran.error)
