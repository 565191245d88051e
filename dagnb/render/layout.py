"""Where every node, edge and group of a graph is drawn: geometry, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from math import floor
from pathlib import Path
from typing import Literal

from dagnb.errors import LayoutError
from dagnb.render.align import align
from dagnb.render.engines import NODE_GAP, Centre, back_edges, layered, levels, place
from dagnb.render.measure import shorten, text_width
from dagnb.render.route import route

Direction = Literal["auto", "TB", "LR"]

NODE_HEIGHT, FOLD_HEIGHT = 28.0, 48.0
ICON_ROOM, SECONDS_ROOM, NAME_ROOM = 30.0, 50.0, 230.0
MARGIN, GROUP_PAD, GROUP_HEAD = 16.0, 10.0, 24.0

# What fits on a screen without scrolling: the direction that shows larger there is chosen.
_STAGE = (1060.0, 640.0)
_TRY_BOTH_UP_TO = 150
#: Up to so many boxes a layout takes no time to speak of; up to so many Graphviz is asked.
IN_PROCESS_UP_TO, WITH_CARE_UP_TO = 300, 1500


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in px; ``x`` and ``y`` are its top left corner."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class EdgePath:
    """An edge as cubic Bezier curves: a start, then three points for each piece.

    ``back`` says that it runs against the direction of the others, between folded groups.
    """

    source: str
    target: str
    points: tuple[tuple[float, float], ...]
    back: bool = False

    @property
    def d(self) -> str:
        """The curve as the ``d`` of an SVG path."""
        start, *rest = (f"{x:g},{y:g}" for x, y in self.points)
        return f"M{start}C{' '.join(rest)}"


@dataclass(frozen=True, slots=True)
class Layout:
    """The geometry of a graph in px, from the top left corner.

    Attributes
    ----------
    direction : str
        ``"TB"`` (edges go down) or ``"LR"`` (edges go right).
    width, height : float
    nodes : dict of str to Box
    labels : dict of str to str
        Each name as it fits into its box.
    edges : tuple of EdgePath
    groups : dict of str to Box
    """

    direction: str
    width: float
    height: float
    nodes: dict[str, Box]
    labels: dict[str, str]
    edges: tuple[EdgePath, ...]
    groups: dict[str, Box]


def layout(
    nodes: Iterable[str],
    edges: Iterable[tuple[str, str]],
    groups: Mapping[str, str] | None = None,
    direction: Direction = "auto",
    *,
    folds: Mapping[str, str] | None = None,
    hurry: bool = False,
) -> Layout:
    """Lay out a graph; the same structure gives the same geometry, from a cache.

    Blocks until it is done: 3 ms for 10 nodes, 80 ms for 100, 0.4 s for 1000 in layers and 3 s for
    1000 with many long edges. Above 300 nodes the work is done in another process, so that the
    threads of this one go on meanwhile. Above 1500 it is always done in a hurry.

    Parameters
    ----------
    nodes : iterable of str
    edges : iterable of (source, target)
        Edges of nodes that are not listed are left out.
    groups : mapping of node to group, optional
        Nodes of one group are placed together in a box; an empty group name is none.
    direction : {"auto", "TB", "LR"}
        Which way edges go; ``"auto"`` takes the one that shows larger on a screen.
    folds : mapping of str to str, optional
        Folded groups, each with its title: larger boxes beside the nodes. Edges may name them.
    hurry : bool
        Place nodes in plain layers and draw edges without care for what they cross, in a tenth of
        the time: to have something to look at meanwhile, or at all.

    Raises
    ------
    LayoutError
        The layout process broke down.

    Examples
    --------
    >>> plan = layout(["raw", "clean"], [("raw", "clean")])
    >>> plan.nodes["clean"].y > plan.nodes["raw"].y
    True
    """
    names = tuple(dict.fromkeys([*nodes, *(folds or ())]))
    known = set(names)
    pairs = tuple(dict.fromkeys((a, b) for a, b in edges if a != b and {a, b} <= known))
    members = tuple((n, groups[n]) for n in names if groups and groups.get(n))
    return _cached(
        names,
        pairs,
        members,
        direction,
        tuple((folds or {}).items()),
        hurry=hurry or len(names) > WITH_CARE_UP_TO,
    )


@lru_cache(maxsize=16)
def _cached(
    names: tuple[str, ...],
    edges: tuple[tuple[str, str], ...],
    groups: tuple[tuple[str, str], ...],
    direction: Direction,
    folds: tuple[tuple[str, str], ...],
    *,
    hurry: bool,
) -> Layout:
    """Lay out here or, if it takes long, in another process."""
    if not hurry and len(names) > IN_PROCESS_UP_TO and sys.platform != "emscripten":
        return _elsewhere(names, edges, groups, direction, folds)
    return _compute(names, edges, dict(groups), direction, dict(folds), hurry=hurry)


def _compute(
    names: Sequence[str],
    edges: Sequence[tuple[str, str]],
    groups: Mapping[str, str],
    direction: Direction,
    folds: Mapping[str, str] | None = None,
    *,
    hurry: bool = False,
) -> Layout:
    """Lay out in this thread, in the better of both directions if asked to choose."""
    back = back_edges(names, edges)
    one = partial(_one, names, edges, groups, folds=folds or {}, back=back, hurry=hurry)
    if direction != "auto":
        return one(direction)
    if len(names) > _TRY_BOTH_UP_TO:
        return one(_guess(names, edges))
    down = one("TB")
    if _scale(down.width, down.height) >= 1:
        return down
    right = one("LR")
    better = _scale(right.width, right.height) > 1.15 * _scale(down.width, down.height)
    return right if better else down


def _one(
    names: Sequence[str],
    edges: Sequence[tuple[str, str]],
    groups: Mapping[str, str],
    direction: Literal["TB", "LR"],
    *,
    folds: Mapping[str, str],
    back: Collection[tuple[str, str]],
    hurry: bool,
) -> Layout:
    """Place the nodes, box the groups, route the edges, and move all to the origin."""
    given, edges = edges, [(b, a) if (a, b) in back else (a, b) for a, b in edges]
    labels = {name: shorten(folds.get(name, name), NAME_ROOM) or "…" for name in names}
    sizes = {n: _size(label, n in folds) for n, label in labels.items()}
    placed = layered(sizes, edges, direction) if hurry else place(sizes, edges, groups, direction)
    boxes = _boxes(placed, sizes)
    boxes = _aligned(boxes, edges, groups, direction)
    if direction == "LR":
        boxes = _flush_left(boxes)
    frames = _frames(boxes, groups)
    boxes, frames, width, height = _to_origin(boxes, frames)
    rects = {n: (b.x, b.y, b.w, b.h) for n, b in boxes.items()}
    curves = route(rects, edges, direction, around_nodes=not hurry)
    paths = tuple(
        EdgePath(*edge, points[::-1], back=True) if edge in back else EdgePath(*edge, points)
        for edge, points in zip(given, curves, strict=True)
    )
    return Layout(direction, width, height, boxes, labels, paths, frames)


def _size(label: str, folded: bool) -> tuple[float, float]:
    """Return the size of a box: icon, name, and duration or count, on a grid of 4 px."""
    width = 4 * round((ICON_ROOM + text_width(label) + SECONDS_ROOM) / 4)
    return (max(140.0, width), FOLD_HEIGHT) if folded else (max(92.0, width), NODE_HEIGHT)


def _boxes(
    centres: Mapping[str, Centre], sizes: Mapping[str, tuple[float, float]]
) -> dict[str, Box]:
    """Turn centres into boxes, in the order of the nodes."""
    return {
        name: Box(centres[name][0] - w / 2, centres[name][1] - h / 2, w, h)
        for name, (w, h) in sizes.items()
    }


def _aligned(
    boxes: Mapping[str, Box],
    edges: Sequence[tuple[str, str]],
    groups: Mapping[str, str],
    direction: Literal["TB", "LR"],
) -> dict[str, Box]:
    """Straighten the edges by moving nodes across their direction."""
    flip = direction == "LR"
    rects = {n: (b.y, b.x, b.h, b.w) if flip else (b.x, b.y, b.w, b.h) for n, b in boxes.items()}
    pad = (GROUP_HEAD if flip else GROUP_PAD, GROUP_PAD)
    moved = align(rects, edges, groups, NODE_GAP, pad)
    return {n: Box(y, x, h, w) if flip else Box(x, y, w, h) for n, (x, y, w, h) in moved.items()}


def _flush_left(boxes: Mapping[str, Box]) -> dict[str, Box]:
    """Let the nodes of a column begin at one line."""
    left: dict[int, float] = {}
    for box in boxes.values():
        middle = round(box.x + box.w / 2)
        left[middle] = min(left.get(middle, box.x), box.x)
    return {n: Box(left[round(b.x + b.w / 2)], b.y, b.w, b.h) for n, b in boxes.items()}


def _frames(boxes: Mapping[str, Box], groups: Mapping[str, str]) -> dict[str, Box]:
    """Return the tightest box around each group; none if other nodes stand in it."""
    members: dict[str, list[Box]] = {}
    for name, group in groups.items():
        members.setdefault(group, []).append(boxes[name])
    frames = {group: _around(inside) for group, inside in members.items()}
    return {
        group: frame
        for group, frame in frames.items()
        if not any(_overlap(box, frame) for n, box in boxes.items() if groups.get(n) != group)
    }


def _overlap(one: Box, two: Box) -> bool:
    """Whether two boxes share an area."""
    across = one.x < two.x + two.w and two.x < one.x + one.w
    return across and one.y < two.y + two.h and two.y < one.y + one.h


def _around(inside: Sequence[Box]) -> Box:
    """Return a box around boxes, with room for a title above them."""
    left, top = min(b.x for b in inside) - GROUP_PAD, min(b.y for b in inside) - GROUP_HEAD
    right = max(b.x + b.w for b in inside) + GROUP_PAD
    bottom = max(b.y + b.h for b in inside) + GROUP_PAD
    return Box(left, top, right - left, bottom - top)


def _to_origin(
    boxes: dict[str, Box], frames: dict[str, Box]
) -> tuple[dict[str, Box], dict[str, Box], float, float]:
    """Move everything so that the drawing starts at the margin; return its size too."""
    everything = [*boxes.values(), *frames.values()]
    if not everything:
        return {}, {}, 2 * MARGIN, 2 * MARGIN
    dx = MARGIN - min(box.x for box in everything)
    dy = MARGIN - min(box.y for box in everything)
    width = max(box.x + box.w for box in everything) + dx + MARGIN
    height = max(box.y + box.h for box in everything) + dy + MARGIN
    moved = {name: _moved(box, dx, dy) for name, box in boxes.items()}
    return moved, {name: _moved(box, dx, dy) for name, box in frames.items()}, width, height


def _moved(box: Box, dx: float, dy: float) -> Box:
    """Return the box elsewhere, on whole px so that hairlines stay sharp."""
    # Not round(): it takes halves to the even side, and boxes with one middle would part.
    return Box(float(floor(box.x + dx + 0.5)), float(floor(box.y + dy + 0.5)), box.w, box.h)


def _scale(width: float, height: float) -> float:
    """Return at what zoom a drawing of this size fits on a screen, at most 1."""
    return min(1.0, _STAGE[0] / width, _STAGE[1] / height)


def _guess(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> Literal["TB", "LR"]:
    """Choose a direction from the depth and breadth of the graph, without laying it out."""
    back = back_edges(names, edges)
    depth = max(levels(names, [each for each in edges if each not in back]).values()) + 1
    breadth = len(names) / depth * 1.5
    down, right = _scale(breadth * 150, depth * 62), _scale(depth * 185, breadth * 42)
    return "LR" if right > down else "TB"


# The child finds this package where the parent has it, installed or not.
_CHILD = "import sys; sys.path.insert(0, {root!r}); from dagnb.render.layout import serve; serve()"


def _elsewhere(
    names: Sequence[str],
    edges: Sequence[tuple[str, str]],
    groups: Sequence[tuple[str, str]],
    direction: Direction,
    folds: Sequence[tuple[str, str]],
) -> Layout:
    """Lay out in another process."""
    code = _CHILD.format(root=str(Path(__file__).parents[2]))
    question = json.dumps([names, edges, groups, direction, folds])
    child = subprocess.run(
        [sys.executable, "-P", "-c", code],
        input=question.encode(),
        capture_output=True,
        check=False,
        start_new_session=True,  # Jupyter's Stop interrupts the whole process group
    )
    if child.returncode:
        raise LayoutError(f"the layout process failed: {child.stderr.decode()[-500:]}")
    return _from_json(json.loads(child.stdout))


def serve() -> None:
    """Answer one layout question from standard input on standard output, as JSON."""
    names, edges, groups, direction, folds = json.load(sys.stdin.buffer)
    plan = _compute(names, [(a, b) for a, b in edges], dict(groups), direction, dict(folds))
    sys.stdout.write(json.dumps(asdict(plan)))


def _from_json(data: dict[str, object]) -> Layout:
    """Build a layout from what ``serve`` wrote."""
    plan = Layout(**data)  # type: ignore[arg-type]  # the fields are those of asdict
    edges = tuple(
        EdgePath(**{**e, "points": tuple((x, y) for x, y in e["points"])})  # type: ignore
        for e in plan.edges
    )
    boxes = {name: Box(**box) for name, box in plan.nodes.items()}  # type: ignore[arg-type]
    frames = {name: Box(**box) for name, box in plan.groups.items()}  # type: ignore[arg-type]
    return Layout(plan.direction, plan.width, plan.height, boxes, plan.labels, edges, frames)
