"""Move nodes sideways within their rows, so that edges run straight and fans are centred.

Graphviz leaves neighbours a few px apart and pulls nodes aside to make way for long edges,
which here pass elsewhere. Rows, the order within a row and the extent of groups are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

Rect = tuple[float, float, float, float]
Span = tuple[float, float]

# A group is beside another one if their titles and borders would meet.
_SWEEPS, _SNAP, _BESIDE = 8, 16.0, 40.0


def align(
    rects: Mapping[str, Rect],
    edges: Sequence[tuple[str, str]],
    groups: Mapping[str, str],
    gap: float,
    pad: tuple[float, float],
) -> dict[str, Rect]:
    """Return the rectangles moved along x only; edges are taken to run along y.

    Parameters
    ----------
    rects : mapping of str to (x, y, width, height)
    edges : sequence of (source, target)
    groups : mapping of node to group
    gap : float
        Room between two nodes.
    pad : (float, float)
        Room between a group's border and its nodes, on the left and on the right.

    Examples
    --------
    >>> pair = {"a": (0, 0, 40, 20), "b": (3, 50, 40, 20)}
    >>> placed = align(pair, [("a", "b")], {}, 10, (10, 10))
    >>> placed["a"][0] == placed["b"][0]
    True
    """
    near = _neighbours(rects, edges)
    at = {name: x + w / 2 for name, (x, _, w, _) in rects.items()}
    order = {name: i for i, name in enumerate(rects)}
    rows = [_sorted_twins(row, near, groups, at, order) for row in _rows(rects)]
    frames = _frames(rects, groups)
    spans = {group: _span(group, frames, rects, groups) for group in frames}
    segments = [
        s for row in rows for s in _segments(row, rects, groups, frames, spans, gap=gap, pad=pad)
    ]
    for sweep in range(_SWEEPS):
        pull = _mean if sweep < _SWEEPS - 2 else _snapped
        for names, bounds in segments if sweep % 2 else reversed(segments):
            wanted = [pull(name, at, near[name]) for name in names]
            at.update(zip(names, _fit(names, wanted, bounds, rects, gap), strict=True))
    return {name: (at[name] - w / 2, y, w, h) for name, (_, y, w, h) in rects.items()}


def _rows(rects: Mapping[str, Rect]) -> list[list[str]]:
    """Return the names by row (same middle along y), each from left to right."""
    middle = {name: round(y + h / 2) for name, (_, y, _, h) in rects.items()}
    order = sorted(rects, key=lambda n: (middle[n], rects[n][0]))
    return [list(row) for _, row in groupby(order, key=middle.__getitem__)]


def _sorted_twins(
    row: Sequence[str],
    near: Mapping[str, Sequence[tuple[str, float]]],
    groups: Mapping[str, str],
    at: dict[str, float],
    order: Mapping[str, int],
) -> list[str]:
    """Let neighbours that could change places without any effect stand in order of definition."""
    out: list[str] = []
    for _, twins in groupby(row, key=lambda n: (groups.get(n, ""), sorted(o for o, _ in near[n]))):
        run = list(twins)
        places = sorted(at[name] for name in run)
        run.sort(key=order.__getitem__)
        at.update(zip(run, places, strict=True))
        out += run
    return out


def _frames(rects: Mapping[str, Rect], groups: Mapping[str, str]) -> dict[str, Rect]:
    """Return left, top, right and bottom of each group's nodes."""
    frames: dict[str, Rect] = {}
    for name, group in groups.items():
        x, y, w, h = rects[name]
        a, b, c, d = frames.get(group, (x, y, x + w, y + h))
        frames[group] = (min(a, x), min(b, y), max(c, x + w), max(d, y + h))
    return frames


