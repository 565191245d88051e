"""What a run of a manifest would do, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dagnb.project.keep import Keep
from dagnb.project.manifest import Manifest
from dagnb.project.state import State
from dagnb.project.summary import ExecutionStatus, NodeOutcome
from dagnb.run.plan import make_plan

_STATUSES = {
    "run": ExecutionStatus.PENDING,
    "may run": ExecutionStatus.PENDING,
    "wait": ExecutionStatus.SKIPPED,
    "reuse": ExecutionStatus.CACHED,
}


def planned(
    manifest: Manifest, keep: Keep, state: State, reasons: Mapping[str, str]
) -> list[NodeOutcome]:
    """Return a step for each node, dependencies first.

    Parameters
    ----------
    manifest : Manifest
    keep : Keep
        Knows what is selected, and what is as it was.
    state : State
    reasons : mapping of str to str
        Why nodes changed, by a comparison of manifests; goes before what the state says.
    """
    ids = manifest.dag.adjacency.ids
    waiting = {ids[name]: why for name in manifest.nodes if (why := keep.passes_by(name))}
    causes = {ids[name]: reasons.get(name, why) for name, why in _causes(manifest, keep, state)}
    seconds = {ids[name]: last.duration for name, last in state.nodes.items() if name in ids}
    plan = make_plan(manifest.dag.adjacency, causes, waiting, seconds)
    return [_step(str(step.name), step.action, step.reason, keep, state) for step in plan]


def _causes(manifest: Manifest, keep: Keep, state: State) -> Iterator[tuple[str, str]]:
    """Yield the nodes that run whatever comes out above them, with the reason."""
    uncertain = set[str]()
    for ref in manifest.dag.topological_sort():
        name = str(ref)
        above = manifest.upstream(name)
        if keep.passes_by(name):
            continue
        if uncertain.isdisjoint(above):
            digests = {each: state.nodes[each].digest for each in above if each in state.nodes}
            why = keep.why(name, digests)
        else:
            why = keep.own_reason(name, above)
            uncertain.add(name)
        if why:
            uncertain.add(name)
            yield name, why


def _step(name: str, action: str, reason: str, keep: Keep, state: State) -> NodeOutcome:
    last, left_out = state.nodes.get(name), keep.passes_by(name)
    status = ExecutionStatus.SKIPPED if left_out else _STATUSES[action]
    rows = last.row_count if last is not None else None
    return NodeOutcome(name, status, row_count=rows, reason=left_out or reason)
