"""Find everything that a function reads: a walk through its code and that of its helpers."""

from __future__ import annotations

import inspect
import os
import sys
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from types import BuiltinFunctionType, FunctionType, ModuleType

from dagnb.errors import DefinitionError, UncacheableValue
from dagnb.values.arrivals import as_it_came, digest_or_none, load_of
from dagnb.values.bytecode import Import, Load, Normal, normal_form
from dagnb.values.describe import describe, name_of, trouble_with
from dagnb.values.expand import REGISTERED, full_name
from dagnb.values.fingerprint import digest
from dagnb.values.functions import (
    class_annotations,
    class_members,
    module_contents,
)
from dagnb.values.guards import Guards
from dagnb.values.hazards import hazard, namespace_hazards, origin, path_hazard
from dagnb.values.memory import size_of
from dagnb.values.names import (
    Found,
    find,
    is_foreign,
    is_library,
    is_library_file,
    is_user_module,
    version_of,
)
from dagnb.values.pieces import (
    TABLES,
    Table,
    closed_over,
    code_within,
    defaults_of,
    holds_code,
    is_bound,
    is_code,
    pieces_of,
)
from dagnb.values.plain import PLAIN
from dagnb.values.sources import source_of
from dagnb.values.walk import combine

BIG_BYTES = 64 * 2**20
_MAKE_NODE = "all of it is looked at after every cell; as a node, only when something runs"
_DECLARE = "declare what its state follows from with depends= or files="


@dataclass(frozen=True, slots=True)
class Read:
    """One thing that code reads.

    Attributes
    ----------
    kind : str
        ``"variable"``, ``"function"``, ``"class"``, ``"module"``, ``"builtin"``,
        ``"environment"`` or ``"file"``.
    digest : str
        Names a variable's value, a function's own code, a library's version.
    text : str
        For people: a variable in one line, a function's source or signature.
    """

    kind: str
    digest: str
    text: str


