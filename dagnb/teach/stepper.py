"""The walks there are, by what one has: a graph, or a graph and a run of it."""

from __future__ import annotations

from collections.abc import Mapping

from dagnb.graph.dag import DAG
from dagnb.results import ExecutionResult, NodeResult, NodeStatus
from dagnb.teach.kahn import Kahn
from dagnb.teach.rerun import Rerun
from dagnb.teach.walk import Walk


def steps(dag: DAG, run: ExecutionResult | Mapping[str, NodeResult] | None = None) -> Walk:
    """Return how the order of a graph is found, or how a run of it went, step by step.

    Parameters
    ----------
    dag : DAG
    run : ExecutionResult, or mapping of str to NodeResult, optional
        The last run of a session is its ``settled``.

    Examples
    --------
    >>> dag = DAG.builder().add_edge("raw", "clean").build()
    >>> [step.said.partition(":")[0] for step in steps(dag)[1:]]
    ['raw is taken', 'clean is taken']
    """
    if run is None:
        return Kahn(dag)
    if isinstance(run, ExecutionResult):
        run = {name: each for name, each in run.node_results.items() if _was_looked_at(each)}
    return Rerun(dag, run)


def _was_looked_at(result: NodeResult) -> bool:
    return result.executed or result.status is not NodeStatus.COMPLETED or result.changed
