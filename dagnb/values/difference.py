"""Where two values differ first, for people: a shape, a column, a row, a key, an element."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

from dagnb.errors import UncacheableValue
from dagnb.values.describe import describe
from dagnb.values.fingerprint import digest
from dagnb.values.plain import PLAIN, same

_Pair = tuple[Any, Any, Any]  # a key or a position, and what was and is there

_FEW = 3
_BLOCK = 1024
_DEEP = 4
_LONG = 1_000_000  # characters to take apart into lines


def differences(old: object, new: object) -> list[str]:
    """Say in a few lines how one value differs from another; empty if there is no telling.

    It looks for the first difference, so it costs at most one pass over both values. It never
    raises.

    Examples
    --------
    >>> differences([1, 2, 3], [1, 5, 3])
    ['[1]: 2 -> 5']
    >>> differences({"a": {"x": 1}, "b": 2}, {"a": {"x": 3}})
    ["no longer there: 'b'", "['a']['x']: 1 -> 3"]
    """
    try:
        return list(_differences(old, new, "", _DEEP))
    except Exception:  # a user's __eq__, property or array of objects may raise anything
        return []


def _differences(old: Any, new: Any, where: str, depth: int) -> Iterator[str]:
    """Yield what differs below a path."""
    if type(old) is not type(new):
        yield _line(where, f"{_kind(old)} -> {_kind(new)}")
        return
    compare = _comparison(old) if depth else None
    found = False
    for line in compare(old, new, where, depth - 1) if compare is not None else ():
        found = True
        yield line
    before, after = describe(old), describe(new)
    if not found and where and before != after:
        yield _line(where, f"{before} -> {after}")
    elif not found and where:
        yield _line(where, f"{before}, another one")


def _comparison(value: object) -> Callable[[Any, Any, str, int], Iterator[str]] | None:
    """Return what compares values of this type part by part; None if nothing does."""
    for module, name, compare in _LIBRARIES:
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and isinstance(value, kind):
            return compare
    for own, compare in _BUILTIN.items():
        if isinstance(value, own):
            return compare
    return _attributes if hasattr(value, "__dict__") and not callable(value) else None


def _line(where: str, what: str) -> str:
    return f"{where}: {what}" if where else what


def _kind(value: object) -> str:
    return f"a {type(value).__qualname__}"


def _is_same(old: object, new: object) -> bool:
    """Whether two values have one digest; what has none is not taken for a difference."""
    if old is new:
        return True
    if type(old) in PLAIN or type(new) in PLAIN:
        return same(old, new)
    try:
        return digest(old) == digest(new)
    except UncacheableValue:
        return True


def _first_pair(pairs: Iterable[_Pair]) -> Iterator[_Pair]:
    """Yield the first pair that differs, if one does; a digest of many takes no time for each."""
    rest = iter(pairs)
    while block := list(islice(rest, _BLOCK)):
        if not _is_same(*_sides(block)):
            yield _first_within(block)
            return


def _first_within(block: list[_Pair]) -> _Pair:
    """Return the first pair that differs in a block, by halving it."""
    while len(block) > 1:
        half = block[: len(block) // 2]
        block = block[len(half) :] if _is_same(*_sides(half)) else half
    return block[0]


def _sides(block: list[_Pair]) -> tuple[list[object], list[object]]:
    return [before for _, before, _ in block], [after for _, _, after in block]


def _listed(values: Sequence[object]) -> str:
    few = ", ".join(describe(each, 30) for each in values[:_FEW])
    return few if len(values) <= _FEW else f"{few} and {len(values) - _FEW:,} more"


# -- builtin --------------------------------------------------------------------------------


def _mappings(
    old: Mapping[Any, Any], new: Mapping[Any, Any], where: str, depth: int
) -> Iterator[str]:
    gone, added = [k for k in old if k not in new], [k for k in new if k not in old]
    if gone:
        yield _line(where, f"no longer there: {_listed(gone)}")
    if added:
        yield _line(where, f"new: {_listed(added)}")
    pairs = ((key, old[key], new[key]) for key in old if key in new)
    for key, before, after in _first_pair(pairs):
        yield from _differences(before, after, f"{where}[{describe(key, 30)}]", depth)


def _sequences(old: Sequence[Any], new: Sequence[Any], where: str, depth: int) -> Iterator[str]:
    if len(old) != len(new):
        yield _line(where, f"{len(old):,} -> {len(new):,} elements")
    for index, before, after in _first_pair(zip(count(), old, new)):
        yield from _differences(before, after, f"{where}[{index}]", depth)


def _sets(old: set[Any], new: set[Any], where: str, depth: int) -> Iterator[str]:
    for word, values in (("no longer there", old - new), ("new", new - old)):
        if values:
            yield _line(where, f"{word}: {_listed(sorted(values, key=repr))}")


def _texts(old: str, new: str, where: str, depth: int) -> Iterator[str]:
    if ("\n" not in old and "\n" not in new) or len(old) + len(new) > _LONG:
        return
    lines = old.splitlines(), new.splitlines()
    for number, (before, after) in enumerate(zip(*lines, strict=False), 1):
        if before != after:
            yield _line(where, f"line {number}: {describe(before)} -> {describe(after)}")
            return
    yield _line(where, f"{len(lines[0]):,} -> {len(lines[1]):,} lines")


def _attributes(old: object, new: object, where: str, depth: int) -> Iterator[str]:
    before, after = vars(old), vars(new)
    for name in {**before, **after}:
        if name not in before or name not in after:
            yield _line(f"{where}.{name}", "new" if name in after else "no longer there")
        elif not _is_same(before[name], after[name]):
            yield from _differences(before[name], after[name], f"{where}.{name}", depth)
            return


# -- arrays and frames ----------------------------------------------------------------------


def _arrays(old: Any, new: Any, where: str, depth: int) -> Iterator[str]:
    numpy = sys.modules["numpy"]
    if old.dtype != new.dtype:
        yield _line(where, f"{old.dtype} -> {new.dtype}")
    if old.shape != new.shape:
        yield _line(where, f"shape {old.shape} -> {new.shape}")
        return
    unequal = (old != new) & ~((old != old) & (new != new))  # noqa: PLR0124  # only a NaN is not itself
    places = numpy.argwhere(unequal)
    if len(places):
        first = tuple(int(each) for each in places[0])
        index = ", ".join(map(str, first))
        what = f"{describe(old[first].item())} -> {describe(new[first].item())}"
        yield _line(f"{where}[{index}]", f"{what}; {len(places):,} of {old.size:,} differ")


def _series(old: Any, new: Any, where: str, depth: int) -> Iterator[str]:
    name = "values" if old.name is None else old.name
    yield from _frames(old.to_frame(name), new.to_frame(name), where, depth)


def _frames(old: Any, new: Any, where: str, depth: int) -> Iterator[str]:
    """Compare pandas' frames: columns, types, rows, and the first row that is another one."""
    yield from _columns(dict(old.dtypes), dict(new.dtypes), where)
    if len(old) != len(new):
        yield _line(where, f"{len(old):,} -> {len(new):,} rows")
    rows = min(len(old), len(new))
    common = [name for name in old.columns if name in new.columns]
    before, after = old[common].iloc[:rows], new[common].iloc[:rows]
    masks = {name: _unequal(before[name], after[name]) for name in common}
    first = min((int(mask.argmax()) for mask in masks.values() if mask.any()), default=None)
    if first is not None:
        changed = [name for name, mask in masks.items() if mask[first]]
        cells = (f"{n} {_cell(before[n], first)} -> {_cell(after[n], first)}" for n in changed)
        label = _scalar(before.index[first])
        yield _line(where, f"row {first} (index {label}): {', '.join(islice(cells, _FEW))}")
    elif not before.index.equals(after.index):
        labels = enumerate(zip(before.index, after.index, strict=True))
        row, (was, now) = next((row, pair) for row, pair in labels if pair[0] != pair[1])
        yield _line(where, f"index of row {row}: {_scalar(was)} -> {_scalar(now)}")


