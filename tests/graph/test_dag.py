from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from dagnb import (
    DAG,
    CycleError,
    DAGBuilder,
    DuplicateNodeError,
    EdgeNotFoundError,
    NodeNotFoundError,
    StaleNodeRefError,
)


@pytest.fixture
def diamond() -> DAG:
    """From a by b and c to d."""
    return (
        DAG.builder()
        .add_edge("a", "b")
        .add_edge("a", "c")
        .add_edge("b", "d")
        .add_edge("c", "d")
        .build()
    )


def test_nodes_come_in_the_order_of_addition(diamond: DAG) -> None:
    """Iterating yields the names as they were added."""
    assert list(diamond) == ["a", "b", "c", "d"]


def test_counts(diamond: DAG) -> None:
    """A graph knows how many nodes and edges it has."""
    assert (len(diamond), diamond.node_count(), diamond.edge_count()) == (4, 4, 4)


def test_containment(diamond: DAG) -> None:
    """``in`` asks for a node's name."""
    assert "a" in diamond
    assert "z" not in diamond
    assert not diamond.has_node("z")


def test_neighbours(diamond: DAG) -> None:
    """Neighbours come in the order in which their edges were added."""
    assert diamond.predecessors("d") == ["b", "c"]
    assert diamond.successors("a") == ["b", "c"]
    assert (diamond.in_degree("d"), diamond.out_degree("d")) == (2, 0)


def test_reach(diamond: DAG) -> None:
    """Ancestors and descendants leave the node itself out."""
    assert diamond.ancestors("d") == ["a", "b", "c"]
    assert diamond.descendants("b") == ["d"]
    assert diamond.is_ancestor("a", "d")
    assert not diamond.is_ancestor("b", "c")


def test_roots_and_leaves(diamond: DAG) -> None:
    """Roots have no input, leaves no dependents."""
    assert (diamond.roots(), diamond.leaves()) == (["a"], ["d"])


def test_payload_and_metadata() -> None:
    """A node carries what it was given, also under brackets."""
    dag = DAG()
    dag.add_node("a", {"k": 1}, metadata="about a")
    dag["a"]["k"] = 2
    assert dag.get_payload("a") == {"k": 2}
    assert dag.get_metadata("a") == "about a"
    dag["a"] = 3
    dag.set_metadata("a", None)
    assert (dag["a"], dag.get_metadata("a")) == (3, None)


def test_payload_does_not_survive_its_node() -> None:
    """A node that is removed and added again starts empty."""
    dag = DAG()
    dag.add_node("a", 1)
    dag.remove_node("a")
    dag.add_node("a")
    assert dag.get_payload("a") is None


def test_add_nodes_takes_names_and_tuples() -> None:
    """A name, a pair with a payload and a triple with metadata can be mixed."""
    dag = DAG()
    assert dag.add_nodes(["a", ("b", 1), ("c", 2, "m")]) == ["a", "b", "c"]
    assert [dag[name] for name in dag] == [None, 1, 2]


def test_add_nodes_is_all_or_none() -> None:
    """If one of several names is taken, none is added."""
    dag = DAG()
    dag.add_node("b")
    with pytest.raises(DuplicateNodeError, match="'b' already exists"):
        dag.add_nodes(["a", "b"])
    assert list(dag) == ["b"]


@pytest.mark.parametrize(("name", "error"), [(1, TypeError), (None, TypeError), ("", ValueError)])
def test_a_name_is_a_text(name: object, error: type[Exception]) -> None:
    """What is not a non-empty string is refused."""
    with pytest.raises(error):
        DAG().add_node(name)  # type: ignore[arg-type]


def test_a_text_is_not_a_list_of_names() -> None:
    """A string in place of a list is a mistake, not a list of letters."""
    with pytest.raises(TypeError, match=r"write \['ab'\]"):
        DAG().add_nodes("ab")


def test_an_unknown_name_suggests_the_nearest() -> None:
    """The error names what was asked for and what may have been meant."""
    dag = DAG()
    dag.add_node("load_data")
    with pytest.raises(NodeNotFoundError, match="no node 'load_date'; did you mean 'load_data'"):
        dag.successors("load_date")


def test_an_edge_between_unknown_nodes_is_refused(diamond: DAG) -> None:
    """No node comes into being by an edge."""
    with pytest.raises(NodeNotFoundError):
        diamond.add_edge("a", "z")
    with pytest.raises(NodeNotFoundError):
        diamond.add_edge("z", "a")
    assert diamond.node_count() == 4


