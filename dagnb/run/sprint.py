"""The short cut of a run in which nothing but values matters."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from dagnb.results import NodeStatus
from dagnb.run.call import Binder, Bound, Report, why_unusable
from dagnb.run.frontier import Scan
from dagnb.run.records import HOW, RAN, RAN_AGAIN, VALUE, How
from dagnb.values.plain import PLAIN, same

if TYPE_CHECKING:
    from dagnb.run.engine import Engine
    from dagnb.run.lease import Lease

COMPLETED = NodeStatus.COMPLETED
WITH_VALUE = COMPLETED, NodeStatus.CACHE_HIT


def sprint(  # noqa: PLR0912, PLR0915  # one loop, unrolled for speed
    engine: Engine, lease: Lease | None = None, worker: str = ""
) -> tuple[int, Report] | None:
    """Run nodes on this thread for as long as nothing but values matters.

    That is: one worker, no observer, no policy, no failure. It does what `take`, `perform`
    and `settle` do, with nothing in between, at a fifth of the cost, and leaves whatever is
    unusual to them. A node counts as settled last, so an interrupt at any point finds it left.

    One reading of the clock ends a node and begins the next, so what a node took includes what
    lies between the two: less than a microsecond.

    A worker that has the engine on lease stops when nodes take long. If the lease is gone
    after a call, the node and its report are returned, and nothing is touched any more.
    """
    scan = engine._frontier
    if not engine.may_sprint or not isinstance(scan, Scan):
        return None
    graph, tasks, binder = engine._graph, engine._tasks, engine._binder
    names, predecessors, successors = graph.names, graph.predecessors, graph.successors
    records, replaced, run = engine._records, engine._replaced, engine._run
    ran, ran_again = RAN, RAN_AGAIN
    if worker:
        ran, ran_again = ran._replace(worker=worker), ran_again._replace(worker=worker)
    compare, compared = engine._compare, engine._compared
    order, positions, dirty = scan.order, scan.positions, scan.dirty
    bindings, shared, now = None, binder.shared, perf_counter()
    place, end = scan.place, len(order)
    while place < end:
        scan.place, node = place, order[place]
        task, bound = tasks.get(names[node]), shared
        if bound[0] is not task:
            bindings = binder.bindings if bindings is None else bindings
            known = bindings[node]
            if known is None or known[0] is not task:
                known = bindings[node] = _bind_if_simple(binder, node, task)
                if known is None:
                    return None
                shared, now = binder.shared, perf_counter()
            bound = known
        _, function, inputs, keywords, options = bound
        if keywords or options:
            return None
        taken, started = predecessors[node] if inputs is None else inputs, now
        if lease is not None:
            lease.lay_down((node, started))
        try:
            value = function(*[records[each][VALUE] for each in taken])  # type: ignore[index]  # settled
        except BaseException as error:
            if lease is not None and not lease.take_up():
                return node, Report(None, error, started, perf_counter())
            _leave(engine, node, error, started, worker)
            return None
        now = ended = perf_counter()
        if lease is not None and not lease.take_up():
            return node, Report(value, None, started, ended)
        last, changed, how = records[node], True, ran
        if compare:
            if type(value) not in PLAIN:
                unusable = why_unusable(names[node], value)
                if unusable is not None:
                    _leave(engine, node, unusable, started, worker)
                    return None
                changed, name = compared(last, value)
                how = How(COMPLETED, changed, True, None, name, "", worker)
                now = perf_counter()
            elif last is not None and last[HOW].status in WITH_VALUE:
                before = last[VALUE]
                if value is before or same(value, before):
                    changed, how = False, ran_again
        if replaced is not None:
            replaced[node] = last
        records[node] = run, value, how, started, ended
        if dirty is not None:
            if changed:
                for each in successors[node]:
                    below = positions[each]
                    if below > scan.last:
                        scan.last = below
                    dirty[below] = 1
            dirty[place] = 0
        place = place + 1 if dirty is None else scan.after(place)
        if lease is not None and lease.should_end(ended - started):
            break
    scan.place = place
    return None


def _bind_if_simple(binder: Binder, node: int, task: Callable[..., Any] | None) -> Bound | None:
    try:
        return None if task is None else binder.simple(node, task) or binder.matched(node, task)
    except TypeError:
        return None


def _leave(engine: Engine, node: int, error: BaseException, started: float, worker: str) -> None:
    """Let the engine settle a node whose task raised, as if it had been taken."""
    engine.running[node] = started
    if isinstance(error, KeyboardInterrupt) and not worker:
        raise error
    engine.settle(node, Report(None, error, started, perf_counter()), worker)
