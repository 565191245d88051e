"""What a node reads from outside: noticed while it runs, and offered as its inputs.

Python tells every ``open``, every listing of a folder and every look-up of a host to its audit
hooks. Such a hook cannot be taken away again, so there is one, put in place when a session first
runs a node; while no node runs, it looks at one context variable and returns. Libraries that open
files in C or Rust (polars, pyarrow) do not tell, so a file that the code names and leaves as it is
counts as read too. What threads and processes that the node starts read is not noticed.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from glob import has_magic, iglob
from itertools import islice
from pathlib import PurePath
from tempfile import gettempdir
from types import CodeType, FunctionType

from dagnb.values.bytecode import normal_form
from dagnb.values.layout import FOLDER
from dagnb.values.names import find, is_library_file, is_user_module

_FOLDERS = ("os.listdir", "os.scandir")
_HOSTS = "socket.getaddrinfo"
_EVENTS = frozenset(("open", "sqlite3.connect", _HOSTS, *_FOLDERS))
_WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_HERE = ("", "localhost", "127.0.0.1", "::1", "0.0.0.0")
_LONGEST = 1_000  # characters of a path
_MANY = 1_000  # files of a pattern


@dataclass(slots=True)
class Opened:
    """What a node read, in the order of its first use.

    Attributes
    ----------
    files : dict of str to bool
        By the name each was opened by: whether it was there to be read, before anything was
        written.
    folders : dict of str to None
        Those that were listed.
    hosts : dict of str to None
        Those that were looked up.
    """

    files: dict[str, bool] = field(default_factory=dict)
    folders: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)


_SINK: ContextVar[Opened | None] = ContextVar("files a node opened", default=None)
_MOST = 10_000  # of one node
_SYSTEM = ("/proc/", "/sys/", "/dev/")


@contextmanager
def noticed(function: Callable[..., object] | None = None) -> Iterator[Opened]:
    """Note what is opened in this context, and the files that a function names."""
    _listen()
    found = Opened()
    paths = [path for each in named_in(function) for path in _files(each)]
    named = {path: stamp for path in paths if (stamp := _stamp(path)) is not None}
    token = _SINK.set(found)
    try:
        yield found
    finally:
        _SINK.reset(token)
        for path, stamp in named.items():
            if _stamp(path) == stamp:
                found.files.setdefault(path, True)


def named_in(function: Callable[..., object] | None) -> Iterator[str]:
    """Yield what may be the name of a file in a function's strings, and in variables it reads."""
    if not isinstance(function, FunctionType):
        return
    for each in (*_strings(function.__code__), *_variables(function)):
        if isinstance(each, str | PurePath) and _looks_like_a_path(str(each)):
            yield str(each)


def _variables(function: FunctionType) -> Iterator[object]:
    """Yield the variables that a function reads, those of modules of the user's among them."""
    for load in normal_form(function.__code__).loads:
        value = function.__globals__.get(load.name)
        if load.attributes and is_user_module(value):
            found = find(load, function.__globals__)
            value = None if found is None else found.value
        yield value


def _strings(code: CodeType) -> Iterator[object]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _strings(each)
        else:
            yield each


def _looks_like_a_path(text: str) -> bool:
    return len(text) < _LONGEST and "\n" not in text and "\0" not in text and "." in text


def _files(path: str) -> Iterable[str]:
    """Return the files that a path or pattern stands for, as far as a look at one folder tells."""
    return islice(iglob(path), _MANY) if has_magic(path) and "**" not in path else (path,)


def _stamp(path: str) -> tuple[int, int] | None:
    """Return when a file was written, and its size; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else None


@cache
def _listen() -> None:
    """Put the hook in place, once for the process."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _EVENTS:
        return
    found = _SINK.get()
    if found is None or len(found.files) + len(found.folders) >= _MOST or not arguments:
        return
    if event == _HOSTS:
        _hear_of_host(found, arguments[0])
    elif event in _FOLDERS and _is_import():
        return
    elif arguments[0] is None or isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.fsdecode(arguments[0] or ".")
        if event in _FOLDERS:
            found.folders[path] = None
        else:
            found.files.setdefault(path, _reads(event, arguments))


def _hear_of_host(found: Opened, host: object) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if isinstance(name, str) and name not in _HERE:
        found.hosts[name] = None


def _is_import() -> bool:
    """Whether it is the search for a module that lists a folder."""
    return sys._getframe(2).f_code.co_filename.startswith("<frozen importlib")


def _reads(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether a file is opened for what it holds."""
    if event != "open":
        return True
    mode, flags = arguments[1:3] if len(arguments) > 2 else (None, 0)
    if isinstance(mode, str):
        return "r" in mode
    return not (isinstance(flags, int) and flags & _WRITES)


def inputs_among(opened: Opened, declared: Iterable[str] = ()) -> list[str]:
    """Return what was read and may be edited, by the names it was opened by: files, then folders.

    A folder counts for itself if none of its files was read.

    Parameters
    ----------
    opened : Opened
        As `noticed` yields it.
    declared : iterable of str
        Files, folders and patterns that are known; what they stand for is left out.
    """
    known = [os.path.abspath(os.path.expanduser(each)) for each in declared]
    read = [path for path, was_read in opened.files.items() if was_read and _is_data(path)]
    inside = [*known, *map(os.path.abspath, opened.files)]
    listed = [path for path in opened.folders if _is_data(path, stat.S_ISDIR)]
    alone = [path for path in listed if not _holds_any(path, inside)]
    return [path for path in [*read, *alone] if not _is_known(path, known)]


def _holds_any(folder: str, paths: Iterable[str]) -> bool:
    start = os.path.join(os.path.abspath(folder), "")
    return any(path.startswith(start) for path in paths)


def _is_data(path: str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> bool:
    """Whether a file is there, is of a kind, and no part of Python or of a library."""
    full = os.path.abspath(path)
    if full.startswith(_SYSTEM) or full.endswith((".py", ".pyc", ".so")) or is_library_file(full):
        return False
    if full.startswith(_no_data()) or f"{os.sep}{FOLDER}{os.sep}" in full or _comes_and_goes(full):
        return False
    try:
        return is_kind(os.stat(full).st_mode)
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
