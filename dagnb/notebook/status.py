"""What happened to each node last, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dagnb.observe.text import seconds, table
from dagnb.render.view import GraphView
from dagnb.results import NodeResult


def status_table(
    names: Iterable[str], view: GraphView, last: Callable[[str], NodeResult | None]
) -> str:
    """Return a line for each node: what is shown of it, how long it took, and why."""
    rows = []
    for name in names:
        shown, result = view.nodes.get(name), last(name)
        if shown is None:  # it is being born, in the background
            continue
        took = result.duration_seconds if result is not None and result.started else None
        rows.append([name, shown.status, seconds(took), shown.reason])
    return table(["node", "status", "took", "why"], rows)
