"""The examples of the documentation on dynamic execution, written anew."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import dagnb as dagron


@pytest.fixture
def files() -> dagron.DAG:
    """Files are found, then summed up."""
    dag = dagron.DAG.builder()
    return dag.add_node("discover").add_node("aggregate").add_edge("discover", "aggregate").build()


def one_node_a_file(result: list[str]) -> dagron.DynamicModification:
    """Process every file between finding and summing up."""
    return dagron.DynamicModification(
        add_nodes=[
            dagron.DynamicNodeSpec(
                name=f"process_{file}",
                task=lambda file=file: f"processed {file}",
                dependencies=["discover"],
                dependents=["aggregate"],
            )
            for file in result
        ]
    )


def test_the_constructor_takes_the_documented_parameters() -> None:
    """In the documented order, with the documented defaults; expanders may be left out, too."""
    parameters = list(inspect.signature(dagron.DynamicExecutor).parameters.values())[:6]
    assert [(each.name, each.default) for each in parameters] == [
        ("dag", inspect.Parameter.empty), ("expanders", None), ("max_workers", None),
        ("callbacks", None), ("fail_fast", True), ("enable_tracing", False),
    ]  # fmt: skip


def test_a_node_for_every_file(files: dagron.DAG) -> None:
    """Two nodes become five."""
    executor = dagron.DynamicExecutor(files, expanders={"discover": one_node_a_file}, max_workers=4)
    result = executor.execute(
        {"discover": lambda: ["a.csv", "b.csv", "c.csv"], "aggregate": lambda: "done"}
    )
    assert result.succeeded == 5
    assert result["process_b.csv"].result == "processed b.csv"


def test_the_graph_is_modified_in_place(files: dagron.DAG) -> None:
    """What was added is there afterwards."""
    dagron.DynamicExecutor(files, {"discover": one_node_a_file}).execute(
        {"discover": lambda: ["a.csv"], "aggregate": lambda: "done"}
    )
    assert files.predecessors("process_a.csv") == ["discover"]
    assert files.successors("process_a.csv") == ["aggregate"]


def test_a_modification_can_add_remove_or_both() -> None:
    """Every part may be left out."""
    spec = dagron.DynamicNodeSpec("task", task=lambda: "result", dependencies=["source"])
    assert dagron.DynamicModification(add_nodes=[spec]).remove_nodes == []
    assert dagron.DynamicModification(remove_nodes=["obsolete"]).add_nodes == []
    both = dagron.DynamicModification(add_nodes=[spec], remove_nodes=["obsolete"])
    assert (both.add_nodes, both.remove_nodes) == ([spec], ["obsolete"])


def test_a_node_is_replaced() -> None:
    """One goes, one comes, with an edge."""
    dag = dagron.DAG.builder().add_edge("source", "old_task").build()
    spec = dagron.DynamicNodeSpec("replacement", task=lambda: "new", dependencies=["source"])
    modification = dagron.DynamicModification(add_nodes=[spec], remove_nodes=["old_task"])
    executor = dagron.DynamicExecutor(dag, expanders={"source": lambda result: modification})
    result = executor.execute({"source": lambda: 0, "old_task": lambda: "old"})
    assert {str(name): each.result for name, each in result.node_results.items()} == {
        "source": 0, "replacement": "new"
    }  # fmt: skip


def test_a_spec_has_the_documented_fields() -> None:
    """A name, a task, dependencies and dependents; lists that are left out are empty."""
    spec = dagron.DynamicNodeSpec(
        name="chunk_42", task=lambda: "done", dependencies=["split"], dependents=["merge"]
    )
    assert (spec.name, spec.task(), spec.dependencies, spec.dependents) == (
        "chunk_42", "done", ["split"], ["merge"]
    )  # fmt: skip
    bare = dagron.DynamicNodeSpec("chunk_43", lambda: "done", None)
    assert bare.dependencies == bare.dependents == []


def test_map_reduce(capsys: pytest.CaptureFixture[str]) -> None:
    """Five chunks, five mappers, seven nodes; the callback can count and print them."""
    dag = (
        dagron.DAG.builder()
        .add_node("read_input")
        .add_node("reduce")
        .add_edge("read_input", "reduce")
        .build()
    )

    def mappers(data: list[int]) -> dagron.DynamicModification:
        chunks = [data[start : start + 100] for start in range(0, len(data), 100)]
        specs = [
            dagron.DynamicNodeSpec(
                name=f"map_{number}",
                task=lambda chunk=chunk: sum(chunk),
                dependencies=["read_input"],
                dependents=["reduce"],
            )
            for number, chunk in enumerate(chunks)
        ]
        return dagron.DynamicModification(add_nodes=specs)

    executor = dagron.DynamicExecutor(
        dag,
        expanders={"read_input": mappers},
        max_workers=8,
        callbacks=dagron.ExecutionCallbacks(
            on_dynamic_expand=lambda name, new: print(f"[EXPAND] {name} added {len(new)} nodes")
        ),
    )
    result = executor.execute({"read_input": lambda: list(range(500)), "reduce": lambda: "reduced"})
    assert result.succeeded == 7
    assert capsys.readouterr().out == "[EXPAND] read_input added 5 nodes\n"


def test_the_callback_prints_the_names(
    files: dagron.DAG, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an f-string they are a list."""
    callbacks = dagron.ExecutionCallbacks(
        on_dynamic_expand=lambda name, new: print(f"Node '{name}' expanded with: {new}")
    )
    dagron.DynamicExecutor(files, {"discover": one_node_a_file}, callbacks=callbacks).execute(
        {"discover": lambda: ["a"], "aggregate": lambda: "done"}
    )
    assert capsys.readouterr().out == "Node 'discover' expanded with: ['process_a']\n"


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (("new", None, ["aggregate"], ["discover"]), dagron.CycleError),
        (("aggregate", None, ["discover"], None), dagron.DuplicateNodeError),
    ],
)
def test_cycles_and_taken_names_are_raised(
    files: dagron.DAG, spec: Any, error: type[Exception]
) -> None:
    """And the graph is as before."""
    name, _, dependencies, dependents = spec
    new = dagron.DynamicNodeSpec(name, lambda: 0, dependencies, dependents)
    executor = dagron.DynamicExecutor(
        files, {"discover": lambda result: dagron.DynamicModification([new])}
    )
    with pytest.raises(error):
        executor.execute({"discover": lambda: 0, "aggregate": lambda: 0})
    assert list(files.edges()) == [("discover", "aggregate")]


