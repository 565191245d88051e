"""Manifests from a terminal: the default file, kinds of one's own, timelines, wrong usage."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.notebook.notebooks import CHAIN, written

JOBS = (
    "def send(node, inputs):\n"
    "    with open('sent.txt', 'a') as file:\n"
    "        file.write(f\"{node.name} {len(inputs['users'])}\\n\")\n"
    "    return {'row_count': len(inputs['users'])}\n"
)


def saved(path: Path, **nodes: dict[str, Any]) -> Path:
    """Write a manifest whose nodes read each other in this order."""
    ids = [f"{node['type']}.{name}" for name, node in nodes.items()]
    edges = list(pairwise(ids))
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"nodes": dict(zip(ids, nodes.values(), strict=True)), "edges": edges}
    path.write_text(json.dumps(whole))
    return path


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A project whose second node is of a kind of its own."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "users.csv").write_text("id\n1\n2\n")
    users = {"type": "source", "config": {"path": "users.csv"}}
    return saved(tmp_path / "target" / "manifest.json", users=users, weekly={"type": "email"})


EMAIL = ("--kind", "email=jobs.py:send")


def test_no_file_means_the_manifest_of_the_project(dagnb: Command, mail: Path) -> None:
    """For what runs and what asks alike."""
    assert "RUN email.weekly" in dagnb("plan", *EMAIL).out
    assert dagnb("run", *EMAIL, "--json").executed == ["source.users", "email.weekly"]
    assert "email.weekly  cached" in dagnb("status", *EMAIL).out
    assert dagnb("graph", "-o", "g.mmd").code == 0


def test_no_file_and_no_manifest(dagnb: Command) -> None:
    """Is wrong usage, and says what was looked for."""
    assert "there is no target/manifest.json in this folder" in dagnb("run", code=2).err


def test_kinds_of_ones_own(dagnb: Command, mail: Path) -> None:
    """A function runs them; its code counts."""
    dagnb("run", *EMAIL)
    assert Path("sent.txt").read_text() == "weekly 2\n"
    assert dagnb("run", *EMAIL, "--json").executed == []
    Path("jobs.py").write_text(JOBS.replace("'a'", "'w'"))
    assert dagnb("run", *EMAIL, "--json").executed == ["email.weekly"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "there is no kind 'email'"),
        (["run", "--kind", "email"], "write NAME=FILE.py:FUNCTION, not 'email'"),
        (["run", "--kind", "email=jobs.py:sned"], "jobs.py has no function 'sned'; did you mean"),
        (["run", "--kind", "email=job.py:send"], "there is no file"),
        (["run", "-p", "limt", "1", *EMAIL], "no node has a param 'limt'"),
        (["run", "-o", "x.json", *EMAIL], "--output is for notebooks; what a manifest computes"),
        (["run", "target/manifst.json"], "there is no file target/manifst.json; did you mean"),
        (["diff", "target/manifst.json", "target/manifest.json"], "did you mean 'manifest.json'"),
    ],
)
def test_wrong_usage(dagnb: Command, mail: Path, words: list[str], message: str) -> None:
    """Is said in one line, before anything runs."""
    found = dagnb(*words, code=2)
    assert message in found.err
    assert not Path("target/state").exists()


def test_parameters(dagnb: Command, mail: Path) -> None:
    """Are the params of nodes; what has others runs again, and only that."""
    sql = "from users where id <= $limit"
    few = {"type": "transform", "config": {"sql": sql, "params": {"limit": 9}}}
    users = {"type": "source", "config": {"path": "users.csv"}}
    path = saved(mail.parent / "few.json", users=users, few=few)
    assert dagnb("run", str(path), "--json").executed == ["source.users", "transform.few"]
    assert "RUN transform.few" in dagnb("plan", str(path), "-p", "limit", "1").out
    assert dagnb("run", str(path), "-p", "limit", "1", "--json").executed == ["transform.few"]
    assert dagnb("run", str(path), "-p", "limit", "1", "--json").executed == []
    assert "did you mean 'limit'" in dagnb("run", str(path), "-p", "limt", "1", code=2).err


@pytest.mark.parametrize("options", [["--state-dir", "x"], EMAIL])
def test_options_of_manifests_are_none_of_notebooks(
    dagnb: Command, tmp_path: Path, options: list[str]
) -> None:
    """They would do nothing."""
    written(tmp_path / "nb.ipynb", *CHAIN)
    assert (
        "is for manifests, and this is a notebook" in dagnb("run", "nb.ipynb", *options, code=2).err
    )


def test_a_timeline(dagnb: Command, mail: Path) -> None:
    """Of the nodes that ran."""
    dagnb("run", *EMAIL, "--trace", "t.json")
    spans = json.loads(Path("t.json").read_text())["traceEvents"]
    assert {"source.users", "email.weekly"} <= {each["name"] for each in spans}
    found = dagnb("run", *EMAIL, "--full", "--trace", "no/t.json")
    assert "no timeline is written to no/t.json" in found.out
