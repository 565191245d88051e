"""Notebooks of random nodes, and what their values are, told in the simplest way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations
from pathlib import Path
from random import Random
from types import CodeType
from typing import Any, NamedTuple

from IPython.core.interactiveshell import InteractiveShell

from dagnb.events import Event, NodeSettled, NodeStarted
from dagnb.notebook.cells import parse_cell
from dagnb.notebook.session import Session

CONSTANTS = (0, 1, 2, 1.0, True)
OPERATIONS = (
    "v[0]", "(v * 2)[1]", "v[-1]", "max(v)", "sum(v) % 3", "len(v)", "v[0] > 1",
)  # fmt: skip  # some pass a value on as it is, some lose most of it
_COMPILED = [compile(each, "<operation>", "eval") for each in OPERATIONS]
NAMES = tuple(f"n{number}" for number in range(6))
GLOBALS = ("g0", "g1")
HELPERS = ("h0", "h1")  # h0 reads g1, and h1 calls h0


@dataclass(frozen=True)
class Spec:
    """A node as somebody would type it; ``comment`` is all that decides nothing."""

    inputs: tuple[str, ...] = ()
    operation: int = 0
    constant: int = 0
    default: int = 0
    is_function: bool = False
    reads: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    fails: bool = False
    comment: int = 0

    def source(self, name: str) -> str:
        """Return the text of the cell; it ends so that nothing is shown, as nobody looks."""
        terms = [*self.inputs, *self.reads, *(f"{each}()" for each in self.calls)]
        terms.append(repr(CONSTANTS[self.constant]))
        value = OPERATIONS[self.operation]
        if self.is_function:
            terms, value = sorted([*terms, "bonus"]), f"return {value}"
        value += ";"
        failure = ["raise ValueError(v)"] if self.fails else []
        comments = ["# a comment"] * self.comment
        lines = [*comments, f"v = [{', '.join(terms)}]", *failure, value]
        if not self.is_function:
            return "\n".join(lines)
        parameters = ", ".join([*self.inputs, f"bonus={CONSTANTS[self.default]!r}"])
        return "\n    ".join([f"def {name}({parameters}):", *lines])


class Outcome(NamedTuple):
    """What a node comes to: its value as text, ``failed`` or ``blocked``; and its key if it runs.

    A key is a node's name, its text without comments, all that its code reads, and its inputs.
    """

    state: str
    key: str = ""
    value: Any = None

    @property
    def has_value(self) -> bool:
        """Whether others can read it."""
        return self.state not in {"failed", "blocked"}


BLOCKED = Outcome("blocked")


@cache
def _compiled(source: str) -> CodeType:
    return compile(source, "<helpers>", "exec")


class Notebook:
    """The cells as they are now; values are computed anew whenever somebody asks."""

    def __init__(self) -> None:
        self.nodes: dict[str, Spec] = {}
        self.variables: dict[str, Any] = {"g0": 0, "g1": 1}
        self.added: dict[str, int] = {"h0": 0, "h1": 0}

    def helper_source(self, name: str) -> str:
        """Return the text of a helper function."""
        inner = "g1" if name == "h0" else "h0()"
        return f"def {name}():\n    return {inner} + {CONSTANTS[self.added[name]]!r}"

    def helper_code(self, name: str) -> CodeType:
        """Return the same compiled, as a cell that is run again without an edit has it."""
        return _compiled(self.helper_source(name))

    def help(self, name: str) -> Any:
        """Return what a helper function returns."""
        inner = self.variables["g1"] if name == "h0" else self.help("h0")
        return inner + CONSTANTS[self.added[name]]

    def outcomes(self) -> dict[str, Outcome]:
        """Compute all nodes from scratch."""
        found: dict[str, Outcome] = {}
        for name in self.nodes:
            self._compute(name, found)
        return found

    def _compute(self, name: str, found: dict[str, Outcome]) -> Outcome:
        if name not in self.nodes:
            return BLOCKED
        if name not in found:
            inputs = [self._compute(each, found) for each in self.nodes[name].inputs]
            found[name] = self._outcome(name, inputs)
        return found[name]

    def _outcome(self, name: str, inputs: Sequence[Outcome]) -> Outcome:
        if not all(each.has_value for each in inputs):
            return BLOCKED
        spec, given = self.nodes[name], [each.value for each in inputs]
        text = (replace(spec, comment=0) if spec.comment else spec).source(name)
        key = repr((name, text, self._read(spec), sorted(zip(spec.inputs, given, strict=True))))
        if spec.fails:
            return Outcome("failed", key)
        value = self._value(spec, given)
        return Outcome(repr(value), key, value)

    def _read(self, spec: Spec) -> list[tuple[str, Any]]:
        """Return the variables and helpers that code reads."""
        read = {each: self.variables[each] for each in spec.reads}
        if spec.calls:
            read.update({each: self.added[each] for each in ("h0", *spec.calls)})
            read["g1"] = self.variables["g1"]
        return sorted(read.items())

    def _value(self, spec: Spec, given: Sequence[Any]) -> Any:
        terms = [*given, *(self.variables[each] for each in spec.reads)]
        terms += [self.help(each) for each in spec.calls]
        if spec.is_function:
            labels = [*spec.inputs, *spec.reads, *(f"{each}()" for each in spec.calls), "bonus"]
            labels.append(repr(CONSTANTS[spec.constant]))
            terms += [CONSTANTS[spec.default], CONSTANTS[spec.constant]]
            terms = [value for _, value in sorted(zip(labels, terms, strict=True), key=_label)]
        else:
            terms.append(CONSTANTS[spec.constant])
        return eval(_COMPILED[spec.operation], {"v": terms})

    def state(self, name: str) -> str:
        """Return the value of a node as text, ``failed`` or ``blocked``."""
        return self._compute(name, {}).state

    def below(self, name: str) -> set[str]:
        """Return a node and all that read it, through others too."""
        found = {name}
        while more := {n for n, spec in self.nodes.items() if found & {*spec.inputs}} - found:
            found |= more
        return found


def _label(pair: tuple[str, Any]) -> str:
    return pair[0]


class Typed:
    """The same notebook in a session, as if its cells had been typed and run."""

    def __init__(self, shell: InteractiveShell, store: Path | None = None) -> None:
        self.shell = shell
        self.store = store
        self.namespace: dict[str, Any] = {}
        self.executed: list[str] = []
        self.interrupt_at = ""
        self.restart()

    def restart(self) -> None:
        """Begin a session that knows nothing but what is in its store."""
        self.session = Session(self.shell, self.namespace)
        self.session.store = self.store
        self.session.observers.append(self._note)

    def _note(self, event: Event) -> None:
        if isinstance(event, NodeStarted) and event.name == self.interrupt_at:
            raise KeyboardInterrupt
        if isinstance(event, NodeSettled) and event.result.executed:
            self.executed.append(str(event.result.name))

    def define(self, name: str, spec: Spec) -> None:
        """Define a node; nothing runs."""
        code = parse_cell(
            spec.source(name),
            name=name,
            namespace=self.namespace,
            node_names=self.session.nodes,
            transform=str,
            filename=f"<cell of {name}>",
        )
        self.session.define(code)

    def run(self, names: list[str] | None = None) -> list[str]:
        """Run, and return the nodes that were executed, in order."""
        self.executed.clear()
        self.session.run(names)
        return list(self.executed)

    def read(self, name: str) -> Any:
        """Read a variable, as a plain cell does."""
        self.session.cells.before(name)
        return self.namespace[name]

    def state(self, name: str) -> str:
        """Return the value as text, ``failed`` or ``blocked``; ``stale`` if it says so itself."""
        last = self.session.result(name)
        if last.status.value == "failed":
            return "failed"
        if not last.status.is_success:
            return "blocked"
        stale = self.session.is_stale(name) or name in self.session.stale()
        return "stale" if stale else repr(last.result)


TEXTS = [
    Spec((), operation, constant, default, is_function, reads, calls)
    for operation in range(len(OPERATIONS))
    for constant in range(len(CONSTANTS))
    for default in range(len(CONSTANTS))
    for is_function in (False, True)
    for reads in ((), (), ("g0",), ("g0", "g1"))
    for calls in ((), (), ("h0",), ("h1",))
]


def any_spec(chance: Random, names: Iterable[str]) -> Spec:
    """Choose a node that reads none, one or two of these names: two more often than not."""
    known = [*dict.fromkeys(names)]
    inputs = chance.choice([(), *((each,) for each in known), *permutations(known, 2)])
    return replace(chance.choice(TEXTS), inputs=inputs)
