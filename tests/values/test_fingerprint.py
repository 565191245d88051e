from __future__ import annotations

import copy
import datetime as dt
import decimal
import enum
import fractions
import functools
import io
import math
import pathlib
import pickle
import re
import socket
import struct
import sys
import threading
import uuid
from array import array
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagnb.errors import UncacheableValue
from dagnb.values.fingerprint import PLAIN, digest, is_plain, register_digest, same

Point = namedtuple("Point", "x y")
Vector = namedtuple("Vector", "x y")


class Colour(enum.Enum):
    """Two members and an alias."""

    RED = 1
    GREEN = 2
    ROT = 1


class Level(enum.IntEnum):
    """A member that equals an int."""

    LOW = 1


@dataclass
class Item:
    """A value with a mutable part."""

    name: str
    tags: list[str] = field(default_factory=list)


class Slotted:
    """An object without a dict."""

    __slots__ = ("a", "b")

    def __init__(self, a: object, b: object) -> None:
        self.a, self.b = a, b


class Text(str):
    """A subclass of a plain type."""


class Stack(list):  # type: ignore[type-arg]
    """A subclass of a container."""


class Node:
    """An object of a linked structure."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.links: list[Node] = []


def double(x: int) -> int:
    """One of two functions."""
    return x * 2


def triple(x: int) -> int:
    """The other."""
    return x * 3


def ring(*names: str) -> Node:
    """Nodes that form a circle."""
    nodes = [Node(name) for name in names]
    for this, following in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        this.links.append(following)
    return nodes[0]


def circle(content: object) -> list[object]:
    """A list that holds itself."""
    made: list[object] = [content]
    made.append(made)
    return made


def shared(part: list[int]) -> list[list[int]]:
    """A list that holds one part twice."""
    return [part, part]


NAN, OTHER_NAN = float("nan"), -float("nan")
UTC = dt.UTC
EAST = dt.timezone(dt.timedelta(hours=1))
MOMENT = dt.datetime(2024, 3, 1, 12, 30, 0, 5)

ALIKE = {
    "one object": (v := [1, "a"], v),
    "equal lists": ([1, [2, 3]], [1, [2, 3]]),
    "order of a dict": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "order of a dict with numbers for keys": ({1: "x", 20: "y"}, {20: "y", 1: "x"}),
    "order of a dict with mixed keys": ({1: "x", "1": "y"}, {"1": "y", 1: "x"}),
    "order of a dict inside": (
        [{"a": 1, "b": {"c": 1, "d": 2}}],
        [{"b": {"d": 2, "c": 1}, "a": 1}],
    ),
    "order of insertion into a set": ({1, 9, 17}, {17, 9, 1}),
    "order of a set of mixed types": ({1, "a", (2,)}, {(2,), "a", 1}),
    "frozensets of frozensets": (
        frozenset({frozenset({1}), frozenset({2})}),
        frozenset({frozenset({2}), frozenset({1})}),
    ),
    "NaN": (NAN, float("nan")),
    "NaN of the other sign": (NAN, OTHER_NAN),
    "NaN in a list": ([1.0, NAN], [1.0, OTHER_NAN]),
    "complex NaN": (complex(NAN, 1), complex(OTHER_NAN, 1)),
    "NaN in a complex in a list": ([complex(0, NAN)], [complex(0, OTHER_NAN)]),
    "infinities": ([math.inf, -math.inf], [math.inf, -math.inf]),
    "shared part and copies": (shared([1, 2]), [[1, 2], [1, 2]]),
    "shared objects and copies": ([i := Item("a"), i], [Item("a"), Item("a")]),
    "lists that hold themselves": (circle(1), circle(1)),
    "rings of objects": (ring("a", "b", "c"), ring("a", "b", "c")),
    "a deep copy of a ring": (ring("a", "b"), copy.deepcopy(ring("a", "b"))),
    "interned and made strings": ("abc", "".join(["a", "b", "c"])),
    "big ints": (10**5000, 10**5000),
    "paths": (pathlib.Path("a/b"), pathlib.Path("a") / "b"),
    "ranges that hold the same": (range(0, 10, 3), range(0, 12, 3)),
    "empty ranges": (range(0), range(5, 5)),
    "dataclasses": (Item("a", ["b"]), Item("a", ["b"])),
    "objects with slots": (Slotted(1, [2]), Slotted(1, [2])),
    "aliases of an enum": (Colour.RED, Colour.ROT),
    "counters": (Counter("abca"), Counter("caab")),
    "the order of attributes": (SimpleNamespace(a=1, b=2), SimpleNamespace(b=2, a=1)),
    "patterns": (re.compile("a+"), re.compile("a+")),
    "partials": (functools.partial(double, 1), functools.partial(double, 1)),
    "datetimes": (MOMENT, copy.copy(MOMENT)),
    "keys of dicts": ({"a": 1, "b": 2}.keys(), {"b": 3, "a": 4}.keys()),
    "surrogates": ("\udc80", "\udc80"),
}

DIFFERENT = {
    "1 and True": (1, True),
    "1 and 1.0": (1, 1.0),
    "1.0 and 1+0j": (1.0, 1 + 0j),
    "0 and False": (0, False),
    "0 and None": (0, None),
    "1 and '1'": (1, "1"),
    "'1' and b'1'": ("1", b"1"),
    "bytes and bytearray": (b"1", bytearray(b"1")),
    "0.0 and -0.0": (0.0, -0.0),
    "0.0 and -0.0 in a list": ([0.0], [-0.0]),
    "complex zeros": (complex(0.0, 0.0), complex(0.0, -0.0)),
    "NaN and None": (NAN, None),
    "list and tuple": ([1], (1,)),
    "set and frozenset": ({1}, frozenset({1})),
    "empty containers": ([], {}),
    "empty set and tuple": (set(), ()),
    "empty string and bytes": ("", b""),
    "where one string ends": (["a-b", "c"], ["a", "b-c"]),
    "where one string ends, joined": (["ab", ""], ["a", "b"]),
    "where one list ends": ([[1, 2], [3]], [[1], [2, 3]]),
    "nesting": ([[1]], [1]),
    "nesting of empty lists": ([[], [[]]], [[[]], []]),
    "order of a list": ([1, 2], [2, 1]),
    "types in a list": ([1, 2], [1, 2.0]),
    "booleans in a list": ([1, 0], [True, False]),
    "keys and values swapped": ({"a": "b"}, {"b": "a"}),
    "types of keys": ({1: "a"}, {True: "a"}),
    "types of keys inside": ([{1: "a"}, {1: "b"}], [{1: "a"}, {True: "b"}]),
    "keys of two dicts": ([{"a": 1}, {"b": 1}], [{"b": 1}, {"a": 1}]),
    "values of two keys": ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
    "dict and its items": ({"a": 1}, [("a", 1)]),
    "dict and OrderedDict": ({"a": 1}, OrderedDict(a=1)),
    "order of an OrderedDict": (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    "defaults of a defaultdict": (defaultdict(int), defaultdict(list)),
    "sets of other types": ({1, 2}, {1.0, 2}),
    "nested sets": (frozenset({frozenset({1, 2})}), frozenset({frozenset({1}), frozenset({2})})),
    "string and its subclass": ("a", Text("a")),
    "list and its subclass": ([1], Stack([1])),
    "tuple and namedtuple": ((1, 2), Point(1, 2)),
    "two namedtuples": (Point(1, 2), Vector(1, 2)),
    "int and IntEnum": (1, Level.LOW),
    "members of an enum": (Colour.RED, Colour.GREEN),
    "fields of a dataclass": (Item("a"), Item("b")),
    "inside a dataclass": (Item("a", ["b"]), Item("a", ["c"])),
    "slots": (Slotted(1, 2), Slotted(2, 1)),
    "object and its dict": (SimpleNamespace(a=1), {"a": 1}),
    "path and string": (pathlib.Path("a"), "a"),
    "path and pure path": (pathlib.Path("a"), pathlib.PurePath("a")),
    "path flavours": (pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a")),
    "date and midnight": (dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)),
    "time zones": (MOMENT.replace(tzinfo=UTC), MOMENT.replace(tzinfo=EAST)),
    "naive and aware": (MOMENT, MOMENT.replace(tzinfo=UTC)),
    "fold": (MOMENT, MOMENT.replace(fold=1)),
    "decimals of other precision": (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "decimal and float": (decimal.Decimal("1"), 1.0),
    "fraction and int": (fractions.Fraction(1), 1),
    "slice and tuple": (slice(1, 2), (1, 2, None)),
    "range and list": (range(3), [0, 1, 2]),
    "steps of a range": (range(0, 10, 2), range(0, 10, 3)),
    "None and Ellipsis": (None, ...),
    "array types": (array("i", [1]), array("l", [1])),
    "uuids": (uuid.UUID(int=1), uuid.UUID(int=2)),
    "pattern flags": (re.compile("a"), re.compile("a", re.IGNORECASE)),
    "deques of other bounds": (deque([1]), deque([1], maxlen=3)),
    "big ints": (10**5000, 10**5000 + 1),
    "ints beyond 64 bits in a list": ([2**63, 1], [2**63 + 1, 1]),
    "loops over other things": (circle(1), circle(2)),
    "rings of other order": (ring("a", "b", "c"), ring("a", "c", "b")),
    "rings of other length": (ring("a", "a"), ring("a", "a", "a", "b")),
    "functions": (double, triple),
    "partials": (functools.partial(double, 1), functools.partial(double, 2)),
    "classes": (Item, Slotted),
    "a class and its instance": (dict, {}),
    "long strings": ("a" * 10_000, "a" * 9_999 + "b"),
    "items of a dict and its keys": ({"a": 1}.items(), {"a": 1}.keys()),
    "views of values": ({"a": 1}.values(), {"a": 2}.values()),
    "positions of buffers": (io.BytesIO(b"a"), io.BytesIO(b"b")),
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_equal_values_have_one_digest(pair: tuple[object, object]) -> None:
    """What nothing can tell apart has one name."""
    a, b = pair
    assert digest(a) == digest(b)


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_equal_values_have_one_digest_inside_an_object(pair: tuple[object, object]) -> None:
    """The way through an object's state agrees with the way from the top."""
    a, b = pair
    assert digest(Slotted(a, [a])) == digest(Slotted(b, [b]))


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_different_values_have_different_digests(pair: tuple[object, object]) -> None:
    """What a program could tell apart has two names."""
    a, b = pair
    assert digest(a) != digest(b)


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_different_values_have_different_digests_inside_an_object(
    pair: tuple[object, object],
) -> None:
    """A difference deep inside is seen."""
    a, b = pair
    assert digest(Slotted(a, [a])) != digest(Slotted(b, [b]))
    assert digest([[a]]) != digest([[b]])
    assert digest({"k": (a,)}) != digest({"k": (b,)})


