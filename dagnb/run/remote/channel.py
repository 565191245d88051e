"""Messages between two processes of one machine; large buffers go through shared memory.

A message is some bytes and some shared files. Buffers, and bytes if there are many, are written
into a file without a name, whose descriptor is sent along: the other side maps it, so that each
byte is copied once, by the side that made it. The mapping is private, and all may write to theirs;
the file itself never changes, and can be passed on.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
import struct
import tempfile
import weakref
from collections import deque
from collections.abc import Sequence
from pickle import PickleBuffer
from typing import TypeAlias

Bytes: TypeAlias = bytes | bytearray | memoryview

LARGE_BYTES = 1 << 18
CHUNK_BYTES = 1 << 16
MOST_FILES = 250  # the system takes so many with one message
_HEAD = struct.Struct("<QI?")  # how many bytes, how many files, whether the bytes are the first
_COUNT = struct.Struct("<I")
_ALIGNED = 64


class SharedFile:
    """Parts of memory in a file without a name, which ends with the last who has it.

    Parameters
    ----------
    descriptor : int
        Is this object's from now on.
    sizes : sequence of int
        Of the parts, in bytes.
    """

    def __init__(self, descriptor: int, sizes: Sequence[int]) -> None:
        self.descriptor = descriptor
        self.sizes = tuple(sizes)
        self.close = weakref.finalize(self, os.close, descriptor)

    @classmethod
    def of(cls, parts: Sequence[Bytes]) -> SharedFile:
        """Return a file with copies of these parts."""
        views = [memoryview(part) for part in parts]
        file = cls(_nameless(), [view.nbytes for view in views])
        offset = 0
        for view in views:
            _write(file.descriptor, view, offset)
            offset += _room(view.nbytes)
        os.ftruncate(file.descriptor, max(1, offset))
        return file

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return sum(self.sizes)

    def parts(self) -> list[memoryview]:
        """Return the parts, to be read and written to; what is written is seen by nobody else."""
        whole = max(1, sum(map(_room, self.sizes)))
        access = mmap.PROT_READ | mmap.PROT_WRITE
        view = memoryview(mmap.mmap(self.descriptor, whole, mmap.MAP_PRIVATE, access))
        parts, offset = [], 0
        for size in self.sizes:
            parts.append(view[offset : offset + size])
            offset += _room(size)
        return parts


Message: TypeAlias = tuple[Bytes, list[SharedFile]]


def shared(buffers: Sequence[PickleBuffer]) -> list[SharedFile]:
    """Return one file with the contents of buffers, or none if there are no buffers."""
    return [SharedFile.of([each.raw() for each in buffers])] if buffers else []


class Channel:
    """One end of a connection. One thread at a time sends, and one receives.

    Parameters
    ----------
    end : socket.socket
        Of the family ``AF_UNIX``.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._data = bytearray()
        self._descriptors: deque[int] = deque()

    def send(self, data: Bytes, files: Sequence[SharedFile] = ()) -> None:
        """Send a message.

        Raises
        ------
        OSError
            The other side has gone.
        """
        is_large = len(data) >= LARGE_BYTES
        if is_large:
            files, data = [SharedFile.of([data]), *files], b""
        head = _HEAD.pack(len(data), len(files), is_large)
        for file in files:
            head += _COUNT.pack(len(file.sizes)) + struct.pack(f"<{len(file.sizes)}Q", *file.sizes)
        if not files:
            self._socket.sendall(head + data)
            return
        sent = socket.send_fds(self._socket, [head], [file.descriptor for file in files])
        self._socket.sendall(head[sent:] + data)

    def receive(self, seconds: float | None = None) -> Message | None:
        """Return the next message; None if it is not there after so many seconds.

        Raises
        ------
        EOFError
            The other side has gone.
        """
        while (message := self._message()) is None:
            if seconds is not None and not self._is_ready(seconds):
                return None
            self._read()
        return message

    def close(self) -> None:
        """Close it."""
        self._socket.close()
        while self._descriptors:
            os.close(self._descriptors.popleft())

    def _is_ready(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def _read(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._socket, CHUNK_BYTES, MOST_FILES)
        except ConnectionResetError:
            data, descriptors = b"", []
        if not data:
            raise EOFError("the other process has gone")
        self._data += data
        self._descriptors += descriptors

    def _message(self) -> Message | None:
        """Take a whole message from what was read, if there is one."""
        if len(self._data) < _HEAD.size:
            return None
        length, count, is_large = _HEAD.unpack_from(self._data)
        place, sizes = _HEAD.size, []
        for _ in range(count):
            if len(self._data) < place + _COUNT.size:
                return None
            (parts,) = _COUNT.unpack_from(self._data, place)
            place += _COUNT.size
            if len(self._data) < place + 8 * parts:
                return None
            sizes.append(struct.unpack_from(f"<{parts}Q", self._data, place))
            place += 8 * parts
        if len(self._data) < place + length:
            return None
        data: Bytes = bytes(self._data[place : place + length])
        del self._data[: place + length]
        files = [SharedFile(self._descriptors.popleft(), each) for each in sizes]
        return (files[0].parts()[0], files[1:]) if is_large else (data, files)


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("dagnb")
    file, name = tempfile.mkstemp(prefix="dagnb-")
    os.unlink(name)
    return file


def _write(file: int, part: memoryview, offset: int) -> None:
    done, flat = 0, part.cast("B") if part.nbytes else part
    while done < part.nbytes:
        done += os.pwrite(file, flat[done:], offset + done)


def _room(size: int) -> int:
    return (size + _ALIGNED - 1) // _ALIGNED * _ALIGNED