def _span(
    group: str, frames: Mapping[str, Rect], rects: Mapping[str, Rect], groups: Mapping[str, str]
) -> Span:
    """Return how far a group's nodes may move: up to its own extent where it has a neighbour."""
    left, top, right, bottom = frames[group]
    others = [frame for name, frame in frames.items() if name != group]
    others += [(x, y, x + w, y + h) for n, (x, y, w, h) in rects.items() if n not in groups]
    beside = [o for o in others if o[1] < bottom + _BESIDE and o[3] > top - _BESIDE]
    return (
        left if any(o[2] <= left for o in beside) else float("-inf"),
        right if any(o[0] >= right for o in beside) else float("inf"),
    )


def _segments(
    row: Sequence[str],
    rects: Mapping[str, Rect],
    groups: Mapping[str, str],
    frames: Mapping[str, Rect],
    spans: Mapping[str, Span],
    *,
    gap: float,
    pad: tuple[float, float],
) -> list[tuple[list[str], Span]]:
    """Cut a row into runs of one group, each with the span in which it may move."""
    found = []
    top, bottom = min(rects[n][1] for n in row), max(rects[n][1] + rects[n][3] for n in row)
    beside = [f for f in frames.values() if f[1] <= bottom and top <= f[3]]
    walls = sorted((left - pad[0], right + pad[1]) for left, _, right, _ in beside)
    for group, names in groupby(row, key=lambda name: groups.get(name, "")):
        run = list(names)
        if group:
            found.append((run, spans[group]))
        else:
            found.append((run, _open(rects[run[0]], rects[run[-1]], walls, gap)))
    return found


def _open(first: Rect, last: Rect, walls: Sequence[Span], gap: float) -> Span:
    """Return the span between the walls left and right of a run without group."""
    left = max((b + gap for _, b in walls if b <= first[0] + 1), default=float("-inf"))
    right = min((a - gap for a, _ in walls if a >= last[0] + last[2] - 1), default=float("inf"))
    return min(left, first[0]), max(right, last[0] + last[2])


def _neighbours(
    rects: Mapping[str, Rect], edges: Sequence[tuple[str, str]]
) -> dict[str, list[tuple[str, float]]]:
    """Return each node's neighbours with their pull: near ones and only ones pull most."""
    fan_out: dict[str, int] = {}
    fan_in: dict[str, int] = {}
    for a, b in edges:
        fan_out[a], fan_in[b] = fan_out.get(a, 0) + 1, fan_in.get(b, 0) + 1
    near: dict[str, list[tuple[str, float]]] = {name: [] for name in rects}
    for a, b in edges:
        rows = max(1.0, (rects[b][1] - rects[a][1]) / 60)
        weight = (4.0 if fan_out[a] == fan_in[b] == 1 else 1.0) / rows**2
        near[a].append((b, weight))
        near[b].append((a, weight))
    return near


def _mean(name: str, at: Mapping[str, float], near: Sequence[tuple[str, float]]) -> float:
    """Return where the neighbours pull a node, and a little where it stands."""
    total = sum(weight for _, weight in near) + 0.05
    return (sum(at[other] * weight for other, weight in near) + 0.05 * at[name]) / total


def _snapped(name: str, at: Mapping[str, float], near: Sequence[tuple[str, float]]) -> float:
    """Return the place of the neighbour that is nearly above or below, else of the node."""
    here = at[name]
    close = [(-w, abs(at[o] - here), at[o]) for o, w in near if abs(at[o] - here) < _SNAP]
    return min(close)[2] if close else here


def _fit(
    names: Sequence[str],
    wanted: Sequence[float],
    bounds: Span,
    rects: Mapping[str, Rect],
    gap: float,
) -> list[float]:
    """Return the nearest positions to the wanted ones without overlap (isotonic regression)."""
    offsets, total = [], 0.0
    for name in names:
        offsets.append(total + rects[name][2] / 2)
        total += rects[name][2] + gap
    low, high = bounds[0], max(bounds[0], bounds[1] - total + gap)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        value, count = want - offset, 1
        while pools and pools[-1][0] > value:
            before, n = pools.pop()
            value, count = (before * n + value * count) / (n + count), n + count
        pools.append((value, count))
    flat = [min(max(value, low), high) for value, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(flat, offsets, strict=True)]
