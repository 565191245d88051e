"""How scipy's sparse arrays and matrices are taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types

import dagnb.values.numpy_arrays  # noqa: F401  # their parts are numpy's
from dagnb.values.expand import register
from dagnb.values.walk import Parts


@register(sparse.sparray, sparse.spmatrix)
def _sparse(value: Any) -> Parts:
    """By format and entries: sorted, duplicates added up, whatever the width of an index."""
    entries = value.tocoo(copy=True)
    entries.sum_duplicates()
    places = [np.asarray(each, dtype=np.int64) for each in entries.coords]
    return Parts("sparse", [type(value), value.shape, places, entries.data])
