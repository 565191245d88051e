"""Callbacks: an object with a method per kind of event, in two spellings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from dagnb.events import Event, GraphEdited, NodeSettled, NodeStarted, Observer, RunFinished
from dagnb.results import NodeResult, NodeStatus
from dagnb.warning import warn

log = logging.getLogger(__name__)

SPELLINGS = {
    "on_node_start": "on_start",
    "on_node_complete": "on_complete",
    "on_node_error": "on_failure",
    "on_node_skip": "on_skip",
    "on_dynamic_expand": "on_dynamic_expand",
}


@dataclass
class ExecutionCallbacks:
    """Functions to call on events; those left None are not called.

    The fields ``on_start``, ``on_complete``, ``on_failure`` and ``on_skip`` are other spellings
    of the four ``on_node_...``.

    Examples
    --------
    >>> from dagnb import DAG, DAGExecutor, ExecutionCallbacks
    >>> dag = DAG()
    >>> ref = dag.add_node("a")
    >>> callbacks = ExecutionCallbacks(on_node_complete=lambda name, value: print(name, value))
    >>> result = DAGExecutor(dag, callbacks=callbacks).execute({"a": lambda: 1})
    a 1
    """

    on_node_start: Callable[[str], Any] | None = None
    on_node_complete: Callable[[str, Any], Any] | None = None
    on_node_error: Callable[[str, BaseException], Any] | None = None
    on_node_skip: Callable[[str], Any] | None = None
    on_dynamic_expand: Callable[[str, Sequence[str]], Any] | None = None
    on_start: Callable[[str], Any] | None = None
    on_complete: Callable[[str, Any], Any] | None = None
    on_failure: Callable[[str, BaseException], Any] | None = None
    on_skip: Callable[[str], Any] | None = None


def callbacks_observer(callbacks: object) -> Observer:
    """Return an observer that calls the methods of ``callbacks``.

    A reused node is skipped in the sense of ``on_node_skip``; since a run does not look at
    what it does not touch, these calls come at its end. A method that raises is logged once
    and goes on being called.

    Raises
    ------
    TypeError
        It is a class, or one of its methods is not callable.
    """
    if isinstance(callbacks, type):
        raise TypeError(f"callbacks is an object, not a class; give {callbacks.__name__}()")
    found = {name: _method(callbacks, name) for name in SPELLINGS}
    raised: set[str] = set()
    settled: set[str] = set()
    _warn_of_dead(callbacks, found)

    def observe(event: Event) -> None:
        for name, arguments in _calls(event, settled):
            method = found[name]
            if method is None:
                continue
            try:
                method(*arguments)
            except Exception:
                if name not in raised:
                    raised.add(name)
                    log.exception("the callback %s raised; later errors are not logged", name)

    return observe


def _calls(event: Event, settled: set[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the calls for an event; ``settled`` are the reused nodes that were announced."""
    if isinstance(event, NodeStarted):
        yield "on_node_start", (event.name,)
    elif isinstance(event, NodeSettled):
        if _is_reused(event.result):
            settled.add(event.result.name)
        yield _settled(event.result)
    elif isinstance(event, GraphEdited) and event.by:
        yield "on_dynamic_expand", (event.by, event.added)
    elif isinstance(event, RunFinished):
        for result in event.result.node_results.values():
            if _is_reused(result) and result.name not in settled:
                yield "on_node_skip", (result.name,)
        settled.clear()


def _is_reused(result: NodeResult) -> bool:
    return result.status is NodeStatus.COMPLETED and not result.executed


def _settled(result: NodeResult) -> tuple[str, tuple[Any, ...]]:
    if result.status is NodeStatus.COMPLETED and result.executed:
        return "on_node_complete", (result.name, result.result)
    if result.error is not None:
        return "on_node_error", (result.name, result.error)
    if result.status is NodeStatus.TIMED_OUT:
        return "on_node_error", (result.name, TimeoutError(result.reason))
    return "on_node_skip", (result.name,)


def _method(callbacks: object, name: str) -> Callable[..., Any] | None:
    method = getattr(callbacks, name, None) or getattr(callbacks, SPELLINGS[name], None)
    if method is not None and not callable(method):
        raise TypeError(f"the callback {name} is not callable: {method!r}")
    return method


def _warn_of_dead(callbacks: object, found: Mapping[str, object]) -> None:
    """Warn of ``on_...`` methods that nothing calls, and of an object without any that is."""
    known = {*SPELLINGS, *SPELLINGS.values()}
    dead = [name for name in dir(callbacks) if name.startswith("on_") and name not in known]
    for name in dead:
        nearest = get_close_matches(name, sorted(known), n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        warn(f"nothing calls the callback {name}{hint}")
    if not dead and not any(found.values()) and not isinstance(callbacks, ExecutionCallbacks):
        names = ", ".join(SPELLINGS)
        warn(f"nothing calls {callbacks!r}: it has none of {names}")
