"""Which nodes are drawn, and which stand behind the box of their group."""

from __future__ import annotations

import pytest

from dagnb.render.scene import FOLDED_ABOVE, Lens, fold_key, grouped, neighbourhood, scene

NAMES = ["a", "b", "c", "d"]
CHAIN = [("a", "b"), ("b", "c"), ("c", "d")]
MIDDLE = {"b": "g", "c": "g"}


def test_nothing_is_folded_unless_asked_for() -> None:
    """A small graph shows all its nodes."""
    seen = scene(NAMES, CHAIN, MIDDLE, Lens())
    assert (seen.nodes, seen.groups, seen.folds) == (tuple(NAMES), MIDDLE, {})
    assert seen.edges == tuple(CHAIN)


def test_the_edges_of_a_folded_group_are_those_of_its_members() -> None:
    """Each once; those inside are not seen."""
    edges = [*CHAIN, ("a", "c")]
    seen = scene(NAMES, edges, MIDDLE, Lens().fold(["g"]))
    assert seen.nodes == ("a", "d")
    assert seen.edges == (("a", fold_key("g")), (fold_key("g"), "d"))


def test_a_large_graph_begins_folded() -> None:
    """What is opened stays open, however large it is."""
    names = [f"n{i}" for i in range(FOLDED_ABOVE + 1)]
    groups = {name: "even" if i % 2 == 0 else "odd" for i, name in enumerate(names)}
    assert list(scene(names, [], groups, Lens()).folds) == ["even", "odd"]
    assert list(scene(names, [], groups, Lens().open(["odd"])).folds) == ["even"]
    assert scene(names[:-1], [], groups, Lens()).folds == {}


def test_a_group_of_one_is_not_folded() -> None:
    """Its box would take more room and say less."""
    assert scene(["a", "b"], [], {"a": "g"}, Lens().fold(["g"])).folds == {}


@pytest.mark.parametrize(
    ("name", "group"),
    [("etl.load", "etl"), ("etl/load", "etl"), ("etl__load", "etl"), ("etl_load", None),
     ("_private", None), ("__init__", None), ("a.b.c", "a"), ("etl.", None), (".load", None)],
)  # fmt: skip
def test_groups_by_name(name: str, group: str | None) -> None:
    """The part before the first separator; an underscore only parts words."""
    twin = f"{group}.other"
    assert grouped([name, twin], {}).get(name) == group


def test_one_name_with_a_prefix_is_no_group() -> None:
    """There must be another one, or a group of that name."""
    assert grouped(["etl.load", "fit"], {}) == {}
    assert grouped(["etl.load", "fit"], {"fit": "etl"}) == {"etl.load": "etl", "fit": "etl"}


def test_a_tag_wins_over_the_name() -> None:
    """What somebody said counts more than what a name looks like."""
    assert grouped(["etl.load", "etl.clean"], {"etl.load": "slow"}) == {"etl.load": "slow"}


@pytest.mark.parametrize(("hops", "near"), [(0, "c"), (1, "bcd"), (2, "abcd"), (9, "abcd")])
def test_a_neighbourhood(hops: int, near: str) -> None:
    """Up and down from a node, not to what else those lead to."""
    edges = [*CHAIN, ("b", "aside"), ("other", "d")]
    assert neighbourhood("c", edges, hops) == set(near)


def test_the_node_that_is_looked_at_is_never_folded() -> None:
    """Nor is the rest of its group."""
    seen = scene(NAMES, CHAIN, MIDDLE, Lens(around="c", hops=1).fold(["g"]))
    assert seen.nodes == ("b", "c", "d")


def test_an_unknown_node_to_look_at_hides_nothing() -> None:
    """It may have been removed since."""
    assert scene(NAMES, CHAIN, {}, Lens(around="gone")).nodes == tuple(NAMES)
