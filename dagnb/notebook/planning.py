"""What a run of a session would do, from what the session knows."""

from __future__ import annotations

from collections.abc import Mapping

from dagnb.notebook.registry import Registry
from dagnb.run.plan import Plan, make_plan
from dagnb.run.records import EXECUTED, SECONDS, Memory


def plan_of(
    registry: Registry, memory: Memory, causes: Mapping[int, str], held: Mapping[str, str]
) -> Plan:
    """Return the plan of a run that starts from dirty nodes.

    Parameters
    ----------
    registry : Registry
    memory : Memory
        Knows how long nodes took.
    causes : mapping of int to str
        The dirty nodes, by number, and why they are.
    held : mapping of str to str
        The nodes that cannot or must not run, and why.
    """
    dag, nodes = registry.dag, registry.nodes
    records = enumerate(memory.records)
    took = {node: last[SECONDS] for node, last in records if last and last[EXECUTED]}
    waiting = {dag.number(name): reason for name, reason in held.items()}
    whens = {name: node.options.when for name, node in nodes.items()}
    conditions = {dag.number(name): when.text for name, when in whens.items() if when is not None}
    return make_plan(dag.adjacency, causes, waiting, took, conditions)
