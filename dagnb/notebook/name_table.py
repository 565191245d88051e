"""What has happened to the names of one scope, at the place that a walk has come to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from dagnb.notebook.bindings import Assigned, mangled

Kind: TypeAlias = Literal["body", "class", "function"]


class NameTable:
    """The names of a cell's body, a class body, or a nested function.

    `owner` is the innermost class around the code, which private names (``__x``) belong to.
    """

    def __init__(self, kind: Kind, bound: Iterable[str] = (), owner: str = "") -> None:
        self.kind = kind
        self.owner = owner
        self.bound: Assigned = {self.spelled(name) for name in bound}
        self.seen = set(self.bound)
        self.reads: dict[str, None] = {}
        self.quoted: dict[str, None] = {}
        self.early: set[str] = set()
        self.shared: set[str] = set()
        self.hidden: frozenset[str] = frozenset()
        self.functions: dict[str, tuple[str, ...]] = {}
        self.called: dict[str, set[str]] = {}  # with which names assigned, at the least

    def spelled(self, name: str) -> str:
        """Return a name as the compiler does, which puts the class into a private one."""
        return mangled(name, self.owner)

    def read(self, name: str) -> None:
        """Note that `name` is looked up here."""
        name = self.spelled(name)
        if name in self.hidden:
            return
        if self.bound is not None and name not in self.bound:
            self.reads.setdefault(name)
            if name not in self.seen:
                self.early.add(name)
        if name in self.functions:
            self._call(name)

    def bind(self, name: str) -> None:
        """Note that `name` is assigned here."""
        name = self.spelled(name)
        self.seen.add(name)
        if self.bound is not None:
            self.bound.add(name)

    def unbind(self, name: str) -> None:
        """Note that `name` is gone after this place."""
        name = self.spelled(name)
        self.seen.add(name)
        if self.bound is not None:
            self.bound.discard(name)

    def flush(self) -> None:
        """Look into the functions that were defined and never used."""
        for name in self.functions:
            if name not in self.called:
                self._call(name)

    def _call(self, name: str) -> None:
        """Read what the function `name` reads, if fewer names are assigned than at its last use."""
        now, before = self.bound, self.called.get(name)
        if now is None or (before is not None and before <= now):
            return
        self.called[name] = set(now) if before is None else now & before
        hidden, self.hidden = self.hidden, frozenset()
        for each in self.functions[name]:
            self.read(each)
        self.hidden = hidden
