"""What a run of a session would do, from what the session knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dagnb.notebook.registry import Registry
from dagnb.notebook.staleness import HELD
from dagnb.observe.history import History
from dagnb.run.plan import Plan, make_plan
from dagnb.run.records import HOW, RUN, Memory
from dagnb.values.saved import Saved


def plan_of(
    registry: Registry,
    memory: Memory,
    causes: Mapping[int, str],
    held: Mapping[str, str],
    history: History,
    *,
    past: Mapping[str, Sequence[float]] = {},
    earlier: Mapping[str, Saved] = {},
) -> Plan:
    """Return the plan of a run that starts from dirty nodes.

    Parameters
    ----------
    registry : Registry
    memory : Memory
        Knows what became of nodes in their last runs.
    causes : mapping of int to str
        The dirty nodes, by number, and why they are.
    held : mapping of str to str
        The nodes that cannot or must not run, and why.
    history : History
        Knows how long nodes took, and how often they came out different.
    past : mapping of str to sequence of float
        How many seconds nodes took in other kernels, the last time last.
    earlier : mapping of str to Saved
        What other kernels saved of nodes that have not run in this one.
    """
    dag, nodes = registry.dag, registry.nodes
    took = {dag.number(name): seconds[-1] for name, seconds in past.items() if name in nodes}
    here = {dag.number(name): history.seconds(name) for name in nodes}
    took |= {node: seconds for node, seconds in here.items() if seconds is not None}
    causes = dict(_forecast(registry, memory, causes, earlier)) if earlier else causes
    waiting = {dag.number(name): reason for name, reason in held.items()}
    whens = {name: node.options.when for name, node in nodes.items()}
    conditions = {dag.number(name): when.text for name, when in whens.items() if when is not None}
    shares = {dag.number(name): history.share_changed(name) for name in nodes}
    changes = {node: share for node, share in shares.items() if share is not None}
    causes = {node: why for node, why in causes.items() if not _is_only_below(node, causes, memory)}
    return make_plan(dag.adjacency, causes, waiting, took, conditions=conditions, changes=changes)


def _forecast(
    registry: Registry, memory: Memory, causes: Mapping[int, str], earlier: Mapping[str, Saved]
) -> Iterator[tuple[int, str]]:
    """Yield the dirty nodes that are sure to run, with what differs from when they ran last."""
    graph, records = registry.dag.adjacency, memory.records
    for node, why in causes.items():
        saved = earlier.get(graph.names[node])
        if saved is None or records[node] is not None:
            yield node, why
            continue
        lasts = {graph.names[each]: records[each] for each in graph.predecessors[node]}
        if None in lasts.values():
            continue  # it depends on what comes out there
        digests = {name: last[HOW].digest for name, last in lasts.items() if last is not None}
        other = [name for name, each in digests.items() if saved.inputs.get(name) != each]
        changed = f"its input {', '.join(other)} changed" if other else "its code or what it reads"
        yield node, changed if other else f"{changed} changed"


def _is_only_below(node: int, causes: Mapping[int, str], memory: Memory) -> bool:
    """Whether a node is stale for an input that may yet come out the same, and for no other."""
    last = memory.records[node]
    above = memory.graph.predecessors[node]
    if last is None or causes[node] != HELD or not any(each in causes for each in above):
        return False
    inputs = [memory.records[each] for each in above]
    return not any(each and each[HOW].changed and each[RUN] > last[RUN] for each in inputs)
