"""Files that cannot be run, and what a terminal says of them: one line that says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

USERS = {"type": "source", "config": {"path": "users.csv"}}
NODES = {"source.users": USERS}


def select(sql: str) -> dict[str, Any]:
    """Return a manifest whose second node is a statement over the first."""
    adults = {"type": "transform", "config": {"sql": sql}}
    edges = [["source.users", "transform.adults"]]
    return {"nodes": {**NODES, "transform.adults": adults}, "edges": edges}


CYCLE = select("from users")
CYCLE["edges"].append(["transform.adults", "source.users"])
BAD = {
    "no JSON": ('{"nodes": }', "pipeline.json: it is not JSON: "),
    "no nodes": ({}, "nodes: it is missing"),
    "a dangling edge": (
        {"nodes": NODES, "edges": [["source.user", "source.users"]]},
        "edges[0].from: there is no node 'source.user'; did you mean 'source.users'?",
    ),
    "a cycle": (CYCLE, "cycle: source.users -> transform.adults -> source.users"),
    "a duplicate": (
        '{"nodes": {"a": {"type": "source"}, "a": {"type": "source"}}}',
        "the key 'a' stands twice",
    ),
    "an id unlike its key": (
        {"nodes": {"source.users": {**USERS, "id": "source.user"}}},
        "nodes['source.users'].id: it is 'source.user', unlike its key",
    ),
    "an unknown kind": (
        {"nodes": {"source.users": {**USERS, "type": "suorce"}}},
        "there is no kind 'suorce'; did you mean 'source'?",
    ),
    "an unknown option": (
        {"nodes": {"source.users": {"type": "source", "config": {"pth": "users.csv"}}}},
        "config.pth: a source has no such option; did you mean 'path'?",
    ),
    "SQL that does not parse": (
        select("select a,\nfrom users wher a"),
        'transform.adults: syntax error at or near "a" (line 2, column 17)',
    ),
    "SQL over an unknown node": (
        select("from usres"),
        "transform.adults: it reads 'usres', which is no input of this node; did you mean 'users'?",
    ),
    "a PIVOT without values": (
        select("pivot users on id using count(*)"),
        "transform.adults: its PIVOT does not say which columns it makes; name the values",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_manifest(dagnb: Command, tmp_path: Path, what: str) -> None:
    """Before anything runs, with the place in the JSON or in the statement."""
    data, message = BAD[what]
    text = data if isinstance(data, str) else json.dumps(data)
    (tmp_path / "pipeline.json").write_text(text)
    (tmp_path / "users.csv").write_text("id\n1\n")
    found = dagnb("run", "pipeline.json", code=2)
    assert message in found.err
    assert found.err.startswith("Error: ")
    assert "Traceback" not in found.err
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no file"),
        (b"", "users.csv is empty"),
        (b'a,b\n"1,2\n3,"4"5,6\n\xff\xfe', "users.csv: "),
    ],
)
def test_a_source(dagnb: Command, tmp_path: Path, text: bytes | None, message: str) -> None:
    """That is missing, empty or damaged fails its node, and the run with 1."""
    (tmp_path / "pipeline.json").write_text(json.dumps({"nodes": NODES}))
    if text is not None:
        (tmp_path / "users.csv").write_bytes(text)
    found = dagnb("run", "pipeline.json", code=1)
    assert "SourceError" in found.out
    assert message in found.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no notebook"),
        (
            '{"worksheets": [], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}',
            "nbconvert --to",
        ),
        ('{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "defines no node"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_notebook(dagnb: Command, tmp_path: Path, command: str, text: str, message: str) -> None:
    """That is none, is too old, or has no nodes is wrong usage, and stays what it is."""
    (tmp_path / "nb.ipynb").write_text(text)
    found = dagnb(command, "nb.ipynb", code=2)
    assert message in found.err
    assert len(found.err.splitlines()) == 1
    assert (tmp_path / "nb.ipynb").read_text() == text
