"""The examples of the documentation on the runner of manifests, written anew."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dagnb
from dagnb import DAGRunner, ExecutionStatus, Manifest, ManifestNode, NodeOutcome, print_summary

USERS = "id,age\n1,36\n2,7\n3,50\n"
ORDERS = "user_id,amount\n1,10\n1,20\n3,5\n"
Data = dict[str, Any]


def pipeline() -> Data:
    """Return users and orders, cleaned users, and a group of features of each."""
    nodes: Data = {
        "source.users": {"type": "source", "config": {"path": "users.csv"}},
        "source.orders": {"type": "source", "config": {"path": "orders.csv"}},
        "transform.clean_users": {
            "type": "transform",
            "config": {"sql": "select * from users where age > 17"},
        },
        "feature_group.user_features": {
            "type": "feature_group",
            "config": {"sql": "select id, age / 100 as age from clean_users", "keys": ["id"]},
        },
        "feature_group.order_features": {
            "type": "feature_group",
            "config": {"sql": "select user_id, sum(amount) as total from orders group by all"},
            "tags": ["expensive"],
        },
    }
    edges = [
        {"from": "source.users", "to": "transform.clean_users"},
        {"from": "transform.clean_users", "to": "feature_group.user_features"},
        {"from": "source.orders", "to": "feature_group.order_features"},
    ]
    return {"nodes": nodes, "edges": edges}


def edit(data: Data) -> Data:
    """Change what cleaning means."""
    data["nodes"]["transform.clean_users"]["config"]["sql"] = "select * from users where age > 40"
    return data


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files and ``target/manifest.json``, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "users.csv").write_text(USERS)
    (tmp_path / "orders.csv").write_text(ORDERS)
    Manifest.from_dict(pipeline()).save("target/manifest.json")
    return tmp_path


@pytest.fixture
def manifest(project: Path) -> Manifest:
    """The manifest of the project."""
    return Manifest.load("target/manifest.json")


Lines = Callable[[], list[str]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return what was printed since it was last asked."""

    def printed() -> list[str]:
        return capsys.readouterr().out.splitlines()

    return printed


def statuses(summary: dagnb.ExecutionSummary) -> dict[str, str]:
    """Return the status of each node."""
    return {each.node_id: each.status.name for each in summary.results}


def test_the_manifest_of_a_project_runs(lines: Lines) -> None:
    """Loaded, run, and summed up: the first time everything, the second time nothing."""
    manifest = Manifest.load("target/manifest.json")
    runner = DAGRunner(manifest)
    summary = runner.run()
    print_summary(summary)
    assert "Successful: 5" in lines()
    assert runner.run().cached_nodes == 5


def test_there_are_three_modes(manifest: Manifest) -> None:
    """Incremental, full, dry."""
    runner = DAGRunner(manifest)
    assert runner.run(dry_run=True).successful_nodes == 0
    assert runner.run().successful_nodes == 5
    assert runner.run().successful_nodes == 0
    assert runner.run(full=True).successful_nodes == 5


def test_there_are_six_statuses() -> None:
    """With the documented names."""
    names = [each.name for each in ExecutionStatus]
    assert names == ["PENDING", "RUNNING", "SUCCESS", "FAILED", "CACHED", "SKIPPED"]


def test_the_runner_takes_the_documented_parameters() -> None:
    """In the documented order, with the documented defaults."""
    parameters = list(inspect.signature(DAGRunner).parameters.values())[:3]
    assert [(each.name, each.default) for each in parameters] == [
        ("manifest", inspect.Parameter.empty), ("old_manifest", None), ("state_dir", None),
    ]  # fmt: skip


def test_run_takes_the_documented_parameters() -> None:
    """In the documented order, with the documented defaults."""
    parameters = list(inspect.signature(DAGRunner.run).parameters.values())[1:8]
    assert [(each.name, each.default) for each in parameters] == [
        ("full", False), ("dry_run", False), ("node_types", None), ("nodes", None),
        ("exclude_tags", None), ("continue_on_error", False), ("retry", 0),
    ]  # fmt: skip


def test_the_plan_is_printed(manifest: Manifest, lines: Lines) -> None:
    """A line for each node between rules, with what would happen to it."""
    DAGRunner(manifest).print_plan(exclude_tags=["expensive"])
    printed = lines()
    assert printed[0] == "ℹ Execution Plan:"
    assert printed[1] == printed[-1] == "ℹ " + "=" * 60
    assert printed[2].startswith("1. RUN source.users [source]")
    assert printed[6].startswith("5. SKIP feature_group.order_features [expensive]")


def test_only_what_changed_runs(manifest: Manifest) -> None:
    """The node that differs from the old manifest, and what is below it."""
    DAGRunner(manifest).run()
    manifest.save("target/manifest.json.old")
    Manifest.from_dict(edit(pipeline())).save("target/manifest.json")
    old_manifest = Manifest.load("target/manifest.json.old")
    new_manifest = Manifest.load("target/manifest.json")
    summary = DAGRunner(new_manifest, old_manifest=old_manifest).run()
    assert (summary.changed_nodes, summary.cached_nodes) == (2, 3)
    assert statuses(summary)["transform.clean_users"] == "SUCCESS"


