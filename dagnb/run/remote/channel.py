"""Messages between two processes of one machine; large buffers go through shared memory.

A message is some bytes and some buffers. Buffers, and bytes if there are many, are written into a
file without a name, whose descriptor is sent along: the other side maps it, so that each byte is
copied once, by the side that sends. The mapping is private, and both sides may write to theirs.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
import struct
import tempfile
from collections import deque
from collections.abc import Sequence
from pickle import PickleBuffer
from typing import TypeAlias

Bytes: TypeAlias = bytes | bytearray | memoryview
Message: TypeAlias = tuple[Bytes, list[memoryview]]

LARGE_BYTES = 1 << 18
CHUNK_BYTES = 1 << 16
MOST_FILES = 16
_HEAD = struct.Struct("<QI")  # how many bytes, how many parts of a shared file
_ALIGNED = 64


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
        self._files: deque[int] = deque()

    def send(self, data: Bytes, buffers: Sequence[PickleBuffer] = ()) -> None:
        """Send a message.

        Raises
        ------
        OSError
            The other side has gone.
        """
        parts = [each.raw() for each in buffers]
        if len(data) >= LARGE_BYTES:
            data, parts = b"", [memoryview(data), *parts]
        sizes = [part.nbytes for part in parts]
        head = _HEAD.pack(len(data), len(parts)) + struct.pack(f"<{len(sizes)}Q", *sizes)
        if not parts:
            self._socket.sendall(head + data)
            return
        file = _shared(parts)
        try:
            sent = socket.send_fds(self._socket, [head], [file])
        finally:
            os.close(file)
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
        while self._files:
            os.close(self._files.popleft())

    def _is_ready(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def _read(self) -> None:
        try:
            data, files, _, _ = socket.recv_fds(self._socket, CHUNK_BYTES, MOST_FILES)
        except ConnectionResetError:
            data, files = b"", []
        if not data:
            raise EOFError("the other process has gone")
        self._data += data
        self._files += files

    def _message(self) -> Message | None:
        """Take a whole message from what was read, if there is one."""
        if len(self._data) < _HEAD.size:
            return None
        length, count = _HEAD.unpack_from(self._data)
        start = _HEAD.size + 8 * count
        if len(self._data) < start + length:
            return None
        sizes = struct.unpack_from(f"<{count}Q", self._data, _HEAD.size)
        data: Bytes = bytes(self._data[start : start + length])
        del self._data[: start + length]
        parts = _mapped(self._files.popleft(), sizes) if count else []
        return (data, parts) if length else (parts[0], parts[1:])


def _shared(parts: Sequence[memoryview]) -> int:
    """Write parts into a file that has no name, and return its descriptor."""
    file = _nameless()
    try:
        offset = 0
        for part in parts:
            _write(file, part, offset)
            offset += _room(part.nbytes)
        os.ftruncate(file, max(1, offset))
    except BaseException:
        os.close(file)
        raise
    return file


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("dagnb")
    file, name = tempfile.mkstemp(prefix="dagnb-")
    os.unlink(name)
    return file


def _write(file: int, part: memoryview, offset: int) -> None:
    done = 0
    while done < part.nbytes:
        done += os.pwrite(file, part[done:], offset + done)


def _mapped(file: int, sizes: Sequence[int]) -> list[memoryview]:
    try:
        whole = max(1, sum(map(_room, sizes)))
        access = mmap.PROT_READ | mmap.PROT_WRITE
        view = memoryview(mmap.mmap(file, whole, mmap.MAP_PRIVATE, access))
    finally:
        os.close(file)
    parts, offset = [], 0
    for size in sizes:
        parts.append(view[offset : offset + size])
        offset += _room(size)
    return parts


def _room(size: int) -> int:
    return (size + _ALIGNED - 1) // _ALIGNED * _ALIGNED
