"""A checkpoint that another process writes to, cannot write to, or died while writing to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dagnb import CheckpointError, CheckpointExecutor, CheckpointWarning
from tests.run.writing import TASKS, graph

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks and limits of POSIX")
ROOT = Path(__file__).parents[2]


@contextmanager
def writing(folder: Path, *limit: str) -> Iterator[subprocess.Popen[str]]:
    """Have another process run, up to its last node."""
    command = [sys.executable, "-m", "tests.run.writing", str(folder), *limit]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield process


def ran(folder: Path) -> list[str]:
    """Resume, and return the nodes that had to run."""
    result = CheckpointExecutor(graph(), folder).resume(TASKS)
    assert (result.succeeded, result["last"].result) == (3, 1_000_000)
    return [str(name) for name, each in result.node_results.items() if each.executed]


@pytest.mark.parametrize("method", ["execute", "resume"])
def test_a_second_process_is_refused_and_nothing_is_lost(tmp_path: Path, method: str) -> None:
    """The first one's values are all there afterwards."""
    with writing(tmp_path) as process:
        with pytest.raises(CheckpointError, match="another run writes to"):
            getattr(CheckpointExecutor(graph(), tmp_path), method)(TASKS)
        out, errors = process.communicate("go on\n", timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert out.startswith("3 nodes: 3 succeeded")
    assert ran(tmp_path) == ["last"]  # which is another task here


def test_a_killed_process_keeps_nobody_out(tmp_path: Path) -> None:
    """What it had saved is used."""
    with writing(tmp_path) as process:
        process.kill()
    assert ran(tmp_path) == ["last"]


def test_files_that_may_not_get_long_enough(tmp_path: Path) -> None:
    """The run goes on, with a warning; what fitted is kept, and nothing half written."""
    with writing(tmp_path, "100000") as process:
        out, errors = process.communicate("go on\n", timeout=60)
    assert out.startswith("3 nodes: 3 succeeded")
    assert errors.count("CheckpointWarning") == 1
    assert "File too large" in errors
    assert sorted(os.listdir(tmp_path)) == ["_meta.json", "first.pkl", "last.pkl"]
    info = CheckpointExecutor(graph(), tmp_path).checkpoint_info()
    assert info is not None
    assert (info.completed_nodes, info.unsaved_nodes) == (["first", "large", "last"], ["large"])
    assert ran(tmp_path) == ["large", "last"]


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root can write anywhere")
def test_a_folder_without_permission_to_write(tmp_path: Path) -> None:
    """What is there is used; a new run is refused before it begins."""
    with writing(tmp_path) as process:
        process.communicate("go on\n", timeout=60)
    tmp_path.chmod(0o500)
    try:
        with pytest.warns(CheckpointWarning, match="nothing is saved"):
            assert ran(tmp_path) == ["last"]
        with pytest.raises(CheckpointError, match="cannot be cleared"):
            CheckpointExecutor(graph(), tmp_path).execute(TASKS)
        with pytest.raises(CheckpointError, match="cannot hold a checkpoint"):
            CheckpointExecutor(graph(), tmp_path / "new").execute(TASKS)
    finally:
        tmp_path.chmod(0o700)