def test_a_full_run_runs_everything(manifest: Manifest) -> None:
    """Whatever the state says."""
    DAGRunner(manifest).run()
    assert DAGRunner(manifest).run(full=True).successful_nodes == 5


def test_a_kind_is_run(manifest: Manifest) -> None:
    """Only its nodes."""
    DAGRunner(manifest).run()
    summary = DAGRunner(manifest).run(full=True, node_types=["feature_group"])
    assert (summary.successful_nodes, summary.skipped_nodes) == (2, 3)


def test_the_documented_kinds_are_there(manifest: Manifest) -> None:
    """All seven."""
    kinds = ["source", "transform", "feature_group", "model", "aggregation", "rule", "exposure"]
    assert set(kinds) <= set(DAGRunner(manifest).kinds)


def test_named_nodes_run(manifest: Manifest) -> None:
    """And what is below them."""
    DAGRunner(manifest).run()
    summary = DAGRunner(manifest).run(nodes=["clean_users", "order_features"])
    ran = [name for name, status in statuses(summary).items() if status == "SUCCESS"]
    assert ran == [
        "transform.clean_users", "feature_group.user_features", "feature_group.order_features",
    ]  # fmt: skip


def test_tags_are_excluded(manifest: Manifest) -> None:
    """Also those that no node has."""
    summary = DAGRunner(manifest).run(full=True, exclude_tags=["expensive", "experimental"])
    assert statuses(summary)["feature_group.order_features"] == "SKIPPED"
    assert summary.successful_nodes == 4


def test_errors_can_be_continued_on(manifest: Manifest, project: Path) -> None:
    """With retries; what reads the failed node does not run, the rest does."""
    (project / "users.csv").unlink()
    summary = DAGRunner(manifest).run(full=True, continue_on_error=True, retry=2, backoff=0)
    assert (summary.failed_nodes, summary.successful_nodes) == (1, 2)
    assert statuses(summary)["feature_group.user_features"] == "SKIPPED"
    assert summary["source.users"].attempts == 3


def test_a_dry_run_shows_the_plan(manifest: Manifest, lines: Lines) -> None:
    """As the plan alone does, and the summary counts what would run."""
    runner = DAGRunner(manifest)
    runner.print_plan(full=True)
    plan = lines()
    summary = runner.run(full=True, dry_run=True)
    assert lines() == plan
    print_summary(summary)
    assert "Changed nodes: 5" in lines()
    assert not Path("target/state").exists()


def test_the_summary_has_the_documented_fields(manifest: Manifest) -> None:
    """And a result for each node."""
    summary = DAGRunner(manifest).run()
    counts = (
        summary.total_nodes, summary.changed_nodes, summary.cached_nodes,
        summary.successful_nodes, summary.failed_nodes, summary.skipped_nodes,
    )  # fmt: skip
    assert counts == (5, 5, 0, 5, 0, 0)
    assert summary.total_duration > 0
    assert [each.node_id for each in summary.results] == list(manifest.nodes)


def test_the_summary_is_printed(manifest: Manifest, lines: Lines) -> None:
    """In the documented lines."""
    summary = DAGRunner(manifest).run()
    lines()
    print_summary(summary)
    rule, printed = "ℹ " + "=" * 60, lines()
    assert printed[:8] == [
        rule, "ℹ Execution Summary", rule, "Total nodes: 5", "Changed nodes: 5",
        "Cached nodes: 0", "Successful: 5", "Failed: 0",
    ]  # fmt: skip
    assert printed[8] == f"Duration: {summary.total_duration:.2f}s"


def test_the_state_is_a_file(manifest: Manifest) -> None:
    """Under ``target/state``, by id."""
    DAGRunner(manifest).run()
    state = json.loads(Path("target/state/execution_state.json").read_text())
    entry = state["transform.clean_users"]
    assert (entry["status"], entry["row_count"]) == ("success", 2)
    assert isinstance(entry["duration"], float)
    assert isinstance(entry["last_run"], float)


@pytest.mark.parametrize(
    ("change", "ran"),
    [
        (lambda data: data["nodes"].update({"source.new": {
            "type": "source", "config": {"path": "users.csv"}}}), ["source.new"]),
        (lambda data: (data["nodes"].pop("feature_group.order_features"), data["edges"].pop()), []),
        (edit, ["transform.clean_users", "feature_group.user_features"]),
        (lambda data: data["edges"].append(
            {"from": "source.orders", "to": "transform.clean_users"}), ["transform.clean_users"]),
        (lambda data: data["nodes"]["source.users"].update(description="d", owner="o"), []),
    ],
    ids=["added", "removed", "modified", "a new edge", "described"],
)  # fmt: skip
def test_changes_are_detected(
    manifest: Manifest, change: Callable[[Data], Any], ran: list[str]
) -> None:
    """Each of the documented kinds."""
    DAGRunner(manifest).run()
    data = pipeline()
    change(data)
    summary = DAGRunner(Manifest.from_dict(data), old_manifest=manifest).run()
    assert [name for name, status in statuses(summary).items() if status == "SUCCESS"] == ran


