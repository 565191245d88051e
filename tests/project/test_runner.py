"""The runner: options, order, errors, retries, events, and what it leaves behind."""

from __future__ import annotations

import errno
import json
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dagnb import (
    DAGRunner,
    ExecutionStatus,
    HookEvent,
    HookRegistry,
    Manifest,
    ManifestError,
    ManifestNode,
    NodeOutcome,
    SelectionError,
    StateInUseError,
    StateWarning,
)
from tests.project.projects import IDS, Project, changed

JOINED = ["transform.joined", "feature.cheap", "feature.dear"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of which nothing has run."""
    return Project(tmp_path)


def state_of(project: Project) -> dict[str, Any]:
    """Return the state on the disk."""
    text = (project.folder / "state" / "execution_state.json").read_text()
    return dict(json.loads(text))


def statuses(project: Project, **options: Any) -> dict[str, str]:
    """Run, and return the status of each node."""
    return {each.node_id: each.status.value for each in project.summary(**options).results}


def test_a_first_run_runs_everything_and_a_second_nothing(project: Project) -> None:
    """The state decides."""
    first, second = project.summary(), project.summary()
    assert (first.successful_nodes, second.cached_nodes, second.changed_nodes) == (5, 5, 0)


def test_full_runs_everything(project: Project) -> None:
    """Up to date or not."""
    project.run()
    assert project.run(full=True) == IDS


def test_named_nodes_run_with_what_is_below(project: Project) -> None:
    """Whether they changed or not; what is not selected is skipped."""
    project.run()
    found = statuses(project, nodes=["joined"])
    assert project.ran == JOINED
    assert found["source.users"] == "skipped"


def test_what_a_named_node_needs_runs_if_it_has_to(project: Project) -> None:
    """A node is never run on inputs that are missing or old."""
    assert project.run(nodes=["joined"]) == IDS
    renamed = changed(lambda data: data["nodes"]["source.users"].update(name="u"))
    assert project.run(renamed, nodes=["cheap"]) == IDS[:1] + IDS[2:4]


def test_one_kind_runs(project: Project) -> None:
    """The others are skipped."""
    project.run()
    found = statuses(project, full=True, node_types=["feature"])
    assert project.ran == ["feature.cheap", "feature.dear"]
    assert list(found.values()).count("skipped") == 3


def test_an_excluded_tag_does_not_run(project: Project) -> None:
    """It is skipped, with the reason."""
    summary = project.summary(full=True, exclude_tags=["expensive"])
    assert project.ran == IDS[:4]
    assert (summary.skipped_nodes, summary["feature.dear"].status) == (1, ExecutionStatus.SKIPPED)
    assert summary["feature.dear"].reason == "excluded by its tag 'expensive'"


def tag_users(data: dict[str, Any]) -> None:
    """Make a source expensive."""
    data["nodes"]["source.users"]["tags"] = ["expensive"]


def test_what_is_below_an_excluded_node_uses_its_last_value(project: Project) -> None:
    """And runs without it."""
    project.run(changed(tag_users))
    assert project.run(changed(tag_users), full=True, exclude_tags=["expensive"]) == [
        "source.orders", "transform.joined", "feature.cheap",
    ]  # fmt: skip


def test_what_is_below_an_excluded_node_without_a_value_is_skipped(project: Project) -> None:
    """If it was not asked for; if it was, that is an error."""
    manifest = changed(tag_users)
    assert project.run(manifest, exclude_tags=["expensive"]) == ["source.orders"]
    with pytest.raises(SelectionError, match=r"feature\.cheap needs source\.users"):
        project.run(manifest, nodes=["cheap"], exclude_tags=["expensive"])


def test_the_first_failure_stops_the_run(project: Project) -> None:
    """What comes after it does not run."""
    project.broken = {"source.users"}
    summary = project.summary()
    assert project.ran == ["source.users"]
    assert (summary.failed_nodes, summary.exit_code) == (1, 1)
    assert summary["source.users"].error_message == "users is broken"


def test_errors_can_be_survived(project: Project) -> None:
    """Then only what reads a failed node does not run."""
    project.broken = {"source.users", "transform.joined"}
    summary = project.summary(continue_on_error=True)
    assert project.ran == ["source.users", "source.orders"]
    assert summary["feature.cheap"].status is ExecutionStatus.SKIPPED


@pytest.mark.parametrize("goes_on", [False, True])
def test_retries_are_made_and_recorded(project: Project, goes_on: bool) -> None:
    """Whether errors are survived or not."""
    project.broken = {"source.users"}
    summary = project.summary(retry=2, backoff=0, continue_on_error=goes_on)
    assert project.ran.count("source.users") == 3
    assert summary["source.users"].attempts == 3
    assert state_of(project)["source.users"]["attempts"] == 3


def test_a_retry_may_succeed(tmp_path: Path) -> None:
    """Then the node has succeeded, after so many attempts."""
    runner = DAGRunner(changed(lambda data: None), state_dir=tmp_path)
    failures = [ValueError("once"), ValueError("twice")]

    def flaky(node: ManifestNode) -> dict[str, int]:
        if failures:
            raise failures.pop()
        return {"row_count": 1}

    for kind in ("source", "transform", "feature"):
        runner.register(kind, flaky)
    summary = runner.run(retry=3, backoff=0, progress=False)
    assert (summary.successful_nodes, summary.results[0].attempts) == (5, 3)


def test_a_node_may_take_only_so_long(project: Project) -> None:
    """One that takes longer has failed."""
    runner, stop = project.runner(), threading.Event()
    runner.register("source", lambda node: stop.wait())
    summary = runner.run(timeout=0.05, progress=False)
    stop.set()
    assert summary.results[0].status is ExecutionStatus.FAILED
    assert "timeout of 0.05 s" in (summary.results[0].error_message or "")


def test_nodes_may_run_side_by_side(project: Project) -> None:
    """Two that wait for each other both end."""
    runner, barrier = project.runner(), threading.Barrier(2)
    runner.register("source", lambda node: barrier.wait(30) * 0)
    assert runner.run(jobs=2, progress=False).successful_nodes == 5


def test_a_run_can_be_cancelled(project: Project) -> None:
    """What runs ends; what has not started is pending, and runs next time."""
    runner, cancel = project.runner(), threading.Event()

    def cancelling(node: ManifestNode) -> str:
        cancel.set()
        return "value"

    runner.register("source", cancelling)
    summary = runner.run(cancel_event=cancel, progress=False)
    assert [each.status.value for each in summary.results[1:]] == ["pending"] * 4
    assert (summary.exit_code, runner.plan()[0].status) == (1, ExecutionStatus.CACHED)


def test_ctrl_c_leaves_what_had_ended(project: Project) -> None:
    """The state has it, the summary of the runner too, and the next run goes on from there."""
    runner = project.runner()

    def interrupt(node: ManifestNode, inputs: dict[str, str]) -> str:
        raise KeyboardInterrupt

    runner.register("transform", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runner.run(progress=False)
    assert runner.summary is not None
    assert runner.summary.successful_nodes == 2
    assert project.run() == JOINED


def test_the_state_is_as_documented(project: Project) -> None:
    """Status, duration, rows and time, by id."""
    runner = project.runner()
    runner.register("source", lambda node: {"row_count": 1000})
    runner.run(progress=False)
    entry = state_of(project)["source.users"]
    assert (entry["status"], entry["row_count"]) == ("success", 1000)
    assert entry["duration"] >= 0
    assert entry["last_run"] > 1_700_000_000


def test_the_state_is_saved_before_anybody_is_told(project: Project) -> None:
    """Whoever hears that a node has ended finds it on the disk."""
    seen = []

    class Watching(DAGRunner):
        def on_node_complete(self, node_id: str, result: NodeOutcome) -> None:
            seen.append((node_id, state_of(project)[node_id]["status"]))

    runner = Watching(changed(), state_dir=project.folder / "state")
    for kind in ("source", "transform", "feature"):
        runner.register(kind, project.execute)
    runner.run(progress=False)
    assert seen == [(each, "success") for each in IDS]


def test_a_report_of_an_executor_makes_what_is_below_run(project: Project) -> None:
    """Its effect is elsewhere, and nobody can say that it is the same."""
    runner = project.runner()
    runner.register("source", lambda node: {"row_count": 7, "metadata": {"custom": True}})
    summary = runner.run(progress=False)
    assert (summary.results[0].row_count, summary.results[0].metadata) == (7, {"custom": True})
    project.ran = []
    assert runner.run(nodes=["orders"], progress=False).successful_nodes == 4


def test_an_executor_that_was_broken_off_runs_again(project: Project) -> None:
    """What it did elsewhere may be half done, even if it ran well before."""
    project.run()
    runner = project.runner()

    def interrupt(node: ManifestNode, inputs: dict[str, str]) -> str:
        raise KeyboardInterrupt

    runner.register("transform", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runner.run(progress=False)
    assert project.run()[0] == "transform.joined"


def test_a_large_value_does_not_stay_in_memory(project: Project) -> None:
    """It is in its file, where what is below finds it."""
    runner, made = project.runner(), []

    def large(node: ManifestNode, inputs: dict[str, np.ndarray]) -> np.ndarray:
        value = np.arange(10_000) + sum(each.sum() for each in inputs.values())
        alive.append(sum(each() is not None for each in made))
        made.append(weakref.ref(value))
        return value

    alive: list[int] = []
    for kind in ("source", "transform", "feature"):
        runner.register(kind, large)
    assert runner.run(progress=False).successful_nodes == 5
    assert max(alive) <= 1  # the last one, until the next has settled


def test_a_full_disk_loses_nothing_that_was_saved(project: Project) -> None:
    """The run goes on and says so once; what was saved before is there, the rest runs again."""

    class Disk:
        def __init__(self) -> None:
            self.kept: dict[str, Any] = {}
            self.room = 2

        def load(self) -> dict[str, Any]:
            return self.kept

        def save(self, state: dict[str, Any]) -> None:
            if not self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.room, self.kept = self.room - 1, state

    disk = Disk()
    with pytest.warns(StateWarning, match="cannot be saved: .*No space left") as told:
        assert project.runner(backend=disk).run(progress=False).successful_nodes == 5
    assert len(told) == 1
    disk.room, project.ran = 9, []
    project.runner(backend=disk).run(progress=False)
    assert project.ran == JOINED


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    """With the nearest, and before anything runs."""
    manifest = Manifest.from_dict({"nodes": {"a": {"type": "tabel"}}})
    runner = DAGRunner(manifest, state_dir=tmp_path)
    runner.register("table", lambda node: None)
    with pytest.raises(ManifestError, match=r"nodes\['a'\]\.type: there is no kind 'tabel'; did "):
        runner.run()


def test_two_runs_at_once_are_refused(project: Project) -> None:
    """The second says which process runs."""
    runner, refused = project.runner(), []

    def run_within(node: ManifestNode) -> str:
        with pytest.raises(StateInUseError) as caught:
            project.runner().run(progress=False)
        refused.append(str(caught.value))
        return "value"

    runner.register("source", run_within)
    runner.run(progress=False)
    assert "process " in refused[0]
    assert "runs with the state in" in refused[0]


def test_a_plan_is_what_then_happens(project: Project) -> None:
    """The nodes that would run, and why; nothing runs."""
    project.run()
    new = changed(lambda data: data["nodes"]["transform.joined"]["config"].update(value="j"))
    plan = project.runner(new).plan()
    project.ran = []
    assert [each.status.value for each in plan] == ["cached"] * 2 + ["pending"] * 3
    assert plan[2].reason == "config.value changed"
    assert project.run(new) == JOINED


def test_a_dry_run_changes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the plan, and the summary counts what would run."""
    summary = project.summary(dry_run=True)
    assert (summary.changed_nodes, summary.successful_nodes, project.ran) == (5, 0, [])
    assert not (project.folder / "state").exists()
    project.runner().run(dry_run=True)
    assert "1. RUN source.users [source]" in capsys.readouterr().out


def test_hooks_are_called(project: Project) -> None:
    """Those of the other executors."""
    hooks, seen = HookRegistry(), []
    hooks.register(HookEvent.PRE_NODE, lambda context: seen.append(context.node_name))
    project.runner(hooks=hooks).run(progress=False)
    assert seen == IDS


def test_progress_is_told_in_lines(project: Project) -> None:
    """One when a node starts, one when it has ended."""
    lines: list[str] = []
    project.broken = {"source.orders"}
    project.runner().run(progress=lines.append)
    assert lines[0] == "ℹ 1/5: source.users [RUNNING]"
    assert lines[1].startswith("✓ users completed in 0.")
    assert lines[3].endswith(": orders is broken")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"jobs": 0}, ValueError),
        ({"retry": -1}, ValueError),
        ({"timeout": -1}, ValueError),
        ({"nodes": "joined"}, TypeError),
        ({"nodes": ["jioned"]}, SelectionError),
    ],
)
def test_misuse_is_refused_before_anything_runs(
    project: Project, options: dict[str, Any], error: type[Exception]
) -> None:
    """And names what is wrong."""
    with pytest.raises(error):
        project.run(**options)
    assert project.ran == []


def test_a_manifest_is_no_path(tmp_path: Path) -> None:
    """Somebody forgot to load it."""
    with pytest.raises(TypeError, match=r"see Manifest\.load"):
        DAGRunner(tmp_path)  # type: ignore[arg-type]  # on purpose
