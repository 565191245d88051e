"""What a kernel leaves for the one after it, so that views go on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import run

import pytest
from platformdirs import user_state_path

from dagnb.notebook.showing import connection_file, last_shown, note_shown
from tests.notebook.kernels import Asked, asked

NOTING = "import sys, pathlib; from dagnb.notebook.showing import *; "


@pytest.fixture(autouse=True)
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A connection file, and a place for notes that nobody else uses."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = tmp_path / "kernel-1.json"
    made.touch()
    return made


def note_in_another_process(kernel: Path, model_id: str) -> None:
    """Do as a kernel that has ended since."""
    code = f"{NOTING}note_shown(pathlib.Path(sys.argv[1]), sys.argv[2])"
    run([sys.executable, "-c", code, str(kernel), model_id], check=True)


def notes() -> list[Path]:
    """What is noted."""
    return [*(user_state_path("dagnb", appauthor=False) / "shown").iterdir()]


def test_the_next_kernel_knows_the_widget(kernel: Path) -> None:
    """Only the one with the same connection file."""
    note_in_another_process(kernel, "a widget")
    assert last_shown(kernel) == "a widget"
    assert last_shown(kernel.with_name("kernel-2.json")) is None


def test_a_widget_of_this_kernel_is_not_taken_for_an_earlier_one(kernel: Path) -> None:
    """Its id is in use."""
    note_shown(kernel, "a widget")
    assert last_shown(kernel) is None


def test_notes_of_ended_kernels_go(kernel: Path) -> None:
    """A server removes the connection file of a kernel that it will not start again."""
    note_shown(kernel, "old")
    kernel.unlink()
    other = kernel.with_name("kernel-2.json")
    other.touch()
    note_shown(other, "new")
    [note] = notes()
    assert json.loads(note.read_text())["model_id"] == "new"


def test_a_damaged_note_is_none(kernel: Path) -> None:
    """It is written again when the graph is shown."""
    note_in_another_process(kernel, "a widget")
    notes()[0].write_text("{")
    assert last_shown(kernel) is None
    note_in_another_process(kernel, "another")
    assert last_shown(kernel) == "another"


def test_without_a_place_nothing_is_noted(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is known; showing goes on."""
    monkeypatch.setenv("XDG_STATE_HOME", str(kernel))  # a file
    note_shown(kernel, "a widget")
    assert last_shown(kernel) is None


def test_only_a_kernel_has_a_connection_file() -> None:
    """The process of this test is none."""
    assert connection_file() is None


def opened(kernel: Asked, source: str) -> list[str]:
    """Run a cell, and return the ids of the widgets that it opened."""
    cell = kernel.begin(source)
    found = []
    while (message := kernel.client.get_iopub_msg(timeout=60)) is not None:
        if message["parent_header"].get("msg_id") != cell:
            continue
        if (
            message["msg_type"] == "comm_open"
            and "_esm" in str(message["content"]["data"])[:200_000]
        ):
            found.append(message["content"]["comm_id"])
        if message["content"].get("execution_state") == "idle":
            return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_restarted_kernel_opens_the_widget_that_was_shown() -> None:
    """Under the same id, with the first node; one that showed nothing opens none."""
    with asked() as kernel:
        assert opened(kernel, "%%dag_node\na = 1") == []
        shown = opened(kernel, "%dag show")
        assert len(shown) == 1
        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=60)
        assert opened(kernel, "%load_ext dagnb") == []
        assert opened(kernel, "%%dag_node\na = 2") == shown
