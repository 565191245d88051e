"""Runs of a manifest that are killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dagnb import DAGRunner, Manifest, StateInUseError

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("DAGNB_KILLS", "40"))
SLOW = """
import sys
from dagnb import DAGRunner, Manifest
manifest = Manifest.from_dict({"nodes": {
    "step.first": {"type": "step"}, "step.second": {"type": "step"}},
    "edges": [["step.first", "step.second"]]})
runner = DAGRunner(manifest, state_dir=sys.argv[1])

@runner.register("step")
def execute(node):
    print(node.name, flush=True)
    if node.name == "second":
        sys.stdin.read()
    return node.name

try:
    runner.run(progress=False)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are killed in forked processes")
@pytest.mark.parametrize("seed", range(2))
def test_a_killed_run_goes_on_with_what_had_not_ended(tmp_path: Path, seed: int) -> None:
    """What was told to have succeeded never runs again, and the last run is whole."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.project.killed",
         str(tmp_path), str(KILLS // 2), str(seed)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["killed"] == KILLS // 2
    assert found["finished"]
    assert (found["twice"], found["again"]) == ([], 0)


def started(state: Path) -> subprocess.Popen[str]:
    """Return a process that runs and stays in its second node."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(state)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["first\n", "second\n"]
    return process


def runner_beside(state: Path) -> DAGRunner:
    """Return a runner with the same state in this process."""
    nodes = {"step.first": {"type": "step"}, "step.second": {"type": "step"}}
    edges = [["step.first", "step.second"]]
    runner = DAGRunner(Manifest.from_dict({"nodes": nodes, "edges": edges}), state_dir=state)
    runner.register("step", lambda node: node.name)
    return runner


def test_a_run_of_another_process_is_named(tmp_path: Path) -> None:
    """The second says who runs; when the first is killed, it may."""
    with started(tmp_path) as process:
        with pytest.raises(StateInUseError, match=f"process {process.pid} on .* since"):
            runner_beside(tmp_path).run(progress=False)
        process.kill()
    assert runner_beside(tmp_path).run(progress=False).successful_nodes > 0


def test_ctrl_c_leaves_a_state_that_is_right(tmp_path: Path) -> None:
    """What had ended is in it, what was interrupted is not, and the lock is gone."""
    with started(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "interrupted\n"
        assert process.stdin is not None
        process.stdin.close()
    state = json.loads((tmp_path / "execution_state.json").read_text())
    assert [name for name, each in state.items() if each.get("status") == "success"] == [
        "step.first"
    ]
    assert not (tmp_path / "running.json").exists()
