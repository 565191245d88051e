"""How a value of each type is taken apart for its digest.

Types of the standard library and any object that pickle can reduce are taken apart here;
those of optional libraries in ``arrays``, ``frames``, ``arrow`` and ``figures``, which are
consulted only when a value of such a library turns up.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import copyreg
import datetime
import decimal
import enum
import fractions
import io
import os
import pathlib
import re
import socket
import subprocess
import threading
import types
import typing
import uuid
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import singledispatch

import xxhash

from dagnb.errors import UncacheableValue
from dagnb.values.canonical import in_order
from dagnb.values.walk import Parts

_WIDE, _FEW = 1 << 16, 32


_REFUSED: set[Callable[..., Parts]] = set()
# What users have said names the values of their types, by the names of the types.
REGISTERED: dict[str, Callable[..., object]] = {}


@singledispatch
def expand(value: object) -> Parts:
    """Take a value apart for its digest.

    Raises
    ------
    UncacheableValue
        If looking at the value would change or exhaust it, or nothing can take it apart.
    """
    return reduce(value)


def reduce(value: object) -> Parts:
    """Take an object apart as pickle would: class and state."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception as error:
        raise UncacheableValue(
            f"{a(type(value).__name__)} has no digest, as pickle cannot take it apart ({error}); "
            f"return plain data, or register one: dagnb.register_digest("
            f"{type(value).__name__}, lambda value: ...)"
        ) from error
    if isinstance(reduced, str):
        return Parts("global", [type(value).__module__, reduced])
    make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    kind = type(value)
    if make is copyreg.__newobj__ and arguments[0] is kind:  # type: ignore[attr-defined]  # what object.__reduce_ex__ names
        children = [kind, len(arguments), *arguments[1:], state]
    else:
        children = [kind, make, arguments, state]
    if items is not None:
        children.append(list(items))
    if pairs is not None:
        children.append(_pairs(value, pairs))
    return Parts("object", children)


def _pairs(value: object, pairs: Iterator[tuple[object, object]]) -> object:
    """The items of a dict's subclass; in order only if its equality looks at the order."""
    return list(pairs) if isinstance(value, OrderedDict) else dict(pairs)


def a(word: str) -> str:
    """Put the indefinite article before a word."""
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


def refuse(kind: type, hint: str) -> None:
    """Register a type whose values have no digest, with what to do instead."""

    def refused(value: object) -> Parts:
        name = type(value).__name__.removeprefix("_")
        raise UncacheableValue(f"{a(name)} has no digest: {hint}")

    expand.register(kind, refused)
    _REFUSED.add(refused)


def is_refused(kind: type) -> bool:
    """Whether values of this type never have a digest."""
    return expand.dispatch(kind) in _REFUSED


def full_name(kind: type) -> str:
    """Return the dotted name of a type."""
    return f"{kind.__module__}.{kind.__qualname__}"


def register(*kinds: type) -> Callable[[Callable[..., Parts]], Callable[..., Parts]]:
    """Register how values of these types are taken apart."""

    def bind(function: Callable[..., Parts]) -> Callable[..., Parts]:
        for kind in kinds:
            expand.register(kind, function)
        return function

    return bind


@register(list, tuple)
def _sequence(value: list[object] | tuple[object, ...]) -> Parts:
    """Long ones in slices, each of which may be plain throughout."""
    if type(value) is not list and type(value) is not tuple:
        return reduce(value)
    kind = type(value).__name__
    if len(value) <= _WIDE:
        return Parts(kind, value)
    return Parts(kind, [value[at : at + _WIDE] for at in range(0, len(value), _WIDE)])


@register(dict)
def _mapping(value: dict[object, object]) -> Parts:
    """Items by sorted key, or as an unordered set of pairs where keys have no order."""
    if type(value) is not dict:
        return reduce(value)
    keys = in_order(value)
    if keys is None:
        return Parts("pairs", list(value.items()), ordered=False)
    contents = [value[key] for key in keys]
    return Parts("dict", [keys, contents] if len(keys) > _FEW else [*keys, *contents])


@register(set, frozenset)
def _set(value: set[object] | frozenset[object]) -> Parts:
    """Elements sorted, or as an unordered collection of their digests."""
    if type(value) is not set and type(value) is not frozenset:
        return reduce_set(value)
    keys = in_order(value)
    kind = type(value).__name__
    return Parts(f"{kind} of", list(value), ordered=False) if keys is None else Parts(kind, [keys])


def reduce_set(value: set[object] | frozenset[object]) -> Parts:
    """A subclass of set: its class, its elements, its attributes."""
    return Parts("set object", [type(value), frozenset(value), getattr(value, "__dict__", None)])


@register(type(None), bool, int, float, complex, str, bytes)
def _scalar_subclass(value: object) -> Parts:
    """An instance of a subclass of a plain type."""
    return reduce(value)


@register(bytearray)
def _bytearray(value: bytearray) -> Parts:
    return Parts("bytearray", [xxhash.xxh3_128_digest(value), len(value)])


@register(memoryview)
def _memoryview(value: memoryview) -> Parts:
    content = value if value.c_contiguous else value.tobytes()
    return Parts("memoryview", [value.format, value.shape, xxhash.xxh3_128_digest(content)])


@register(array)
def _array(value: array[int]) -> Parts:
    return Parts("array", [value.typecode, len(value), xxhash.xxh3_128_digest(value)])


@register(range)
def _range(value: range) -> Parts:
    """Equal ranges hold the same numbers, however their end is written."""
    if len(value) < 2:  # then the step means nothing
        return Parts("range", list(value), leaf=True)
    return Parts("range", [value.start, value.step, len(value)], leaf=True)


@register(slice)
def _slice(value: slice) -> Parts:
    return Parts("slice", [value.start, value.stop, value.step], leaf=True)


