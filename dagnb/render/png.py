"""A graph as a picture of points, drawn by Graphviz."""

from __future__ import annotations

from dagnb.errors import LayoutError
from dagnb.render.dot import to_dot
from dagnb.render.view import GraphView


def png(view: GraphView) -> bytes:
    """Return a graph, coloured by what became of its nodes, as a PNG file.

    Raises
    ------
    LayoutError
        Graphviz cannot draw it.
    """
    import pygraphviz

    status = {name: node.status for name, node in view.nodes.items()}
    source = to_dot(view.nodes, view.edges, groups=view.groups, status=status).source
    try:
        drawn: bytes = pygraphviz.AGraph(string=str(source)).draw(format="png", prog="dot")
    except (OSError, ValueError) as error:
        raise LayoutError(f"Graphviz draws no PNG here: {error}; write .svg instead") from error
    return drawn
