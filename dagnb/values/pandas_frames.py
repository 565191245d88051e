"""How pandas' frames, series, indexes and extension arrays are taken apart.

Columns are read one by one, so how pandas groups them in memory says nothing. ``attrs`` and
flags are not part of the value.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.arrays import (
    ArrowExtensionArray,
    ArrowStringArray,
    BooleanArray,
    DatetimeArray,
    FloatingArray,
    IntegerArray,
    IntervalArray,
    NumpyExtensionArray,
    PeriodArray,
    SparseArray,
    StringArray,
    TimedeltaArray,
)

import dagnb.values.numpy_arrays  # noqa: F401  # pandas' arrays are made of numpy's
from dagnb.values.expand import register
from dagnb.values.walk import Parts


@register(pd.DataFrame)
def _frame(value: pd.DataFrame) -> Parts:
    columns = [_content(column) for _, column in value.items()]
    return Parts("frame", [type(value), value.columns, value.index, columns])


@register(pd.Series)
def _series(value: pd.Series[Any]) -> Parts:
    return Parts("series", [type(value), value.name, value.index, _content(value)])


@register(pd.Index)
def _index(value: pd.Index[Any]) -> Parts:
    return Parts("index", [value.name, _content(value)])


@register(pd.RangeIndex)
def _range_index(value: pd.RangeIndex) -> Parts:
    return Parts("range index", [value.name, range(value.start, value.stop, value.step)])


@register(pd.MultiIndex)
def _multi_index(value: pd.MultiIndex) -> Parts:
    """By the values of each level: levels may hold values in any order, used or not."""
    levels = [_content(value.get_level_values(at)) for at in range(value.nlevels)]
    return Parts("multi index", [list(value.names), levels])


@register(pd.Timestamp, pd.Timedelta)
def _moment(value: pd.Timestamp) -> Parts:
    zone = getattr(value, "tz", None)
    return Parts(type(value).__name__, [value.value, value.unit, str(zone)], leaf=True)


@register(type(pd.NaT), type(pd.NA))
def _missing(value: object) -> Parts:
    return Parts(type(value).__name__)


@register(pd.Categorical)
def _categorical(value: pd.Categorical) -> Parts:
    return Parts("categorical", [value.codes, value.categories, value.ordered])


@register(DatetimeArray, TimedeltaArray, PeriodArray)
def _moments(value: Any) -> Parts:
    return Parts(type(value).__name__, [str(value.dtype), value.asi8])


@register(IntegerArray, FloatingArray, BooleanArray)
def _nullable(value: Any) -> Parts:
    """What lies under a missing value says nothing."""
    dtype = value.dtype.numpy_dtype
    filled = value.to_numpy(dtype=dtype, na_value=dtype.type(0))
    return Parts("nullable", [str(value.dtype), filled, value.isna()])


@register(ArrowExtensionArray, ArrowStringArray)
def _arrow(value: ArrowExtensionArray) -> Parts:
    return Parts("arrow", [repr(value.dtype), value.__arrow_array__()])


@register(StringArray)
def _strings(value: StringArray) -> Parts:
    return Parts("strings", [repr(value.dtype), value.to_numpy(dtype=object)])


@register(NumpyExtensionArray)
def _numpy(value: NumpyExtensionArray) -> Parts:
    return Parts("numpy", [value.to_numpy()])


@register(SparseArray)
def _sparse(value: Any) -> Parts:
    return Parts("sparse", [len(value), value.fill_value, value.sp_values, value.sp_index.indices])


@register(IntervalArray)
def _intervals(value: IntervalArray) -> Parts:
    return Parts("intervals", [value.left, value.right, value.closed])


def _content(column: pd.Series[Any] | pd.Index[Any]) -> object:
    """The array that holds a column, without its index and name.

    In pandas 2 an array of strings is one around numpy's, too, and yet of another type.
    """
    array = column.array
    return array.to_numpy() if type(array) is NumpyExtensionArray else array
