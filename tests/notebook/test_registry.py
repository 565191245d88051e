"""Nodes, their edges, and what a refused definition leaves: everything."""

from __future__ import annotations

from typing import Any

import pytest

from dagnb.errors import CycleError, DefinitionError, NodeNotFoundError
from dagnb.notebook.cells import parse_cell
from dagnb.notebook.node import NodeOptions
from dagnb.notebook.registry import Registry


@pytest.fixture
def registry() -> Registry:
    """A registry over an empty notebook."""
    return Registry({})


def put(registry: Registry, name: str, source: str, **options: Any) -> None:
    """Define a node by the text of its cell."""
    code = parse_cell(
        source,
        name=name,
        namespace=registry.namespace,  # type: ignore[arg-type]  # a dict in these tests
        node_names=registry.nodes,
        transform=str,
        filename="<ipython-input-1>",
    )
    registry.put(code, NodeOptions(**options), "cell", object)  # type: ignore[arg-type]  # never shown


def edges(registry: Registry) -> list[tuple[str, str]]:
    """Return the edges, sorted; both views of them must agree."""
    assert sorted(registry.edges()) == sorted((str(a), str(b)) for a, b in registry.dag.edges())
    return sorted(registry.edges())


def test_edges_follow_from_reads(registry: Registry) -> None:
    """Whatever the order of definition."""
    put(registry, "c", "a + b")
    put(registry, "b", "a")
    put(registry, "a", "1")
    assert edges(registry) == [("a", "b"), ("a", "c"), ("b", "c")]
    put(registry, "c", "a")
    assert edges(registry) == [("a", "b"), ("a", "c")]


def test_shadowed_names_are_no_edges(registry: Registry) -> None:
    """A name that the body assigns first, or a parameter of its own functions, is its own."""
    put(registry, "a", "1")
    put(registry, "b", "a = 2\na")
    put(registry, "c", "(lambda a: a)(3)")
    assert edges(registry) == []


def test_cycle_changes_nothing(registry: Registry) -> None:
    """Neither nodes nor edges nor what is noted as edited."""
    put(registry, "a", "1")
    put(registry, "b", "a")
    before = dict(registry.nodes), edges(registry), list(registry.dag.adjacency.edited)
    with pytest.raises(CycleError) as caught:
        put(registry, "a", "b")
    assert sorted(set(caught.value.path)) == ["a", "b"]
    assert (dict(registry.nodes), edges(registry), list(registry.dag.adjacency.edited)) == before
    put(registry, "c", "b")
    assert ("b", "c") in edges(registry)


def test_cycle_of_a_new_node_changes_nothing(registry: Registry) -> None:
    """The new node is not there, and its readers read what they read before."""
    put(registry, "b", "a")
    put(registry, "c", "b")
    before = dict(registry.nodes), edges(registry)
    with pytest.raises(CycleError):
        put(registry, "a", "c")
    assert (dict(registry.nodes), edges(registry)) == before
    assert registry.missing("b") == ["a"]


def test_self_dependency(registry: Registry) -> None:
    """A node cannot name itself in its options."""
    with pytest.raises(DefinitionError, match="cannot depend on itself; drop it from --deps"):
        put(registry, "a", "1", deps=("a",))
    assert "a" not in registry


def test_remove(registry: Registry) -> None:
    """What read a removed node waits for its name."""
    put(registry, "a", "1")
    put(registry, "b", "a")
    registry.remove("a")
    assert (edges(registry), registry.missing("b")) == ([], ["a"])
    put(registry, "a", "2")
    assert (edges(registry), registry.missing("b")) == ([("a", "b")], [])


def test_unknown(registry: Registry) -> None:
    """An unknown name suggests the nearest."""
    put(registry, "clean", "1")
    with pytest.raises(NodeNotFoundError, match="no node 'clan'; did you mean 'clean'"):
        registry["clan"]


def test_global_statement_on_a_node(registry: Registry) -> None:
    """``global`` on a node is refused."""
    put(registry, "a", "1")
    with pytest.raises(DefinitionError, match="declares 'a' global, but 'a' is a node"):
        put(registry, "b", "global a\na = 1\nb = a\nb")
    assert list(registry.nodes) == ["a"]


def test_same_edges_are_no_edit(registry: Registry) -> None:
    """Other code with the same inputs leaves the graph as it is, so that nothing is drawn anew."""
    put(registry, "a", "1")
    put(registry, "b", "a + 1")
    before = registry.dag.adjacency.version, registry.edits
    put(registry, "b", "a + 2")
    assert (registry.dag.adjacency.version, registry.edits) == before


def test_groups(registry: Registry) -> None:
    """The first tag is the group."""
    put(registry, "a", "1", tags=("etl", "slow"))
    put(registry, "b", "1")
    assert registry.groups == {"a": "etl"}


def test_changed(registry: Registry) -> None:
    """Exactly those nodes are found that read something which changed."""
    namespace: dict[str, object] = registry.namespace  # type: ignore[assignment]  # a dict here
    namespace.update(k=1, rows=[1])
    put(registry, "a", "k")
    put(registry, "b", "len(rows)")
    put(registry, "c", "k + len(rows)")
    assert registry.changed() == []
    namespace["k"] = 2
    assert registry.changed() == ["a", "c"]
    assert [registry.refresh(name) for name in ("a", "c")] == [True, True]
    assert registry.changed() == []
    namespace["rows"].append(2)  # type: ignore[attr-defined]  # a list
    assert registry.changed() == ["b", "c"]
    assert registry.changed({"a", "b"}) == ["b"]


def test_changed_and_back(registry: Registry) -> None:
    """An equal object in the place of another is looked at and is no change."""
    namespace: dict[str, object] = registry.namespace  # type: ignore[assignment]  # a dict here
    namespace["k"] = 1.5
    put(registry, "a", "k")
    namespace["k"] = float("1.5")
    assert registry.changed() == ["a"]
    assert registry.refresh("a") is False
    assert registry.changed() == []