class Reading:
    """What ``root`` reads, breadth first, so that labels are as short as can be.

    The read labelled with the empty string is ``root`` itself.
    """

    def __init__(self, root: object, skip: Collection[str]) -> None:
        self.reads: dict[str, Read] = {}
        self.nodes: dict[str, None] = {}
        self.undefined: dict[str, None] = {}
        self.warnings: dict[str, None] = {}
        self.guards = Guards()
        self._skip = skip
        self._home = getattr(inspect.unwrap(root) if callable(root) else root, "__globals__", None)
        self._followed: dict[int, str] = {}
        self._variables: set[tuple[int, str]] = set()
        self._waiting: deque[tuple[str, FunctionType]] = deque()
        self._alive: list[object] = []
        self._read("", root)
        while self._waiting:
            self._follow(*self._waiting.popleft())

    def _follow(self, label: str, function: FunctionType) -> None:
        """Read what the body of a function names."""
        normal = normal_form(function.__code__)
        for warning in namespace_hazards(normal.names):
            self._warn(label, warning)
        for load in normal.loads:
            self._read_global(label, load, function, normal)
        for name, value in closed_over(function).items():
            self._read(_dotted(label, name), value)
        for each in normal.imports:
            self._read_import(label, each, function.__globals__)
        for name, value in defaults_of(function):
            if is_code(value):
                self._read(_dotted(label, name), value)
        if "__wrapped__" in vars(function):
            self._read(_dotted(label, "__wrapped__"), vars(function)["__wrapped__"])

    def _read_global(self, label: str, load: Load, function: FunctionType, normal: Normal) -> None:
        namespace = function.__globals__
        if namespace is self._home and load.name in self._skip:
            self.nodes[load.name] = None
            return
        found = find(load, namespace)
        if found is None:
            self.guards.place(namespace, load.name, namespace)
            if load.name not in normal.stores:
                self.undefined[load.name] = None
            return
        for step in found.steps:
            self.guards.place(*step)
        if raised := trouble_with(found.value):
            raise DefinitionError(
                f"the variable {found.label!r} holds a {name_of(type(found.value))} that nothing "
                f"can look at: to ask for its class raised {raised}; mend that class"
            )
        self._warn(label, hazard(load, found, normal.keywords))
        self._read_found(label, found)
        if found.rest:
            self._read_attribute(label, found)

    def _read_attribute(self, label: str, found: Found) -> None:
        """Read what hangs on a function, and what somebody has put into a library."""
        path, value, owner, last = found.label, found.value, None, ""
        for name in found.rest:
            if not isinstance(value, FunctionType | ModuleType):
                break
            holder = vars(value)
            self.guards.place(holder, name, holder.get(name, holder))
            if name not in holder:
                self._read_made_up(_dotted(label, path), value)
                return
            path, value, owner, last = f"{path}.{name}", holder[name], value, name
        if owner is not None and is_foreign(owner, last, value):
            self._read(_dotted(label, path), value)

    def _read_found(self, label: str, found: Found) -> None:
        """Read a variable once, however many functions name it."""
        holder, name, value = found.steps[-1]
        if (id(holder), name) in self._variables:
            return
        self._variables.add((id(holder), name))
        self._read(_dotted(label, found.label), value)

    def _read_import(self, label: str, each: Import, namespace: Mapping[str, object]) -> None:
        """Read what an import statement in a body takes from a module."""
        name = _absolute(each, namespace)
        for path in each.names:
            full = f"{name}.{path}"
            self._warn(label, path_hazard(full, full, bare=False))
        module = sys.modules.get(name)
        if module is None:
            self._read_absent(_dotted(label, name), name)
            self.guards.checks["to come", name, each.names] = as_it_came(name, each.names)
        elif is_library(module) or not all(each.names):
            self._read(_dotted(label, name), module)
        else:
            self._read_names(label, module, each.names)

    def _read_names(self, label: str, module: ModuleType, names: Collection[str]) -> None:
        """Read attributes of a module of the user."""
        for path in names:
            found = find(load_of(path), vars(module))
            if found is None:
                self.undefined[f"{module.__name__}.{path}"] = None
                key = "to come", module.__name__, path
                self.guards.checks[key] = as_it_came(module.__name__, [path])
                self._read_made_up(_dotted(label, module.__name__), module)
                continue
            for step in found.steps:
                self.guards.place(*step)
            self._read_found(_dotted(label, module.__name__), found)

    def _read_made_up(self, label: str, module: object) -> None:
        """Read what a module of the user makes up names with that it does not hold."""
        maker = vars(module).get("__getattr__") if is_user_module(module) else None
        if maker is not None:
            self._read(_dotted(label, "__getattr__"), maker)

    def _read_absent(self, label: str, name: str) -> None:
        """A module that is not imported yet: as it will count then, or else by its file."""
        root = name.partition(".")[0]
        file = _file_of(root)
        if root in sys.stdlib_module_names or is_library_file(file):
            self.reads[label] = _library_module(name)
        elif file and root == name:
            module = ModuleType(name)
            module.__file__ = file
            self.reads[label] = self._module_file(module)
        else:
            self.reads[label] = Read("module", _hash("absent", name), name)

    def _read(self, label: str, value: object) -> None:
        """Record a value under a label, and go on to what it is made of."""
        first = self._followed.get(id(value))
        if first is not None:
            kind = "class" if isinstance(value, type) else "function"
            self.reads[label] = Read(kind, _hash("same as", first), describe(value))
        elif isinstance(value, ModuleType):
            self.reads[label] = self._module(value)
        elif is_library(value):
            self._read_library(label, value)
        elif isinstance(value, BuiltinFunctionType) and not is_bound(value):
            name = f"{value.__module__}.{value.__qualname__}"
            self.reads[label] = Read("builtin", _hash("builtin", name), value.__name__)
        else:
            self._read_own(label, value)

    def _read_library(self, label: str, value: object) -> None:
        """Record something installed, and the code of the user that it was made around."""
        self.reads[label] = _library(value)
        if isinstance(value, type):
            self._registered(label, value)
        for name, each in code_within(value).items():
            assert isinstance(value, FunctionType)
            self._mark(label, value)
            self.guards.body(value)
            self._read(_dotted(label, name), each)

    def _registered(self, label: str, kind: type) -> None:
        """Read what the user has said names the values of a type, if anything."""
        name = full_name(kind)
        self.guards.place(REGISTERED, name, REGISTERED.get(name, REGISTERED))
        if name in REGISTERED:
            self._read(_dotted(label, "digest"), REGISTERED[name])

    def _read_own(self, label: str, value: object) -> None:
        """Record something of the user's: code, a container of code, or a variable."""
        if isinstance(value, FunctionType):
            self._mark(label, value)
            self.guards.body(value)
            self.reads[label] = self._function(label, value)
            self._waiting.append((label, value))
        elif isinstance(value, type):
            self._mark(label, value)
            self._class(label, value)
        elif is_code(value):
            self._mark(label, value)
            self._pieces(label, value)
        elif isinstance(value, TABLES) and holds_code(value):
            self._mark(label, value)
            self._table(label, value)
        else:
            self._variable(label, value)

    def _mark(self, label: str, value: object) -> None:
        """Follow an object once; its ``id`` stays taken as long as this lives."""
        self._followed[id(value)] = label
        self._alive.append(value)

    def _function(self, label: str, function: FunctionType) -> Read:
        """A function by its own code and defaults."""
        tokens = [normal_form(function.__code__).digest]
        for name, value in defaults_of(function):
            token = "code" if is_code(value) else self._value(_dotted(label, name), value)
            tokens += [name.encode(), token.encode()]
        return Read("function", combine("function", tokens).hex(), source_of(function))

    def _class(self, label: str, kind: type) -> None:
        """A class by its name, bases and members; methods are read on their own."""
        self.guards.members(kind)
        above = kind.__bases__
        self.guards.checks["bases", id(kind), id(above)] = lambda: kind.__bases__ == above
        members = [(name, each) for name, each in class_members(kind)]
        names = [name for name, _ in members]
        bases = [base.__qualname__ for base in kind.__bases__]
        own = [kind.__qualname__, type(kind).__qualname__, names, bases, class_annotations(kind)]
        text = f"class {kind.__qualname__}({', '.join(bases)})"
        self.reads[label] = Read("class", digest(own), text)
        for base in (type(kind), *kind.__bases__):
            if base not in (object, type):
                self._read(_dotted(label, base.__name__), base)
        for name, value in members:
            self._read(_dotted(label, name), value)
        self._registered(label, kind)

    def _pieces(self, label: str, value: object) -> None:
        """Something made around functions: a partial, a method, a property."""
        kind = type(value).__name__
        pieces = pieces_of(value)
        self.reads[label] = Read("function", _hash("made of", kind), describe(value))
        for name, piece in pieces.items():
            self._read(_dotted(label, name), piece)

    def _table(self, label: str, table: Table) -> None:
        """A container of functions: its keys, and each function on its own."""
        items = table.items() if isinstance(table, dict) else enumerate(table)
        before = list(items)
        keys = self._value(label, [key for key, _ in before])
        kind = type(table).__name__
        self.reads[label] = Read("variable", _hash(kind, keys), describe(table))
        held = tuple(id(value) for _, value in before)
        self.guards.checks["items", id(table), keys, held] = lambda: _unchanged(table, before)
        for key, value in before:
            self._read(f"{label}[{describe(key)}]", value)

    def _variable(self, label: str, value: object) -> None:
        """A variable by value; one of a class of the user's also by its class."""
        named = self._value(label, value)
        self.reads[label] = Read("variable", named, describe(value))
        kind = type(value)
        if not is_library(kind) and kind not in PLAIN:
            self._read(_dotted(label, kind.__name__), kind)

    def _value(self, label: str, value: object) -> str:
        """Digest a value; what has none counts by its type, with a warning."""
        try:
            named = digest(value)
        except UncacheableValue:
            if not _only_waits(value):
                why = f"a {type(value).__qualname__} has no digest"
                self._warn("", f"{label} counts by its type only, since {why}; {_DECLARE}")
            return _hash("type", f"{type(value).__module__}.{type(value).__qualname__}")
        if type(value) not in PLAIN:
            size = size_of(value)
            if size >= BIG_BYTES:
                self._warn("", f"{label} holds {size / 2**20:,.0f} MB, and {_MAKE_NODE}")
            self.guards.checks["value", id(value), named] = lambda: digest_or_none(value) == named
        return named

    def _module(self, module: ModuleType) -> Read:
        if is_library(module):
            return _library(module)
        return self._module_file(module)

    def _module_file(self, module: ModuleType) -> Read:
        """A module of the user's that is used whole: as it was loaded, and as it is now."""
        file = getattr(module, "__file__", None)
        named = digest(module_contents(module))
        if file and module.__spec__ is None:  # nobody has imported it yet
            stamp = _stamp(file)
            self.guards.checks["file", file, stamp] = lambda: _stamp(file) == stamp
        self.guards.checks["module", id(module), named] = lambda: (
            digest(module_contents(module)) == named
        )
        return Read("module", _hash(module.__name__, named), f"module {module.__name__}")

    def _warn(self, label: str, warning: str | None) -> None:
        if warning is not None:
            self.warnings[f"{label}: {warning}" if label else warning] = None


