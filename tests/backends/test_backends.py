from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from dagnb import DAG, DAGExecutor, Task
from dagnb.errors import BackendError
from dagnb.run.remote.slot import IDLE
from tests.backends.conformance import Conformance


@pytest.fixture(autouse=True, scope="module")
def idle() -> Iterator[None]:
    """Leave no process behind."""
    yield
    IDLE.end()


class TestThreads(Conformance):
    """Threads of this process."""

    name, sends, kills, isolates, tells = "threads", False, False, False, False


class TestProcesses(Conformance):
    """Processes of this machine."""

    name = "processes"


class TestPool(Conformance):
    """An executor of the standard library with processes."""

    kills, isolates, tells = False, False, False

    @pytest.fixture
    def backend(self) -> Iterator[Executor]:
        """A pool that is not ours."""
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            yield pool


class TestThreadPool(Conformance):
    """An executor of the standard library with threads."""

    sends, kills, isolates, tells = False, False, False, False

    @pytest.fixture
    def backend(self) -> Iterator[Executor]:
        """A pool that is not ours."""
        with ThreadPoolExecutor(2) as pool:
            yield pool


@pytest.mark.parametrize("make", [DAGExecutor, lambda dag, backend: Task(int, backend=backend)])
def test_an_unknown_backend_is_refused_with_the_nearest(make: Any) -> None:
    """Before anything runs."""
    with pytest.raises(ValueError, match="no backend 'proceses'; did you mean 'processes'"):
        make(DAG(), backend="proceses")


def test_what_is_no_backend_is_refused() -> None:
    """A number is none."""
    with pytest.raises(TypeError, match="a backend is a name, a Backend or an Executor, not 3"):
        DAGExecutor(DAG(), backend=3)  # type: ignore[arg-type]  # that is the point


def test_inline_runs_on_the_calling_thread() -> None:
    """And cannot be cut short."""
    dag = DAG()
    dag.add_node("a")
    executor = DAGExecutor(dag, backend="inline")
    assert executor.execute({"a": lambda: 1})["a"].worker == ""
    with pytest.raises(ValueError, match="leave timeout and cancel_event out"):
        executor.execute({"a": lambda: 1}, timeout=1.0)


def test_processes_are_refused_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a browser's Python: a node that asks for one fails with words, a run does not begin."""
    monkeypatch.setattr("sys.platform", "emscripten")
    dag = DAG()
    dag.add_node("a")
    result = DAGExecutor(dag).execute({"a": Task(int, backend="processes")})
    assert "Python in a browser has none" in str(result["a"].error)
    with pytest.raises(BackendError, match="Python in a browser has none"):
        DAGExecutor(dag, backend="processes").execute({"a": int})
