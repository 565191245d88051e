"""What code depends on though it does not name it: said by the user, and looked at like the rest.

``depends`` are names that the code reaches by ``eval`` or ``getattr``; ``env`` are variables of
the environment; ``files`` are files, folders and patterns, which count by what they hold.
"""

from __future__ import annotations

import keyword
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import xxhash

from dagnb.values.code import CodeDigest, code_digest
from dagnb.values.describe import describe
from dagnb.values.fingerprint import digest
from dagnb.values.reads import Read
from dagnb.values.walk import combine

_BLOCK = 1 << 20
_PATTERN = frozenset("*?[")
# What is called like this is not shown, since notebooks are saved with what they show.
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "AUTH")
NO_FILE = "missing"
OUTSIDE = ("environment", "file")
# Within one tick of a file system's clock, a file may change and look the same.
_TICK_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Declared:
    """What a node depends on beside what its code names.

    Attributes
    ----------
    depends : tuple of str
        Names of variables, functions or classes, dotted through the user's modules.
    env : tuple of str
        Variables of the environment.
    files : tuple of str
        Files, folders and patterns, relative to the folder that the notebook runs in.

    Raises
    ------
    TypeError, ValueError
        Something is no name, no variable or no path.
    """

    depends: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for option in ("depends", "env", "files"):
            for each in getattr(self, option):
                if not isinstance(each, str):
                    raise TypeError(f"{option} is a list of names, and {each!r} is none")
        for name in self.depends:
            if not all(map(_is_name, name.split("."))):
                raise ValueError(f"depends: {name!r} is no name; write names as the code would")
        for name in self.env:
            if not name or "=" in name or "\0" in name:
                raise ValueError(f"env: {name!r} is no variable; write its name alone, as PATH")
        for name in self.files:
            if not name or "\0" in name:
                raise ValueError(f"files: {name!r} is no file; write its path, or a pattern")

    def __bool__(self) -> bool:
        return bool(self.depends or self.env or self.files)


NOTHING = Declared()


def _is_name(word: str) -> bool:
    return word.isidentifier() and not keyword.iskeyword(word)


def with_declared(
    code: CodeDigest,
    declared: Declared,
    namespace: Mapping[str, object],
    skip: Collection[str] = frozenset(),
) -> CodeDigest:
    """Return a digest of code that also names what was declared, as it is now.

    Parameters
    ----------
    code : CodeDigest
    declared : Declared
    namespace : mapping of str to object
        Where the names are looked up: the globals of the code.
    skip : collection of str, optional
        Names that are inputs, as for `code_digest`.

    Examples
    --------
    >>> import os
    >>> os.environ["SCALE"] = "2"
    >>> code, declared = code_digest(lambda: 1), Declared(env=("SCALE",))
    >>> before = with_declared(code, declared, {})
    >>> os.environ["SCALE"] = "3"
    >>> with_declared(code, declared, {}).digest == before.digest, before.is_current()
    (False, False)
    """
    if not declared:
        return code
    named = _named(declared.depends, namespace, skip)
    guards = code.guards.joined(named.guards)
    reads = {**named.reads, **code.reads}
    tokens = [code.digest, named.digest]
    outside = zip(OUTSIDE, (declared.env, declared.files), (_variable, _file), strict=True)
    for kind, names, look in outside:
        for name in sorted(names):
            seen = reads[f"{kind} {name}"] = look(name)
            tokens += [kind, name, seen.digest]
            guards.checks[kind, name, seen.digest] = partial(_is_same, look, name, seen.digest)
    encoded = [each.encode("utf-8", "surrogatepass") for each in tokens]
    return replace(
        code,
        digest=combine("declared", encoded).hex(),
        reads=reads,
        nodes=tuple(dict.fromkeys([*code.nodes, *named.nodes])),
        undefined=tuple(dict.fromkeys([*code.undefined, *named.undefined])),
        guards=guards,
    )


def _named(
    names: Collection[str], namespace: Mapping[str, object], skip: Collection[str]
) -> CodeDigest:
    """Take the digest of code that names nothing but these."""
    source = f"lambda: [{', '.join(sorted(names))}]"
    own: Any = namespace  # a function's globals are a dict, as the notebook's variables are
    function: Callable[..., object] = eval(compile(source, "<declared>", "eval"), own)
    return code_digest(function, skip=skip)


def _is_same(look: Callable[[str], Read], name: str, before: str) -> bool:
    return look(name).digest == before


def _variable(name: str) -> Read:
    """A variable of the environment by its value; that it is not set is one, too."""
    value = os.environ.get(name)
    if value is None:
        return Read("environment", digest(value), "not set")
    hidden = any(word in name.upper() for word in _SECRETS)
    return Read("environment", digest(value), "a value not shown" if hidden else describe(value))


def _file(name: str) -> Read:
    """A file by its content, a folder or pattern by all files that it stands for."""
    found = {str(each): content_digest(each) for each in _files(Path(os.path.expanduser(name)))}
    lines = [f"{each}: {_size(each):,} bytes, content {found[each][:8]}" for each in found]
    return Read("file", digest(found), "\n".join(lines) or NO_FILE)


def _files(path: Path) -> Iterator[Path]:
    """The files that a name stands for, in one order; none if there are none."""
    if os.path.isdir(path):
        yield from sorted(filter(os.path.isfile, path.rglob("*")))
    elif _PATTERN.isdisjoint(str(path)) or os.path.exists(path):
        yield from [path] if os.path.isfile(path) else []
    else:
        root = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(root)) if path.is_absolute() else str(path)
        yield from sorted(filter(os.path.isfile, root.glob(pattern)))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


_CONTENTS: dict[str, tuple[tuple[int, ...], str]] = {}


def content_digest(path: Path) -> str:
    """Name the content of a file; it is read again only if it may have changed."""
    key = os.path.abspath(path)
    try:
        stamp = _stamp(key)
        known = _CONTENTS.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        named = _read(key)
    except OSError as error:
        return f"unreadable: {type(error).__name__}"
    if time.time_ns() - stamp[0] > _TICK_NS and _stamp(key) == stamp:
        _CONTENTS[key] = stamp, named
    return named


def _stamp(path: str) -> tuple[int, ...]:
    """What changes when a file is written, replaced or cut."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _read(path: str) -> str:
    hasher = xxhash.xxh3_128()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()
