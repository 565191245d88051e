"""Which files a node opens to read: noticed while it runs, and offered as its inputs.

Python tells every ``open`` to its audit hooks. Such a hook cannot be taken away again, so there
is one, put in place when a session first runs a node; while no node runs, it looks at one
context variable and returns. Libraries that open files in C or Rust (polars, pyarrow) do not
tell, nor do threads and processes that the node starts; what they read has to be declared unasked.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase
from functools import cache
from tempfile import gettempdir

from dagnb.values.layout import FOLDER
from dagnb.values.names import is_library_file

_EVENTS = frozenset(("open", "sqlite3.connect"))
_WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
# By the name each was opened by: whether it was there to be read, before anything was written.
Opened = dict[str, bool]
_SINK: ContextVar[Opened | None] = ContextVar("files a node opened", default=None)
_MOST = 10_000  # of one node
_SYSTEM = ("/proc/", "/sys/", "/dev/")


@contextmanager
def noticed() -> Iterator[Opened]:
    """Note the files that are opened in this context, in their order."""
    _listen()
    found: Opened = {}
    token = _SINK.set(found)
    try:
        yield found
    finally:
        _SINK.reset(token)


@cache
def _listen() -> None:
    """Put the hook in place, once for the process."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _EVENTS:
        return
    found = _SINK.get()
    if found is None or len(found) >= _MOST or not arguments:
        return
    if isinstance(arguments[0], str | bytes | os.PathLike):
        found.setdefault(os.fsdecode(arguments[0]), _reads(event, arguments))


def _reads(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether a file is opened for what it holds."""
    if event != "open":
        return True
    mode, flags = arguments[1:3] if len(arguments) > 2 else (None, 0)
    if isinstance(mode, str):
        return "r" in mode
    return not (isinstance(flags, int) and flags & _WRITES)


def inputs_among(opened: Opened, declared: Iterable[str] = ()) -> list[str]:
    """Return those files that were read and may be edited, by the names they were opened by.

    Parameters
    ----------
    opened : dict of str to bool
        As `noticed` yields them.
    declared : iterable of str
        Files, folders and patterns that are known; what they stand for is left out.
    """
    known = [os.path.abspath(os.path.expanduser(each)) for each in declared]
    read = [path for path, was_read in opened.items() if was_read and _is_data(path)]
    return [path for path in read if not _is_known(path, known)]


def _is_data(path: str) -> bool:
    """Whether a file is there, is a plain one, and no part of Python or of a library."""
    full = os.path.abspath(path)
    if full.startswith(_SYSTEM) or full.endswith((".py", ".pyc", ".so")) or is_library_file(full):
        return False
    if full.startswith(_no_data()) or f"{os.sep}{FOLDER}{os.sep}" in full or _comes_and_goes(full):
        return False
    try:
        return stat.S_ISREG(os.stat(full).st_mode)
    except OSError:
        return False


def _no_data() -> tuple[str, ...]:
    """Return the folders of Python, and of settings and caches."""
    home = os.path.expanduser("~")
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return sys.prefix + os.sep, sys.base_prefix + os.sep, os.path.join(home, "."), caches


def _comes_and_goes(path: str) -> bool:
    """Whether a file is a temporary one, and not of a notebook that is one itself."""
    temporary = gettempdir() + os.sep
    folder = path[: path.find(os.sep, len(temporary)) + 1] or path
    return path.startswith(temporary) and not f"{os.getcwd()}{os.sep}".startswith(folder)


def _is_known(path: str, known: list[str]) -> bool:
    """Whether a file is declared: by its name, by a folder above it, or by a pattern."""
    full = os.path.abspath(path)
    inside = any(full == each or full.startswith(each + os.sep) for each in known)
    return inside or any(fnmatchcase(full, each) for each in known)
