"""The graph as a tree of text, for terminals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dagnb.render.look import WORDS, duration
from dagnb.render.view import GraphView, NodeView

_MOST, _DEEPEST = 200, 16


def tree(view: GraphView, most: int = _MOST) -> str:
    """Return a line for each node, below one that it reads; linear in the graph.

    A node that reads several stands below the first of them, and is only named below the others.

    Examples
    --------
    >>> from dagnb.events import GraphEdited
    >>> view = GraphView()
    >>> edges = [("raw", "clean"), ("raw", "fit"), ("clean", "fit")]
    >>> view(GraphEdited(["raw", "clean", "fit"], edges))
    >>> print(tree(view))
    raw  pending
    ├─ clean  pending
    │  └─ fit  pending
    └─ fit  (above)
    """
    below: dict[str, list[str]] = {name: [] for name in view.nodes}
    entered = set()
    for source, target in view.edges:
        if source in below and target in below:
            below[source].append(target)
            entered.add(target)
    seen: set[str] = set()
    lines: list[tuple[str, bool]] = []
    for root in (name for name in below if name not in entered):
        lines += _lines(view, below, root, seen, ())
        if len(lines) >= most:
            break
    shown = [text for text, _ in lines[:most]]
    left = len(view.nodes) - sum(is_node for _, is_node in lines[:most])
    return "\n".join([*shown, *([f"... and {left:,} more"] if left else [])])


def _lines(
    view: GraphView,
    below: dict[str, list[str]],
    name: str,
    seen: set[str],
    lasts: Sequence[bool],
) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a node and what is below it, and which of them are a node's first.

    ``lasts`` says of it and of each node above whether it is the last of its siblings.
    """
    head = "".join("   " if last else "│  " for last in lasts[:-1])
    head += ("└─ " if lasts[-1] else "├─ ") if lasts else ""
    if name in seen:
        yield f"{head}{name}  (above)", False
        return
    seen.add(name)
    yield f"{head}{_said(view.nodes[name])}", True
    if len(lasts) == _DEEPEST and below[name]:
        yield f"{head}   ...", False
        return
    for place, each in enumerate(below[name], start=1):
        yield from _lines(view, below, each, seen, (*lasts, place == len(below[name])))


def _said(node: NodeView) -> str:
    took = duration(node.duration_seconds)
    return f"{node.name}  {WORDS[node.status]}{' ' if took else ''}{took}"
