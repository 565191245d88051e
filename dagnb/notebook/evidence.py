"""What a node's execution started from, and how two such starts differ."""

from __future__ import annotations

import difflib
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dagnb.results import Deferred, NodeResult
from dagnb.values.code import CodeDigest, explain_change
from dagnb.values.describe import describe
from dagnb.values.difference import differences
from dagnb.values.plain import PLAIN

_SMALL_BYTES = 1 << 24
_MOST_LINES = 20
_SHOWN = PLAIN | {list, tuple, dict, set, frozenset}


class Kept:
    """A value to look at later, if it is still there then: looking back keeps nothing large."""

    def __init__(self, value: object) -> None:
        self._get: Callable[[], object] = lambda: None
        if isinstance(value, Deferred) or (type(value) in PLAIN and not isinstance(value, str)):
            return
        try:
            self._get = weakref.ref(value)
        except TypeError:
            if sys.getsizeof(value) <= _SMALL_BYTES:
                self._get = lambda: value

    def differences(self, now: Kept) -> list[str]:
        """Say how another value differs from this one; nothing if either is gone."""
        old, new = self._get(), now._get()
        return [] if old is None or new is None else differences(old, new)


@dataclass(frozen=True, slots=True)
class Given:
    """An input: the digest of its value, its description, and the value if it is there.

    Attributes
    ----------
    digest : str or None
    text : str
    is_whole : bool
        Whether the description shows all there is.
    kept : Kept
    """

    digest: str | None
    text: str
    is_whole: bool
    kept: Kept

    @classmethod
    def of(cls, result: NodeResult) -> Given:
        """Return what is known of a node's value."""
        text = describe(result.held)
        whole = type(result.held) in _SHOWN and "..." not in text
        return cls(result.digest, text, whole, Kept(result.held))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a node's last execution started from.

    Attributes
    ----------
    source : str
    code : CodeDigest
    inputs : mapping of str to Given
    """

    source: str
    code: CodeDigest
    inputs: Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class InputChange:
    """An input that is another value than before; looked at when somebody asks."""

    name: str
    before: Given
    after: Given

    def lines(self) -> Iterator[str]:
        """Yield both descriptions, and how the values differ where those do not show it."""
        before, after = self.before.text, self.after.text
        whole = self.before.is_whole and self.after.is_whole
        found = [] if whole else self.before.kept.differences(self.after.kept)
        if before != after:
            yield f"{self.name}: {before} -> {after}"
        elif not found:
            yield f"{self.name}: {after}, other values"
        yield from (f"{self.name}{'' if line[0] in '[.' else ': '}{line}" for line in found)


Clue = str | InputChange


def told(clues: Iterable[Clue]) -> tuple[str, ...]:
    """Return clues as lines."""
    return tuple(
        line
        for each in clues
        for line in ([each] if isinstance(each, str) else each.lines())
    )  # fmt: skip


def compare(old: Evidence, new: Evidence) -> tuple[list[str], list[Clue]]:
    """Return what differs between two executions: clauses for a sentence, and clues."""
    clauses: list[str] = []
    clues: list[Clue] = []
    if old.code.code.digest != new.code.code.digest:
        clauses.append("its code changed")
        clues += source_diff(old.source, new.source)
    for change in explain_change(old.code, new.code):
        if change.kind == "code" or (clauses and None in (change.before, change.after)):
            continue  # that it reads other things now follows from its new code
        clauses.append(str(change))
        if change.kind in ("function", "class", "file") and change.before and change.after:
            clues += source_diff(change.before, change.after)
    for name, given in new.inputs.items():
        before = old.inputs.get(name)
        if before is None:
            clauses.append(f"it now reads {name}")
        elif given.digest is None or given.digest != before.digest:
            clauses.append(f"its input {name} changed")
            clues.append(InputChange(name, before, given))
    clauses += [f"it no longer reads {name}" for name in old.inputs if name not in new.inputs]
    return clauses, clues


def source_diff(old: str, new: str) -> list[str]:
    """Return the lines that differ, marked with - and +; of very many, the first ones."""
    unified = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    lines = [line for line in unified if not line.startswith(("---", "+++", "@@"))]
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"... and {more:,} lines more"]