def _cell(column: Any, row: int) -> str:
    return _scalar(column.iloc[row])


def _scalar(value: Any) -> str:
    """Describe a value of a frame; numpy's numbers as Python's."""
    return describe(value.item() if getattr(value, "shape", None) == () else value, 30)


def _unequal(old: Any, new: Any) -> Any:
    """Say of each row whether two columns differ there; two missing values are the same."""
    before, after = (each.reset_index(drop=True) for each in (old, new))
    if before.dtype != after.dtype or str(before.dtype) == "category":
        before, after = before.astype(object), after.astype(object)
    differ = (before != after).fillna(value=True).astype(bool)
    return (differ & ~(before.isna() & after.isna())).to_numpy()


def _columns(old: Mapping[Any, Any], new: Mapping[Any, Any], where: str) -> Iterator[str]:
    gone, added = [n for n in old if n not in new], [n for n in new if n not in old]
    if gone:
        yield _line(where, f"columns no longer there: {_listed(gone)}")
    if added:
        yield _line(where, f"new columns: {_listed(added)}")
    if not gone and not added and list(old) != list(new):
        yield _line(where, f"order of columns: {_listed(list(old))} -> {_listed(list(new))}")
    for name in old:
        if name in new and old[name] != new[name]:
            yield _line(where, f"column {name}: {old[name]} -> {new[name]}")


def _polars_frames(old: Any, new: Any, where: str, depth: int) -> Iterator[str]:
    """The same for polars."""
    yield from _columns(dict(old.schema), dict(new.schema), where)
    if old.height != new.height:
        yield _line(where, f"{old.height:,} -> {new.height:,} rows")
    rows = min(old.height, new.height)
    common = [name for name in old.columns if old.schema[name] == new.schema.get(name)]
    places = {name: old[name][:rows].ne_missing(new[name][:rows]).arg_true() for name in common}
    first = min((int(each[0]) for each in places.values() if len(each)), default=None)
    if first is not None:
        changed = [name for name, each in places.items() if len(each) and each[0] == first]
        cells = (f"{n} {describe(old[n][first])} -> {describe(new[n][first])}" for n in changed)
        yield _line(where, f"row {first}: {', '.join(islice(cells, _FEW))}")


_LIBRARIES: tuple[tuple[str, str, Callable[[Any, Any, str, int], Iterator[str]]], ...] = (
    ("numpy", "ndarray", _arrays),
    ("pandas", "DataFrame", _frames),
    ("pandas", "Series", _series),
    ("polars", "DataFrame", _polars_frames),
)
_BUILTIN: dict[type | tuple[type, ...], Callable[[Any, Any, str, int], Iterator[str]]] = {
    dict: _mappings,
    (list, tuple): _sequences,
    (set, frozenset): _sets,
    str: _texts,
}