def test_a_digest_is_32_hexadecimal_digits() -> None:
    """The form that keys and files rely on."""
    for value in (1, [1], Item("a"), [Item("a")]):
        assert re.fullmatch(r"[0-9a-f]{32}", digest(value))


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.complex_numbers()
)
keys = st.text(max_size=3) | st.integers(-3, 3) | st.booleans() | st.none() | st.floats(0, 2)
values = st.recursive(
    leaves | st.frozensets(keys, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner, max_size=3)
        | st.builds(Slotted, inner, inner)
        | st.builds(Item, st.text(max_size=2), st.lists(inner, max_size=2))
    ),
    max_leaves=12,
)


def spell(value: object) -> object:
    """Write a value out with all its types and in canonical order."""
    kind = type(value).__name__
    if isinstance(value, float):
        return kind, "nan" if math.isnan(value) else struct.pack("<d", value)
    if isinstance(value, complex):
        return kind, spell(value.real), spell(value.imag)
    if isinstance(value, list | tuple):
        return kind, tuple(map(spell, value))
    if isinstance(value, frozenset):
        return kind, tuple(sorted(map(repr, map(spell, value))))
    if isinstance(value, dict):
        return kind, tuple(sorted(repr((spell(k), spell(v))) for k, v in value.items()))
    if isinstance(value, Slotted):
        return kind, spell(value.a), spell(value.b)
    if isinstance(value, Item):
        return kind, spell(value.name), spell(value.tags)
    return kind, repr(value)


