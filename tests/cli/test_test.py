from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from tests.cli.conftest import Command, environment
from tests.notebook.notebooks import CHAIN, LOAD, written

PLUGIN = ("-p", "dagnb.notebook.pytest_plugin")
FAILING = (LOAD, "%%dag_node a\n1", "%%dag_node b\na / 0", "%%dag_node c\nb", "%%dag_node d\na")
GIVES = (
    "import pytest\n\n@pytest.fixture(scope='module')\ndef dagnb_inputs():\n    return {values}\n"
)


def outcomes(text: str) -> dict[str, str]:
    """Return what pytest says of each node."""
    lines = (line.split("::")[1].split() for line in text.splitlines() if "::" in line)
    return {words[0]: words[1] for words in lines if words[1:] and words[1].isupper()}


def test_nodes_are_tests(apart: Command, tmp_path: Path) -> None:
    """One that fails shows the user's line; what needs it is skipped; the rest passes."""
    path = written(tmp_path / "nb.ipynb", *FAILING)
    found = apart("test", path.name, "-v", "--color=no", code=1)
    words = {"a": "PASSED", "b": "FAILED", "c": "SKIPPED", "d": "PASSED"}
    assert {name: outcomes(found.out)[name] for name in words} == words
    assert ">   a / 0" in found.out
    assert "ZeroDivisionError" in found.out
    assert "dagnb/" not in found.out  # no frame and no warning is ours


def test_values_in_place_of_nodes(apart: Command, tmp_path: Path) -> None:
    """A fixture gives small ones; what depends on them is computed with those."""
    check = "assert total == 9, total"
    path = written(tmp_path / "nb.ipynb", *CHAIN[:-1], f"%%dag_node checked\n{check}")
    (tmp_path / "conftest.py").write_text(GIVES.format(values="{'raw': [4, 5]}"))
    found = outcomes(apart("test", path.name, "-v").out)
    words = {"raw": "SKIPPED", "clean": "PASSED", "total": "PASSED", "checked": "PASSED"}
    assert {name: found[name] for name in words} == words


def test_a_rule(apart: Command, tmp_path: Path) -> None:
    """That is broken is a line with the rows."""
    rule = "%%dag_node good --type rule --lang sql\nfrom rows where n < 0"
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node rows\n[{'n': -1}]", rule)
    found = apart("test", path.name, "--color=no", code=1)
    assert "RuleError: 1 row breaks the rule good: n=-1" in found.out
    assert ".py:" not in found.out


def test_a_value_for_no_node(apart: Command, tmp_path: Path) -> None:
    """Is refused with the nearest name."""
    path = written(tmp_path / "nb.ipynb", *CHAIN)
    (tmp_path / "conftest.py").write_text(GIVES.format(values="{'rwa': 1}"))
    found = apart("test", path.name, code=1)
    assert "gives 'rwa', and no such node is there; did you mean 'raw'?" in found.out


def test_a_plain_cell_that_fails(apart: Command, tmp_path: Path) -> None:
    """Is an error of every test."""
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\n1", "raise KeyError('gone')")
    assert "KeyError: 'gone'" in apart("test", path.name, code=1).out


def test_no_nodes(dagnb: Command, tmp_path: Path) -> None:
    """Is wrong usage."""
    written(tmp_path / "nb.ipynb", "a = 1")
    assert "has no nodes" in dagnb("test", "nb.ipynb", code=2).err
    assert "rules test those of a manifest" in dagnb("test", "pipeline.json", code=2).err


def collected(folder: Path, *words: str) -> str:
    """Return what pytest collects in a folder with the plugin."""
    plugin = () if "dagnb" in {each.name for each in entry_points(group="pytest11")} else PLUGIN
    command = [sys.executable, "-m", "pytest", *plugin, "--collect-only", "-q", *words]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def test_nbval_has_its_own(tmp_path: Path) -> None:
    """Where it is asked for, no node is collected; a folder is not searched without --dagnb."""
    path = written(tmp_path / "nb.ipynb", *CHAIN)
    assert "nb.ipynb::raw" in collected(tmp_path, path.name)
    assert "nb.ipynb::raw" not in collected(tmp_path)
    assert "nb.ipynb::raw" in collected(tmp_path, "--dagnb")
    lax = collected(tmp_path, "--nbval-lax", path.name)
    assert "nb.ipynb::raw" not in lax
    assert "nb.ipynb::Cell 0" in lax
