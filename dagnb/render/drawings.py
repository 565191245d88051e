"""What a graph looks like that has not run, and what a run did: hung on `DAG` and its results.

Both are on lower floors and cannot reach up here, so this file hands them the functions. The
public `dagnb.DAG` comes by way of this file; so does the notebook's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagnb.events import GraphEdited
from dagnb.graph.dag import DAG, DAGBuilder
from dagnb.render.dot import to_dot
from dagnb.render.mermaid import to_mermaid
from dagnb.render.svg import svg
from dagnb.render.table import table
from dagnb.render.view import GraphView
from dagnb.results import ExecutionResult

if TYPE_CHECKING:
    import graphviz

__all__ = ["DAG", "DAGBuilder"]

MOST_NODES = 500  # of a picture that nobody asked for by name


def _structure(dag: DAG) -> tuple[list[str], list[tuple[str, str]]]:
    edges = [(str(source), str(target)) for source, target in dag.edges()]
    return [str(name) for name in dag.nodes()], edges


def _dot(dag: DAG) -> graphviz.Source:
    return to_dot(*_structure(dag))


def _mermaid(dag: DAG) -> str:
    return to_mermaid(*_structure(dag))


def _svg(dag: DAG) -> str | None:
    if len(dag) > MOST_NODES:
        return None
    view = GraphView()
    view(GraphEdited(*_structure(dag)))
    return svg(view)


DAG.drawings.update(dot=_dot, mermaid=_mermaid, svg=_svg)
ExecutionResult.drawings.update(html=table)
