"""Hooks: functions called at fixed points of a run, in order of priority."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dagnb.events import Event, NodeSettled, NodeStarted, Observer, RunFinished, RunStarted
from dagnb.results import NodeResult, NodeStatus

log = logging.getLogger(__name__)


class HookEvent(Enum):
    """The points of a run at which hooks are called."""

    PRE_EXECUTE = "pre_execute"
    POST_EXECUTE = "post_execute"
    PRE_NODE = "pre_node"
    POST_NODE = "post_node"
    ON_ERROR = "on_error"


@dataclass(slots=True)
class HookContext:
    """What a hook is told.

    Attributes
    ----------
    event : HookEvent
    dag : DAG
        The graph that runs; it cannot be edited before the run is over.
    node_name : str or None
        The node, for the three events of a node.
    node_result : object
        Its value (POST_NODE).
    error : BaseException or None
        What its task raised (ON_ERROR).
    execution_result : ExecutionResult or None
        The results of the run (POST_EXECUTE).
    metadata : dict
        For hooks to leave things in; each call has its own.
    """

    event: HookEvent
    dag: Any = None
    node_name: str | None = None
    node_result: Any = None
    error: BaseException | None = None
    execution_result: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)


Hook = Callable[[HookContext], Any]


@dataclass(slots=True, eq=False)
class _Entry:
    """A registered hook; equal only to itself, so that a function can be registered twice."""

    callback: Hook
    priority: int
    has_raised: bool = False


class HookRegistry:
    """Functions to call at points of a run. One that raises is logged once and changes nothing.

    Examples
    --------
    >>> from dagnb import DAG, DAGExecutor, HookEvent, HookRegistry
    >>> hooks = HookRegistry()
    >>> remove = hooks.register(HookEvent.POST_NODE, lambda context: print(context.node_name))
    >>> result = DAGExecutor(DAG.builder().add_node("a").build(), hooks=hooks).execute(
    ...     {"a": lambda: 1}
    ... )
    a
    """

    def __init__(self) -> None:
        self._entries: dict[HookEvent, list[_Entry]] = {event: [] for event in HookEvent}

    def register(self, event: HookEvent, callback: Hook, priority: int = 0) -> Callable[[], None]:
        """Call ``callback(context)`` on every ``event``, on the driver's thread.

        Parameters
        ----------
        event : HookEvent
        callback : callable
            Takes a `HookContext`.
        priority : int
            Higher ones are called first, equal ones in the order of registration.

        Returns
        -------
        callable
            Removes this hook; calling it again does nothing.
        """
        entry = _Entry(callback, priority)
        entries = self._entries[HookEvent(event)]
        entries.append(entry)
        entries.sort(key=lambda each: -each.priority)

        def unregister() -> None:
            self._entries[event] = [each for each in self._entries[event] if each is not entry]

        return unregister

    def fire(self, context: HookContext) -> None:
        """Call the hooks of the context's event."""
        for entry in list(self._entries[context.event]):
            try:
                entry.callback(context)
            except Exception:
                if not entry.has_raised:
                    entry.has_raised = True
                    where = context.event.value
                    log.exception("the %s hook %r raised; later errors of it are not logged",
                                  where, entry.callback)  # fmt: skip

    def clear(self, event: HookEvent | None = None) -> None:
        """Remove the hooks of one event, or all."""
        for each in HookEvent if event is None else [event]:
            self._entries[each] = []

    def hook_count(self, event: HookEvent | None = None) -> int:
        """Return the number of hooks of one event, or of all."""
        return sum(len(self._entries[each]) for each in (HookEvent if event is None else [event]))


def hooks_observer(hooks: HookRegistry, dag: object) -> Observer:
    """Return an observer that calls the hooks of a run of ``dag``."""
    if not isinstance(hooks, HookRegistry):
        raise TypeError(f"hooks is a HookRegistry, not {hooks!r}")

    def observe(event: Event) -> None:
        context = _context(event)
        if context is not None:
            context.dag = dag
            hooks.fire(context)

    return observe


def _context(event: Event) -> HookContext | None:
    if isinstance(event, NodeStarted):
        return HookContext(HookEvent.PRE_NODE, node_name=str(event.name))
    if isinstance(event, NodeSettled):
        return _settled(event.result)
    if isinstance(event, RunStarted):
        return HookContext(HookEvent.PRE_EXECUTE)
    if isinstance(event, RunFinished):
        return HookContext(HookEvent.POST_EXECUTE, execution_result=event.result)
    return None


def _settled(result: NodeResult) -> HookContext | None:
    name = str(result.name)
    if result.error is not None:
        return HookContext(HookEvent.ON_ERROR, node_name=name, error=result.error)
    if result.status is NodeStatus.TIMED_OUT:
        error = TimeoutError(f"node {name!r}: {result.reason}")
        return HookContext(HookEvent.ON_ERROR, node_name=name, error=error)
    if result.executed and result.status is NodeStatus.COMPLETED:
        return HookContext(HookEvent.POST_NODE, node_name=name, node_result=result.result)
    return None