def test_changes_are_found_without_an_old_manifest(manifest: Manifest) -> None:
    """The state decides."""
    DAGRunner(manifest).run()
    assert DAGRunner(Manifest.from_dict(edit(pipeline()))).run().changed_nodes == 2


def test_dependencies_run_first(manifest: Manifest) -> None:
    """Whatever the order in the file."""
    data = pipeline()
    data["nodes"] = dict(reversed(data["nodes"].items()))
    order = [each.node_id for each in DAGRunner(Manifest.from_dict(data)).run().results]
    for edge in data["edges"]:
        assert order.index(edge["from"]) < order.index(edge["to"])


def test_the_first_error_stops_the_run(manifest: Manifest, project: Path) -> None:
    """By default."""
    (project / "users.csv").unlink()
    summary = DAGRunner(manifest).run()
    assert (summary.failed_nodes, summary.successful_nodes, summary.exit_code) == (1, 0, 1)


def test_progress_is_reported(manifest: Manifest, lines: Lines) -> None:
    """In the documented lines."""
    DAGRunner(manifest).run()
    printed = lines()
    assert printed[0] == "ℹ 1/5: source.users [RUNNING]"
    assert printed[1].startswith("✓ users completed in 0.")


def test_nodes_run_side_by_side(manifest: Manifest) -> None:
    """As the documentation hopes for."""
    assert DAGRunner(manifest).run(jobs=4).successful_nodes == 5


def test_results_are_looked_through_for_failures(
    manifest: Manifest, project: Path, lines: Lines
) -> None:
    """By status, with the id and the message."""
    (project / "users.csv").write_text("")
    summary = DAGRunner(manifest).run(
        full=True, continue_on_error=True, retry=3, backoff=0, progress=False
    )
    if summary.failed_nodes > 0:
        for result in summary.results:
            if result.status == ExecutionStatus.FAILED:
                print(f"Failed: {result.node_id} - {result.error_message}")
    [line] = lines()
    assert line.startswith("Failed: source.users - source.users: ")
    assert line.endswith("users.csv is empty")


def test_the_size_of_the_state_can_be_watched(manifest: Manifest) -> None:
    """It is a small file."""
    DAGRunner(manifest).run()
    state_file = "target/state/execution_state.json"
    assert os.path.getsize(state_file) / (1024 * 1024) < 10


def test_a_cycle_is_a_value_error() -> None:
    """With its path."""
    data = pipeline()
    data["edges"].append({"from": "transform.clean_users", "to": "source.users"})
    path = "source.users -> transform.clean_users -> source.users"
    with pytest.raises(ValueError, match=f"DAG contains cycle: {path}"):
        Manifest.from_dict(data)


def test_deleting_the_state_rebuilds_everything(manifest: Manifest) -> None:
    """As the documentation advises."""
    DAGRunner(manifest).run()
    Path("target/state/execution_state.json").unlink()
    assert DAGRunner(manifest).run().successful_nodes == 5


def test_executors_of_ones_own(manifest: Manifest) -> None:
    """Registered for a kind; what they report is in the result."""
    data = pipeline()
    data["nodes"]["audit.users"] = {"type": "audit"}
    runner = DAGRunner(Manifest.from_dict(data))

    @runner.register("audit")
    def execute_custom_node(node: ManifestNode) -> dict[str, Any]:
        return {"row_count": 100, "metadata": {"custom": True}}

    result = runner.run()["audit.users"]
    assert (result.row_count, result.metadata) == (100, {"custom": True})


def test_state_backends_of_ones_own(manifest: Manifest) -> None:
    """Anything that loads and saves a dict."""

    class CustomStateBackend:
        def __init__(self) -> None:
            self.state: dict[str, Any] = {}

        def load(self) -> dict[str, Any]:
            return self.state

        def save(self, state: dict[str, Any]) -> None:
            self.state = state

    backend = CustomStateBackend()
    assert DAGRunner(manifest, backend=backend).run().successful_nodes == 5
    assert backend.state["source.users"]["row_count"] == 3
    assert DAGRunner(manifest, backend=backend).run().cached_nodes == 5


def test_events_have_hooks(manifest: Manifest) -> None:
    """A subclass is told when a node starts, and when it has ended."""
    told: list[str] = []

    class DAGRunnerWithHooks(DAGRunner):
        def on_node_start(self, node_id: str) -> None:
            told.append(f"start {node_id}")

        def on_node_complete(self, node_id: str, result: NodeOutcome) -> None:
            told.append(f"{result.status.value} {node_id}")

    DAGRunnerWithHooks(manifest).run()
    assert told[:2] == ["start source.users", "success source.users"]
    assert len(told) == 10
