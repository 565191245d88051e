"""How numpy's arrays and scalars are taken apart: dtype, shape and bytes in C order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xxhash

from dagnb.errors import UncacheableValue
from dagnb.values.expand import register
from dagnb.values.libraries import take_apart
from dagnb.values.walk import Parts, Walk

_BLOCK = 1 << 16
_TILE, _MAX_BAND = 128, 1 << 26
Array = np.ndarray[Any, np.dtype[Any]]


@register(np.ndarray)
def _array(value: Array) -> Parts:
    """Subclasses (a matrix, an array with units) count by class and attributes too."""
    parts = array_parts(np.asarray(value))
    if type(value) is np.ndarray:
        return parts
    if type(value) is np.memmap:
        return parts
    return Parts("array subclass", [type(value), parts.kind, *parts.children, _attributes(value)])


def _attributes(value: Array) -> object:
    return getattr(value, "__dict__", None)


@register(np.ma.MaskedArray)
def _masked(value: np.ma.MaskedArray[Any, Any]) -> Parts:
    """What lies under the mask says nothing."""
    mask = np.ma.getmaskarray(value)
    filled = np.array(value.data, copy=True)
    if filled.dtype.names is None:
        filled[mask] = np.zeros((), filled.dtype)[()]
    return Parts("masked array", [filled, mask, np.asarray(value.fill_value)])


@register(np.generic)
def _scalar(value: np.generic) -> Parts:
    if value.dtype.kind in "VO" or value.dtype.char in "gG":
        return Parts("numpy scalar", [np.asarray(value)])
    return Parts("numpy scalar", [value.dtype.str, value.tobytes()], leaf=True)


@register(np.dtype)
def _dtype(value: np.dtype[Any]) -> Parts:
    return Parts("dtype", [dtype_name(value)])


@register(np.vectorize)
def _vectorized(value: np.vectorize) -> Parts:
    """Without the function that it makes of another one when it is called."""
    state = {name: each for name, each in vars(value).items() if name != "_ufunc"}
    return Parts("vectorized", [type(value), state])


@register(np.ufunc)
def _ufunc(value: np.ufunc) -> Parts:
    """A function of a library by its name; one that was made of Python code hides what it is."""
    if "(vectorized)" in value.__name__:
        raise UncacheableValue(
            "a ufunc made by numpy.frompyfunc has no digest: it hides the function that it was "
            "made of; call that one, or use numpy.vectorize"
        )
    return Parts("ufunc", [value.__name__])


@register(np.random.Generator)
def _generator(value: np.random.Generator) -> Parts:
    """A random generator is its state."""
    return Parts("random generator", [type(value.bit_generator), value.bit_generator.state])


@register(np.random.RandomState)
def _random_state(value: np.random.RandomState) -> Parts:
    return Parts("random state", [value.get_state(legacy=False)])


def array_parts(array: Array) -> Parts:
    """Take a plain array apart: objects one by one, fields one by one, numbers as bytes."""
    dtype = array.dtype
    head = [dtype_name(dtype), array.shape]
    if dtype.names is not None:
        return Parts("structured array", [*head, *(array[name] for name in dtype.names)])
    if dtype.hasobject or dtype.kind == "T":
        return Parts("object array", [*head, array.ravel().tolist()])
    return Parts("array", [*head, buffer_digest(_without_padding(array))])


def content_digest(array: Array) -> str:
    """Return the digest of an array, also where users registered another one for arrays."""
    return (
        Walk(lambda each: _array(array) if each is array else take_apart(each)).digest(array).hex()
    )


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Name a dtype with byte order, unit and fields, but not with offsets or padding."""
    if dtype.names is None or dtype.fields is None:
        return f"{dtype.str}{dtype.shape or ''}{dtype_name(dtype.base) if dtype.subdtype else ''}"
    fields = ((name, dtype_name(dtype.fields[name][0])) for name in dtype.names)
    return repr(tuple(fields))


def buffer_digest(array: Array) -> bytes:
    """Hash the elements in C order, without copying more than a block at a time."""
    if array.flags.c_contiguous:
        return xxhash.xxh3_128_digest(_as_bytes(array))
    hasher = xxhash.xxh3_128()
    for block in _tiled(array) if _is_transposed(array) else _blocks(array):
        hasher.update(_as_bytes(block))
    return hasher.digest()


def _is_transposed(array: Array) -> bool:
    """Whether what is next to each other in memory stands in different rows."""
    if array.ndim != 2 or array[:_TILE].nbytes > _MAX_BAND:
        return False
    return abs(array.strides[0]) < abs(array.strides[1])


def _tiled(array: Array) -> Iterator[Array]:
    """Yield some rows at a time, copied square by square: so each line of memory is read once."""
    band = np.empty((_TILE, array.shape[1]), array.dtype)
    for top in range(0, len(array), _TILE):
        rows = array[top : top + _TILE]
        for left in range(0, array.shape[1], _TILE):
            band[: len(rows), left : left + _TILE] = rows[:, left : left + _TILE]
        yield band[: len(rows)]


def _blocks(array: Array) -> Iterator[Array]:
    """Yield the elements in C order, as many at a time as fit into a cache."""
    nditer: Any = np.nditer  # its stub does not know the flag "contig"
    yield from nditer(
        array.view(np.dtype(f"V{array.itemsize}")) if array.dtype.kind in "mMV" else array,
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly", "contig"]],
        order="C",
        buffersize=max(1, _BLOCK // array.itemsize) if array.itemsize else 1,
    )


def _as_bytes(array: Array) -> Any:
    """View contiguous elements as bytes; some dtypes have no buffer of their own."""
    if array.dtype.kind in "biuf" and array.dtype.isnative:
        return array
    if array.itemsize == 0:
        return np.empty(0, np.uint8)
    return array.reshape(-1).view(np.uint8)


def _without_padding(array: Array) -> Array:
    """Drop the bytes of a long double that hold no digits."""
    if array.dtype.char not in "gG" or np.finfo(array.dtype).nmant != 63:
        return array
    part = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return part.reshape(-1, np.dtype(np.longdouble).itemsize)[:, :10].copy()
