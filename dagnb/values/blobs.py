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
import json
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, BinaryIO

import xxhash

from dagnb.errors import UncacheableValue
from dagnb.values import durable
from dagnb.values.codecs import Encoded, compact, decode
from dagnb.values.durable import Bytes, Damaged, Missing, Parts
from dagnb.values.expand import REGISTERED
from dagnb.values.fingerprint import digest
from dagnb.values.signature import has_signature, with_signature

FORMAT = 1
ALIGNMENT = 64
MAPPED_BYTES = 4 * 2**20  # what is larger is mapped into memory, not read
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
    """

    digest: str
    codec: str
    meta: dict[str, Any]
    libraries: dict[str, str]
    pieces: Sequence[tuple[int, str]]
    told: Sequence[tuple[int, int]]
    start: int
    is_untouched: bool

    @property
    def size(self) -> int:
        """The bytes of the value, without what is around them."""
        return sum(size for size, _ in self.pieces)


def look(path: Path, key: bytes) -> Blob:
    """Read the signed line of a file, and see whether all that it promises is there.

    Raises
    ------
    Damaged
        It is not what this user's dagnb wrote.
    """
    with _opened(path) as file:
        return _head(file, path, key)


def load(path: Path, key: bytes) -> Any:
    """Return the value; a large one uses the memory of the file, copied where it is written to.

    Raises
    ------
    Damaged
        It cannot be had.
    """
    with _opened(path) as file:
        blob = _head(file, path, key)
        pieces = _pieces(file, blob)
    if blob.codec == "pickle" or blob.size < MAPPED_BYTES or not blob.is_untouched:
        _check(path, blob, pieces)
    return decode(blob.codec, blob.meta, pieces)


def verify(path: Path, key: bytes) -> Blob:
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
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with durable.regular(path).open("rb") as file:
            yield file
    except FileNotFoundError:
        raise Missing(f"{path.name} is missing") from None
    except OSError as error:
        raise Damaged(f"{path.name} cannot be read ({error})") from error


def _head(file: BinaryIO, path: Path, key: bytes) -> Blob:
    line, signature = file.readline(LONGEST_LINE), file.readline(128)
    start, status = _aligned(file.tell()), os.fstat(file.fileno())
    if not has_signature(key, _PURPOSE, line, signature):
        raise Damaged(f"{path.name} was damaged, or signed with another key")
    head = json.loads(line)
    pieces = [(size, checksum) for size, checksum in head["pieces"]]
    if status.st_size != start + _length(pieces):
        raise Damaged(f"{path.name} is not what was written there")
    is_untouched = status.st_mtime_ns == head["time"] * SECOND_NS
    what = head["digest"], head["codec"], head["meta"], head["libraries"]
    return Blob(*what, pieces, head.get("told", ()), start, is_untouched)


def _pieces(file: BinaryIO, blob: Blob) -> list[memoryview]:
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


def _check(path: Path, blob: Blob, pieces: Sequence[Bytes]) -> None:
    for piece, (size, checksum) in zip(pieces, blob.pieces, strict=True):
        if len(piece) != size or not _is_as_written(blob, piece, checksum):
            raise Damaged(f"{path.name} is not what was written there")


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
