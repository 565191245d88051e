from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagnb import DAG, CycleError, DuplicateNodeError
from dagnb.errors import ExpansionError
from dagnb.graph.edit import DynamicModification, DynamicNodeSpec, Edit, NewNodes, undo


def nothing() -> None:
    """Do nothing."""


def node(name: str, after: list[str] | None = None, before: list[str] | None = None) -> Any:
    """Return a node to add."""
    return DynamicNodeSpec(name, nothing, dependencies=after, dependents=before)


@pytest.fixture
def chain() -> DAG:
    """From a by b to c, with something attached to everything about b."""
    dag = DAG()
    dag.add_nodes(["a", ("b", "payload", "metadata"), "c"])
    dag.add_edges([("a", "b", 1.0), ("b", "c", 2.0, "x")])
    return dag


def edit(dag: DAG, add: Any = None, remove: Any = None) -> Edit:
    """Return an edit that node a asked for."""
    return Edit(dag, "a", DynamicModification(add_nodes=add, remove_nodes=remove))


def test_a_new_node_brings_its_edges() -> None:
    """From what it depends on, and to what depends on it."""
    spec = node("x", after=["a", "b"], before=["c"])
    assert list(spec.edges()) == [("a", "x"), ("b", "x"), ("x", "c")]


def test_nodes_are_added_with_their_edges(chain: DAG) -> None:
    """What was done is returned: handles, and edges by number."""
    done = edit(chain, [node("x", ["a"], ["c"])]).apply()
    assert (done.added, done.edges, done.removed) == (["x"], [(0, 3), (3, 2)], [])
    assert chain.edges() == [("a", "b"), ("b", "c"), ("a", "x"), ("x", "c")]


def test_new_nodes_may_name_each_other_in_any_order(chain: DAG) -> None:
    """The first may depend on the last."""
    edit(chain, [node("y", ["x"]), node("x", ["c"])]).apply()
    assert chain.topological_sort() == ["a", "b", "c", "x", "y"]


def test_an_edge_that_both_ends_mention_is_one(chain: DAG) -> None:
    """The dependency of one node may be the dependent of another."""
    done = edit(chain, [node("x", before=["y"]), node("y", after=["x"])]).apply()
    assert len(done.edges) == 1


def test_a_removed_name_can_be_added_at_once(chain: DAG) -> None:
    """Removal comes first, and the new node inherits nothing."""
    done = edit(chain, [node("b", ["a"])], remove=["b"]).apply()
    assert chain.edges() == [("a", "b")]
    assert (chain.get_payload("b"), chain.edge_data("a", "b")) == (None, (None, None))
    assert (done.gone, done.cut) == ([1], [(0, 1), (1, 2)])


def test_what_an_edit_touches(chain: DAG) -> None:
    """Existing nodes that go or get a new input; not those that only feed a new one."""
    assert edit(chain, [node("x", ["a"], ["c"])], remove=["b"]).touched() == ["b", "c"]


def test_making_an_edit_object_changes_nothing(chain: DAG) -> None:
    """Until it is applied."""
    edit(chain, [node("x", ["a"])], remove=["c"])
    assert chain.nodes() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("add", "remove", "error", "message"),
    [
        ([node("c")], None, DuplicateNodeError, "'c' already exists"),
        ([node("x"), node("x")], None, DuplicateNodeError, "'x' already exists"),
        ([node("x", ["z"])], None, ExpansionError, "no node 'z' that could be joined"),
        ([node("x", before=["z"])], None, ExpansionError, "no node 'z' that could be joined"),
        ([node("x", ["b"])], ["b"], ExpansionError, "no node 'b' that could be joined"),
        (None, ["z"], ExpansionError, "no node 'z' that could be removed"),
        ("xy", None, TypeError, "gave 'xy' as add_nodes"),
        (None, "b", TypeError, "gave 'b' as remove_nodes"),
        (["x"], None, TypeError, "add a DynamicNodeSpec"),
        ([node("")], None, TypeError, "a name is a text"),
        ([DynamicNodeSpec("x", None)], None, TypeError, "a task that is not callable"),  # type: ignore[arg-type]  # on purpose
        ([node("x", "ab")], None, TypeError, "one text, 'ab', as a list"),  # type: ignore[arg-type]  # on purpose
    ],
)
def test_an_edit_that_cannot_be_is_refused(
    chain: DAG, add: Any, remove: Any, error: type[Exception], message: str
) -> None:
    """The message says what is wrong, and nothing has changed."""
    before = chain.to_json()
    with pytest.raises(error, match=message):
        edit(chain, add, remove)
    assert chain.to_json() == before


