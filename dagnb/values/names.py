"""What the global names of a function stand for, and which code is the user's own."""

from __future__ import annotations

import builtins
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TypeGuard

from dagnb.values.bytecode import Load, normal_form
from dagnb.values.plain import PLAIN

_BUILTINS: dict[str, object] = vars(builtins)
_HEAP_TYPE = 1 << 9
_ABSENT = object()
_PYTHON = sys.version.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Found:
    """What a global name, and the attributes read from it, stand for.

    Attributes
    ----------
    label : str
        The part of the dotted name that was followed: through modules, no further.
    value : object
    rest : tuple of str
        The attributes that were not followed.
    steps : tuple of (mapping, str, object)
        What each namespace held under which name; an object that is the mapping itself says
        that the name was not in it.
    """

    label: str
    value: object
    rest: tuple[str, ...]
    steps: tuple[tuple[Mapping[str, object], str, object], ...]


def find(load: Load, namespace: Mapping[str, object]) -> Found | None:
    """Look a name up as the interpreter would, through the attributes of the user's modules."""
    steps: list[tuple[Mapping[str, object], str, object]] = []
    value = namespace.get(load.name, _ABSENT)
    if value is _ABSENT:
        steps.append((namespace, load.name, namespace))
        value = _BUILTINS.get(load.name, _ABSENT)
        if value is _ABSENT:
            return None
        steps.append((_BUILTINS, load.name, value))
    else:
        steps.append((namespace, load.name, value))
    label, rest = load.name, load.attributes
    while rest and is_user_module(value) and rest[0] in vars(value):
        holder = vars(value)
        value = holder[rest[0]]
        steps.append((holder, rest[0], value))
        label, rest = f"{label}.{rest[0]}", rest[1:]
    return Found(label, value, rest, tuple(steps))


def is_user_module(value: object) -> TypeGuard[ModuleType]:
    """Whether a value is a module that the user wrote."""
    return isinstance(value, ModuleType) and not is_library_module(value.__name__)


def globals_of(function: FunctionType) -> Iterator[tuple[str, object]]:
    """The label and value of every global that a function reads and that exists."""
    for load in normal_form(function.__code__).loads:
        found = find(load, function.__globals__)
        if found is not None:
            yield found.label, found.value


def is_library(value: object) -> bool:
    """Whether a function, class or module belongs to an installed library or to Python."""
    if isinstance(value, FunctionType):
        return is_library_code(value.__code__)
    if isinstance(value, ModuleType):
        return is_library_module(value.__name__)
    if isinstance(value, type):
        if not value.__flags__ & _HEAP_TYPE:
            return True
        return value.__module__ != "builtins" and is_library_module(value.__module__)
    return isinstance(value, MethodType | BuiltinFunctionType) and _is_exported(value)


def _is_exported(method: MethodType | BuiltinFunctionType) -> bool:
    """Whether a library offers a bound method as a function, as ``random.randint``."""
    name = type(method.__self__).__module__
    offered = getattr(sys.modules.get(name), method.__name__, None)
    return offered is method and is_library_module(name)


def is_library_module(name: str) -> bool:
    """Whether the module of this name is installed, not written by the user."""
    if name == "__main__":
        return False
    if name.partition(".")[0] in ("dagnb", "builtins"):
        return True
    module = sys.modules.get(name)
    if module is None:
        return False
    file = getattr(module, "__file__", None)
    return is_library_file(file) if file else getattr(module, "__spec__", None) is not None


def is_library_code(code: CodeType) -> bool:
    """Whether code comes from an installed file."""
    return is_library_file(code.co_filename)


@lru_cache(maxsize=4096)
def is_library_file(file: str) -> bool:
    """Whether a file is part of Python, of an installed package or of dagnb itself."""
    if file.startswith("<frozen "):
        return True
    if "site-packages" in file or "dist-packages" in file:
        return True
    return file.startswith(_LIBRARY_FOLDERS)


def is_foreign(owner: object, name: str, value: object) -> bool:
    """Whether what hangs on a function or a library did not come with it, or can be told whole."""
    if isinstance(owner, FunctionType) or type(value) in PLAIN:
        return not isinstance(value, ModuleType)
    if not isinstance(value, FunctionType | BuiltinFunctionType | type):
        return False
    home = str(getattr(value, "__module__", "")).partition(".")[0]
    return home != owner.__name__.partition(".")[0] or value.__name__ != name  # type: ignore[attr-defined]  # a module


def version_of(name: str) -> str:
    """The installed version of the library that a module belongs to, imported or not."""
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names:
        return _PYTHON
    own = vars(sys.modules[root]).get("__version__") if root in sys.modules else None
    return _installed_version(root, own if isinstance(own, str) else None)


@lru_cache(maxsize=1024)
def _installed_version(root: str, own: str | None) -> str:
    """Look for a version: of the distribution that is named alike, its own, or any other's."""
    try:
        return metadata.version(root)
    except (metadata.PackageNotFoundError, ValueError):
        pass
    if own is not None:
        return own
    owners = _distributions().get(root)
    return metadata.version(owners[0]) if owners else _PYTHON


@lru_cache(maxsize=1)
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()  # takes a while: it reads what all of them hold


def _library_folders() -> tuple[str, ...]:
    keys = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = {sysconfig.get_path(key) for key in keys} | {__file__.rpartition("values")[0]}
    return tuple(path.rstrip("/\\") + "/" for path in paths if path)


_LIBRARY_FOLDERS = _library_folders()
