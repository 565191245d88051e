"""A walk to go through: forward, back, to any step, with the graph as it is then."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from dagnb.events import GraphEdited, NodeSettled, NodesStale, NodeStarted
from dagnb.graph.dag import DAG
from dagnb.render.svg import svg
from dagnb.render.view import GraphView
from dagnb.results import NodeResult, NodeStatus
from dagnb.teach.walk import Walk

_SETTLED = {
    "completed": (NodeStatus.COMPLETED, True, True),
    "cutoff": (NodeStatus.COMPLETED, True, False),
    "reused": (NodeStatus.COMPLETED, False, False),
    "cached": (NodeStatus.CACHE_HIT, False, True),
}


def picture(dag: DAG, looks: Mapping[str, str]) -> str:
    """Return the graph as SVG, with nodes that look as a step says; the others are pending."""
    view = GraphView()
    edges = [(str(source), str(target)) for source, target in dag.edges()]
    view(GraphEdited([str(name) for name in dag.nodes()], edges))
    for name, look in looks.items():
        view(_event(name, look))
    return svg(view)


def _event(name: str, look: str) -> NodeStarted | NodesStale | NodeSettled:
    if look == "running":
        return NodeStarted(name, 0.0)
    if look == "stale":
        return NodesStale([name])
    status, executed, changed = _SETTLED.get(look) or (NodeStatus(look), True, True)
    return NodeSettled(NodeResult(name, status, executed=executed, changed=changed))


def pager(walk: Walk, dag: DAG) -> Any:
    """Return a widget: buttons, the number of the step, the graph, and the step as text.

    All of it can be reached and worked by keyboard.
    """
    import ipywidgets

    last = len(walk) - 1
    # Sliders and the buttons of Play have no names for a screen reader.
    place = ipywidgets.BoundedIntText(max=last, description="step")
    back, forward = (ipywidgets.Button(description=word) for word in ("back", "next"))
    shown = ipywidgets.HTML()

    def show(_: object = None) -> None:
        step = walk[place.value]
        text = escape(walk.show(place.value))
        shown.value = f'{picture(dag, step.looks)}<pre role="status">{text}</pre>'

    def move(by: int) -> None:
        place.value = min(max(place.value + by, 0), last)

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(1))
    place.observe(show, "value")
    show()
    return ipywidgets.VBox([ipywidgets.HBox([back, forward, place]), shown])
