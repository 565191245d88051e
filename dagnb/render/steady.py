"""The same graph, a little different: of two equally good drawings the one that moves less."""

from __future__ import annotations

from dataclasses import replace

from dagnb.render.layout import Box, EdgePath, Layout


def steady(plan: Layout, before: Layout | None) -> Layout:
    """Return a layout, or its mirror image if what was drawn before stays nearer to its place.

    Graphviz takes no notice of what was on the screen: after a small change it may well draw the
    whole from right to left. Linear in what is drawn.

    Parameters
    ----------
    plan : Layout
        Edges that run to the right are left as they are where there are groups, whose titles
        stand above their nodes.
    before : Layout or None
        What was drawn last.
    """
    if before is None or before.direction != plan.direction:
        return plan
    if plan.direction == "LR" and plan.groups:
        return plan
    other = mirrored(plan)
    return other if _moved(other, before) < _moved(plan, before) else plan


def mirrored(plan: Layout) -> Layout:
    """Return the mirror image of a layout across the direction of its edges."""
    down = plan.direction == "TB"

    def box(b: Box) -> Box:
        return (
            replace(b, x=plan.width - b.x - b.w) if down else replace(b, y=plan.height - b.y - b.h)
        )

    def path(edge: EdgePath) -> EdgePath:
        width, height = round(plan.width, 1), round(plan.height, 1)
        points = (
            (round(width - x, 1), y) if down else (x, round(height - y, 1)) for x, y in edge.points
        )
        return replace(edge, points=tuple(points))

    return replace(
        plan,
        nodes={name: box(b) for name, b in plan.nodes.items()},
        groups={name: box(b) for name, b in plan.groups.items()},
        edges=tuple(map(path, plan.edges)),
    )


def _moved(plan: Layout, before: Layout) -> float:
    """Return how far what both draw has moved in all, apart from moving as a whole."""
    shifts = [
        (b.x + b.w / 2 - old.x - old.w / 2) if plan.direction == "TB" else (b.y - old.y)
        for name, b in plan.nodes.items()
        if (old := before.nodes.get(name)) is not None
    ]
    middle = sorted(shifts)[len(shifts) // 2] if shifts else 0.0
    return sum(abs(shift - middle) for shift in shifts)
