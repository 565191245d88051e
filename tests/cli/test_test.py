from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.cli.conftest import Command, environment
from tests.notebook.notebooks import CHAIN, LOAD, written

QUICK = ("-p", "no:nbval", "-p", "no:hypothesispytest")  # seconds of imports
PLUGIN = ("-p", "dagnb.notebook.pytest_plugin")
FAILING = (LOAD, "%%dag_node a\n1", "%%dag_node b\na / 0", "%%dag_node c\nb", "%%dag_node d\na")
GIVES = (
    "import pytest\n\n@pytest.fixture(scope='module')\ndef dagnb_inputs():\n    return {values}\n"
)


def outcomes(text: str) -> dict[str, str]:
    """Return what pytest says of each node; it shows the dots of names as colons."""
    shown = (line.partition("::")[2] for line in text.splitlines())
    lines = (line.replace("::", ".").split() for line in shown if line)
    return {words[0]: words[1] for words in lines if words[1:] and words[1].isupper()}


def test_nodes_are_tests(apart: Command, tmp_path: Path) -> None:
    """One that fails shows the user's line; what needs it is skipped; the rest passes."""
    path = written(tmp_path / "nb.ipynb", *FAILING)
    found = apart("test", path.name, *QUICK, "-v", "--color=no", code=1)
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
    found = outcomes(apart("test", path.name, *QUICK, "-v").out)
    words = {"raw": "SKIPPED", "clean": "PASSED", "total": "PASSED", "checked": "PASSED"}
    assert {name: found[name] for name in words} == words


def test_a_rule(apart: Command, tmp_path: Path) -> None:
    """That is broken is a line with the rows."""
    rule = "%%dag_node good --type rule --lang sql\nfrom rows where n < 0"
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node rows\n[{'n': -1}]", rule)
    found = apart("test", path.name, *QUICK, "--color=no", code=1)
    assert "RuleError: 1 row breaks the rule good: n=-1" in found.out
    assert ".py:" not in found.out


def test_a_value_for_no_node(apart: Command, tmp_path: Path) -> None:
    """Is refused with the nearest name."""
    path = written(tmp_path / "nb.ipynb", *CHAIN)
    (tmp_path / "conftest.py").write_text(GIVES.format(values="{'rwa': 1}"))
    found = apart("test", path.name, *QUICK, code=1)
    assert "gives 'rwa', and no such node is there; did you mean 'raw'?" in found.out


def test_a_plain_cell_that_fails(apart: Command, tmp_path: Path) -> None:
    """Is an error of every test."""
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\n1", "raise KeyError('gone')")
    assert "KeyError: 'gone'" in apart("test", path.name, *QUICK, code=1).out


def test_no_nodes(dagnb: Command, tmp_path: Path) -> None:
    """Is wrong usage."""
    written(tmp_path / "nb.ipynb", "a = 1")
    assert "has no nodes" in dagnb("test", "nb.ipynb", code=2).err
    (tmp_path / "empty.json").write_text('{"nodes": {}}')
    assert "has no nodes" in dagnb("test", "empty.json", code=2).err
    assert "there is no file" in dagnb("test", "pipeline.json", code=2).err


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A manifest with a rule that is broken, a file that is written, and a kind of its own."""
    (tmp_path / "orders.csv").write_text("id,price\n1,5\n2,-1\n")
    positive = {"type": "rule", "config": {"sql": "from orders where price < 0"}}
    out = {"type": "exposure", "config": {"path": "out.csv"}}
    nodes = {
        "source.orders": {"type": "source", "config": {"path": "orders.csv"}},
        "transform.kept": {"type": "transform", "config": {"sql": "from orders where id > 1"}},
        "rule.positive": positive,
        "model.after": {"type": "model", "config": {"function": "jobs.py:after"}},
        "exposure.out": out,
        "email.news": {"type": "email"},
        "email.later": {"type": "email"},
    }
    (tmp_path / "jobs.py").write_text("def after(positive):\n    return 1\n")
    edges = [
        ["source.orders", "transform.kept"], ["source.orders", "rule.positive"],
        ["rule.positive", "model.after"], ["transform.kept", "exposure.out"],
        ["transform.kept", "email.news"], ["email.news", "email.later"],
    ]  # fmt: skip
    path = tmp_path / "shop.json"
    path.write_text(json.dumps({"nodes": nodes, "edges": edges}))
    return path


def test_nodes_of_a_manifest_are_tests(apart: Command, shop: Path) -> None:
    """They leave nothing where real runs do; what cannot run says why."""
    found = apart("test", shop.name, *QUICK, "-v", "-rs", "--color=no", code=1)
    assert outcomes(found.out) == {
        "source.orders": "PASSED",
        "transform.kept": "PASSED",
        "rule.positive": "FAILED",
        "model.after": "SKIPPED",
        "exposure.out": "PASSED",
        "email.news": "SKIPPED",
        "email.later": "SKIPPED",
    }
    assert "RuleError: 1 row breaks the rule rule.positive: id=2, price=-1" in found.out
    assert "rule.positive failed" in found.out
    assert "nobody runs the kind 'email' here" in found.out
    assert {each.name for each in shop.parent.iterdir()}.isdisjoint({"out.csv", "target"})


def test_values_and_kinds_for_a_manifest(apart: Command, shop: Path) -> None:
    """Fixtures give values in place of nodes, and functions for kinds."""
    give = GIVES.format(values="{'orders': [{'id': 3, 'price': 2}]}")
    kinds = give.replace("dagnb_inputs", "dagnb_kinds").partition("return")[0].partition("@")[2]
    kinds = f"@{kinds}return {{'email': lambda node, inputs: {{'row_count': 0}}}}\n"
    (shop.parent / "conftest.py").write_text(f"{give}\n{kinds}")
    (shop.parent / "orders.csv").unlink()
    found = outcomes(apart("test", shop.name, *QUICK, "-v").out)
    assert found.pop("source.orders") == "SKIPPED"
    assert set(found.values()) == {"PASSED"}


def test_a_broken_manifest(dagnb: Command, shop: Path) -> None:
    """Is said in one line, by pytest too."""
    shop.write_text('{"nodes": {"a": {}}}')
    assert "shop.json: nodes['a'].type: it is missing" in dagnb("test", shop.name, code=2).err
    assert "nodes['a'].type: it is missing" in collected(shop.parent, shop.name, *QUICK)


@pytest.mark.parametrize("text", ['{"cases": []}', "[1]", "no json"])
def test_other_json_is_for_other_plugins(tmp_path: Path, text: str) -> None:
    """It is left alone."""
    (tmp_path / "data.json").write_text(text)
    found = collected(tmp_path, "data.json", *QUICK)
    assert "ERROR" not in found
    assert "data.json::" not in found


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
    assert "nb.ipynb::raw" in collected(tmp_path, path.name, *QUICK)
    assert "nb.ipynb::raw" not in collected(tmp_path, *QUICK)
    assert "nb.ipynb::raw" in collected(tmp_path, "--dagnb", *QUICK)
    lax = collected(tmp_path, "--nbval-lax", path.name)
    assert "nb.ipynb::raw" not in lax
    assert "nb.ipynb::Cell 0" in lax
