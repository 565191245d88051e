"""Files that are either whole or not there, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar
from weakref import WeakValueDictionary

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
except ImportError:  # Windows, or Python in a browser
    flock = None  # type: ignore[assignment]  # asked for before it is used

PREFIX, SUFFIX = ".dagnb-", ".tmp"
CHUNK = 64 * 2**20  # so that an interrupt does not wait for a gigabyte
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

Bytes: TypeAlias = bytes | bytearray | memoryview
Parts: TypeAlias = tuple[Bytes, ...]  # that stand end to end, and are read as one
AnyPath = TypeVar("AnyPath", str, Path)


class Damaged(Exception):
    """A value cannot be had; its text says why."""


class Missing(Damaged):
    """A value is not there (any more)."""


def write_temporary(
    folder: str | Path, *pieces: Bytes, sync: bool = True, time_ns: int | None = None
) -> str:
    """Write a new file with a name of its own; return the name.

    Parameters
    ----------
    folder : path
    *pieces : bytes
        What to write, one after the other.
    sync : bool
        Whether to wait until it is on the disk.
    time_ns : int, optional
        The time at which it shall seem to have been written.

    Raises
    ------
    OSError
        It cannot be written (disk full, no permission); nothing is left behind.
    """
    name = f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
    path = os.path.join(folder, name)
    handle = os.open(path, NEW, 0o600)
    try:
        try:
            for piece in pieces:
                _write_all(handle, memoryview(piece).cast("B"))
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)
        if time_ns is not None:
            os.utime(path, ns=(time_ns, time_ns))
    except BaseException:
        os.unlink(path)
        raise
    return name


def _write_all(handle: int, rest: memoryview) -> None:
    while len(rest):
        rest = rest[os.write(handle, rest[:CHUNK]) :]


def replace(folder: Path, temporary: str, name: str) -> None:
    """Give a temporary file its name, in place of one that is there, in one step."""
    os.replace(folder / temporary, folder / name)


def place(temporary: str | Path, path: str | Path) -> None:
    """Give a temporary file its path in one step; if that cannot be, it is removed.

    The folder is made if it is not there: asking first would take as long as the step.
    """
    try:
        try:
            os.replace(temporary, path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
            os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; where folders cannot be synced, nothing."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_temporary(name: str) -> bool:
    """Whether a file of this name was made by `write_temporary`."""
    return name.startswith(PREFIX) and name.endswith(SUFFIX)


def regular(path: AnyPath) -> AnyPath:
    """Return the path of a plain file; reading anything else could hang or lead elsewhere.

    Raises
    ------
    Damaged
        It is something else.
    OSError
        There is no telling.
    """
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise Damaged(f"{os.path.basename(path)} is not a plain file")
    return path


class Claim:
    """Keeps a folder to one writer at a time, by a lock that ends with its process.

    Where folders cannot be locked (Windows, some network drives) it keeps nobody out.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    is_needed : callable or None
        Says whether the writing goes on; None while it has not begun. A claim that an interrupt
        left behind gives way to the next one of its process.

    Raises
    ------
    BlockingIOError
        Another claim holds, of this process or of another one.
    """

    _handle = -1

    def __init__(self, folder: Path) -> None:
        self.is_needed: Callable[[], bool] | None = None
        self._thread = threading.current_thread()
        if flock is None:
            return
        self._handle = os.open(folder, os.O_RDONLY)
        try:
            self._lock()
        except BaseException:
            self.release()
            raise

    def _lock(self) -> None:
        status = os.fstat(self._handle)
        place = status.st_dev, status.st_ino
        other = _claims.get(place)
        if other is not None and other.is_abandoned():
            other.release()
        try:
            flock(self._handle, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            return
        _claims[place] = self

    def is_abandoned(self) -> bool:
        """Whether nobody writes under this claim any more, or ever will."""
        if self.is_needed is not None:
            return not self.is_needed()
        return self._thread is threading.current_thread() or not self._thread.is_alive()

    def release(self) -> None:
        """Let others in; a process forked meanwhile does not keep them out."""
        if self._handle < 0:
            return
        with contextlib.suppress(OSError):
            flock(self._handle, LOCK_UN)
        handle, self._handle = self._handle, -1
        os.close(handle)

    def __del__(self) -> None:
        self.release()


_claims: WeakValueDictionary[tuple[int, int], Claim] = WeakValueDictionary()  # of this process
