from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.notebook.notebooks import CHAIN, LOAD, code, written


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A notebook with raw -> clean -> total that has run."""
    return written(tmp_path / "chain.ipynb", *CHAIN)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest of two Python nodes."""
    (tmp_path / "steps.py").write_text(
        "def load():\n    return [{'a': 1}]\n\ndef add(load):\n    return 3\n"
    )
    nodes = {
        f"{kind}.{name}": {"type": kind, "config": {"function": f"steps:{name}"}}
        for kind, name in (("source", "load"), ("model", "add"))
    }
    path = tmp_path / "pipeline.json"
    path.write_text(json.dumps({"nodes": nodes, "edges": [["source.load", "model.add"]]}))
    return path


def test_the_plan_of_a_notebook(dagnb: Command, chain: Path) -> None:
    """What would run, why, and what hangs on that; nothing runs."""
    first = dagnb("plan", chain.name).out.splitlines()
    assert first[:3] == [
        f"run      {name}: it has not run yet" for name in ("raw", "clean", "total")
    ]
    assert not (chain.parent / ".dagnb").exists()
    dagnb("run", chain.name)
    assert dagnb("plan", chain.name).out == "nothing to run; 3 up to date\n"


def test_the_plan_knows_earlier_runs(dagnb: Command, chain: Path) -> None:
    """A value of another kernel tells what has changed since, and how long it took."""
    dagnb("run", chain.name)
    written(chain, *[each.replace("x > limit", "x >= limit") for each in CHAIN])
    lines = dagnb("plan", chain.name).out.splitlines()
    assert lines[:2] == [
        "run      clean: its code or what it reads changed",
        "may run  total: if clean comes out different",
    ]
    assert lines[2].startswith("1 up to date; expected ")
    assert "critical path: clean -> total" in lines[2]


def test_the_plan_with_a_parameter(dagnb: Command, tmp_path: Path) -> None:
    """Is that of a run with the same one."""
    sources = [
        LOAD,
        code("limit = 1", 1, "parameters"),
        "%%dag_node a\nlimit",
        "%%dag_node b\na + 1",
    ]
    path = written(tmp_path / "nb.ipynb", *sources)
    dagnb("run", path.name)
    assert "nothing to run" in dagnb("plan", path.name, "-p", "limit", "1").out
    assert "run      a: its code" in dagnb("plan", path.name, "-p", "limit", "2").out
    chosen = dagnb("plan", path.name, "--nodes", "b", "--full").out
    assert "run      b: it is asked to run again" in chosen


def test_plain_cells_that_read_what_has_not_run(dagnb: Command, chain: Path) -> None:
    """Are no failure of a plan."""
    assert dagnb("plan", chain.name).code == 0
    dagnb("run", chain.name, "--dry-run")


def test_status(dagnb: Command, chain: Path) -> None:
    """A line for each node, before a run and after it."""
    assert [line.split()[:2] for line in dagnb("status", chain.name).out.splitlines()[1:]] == [
        [name, "pending"] for name in ("raw", "clean", "total")
    ]
    dagnb("run", chain.name)
    assert [line.split()[:2] for line in dagnb("status", chain.name).out.splitlines()[1:]] == [
        [name, "cached"] for name in ("raw", "clean", "total")
    ]


def test_why(dagnb: Command, chain: Path) -> None:
    """One sentence: why it is to run, or why it is not."""
    assert dagnb("why", chain.name, "raw").out == "raw is to run: it has not run yet\n"
    dagnb("run", chain.name)
    assert (
        "total did not run: its value came from the store" in dagnb("why", chain.name, "total").out
    )
    unknown = dagnb("why", chain.name, "totl", code=2)
    assert "no node 'totl'; did you mean 'total'?" in unknown.err


@pytest.mark.parametrize(
    ("ending", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("dot", b"digraph"), ("mmd", b"")]
)
def test_graph(dagnb: Command, chain: Path, ending: str, begins: bytes) -> None:
    """The ending says the form."""
    assert dagnb("graph", chain.name, "-o", f"g.{ending}").out == f"wrote g.{ending}\n"
    made = (chain.parent / f"g.{ending}").read_bytes()
    assert made.startswith(begins)
    assert b"total" in made or ending == "png"


def test_graph_of_no_form(dagnb: Command, chain: Path) -> None:
    """Another ending is refused with those there are; so is a place that cannot be written."""
    assert "did you mean '.svg'" in dagnb("graph", chain.name, "-o", "g.svgg", code=2).err
    assert "cannot be written" in dagnb("graph", chain.name, "-o", "no/g.svg", code=2).err


def test_a_cell_that_fails(dagnb: Command, tmp_path: Path) -> None:
    """Is said with its place: what its nodes read cannot be known."""
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\n1", "1 / 0")
    assert "nb.ipynb, cell 3, line 1: ZeroDivisionError" in dagnb("plan", path.name, code=2).err


# -- manifests ------------------------------------------------------------------------------


def test_a_manifest(dagnb: Command, manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the same commands, and keeps its state where it is told to."""
    monkeypatch.syspath_prepend(manifest.parent)
    assert "RUN source.load" in dagnb("plan", manifest.name).out
    assert dagnb("run", manifest.name, "--json").executed == ["source.load", "model.add"]
    assert dagnb("run", manifest.name, "--json").executed == []
    assert (manifest.parent / "target" / "state" / "execution_state.json").exists()
    assert "model.add    cached" in dagnb("status", manifest.name).out
    assert "model.add does not run, it is cached" in dagnb("why", manifest.name, "add").out
    assert "no node 'adn'" in dagnb("why", manifest.name, "adn", code=2).err
    assert dagnb("graph", manifest.name, "-o", "g.svg").code == 0
    assert "model.add" in (manifest.parent / "g.svg").read_text()


def test_choosing_in_a_manifest(
    dagnb: Command, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown names are wrong usage, with the nearest; types are known here."""
    monkeypatch.syspath_prepend(manifest.parent)
    assert "'source'" in dagnb("run", manifest.name, "--types", "suorce", code=2).err
    assert dagnb("run", manifest.name, "--types", "source", "--json").executed == ["source.load"]
    assert "is for notebooks" in dagnb("run", manifest.name, "-o", "x.json", code=2).err


def test_no_manifest(dagnb: Command, tmp_path: Path) -> None:
    """Says what is wrong with the file, in one line."""
    (tmp_path / "p.json").write_text('{"nodes": {"source.a": {}}}')
    found = dagnb("run", "p.json", code=2)
    assert "nodes['source.a']" in found.err
    assert len(found.err.splitlines()) == 1
