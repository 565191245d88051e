"""Arrays of numbers as bytes: dtype and shape, and the elements as they lie in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dagnb.values.codecs import Encoded
from dagnb.values.durable import Bytes

PLAIN_KINDS = "biufcSUmM"


def encode(value: object) -> Encoded | None:
    """Return an array as one piece, without copying it if it is contiguous; None for others.

    Examples
    --------
    >>> encoded = encode(np.eye(2))
    >>> encoded.meta, decode(encoded.meta, encoded.pieces).tolist()
    ({'dtype': '<f8', 'shape': [2, 2], 'order': 'C'}, [[1.0, 0.0], [0.0, 1.0]])
    """
    if type(value) is not np.ndarray or value.dtype.kind not in PLAIN_KINDS:
        return None
    if value.dtype.metadata or not value.dtype.itemsize:
        return None
    by_column = value.flags.f_contiguous and not value.flags.c_contiguous
    rows = value.T if by_column else np.ascontiguousarray(value)
    meta = {
        "dtype": value.dtype.str,
        "shape": list(value.shape),
        "order": "F" if by_column else "C",
    }
    elements: Any = rows.reshape(-1).view(np.uint8)  # its stub knows no buffers
    return Encoded("array", [memoryview(elements)], meta, told=[(0, elements.nbytes)])


def decode(meta: Mapping[str, Any], pieces: Sequence[Bytes]) -> Any:
    """Return the array; it uses the memory of its piece."""
    elements = np.frombuffer(pieces[0], np.dtype(meta["dtype"]))
    return elements.reshape(meta["shape"], order=meta["order"])