def test_a_cycle_is_refused_with_its_path(diamond: DAG) -> None:
    """The closing edge is refused at once; the path starts and ends with one node."""
    with pytest.raises(CycleError, match="b -> d -> b") as caught:
        diamond.add_edge("d", "b")
    assert caught.value.path == ["b", "d", "b"]
    assert diamond.edge_count() == 4


def test_a_node_is_not_its_own_input(diamond: DAG) -> None:
    """The smallest cycle is one node."""
    with pytest.raises(CycleError) as caught:
        diamond.add_edge("a", "a")
    assert caught.value.path == ["a", "a"]


def test_add_edges_is_all_or_none(diamond: DAG) -> None:
    """If one of several edges closes a cycle, none is added."""
    before = diamond.edges()
    with pytest.raises(CycleError):
        diamond.add_edges([("b", "c"), ("a", "d"), ("d", "a")])
    assert diamond.edges() == before
    assert diamond.topological_sort() == ["a", "b", "c", "d"]


def test_add_edges_that_fails_restores_the_weights(diamond: DAG) -> None:
    """Also the weight of an edge that was there already is as it was."""
    diamond.add_edge("a", "b", weight=1.0)
    with pytest.raises(CycleError):
        diamond.add_edges([("a", "b", 2.0), ("d", "a")])
    assert diamond.edge_data("a", "b").weight == 1.0


def test_add_edges_that_fails_is_no_edit(diamond: DAG) -> None:
    """What was not changed need not run again: no node's inputs count as edited."""
    edited = list(diamond.adjacency.edited)
    with pytest.raises(CycleError):
        diamond.add_edges([("b", "c"), ("d", "a")])
    assert diamond.adjacency.edited == edited


def test_a_repeated_edge_gets_the_new_weight(diamond: DAG) -> None:
    """An edge exists once, with the data given last."""
    diamond.add_edge("a", "b", weight=2.0, label="x")
    assert diamond.edge_count() == 4
    assert diamond.edge_data("a", "b") == (2.0, "x")
    assert diamond.edge_data("a", "c") == (None, None)


def test_remove_edge(diamond: DAG) -> None:
    """A removed edge is gone in both directions; an unknown one is an error."""
    diamond.remove_edge("b", "d")
    assert diamond.predecessors("d") == ["c"]
    assert diamond.successors("b") == []
    with pytest.raises(EdgeNotFoundError, match="'b' -> 'd'"):
        diamond.remove_edge("b", "d")
    with pytest.raises(EdgeNotFoundError):
        diamond.edge_data("b", "d")


def test_remove_node_takes_its_edges_along(diamond: DAG) -> None:
    """What is left is the graph without the node."""
    diamond.remove_node("b")
    assert diamond.edges() == [("a", "c"), ("c", "d")]
    assert not diamond.has_node("b")


def test_remove_nodes_that_are_linked_against_their_order() -> None:
    """Nodes go together whatever the order of addition and the direction of their edges."""
    dag = DAG()
    dag.add_nodes(["late", "early", "x"])
    dag.add_edges([("early", "late"), ("x", "early"), ("x", "late")])
    dag.remove_nodes(["late", "early"])
    assert (dag.nodes(), dag.edges()) == (["x"], [])


def test_remove_nodes_is_all_or_none(diamond: DAG) -> None:
    """If one name is unknown, nothing is removed."""
    with pytest.raises(NodeNotFoundError):
        diamond.remove_nodes(["a", "z"])
    assert diamond.node_count() == 4


def test_a_handle_is_a_name(diamond: DAG) -> None:
    """Handles are accepted wherever a name is, and print as one."""
    ref = diamond.add_node("e")
    diamond.add_edge("d", ref)
    assert diamond.predecessors(ref) == ["d"]
    assert (str(ref), ref.name, f"{ref}") == ("e", "e", "e")


def test_a_handle_to_a_removed_node_is_refused(diamond: DAG) -> None:
    """Even if a node of the same name was added since; the plain name is the new node."""
    old = diamond.node_ref("d")
    diamond.remove_node("d")
    diamond.add_node("d")
    with pytest.raises(StaleNodeRefError):
        diamond.predecessors(old)
    with pytest.raises(StaleNodeRefError):
        diamond.has_edge("a", old)
    assert diamond.predecessors("d") == []


