"""The difference between two manifests."""

from __future__ import annotations

from typing import Any

import pytest

from dagnb import Manifest, ManifestDiff

Data = dict[str, Any]


def manifest(edges: list[list[str]] | None = None, **nodes: Data) -> Manifest:
    """Return a manifest of nodes of one kind."""
    data = {name: {"type": "t", "id": name, **fields} for name, fields in nodes.items()}
    return Manifest.from_dict({"nodes": data, "edges": edges or []})


def test_the_same_differs_in_nothing() -> None:
    """Nothing is listed, and it is false."""
    diff = ManifestDiff(manifest(a={}), manifest(a={}))
    assert (bool(diff), diff.changed, str(diff)) == (False, [], "no difference")


def test_nodes_come_and_go() -> None:
    """A new node is changed; a removed one is listed."""
    diff = ManifestDiff(manifest(a={}, b={}), manifest(a={}, c={}))
    assert (diff.added, diff.removed, diff.changed) == (["c"], ["b"], ["c"])


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ({"config": {"x": 1}}, {"config": {"x": 2}}, ["config.x"]),
        ({"config": {"x": 1}}, {"config": {"x": 1.0}}, ["config.x"]),
        ({"config": {"x": 1}}, {"config": {"x": True}}, ["config.x"]),
        ({"config": {}}, {"config": {"x": None}}, ["config.x"]),
        ({"config": {"x": {"y": [1]}}}, {"config": {"x": {"y": [2]}}}, ["config.x.y"]),
        ({"name": "n"}, {"name": "m"}, ["name"]),
        ({"type": "t"}, {"type": "u"}, ["type"]),
    ],
)
def test_fields_that_can_change_a_result(before: Data, after: Data, fields: list[str]) -> None:
    """A modified node is listed with what differs."""
    assert ManifestDiff(manifest(a=before), manifest(a=after)).modified == {"a": fields}


@pytest.mark.parametrize("field", [{"description": "d"}, {"owner": "o"}, {"tags": ["t"]}])
def test_fields_that_cannot(field: Data) -> None:
    """Description, owner and tags are for people."""
    diff = ManifestDiff(manifest(a={}), manifest(a=field))
    assert (bool(diff), diff.changed, diff.described) == (False, [], ["a"])


def test_an_edge_changes_what_it_leads_to() -> None:
    """Added or removed, with a reason, and all below is affected."""
    three: dict[str, Data] = {"a": {}, "b": {}, "c": {}}
    old = manifest([["b", "c"]], **three)
    new = manifest([["a", "b"], ["b", "c"]], **three)
    diff, back = ManifestDiff(old, new), ManifestDiff(new, old)
    assert (diff.added_edges, diff.affected) == ([("a", "b")], ["b", "c"])
    assert diff.reasons == {"b": "a new edge from a"}
    assert back.reasons == {"b": "no edge any more from a"}


def test_a_removed_node_takes_its_edges_along() -> None:
    """What read it is changed."""
    old, new = manifest([["a", "b"]], a={}, b={}), manifest(b={})
    assert ManifestDiff(old, new).changed == ["b"]


def test_it_prints_a_line_each() -> None:
    """Every difference is told."""
    old = manifest([["a", "b"]], a={}, b={}, c={})
    new = manifest([["b", "c"]], b={"config": {"x": 1}}, c={"owner": "o"}, d={})
    assert str(ManifestDiff(old, new)).splitlines() == [
        "added d",
        "removed a",
        "modified b: config.x",
        "added edge b -> c",
        "removed edge a -> b",
        "described otherwise c, which changes nothing",
    ]
