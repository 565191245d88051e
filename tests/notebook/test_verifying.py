"""Whether values come out the same elsewhere: what is found, and that nothing here is touched."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagnb.notebook.verifying import Verdict
from tests.notebook.conftest import Notebook


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module with state that no digest sees, if it is read by its name."""
    (tmp_path / "verify_log.py").write_text("seen = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("verify_log", None)


def verdict(nb: Notebook, *names: str) -> Verdict:
    """Verify some nodes, or all."""
    return nb.session.verify(names or None)


def test_what_is_determined_by_its_inputs_agrees(nb: Notebook) -> None:
    """Cells, functions, classes of the notebook, coroutines, and variables that they read."""
    nb.run(
        "from dagnb import dag_node\nimport asyncio\nlimit = 1\n"
        "class Point:\n    def __init__(self, x): self.x = x"
    )
    nb.node("raw", "[3, 1, 2]")
    nb.node("points", "[Point(each) for each in raw if each > limit]")
    nb.node("later", "await asyncio.sleep(0)\nlen(points)")
    nb.run("@dag_node\ndef scaled(raw, limit, /, by=2): return [by * limit * x for x in raw]")
    nb.node("shown", "shown = raw[0]\nraw")
    found = verdict(nb)
    assert found.agreed == ("raw", "points", "later", "scaled", "shown")
    assert (found.findings, found.unjudged, found.runs) == ({}, {}, 2)


def test_nothing_of_the_session_is_touched(nb: Notebook) -> None:
    """No value, no output, no count of runs."""
    nb.run("calls = []")
    nb.node("raw", "print('making')\n[3, 1, 2]")
    nb.node("noisy", "import random\nrandom.random()")
    before = (nb.state(), id(nb["raw"]), nb.session.last_run)
    ran = nb.run("%dag verify")
    assert (nb.state(), id(nb["raw"]), nb.session.last_run) == before
    assert ran.executed == []
    assert "making" not in ran.text


def test_chance_is_found(nb: Notebook) -> None:
    """And what is below it is not blamed."""
    nb.node("raw", "[1]")
    nb.node("noisy", "import random\nraw + [random.random()]")
    nb.node("below", "len(noisy)")
    found = verdict(nb)
    assert found.agreed == ("raw",)
    assert found.findings == {
        "noisy": "gives another value each time: chance, the clock, or an identity decides it"
    }
    assert found.unjudged == {"below": "something above it came out different"}


def test_the_order_of_a_set_is_found(nb: Notebook) -> None:
    """Each process has it in another order, if nobody fixed the hash seed."""
    nb.node("names", "{'ada', 'bob', 'cyd', 'dan', 'eve', 'fay'}")
    nb.node("listed", "list(names)")
    found = verdict(nb)
    assert found.agreed == ("names",)
    assert found.findings == {
        "listed": "depends on the hash seed, as the order of a set of strings does"
    }


def test_the_order_of_running_is_found(nb: Notebook) -> None:
    """Two nodes that share state which is no input."""
    nb.run("import importlib, verify_log")
    for name in ("first", "second"):
        nb.node(name, "log = importlib.import_module('verify_log').seen\nlog.append(1)\nlen(log)")
    found = verdict(nb)
    assert set(found.findings.values()) == {"depends on the order in which nodes run"}


def test_what_rests_on_state_of_this_kernel_is_found(nb: Notebook) -> None:
    """A new process has none of it, and agrees with itself."""
    nb.run("import importlib, verify_log\nverify_log.seen.append(1)")
    nb.node("count", "len(importlib.import_module('verify_log').seen)")
    found = verdict(nb)
    assert "its value here rests on state that cells or other nodes left" in found.findings["count"]


def test_the_line_that_changes_an_input_is_named(nb: Notebook) -> None:
    """In the node that failed for it, on a copy."""
    nb.run("def ordered(rows):\n    rows.sort()\n    return rows")
    nb.node("raw", "[3, 1, 2]")
    nb.node("first", "rows = raw\nbest = ordered(rows)[0]\nbest", fails=Exception)
    found = verdict(nb)
    assert found.findings == {
        "first": "changes its input raw in place, in `best = ordered(rows)[0]`; work on a copy"
    }
    assert nb["raw"] == [3, 1, 2]


def test_only_what_is_named_runs(nb: Notebook, tmp_path: Path) -> None:
    """What it needs is handed in as it is, manual nodes too."""
    nb.run("import pathlib")
    nb.node("raw", "pathlib.Path('ran').open('a').close()\n[1]", "--manual")
    nb.node("total", "sum(raw)")
    (tmp_path / "ran").unlink()
    assert verdict(nb, "total").agreed == ("total",)
    assert verdict(nb).agreed == ("total",)
    assert not (tmp_path / "ran").exists()
    assert verdict(nb, "raw").agreed == ("raw",)
    assert (tmp_path / "ran").exists()


def test_what_cannot_be_verified_is_told(nb: Notebook) -> None:
    """Stale, failed, bound to this process, or without a digest."""
    nb.run("import threading\nlock = threading.Lock()\nlimit = 1\n%dag auto off")
    nb.node("stale", "limit")
    nb.node("failed", "1 / 0", fails=ZeroDivisionError)
    nb.node("bound", "with lock:\n    x = 1\nx")
    nb.node("below", "bound")
    nb.node("opaque", "import threading\nthreading.Lock()")
    nb.run("limit = 2")
    found = verdict(nb)
    assert (found.agreed, found.findings) == ((), {})
    assert found.unjudged["stale"].startswith("it is stale, since ")
    assert found.unjudged["failed"] == "it has no value"
    assert found.unjudged["bound"].startswith("it cannot be sent to another process")
    assert found.unjudged["below"] == "it depends on bound"
    assert found.unjudged["opaque"] == "its value has no digest"


def test_a_node_that_was_passed_by_is_none_to_those_below(nb: Notebook) -> None:
    """As it is in a run."""
    nb.node("other", "1")
    nb.node("never", "2", "--when False")
    nb.node("either", "never or other")
    assert verdict(nb).agreed == ("other", "either")


def test_the_verb_prints_a_line_for_each_finding(nb: Notebook) -> None:
    """After one that sums up."""
    nb.node("noisy", "import random\nrandom.random()")
    nb.node("raw", "[1]")
    head, finding = nb.run("%dag verify").out.splitlines()
    assert head.startswith("1 of 2 nodes came out the same in 3 runs: ")
    assert finding.startswith("noisy gives another value each time: ")


def test_what_takes_too_long_is_not_judged(nb: Notebook) -> None:
    """The processes are ended; what was found until then is told."""
    nb.run("import os, time\nhere = os.getpid()")
    nb.node("slow", "slow = 1\nif os.getpid() != here: time.sleep(600)\nslow")
    head, told = nb.run("%dag verify --timeout 1.5").out.splitlines()
    assert head.startswith("0 of 0 nodes came out the same in ")
    assert told == ("slow is not verified: the time limit of 1.5 s was over before that was done")
