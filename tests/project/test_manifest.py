"""Manifests: what is read, what is written, and what is refused where."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dagnb import CycleError, Manifest, ManifestCycleError, ManifestError, ManifestNode


def nodes(*ids: str) -> dict[str, Any]:
    """Return nodes of these ids, whose kinds stand before the dot."""
    return {each: {"type": each.partition(".")[0]} for each in ids}


def chain(*ids: str) -> dict[str, Any]:
    """Return a manifest as data in which each node reads the one before."""
    edges = [{"from": a, "to": b} for a, b in pairwise(ids)]
    return {"nodes": nodes(*ids), "edges": edges}


def test_a_node_has_its_fields() -> None:
    """All fields of a node are read."""
    data = {
        "id": "source.users", "name": "users", "type": "source", "config": {"path": "u.csv"},
        "tags": ["daily"], "description": "all users", "owner": "ada",
    }  # fmt: skip
    manifest = Manifest.from_dict({"nodes": {"source.users": data}})
    assert manifest.nodes["source.users"] == ManifestNode(
        "source.users", "users", "source", {"path": "u.csv"}, ("daily",), "all users", "ada"
    )


def test_a_name_follows_from_the_id() -> None:
    """What follows the kind and a dot is the name."""
    assert Manifest.from_dict(chain("source.users")).nodes["source.users"].name == "users"


def test_nodes_may_be_a_list() -> None:
    """Then the ids follow from kinds and names."""
    manifest = Manifest.from_dict({"nodes": [{"type": "source", "name": "users"}]})
    assert list(manifest.nodes) == ["source.users"]


def test_a_kind_may_be_called_node_type() -> None:
    """The field has two names, as the filter has."""
    [node] = Manifest.from_dict({"nodes": [{"node_type": "source", "name": "a"}]}).nodes.values()
    assert (node.type, node.node_type) == ("source", "source")


def test_edges_are_questions_away() -> None:
    """What a node reads, and what reads it."""
    manifest = Manifest.from_dict(chain("source.a", "transform.b", "model.c"))
    assert manifest.upstream("transform.b") == ["source.a"]
    assert manifest.downstream("transform.b") == ["model.c"]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """A file gives back the same manifest; its folder is made."""
    manifest = Manifest.from_dict({**chain("source.a", "model.b"), "metadata": {"project": "p"}})
    manifest.save(tmp_path / "target" / "manifest.json")
    assert Manifest.load(tmp_path / "target" / "manifest.json") == manifest


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    """It is the error that opening it gives."""
    with pytest.raises(FileNotFoundError):
        Manifest.load(tmp_path / "manifest.json")


USERS = "source.users"


@pytest.mark.parametrize(
    ("data", "where", "problem"),
    [
        ([], "", "it is an object, not []"),
        ({}, "nodes", "it is missing; it is an object of nodes by id"),
        ({"nodes": {}, "edegs": []}, "edegs", "there is no such field; did you mean 'edges'?"),
        ({"nodes": 3}, "nodes", "it is an object, not 3"),
        ({"nodes": {"a": 3}}, "nodes['a']", "it is an object, not 3"),
        ({"nodes": {"a": {}}}, "nodes['a'].type", "it is missing"),
        ({"nodes": {"a": {"type": ""}}}, "nodes['a'].type", "it is empty"),
        ({"nodes": {"a": {"type": 1}}}, "nodes['a'].type", "it is a text, not 1"),
        (
            {"nodes": {"a": {"type": "t", "confg": {}}}},
            "nodes['a'].confg",
            "there is no such field; did you mean 'config'?",
        ),
        (
            {"nodes": {"a": {"type": "t", "config": []}}},
            "nodes['a'].config",
            "it is an object, not []",
        ),
        ({"nodes": {"a": {"type": "t", "tags": "x"}}}, "nodes['a'].tags", "it is a list, not 'x'"),
        (
            {"nodes": {"a": {"type": "t", "tags": ["x", 1]}}},
            "nodes['a'].tags[1]",
            "it is a text, not 1",
        ),
        (
            {"nodes": {"a": {"type": "t", "id": "b"}}},
            "nodes['a'].id",
            "it is 'b', unlike its key 'a'",
        ),
        ({"nodes": [{"type": "t"}]}, "nodes[0].name", "it is missing"),
        ({"nodes": [{"type": "t", "name": "a"}] * 2}, "nodes['t.a']", "this id is taken"),
        ({"nodes": nodes(USERS), "edges": [{"from": USERS}]}, "edges[0].to", "it is missing"),
        (
            {"nodes": nodes(USERS, "model.b"), "edges": [["source.usres", "model.b"]]},
            "edges[0].from",
            "there is no node 'source.usres'; did you mean 'source.users'?",
        ),
        (
            {"nodes": nodes("a.a", "b.b"), "edges": [["a.a", "b.b"], ["a.a", "b.b"]]},
            "edges[1]",
            "it repeats edges[0]",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(data: Any, where: str, problem: str) -> None:
    """An error says where in the JSON, and what."""
    with pytest.raises(ManifestError) as caught:
        Manifest.from_dict(data)
    assert (caught.value.where, caught.value.problem) == (where, problem)


def test_a_cycle_has_its_path() -> None:
    """A cycle is an error of the graph and of the file, and is told as a path."""
    data = chain(USERS, "transform.clean")
    data["edges"].append({"from": "transform.clean", "to": USERS})
    with pytest.raises(ValueError, match=r"DAG contains cycle: source\.users -> trans") as caught:
        Manifest.from_dict(data)
    assert isinstance(caught.value, CycleError)
    assert caught.value.path == [USERS, "transform.clean", USERS]
    assert isinstance(caught.value, ManifestCycleError)
    assert caught.value.where == "edges[1]"


def test_a_repeated_key_is_refused() -> None:
    """JSON would keep the second one in silence."""
    text = '{"nodes": {"a": {"type": "source"}, "a": {"type": "model"}}}'
    with pytest.raises(ManifestError, match="the key 'a' stands twice"):
        Manifest.from_json(text)


def test_what_is_no_json_has_a_line(tmp_path: Path) -> None:
    """The error names the file, the line and the column."""
    file = tmp_path / "manifest.json"
    file.write_text('{"nodes": {\n  "a": }')
    with pytest.raises(ManifestError, match=r"manifest\.json: it is not JSON: .* line 2 column 8"):
        Manifest.load(file)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are no manifest."""
    file = tmp_path / "manifest.json"
    file.write_bytes(b"\xff\xfe{")
    with pytest.raises(ManifestError, match="not text in UTF-8"):
        Manifest.load(file)


@pytest.mark.parametrize(
    "error",
    [ManifestError("nodes", "it is missing", "m.json"), ManifestCycleError("edges[0]", ["a", "a"])],
)
def test_an_error_survives_a_process(error: ManifestError) -> None:
    """It is pickled with its data."""
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.where) == (str(error), error.where)


def test_what_is_written_is_short() -> None:
    """Fields that say nothing are left out."""
    text = Manifest.from_dict(chain("source.a")).to_json()
    expected = {"id": "source.a", "name": "a", "type": "source"}
    assert json.loads(text)["nodes"] == {"source.a": expected}