def test_a_handle_to_nothing_is_stale(diamond: DAG) -> None:
    """Without a successor of the name the error is the same: a node that is not found."""
    old = diamond.node_ref("d")
    diamond.remove_node("d")
    with pytest.raises(NodeNotFoundError, match="the handle to 'd' is stale"):
        diamond.predecessors(old)
    assert diamond.node_ref("d") is None


def test_json_round_trip() -> None:
    """Nodes, metadata, edges, weights and labels come back; payloads do not."""
    dag = DAG()
    dag.add_nodes([("a", object(), {"k": [1]}), "b"])
    dag.add_edge("a", "b", weight=0.5, label="feeds")
    again = DAG.from_json(dag.to_json())
    assert (again.nodes(), again.edges()) == (["a", "b"], [("a", "b")])
    assert again.get_metadata("a") == {"k": [1]}
    assert again.edge_data("a", "b") == (0.5, "feeds")
    assert json.loads(dag.to_json())["edges"] == [
        {"from": "a", "to": "b", "weight": 0.5, "label": "feeds"}
    ]


@pytest.mark.parametrize(
    "text", ["{{{", "[]", "3", '{"nodes": []}', '{"nodes": [{}], "edges": []}']
)
def test_what_is_no_graph_is_refused(text: str) -> None:
    """With one kind of error, whatever is wrong."""
    with pytest.raises(ValueError, match=r"no graph that DAG.to_json wrote|Expecting"):
        DAG.from_json(text)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda dag: pickle.loads(pickle.dumps(dag))])
def test_copies_are_whole_and_independent(diamond: DAG, copied: object) -> None:
    """A copy answers alike, and editing it leaves the original as it was."""
    diamond.set_payload("a", [1])
    new = copied(diamond)  # type: ignore[operator]
    assert (new.nodes(), new.edges(), new["a"]) == (diamond.nodes(), diamond.edges(), [1])
    new.add_edge("b", "c")
    new["a"].append(2)
    assert not diamond.has_edge("b", "c")
    assert diamond["a"] == [1]
    with pytest.raises(CycleError):
        new.add_edge("c", "b")


@pytest.mark.parametrize("copied", [DAG.snapshot, copy.copy])
def test_a_snapshot_shares_payloads_only(diamond: DAG, copied: Callable[[DAG], DAG]) -> None:
    """A snapshot has its own structure and the same payloads."""
    diamond.set_payload("a", [1])
    old = copied(diamond)
    diamond.remove_node("b")
    assert old.nodes() == ["a", "b", "c", "d"]
    assert old["a"] is diamond["a"]


def test_handles_survive_copies(diamond: DAG) -> None:
    """A handle of the original names the same node in a copy."""
    ref = diamond.node_ref("b")
    assert copy.deepcopy(diamond).successors(ref) == ["d"]


def test_a_builder_declares_names_in_edges() -> None:
    """Without any declaration, names appear in the order of the edges."""
    assert DAGBuilder().add_edges([("b", "a"), ("c", "a")]).build().nodes() == ["b", "a", "c"]


def test_a_builder_with_declarations_is_strict() -> None:
    """Once one node is declared, an undeclared name in an edge is an error."""
    builder = DAG.builder().add_node("a").add_edge("a", "b")
    with pytest.raises(NodeNotFoundError, match=r"'b'.*declare it"):
        builder.build()


def test_a_builder_reports_duplicates_and_cycles() -> None:
    """Errors come when the graph is built."""
    with pytest.raises(DuplicateNodeError):
        DAG.builder().add_nodes(["a", "a"]).build()
    with pytest.raises(CycleError):
        DAG.builder().add_edge("a", "b").add_edge("b", "a").build()


def test_a_builder_can_build_twice() -> None:
    """Each build gives a graph of its own."""
    builder = DAG.builder().add_edge("a", "b")
    first, second = builder.build(), builder.build()
    first.remove_node("a")
    assert second.nodes() == ["a", "b"]


def test_an_empty_graph_answers_every_question() -> None:
    """No node is not an error."""
    dag = DAG()
    assert dag.topological_sort() == dag.topological_levels() == dag.roots() == dag.edges() == []
    assert dag.critical_path() == ([], 0.0)
    assert list(dag.execution_plan()) == []
    assert (dag.dirty_set(changed=[]), dict(dag.change_provenance(changed=[]))) == ([], {})
    assert DAG.from_json(dag.to_json()).nodes() == []