@given(values)
def test_a_pickled_copy_has_the_digest_of_its_original(value: object) -> None:
    """A value that went through a worker process or the store is still itself."""
    assert digest(pickle.loads(pickle.dumps(value))) == digest(value)


@given(values)
def test_a_deep_copy_has_the_digest_of_its_original(value: object) -> None:
    """Which parts are shared says nothing."""
    assert digest([value, value]) == digest([value, copy.deepcopy(value)])


@settings(max_examples=400)
@given(values, values)
def test_digests_agree_exactly_when_values_do(a: object, b: object) -> None:
    """Spelled out with types, values are the same if and only if their digests are."""
    assert (digest(a) == digest(b)) == (spell(a) == spell(b))


@given(
    st.sampled_from([0, 1, 1.0, True, False, 0.0, -0.0, NAN, "1", b"1", None, 1j, 1 + 0j]),
    st.sampled_from([0, 1, 1.0, True, False, 0.0, -0.0, OTHER_NAN, "1", b"1", None, 1j, 1 + 0j]),
)
def test_same_agrees_with_the_digests(a: object, b: object) -> None:
    """The fast comparison and the digest never contradict each other."""
    assert same(a, b) == (digest(a) == digest(b))


def test_plain_are_scalars_of_an_exact_type() -> None:
    """A subclass or a container cannot be compared as a scalar."""
    assert all(map(is_plain, (1, 1.0, True, None, "a", b"a", 1j)))
    assert not any(map(is_plain, (Text("a"), Level.LOW, [1], (1,), bytearray())))
    assert len(PLAIN) == 7


