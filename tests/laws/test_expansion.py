"""The law of expansion: a run with expansion equals a run of the final graph."""

from __future__ import annotations

import threading
from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from dagnb import DAG, DAGExecutor, DynamicExecutor, DynamicModification, DynamicNodeSpec
from dagnb.events import NodeSettled, NodeStarted
from tests.laws.pipelines import OPERATIONS, Pipeline, operations, pipelines

Growing = tuple[Pipeline, dict[str, list[dict[str, Any]]]]


@st.composite
def growing(draw: st.DrawFn) -> Growing:
    """Draw a pipeline, and new nodes for some of its nodes; all edges go to later places."""
    pipeline = draw(pipelines(most=6))
    order = pipeline.order()
    new: dict[str, list[dict[str, Any]]] = {}
    for by in draw(st.lists(st.sampled_from(order), unique=True, max_size=3)):
        below = {name for name in order if by in pipeline.above(name)}
        free = [name for name in order if name not in below]
        new[by] = [
            {
                "name": f"{by}.{number}",
                "operation": draw(operations),
                "dependencies": draw(st.lists(st.sampled_from(free), unique=True, max_size=2))
                + draw(st.lists(st.sampled_from([f"{by}.{n}" for n in range(number)]), max_size=1)
                       if number else st.just([])),
                "dependents": draw(
                    st.lists(st.sampled_from(sorted(below)), unique=True, max_size=2)
                    if below else st.just([])
                ),
            }
            for number in range(draw(st.integers(1, 3)))
        ]  # fmt: skip
    assume(not _closes_a_cycle(pipeline, new))  # as two expansions may together
    return pipeline, new


def _closes_a_cycle(pipeline: Pipeline, new: dict[str, list[dict[str, Any]]]) -> bool:
    final = TopologicalSorter({name: node.inputs for name, node in pipeline.nodes.items()})
    for each in chain.from_iterable(new.values()):
        final.add(each["name"], *each["dependencies"])
        for dependent in each["dependents"]:
            final.add(dependent, each["name"])
    try:
        final.prepare()
    except CycleError:
        return True
    return False


def task_of(operation: int) -> Callable[..., Any]:
    """Return a task that does not depend on the order of its inputs."""
    return lambda **inputs: OPERATIONS[operation](*(inputs[name] for name in sorted(inputs)))


def modification(specs: list[dict[str, Any]]) -> DynamicModification:
    """Return the nodes as a modification, the last first."""
    return DynamicModification(
        [
            DynamicNodeSpec(
                each["name"], task_of(each["operation"]), each["dependencies"], each["dependents"]
            )
            for each in reversed(specs)
        ]
    )


def initial_tasks(pipeline: Pipeline) -> dict[str, Callable[..., Any]]:
    """Return a task for each node that is there from the start."""
    return {name: task_of(node.operation) for name, node in pipeline.nodes.items()}


@given(growing(), st.integers(1, 4))
def test_a_run_with_expansion_equals_a_run_of_the_final_graph(drawn: Growing, workers: int) -> None:
    """Same values, same nodes, same order of the graph; every node once, after its inputs."""
    grow(drawn, workers)


def grow(drawn: Growing, workers: int, backend: Any = None) -> None:
    """Run with expansion, and compare with a run of the final graph on threads."""
    pipeline, new = drawn
    expanders = {by: lambda value, by=by: modification(new[by]) for by in new}
    dag, tasks = pipeline.dag, initial_tasks(pipeline)
    for _ in range(2):  # the second run first takes back what the first one did
        grown = DynamicExecutor(dag, expanders, workers, backend=backend).execute(tasks)
    final = DAG.from_json(dag.to_json())
    for specs in new.values():
        tasks |= {each["name"]: task_of(each["operation"]) for each in specs}
    plain = DAGExecutor(final, workers).execute(tasks)
    assert {n: repr(r.result) for n, r in grown.node_results.items()} == {
        n: repr(r.result) for n, r in plain.node_results.items()
    }
    assert len(grown.node_results) == len(pipeline.nodes) + sum(map(len, new.values()))


@given(growing(), st.integers(1, 4))
def test_inputs_settle_before_a_new_node_starts(drawn: Growing, workers: int) -> None:
    """In the order of events, for the graph as it is in the end."""
    pipeline, new = drawn
    expanders = {by: lambda value, by=by: modification(new[by]) for by in new}
    events: list[tuple[str, str]] = []
    lock = threading.Lock()

    class Log:
        def on_node_start(self, name: str) -> None:
            with lock:
                events.append((NodeStarted.__name__, str(name)))

        def on_node_complete(self, name: str, value: object) -> None:
            with lock:
                events.append((NodeSettled.__name__, str(name)))

    DynamicExecutor(pipeline.dag, expanders, workers, Log()).execute(initial_tasks(pipeline))
    assert len(events) == len(set(events)) == 2 * len(pipeline.dag)
    for source, target in pipeline.dag.edges():
        settled = events.index(("NodeSettled", source))
        assert settled < events.index(("NodeStarted", target))
