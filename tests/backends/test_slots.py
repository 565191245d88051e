"""Processes that are kept for later runs, and what neither they nor we may keep."""

from __future__ import annotations

import gc
import importlib
import os
import socket
import subprocess
import sys
import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dagnb import DAG, DAGExecutor
from dagnb.run.remote.slot import IDLE
from dagnb.run.remote.travel import pack_error, unpack_error
from dagnb.run.remote.worker import START


@pytest.fixture(autouse=True)
def idle() -> Iterator[None]:
    """Begin and end without processes."""
    IDLE.end()
    yield
    IDLE.end()


def value(task: Callable[[], Any]) -> Any:
    """Run one task in a process and return its value."""
    dag = DAG()
    dag.add_node("a")
    result = DAGExecutor(dag, 1, backend="processes").execute({"a": task})
    assert result["a"].error is None
    return result["a"].result


def test_a_process_is_kept_for_the_next_run() -> None:
    """Starting one takes longer than most tasks."""
    assert value(os.getpid) == value(os.getpid)


def test_a_reloaded_module_is_imported_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that imported the old one is of no use."""
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "edited_by_hand.py"
    file.write_text("def answer():\n    return 'old'\n")
    module = importlib.import_module("edited_by_hand")
    try:
        assert value(module.answer) == "old"
        file.write_text("def answer():\n    return 'changed'\n")
        importlib.reload(module)
        assert value(module.answer) == "changed"
    finally:
        del sys.modules["edited_by_hand"]


def test_a_variable_is_that_of_each_run() -> None:
    """A function that was sent before is sent again with what it reads now."""
    number = 1
    found = [value(lambda: number)]
    number = 2
    found.append(value(lambda: number))
    assert found == [1, 2]


def test_what_a_task_assigns_stays_with_it() -> None:
    """Two calls of one function do not see each other's changes."""
    seen: list[int] = []

    def count() -> int:
        seen.append(1)
        return len(seen)

    dag = DAG()
    dag.add_nodes(["a", "b"])
    result = DAGExecutor(dag, 1, backend="processes").execute(dict.fromkeys("ab", count))
    assert [result["a"].result, result["b"].result, seen] == [1, 1, []]


def test_a_process_that_died_meanwhile_is_replaced() -> None:
    """The next run does not notice."""
    first = value(os.getpid)
    os.kill(first, 9)
    assert value(os.getpid) != first


def test_a_process_that_nobody_wants_any_more_when_it_is_there() -> None:
    """Ends without a word."""
    ours, theirs = socket.socketpair()
    tokens = os.pipe()
    ours.close()
    with theirs, subprocess.Popen(
        [sys.executable, "-c", START],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DAGNB_SLOT": f"{theirs.fileno()} {tokens[0]}"},
        pass_fds=[theirs.fileno(), tokens[0]],
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert (process.stderr.read(), process.wait()) == (b"", 0)
    for each in tokens:
        os.close(each)


def test_an_error_from_elsewhere_stands_in_the_same_lines() -> None:
    """Of functions and cells that begin in the same lines, or IPython would mark others."""

    def lines(error: BaseException) -> list[tuple[str, str, int, int | None]]:
        codes = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        return [(c.co_filename, c.co_name, c.co_firstlineno, line) for c, line in codes]

    cell = "\n\ndef fail():\n    one = 1\n    one / 0\n\nfail()"
    with pytest.raises(ZeroDivisionError) as raised:
        exec(compile(cell, "<a cell>", "exec"), {})
    there = lines(raised.value)
    assert there[1:] == [("<a cell>", "<module>", 1, 7), ("<a cell>", "fail", 3, 5)]
    assert lines(unpack_error(pack_error(raised.value))) == there


def test_an_error_from_elsewhere_holds_on_to_nothing_here() -> None:
    """Its traceback is of lines there; who takes it in is free when that is done."""

    def raised() -> Exception:
        try:
            raise ValueError("there")
        except ValueError as error:
            return error

    def received() -> tuple[BaseException, weakref.ref[DAG]]:
        here = DAG()
        return unpack_error(packed), weakref.ref(here)

    packed = pack_error(raised())
    gc.disable()
    try:
        error, here = received()
        assert here() is None
    finally:
        gc.enable()
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_frame.f_code.co_name == "raised"
