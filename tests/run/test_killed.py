from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("DAGNB_KILLS", "40"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are killed in forked processes")
@pytest.mark.parametrize("seed", range(2))
def test_a_killed_run_goes_on_with_what_had_not_settled(tmp_path: Path, seed: int) -> None:
    """Every resume completes; no settled node runs again, and of others one for each worker."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.run.killed",
         str(tmp_path / "checkpoint"), str(KILLS // 2), str(seed)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["killed"] == KILLS // 2
    assert found["finished"] >= 1
    assert found["lost"] == []
    assert found["most"] <= 2
    assert found["left"] == []
