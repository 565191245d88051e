"""What is said of a node before it runs and after: by its inputs, and by the policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dagnb.results import NodeResult, NodeStatus
from dagnb.run.call import Bound
from dagnb.run.policies import Policy
from dagnb.run.records import HOW, How, Memory, Record, RunRecords, as_result, not_started

FAILED, SKIPPED = NodeStatus.FAILED, NodeStatus.SKIPPED
ENDINGS = {FAILED: "failed", NodeStatus.TIMED_OUT: "timed out"}  # which stop a fail-fast run


class Counsel:
    """The policies of one run, asked about its nodes.

    Parameters
    ----------
    memory : Memory
        Whose present run it is.
    results : RunRecords
    policies : sequence of Policy
    """

    def __init__(
        self, memory: Memory, results: RunRecords, policies: Sequence[Policy] = ()
    ) -> None:
        self._graph, self._records, self._run = memory.graph, memory.records, memory.run
        self._results = results
        self._policies = policies

    def instead(self, node: int, bound: Bound) -> Record | None:
        """Return what a node settles with if it need not or cannot run."""
        reason = self._blocked_by(node, bound)
        if reason:
            return not_started(self._run, SKIPPED, reason)
        if not self._policies:
            return None
        name, inputs = self._graph.names[node], self._inputs(node)
        for policy in self._policies:
            result = policy.decide(name, inputs)
            if result is not None:
                return self._recorded(self._as_before(node, result))
        return None

    def amended(self, node: int, settled: Record) -> Record:
        """Return what came of a call as the rest of the run shall see it."""
        inputs = self._inputs(node)
        result = as_result(self._graph.names[node], settled)
        for policy in self._policies:
            result = policy.settled(result, inputs)
        return self._recorded(result)

    def _as_before(self, node: int, result: NodeResult) -> NodeResult:
        """Note that a node which is skipped again is to its dependents what it was."""
        last = self._records[node]
        if result.status is not SKIPPED or last is None or last[HOW].status is not SKIPPED:
            return result
        return replace(result, changed=False)

    def _blocked_by(self, node: int, bound: Bound) -> str:
        """Say which input, needed by value or merely before, has no value in this run."""
        predecessors = self._graph.predecessors[node]
        _, _, inputs, keywords, _ = bound
        needed = predecessors if inputs is None else [*inputs, *(each for _, each in keywords)]
        for each in predecessors:
            last = self._records[each]
            if last is None:
                return f"{self._graph.names[each]} has not run"
            status = last[HOW].status
            if status.is_success:
                continue
            if last[HOW].reason == "no task" and each not in needed:
                continue
            if self._is_excused(node, each):
                continue
            how = ENDINGS.get(status) or f"was {status.value}"
            return f"{self._graph.names[each]} {how}"
        return ""

    def _is_excused(self, node: int, missing: int) -> bool:
        name, result = self._graph.names[node], self._results.result_of(missing)
        return any(policy.excuses(name, result) for policy in self._policies)

    def _inputs(self, node: int) -> dict[str, NodeResult]:
        names = self._graph.names
        return {
            names[each]: self._results.result_of(each) for each in self._graph.predecessors[node]
        }

    def _recorded(self, result: NodeResult) -> Record:
        how = How(
            result.status, result.changed, result.executed, result.error, result.digest,
            result.reason, result.worker, result.attempts,
        )  # fmt: skip
        ended = result.started + result.duration_seconds
        return self._run, result.held, how, result.started, ended
