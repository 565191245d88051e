"""What a panel shows of a value: its head, its shape, a small picture; never the whole of it.

Everything is cut down before it is made into text, so a value of a gigabyte costs what one of a
kilobyte costs. The HTML is made here, with every string of the value's escaped in it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from html import escape
from math import isfinite
from typing import Any

from dagnb.values.describe import describe

ROWS, COLUMNS, ENTRIES = 8, 12, 20
_POINTS, _PIXELS, _LEVELS = 120, 24, 8
_WIDE, _HIGH = 300, 56
_CELL, _LINE, _TEXT = 40, 100, 2000
_FIGURE_PX = 340
_PLAIN = (str, bytes, bytearray, bool, int, float, complex, type(None))


@dataclass(frozen=True, slots=True)
class Preview:
    """A value as text and, where that shows more, as HTML that is safe to put into a page."""

    text: str
    html: str = ""


def preview(value: Any) -> Preview | None:
    """Return what is shown of a value; None for an object that has to say itself how it looks.

    It never raises, and costs the same for a large value as for a small one.

    Examples
    --------
    >>> preview({"a": 1, "b": [1, 2]}).text
    "{'a': 1, 'b': [1, 2]}"
    >>> preview(object()) is None
    True
    """
    try:
        return _made(value)
    except Exception:  # a library's methods, or the user's, on the user's value
        return Preview(describe(value, _TEXT))


def _made(value: Any) -> Preview | None:
    for is_kind, draw in _KINDS:
        if is_kind(value):
            return draw(value)
    many = isinstance(value, Collection) and len(value) > 1000
    return Preview(describe(value, _TEXT)) if many else None


def _is(module: str, *names: str) -> Callable[[Any], bool]:
    """Say whether a value is of one of these classes, without importing what defines them."""

    def is_kind(value: Any) -> bool:
        mro = type(value).__mro__
        return any(c.__name__ in names and c.__module__.split(".")[0] == module for c in mro)

    return is_kind


# -- text -------------------------------------------------------------------------------------


def _plain(value: object) -> Preview:
    return Preview(describe(value, _TEXT))


def _entries(value: Any) -> Preview:
    """Show a container in a line or, if that is too long, an entry a line."""
    line = describe(value, _TEXT)
    if len(line) <= _LINE and "..." not in line:
        return Preview(line)
    pairs = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    shown = [
        describe(each, _LINE) if key is None else f"{describe(key, _CELL)}: {describe(each, _LINE)}"
        for (key, each), _ in zip(pairs, range(ENTRIES), strict=False)
    ]
    more = [f"... and {len(value) - ENTRIES:,} more"] if len(value) > ENTRIES else []
    return Preview("\n".join([f"{type(value).__name__} of {len(value):,}:", *shown, *more]))


def _fields(value: Any) -> Preview:
    """Show a dataclass with a field a line, instead of its whole repr."""
    named = {each.name: getattr(value, each.name) for each in fields(value) if each.repr}
    lines = [f"  {name}={describe(each, _LINE)}," for name, each in list(named.items())[:ENTRIES]]
    return Preview("\n".join([f"{type(value).__qualname__}(", *lines, ")"]))


def _is_dataclass(value: object) -> bool:
    made = getattr(type(value), "__dataclass_params__", None)
    return is_dataclass(value) and not isinstance(value, type) and bool(made and made.repr)


# -- tables -----------------------------------------------------------------------------------


def _pandas(value: Any) -> Preview:
    head = value.iloc[:ROWS, :COLUMNS]
    columns = zip(head.columns, head.dtypes, strict=True)
    rows = [[head.iat[i, j] for j in range(head.shape[1])] for i in range(len(head))]
    return _table(value.shape, list(columns), rows, list(head.index))


def _pandas_series(value: Any) -> Preview:
    head = value.iloc[:ROWS]
    rows = [[head.iat[i]] for i in range(len(head))]
    made = _table((len(value), 1), [(value.name or "", value.dtype)], rows, list(head.index))
    step = max(len(value) // _POINTS, 1)
    return Preview(made.text, made.html + _line(value.iloc[::step].to_numpy(), len(value)))


def _polars(value: Any) -> Preview:
    head = value.head(ROWS)
    columns = list(zip(head.columns, head.dtypes, strict=True))[:COLUMNS]
    return _table(value.shape, columns, [row[:COLUMNS] for row in head.rows()])


def _polars_series(value: Any) -> Preview:
    rows = [[each] for each in value.head(ROWS).to_list()]
    made = _table((len(value), 1), [(value.name, value.dtype)], rows)
    step = max(len(value) // _POINTS, 1)
    return Preview(made.text, made.html + _line(value.gather_every(step).to_numpy(), len(value)))


def _arrow(value: Any) -> Preview:
    head = value.slice(0, ROWS).select(list(range(min(COLUMNS, value.num_columns))))
    columns = [(field.name, field.type) for field in head.schema]
    rows = list(zip(*(column.to_pylist() for column in head.columns), strict=True))
    return _table((value.num_rows, value.num_columns), columns, rows)


def _table(
    shape: Sequence[int],
    columns: Sequence[tuple[object, object]],
    rows: Sequence[Sequence[object]],
    index: Sequence[object] | None = None,
) -> Preview:
    """Draw the head of a table; a column is its name and its type."""
    size = f"{_many(shape[0], 'row')} x {_many(shape[1], 'column')}"
    hidden = shape[1] - len(columns)
    heads = [
        f"<th scope=col>{_cell(n)}<small>{escape(str(kind))}</small></th>" for n, kind in columns
    ]
    if index is not None:
        heads.insert(0, "<td></td>")
    lines = [_row(row, index[i : i + 1] if index is not None else ()) for i, row in enumerate(rows)]
    more = f"; {_many(hidden, 'more column')}" if hidden > 0 else ""
    shown = f"first {len(rows)} of them" if shape[0] > len(rows) else ""
    note = f"<p>{size}{more}{', ' if shown else ''}{shown}</p>"
    html = f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    names = ", ".join(f"{describe(name, _CELL)} ({kind})" for name, kind in columns)
    return Preview(f"{size}: {names}{more}", html + note)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _row(row: Sequence[object], label: Sequence[object]) -> str:
    head = "".join(f"<th scope=row>{_cell(each)}</th>" for each in label)
    return f"<tr>{head}{''.join(f'<td>{_cell(each)}</td>' for each in row)}</tr>"


def _cell(value: object) -> str:
    """Return a value as the text of a cell; strings without their quotes, numbers in short."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = value.item()  # type: ignore[attr-defined]  # a scalar of numpy's
    if isinstance(value, str):
        text = value if len(value) <= _CELL else f"{value[: _CELL - 1]}…"
    elif isinstance(value, float):
        text = f"{value:.6g}"
    else:
        text = describe(value, _CELL)
    return escape(text)