def test_10_000_nested_lists_have_a_digest() -> None:
    """Depth is no matter of the interpreter's stack."""
    outer = inner = []
    for _ in range(10_000):
        inner.append([])
        inner = inner[0]
    before = digest(outer)
    inner.append(1)
    assert digest(outer) != before


def test_a_chain_of_10_000_objects_has_a_digest() -> None:
    """Objects may be as deep as lists."""
    chain = None
    for number in range(10_000):
        chain = Slotted(number, chain)
    assert digest(chain) == digest(Slotted(chain.a, chain.b))


def test_parts_shared_many_times_are_read_once() -> None:
    """A list that unfolds to 2**60 elements is digested at once."""
    value: list[object] = [1]
    for _ in range(60):
        value = [value, value]
    assert digest(value) == digest(copy.deepcopy(value))


def test_a_list_that_holds_itself_twice_has_a_digest() -> None:
    """A loop that branches does not unfold without end."""

    def knot(content: object) -> list[object]:
        made: list[object] = [content]
        made += [made, made]
        return made

    assert digest(knot(1)) == digest(knot(1)) != digest(knot(2))


def test_objects_that_refer_to_each_other_through_sets_have_a_digest() -> None:
    """A clique whose members hash by identity is named by its contents."""

    def clique(*names: str) -> list[Node]:
        nodes = [Node(name) for name in names]
        for node in nodes:
            node.links = set(nodes)  # type: ignore[assignment]
        return nodes

    assert digest(clique(*"abcdefghij")) == digest(clique(*"abcdefghij"))
    assert digest(clique(*"abc")) != digest(clique(*"abd"))


def test_long_lists_are_digested_in_slices_without_ambiguity() -> None:
    """A list longer than a slice differs from one nested in the same way."""
    long = [Slotted(1, 2)] * 70_000
    assert digest([Item("a"), long]) == digest([Item("a"), list(long)])
    assert digest([Item("a"), long]) != digest([Item("a"), [long[:65_536], long[65_536:]]])


def test_the_code_of_a_class_is_part_of_its_instances() -> None:
    """An object whose methods were edited is another value."""

    def made(source: str) -> object:
        namespace: dict[str, object] = {"__name__": "__main__"}
        exec(source, namespace)
        return namespace["K"]()  # type: ignore[operator]

    one = made("class K:\n    def f(self): return 1")
    again = made("class K:\n    def f(self):\n        return 1  # the same")
    two = made("class K:\n    def f(self): return 2")
    assert digest(one) == digest(again) != digest(two)


def test_a_function_is_its_code_and_what_it_reads() -> None:
    """A helper's global is part of a function that is passed around."""

    def made(source: str) -> object:
        namespace: dict[str, object] = {"__name__": "__main__"}
        exec(source, namespace)
        return namespace["f"]

    source = "k = 1\ndef g(): return k\ndef f(): return g()"
    assert digest(made(source)) == digest(made("# first\n" + source))
    assert digest(made(source)) != digest(made(source.replace("k = 1", "k = 2")))


async def coroutine() -> None:
    """Never awaited."""


REFUSED = {
    "generator": ((x for x in [1]), r"a generator has no digest: .*list\(\.\.\.\)"),
    "iterator": (iter([1]), r"list\(\.\.\.\)"),
    "map": (map(str, [1]), r"a map has no digest: .*list"),
    "zip": (zip([1], [2], strict=True), "a zip has no digest"),
    "lock": (threading.Lock(), "a lock has no digest"),
    "reentrant lock": (threading.RLock(), "a RLock has no digest"),
    "event": (threading.Event(), "an Event has no digest"),
    "thread": (threading.Thread(), "a Thread has no digest"),
    "module member": (sys._getframe(), "a frame has no digest"),
}


