"""Digests of code: everything outside its inputs that decides what a function computes.

A function is its normalised bytecode and what that reads: global variables by value, helper
functions and classes by code and in turn by what they read, installed libraries by name and
version. Comments, formatting, docstrings and line numbers are no part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from dagnb.values.guards import Guards
from dagnb.values.reads import Read, Reading
from dagnb.values.walk import combine

__all__ = ["Change", "CodeDigest", "Read", "code_digest", "explain_change"]


@dataclass(frozen=True, slots=True)
class CodeDigest:
    """What decides the result of a function, apart from its arguments.

    Attributes
    ----------
    digest : str
        32 hexadecimal digits that name all of it.
    code : Read
        The function's own code and defaults.
    reads : mapping of str to Read
        What the code reads, by the dotted label that a user would give it: ``threshold``,
        ``helper``, ``helper.scale`` for a global that ``helper`` reads. A `Read` of a function
        names its own code only; what it reads has entries of its own.
    nodes : tuple of str
        The names from ``skip`` that were met, in helpers too.
    undefined : tuple of str
        Names that nothing defines now.
    warnings : tuple of str
        What the digest cannot see: code made at run time, chance, the clock, the environment.
    guards : Guards
        What tells whether all of it is still as it was.
    """

    digest: str
    code: Read
    reads: Mapping[str, Read]
    nodes: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    guards: Guards = field(default_factory=Guards, repr=False, compare=False)

    def is_current(self) -> bool:
        """Whether taking the digest again would give the same, without taking it again.

        Names, functions and scalars are compared by identity, about 50 ns each; only what can
        change in place is digested again. It may say no in vain, never yes.
        """
        return self.guards.hold()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two digests of code.

    Attributes
    ----------
    label : str
        What changed: ``helper.scale``; empty for the function's own code.
    kind : str
        ``"variable"``, ``"function"``, ``"class"``, ``"module"``, ``"builtin"``,
        ``"environment"``, ``"file"`` or ``"code"``.
    before, after : str or None
        Its description or source then and now; None if it was not, or is no longer, read.
    """

    label: str
    kind: str
    before: str | None
    after: str | None

    @property
    def what(self) -> str:
        """What changed, in words: ``global `threshold```."""
        if self.kind == "code":
            return "its code"
        return f"{_WORDS.get(self.kind, self.kind)} `{self.label.removeprefix(f'{self.kind} ')}`"

    def __str__(self) -> str:
        """One clause for people: ``global `threshold` changed from 3 to 5``."""
        what = self.what
        if self.kind == "code":
            return f"{what} changed"
        if self.before is None:
            return f"{what} is new"
        if self.after is None:
            return f"{what} is no longer read"
        if self.kind in ("variable", "module", "environment") and self.before != self.after:
            return f"{what} changed from {self.before} to {self.after}"
        return f"{what} changed"


_WORDS = {"variable": "global", "function": "helper", "environment": "environment variable"}


def code_digest(
    function: Callable[..., object], *, skip: Collection[str] = frozenset()
) -> CodeDigest:
    """Name everything outside its inputs that decides what a function computes.

    Parameters
    ----------
    function : callable
        A function; also a partial, a bound method, a class or an instance with ``__call__``.
    skip : collection of str, optional
        Global names that are inputs (nodes): not followed, but listed in ``nodes``. They count
        in the namespace of ``function`` only, not in the modules of its helpers.

    Returns
    -------
    CodeDigest

    Notes
    -----
    The digest depends on the minor version of Python, as bytecode does. Global variables are
    digested whole, at the speed of `dagnb.digest`.

    Examples
    --------
    >>> def area(width, height=2):
    ...     return width * height
    >>> def area_with_comment(width, height=2):
    ...     # the same
    ...     return width * height
    >>> code_digest(area).digest == code_digest(area_with_comment).digest
    True
    """
    reading = Reading(function, skip)
    own = reading.reads.pop("")
    tokens = [own.digest.encode(), *_tokens(reading)]
    return CodeDigest(
        combine("code digest", tokens).hex(),
        own,
        reading.reads,
        tuple(reading.nodes),
        tuple(reading.undefined),
        tuple(reading.warnings),
        reading.guards,
    )


def _tokens(reading: Reading) -> list[bytes]:
    """What was read, in an order that does not depend on how it was found."""
    reads = [f"{label}={read.digest}" for label, read in reading.reads.items()]
    absent = [f"node {name}" for name in reading.nodes] + [f"no {n}" for n in reading.undefined]
    return [each.encode("utf-8", "surrogatepass") for each in sorted(reads) + sorted(absent)]


def explain_change(old: CodeDigest, new: CodeDigest) -> list[Change]:
    """List what differs between two digests of one function, the deepest cause first.

    Parameters
    ----------
    old, new : CodeDigest

    Returns
    -------
    list of Change
        Empty if the two digests agree.

    Examples
    --------
    >>> limit = 3
    >>> def keep(x): return x > limit
    >>> before = code_digest(keep)
    >>> limit = 5
    >>> [str(change) for change in explain_change(before, code_digest(keep))]
    ['global `limit` changed from 3 to 5']
    """
    changes = [
        _change(label, old.reads.get(label), new.reads.get(label))
        for label in dict.fromkeys([*old.reads, *new.reads])
        if _digest_of(old.reads.get(label)) != _digest_of(new.reads.get(label))
    ]
    changes.sort(key=lambda change: -change.label.count("."))
    if old.code.digest != new.code.digest:
        changes.append(Change("", "code", old.code.text, new.code.text))
    return changes


def _digest_of(read: Read | None) -> str | None:
    return None if read is None else read.digest


def _change(label: str, old: Read | None, new: Read | None) -> Change:
    """At least one of the two is there."""
    known = new or old
    assert known is not None
    before = None if old is None else old.text
    return Change(label, known.kind, before, None if new is None else new.text)