# -- arrays and figures -----------------------------------------------------------------------


def _array(value: Any) -> Preview:
    size = f"{value.dtype} array of shape {'x'.join(map(str, value.shape)) or 'scalar'}"
    text = f"{size}, {_bytes(value.nbytes)}"
    picture = ""
    if value.dtype.kind in "iufb" and value.size > 1:
        step = max(len(value) // _POINTS, 1)
        picture = _line(value[::step], len(value)) if value.ndim == 1 else _map(value)
    first = ", ".join(map(_cell, value[:ENTRIES])) if value.ndim == 1 else ""
    values = f"<p>{first}{', …' if len(value) > ENTRIES else ''}</p>" if first else ""
    return Preview(text, f"<p>{escape(text)}</p>{picture}{values}")


def _bytes(count: int) -> str:
    """Return a number of bytes as people say it.

    Examples
    --------
    >>> _bytes(800), _bytes(24_000), _bytes(3_200_000_000)
    ('800 B', '24.0 kB', '3.2 GB')
    """
    size, units = float(count), iter(("kB", "MB", "GB", "TB", "PB"))
    unit = "B"
    while size >= 1000:
        size, unit = size / 1000, next(units)
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _line(sample: Iterable[Any], count: int) -> str:
    """Draw numbers as a line, with a sentence for who does not see it; nothing for no numbers."""
    try:
        points = [float(each) for each in sample]
    except (TypeError, ValueError):
        return ""
    known = [(i, y) for i, y in enumerate(points) if isfinite(y)]
    if len(known) < 2:
        return ""
    low, high = min(y for _, y in known), max(y for _, y in known)
    across, up = _WIDE / max(len(points) - 1, 1), (_HIGH - 6) / ((high - low) or 1.0)
    places = " ".join(f"{i * across:.1f},{_HIGH - 3 - (y - low) * up:.1f}" for i, y in known)
    label = f"{len(points):,} of {count:,} values, from {low:.4g} to {high:.4g}"
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" width="{_WIDE}" height="{_HIGH}" role="img" '
        f'aria-label="{label}"><polyline points="{places}" fill="none" stroke="currentColor" '
        f'stroke-width="1.3" stroke-linejoin="round"/></svg><p>{label}</p>'
    )


