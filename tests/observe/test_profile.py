from __future__ import annotations

import json

import pytest

from dagnb import DAG, ExecutionResult, IncrementalExecutor, NodeResult, NodeStatus, ProfileReport
from dagnb import profile_execution as profile


def ran(name: str, started: float, seconds: float) -> NodeResult:
    """Return the result of a node that was executed."""
    return NodeResult(
        name, NodeStatus.COMPLETED, duration_seconds=seconds, executed=True, started=started
    )


@pytest.fixture
def dag() -> DAG:
    """Two branches of different length from one source to one sink."""
    edges = [("load", "fit"), ("load", "plot"), ("fit", "report"), ("plot", "report")]
    return DAG.builder().add_edges(edges).build()


@pytest.fixture
def result() -> ExecutionResult:
    """Two workers: fit took three seconds, plot one."""
    results = [
        ran("load", 10.0, 1.0), ran("fit", 11.0, 3.0), ran("plot", 11.0, 1.0),
        ran("report", 14.0, 1.0),
    ]  # fmt: skip
    return ExecutionResult({each.name: each for each in results}, 5.0)


def test_the_critical_path_is_the_longest_chain(dag: DAG, result: ExecutionResult) -> None:
    """By the seconds that were measured."""
    report = profile(dag, result)
    assert report.critical_path == ["load", "fit", "report"]
    assert report.critical_path_duration == 5.0


def test_slack_is_how_late_a_node_could_start(dag: DAG, result: ExecutionResult) -> None:
    """None on the critical path, two seconds beside it."""
    nodes = profile(dag, result).node_profiles
    assert {name: node.slack for name, node in nodes.items()} == {
        "load": 0.0, "fit": 0.0, "plot": 2.0, "report": 0.0
    }  # fmt: skip
    assert (nodes["plot"].earliest_start, nodes["plot"].latest_start) == (1.0, 3.0)
    assert [name for name, node in nodes.items() if not node.on_critical_path] == ["plot"]


def test_bottlenecks_have_shares(dag: DAG, result: ExecutionResult) -> None:
    """Of the critical path, the largest first."""
    report = profile(dag, result)
    assert report.bottlenecks == ["fit", "load", "report"]
    assert [report.node_profiles[name].share for name in report.bottlenecks] == [0.6, 0.2, 0.2]
    assert "bottlenecks: fit (60%), load (20%), report (20%)" in report.summary()


def test_efficiency_is_how_busy_the_workers_were(dag: DAG, result: ExecutionResult) -> None:
    """Six seconds of work, two workers, five seconds."""
    report = profile(dag, result)
    assert report.actual_max_parallelism == 2
    assert report.parallelism_efficiency == pytest.approx(0.6)


def test_the_report_is_plain_data(dag: DAG, result: ExecutionResult) -> None:
    """It goes through JSON."""
    data = json.loads(json.dumps(profile(dag, result).to_dict()))
    assert data["critical_path"] == ["load", "fit", "report"]
    assert data["node_profiles"]["plot"]["slack"] == 2.0


def test_reused_nodes_took_no_time(dag: DAG) -> None:
    """Only what was executed in this run counts."""
    tasks = dict.fromkeys(dag, lambda: 1)
    executor = IncrementalExecutor(dag)
    executor.execute(tasks)
    report = profile(dag, executor.execute(tasks, changed_nodes=["fit"]))
    assert list(report.node_profiles) == ["fit"]
    assert report.critical_path == ["fit"]
    assert report.parallelism_efficiency == pytest.approx(1.0)


def test_a_result_without_nodes_has_an_empty_profile() -> None:
    """As one that was made by hand."""
    assert profile(DAG(), ExecutionResult()) == ProfileReport()


def test_a_run_in_which_nothing_ran_has_an_empty_profile(dag: DAG) -> None:
    """No node, no path."""
    report = profile(dag, ExecutionResult({}))
    assert (report.node_profiles, report.critical_path, report.bottlenecks) == ({}, [], [])
    assert "0 nodes ran" in report.summary()


def test_a_node_removed_since_is_left_out(dag: DAG, result: ExecutionResult) -> None:
    """The profile is of the graph as it is."""
    dag.remove_node("plot")
    assert "plot" not in profile(dag, result).node_profiles
