"""How edges run between placed nodes: short, smooth, and never through a node.

Graphviz routes long edges around whole groups. Here an edge is one S-shaped curve from the
end of its source to the start of its target; where that would cross a node, it passes the
rows in between through the gaps that lengthen it least.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise
from typing import Literal

Point = tuple[float, float]
Rect = tuple[float, float, float, float]
Gap = tuple[float, float]
# By the number of a row, through which points a way crosses it.
Crossings = dict[int, list[Point]]

# How far a curve stays from the nodes between which it passes, and from the ends of a row.
CLEARANCE, OUTSIDE = 7.0, 16.0
_NEAR, _BEAM = 4, 6
_ROUNDING = 0.01
_SHIFTS, _LONG = (0.0, -9.0, 9.0, -20.0, 20.0), 10
_TURN = 24.0


class Row:
    """Nodes that stand side by side, as the gaps between them."""

    def __init__(self, rects: Sequence[Rect]) -> None:
        self.top = min(y for _, y, _, _ in rects)
        self.bottom = max(y + h for _, y, _, h in rects)
        self.gaps = list(_gaps(rects))
        self._starts = [start for start, _ in self.gaps]

    def near(self, x: float) -> list[Gap]:
        """Return the gaps nearest to ``x``, from left to right."""
        i = bisect_left(self._starts, x)
        return self.gaps[max(0, i - _NEAR // 2) : i + _NEAR // 2]

    def free(self, x: float) -> bool:
        """Whether a vertical line at ``x`` passes between the nodes."""
        i = bisect_left(self._starts, x + _ROUNDING)
        return i > 0 and x <= self.gaps[i - 1][1] + _ROUNDING


def route(
    nodes: Mapping[str, Rect],
    edges: Sequence[tuple[str, str]],
    direction: Literal["TB", "LR"],
    *,
    around_nodes: bool = True,
) -> list[tuple[Point, ...]]:
    """Return each edge as cubic Bezier curves: a start, then three points for each piece.

    Parameters
    ----------
    nodes : mapping of str to (x, y, width, height)
    edges : sequence of (source, target)
    direction : {"TB", "LR"}
        Edges leave at the bottom and enter at the top, or leave right and enter left.
    around_nodes : bool
        Whether to look for a way past other nodes, which takes most of the time.

    Examples
    --------
    >>> route({"a": (0, 0, 40, 20), "b": (0, 50, 40, 20)}, [("a", "b")], "TB")
    [((20.0, 20), (20.0, 35.0), (20.0, 35.0), (20.0, 50))]
    """
    flip = direction == "LR"
    rects = {n: (r[1], r[0], r[3], r[2]) if flip else r for n, r in nodes.items()}
    rows = _rows(list(rects.values())) if around_nodes else []
    curves = [_curve(rects[a], rects[b], rows) for a, b in edges]
    return [tuple((y, x) for x, y in curve) for curve in curves] if flip else curves


def _rows(rects: Sequence[Rect]) -> list[Row]:
    """Sort nodes into rows, from top to bottom."""
    found: list[list[Rect]] = []
    bottom = float("-inf")
    for rect in sorted(rects, key=lambda r: (r[1], r[0])):
        if rect[1] >= bottom:
            found.append([])
        found[-1].append(rect)
        bottom = max(bottom, rect[1] + rect[3]) if len(found[-1]) > 1 else rect[1] + rect[3]
    return [Row(rects) for rects in found]


def _gaps(rects: Sequence[Rect]) -> list[Gap]:
    """Return the free intervals of a row, clearance taken off."""
    gaps, left = [], float("-inf")
    for x, _, w, _ in sorted(rects):
        if x - CLEARANCE > left:
            gaps.append((left, x - CLEARANCE))
        left = max(left, x + w + CLEARANCE)
    wider = OUTSIDE - CLEARANCE
    gaps[0] = (gaps[0][0], gaps[0][1] - wider)
    return [*gaps, (left + wider, float("inf"))]


def _curve(source: Rect, target: Rect, rows: Sequence[Row]) -> tuple[Point, ...]:
    """Return one edge: straight on if nothing is in the way, else through the gaps."""
    start = (source[0] + source[2] / 2, source[1] + source[3])
    end = (target[0] + target[2] / 2, target[1])
    between = [row for row in rows if row.top >= start[1] - 1 and row.bottom <= end[1] + 1]
    if not between or _clear([start, end], between):
        return _smooth([start, end])
    crossings = _crossings(start[0], end[0], between)
    return _smooth([start, *_kept(start, end, between, crossings), end])


def _crossings(x0: float, x1: float, rows: Sequence[Row]) -> list[float]:
    """Choose where to cross each row: the shortest way sideways, few turns (beam search)."""
    count = len(rows) + 1
    ways: list[tuple[float, float, list[float]]] = [(0.0, x0, [])]
    for i, row in enumerate(rows, 1):
        ideal = x0 + (x1 - x0) * i / count
        options = {_clamp(want, gap) for want in (ideal, x0, x1) for gap in row.near(want)}
        options |= {x for _, x, _ in ways if row.free(x)}
        steps = [min((_step(way, x) for way in ways), key=_cost) for x in sorted(options)]
        ways = sorted(steps, key=_cost)[:_BEAM]
    return min((_step(way, x1) for way in ways), key=_cost)[2][:-1]


def _step(way: tuple[float, float, list[float]], x: float) -> tuple[float, float, list[float]]:
    """Extend a way to ``x`` in the next row; long moves between two rows cost more."""
    cost, before, path = way
    move = abs(x - before)
    return cost + move + move * move / 400 + (_TURN if move > 1 else 0), x, [*path, x]


def _cost(way: tuple[float, float, list[float]]) -> tuple[float, list[float]]:
    """Order ways by cost, ties by position."""
    return way[0], way[2]


def _clamp(x: float, gap: Gap) -> float:
    """Return the point of a gap that is nearest to ``x``."""
    return min(max(x, gap[0]), gap[1])


def _kept(start: Point, end: Point, rows: Sequence[Row], xs: Sequence[float]) -> list[Point]:
    """Return as few crossings as keep the curve clear, and those as little bent as may be."""
    straight = {i: [(x, rows[i].top), (x, rows[i].bottom)] for i, x in enumerate(xs)}
    kept = _thinned(start, end, rows, straight)
    for i in kept:
        if _turns_back([start[0], *xs, end[0]], i + 1):
            continue  # and needs room to do so
        ways = ({**kept, i: [point]} for point in _middles(xs[i], rows[i], start, end, len(rows)))
        kept = next((way for way in ways if _clear(_through(start, way, end), rows)), kept)
    return _through(start, kept, end)[1:-1]


def _middles(x: float, row: Row, start: Point, end: Point, count: int) -> Iterator[Point]:
    """Yield where a way of so many crossings may pass a row at one point, without a detour."""
    low, high = min(start[0], x, end[0]), max(start[0], x, end[0])
    for shift in _SHIFTS if count < _LONG else _SHIFTS[:1]:
        if low <= x + shift <= high:
            yield x + shift, (row.top + row.bottom) / 2


def _thinned(start: Point, end: Point, rows: Sequence[Row], kept: Crossings) -> Crossings:
    """Leave out crossings while the curve stays clear; of a few, so that it bends least."""
    while True:
        fewer = ({j: kept[j] for j in kept if j != i} for i in kept)
        clear = (each for each in fewer if _clear(_through(start, each, end), rows))
        some = islice(clear, 1) if len(rows) >= _LONG else clear
        found = min(some, key=lambda each: _bend(_through(start, each, end)), default=None)
        if found is None:
            return kept
        kept = found


def _through(start: Point, crossings: Crossings, end: Point) -> list[Point]:
    """Return the points of a way, from top to bottom."""
    return [start, *chain.from_iterable(crossings.values()), end]


def _bend(points: Sequence[Point]) -> float:
    """How steeply a way goes sideways: the less, the more evenly it is spread."""
    return sum((x1 - x0) ** 2 / max(y1 - y0, 1e-9) for (x0, y0), (x1, y1) in pairwise(points))


def _turns_back(xs: Sequence[float], i: int) -> bool:
    """Whether a way goes back after this crossing to the side from which it came."""
    before = next((x - xs[i] for x in xs[i - 1 :: -1] if abs(x - xs[i]) > 1), 0.0)
    after = next((x - xs[i] for x in xs[i + 1 :] if abs(x - xs[i]) > 1), 0.0)
    return before * after > 0


def _clear(points: Sequence[Point], rows: Sequence[Row]) -> bool:
    """Whether the curve through these points crosses every row between its nodes."""
    pieces = _pieces(points)
    return all(
        row.free(_x_at(pieces, y))
        for row in rows
        for y in (row.top, (row.top + row.bottom) / 2, row.bottom)
    )


def _smooth(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return Bezier curves through the points that never overshoot sideways."""
    out = [points[0]]
    for (x0, y0, m0), (x1, y1, m1) in _pieces(points):
        third = (y1 - y0) / 3 if len(points) > 2 else (y1 - y0) / 2
        out += [(x0 + m0 * third, y0 + third), (x1 - m1 * third, y1 - third), (x1, y1)]
    return tuple((round(x, 1), round(y, 1)) for x, y in out)


Knot = tuple[float, float, float]


def _pieces(points: Sequence[Point]) -> list[tuple[Knot, Knot]]:
    """Pair up points with the slope of x over y there (Fritsch and Carlson 1980: monotone)."""
    slopes = [(x1 - x0) / max(y1 - y0, 1e-9) for (x0, y0), (x1, y1) in pairwise(points)]
    inner = [
        0.0 if a * b <= 0 else 2 * a * b / (a + b)  # the harmonic mean never overshoots
        for a, b in pairwise(slopes)
    ]
    knots = [(x, y, m) for (x, y), m in zip(points, [0.0, *inner, 0.0], strict=True)]
    return list(pairwise(knots))


def _x_at(pieces: Sequence[tuple[Knot, Knot]], y: float) -> float:
    """Return where the curve is at height ``y`` (cubic Hermite)."""
    (x0, y0, m0), (x1, y1, m1) = next((p for p in pieces if y <= p[1][1]), pieces[-1])
    t, h = (y - y0) / max(y1 - y0, 1e-9), y1 - y0
    a, b = t * t * (3 - 2 * t), t * (1 - t)
    return x0 * (1 - a) + x1 * a + h * b * (m0 * (1 - t) - m1 * t)
