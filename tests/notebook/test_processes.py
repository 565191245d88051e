"""Nodes in processes of their own: what they show lands where it always does."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from dagnb.errors import InputMutatedError, NotSendableError, TaskTimeoutError, WorkerLostError
from dagnb.run.remote.slot import IDLE
from tests.notebook.conftest import Notebook


@pytest.fixture(autouse=True, scope="module")
def idle() -> Iterator[None]:
    """Leave no process behind."""
    yield
    IDLE.end()


@pytest.fixture
def apart(nb: Notebook) -> Notebook:
    """A notebook whose nodes run in two processes."""
    assert "2; nodes run in processes" in nb.run("%dag workers 2 --backend processes").text
    return nb


def test_values_prints_and_displays_come_back(apart: Notebook) -> None:
    """With the notebook's functions, classes and imports."""
    apart.run("import os\nSCALE = 2\ndef twice(x):\n    return SCALE * x")
    shown = apart.node("a", "print('hello')\ndisplay({'x': 1})\na = os.getpid()\ntwice(a)").text
    assert "hello" in shown
    assert "{'x': 1}" in shown
    assert apart["a"] != os.getpid()
    apart.node("b", "twice(21)")
    assert apart["b"] == 42
    apart.run("SCALE = 3")
    apart.run("%dag run")
    assert apart["b"] == 63


def test_what_is_shown_again_replaces_what_was_shown(apart: Notebook) -> None:
    """Displays that are updated, outputs that are cleared, bars of progress."""
    apart.run("from IPython.display import clear_output, display")
    apart.node(
        "a",
        "print('gone')\nclear_output()\nshown = display(1, display_id=True)\nshown.update(2)\n"
        "print('10%', end='')\nprint('\\r100%');",
    )
    display, stream = apart.session.outputs("a")
    assert display["data"]["text/plain"] == "2"
    assert stream["text"] == "100%\n"


def test_shell_commands_and_figures(apart: Notebook) -> None:
    """A process has a shell of its own, and its figures are shown as pictures."""
    pytest.importorskip("matplotlib")
    apart.run("import matplotlib.pyplot as plt")
    apart.node("a", "names = !echo one two\nplt.plot([1, 2])\nlist(names)")
    assert apart["a"] == ["one two"]
    assert any("image/png" in each.get("data", {}) for each in apart.session.outputs("a"))


def test_what_cannot_be_sent_is_named(apart: Notebook) -> None:
    """With the node that reads it."""
    apart.run("import threading\nlock = threading.Lock()")
    ran = apart.node("a", "lock.locked()", fails=NotSendableError)
    assert "'a' reads the variable 'lock' (a lock)" in str(ran.error)


def test_one_node_apart_from_the_others(nb: Notebook) -> None:
    """It alone leaves the main thread, and takes and gives values."""
    nb.run("import os")
    nb.node("a", "os.getpid()")
    nb.node("b", "(a, os.getpid())", "--backend processes")
    nb.node("c", "(*b, os.getpid())")
    first, second, third = nb["c"]
    assert first == third == os.getpid() != second


def test_an_error_shows_the_line_of_the_cell(apart: Notebook) -> None:
    """And keeps its type; the next node is not hurt."""
    ran = apart.node("a", "rows = []\nrows[3]", fails=IndexError)
    assert "rows[3]" in ran.text
    apart.node("b", "1")
    assert apart["b"] == 1


def test_a_crash_fails_its_node_alone(apart: Notebook) -> None:
    """What it had is lost, and the kernel lives."""
    apart.run("import os")
    apart.node("a", "os._exit(3)", fails=WorkerLostError)
    assert apart.status("a") == "failed"


def test_a_node_that_changes_its_input_fails(apart: Notebook) -> None:
    """As it does here, though nobody else could see the change."""
    apart.node("rows", "[1]")
    apart.node("more", "rows.append(2)", fails=InputMutatedError)
    assert apart["rows"] == [1]


