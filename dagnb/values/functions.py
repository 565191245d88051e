"""How functions, classes and modules are taken apart for the digest of a value.

What is installed counts by name, what the user wrote by its code and everything that the
code reads.
"""

from __future__ import annotations

import enum
import functools
import os
import sys
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import xxhash

from dagnb.values.bytecode import normal_form
from dagnb.values.expand import is_refused, register
from dagnb.values.names import globals_of, is_library, version_of
from dagnb.values.pieces import closed_over, code_within
from dagnb.values.plain import PLAIN
from dagnb.values.walk import Parts

_NOT_CODE = frozenset(
    (
        *("__dict__", "__weakref__", "__module__", "__doc__", "__qualname__", "__slotnames__"),
        *("__firstlineno__", "__static_attributes__", "__annotations__", "__annotations_cache__"),
        *("__annotate__", "__annotate_func__", "__conditional_annotations__"),
        *("__abstractmethods__", "_abc_impl", "__orig_bases__", "__parameters__"),
    )
)
_ANNOTATIONS: Any = import_module("annotationlib") if sys.version_info >= (3, 14) else None
_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)


@register(types.FunctionType)
def _function(value: types.FunctionType) -> Parts:
    if is_library(value):
        within = list(code_within(value).items())
        return Parts("library function", [value.__module__, value.__qualname__, *within])
    reads = [(label, by_value_or_type(each)) for label, each in globals_of(value)]
    return Parts(
        "function",
        [
            normal_form(value.__code__).digest,
            value.__defaults__,
            value.__kwdefaults__,
            [by_value_or_type(each) for each in closed_over(value).values()],
            reads,
            vars(value),
        ],
    )


@register(type)
def _class(value: type) -> Parts:
    if is_library(value):
        return Parts("library class", [value.__module__, value.__qualname__])
    members = [(name, by_value_or_type(each)) for name, each in class_members(value)]
    name = [type(value), value.__module__, value.__qualname__]
    return Parts("class", [*name, value.__bases__, members, class_annotations(value)])


@register(types.ModuleType)
def _module(value: types.ModuleType) -> Parts:
    if is_library(value):
        return Parts("library", [value.__name__, version_of(value.__name__)])
    return Parts("module", [value.__name__, *module_contents(value)])


@register(types.MethodType)
def _method(value: types.MethodType) -> Parts:
    if is_library(value):
        return Parts("library function", [value.__self__.__class__.__module__, value.__name__])
    return Parts("method", [value.__func__, value.__self__])


@register(types.BuiltinFunctionType)
def _builtin(value: types.BuiltinFunctionType) -> Parts:
    if is_library(value):
        return Parts("library function", [type(value.__self__).__module__, value.__name__])
    owner = None if isinstance(value.__self__, types.ModuleType) else value.__self__
    return Parts("builtin", [value.__module__, value.__qualname__, owner])


@register(types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType)
def _descriptor(value: types.MethodDescriptorType) -> Parts:
    return Parts("builtin method", [value.__objclass__, value.__name__])


@register(*_SLOTS)
def _slot(value: types.MemberDescriptorType) -> Parts:
    return Parts("slot", [value.__name__])


@register(staticmethod, classmethod)
def _wrapped_method(value: staticmethod[..., object]) -> Parts:
    return Parts(type(value).__name__, [value.__func__])


@register(property)
def _property(value: property) -> Parts:
    return Parts("property", [value.fget, value.fset, value.fdel])


@register(functools.cached_property)
def _cached_property(value: functools.cached_property[object]) -> Parts:
    return Parts("cached_property", [value.func])


@register(functools.partial)
def _partial(value: functools.partial[object]) -> Parts:
    return Parts("partial", [type(value), value.func, value.args, value.keywords])


@register(functools.singledispatchmethod)
def _dispatched_method(value: functools.singledispatchmethod[object]) -> Parts:
    return Parts("singledispatchmethod", [value.dispatcher])


@register(functools._lru_cache_wrapper)
def _lru_cache(value: functools._lru_cache_wrapper[object]) -> Parts:
    return Parts("lru_cache", [value.__wrapped__])


@register(types.CellType)
def _cell(value: types.CellType) -> Parts:
    try:
        return Parts("cell", [value.cell_contents])
    except ValueError:
        return Parts("empty cell")


@register(types.CodeType)
def _code(value: types.CodeType) -> Parts:
    return Parts("code", [normal_form(value).digest])


