"""What happened to a node, and what happened in a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar


class NodeStatus(Enum):
    """The eight states of a node; there is no other status enum."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    CACHE_HIT = "cache_hit"

    @property
    def is_success(self) -> bool:
        """Whether a node in this state has a value."""
        return self is NodeStatus.COMPLETED or self is NodeStatus.CACHE_HIT


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The one record of what happened to a node.

    Attributes
    ----------
    name : str
    status : NodeStatus
    result : object
        The node's value; None if it has none.
    error : BaseException or None
        What the task raised.
    duration_seconds : float
        Wall-clock seconds in the worker, of the last time it was executed.
    reason : str
        One sentence: why it ran, was reused, was skipped or was cancelled.
    executed : bool
        Whether its task was called in this run.
    changed : bool
        Whether its value differs from the one its dependents saw last.
    digest : str or None
        Names the value; None if it was not needed or none can be taken.
    started : float
        ``time.perf_counter()`` when the task began; 0.0 if it did not.
    worker : str
        The name of the worker that ran it; empty for the driver's own thread.
    attempts : int
        How often its task was called the last time that it was executed: 1 and its retries.
    """

    name: str
    status: NodeStatus
    result: Any = None
    error: BaseException | None = None
    duration_seconds: float = 0.0
    reason: str = ""
    executed: bool = False
    changed: bool = True
    digest: str | None = None
    started: float = 0.0
    worker: str = ""
    attempts: int = 1

    @property
    def held(self) -> Any:
        """The value as it is kept: a `Deferred` while it is not loaded."""
        return self.result

    def but(self, **changes: Any) -> NodeResult:
        """Return it with other fields; a value that is not loaded stays where it is."""
        return replace(self, **{"result": self.held, **changes})


class Deferred:
    """A value that is kept elsewhere until somebody asks for it; prints as its description."""

    __slots__ = ()

    def load(self) -> Any:
        """Return the value; it is loaded once.

        Raises
        ------
        DagError
            It is not there any more.
        """
        raise NotImplementedError


class DeferredResult(NodeResult):
    """A result that loads its value when somebody first looks at it."""

    __slots__ = ()

    @property
    def held(self) -> Any:
        """The value as it is kept."""
        return _KEPT.__get__(self)

    def _load(self) -> Any:
        return self.held.load()

    def _keep(self, value: Any) -> None:
        _KEPT.__set__(self, value)

    result = property(_load, _keep, doc="The node's value, loaded if it was not.")


_KEPT: Any = NodeResult.__dict__["result"]  # the slot


class ExecutionResult:
    """All node results of a run; counts and lists are derived from them.

    Attributes
    ----------
    node_results : mapping of str to NodeResult
        Every node of the graph, dependencies first. Each result is made when asked for.
    total_duration_seconds : float
        Wall-clock seconds of the whole run.
    stopped : str
        Why the run ended before its end; empty if it did not.
    trace : object or None
        What the run's tracing recorded, if it was enabled.
    drawings : dict
        What shows a result, by format; `dagnb.render.drawings` puts it here.
    """

    drawings: ClassVar[dict[str, Callable[[ExecutionResult], str]]] = {}

    def __init__(
        self,
        node_results: Mapping[str, NodeResult] | None = None,
        total_duration_seconds: float = 0.0,
        stopped: str = "",
        trace: Any = None,
    ) -> None:
        self.node_results = {} if node_results is None else node_results
        self.total_duration_seconds = total_duration_seconds
        self.stopped = stopped
        self.trace = trace

    @cached_property
    def _counts(self) -> Counter[NodeStatus]:
        return Counter(result.status for result in self.node_results.values())

    @property
    def succeeded(self) -> int:
        """The number of nodes with a value: run, reused or from a cache."""
        return self._counts[NodeStatus.COMPLETED] + self._counts[NodeStatus.CACHE_HIT]

    @property
    def failed(self) -> int:
        """The number of nodes whose task raised."""
        return self._counts[NodeStatus.FAILED]

    @property
    def skipped(self) -> int:
        """The number of nodes that were not run because of another, or had no task."""
        return self._counts[NodeStatus.SKIPPED]

    @property
    def timed_out(self) -> int:
        """The number of nodes that were still running at a deadline."""
        return self._counts[NodeStatus.TIMED_OUT]

    @property
    def cancelled(self) -> int:
        """The number of nodes that had not started when the run was stopped."""
        return self._counts[NodeStatus.CANCELLED]

    def __getitem__(self, name: str) -> NodeResult:
        return self.node_results[name]

    def __contains__(self, name: object) -> bool:
        return name in self.node_results

    def summary(self) -> str:
        """Return one line: how many nodes ended in which state, and the seconds."""
        counts = {"succeeded": self.succeeded} | {
            name: number
            for name in ("failed", "skipped", "timed_out", "cancelled")
            if (number := getattr(self, name))
        }
        listed = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
        ending = f"; stopped: {self.stopped}" if self.stopped else ""
        seconds = self.total_duration_seconds
        return f"{len(self.node_results)} nodes: {listed} in {seconds:.3f} s{ending}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.summary()}>"

    def _repr_html_(self) -> str | None:
        return self.drawings["html"](self) if "html" in self.drawings else None


class IncrementalResult(ExecutionResult):
    """The results of a run that reused what had not changed."""

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Why each affected node was looked at, by name; empty if everything was asked for."""
        find: Callable[[], Mapping[str, Any]] = getattr(self.node_results, "provenance", dict)
        return find()

    @cached_property
    def recomputed(self) -> list[str]:
        """The nodes that were executed to a value, dependencies first."""
        return [
            str(name)
            for name, result in self.node_results.items()
            if result.executed and result.status is NodeStatus.COMPLETED
        ]

    @cached_property
    def early_cutoff(self) -> list[str]:
        """The nodes that were executed to the value they had before."""
        return [name for name in self.recomputed if not self.node_results[name].changed]

    @cached_property
    def reused(self) -> list[str]:
        """The nodes that kept their value and were not executed."""
        return [
            str(name)
            for name, result in self.node_results.items()
            if not result.executed and result.status.is_success
        ]
