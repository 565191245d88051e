"""How Arrow tables and arrays are taken apart: type, length and contents.

How an array is cut into chunks, where a slice begins in its buffers and what lies under a
null say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dagnb.values.expand import register
from dagnb.values.walk import Parts

try:  # which Arrow can do without
    import numpy as np
except ImportError:
    np = None  # type: ignore[assignment]  # then texts are copied before they are hashed

_SHORT, _NARROW = 12, 1 << 8
_WITH_OFFSETS = (pa.large_string(), pa.large_binary())


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
        return _dictionary(kind, chunks)
    if types.is_boolean(kind):
        return [_hash([_bytes_of(chunk.fill_null(False)) for chunk in chunks])]
    if types.is_string_view(kind) or types.is_binary_view(kind):
        return _views(chunks)
    if _is_text(kind):
        return _texts(chunks)
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(kind, chunks)
    if types.is_primitive(kind):
        return [_hash([_fixed_width(chunk) for chunk in chunks])]
    return [[each for chunk in chunks for each in chunk.to_pylist()]]


def _dictionary(kind: pa.DictionaryType, chunks: Sequence[pa.Array]) -> list[object]:
    """Codes and what they stand for, numbered anew in the order of their first use.

    So another coding of the same elements is the same, and no text is read more than once.
    """
    words = _offsets_type(kind.value_type)
    if not (_is_text(words) or pa.types.is_primitive(words)):
        return _contents(words, [chunk.dictionary_decode() for chunk in chunks])
    coded = _coded(words, chunks).unify_dictionaries().chunks
    if not _is_set(coded[0].dictionary):
        plain = [chunk.dictionary_decode() for chunk in coded]
        coded = pa.chunked_array(plain, words).dictionary_encode().unify_dictionaries().chunks
    codes = pa.chunked_array([chunk.indices for chunk in coded])
    used, numbers = _numbered(codes, len(coded[0].dictionary))
    used_words = coded[0].dictionary.take(used)
    return [*_contents(numbers.type, numbers.chunks), *_contents(words, [used_words])]


def _coded(words: pa.DataType, chunks: Sequence[pa.Array]) -> pa.ChunkedArray:
    """At least one chunk, whose dictionaries hold words of a given type."""
    make = pa.DictionaryArray.from_arrays
    if not chunks:
        return pa.chunked_array([make(pa.array([], pa.int32()), pa.array([], words))])
    return pa.chunked_array([make(each.indices, each.dictionary.cast(words)) for each in chunks])


def _numbered(codes: pa.ChunkedArray, words: int) -> tuple[pa.Array, pa.ChunkedArray]:
    """Return the codes in use, in the order of their first use, and the number of each element."""
    narrow = codes.cast(pa.uint8()) if words <= _NARROW else codes
    used = narrow.unique().drop_null()
    places = [0] * words
    for place, code in enumerate(used.to_pylist()):
        places[code] = place
    return used, pa.chunked_array([pa.array(places, pa.int32())]).take(narrow)


def _is_set(words: pa.Array) -> bool:
    """Whether no word of a dictionary is missing or there twice."""
    return not words.null_count and pc.count_distinct(words).as_py() == len(words)


def _is_text(kind: pa.DataType) -> bool:
    """Whether elements are strings or bytes of any length."""
    types = pa.types
    plain = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    raw = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(plain or raw)


def _texts(chunks: Sequence[pa.Array]) -> list[object]:
    """Where each one ends when all bytes stand end to end, and those bytes."""
    plain = [_offsets_form(chunk) for chunk in chunks]
    return [_hash(_ends(plain)), _hash(map(_characters, plain))]


def _ends(chunks: Sequence[pa.Array]) -> Iterator[Any]:
    """Where the bytes of each text end, counted from the first chunk on."""
    total = 0
    for chunk in chunks:
        if len(chunk):
            start, end = _bounds(chunk)
            buffers = [None, chunk.buffers()[1]]
            ends = pa.Array.from_buffers(pa.int64(), len(chunk), buffers, offset=chunk.offset + 1)
            yield _fixed_width(ends if total == start else pc.add(ends, total - start))
            total += end - start


def _views(chunks: Sequence[pa.Array]) -> list[object]:
    """Texts that are all short stand in their views, 16 bytes each, and nowhere else."""
    if np is None or any(chunk.null_count for chunk in chunks):
        return _texts(chunks)
    views = [np.frombuffer(chunk.buffers()[1] or b"", np.uint32) for chunk in chunks]
    views = [each[_span(chunk, 4)] for each, chunk in zip(views, chunks, strict=True)]
    if any((each[::4] > _SHORT).any() for each in views):
        return _texts(chunks)
    return ["short", _hash(each.data for each in views)]


def _offsets_form(chunk: pa.Array) -> pa.Array:
    """Strings as one run of bytes with 64-bit offsets, nothing under nulls."""
    if chunk.type not in _WITH_OFFSETS or chunk.null_count:
        chunk = chunk.cast(pa.large_binary())
    return chunk.fill_null(b"") if chunk.null_count else chunk


def _offsets_type(kind: pa.DataType) -> pa.DataType:
    """The type with offsets for one with views, for which Arrow can do less."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def _characters(chunk: pa.Array) -> Any:
    """The bytes of all strings of a chunk."""
    content = chunk.buffers()[2] if len(chunk) else None
    return memoryview(content)[slice(*_bounds(chunk))] if content is not None else b""


def _bounds(chunk: pa.Array) -> tuple[int, int]:
    """Where the bytes of the strings of a chunk begin and end."""
    offsets = memoryview(chunk.buffers()[1]).cast("q")
    return offsets[chunk.offset], offsets[chunk.offset + len(chunk)]


def _lists(kind: pa.DataType, chunks: Sequence[pa.Array]) -> list[object]:
    """The length of each list, then the elements of all, end to end."""
    lengths = [chunk.value_lengths().fill_null(0).cast(pa.int64()) for chunk in chunks]
    elements = [chunk.flatten() for chunk in chunks]
    return [_hash(map(_fixed_width, lengths)), *_contents(kind.value_type, elements)]


def _fixed_width(chunk: pa.Array) -> Any:
    """The bytes of numbers, dates and times, with zeros under nulls."""
    width = chunk.type.bit_width // 8
    if chunk.null_count:
        numbers = {1: pa.uint8(), 2: pa.uint16(), 4: pa.uint32(), 8: pa.uint64()}[width]
        chunk = chunk.view(numbers).fill_null(0)
    content = chunk.buffers()[1]
    if content is None:
        return b""
    return memoryview(content)[_span(chunk, width)]


def _span(chunk: pa.Array, width: int) -> slice:
    """Where the elements of a chunk lie in its buffer."""
    return slice(chunk.offset * width, (chunk.offset + len(chunk)) * width)


def _bytes_of(chunk: pa.Array) -> Any:
    """Truth values, one byte each."""
    return _fixed_width(chunk.cast(pa.uint8()))


def _hash(pieces: Any) -> bytes:
    """Hash pieces end to end."""
    hasher = xxhash.xxh3_128()
    for piece in pieces:
        hasher.update(piece)
    return hasher.digest()