def class_members(kind: type) -> Iterator[tuple[str, object]]:
    """The attributes of a class that decide what it does, sorted by name."""
    is_enum = issubclass(kind, enum.Enum)
    for name, value in sorted(vars(kind).items()):
        if name in _NOT_CODE or isinstance(value, _SLOTS):
            continue
        if is_enum and isinstance(value, kind):
            yield name, value.value  # type: ignore[attr-defined]  # a member of the enum
        elif not (is_enum and name.startswith("_") and name.endswith("_")):
            yield name, value


def class_annotations(kind: type) -> list[tuple[str, str]]:
    """The annotated attributes of a class, which decide the fields of a dataclass."""
    found = vars(kind).get("__annotations__") or _deferred_annotations(kind)
    return [
        (name, getattr(each, "__qualname__", None) or str(each)) for name, each in found.items()
    ]


def _deferred_annotations(kind: type) -> dict[str, object]:
    """The annotations of a class that nobody evaluated: as they are written, since Python 3.14.

    As text they need no name to exist yet, and asking leaves nothing in the class.
    """
    if _ANNOTATIONS is None:
        return {}
    annotate = _ANNOTATIONS.get_annotate_from_class_namespace(vars(kind))
    if annotate is None:
        return {}
    written = _ANNOTATIONS.call_annotate_function(annotate, _ANNOTATIONS.Format.STRING, owner=kind)
    return dict(written)


def by_value_or_type(value: object) -> object:
    """The value, or a word for its type where a value of that type has no digest."""
    if is_refused(type(value)):
        return f"some {type(value).__module__}.{type(value).__qualname__}"
    return value


def module_contents(module: types.ModuleType) -> list[object]:
    """What tells whether a module of the user's is what it was: its file, variables and code."""
    return [file_digest(module), plain_variables(module), own_code(module)]


def own_code(module: types.ModuleType) -> list[tuple[str, bytes]]:
    """The code that a module holds now: a reload may put other code into the same functions."""
    found = [(name, each) for name, each in vars(module).items() if _is_of(each, module)]
    members = [(f"{name}.{n}", f) for name, each in found for n, f in _functions_in(each)]
    return sorted((name, normal_form(each.__code__).digest) for name, each in members)


def _is_of(value: object, module: types.ModuleType) -> bool:
    if isinstance(value, types.FunctionType):
        return value.__globals__ is vars(module)
    return isinstance(value, type) and value.__module__ == module.__name__


def _functions_in(value: object) -> Iterator[tuple[str, types.FunctionType]]:
    """A function itself, or the methods of a class."""
    members = vars(value) if isinstance(value, type) else {"": value}
    for name, each in members.items():
        pieces = (getattr(each, part, None) for part in ("__func__", "fget", "fset", "func"))
        for piece in (each, *pieces):
            if isinstance(piece, types.FunctionType):
                yield name, piece


def plain_variables(module: types.ModuleType) -> dict[str, object]:
    """The numbers and strings that a module holds, which others may set: ``config.limit = 3``."""
    return {
        name: value
        for name, value in vars(module).items()
        if type(value) in PLAIN and not name.startswith("__")
    }


# By the identity of a module's spec, which every import and reload makes anew; it is kept alive.
_AS_LOADED: dict[int, tuple[object, bytes]] = {}


def file_digest(module: types.ModuleType) -> bytes:
    """Name the content of a module's file as it was when it was loaded; empty without a file.

    What was written to it since is nothing that runs here. Was it written to before anybody asked,
    then nobody knows what was loaded: the name is one that no other process gives.
    """
    spec = getattr(module, "__spec__", None)
    if id(spec) in _AS_LOADED:
        return _AS_LOADED[id(spec)][1]
    file = getattr(module, "__file__", None)
    if not file:
        return b""
    try:
        content = xxhash.xxh3_128_digest(Path(file).read_bytes())
        if spec is not None:
            content = os.urandom(16) if _is_newer(file, spec.cached) else content
            _AS_LOADED[id(spec)] = spec, content
    except OSError:
        return b""
    return content


def _is_newer(file: str, cached: str | None) -> bool:
    """Whether a file is not the one that its bytecode was made of, as far as there is any."""
    try:
        header = Path(cached or "").read_bytes()[:16]
    except OSError:
        return False
    flags, written, size = (int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12))
    now = os.stat(file)
    return flags == 0 and (written, size) != (int(now.st_mtime) % 2**32, now.st_size % 2**32)
