"""How polars' frames and series are taken apart: by column, through Arrow."""

from __future__ import annotations

from importlib.util import find_spec

import polars as pl

from dagnb.errors import UncacheableValue
from dagnb.values.expand import register
from dagnb.values.walk import Parts

_MANY = 1 << 20
_HAS_ARROW = find_spec("pyarrow") is not None


@register(pl.DataFrame)
def _frame(value: pl.DataFrame) -> Parts:
    return Parts("polars frame", [value.height, value.get_columns()])


@register(pl.Series)
def _series(value: pl.Series) -> Parts:
    return Parts("polars series", [value.name, repr(value.dtype), _content(value)])


def _content(value: pl.Series) -> object:
    """The elements: through Arrow, if it is there and can hold them."""
    if not _HAS_ARROW or isinstance(value.dtype, pl.Object):
        return value.to_list()
    if isinstance(value.dtype, pl.Categorical | pl.Enum):
        return _categories(value)
    return _arrow(value)


def _categories(value: pl.Series) -> list[object]:
    """Categories in the order of their first use, and which of them each element is.

    Polars numbers them as they come up anywhere in the process.
    """
    codes = value.to_physical()
    first = codes.arg_unique()
    words = value.gather(first).cast(pl.String).to_list()
    return [words, _numbered(codes, codes.gather(first).to_list())]


def _numbered(codes: pl.Series, used: list[int | None]) -> object:
    """The place of each code among those in use."""
    import pyarrow as pa

    places = {code: place for place, code in enumerate(used) if code is not None}
    if max(places, default=0) > _MANY:
        return _arrow(codes.replace_strict(places, default=None, return_dtype=pl.Int32))
    table = [places.get(code, 0) for code in range(max(places, default=0) + 1)]
    return pa.array(table, pa.int32()).take(_arrow(codes))


def _arrow(value: pl.Series) -> object:
    """As it lies in memory, where this version of polars can give that away."""
    level = getattr(pl, "CompatLevel", None)
    return value.to_arrow() if level is None else value.to_arrow(compat_level=level.newest())


@register(pl.LazyFrame)
def _lazy(value: pl.LazyFrame) -> Parts:
    raise UncacheableValue(
        "a LazyFrame has no digest: it is a plan over data that may change; return its .collect()"
    )


@register(pl.Expr)
def _expression(value: pl.Expr) -> Parts:
    return Parts("polars expression", [value.meta.serialize()])


@register(type(pl.Int64))
def _dtype_class(value: type[pl.DataType]) -> Parts:
    return Parts("polars dtype", [repr(value)])


@register(pl.DataType)
def _dtype(value: pl.DataType) -> Parts:
    return Parts("polars dtype", [repr(value)])
