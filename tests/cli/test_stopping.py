"""Runs that are stopped: by Ctrl-C in a terminal, by signals, by kill -9."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Command, command_line, environment
from tests.notebook.kernels import wait_for_file
from tests.notebook.notebooks import LOAD, texts, written

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

# The second node says that it began, and ends when it is told to.
HELD = (
    "%%dag_node held\nimport os, time\nopen('began', 'w').close()\n"
    "while not os.path.exists('go'):\n    time.sleep(0.01)\nfirst + 1"
)


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A notebook with first -> held -> last."""
    nodes = ["%%dag_node first\nprint('once')\n1", HELD, "%%dag_node last\nheld + 1"]
    return written(tmp_path / "held.ipynb", LOAD, *nodes)


@contextmanager
def begun(path: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a process, and wait until its second node runs."""
    process = subprocess.Popen(
        command_line("run", path.name, *words),
        cwd=path.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for_file(path.with_name("began"), seconds=120)
        yield process
    finally:
        process.kill()
        process.communicate()


def go(path: Path) -> None:
    """Let the second node end, now and in later runs."""
    path.with_name("go").touch()


def test_the_first_ctrl_c_lets_running_nodes_end(dagnb: Command, held: Path) -> None:
    """Nothing new starts, what ended is saved and written, and the rest runs next time."""
    with begun(held) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert any("Ctrl-C again stops it at once" in line for line in process.stdout)
        go(held)
        assert process.wait(120) == 130
    assert texts(held) == [[], ["once", "1"], ["2"], []]
    assert dagnb("run", held.name, "--json").executed == ["last"]
    assert texts(held)[3] == ["3"]


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read the output of a process up to a line with these words."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"it never said {words!r}")


@pytest.mark.parametrize(("signals", "code"), [([signal.SIGINT] * 2, 130), ([signal.SIGTERM], 143)])
def test_the_second_stops_at_once(
    dagnb: Command, held: Path, signals: list[signal.Signals], code: int
) -> None:
    """As termination does: what had ended is saved, the rest runs next time."""
    with begun(held) as process:
        for number, each in enumerate(signals, 1):
            process.send_signal(each)
            if number < len(signals):
                read_until(process, "Ctrl-C again stops it at once")
        assert process.wait(120) == code
    assert texts(held)[1] == ["once", "1"]
    go(held)
    assert dagnb("run", held.name, "--json").executed == ["held", "last"]


def test_side_by_side(dagnb: Command, held: Path) -> None:
    """The same with nodes in threads."""
    with begun(held, "--jobs", "2") as process:
        process.send_signal(signal.SIGINT)
        read_until(process, "Ctrl-C again stops it at once")
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130
    go(held)
    assert dagnb("run", held.name, "--json").executed == ["held", "last"]


def test_kill_9(dagnb: Command, held: Path) -> None:
    """Nothing that had finished runs twice; the file is as it was."""
    before = held.read_bytes()
    with begun(held) as process:
        process.kill()
        process.wait(120)
    assert held.read_bytes() == before
    go(held)
    assert dagnb("run", held.name, "--json").executed == ["held", "last"]
    assert texts(held) == [[], ["once", "1"], ["2"], ["3"]]


def test_two_at_once(dagnb: Command, held: Path) -> None:
    """The second one says who runs; another notebook is not kept out, nor is a plan."""
    other = written(held.with_name("other.ipynb"), LOAD, "%%dag_node a\n1")
    with begun(held) as process:
        refused = dagnb("run", held.name, code=1)
        assert f"process {process.pid} on" in refused.err
        assert "runs held.ipynb; wait for its end" in refused.err
        assert dagnb("run", other.name, "--json").executed == ["a"]
        assert "run      held" in dagnb("plan", held.name).out
        go(held)
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert dagnb("run", held.name, "--json").executed == []


def test_in_a_terminal(held: Path) -> None:
    """What has ended scrolls up, what runs stands below with a bar; Ctrl-C is a key there."""
    pexpect = pytest.importorskip("pexpect")
    variables = {**environment(), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    command, *words = command_line("run", held.name)
    child = pexpect.spawn(command, words, cwd=held.parent, env=variables, timeout=120, echo=False)
    child.expect_exact("ok")
    child.expect_exact("first")
    child.expect_exact("running")
    child.expect_exact("held")
    child.expect_exact("1/3")
    wait_for_file(held.with_name("began"), seconds=120)
    child.sendintr()
    child.expect_exact("stopping when what runs has ended")
    child.sendintr()
    child.expect_exact("stopped at once")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_a_terminal_alone_draws(held: Path) -> None:
    """Into a pipe goes a line for each node and nothing that moves the cursor."""
    go(held)
    done = subprocess.run(
        command_line("run", held.name),
        cwd=held.parent,
        env={**environment(), "TERM": "xterm", "FORCE_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "\x1b" not in done.stdout
    assert [line.split()[:3] for line in done.stdout.splitlines()[:3]] == [
        ["1/3", "ok", "first"],
        ["2/3", "ok", "held"],
        ["3/3", "ok", "last"],
    ]


def test_machines_get_nothing_else(tmp_path: Path) -> None:
    """What cells and their children print is not on standard output with --json."""
    noise = "import subprocess\nprint('heard')\nsubprocess.run(['echo', 'noise'])"
    path = written(tmp_path / "noisy.ipynb", LOAD, noise, "%%dag_node a\n1")
    done = subprocess.run(
        command_line("run", path.name, "--json"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert events == ["started", "settled", "finished"]
    assert done.stderr == "noise\n"
