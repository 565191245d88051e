"""The short cut of a run in which nothing but values matters."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from dagnb.results import NodeStatus
from dagnb.run.call import Binder, Bound, Report
from dagnb.run.frontier import Scan
from dagnb.run.records import VALUE
from dagnb.values.plain import PLAIN

if TYPE_CHECKING:
    from dagnb.run.engine import Engine
    from dagnb.run.lease import Lease

COMPLETED = NodeStatus.COMPLETED


def sprint(  # noqa: PLR0912  # one loop, unrolled for speed
    engine: Engine, lease: Lease | None = None, worker: str = ""
) -> tuple[int, Report] | None:
    """Run nodes on this thread for as long as nothing but values matters.

    That is: one worker, no observer, no policy, no failure. It does what `take`, `perform`
    and `settle` do, with nothing in between, at a third of the cost, and leaves whatever is
    unusual to them. A node's flag falls last, so an interrupt at any point finds it set.

    A worker that has the engine on lease stops when nodes take long. If the lease is gone
    after a call, the node and its report are returned, and nothing is touched any more.
    """
    scan = engine._frontier
    if not engine.may_sprint or not isinstance(scan, Scan):
        return None
    predecessors, successors = engine._graph.predecessors, engine._graph.successors
    names, tasks, binder = engine._graph.names, engine._tasks, engine._binder
    bindings = binder.bindings
    records, replaced = engine._records, engine._replaced
    compare, compared = engine._compare, engine._compared
    order, positions, dirty = scan.order, scan.positions, scan.dirty
    find, place, size, run = dirty.find, scan.place, len(scan.order), engine._run
    while True:
        if place == size or not dirty[place]:  # to look is far cheaper than to search
            place = find(1, place)
            if place < 0:
                break
        node = order[place]
        task, bound = tasks.get(names[node]), bindings[node]
        if bound is None or bound[0] is not task:
            bound = binder.shared
            if bound is None or bound[0] is not task:
                bound = _bind_if_simple(binder, node, task)
            bindings[node] = bound
        if bound is None or bound[3] or bound[4]:
            scan.place = place
            return None
        inputs = predecessors[node] if bound[2] is None else bound[2]
        started = perf_counter()
        if lease is not None:
            lease.lay_down((node, started))
        try:
            value = bound[1](*[records[each][VALUE] for each in inputs])  # type: ignore[index]  # settled
        except BaseException as error:
            if lease is not None and not lease.take_up():
                return node, Report(None, error, started, perf_counter())
            scan.place = place + 1
            _leave(engine, node, error, started, worker)
            return None
        seconds = perf_counter() - started
        if lease is not None and not lease.take_up():
            return node, Report(value, None, started, started + seconds)
        last, name, changed = records[node], None, True
        if compare and (last is not None or value.__class__ not in PLAIN):
            changed, name = compared(last, value)
        if replaced is not None:
            replaced[node] = last
        records[node] = (
            run, COMPLETED, value, None, started, seconds, changed, True, name, "", worker, 1,
        )  # fmt: skip
        if changed:
            for each in successors[node]:
                dirty[positions[each]] = 1
        dirty[place] = 0
        place += 1
        if lease is not None and lease.should_end(seconds):
            break
    scan.place = place if place >= 0 else size
    return None


def _bind_if_simple(binder: Binder, node: int, task: Callable[..., Any] | None) -> Bound | None:
    try:
        return None if task is None else binder.bind(node, task)
    except TypeError:
        return None


def _leave(engine: Engine, node: int, error: BaseException, started: float, worker: str) -> None:
    """Let the engine settle a node whose task raised, as if it had been taken."""
    engine.running[node] = started
    if isinstance(error, KeyboardInterrupt) and not worker:
        raise error
    engine.settle(node, Report(None, error, started, perf_counter()), worker)
