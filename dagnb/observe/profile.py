"""Where the time of a run went: the critical path, the slack, how busy the workers were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dagnb.graph.analysis import critical_path
from dagnb.graph.dag import DAG
from dagnb.results import ExecutionResult, NodeResult

MOST_BOTTLENECKS = 5


@dataclass(frozen=True, slots=True)
class NodeProfile:
    """The place of one executed node in its run. All times are in seconds.

    Attributes
    ----------
    name : str
    duration : float
    earliest_start : float
        With as many workers as it takes: when the last of its inputs is ready.
    latest_start : float
        It could start as late as this without making the run longer.
    slack : float
        The difference of the two.
    on_critical_path : bool
    share : float
        Of the critical path's length, from 0 to 1; 0 for a node that is not on it.
    """

    name: str
    duration: float
    earliest_start: float
    latest_start: float
    slack: float
    on_critical_path: bool
    share: float


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """The profile of a run.

    Attributes
    ----------
    node_profiles : dict of str to NodeProfile
        The nodes that were executed in the run, dependencies first.
    critical_path : list of str
        The executed nodes of the longest chain: no number of workers makes the run shorter.
    critical_path_duration : float
        Its length in seconds.
    bottlenecks : list of str
        The nodes with the largest shares of the critical path, largest first; at most five.
    parallelism_efficiency : float
        From 0 to 1: the part of the run's time that its workers spent in tasks.
    actual_max_parallelism : int
        The largest number of tasks that ran at the same time.
    """

    node_profiles: dict[str, NodeProfile] = field(default_factory=dict)
    critical_path: list[str] = field(default_factory=list)
    critical_path_duration: float = 0.0
    bottlenecks: list[str] = field(default_factory=list)
    parallelism_efficiency: float = 0.0
    actual_max_parallelism: int = 0

    def summary(self) -> str:
        """Return a few lines for reading."""
        shares = [f"{name} ({self.node_profiles[name].share:.0%})" for name in self.bottlenecks]
        return "\n".join(
            [
                f"{len(self.node_profiles)} nodes ran, "
                f"at most {self.actual_max_parallelism} at once, "
                f"workers busy {self.parallelism_efficiency:.0%} of the time",
                f"critical path: {self.critical_path_duration:.3f} s, "
                f"{' -> '.join(self.critical_path)}",
                f"bottlenecks: {', '.join(shares)}",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        nodes = {
            name: {key: getattr(profile, key) for key in NodeProfile.__slots__ if key != "name"}
            for name, profile in self.node_profiles.items()
        }
        own = {key: getattr(self, key) for key in ProfileReport.__slots__}
        return own | {"node_profiles": nodes}


def profile_execution(dag: DAG, result: ExecutionResult) -> ProfileReport:
    """Say where the time of a run went. Linear in the size of the graph.

    Parameters
    ----------
    dag : DAG
        The graph that ran, as it was.
    result : ExecutionResult
        Only nodes that were executed in this run count; reused ones took no time.

    Examples
    --------
    >>> from dagnb import DAG, DAGExecutor, profile_execution
    >>> dag = DAG.builder().add_edge("load", "fit").build()
    >>> result = DAGExecutor(dag).execute({"load": lambda: 1, "fit": lambda load: load})
    >>> profile_execution(dag, result).critical_path
    ['load', 'fit']
    """
    ran = [each for each in result.node_results.values() if each.executed and each.started]
    ran = [each for each in ran if each.name in dag]
    if not ran:
        return ProfileReport()
    seconds = {dag.number(str(each.name)): each.duration_seconds for each in ran}
    path, length = critical_path(dag.adjacency, seconds, 0.0)
    profiles = _profiles(dag, seconds, set(path), length)
    bottlenecks = sorted(profiles.values(), key=lambda each: -each.share)[:MOST_BOTTLENECKS]
    widest = _most_at_once(ran)
    return ProfileReport(
        profiles,
        [dag.adjacency.names[node] for node in path if node in seconds],
        length,
        [each.name for each in bottlenecks if each.share > 0],
        _busy(ran, widest),
        widest,
    )


def _profiles(
    dag: DAG, seconds: dict[int, float], path: set[int], length: float
) -> dict[str, NodeProfile]:
    """Go forward for the earliest starts and backward for the latest."""
    graph = dag.adjacency
    ends: dict[int, float] = {}
    for node in graph.order:
        above = max((ends[each] for each in graph.predecessors[node]), default=0.0)
        ends[node] = above + seconds.get(node, 0.0)
    starts: dict[int, float] = {}
    for node in reversed(graph.order):
        below = min((starts[each] for each in graph.successors[node]), default=length)
        starts[node] = below - seconds.get(node, 0.0)
    profiles = {}
    for node in graph.order:
        if node in seconds:
            name, took = graph.names[node], seconds[node]
            earliest, latest = ends[node] - took, starts[node]
            share = took / length if node in path and length else 0.0
            slack = max(latest - earliest, 0.0)  # rounding may leave a little less than none
            profiles[name] = NodeProfile(name, took, earliest, latest, slack, node in path, share)
    return profiles


def _most_at_once(ran: Iterable[NodeResult]) -> int:
    """Return the largest number of tasks that ran at one time; one that ends makes room first."""
    moments = [(each.started, 1) for each in ran]
    moments += [(each.started + each.duration_seconds, -1) for each in ran]
    running = most = 0
    for _, step in sorted(moments):
        running += step
        most = max(most, running)
    return max(most, 1)


def _busy(ran: list[NodeResult], workers: int) -> float:
    began = min(each.started for each in ran)
    ended = max(each.started + each.duration_seconds for each in ran)
    available = (ended - began) * workers
    return min(sum(each.duration_seconds for each in ran) / available, 1.0) if available else 1.0
