"""How Arrow tables and arrays are taken apart: type, length and contents.

How an array is cut into chunks, where a slice begins in its buffers and what lies under a
null say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dagnb.values.expand import register
from dagnb.values.walk import Parts


@register(pa.Table, pa.RecordBatch)
def _table(value: pa.Table) -> Parts:
    columns = [value.column(at) for at in range(value.num_columns)]
    return Parts(type(value).__name__, [value.column_names, columns])


@register(pa.ChunkedArray)
def _chunked(value: pa.ChunkedArray) -> Parts:
    return Parts("arrow array", [str(value.type), *_contents(value.type, value.chunks)])


@register(pa.Array)
def _array(value: pa.Array) -> Parts:
    return Parts("arrow array", [str(value.type), *_contents(value.type, [value])])


@register(pa.Scalar)
def _scalar(value: pa.Scalar) -> Parts:
    return Parts("arrow scalar", [str(value.type), value.as_py()])


@register(pa.DataType)
def _type(value: pa.DataType) -> Parts:
    return Parts("arrow type", [str(value)])


@register(pa.Schema, pa.Field)
def _schema(value: pa.Schema) -> Parts:
    return Parts(
        type(value).__name__,
        [
            value.to_string(show_schema_metadata=False)
            if isinstance(value, pa.Schema)
            else str(value)
        ],
    )


@register(pa.Buffer)
def _buffer(value: pa.Buffer) -> Parts:
    return Parts("arrow buffer", [xxhash.xxh3_128_digest(value)])


def _contents(kind: pa.DataType, chunks: Sequence[pa.Array]) -> list[object]:
    """Length, which elements are null, and the others."""
    length = sum(map(len, chunks))
    nulls = sum(chunk.null_count for chunk in chunks)
    validity = _hash([_bytes_of(chunk.is_valid()) for chunk in chunks]) if nulls else b""
    return [length, validity, *_values(kind, chunks)]


def _values(kind: pa.DataType, chunks: Sequence[pa.Array]) -> list[object]:
    """What is not null, by the family of the type."""
    types = pa.types
    if types.is_null(kind):
        return []
    if isinstance(kind, pa.BaseExtensionType):
        return _contents(kind.storage_type, [chunk.storage for chunk in chunks])
    if types.is_dictionary(kind):
        return _contents(kind.value_type, [chunk.dictionary_decode() for chunk in chunks])
    if types.is_boolean(kind):
        return [_hash([_bytes_of(chunk.fill_null(False)) for chunk in chunks])]
    if _is_text(kind):
        return _texts(chunks)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_map(kind):
        return _lists(kind, chunks)
    if types.is_primitive(kind):
        return [_hash([_fixed_width(chunk) for chunk in chunks])]
    return [[each for chunk in chunks for each in chunk.to_pylist()]]


def _is_text(kind: pa.DataType) -> bool:
    """Whether elements are strings or bytes of any length."""
    types = pa.types
    plain = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    raw = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(plain or raw)


def _texts(chunks: Sequence[pa.Array]) -> list[object]:
    """The lengths of all, then all bytes end to end."""
    plain = [_offsets_form(chunk) for chunk in chunks]
    lengths = [pc.binary_length(chunk).cast(pa.int64()) for chunk in plain]
    return [_hash(map(_fixed_width, lengths)), _hash(map(_characters, plain))]


def _offsets_form(chunk: pa.Array) -> pa.Array:
    """Strings as one run of bytes with 64-bit offsets, nothing under nulls."""
    if chunk.null_count:
        chunk = chunk.fill_null("" if "string" in str(chunk.type) else b"")
    return chunk.cast(pa.large_binary())


def _characters(chunk: pa.Array) -> Any:
    """The bytes of all strings of a chunk."""
    if not len(chunk):
        return b""
    offsets, content = memoryview(chunk.buffers()[1]).cast("q"), chunk.buffers()[2]
    start, end = offsets[chunk.offset], offsets[chunk.offset + len(chunk)]
    return memoryview(content)[start:end] if content is not None else b""


def _lists(kind: pa.DataType, chunks: Sequence[pa.Array]) -> list[object]:
    """The length of each list, then the elements of all, end to end."""
    lengths = [chunk.value_lengths().fill_null(0).cast(pa.int64()) for chunk in chunks]
    return [_hash(map(_fixed_width, lengths)), *_flattened(kind, chunks)]


def _flattened(kind: pa.DataType, chunks: Sequence[pa.Array]) -> list[object]:
    if pa.types.is_map(kind):
        return [[each for chunk in chunks for each in chunk.to_pylist()]]
    return _contents(kind.value_type, [chunk.flatten() for chunk in chunks])


def _fixed_width(chunk: pa.Array) -> Any:
    """The bytes of numbers, dates and times, with zeros under nulls."""
    width = chunk.type.bit_width // 8
    if chunk.null_count:
        numbers = {1: pa.uint8(), 2: pa.uint16(), 4: pa.uint32(), 8: pa.uint64()}[width]
        chunk = chunk.view(numbers).fill_null(0)
    content = chunk.buffers()[1]
    if content is None:
        return b""
    return memoryview(content)[chunk.offset * width : (chunk.offset + len(chunk)) * width]


def _bytes_of(chunk: pa.Array) -> Any:
    """Truth values, one byte each."""
    return _fixed_width(chunk.cast(pa.uint8()))


def _hash(pieces: Any) -> bytes:
    """Hash pieces end to end."""
    hasher = xxhash.xxh3_128()
    for piece in pieces:
        hasher.update(piece)
    return hasher.digest()
