"""``%dag trace FILE`` writes the last run as a timeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError

from dagnb.errors import DagError
from tests.notebook.conftest import Notebook


def spans(path: Path) -> dict[str, dict[str, Any]]:
    """Return the spans of a trace by name, each with the name of its lane."""
    events = json.loads(path.read_text())["traceEvents"]
    lanes = {each["tid"]: each["args"]["name"] for each in events if each["ph"] == "M"}
    return {e["name"]: e | {"lane": lanes[e["tid"]]} for e in events if e["ph"] == "X"}


def test_one_after_another(chain: Notebook, tmp_path: Path) -> None:
    """What the last run executed, in its order, on the main lane; no more."""
    chain.node("raw", "[5, 6]")
    path = tmp_path / "trace.json"
    ran = chain.run(f"%dag trace '{path}'")
    assert ran.out == f"wrote {path}; open it in https://ui.perfetto.dev\n"
    found = spans(path)
    assert set(found) == {"run", "raw", "clean", "total"}
    assert {found[name]["lane"] for name in ("raw", "clean", "total")} == {"main"}
    starts = [found[name]["ts"] for name in ("run", "raw", "clean", "total")]
    assert starts == sorted(starts)
    ends = {name: each["ts"] + each["dur"] for name, each in found.items()}
    assert max(ends, key=ends.__getitem__) == "run"


def test_workers_are_lanes(chain: Notebook, tmp_path: Path) -> None:
    """Each worker has one."""
    chain.run("%dag workers 2")
    chain.node("raw", "[5, 6]")
    chain.session.trace().save(tmp_path / "trace.json")
    lanes = {each["lane"] for each in spans(tmp_path / "trace.json").values()}
    assert lanes <= {"run", "dagnb-1", "dagnb-2"}
    assert len(lanes) > 1


def test_the_timeline_is_of_the_last_run(chain: Notebook) -> None:
    """With what was executed as bars, and what was reused beside them."""
    chain.node("raw", "[5, 6, 0]")
    chain.node("raw", "[5, 6, -1]")
    made = chain.session.timeline()
    assert [[bar.name for bar in lane.bars] for lane in made.lanes] == [["raw", "clean"]]
    assert made.critical_path == ("raw", "clean")
    assert 0 < made.critical_seconds <= made.seconds


def test_the_timeline_in_a_terminal(chain: Notebook) -> None:
    """As text."""
    chain.node("raw", "[5, 6, 0]")
    lines = chain.run("%dag timeline").out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["node", "raw", "clean", "total"]
    assert lines[-1].endswith("raw -> clean -> total")


def test_a_run_that_was_stopped(chain: Notebook, tmp_path: Path) -> None:
    """What it did until then."""
    chain.node("clean", "raise KeyboardInterrupt", fails=KeyboardInterrupt)
    chain.run(f"%dag trace {tmp_path}/trace.json")
    assert "clean" in spans(tmp_path / "trace.json")


def test_no_run_yet(nb: Notebook, tmp_path: Path) -> None:
    """There is nothing to write."""
    with pytest.raises(DagError, match="nothing has run yet"):
        nb.session.trace()
    nb.run("%dag auto off")
    nb.run("from dagnb.notebook.cells import function_node")
    nb.session.define(nb.shell.ev("function_node")(lambda: 1, "quiet"))
    ran = nb.run(f"%dag trace {tmp_path}/trace.json", fails=DagError)
    assert "nothing has run yet" in ran.out
    assert not (tmp_path / "trace.json").exists()


@pytest.mark.parametrize(
    ("path", "reason"), [("no/such/folder/t.json", "No such file"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_written(chain: Notebook, path: str, reason: str) -> None:
    """One line says which and why."""
    ran = chain.run(f"%dag trace {path}", fails=UsageError)
    assert f"%dag trace cannot write {path}: {reason}" in ran.text


def test_usage(chain: Notebook) -> None:
    """A file is needed."""
    assert "usage: %dag trace FILE" in chain.run("%dag trace", fails=UsageError).text
