"""Values that hold many objects are read in bulk, which must say as much as one by one."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb.values.canonical import in_order
from dagnb.values.fingerprint import digest, register_digest
from tests.values.test_fingerprint import ALIKE, DIFFERENT, Item, Node, Slotted, values

MANY = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """A record without a dict."""

    number: int
    content: object


@dataclass
class Holder:
    """A record with one."""

    number: int
    content: object
    notes: list[str] = field(default_factory=list)


HOLDERS: dict[str, Callable[[list[object]], object]] = {
    "list": lambda each: each,
    "tuples": lambda each: [(at, part) for at, part in enumerate(each)],
    "records": lambda each: [{"number": at, "content": part} for at, part in enumerate(each)],
    "records of other keys": lambda each: [{f"k{at}": part} for at, part in enumerate(each)],
    "tables": lambda each: {(at, "row"): part for at, part in enumerate(each)},
    "dataclasses": lambda each: [Holder(at, part) for at, part in enumerate(each)],
    "slots": lambda each: [Pair(at, part) for at, part in enumerate(each)],
    "object of lists": lambda each: Holder(0, [Pair(at, [part]) for at, part in enumerate(each)]),
    "a part that is read alone": lambda each: Slotted(Node("a"), {"rows": each * 2}),
}
each_holder = pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)


@each_holder
@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_equal_values_among_many_have_one_digest(
    pair: tuple[object, object], hold: Callable[[list[object]], object]
) -> None:
    """Whichever of them stands where."""
    a, b = pair
    assert digest(hold([a] * MANY)) == digest(hold([a, b] * (MANY // 2)))


@each_holder
@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_one_different_value_among_many_is_seen(
    pair: tuple[object, object], hold: Callable[[list[object]], object]
) -> None:
    """Also which of them it is."""
    a, b = pair
    last, first = hold([a] * (MANY - 1) + [b]), hold([b] + [a] * (MANY - 1))
    assert len({digest(hold([a] * MANY)), digest(last), digest(first)}) == 3


@given(st.lists(values, min_size=8, max_size=12), st.randoms(use_true_random=False))
def test_many_values_agree_exactly_when_their_digests_do(
    each: list[object], random: object
) -> None:
    """A column of any values is the list of its values."""
    one, two = [{"k": part} for part in each], [{"k": part} for part in reversed(each)]
    same = [digest(part) for part in each] == [digest(part) for part in reversed(each)]
    assert (digest(one) == digest(two)) == same


def test_an_attribute_that_is_not_set_is_none_of_any_value() -> None:
    """A slot may be empty."""
    full, empty = Slotted(1, None), Slotted(1, None)
    del empty.b
    assert digest([full] * MANY) != digest([full] * (MANY - 1) + [empty])
    assert digest([full, empty] * MANY) != digest([empty, full] * MANY)


def test_the_code_of_a_class_is_part_of_many_of_its_objects() -> None:
    """Methods decide what objects do."""

    def made(source: str) -> object:
        namespace: dict[str, object] = {"__name__": "__main__"}
        exec(source, namespace)
        return namespace["rows"]

    source = "class K:\n def f(self): return 1\nrows = [K() for _ in range(99)]"
    assert digest(made(source)) == digest(made(source + "  # the same"))
    assert digest(made(source)) != digest(made(source.replace("return 1", "return 2")))


def test_objects_of_two_classes_that_look_alike_are_one_kind() -> None:
    """A cell that is run again makes a class anew; old and new objects may lie together."""

    def made() -> type:
        namespace: dict[str, type] = {"__name__": "__main__"}  # type: ignore[dict-item]
        exec("class K:\n def __init__(self, x): self.x = x", namespace)
        return namespace["K"]

    one, two = made(), made()
    assert digest([one(1), two(2)] * MANY) == digest([two(1), one(2)] * MANY)
    assert digest([one(1), two(2)] * MANY) != digest([one(2), two(1)] * MANY)


def test_a_type_registered_later_is_read_by_its_function() -> None:
    """Even if many of its objects were read in bulk before."""

    class Reading:
        def __init__(self, value: int, taken: float) -> None:
            self.value, self.taken = value, taken

    one, two = [Reading(1, 0.5)] * MANY, [Reading(1, 0.7)] * MANY
    assert digest(one) != digest(two)
    register_digest(Reading, lambda reading: reading.value)
    assert digest(one) == digest(two) != digest([Reading(2, 0.5)] * MANY)


def test_many_objects_with_a_parent_have_a_digest() -> None:
    """A graph of objects that lead back to each other is walked through."""

    def tree(names: list[str]) -> Node:
        root = Node("root")
        for name in names:
            root.links.append(Node(name))
            root.links[-1].links.append(root)
        return root

    names = [f"n{at}" for at in range(200)]
    assert digest(tree(names)) == digest(tree(names)) != digest(tree([*names[1:], "other"]))


def test_a_part_that_many_objects_share_is_the_same_as_copies() -> None:
    """What is shared is no part of a value."""
    shared = {"unit": "mm", "zone": dt.UTC, "path": pathlib.Path("a")}
    rows = [Holder(at, shared) for at in range(MANY)]
    copies = [Holder(at, dict(shared)) for at in range(MANY)]
    assert digest(rows) == digest(copies)


def test_a_read_of_a_cached_property_is_seen() -> None:
    """What it keeps could be set by hand, so it counts as any attribute."""

    class Model:
        @cached_property
        def size(self) -> int:
            return 3

    model = Model()
    before = digest([model] * MANY)
    assert model.size == 3
    assert digest([model] * MANY) != before


@given(st.lists(st.integers() | st.text() | st.tuples(st.integers(), st.text()), unique=True))
def test_keys_have_one_order(keys: list[object]) -> None:
    """However they come."""
    assert in_order(keys) == in_order(keys[::-1])
    assert digest(dict.fromkeys(keys)) == digest(dict.fromkeys(keys[::-1]))


def test_items_with_equal_tags_are_told_apart_by_place() -> None:
    """Objects with lists of different lengths."""
    one = [Item("a", ["x"] * at) for at in range(MANY)]
    two = [Item("a", ["x"] * (MANY - 1 - at)) for at in range(MANY)]
    assert digest(one) != digest(two)
