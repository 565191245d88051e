"""Frames and tables as Arrow's files: of numbers, times and strings, whatever library they are of.

What Arrow would give back otherwise than it was (objects, categories, labels of several levels, the
frequency of an index) is left to pickle.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from dagnb.values.codecs import LARGE_BYTES, Encoded
from dagnb.values.durable import Bytes

NUMBERS = "biufmM"
FIXED_WIDTH = frozenset(("numbers", "times"))  # of strings there are places, which must be right


def encode(value: Any) -> Encoded | None:
    """Return a table or frame as one piece; None if Arrow would not give back the same.

    Examples
    --------
    >>> table = pa.table({"a": [1, 2]})
    >>> encoded = encode(table)
    >>> encoded.meta, decode(encoded.meta, encoded.joined).equals(table)
    ({'kind': 'table'}, True)
    """
    if type(value) is pa.Table:
        return _encoded(value, {"kind": "table"})
    polars, pandas = sys.modules.get("polars"), sys.modules.get("pandas")
    if polars is not None and type(value) is polars.DataFrame:
        return _encode_polars(value, polars)
    if pandas is not None and type(value) is pandas.DataFrame:
        return _encode_pandas(value, pandas)
    return None


def decode(meta: Mapping[str, Any], pieces: Sequence[Bytes]) -> Any:
    """Return the table or frame."""
    if meta["kind"] == "polars":
        return import_module("polars").read_ipc(bytes(pieces[0]), use_pyarrow=False)
    table = pa.ipc.open_file(pa.py_buffer(pieces[0])).read_all()
    return table if meta["kind"] == "table" else _decode_pandas(meta, table)


def _encoded(table: Any, meta: dict[str, Any], *, is_told: bool = False) -> Encoded:
    """Return a table as Arrow's file; ``is_told`` says that all it holds are numbers."""
    sink = _Sink()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return Encoded("arrow", [tuple(sink.parts)], meta, told=[*sink.views()] if is_told else [])


class _Sink(io.RawIOBase):
    """Takes a file of Arrow's in parts: what is large stays where the table has it."""

    def __init__(self) -> None:
        self.parts: list[Bytes] = []

    def writable(self) -> bool:
        """Say so to Arrow."""
        return True

    def write(self, part: Any, /) -> int:
        """Keep a view of a column, or a copy of what is small."""
        view = memoryview(part)
        if view.nbytes >= LARGE_BYTES:
            self.parts.append(view)
        elif self.parts and isinstance(self.parts[-1], bytearray):
            self.parts[-1] += view
        else:
            self.parts.append(bytearray(view))
        return view.nbytes

    def views(self) -> Iterator[tuple[int, int]]:
        """Yield where columns are that stay where the table has them, and their bytes."""
        start = 0
        for part in self.parts:
            size = memoryview(part).nbytes
            if isinstance(part, memoryview):
                yield start, size
            start += size


# polars


def _encode_polars(frame: Any, polars: Any) -> Encoded | None:
    if any(kind in (polars.Object, polars.Categorical) for kind in frame.schema.values()):
        return None
    buffer = frame.write_ipc(None, compression="uncompressed")
    return Encoded("arrow", [buffer.getbuffer()], {"kind": "polars"})


# pandas


def _encode_pandas(frame: Any, pandas: Any) -> Encoded | None:
    index = _index_of(frame.index, pandas)
    if index is None or not _has_plain_labels(frame, pandas):
        return None
    columns = [column for _, column in frame.items()]
    if index[0] != "range":
        columns.insert(0, frame.index)
    kinds = [_kind_of(each.dtype, pandas) for each in columns]
    if None in kinds:
        return None
    arrays = [_to_arrow(each) for each in columns]
    table = pa.Table.from_arrays(arrays, [str(at) for at in range(len(arrays))])
    meta = {"kind": "pandas", "names": list(frame.columns), "index": index, "dtypes": kinds}
    return _encoded(table, meta, is_told=all(kind and kind[0] in FIXED_WIDTH for kind in kinds))


def _has_plain_labels(frame: Any, pandas: Any) -> bool:
    labels = frame.columns
    if type(labels) is not pandas.Index or labels.name is not None or frame.attrs:
        return False
    names = list(labels)
    is_plain = bool(names) and all(type(name) is str for name in names)
    return is_plain and frame.flags.allows_duplicate_labels and labels.equals(pandas.Index(names))


def _index_of(index: Any, pandas: Any) -> list[Any] | None:
    """Return how to make an index; None if it is one of those that are left to pickle."""
    if index.name is not None and type(index.name) is not str:
        return None
    if type(index) is pandas.RangeIndex:
        return ["range", index.name, index.start, index.stop, index.step]
    if type(index) is pandas.Index:
        return ["index", index.name]
    return ["times", index.name] if type(index) is pandas.DatetimeIndex and not index.freq else None


def _kind_of(dtype: Any, pandas: Any) -> list[str] | None:
    """Return how to make a dtype; None if Arrow would not give back what it holds."""
    if isinstance(dtype, pandas.StringDtype):
        return ["string", dtype.storage, "NA" if dtype.na_value is pandas.NA else "nan"]
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return ["times", str(dtype)]
    is_plain = isinstance(dtype, np.dtype) and dtype.kind in NUMBERS
    return ["numbers", dtype.str] if is_plain and dtype.isnative and dtype.itemsize <= 8 else None


def _to_arrow(column: Any) -> Any:
    """Return a column as Arrow has it; NaN stays NaN, with all its bits."""
    if isinstance(column.dtype, np.dtype):
        return pa.array(column.to_numpy(), from_pandas=False)
    if hasattr(column.dtype, "tz"):
        return pa.array(column.array.asi8)
    array = column.array.__arrow_array__()
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _decode_pandas(meta: Mapping[str, Any], table: Any) -> Any:
    pandas = import_module("pandas")
    columns = [
        _from_arrow(column, kind, pandas)
        for column, kind in zip(table.columns, meta["dtypes"], strict=True)
    ]
    kind, name, *span = meta["index"]
    if kind == "range":
        index = pandas.RangeIndex(*span, name=name)
    else:
        make = pandas.DatetimeIndex if kind == "times" else pandas.Index
        index = make(columns.pop(0), name=name)
    frame = pandas.DataFrame(dict(enumerate(columns)), index=index, copy=True)
    frame.columns = pandas.Index(meta["names"])
    return frame


def _from_arrow(column: Any, kind: Sequence[str], pandas: Any) -> Any:
    if kind[0] == "string":
        missing = pandas.NA if kind[2] == "NA" else float("nan")
        return pandas.StringDtype(kind[1], na_value=missing).__from_arrow__(column)
    if kind[0] == "times":
        dtype = pandas.api.types.pandas_dtype(kind[1])
        moments = pandas.DatetimeIndex(column.to_numpy().view(f"M8[{dtype.unit}]"))
        return moments.tz_localize("UTC").tz_convert(dtype.tz)
    return column.to_numpy().astype(kind[1], copy=False)  # without rows it has no unit of time