def _map(value: Any) -> str:
    """Draw a matrix, or the first one of a stack, in shades; the darker the larger."""
    while value.ndim > 2:
        value = value[0]
    steps = [max(-(-size // _PIXELS), 1) for size in value.shape]
    rows = value[:: steps[0], :: steps[1]].astype(float).tolist()
    numbers = [each for row in rows for each in row if isfinite(each)]
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    paths = _shades(rows, low, _LEVELS / ((high - low) or 1.0))
    across, down = len(rows[0]), len(rows)
    label = f"{down} x {across} of its values, from {low:.4g} (light) to {high:.4g} (dark)"
    return (
        f'<svg viewBox="0 0 {across} {down}" width="{min(across * 8, _WIDE)}" role="img" '
        f'aria-label="{label}" shape-rendering="crispEdges">{paths}</svg><p>{label}</p>'
    )


def _shades(rows: Sequence[Sequence[float]], low: float, scale: float) -> str:
    """Return one path for each shade."""
    squares: dict[int, list[str]] = {}
    for y, row in enumerate(rows):
        for x, number in enumerate(row):
            if isfinite(number):
                level = min(int((number - low) * scale), _LEVELS - 1)
                squares.setdefault(level, []).append(f"M{x},{y}h1v1h-1z")
    return "".join(
        f'<path fill="currentColor" fill-opacity="{(level + 1) / (_LEVELS + 1):.2f}" '
        f'd="{"".join(squares[level])}"/>'
        for level in sorted(squares)
    )


def _figure(value: Any) -> Preview:
    """Show a figure in small; an axes as the figure it belongs to."""
    figure = getattr(value, "figure", None) or value
    wide, high = figure.get_size_inches()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=min(_FIGURE_PX / wide, 100))
    encoded = base64.b64encode(drawn.getvalue()).decode()
    label = f"figure of {len(figure.axes)} axes, {wide:g} x {high:g} inches"
    return Preview(label, f'<img alt="{label}" src="data:image/png;base64,{encoded}">')


def _one_of(*kinds: type) -> Callable[[object], bool]:
    return lambda value: type(value) in kinds


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Preview]], ...] = (
    (_one_of(*_PLAIN), _plain),
    (_one_of(list, tuple, dict, set, frozenset), _entries),
    (_is("pandas", "DataFrame"), _pandas),
    (_is("pandas", "Series"), _pandas_series),
    (_is("polars", "DataFrame"), _polars),
    (_is("polars", "Series"), _polars_series),
    (_is("pyarrow", "Table"), _arrow),
    (_is("numpy", "ndarray"), _array),
    (_is("matplotlib", "Figure", "Axes"), _figure),
    (_is_dataclass, _fields),
)
