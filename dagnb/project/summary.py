"""What a run of a manifest came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dagnb.observe.text import table
from dagnb.project.keep import NOT_SELECTED
from dagnb.project.manifest import ManifestNode
from dagnb.project.state import NodeState
from dagnb.results import NodeResult, NodeStatus

RULE = "=" * 60
Write = Callable[[str], Any]


class ExecutionStatus(Enum):
    """The six words in which the runner says what happened; each follows from a `NodeStatus`."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CACHED = "cached"
    SKIPPED = "skipped"


_WORDS = {
    NodeStatus.PENDING: ExecutionStatus.PENDING,
    NodeStatus.RUNNING: ExecutionStatus.RUNNING,
    NodeStatus.COMPLETED: ExecutionStatus.SUCCESS,
    NodeStatus.CACHE_HIT: ExecutionStatus.CACHED,
    NodeStatus.FAILED: ExecutionStatus.FAILED,
    NodeStatus.TIMED_OUT: ExecutionStatus.FAILED,
    NodeStatus.SKIPPED: ExecutionStatus.SKIPPED,
    NodeStatus.CANCELLED: ExecutionStatus.PENDING,
}


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """What a run of a manifest did about one node.

    Attributes
    ----------
    node_id : str
    status : ExecutionStatus
    duration : float
        Seconds; 0.0 if it did not run.
    row_count : int or None
        Of its value.
    error_message : str or None
        Why it failed.
    reason : str
        Why it ran, did not run, or would run.
    attempts : int
        How often it was tried; 0 if it did not run.
    metadata : dict
        What a custom executor says of what it did.
    error : BaseException or None
    """

    node_id: str
    status: ExecutionStatus
    duration: float = 0.0
    row_count: int | None = None
    error_message: str | None = None
    reason: str = ""
    attempts: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """What a run of a manifest came to.

    Attributes
    ----------
    total_nodes : int
        Nodes in the manifest.
    changed_nodes : int
        Nodes that had to run: those that did, and those that a stop kept from it.
    cached_nodes : int
        Nodes that were up to date.
    successful_nodes, failed_nodes : int
        Nodes that ran.
    skipped_nodes : int
        Nodes that filters left out, or that a failed input kept from running.
    total_duration : float
        Seconds.
    results : list of NodeOutcome
        Dependencies first.
    stopped : str
        Why the run ended early; empty if it did not.
    """

    results: list[NodeOutcome]
    total_duration: float = 0.0
    stopped: str = ""

    def _count(self, *statuses: ExecutionStatus) -> int:
        return sum(each.status in statuses for each in self.results)

    @property
    def total_nodes(self) -> int:
        """The nodes of the manifest."""
        return len(self.results)

    @property
    def changed_nodes(self) -> int:
        """The nodes that had to run."""
        status = ExecutionStatus
        return self._count(status.SUCCESS, status.FAILED, status.PENDING, status.RUNNING)

    @property
    def cached_nodes(self) -> int:
        """The nodes that were up to date."""
        return self._count(ExecutionStatus.CACHED)

    @property
    def successful_nodes(self) -> int:
        """The nodes that ran and succeeded."""
        return self._count(ExecutionStatus.SUCCESS)

    @property
    def failed_nodes(self) -> int:
        """The nodes that ran and failed."""
        return self._count(ExecutionStatus.FAILED)

    @property
    def skipped_nodes(self) -> int:
        """The nodes that were left out."""
        return self._count(ExecutionStatus.SKIPPED)

    @property
    def exit_code(self) -> int:
        """What a command ends with: 1 if a node failed or the run was stopped, else 0."""
        return int(bool(self.failed_nodes or self.stopped))

    def __getitem__(self, node_id: str) -> NodeOutcome:
        for each in self.results:
            if each.node_id == node_id:
                return each
        raise KeyError(node_id)


