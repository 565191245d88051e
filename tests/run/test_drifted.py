"""Values that a backend lost, and that came out different: what is run again for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from dagnb import (
    DAG,
    AsyncDAGExecutor,
    DAGExecutor,
    DynamicExecutor,
    DynamicModification,
    DynamicNodeSpec,
    ExecutionResult,
    IncrementalExecutor,
    NodeStatus,
)
from dagnb.errors import UpstreamDrift
from dagnb.run.call import Call, perform
from dagnb.run.remote.backend import Attempt, Done
from dagnb.run.remote.calls import not_sent
from dagnb.run.remote.handle import About, Handle, put_in, without

Tasks = dict[str, Callable[..., Any]]
EDGES = [("a", "b"), ("a", "c"), ("b", "c")]


class Held(Handle):
    """A value that the backend below holds."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value, self.about = value, About(repr(value))

    def load(self) -> object:
        """Return the value."""
        return self.value


class Forgetful:
    """Performs calls here, and holds what they return; it loses inputs of some calls.

    Parameters
    ----------
    function : callable
        Whose first input is lost when it is called.
    times : int
        How often.
    """

    slots: int | None = None

    def __init__(self, function: Callable[..., Any], times: int = 1) -> None:
        self._function, self._left = function, times

    def submit(self, call: Call) -> Attempt:
        """Perform a call at once."""
        call, along = without(call, lambda handle: isinstance(handle, Held))
        if call.function is self._function and self._left:
            self._left -= 1
            return Done(not_sent(UpstreamDrift([0], along)))
        report = perform(call._replace(arguments=put_in(call.arguments, along)))
        return Done(report._replace(value=Held(report.value)))

    def close(self) -> None:
        """Do nothing."""


class Called:
    """Tasks of a graph, whose first one returns another value each time, and how often each ran."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._numbers = count()

    def a(self) -> int:
        """Give another number each time."""
        self.counts["a"] += 1
        return next(self._numbers)

    def b(self, a: int) -> int:
        """Go on with it."""
        self.counts["b"] += 1
        return a

    def c(self, a: int, b: int) -> tuple[int, int]:
        """Show both."""
        self.counts["c"] += 1
        return a, b

    def d(self) -> str:
        """Need nothing."""
        self.counts["d"] += 1
        return "beside"

    @property
    def tasks(self) -> Tasks:
        """All of them."""
        return {"a": self.a, "b": self.b, "c": self.c, "d": self.d}


def graph() -> DAG:
    """Return a graph in which one node reads a value, and another that was computed from it."""
    dag = DAG()
    dag.add_nodes(list("abcd"))
    dag.add_edges(EDGES)
    return dag


def on_threads(backend: Forgetful, tasks: Tasks) -> ExecutionResult:
    """Run with threads that wait."""
    return DAGExecutor(graph(), 2, backend=backend).execute(tasks)


def on_a_loop(backend: Forgetful, tasks: Tasks) -> ExecutionResult:
    """Run on an event loop."""
    return asyncio.run(AsyncDAGExecutor(graph(), 2, backend=backend).execute(tasks))


def incrementally(backend: Forgetful, tasks: Tasks) -> ExecutionResult:
    """Run what is dirty, which is everything."""
    return IncrementalExecutor(graph(), max_workers=2, backend=backend).execute(tasks)


@pytest.fixture
def called() -> Called:
    """Tasks that nobody has called."""
    return Called()


@pytest.mark.parametrize("execute", [on_threads, on_a_loop, incrementally])
def test_what_is_below_a_lost_value_runs_again(
    called: Called, execute: Callable[[Forgetful, Tasks], ExecutionResult]
) -> None:
    """Its node and all that was computed from it, nothing else; so all fits together."""
    tasks = called.tasks
    result = execute(Forgetful(tasks["c"]), tasks)
    assert (result["c"].result, result["b"].result) == ((1, 1), 1)
    assert called.counts == {"a": 2, "b": 2, "c": 1, "d": 1}
    assert (result.succeeded, result.failed) == (4, 0)


def test_a_growing_run_begins_anew(called: Called) -> None:
    """What the lost value made is made again, from the value that it has now."""

    def expand(value: int) -> DynamicModification:
        spec = DynamicNodeSpec(f"made of {value}", lambda b: b, ["b"], ["c"])
        return DynamicModification([spec])

    dag, tasks = graph(), called.tasks
    tasks["c"] = lambda a, b, *made: (a, b, *made)
    executor = DynamicExecutor(dag, {"b": expand}, 2, backend=Forgetful(tasks["c"]))
    result = executor.execute(tasks)
    assert result["c"].result == (1, 1, 1)
    assert {name for name in map(str, dag) if "made" in name} == {"made of 1"}
    assert "made of 0" not in result.node_results
    assert called.counts == {"a": 2, "b": 2, "d": 2}


def test_a_value_that_is_lost_again_and_again(called: Called) -> None:
    """In the end its reader has failed, with what happened."""
    tasks = called.tasks
    result = on_threads(Forgetful(tasks["c"], times=100), tasks)
    assert result["c"].status is NodeStatus.FAILED
    assert isinstance(result["c"].error, UpstreamDrift)
    assert called.counts["c"] == 0
