"""How polars' frames and series are taken apart: by column, through Arrow."""

from __future__ import annotations

from importlib.util import find_spec

import polars as pl

from dagnb.errors import UncacheableValue
from dagnb.values.expand import register
from dagnb.values.walk import Parts

_HAS_ARROW = find_spec("pyarrow") is not None


@register(pl.DataFrame)
def _frame(value: pl.DataFrame) -> Parts:
    return Parts("polars frame", [value.height, value.get_columns()])


@register(pl.Series)
def _series(value: pl.Series) -> Parts:
    content = value.to_arrow() if _HAS_ARROW and _is_arrow(value.dtype) else value.to_list()
    return Parts("polars series", [value.name, repr(value.dtype), content])


@register(pl.LazyFrame)
def _lazy(value: pl.LazyFrame) -> Parts:
    raise UncacheableValue(
        "a LazyFrame has no digest: it is a plan over data that may change; return its .collect()"
    )


@register(pl.Expr)
def _expression(value: pl.Expr) -> Parts:
    return Parts("polars expression", [value.meta.serialize()])


def _is_arrow(dtype: pl.DataType) -> bool:
    """Whether Arrow can hold it; objects it cannot."""
    return not isinstance(dtype, pl.Object)


@register(type(pl.Int64))
def _dtype_class(value: type[pl.DataType]) -> Parts:
    return Parts("polars dtype", [repr(value)])


@register(pl.DataType)
def _dtype(value: pl.DataType) -> Parts:
    return Parts("polars dtype", [repr(value)])