def test_what_is_no_modification_is_refused(chain: DAG) -> None:
    """An expander returns a modification or None."""
    with pytest.raises(TypeError, match="the expander of node 'a' returned"):
        Edit(chain, "a", ["x"])  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("remove", [None, ["b"]])
def test_an_edit_that_closes_a_cycle_leaves_the_graph(chain: DAG, remove: list[str] | None) -> None:
    """Whether it only adds, or removes as well."""
    before = chain.to_json()
    wrong = edit(chain, [node("x", ["y"], ["c"]), node("y", ["c"])], remove)
    with pytest.raises(CycleError):
        wrong.apply()
    assert (chain.to_json(), chain.get_payload("b")) == (before, "payload")
    assert chain.expansions == []


def test_a_removed_link_closes_no_cycle(chain: DAG) -> None:
    """Cycles are looked for in the graph as it would be."""
    edit(chain, [node("x", ["c"], ["a"])], remove=["b"]).apply()
    assert chain.topological_sort() == ["c", "x", "a"]


EDITS: list[Callable[[DAG], Edit]] = [
    lambda dag: edit(dag, [node("x", ["a"], ["c"])]),
    lambda dag: edit(dag, remove=["b"]),
    lambda dag: edit(dag, remove=["b", "c"]),
    lambda dag: edit(dag, [node("b", ["a"])], remove=["b"]),
]


@pytest.mark.parametrize("make", EDITS)
def test_undo_brings_back_what_was(chain: DAG, make: Callable[[DAG], Edit]) -> None:
    """Nodes, edges, and what was attached to either."""
    undo(chain, make(chain).apply())
    assert set(chain.nodes()) == {"a", "b", "c"}
    assert set(chain.edges()) == {("a", "b"), ("b", "c")}
    assert (chain.get_payload("b"), chain.get_metadata("b")) == ("payload", "metadata")
    assert chain.edge_data("a", "b") == (1.0, None)
    assert chain.edge_data("b", "c") == (2.0, "x")


def test_undo_leaves_a_node_that_was_added_since(chain: DAG) -> None:
    """A node of the same name that somebody else made is not taken away."""
    done = edit(chain, [node("x")]).apply()
    chain.remove_node("x")
    chain.add_node("x", "mine")
    undo(chain, done)
    assert chain.get_payload("x") == "mine"


def test_undo_draws_no_edge_to_a_node_that_is_gone(chain: DAG) -> None:
    """What was removed by hand since stays removed."""
    done = edit(chain, remove=["b"]).apply()
    chain.remove_node("c")
    undo(chain, done)
    assert (chain.nodes(), chain.edges()) == (["a", "b"], [("a", "b")])


def test_an_edit_is_noted_in_the_graph(chain: DAG) -> None:
    """With the name of the node that asked for it."""
    done = edit(chain, [node("x")]).apply()
    assert chain.expansions == [("a", done)]


def test_new_nodes_are_a_list_of_plain_names(chain: DAG) -> None:
    """That also knows what was asked for."""
    spec = node("x")
    new = NewNodes(edit(chain, [spec], remove=["c"]).apply().added, [spec], ["c"])
    assert new == ["x"]
    assert type(new[0]) is str
    assert (new.add_nodes, new.remove_nodes) == ([spec], ["c"])
