"""Commands, run in processes of their own: each is to be the process of a notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dagnb.cli import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it wrote with ``--json``."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def executed(self) -> list[str]:
        """The nodes that were executed, as ``--json`` tells it, in order."""
        settled = [each for each in self.events if each["event"] == "settled"]
        return [each["node"] for each in settled if each["executed"]]


Command = Callable[..., Done]


def command_line(*words: object) -> list[str]:
    """Return the command as it is typed."""
    return [sys.executable, "-m", "dagnb", *map(str, words)]


def environment() -> dict[str, str]:
    """Return the environment of a user: values are saved beside notebooks."""
    found = {key: value for key, value in os.environ.items() if key != "DAGNB_STORE"}
    return {**found, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def dagnb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run ``dagnb`` in this process, in a folder of its own."""
    monkeypatch.delenv("DAGNB_STORE", raising=False)

    def run(*words: object, code: int | None = 0, cwd: Path = tmp_path) -> Done:
        monkeypatch.chdir(cwd)
        done = CliRunner().invoke(main, [*map(str, words)], prog_name="dagnb")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert code in (None, done.exit_code), (done.exit_code, done.stdout, done.stderr)
        return Done(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def apart(tmp_path: Path) -> Command:
    """Run ``dagnb`` in a process of its own."""

    def run(*words: object, code: int | None = 0, cwd: Path = tmp_path) -> Done:
        done = subprocess.run(
            command_line(*words),
            cwd=cwd,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert code in (None, done.returncode), (done.returncode, done.stdout, done.stderr)
        return Done(done.returncode, done.stdout, done.stderr)

    return run