def test_nothing_is_executed_twice(files: dagron.DAG) -> None:
    """What had started before an expansion is left alone."""
    called: list[str] = []
    dagron.DynamicExecutor(files, {"discover": one_node_a_file}).execute(
        {"discover": lambda: called.append("discover") or ["a", "b"],  # type: ignore[func-returns-value]  # a note
         "aggregate": lambda: called.append("aggregate")}
    )  # fmt: skip
    assert called == ["discover", "aggregate"]


def test_an_expander_is_asked_again_when_a_run_is_resumed(
    files: dagron.DAG, tmp_path: Path
) -> None:
    """About the saved value: its node does not run again, and neither does what was added."""
    fetched: list[str] = []

    def discover() -> list[str]:
        fetched.append("discover")
        return ["a.csv", "b.csv"]

    executor = dagron.DynamicExecutor(
        files, {"discover": one_node_a_file}, checkpoint_dir=tmp_path / "checkpoint"
    )
    assert executor.execute({"discover": discover, "aggregate": lambda: 1 / 0}).failed == 1
    result = executor.resume({"discover": discover, "aggregate": lambda: "all"})
    assert result.succeeded == 4
    assert [str(name) for name, each in result.node_results.items() if each.executed] == [
        "aggregate"
    ]
    assert fetched == ["discover"]