def test_what_holds_the_interpreter_is_killed_on_time(nb: Notebook) -> None:
    """An alarm on the main thread could not."""
    nb.run("import re")
    source = "re.match(r'(a+)+$', 'a' * 60 + 'b')"
    nb.node("a", source, "--backend processes --timeout 0.5", fails=TaskTimeoutError)
    assert nb.status("a") == "timed_out"


def test_retries_are_told_where_the_node_shows_its_outputs(apart: Notebook) -> None:
    """Each attempt with what it printed."""
    ran = apart.node("a", "print('try')\n1 / 0", "--retries 1 --backoff 0", fails=ZeroDivisionError)
    assert ran.text.count("try\n") == 2
    assert "attempt 1 of 2 failed" in ran.text


def test_an_edit_that_changes_nothing_runs_nothing(apart: Notebook) -> None:
    """Values are compared as they are anywhere."""
    apart.node("a", "[1, 2]")
    apart.node("b", "sum(a)")
    assert apart.node("a", "sorted([2, 1])").executed == ["a"]
    assert apart.node("a", "sorted([2, 1])  # the same").executed == []


def test_stop(apart: Notebook, tmp_path: Path) -> None:
    """It comes at once, and the process is gone."""
    begun = tmp_path / "begun"
    apart.run(f"import pathlib, time\nbegun = {str(begun)!r}")

    def stop() -> None:
        while not begun.exists():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop).start()
    apart.node("a", "pathlib.Path(begun).touch()\ntime.sleep(1000)", fails=KeyboardInterrupt)
    assert apart.status("a") == "cancelled"
    apart.node("b", "1")
    assert apart["b"] == 1


@pytest.mark.parametrize("line", ["%dag workers --backend proceses", "%dag workers 2 --backend"])
def test_a_backend_that_is_none(nb: Notebook, line: str) -> None:
    """Is refused with the nearest one; nothing has changed."""
    nb.run(line, fails=UsageError)
    assert nb.session.backend == "threads"


def test_an_option_that_names_no_backend(nb: Notebook) -> None:
    """The nearest one is named."""
    ran = nb.run("%%dag_node a --backend proceses\n1", fails=UsageError)
    assert str(ran.error) == "--backend: there is no backend 'proceses'; did you mean 'processes'?"


@pytest.mark.parametrize(("name", "library"), [("dask", "distributed"), ("ray", "ray")])
def test_a_backend_that_is_not_installed(
    nb: Notebook, name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is refused where it is chosen, with the extra that brings it; nothing has changed."""
    monkeypatch.setitem(sys.modules, library, None)
    ran = nb.run(f"%dag workers 2 --backend {name}", fails=UsageError)
    assert f'pip install "dagnb[{name}]"' in str(ran.error)
    assert (nb.session.backend, nb.session.workers) == ("threads", 1)


@pytest.mark.parametrize(
    "pool",
    [lambda: ThreadPoolExecutor(1), lambda: ProcessPoolExecutor(1, get_context("spawn"))],
    ids=["threads", "processes"],
)
def test_an_executor_of_somebodys(nb: Notebook, pool: Callable[[], Executor]) -> None:
    """What a node shows there is below its cell, its variables are the notebook's, inputs kept."""
    with pool() as executor:
        nb.session.backend = executor
        assert f"nodes run in a {type(executor).__name__}" in nb.run("%dag workers").text
        nb.run("factor = 3")
        ran = nb.node("a", "print('in a pool')\ndisplay('shown')\n[factor]")
        assert "in a pool" in ran.text
        assert "shown" in ran.text
        nb.node("b", "a.append(1)\n2", fails=InputMutatedError)
        assert nb["a"] == [3]


def test_no_cluster_to_stop(nb: Notebook) -> None:
    """What runs nodes otherwise goes on doing so."""
    nb.run("%dag workers 2 --backend processes")
    assert nb.run("%dag cluster stop").text.strip() == "no cluster"
    assert nb.session.backend == "processes"