@register(type(...), type(NotImplemented))
def _singleton(value: object) -> Parts:
    return Parts(type(value).__name__)


@register(enum.Enum)
def _enum(value: enum.Enum) -> Parts:
    kind = type(value)
    return Parts("enum", [kind, value.name, value.value], leaf=True)


@register(pathlib.PurePath)
def _path(value: pathlib.PurePath) -> Parts:
    """Concrete or pure, of the flavour that compares as it does; classes moved in 3.13."""
    flavour = "windows" if isinstance(value, pathlib.PureWindowsPath) else "posix"
    return Parts("path", [flavour, isinstance(value, pathlib.Path), str(value)], leaf=True)


@register(datetime.datetime)
def _datetime(value: datetime.datetime) -> Parts:
    if type(value) is not datetime.datetime:
        return reduce(value)
    moment = value.replace(tzinfo=None).isoformat() if value.tzinfo else value.isoformat()
    return Parts("datetime", [moment, value.fold, value.tzinfo], leaf=True)


@register(datetime.date)
def _date(value: datetime.date) -> Parts:
    if type(value) is not datetime.date:
        return reduce(value)
    return Parts("date", [value.isoformat()], leaf=True)


@register(datetime.time)
def _time(value: datetime.time) -> Parts:
    if type(value) is not datetime.time:
        return reduce(value)
    moment = value.replace(tzinfo=None).isoformat()
    return Parts("time", [moment, value.fold, value.tzinfo], leaf=True)


@register(datetime.timedelta)
def _timedelta(value: datetime.timedelta) -> Parts:
    if type(value) is not datetime.timedelta:
        return reduce(value)
    return Parts("timedelta", [value.days, value.seconds, value.microseconds], leaf=True)


@register(decimal.Decimal)
def _decimal(value: decimal.Decimal) -> Parts:
    return Parts("decimal", [type(value).__qualname__, str(value)], leaf=True)


@register(fractions.Fraction)
def _fraction(value: fractions.Fraction) -> Parts:
    return Parts(
        "fraction", [type(value).__qualname__, value.numerator, value.denominator], leaf=True
    )


@register(uuid.UUID)
def _uuid(value: uuid.UUID) -> Parts:
    return Parts("uuid", [value.int], leaf=True)


@register(re.Pattern)
def _pattern(value: re.Pattern[str]) -> Parts:
    return Parts("pattern", [value.pattern, value.flags], leaf=True)


@register(types.UnionType)
def _union(value: types.UnionType) -> Parts:
    return Parts("union", list(value.__args__))


@register(typing.NewType)
def _new_type(value: typing.NewType) -> Parts:
    return Parts("new type", [value.__module__, value.__name__, value.__supertype__])


@register(typing.TypeVar)
def _type_variable(value: typing.TypeVar) -> Parts:
    variance = value.__covariant__, value.__contravariant__
    return Parts("type variable", [value.__name__, *variance, *_evaluated(value, _LIMITS)])


def _type_alias(value: object) -> Parts:
    """``type Name = ...``, of Python 3.12."""
    return Parts("type alias", [str(value), *_evaluated(value, ["__value__"])])


def _evaluated(value: object, names: list[str]) -> Iterator[object]:
    """Yield attributes that Python evaluates when they are asked for."""
    for name in names:
        try:
            yield getattr(value, name)
        except Exception:  # whatever the user wrote there
            yield None


_LIMITS = ["__bound__", "__constraints__"]
if hasattr(typing, "TypeAliasType"):
    expand.register(typing.TypeAliasType, _type_alias)


@register(types.SimpleNamespace)
def _namespace(value: types.SimpleNamespace) -> Parts:
    return Parts("namespace", [type(value), vars(value)])


@register(types.MappingProxyType)
def _proxy(value: types.MappingProxyType[object, object]) -> Parts:
    return Parts("mappingproxy", [dict(value)])


@register(type({}.keys()), type({}.values()), type({}.items()))
def _view(value: object) -> Parts:
    """A view of a dict: keys and items have no order, values have."""
    kind = type(value).__name__
    return Parts(kind, list(value), ordered=isinstance(value, type({}.values())))  # type: ignore[call-overload]


@register(io.BytesIO, io.StringIO)
def _buffer(value: io.BytesIO | io.StringIO) -> Parts:
    return Parts(type(value).__name__, [value.getvalue(), value.tell()])


refuse(Iterator, "it can be read only once; make it a list: list(...)")
refuse(types.GeneratorType, "it can be read only once; make it a list: list(...)")
refuse(types.AsyncGeneratorType, "it can be read only once; collect it: [x async for x in ...]")
refuse(types.CoroutineType, "it is not a result yet; return (await ...) instead")
refuse(asyncio.Future, "it is not a result yet; return (await ...) instead")
refuse(concurrent.futures.Future, "it is not a result yet; return its .result()")
refuse(io.IOBase, "an open file changes as it is read; return its path, or what was read")
refuse(os.DirEntry, "it stands for a file that may change; return its .path")
refuse(socket.socket, "it is a live connection; open it where it is used")
refuse(subprocess.Popen, "it is a running process; return its output")
refuse(threading.Thread, "it is running work; return what it computed")
refuse(types.FrameType, "it changes as the code runs; return the variables you need")
refuse(types.TracebackType, "it holds running frames; return its text: traceback.format_exc()")
for _lock in (threading.Lock, threading.RLock, threading.Condition, threading.Semaphore):
    _kind = _lock if isinstance(_lock, type) else type(_lock())
    refuse(_kind, "a lock has no value; make it where it is used")
for _event in (threading.Event, threading.Barrier, asyncio.Lock, asyncio.Event, asyncio.Queue):
    refuse(_event, "it changes from outside; make it where it is used")
