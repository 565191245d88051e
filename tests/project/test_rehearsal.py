"""Nodes of a manifest run for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagnb import Manifest, ManifestNode
from dagnb.errors import SelectionError
from dagnb.project.rehearsal import Rehearsal
from dagnb.project.summary import ExecutionStatus


class Noted:
    """Runs two kinds and notes which nodes ran; the first one fails if it is asked to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.ran: list[str] = []

    def __call__(self, node: ManifestNode, inputs: dict[str, Any]) -> object:
        """Run a node."""
        self.ran.append(node.id)
        if self.fails and not inputs:
            raise ValueError("no")
        return [node.name, *inputs.values()]


def manifest() -> Manifest:
    """Return a chain of three, two of which have one name."""
    ids = ["load.a", "make.b", "make.a"]
    nodes = [ManifestNode(each, each[-1], each[:4]) for each in ids]
    return Manifest(nodes, [("load.a", "make.b"), ("make.b", "make.a")])


def rehearsal(folder: Path, runs: Noted, **given: Any) -> Rehearsal:
    """Return one of the chain."""
    names = {name.replace("_", "."): value for name, value in given.items()}
    return Rehearsal(manifest(), folder, names, {"load": runs, "make": runs})


def test_a_node_runs_with_what_it_needs(tmp_path: Path) -> None:
    """Once, and nothing below it."""
    runs = Noted()
    tried = rehearsal(tmp_path, runs)
    assert tried.outcome("make.b").status is ExecutionStatus.SUCCESS
    assert runs.ran == ["load.a", "make.b"]
    tried.outcome("make.a")
    assert runs.ran == ["load.a", "make.b", "make.a"]


def test_what_failed_is_not_tried_again(tmp_path: Path) -> None:
    """What needs it says so."""
    runs = Noted(fails=True)
    tried = rehearsal(tmp_path, runs)
    found = [tried.outcome(each) for each in ("load.a", "make.b", "make.a")]
    assert [each.status.value for each in found] == ["failed", "skipped", "skipped"]
    assert found[2].reason == "load.a failed"
    assert runs.ran == ["load.a"]


def test_a_value_is_given(tmp_path: Path) -> None:
    """Neither its node nor what only that needs runs; what reads it has it."""
    runs = Noted()
    tried = rehearsal(tmp_path, runs, b=json.loads("{}"))
    assert tried.outcome("make.b").reason == "its value is given"
    assert tried.outcome("make.a").status is ExecutionStatus.SUCCESS
    assert runs.ran == ["make.a"]


@pytest.mark.parametrize("name", ["exposure.out", "../../out"])
def test_exposures_write_into_its_folder(tmp_path: Path, name: str) -> None:
    """Whatever their ids and paths are."""
    folder, real = tmp_path / "of" / "tests", tmp_path / "out.csv"
    sql = {"sql": "select 1 as n", "path": str(real)}
    manifest = Manifest([ManifestNode(name, "out", "exposure", sql)])
    assert Rehearsal(manifest, folder).outcome(name).status is ExecutionStatus.SUCCESS
    assert [each.parent.parent.parent for each in tmp_path.rglob("out.csv")] == [folder]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("make_c", "no such node is there; did you mean 'make.b'?"),
        ("a", "2 nodes have that name; write the id"),
    ],
)
def test_a_value_for_no_node(tmp_path: Path, name: str, problem: str) -> None:
    """Is refused."""
    with pytest.raises(SelectionError) as caught:
        rehearsal(tmp_path, Noted(), **{name: 1})
    assert problem in str(caught.value)
