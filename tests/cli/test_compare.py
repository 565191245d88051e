from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.notebook.notebooks import LOAD, written

BEFORE = (
    LOAD,
    "limit = 1\n\ndef keep(x):\n    return x > limit",
    "%%dag_node raw\n[3, 1, 2]",
    "%%dag_node clean --retries 2\n[x for x in raw if keep(x)]",
    "from dagnb import dag_node\n\n@dag_node(tags=['end'])\n"
    "def total(clean):\n    return sum(clean)",
)


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("sum(clean)", "sum( clean )  # all", ["no difference"]),
        ("[3, 1, 2]", "[3, 1]", ["modified raw: its code", "to run: raw, clean, total"]),
        ("limit = 1", "limit = 2", ["modified clean: limit", "to run: clean, total"]),
        ("x > limit", "x >= limit", ["modified clean: keep", "to run: clean, total"]),
        ("--retries 2", "--retries 3", ["modified clean: its options", "to run: clean, total"]),
        (
            "sum(clean)",
            "sum(clean) + len(raw)",
            ["modified total: its code", "added edge raw -> total", "to run: total"],
        ),
    ],
)
def test_diff(dagnb: Command, tmp_path: Path, before: str, after: str, lines: list[str]) -> None:
    """Says which node differs in what, and what has to run for it; nothing is executed."""
    written(tmp_path / "a.ipynb", *BEFORE)
    written(tmp_path / "b.ipynb", *[each.replace(before, after) for each in BEFORE])
    assert dagnb("diff", "a.ipynb", "b.ipynb").out.splitlines() == lines
    assert not (tmp_path / ".dagnb").exists()


def test_nodes_that_come_and_go(dagnb: Command, tmp_path: Path) -> None:
    """Are named, with their edges; scripts can ask for the exit code."""
    written(tmp_path / "a.ipynb", *BEFORE)
    written(tmp_path / "b.ipynb", *BEFORE[:3], "%%dag_node other\nlen(raw)")
    found = dagnb("diff", "a.ipynb", "b.ipynb", "--exit-code", code=1)
    assert found.out.splitlines() == [
        "added other",
        "removed clean",
        "removed total",
        "added edge raw -> other",
        "removed edge raw -> clean",
        "removed edge clean -> total",
        "to run: other",
    ]
    dagnb("diff", "a.ipynb", "a.ipynb", "--exit-code")


def test_two_manifests(dagnb: Command, tmp_path: Path) -> None:
    """Are compared in their own words; a notebook and a manifest are not."""
    for name, path in (("a", "1.csv"), ("b", "2.csv")):
        nodes = {"source.x": {"type": "source", "config": {"path": path}}}
        (tmp_path / f"{name}.json").write_text(json.dumps({"nodes": nodes}))
    out = dagnb("diff", "a.json", "b.json").out
    assert out == "modified source.x: its path\nto run: source.x\n"
    written(tmp_path / "a.ipynb", *BEFORE)
    assert "cannot be compared" in dagnb("diff", "a.ipynb", "b.json", code=2).err


def test_a_timeline(dagnb: Command, tmp_path: Path) -> None:
    """Of a run, for the viewers of traces."""
    path = written(tmp_path / "nb.ipynb", *BEFORE)
    dagnb("trace", path.name, "-o", "t.json")
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert {"raw", "clean", "total"} <= {each["name"] for each in events}
    dagnb("run", path.name, "--full", "--trace", "again.json")
    assert (tmp_path / "again.json").exists()