@pytest.mark.parametrize(("value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_looked_at_is_refused_with_a_hint(value: object, message: str) -> None:
    """A generator that was digested would be exhausted; so it is refused by name."""
    with pytest.raises(UncacheableValue, match=message):
        digest(value)


def test_refusing_a_generator_leaves_it_untouched() -> None:
    """Nothing is read from what is refused, however deep it sits."""
    generator = (x for x in [1, 2])
    with pytest.raises(UncacheableValue):
        digest({"a": [generator]})
    assert list(generator) == [1, 2]


def test_open_files_sockets_and_coroutines_are_refused(tmp_path: pathlib.Path) -> None:
    """What changes from outside has no value."""
    running = coroutine()
    with (tmp_path / "a").open("w") as file, socket.socket() as link:
        for value in (file, link, running, [file], {"k": link}):
            with pytest.raises(UncacheableValue):
                digest(value)
    running.close()


def test_an_object_that_pickle_refuses_is_refused() -> None:
    """The error says how to register a digest."""

    class Stubborn:
        def __reduce_ex__(self, protocol: object) -> str:
            raise TypeError("not me")

    with pytest.raises(UncacheableValue, match=r"register_digest\(Stubborn"):
        digest(Stubborn())


def test_a_registered_function_names_the_values_of_a_type() -> None:
    """Also of its subclasses, and inside other values."""

    class Handle:
        def __init__(self, key: str) -> None:
            self.key, self.lock = key, threading.Lock()

    class Special(Handle):
        pass

    register_digest(Handle, lambda handle: handle.key)
    assert digest([Handle("a")]) == digest([Handle("a")]) != digest([Handle("b")])
    assert digest(Special("a")) != digest(Handle("a"))


class Stamped:
    """Values that a registered function names."""

    def __init__(self, key: object, other: int = 0) -> None:
        self.key, self.other = key, other


class Special(Stamped):
    """A subclass of it."""


@pytest.fixture
def stamped() -> Iterator[type[Stamped]]:
    """The class, named by its key; every test leaves it like that."""
    register_digest(Stamped, lambda value: value.key)
    yield Stamped
    register_digest(Stamped, lambda value: value.key)


def test_a_subclass_of_a_registered_type_is_named_by_its_function(stamped: type[Stamped]) -> None:
    """And is told apart from the type itself."""
    assert digest(Special("a", 1)) == digest(Special("a", 2))
    assert digest(Special("a")) != digest(stamped("a"))


def test_the_function_registered_last_counts(stamped: type[Stamped]) -> None:
    """For values that were there before, too."""
    one, other = stamped("a", 1), stamped("a", 2)
    assert digest([one]) == digest([other])
    register_digest(Stamped, lambda value: (value.key, value.other))
    assert digest([one]) != digest([other])


@pytest.mark.parametrize("key", ["text", b"bytes", 1.5, ("a", [1, {"b": None}])])
def test_a_registered_function_returns_whatever_has_a_digest(
    stamped: type[Stamped], key: object
) -> None:
    """Not only text."""
    assert digest(stamped(key)) == digest(stamped(key)) != digest(stamped("else"))


def _raise(value: Stamped) -> object:
    raise KeyError(value.key)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (_raise, "raised KeyError: 'a'"),
        (lambda value: None, "returned None; return what decides"),
        (lambda value: value, "returned the value itself"),
        (lambda value: iter("abc"), "can be read only once"),
    ],
)
def test_a_registered_function_that_names_nothing(
    stamped: type[Stamped], function: Callable[[Stamped], object], says: str
) -> None:
    """The value has no digest: no other one is taken for it."""
    register_digest(Stamped, function)
    for value in (Stamped("a"), [Stamped("a"), Stamped("b")]):
        with pytest.raises(UncacheableValue, match=says):
            digest(value)


def test_a_type_and_a_function_are_registered() -> None:
    """Nothing else is."""
    with pytest.raises(TypeError, match="takes a type, and a function"):
        register_digest("Stamped", len)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(TypeError, match="takes a type, and a function"):
        register_digest(Stamped, "key")  # type: ignore[arg-type]


def test_builtin_types_cannot_be_registered() -> None:
    """Their digests are relied upon."""
    with pytest.raises(ValueError, match="built in"):
        register_digest(list, len)
