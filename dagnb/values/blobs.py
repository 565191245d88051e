"""One value in one file: a signed line that says what follows, then the bytes.

::

    {"format": 1, "digest": ..., "codec": ..., "pieces": [[size, checksum], ...], ...}
    <HMAC of that line>
    <the pieces, each at a multiple of 64 bytes>

A pickle is checked as a whole, by the SHA-256 in its signed line, before it is read. What runs no
code when it is read is checked by xxh3, ten times as fast, and a large file only if its time of
change is not the one in the line: then somebody wrote to it, or it was copied. The numbers of a
large array or frame need no checksum: the digest that names it is made of the same bytes, and was
taken when it was computed.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from itertools import accumulate, chain
from os.path import basename
from typing import Any

import xxhash

from dagnb.errors import UncacheableValue
from dagnb.values import durable
from dagnb.values.codecs import Encoded, compact, decode, parsed
from dagnb.values.durable import Bytes, Damaged, Missing, Parts
from dagnb.values.expand import REGISTERED
from dagnb.values.fingerprint import digest
from dagnb.values.signature import SIGNATURE_BYTES, has_signature, with_signature

FORMAT = 1
ALIGNMENT = 64
MAPPED_BYTES = 4 * 2**20  # what is larger is mapped into memory, not read
LINES_BYTES = 4096
LONGEST_LINE = 2**24
SECOND_NS = 10**9
_PURPOSE = b"dagnb value "


@dataclass(frozen=True, slots=True)
class Blob:
    """What the signed line of a file says.

    Attributes
    ----------
    digest : str
        Names the value.
    codec : str
    meta : dict
    libraries : dict of str to str
    pieces : list of (int, str)
        Sizes and checksums.
    told : list of (int, int)
        Which bytes of the only piece have no checksum, as the digest tells them: place and size.
    start : int
        Where the first piece begins.
    is_untouched : bool
        Whether nobody seems to have written to the file since.
    identity : tuple of int
        Which file it was, and in which state: another one has to be looked at again.
    """

    digest: str
    codec: str
    meta: dict[str, Any]
    libraries: dict[str, str]
    pieces: Sequence[tuple[int, str]]
    told: Sequence[tuple[int, int]]
    start: int
    is_untouched: bool
    identity: tuple[int, ...]

    @property
    def size(self) -> int:
        """The bytes of the value, without what is around them."""
        return sum(size for size, _ in self.pieces)


def look(path: str, key: bytes) -> Blob:
    """Read the signed line of a file, and see whether all that it promises is there.

    Raises
    ------
    Damaged
        It is not what this user's dagnb wrote.
    """
    with _opened(path) as file:
        return _head(file, path, key)


def load(path: str, key: bytes, looked: Blob | None = None) -> Any:
    """Return the value; a large one uses the memory of the file, copied where it is written to.

    Parameters
    ----------
    path : str
    key : bytes
    looked : Blob, optional
        What its signed line said before; counts if the file is still the same.

    Raises
    ------
    Damaged
        It cannot be had.
    """
    with _opened(path) as file:
        is_same = looked is not None and looked.identity == _identity(os.fstat(file.fileno()))
        blob = looked if looked is not None and is_same else _head(file, path, key)
        pieces = _pieces(file, blob)
    if blob.codec == "pickle" or blob.size < MAPPED_BYTES or not blob.is_untouched:
        _check(path, blob, pieces)
    return decode(blob.codec, blob.meta, pieces)


def verify(path: str, key: bytes) -> Blob:
    """Check every byte of a file, without making the value.

    Raises
    ------
    Damaged
        It is not what this user's dagnb wrote.
    """
    with _opened(path) as file:
        blob = _head(file, path, key)
        _check(path, blob, _pieces(file, blob))
    return blob


@contextmanager
def _opened(path: str) -> Iterator[FileIO]:
    try:
        with FileIO(durable.regular(path)) as file:
            yield file
    except FileNotFoundError:
        raise Missing(f"{basename(path)} is missing") from None
    except OSError as error:
        raise Damaged(f"{basename(path)} cannot be read ({error})") from error


def _head(file: FileIO, path: str, key: bytes) -> Blob:
    line, signature = _lines(file)
    start, status = _aligned(len(line) + len(signature)), os.fstat(file.fileno())
    if not has_signature(key, _PURPOSE, line, signature):
        raise Damaged(f"{basename(path)} was damaged, or signed with another key")
    head = parsed(line)
    pieces = [(size, checksum) for size, checksum in head["pieces"]]
    is_it = basename(path) == f"{head['digest']}.{head['codec']}"
    if not is_it or status.st_size != start + _length(pieces):
        raise Damaged(f"{basename(path)} is not what was written there")
    is_untouched = status.st_mtime_ns == head["time"] * SECOND_NS
    what = head["digest"], head["codec"], head["meta"], head["libraries"]
    return Blob(*what, pieces, head.get("told", ()), start, is_untouched, _identity(status))


def _lines(file: FileIO) -> tuple[bytes, bytes]:
    """Return the signed line of a file and its signature; the line is seldom a long one."""
    text = file.read(LINES_BYTES)
    while text.find(b"\n", 0, -SIGNATURE_BYTES) < 0 and len(text) < LONGEST_LINE:
        more = file.read(len(text))
        if not more:
            break
        text += more
    end = text.find(b"\n") + 1
    return text[:end], text[end : end + SIGNATURE_BYTES]


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """Return what differs if a file was replaced, or written to in place at another time."""
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *times


def _pieces(file: FileIO, blob: Blob) -> list[memoryview]:
    if blob.size < MAPPED_BYTES:
        file.seek(0)
        whole = memoryview(bytearray(file.read()))
    else:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    found, start = [], blob.start
    for size, _ in blob.pieces:
        found.append(whole[start : start + size])
        start = _aligned(start + size)
    return found


def _check(path: str, blob: Blob, pieces: Sequence[Bytes]) -> None:
    for piece, (size, checksum) in zip(pieces, blob.pieces, strict=True):
        if len(piece) != size or not _is_as_written(blob, piece, checksum):
            raise Damaged(f"{basename(path)} is not what was written there")


def _is_as_written(blob: Blob, piece: Bytes, checksum: str) -> bool:
    if _checksum(blob.codec, _untold((piece,), blob.told)) != checksum:
        return False
    return not blob.told or _content_digest(blob, piece) == blob.digest


def _content_digest(blob: Blob, piece: Bytes) -> str:
    value = decode(blob.codec, blob.meta, [piece])
    if blob.codec == "array":
        from dagnb.values.numpy_arrays import content_digest  # there is numpy where an array is

        return content_digest(value)
    try:
        return digest(value)
    except UncacheableValue:  # by what somebody has registered meanwhile
        return ""


def _untold(parts: Parts, told: Sequence[tuple[int, int]]) -> Parts:
    """Return those bytes of a piece that the digest of the value does not tell."""
    if not told:
        return parts
    ends = list(accumulate(memoryview(each).nbytes for each in parts))
    edges = [0, *chain.from_iterable((start, start + size) for start, size in told), ends[-1]]
    return tuple(
        memoryview(part).cast("B")[max(low - begin, 0) : max(high - begin, 0)]
        for part, begin in zip(parts, [0, *ends], strict=False)
        for low, high in zip(edges[::2], edges[1::2], strict=True)
    )


def _has_other_names() -> bool:
    """Whether somebody registered what names arrays or frames: that need not tell all of them."""
    return any(name.startswith(("numpy.", "pandas.")) for name in REGISTERED)


def contents(encoded: Encoded, digest: str, key: bytes, seconds: int) -> list[Bytes]:
    """Return what to write for a value, as views of its memory where that is possible.

    Parameters
    ----------
    encoded : Encoded
    digest : str
        Names the value.
    key : bytes
        Signs the first line.
    seconds : int
        When it is written; the file has to be given this time.
    """
    sizes = [sum(memoryview(each).nbytes for each in parts) for parts in encoded.parts]
    told = [] if sizes[0] < MAPPED_BYTES or _has_other_names() else encoded.told
    checksums = [_checksum(encoded.codec, _untold(each, told)) for each in encoded.parts]
    head = {
        "format": FORMAT,
        "digest": digest,
        "codec": encoded.codec,
        "meta": encoded.meta,
        "libraries": encoded.libraries,
        "pieces": list(zip(sizes, checksums, strict=True)),
        "told": told,
        "time": seconds,
    }
    first = with_signature(key, _PURPOSE, compact(head))
    written: list[Bytes] = [first, _padding(len(first))]
    for parts, size in zip(encoded.parts, sizes, strict=True):
        written += [*parts, _padding(size)]
    return written[:-1]


def _checksum(codec: str, parts: Parts) -> str:
    hasher = hashlib.sha256() if codec == "pickle" else xxhash.xxh3_128()
    for each in parts:
        hasher.update(each)
    return str(hasher.hexdigest())


def _aligned(at: int) -> int:
    return -(-at // ALIGNMENT) * ALIGNMENT


def _padding(size: int) -> bytes:
    return bytes(_aligned(size) - size)


def _length(pieces: Sequence[tuple[int, str]]) -> int:
    """Return the bytes from the beginning of the first piece to the end of the last."""
    return sum(_aligned(size) for size, _ in pieces[:-1]) + pieces[-1][0]