def _dotted(label: str, name: str) -> str:
    return f"{label}.{name}" if label else name


def _hash(*words: str) -> str:
    return combine("", [word.encode("utf-8", "surrogatepass") for word in words]).hex()


def _library(value: object) -> Read:
    """Something installed: by name and version."""
    if isinstance(value, ModuleType):
        return _library_module(value.__name__)
    module, name = origin(value)
    kind = "class" if isinstance(value, type) else "function"
    if module == "builtins":
        return Read("builtin", _hash("builtin", f"{module}.{name}"), name)
    version = version_of(module)
    return Read(kind, _hash(module, name, version), f"{module}.{name} ({version})")


def _library_module(name: str) -> Read:
    version = version_of(name)
    return Read("module", _hash(name, version), f"{name} {version}")


def _file_of(root: str) -> str:
    """The file that importing a module would run; empty if there is none."""
    try:
        spec = find_spec(root)
    except (ImportError, ValueError):
        return ""
    file = spec.origin if spec is not None else None
    return file if file and os.path.exists(file) else ""


def _absolute(each: Import, namespace: Mapping[str, object]) -> str:
    """The full name of the module that an import statement names."""
    if not each.level:
        return each.module
    package = str(namespace.get("__package__") or "").split(".")
    parts = [*package[: len(package) - each.level + 1], each.module]
    return ".".join(part for part in parts if part)


def _unchanged(table: Table, before: list[tuple[object, object]]) -> bool:
    """Whether a container still holds the very same objects under the same keys."""
    items = list(table.items() if isinstance(table, dict) else enumerate(table))
    if len(items) != len(before):
        return False
    pairs = zip(chain.from_iterable(items), chain.from_iterable(before), strict=True)
    return all(now is then or (now == then and type(now) in PLAIN) for now, then in pairs)


def _only_waits(value: object) -> bool:
    """Whether a value only decides when something is computed, not what, as a lock does."""
    kind = type(value)
    return kind.__module__ in ("threading", "_thread") and kind.__name__ != "_local"


def _stamp(file: str) -> tuple[int, int] | None:
    """When a file was written, and its size."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