def outcome_of(result: NodeResult, state: NodeState | None) -> NodeOutcome:
    """Return what the engine says of a node, in the words of the runner.

    Parameters
    ----------
    result : NodeResult
    state : NodeState or None
        What is known of its last run.
    """
    name, status, ran = str(result.name), _WORDS[result.status], result.executed
    rows = state.row_count if state is not None else None
    if result.status is NodeStatus.COMPLETED and not ran:
        was_left_out = not result.reason.startswith("reused")
        status = ExecutionStatus.SKIPPED if was_left_out else ExecutionStatus.CACHED
    if status in (ExecutionStatus.CACHED, ExecutionStatus.SKIPPED):
        return NodeOutcome(name, status, 0.0, rows, reason=result.reason)
    message = None
    if status is ExecutionStatus.FAILED:
        message = str(result.error) if result.error is not None else result.reason
    said = result.held.get("metadata") if isinstance(result.held, Mapping) else None
    return NodeOutcome(
        name,
        status,
        result.duration_seconds if ran else 0.0,
        rows if result.status.is_success else None,
        message,
        result.reason,
        result.attempts if ran else 0,
        said if isinstance(said, Mapping) else {},
        result.error,
    )


def print_summary(summary: ExecutionSummary, write: Write = print) -> None:
    """Print what a run came to.

    Examples
    --------
    >>> print_summary(ExecutionSummary([NodeOutcome("source.a", ExecutionStatus.SUCCESS, 0.5)], 1))
    ℹ ============================================================
    ℹ Execution Summary
    ℹ ============================================================
    Total nodes: 1
    Changed nodes: 1
    Cached nodes: 0
    Successful: 1
    Failed: 0
    Duration: 1.00s
    ℹ ============================================================
    """
    for line in _summary_lines(summary):
        write(line)


def _summary_lines(summary: ExecutionSummary) -> list[str]:
    lines = [f"ℹ {RULE}", "ℹ Execution Summary", f"ℹ {RULE}"]
    lines += [
        f"Total nodes: {summary.total_nodes}",
        f"Changed nodes: {summary.changed_nodes}",
        f"Cached nodes: {summary.cached_nodes}",
        f"Successful: {summary.successful_nodes}",
        f"Failed: {summary.failed_nodes}",
    ]
    lines += [f"Skipped: {summary.skipped_nodes}"] if summary.skipped_nodes else []
    lines += [f"Duration: {summary.total_duration:.2f}s"]
    lines += [f"Stopped: {summary.stopped}"] if summary.stopped else []
    ran = [each for each in summary.results if each.attempts and each.row_count is not None]
    if ran:
        rows = [[each.node_id, f"{each.row_count:,}"] for each in ran]
        lines += table(["node", "rows"], rows).splitlines()
    lines += [
        f"✗ {each.node_id}: {each.error_message}{_tries(each.attempts)}"
        for each in summary.results
        if each.status is ExecutionStatus.FAILED
    ]
    return [*lines, f"ℹ {RULE}"]


def _tries(attempts: int) -> str:
    return f" ({attempts} attempts)" if attempts > 1 else ""


def print_plan_lines(
    steps: list[NodeOutcome], nodes: Mapping[str, ManifestNode], write: Write
) -> None:
    """Print what a run would do to each node, and why."""
    write("ℹ Execution Plan:")
    write(f"ℹ {RULE}")
    for number, step in enumerate(steps, 1):
        word = _ACTIONS[step.status]
        node = nodes[step.node_id]
        left_out = step.status is ExecutionStatus.SKIPPED and step.reason != NOT_SELECTED
        kind = ", ".join(node.tags) if left_out and node.tags else node.type
        reason = f"  {step.reason}" if step.reason else ""
        write(f"{number}. {word} {step.node_id} [{kind}]{reason}")
    write(f"ℹ {RULE}")


_ACTIONS = {
    ExecutionStatus.PENDING: "RUN",
    ExecutionStatus.CACHED: "CACHED",
    ExecutionStatus.SKIPPED: "SKIP",
}
