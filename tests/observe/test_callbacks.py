from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagnb import DAG, DAGExecutor, ExecutionCallbacks, IncrementalExecutor

Tasks = dict[str, Callable[..., Any]]


class Everything:
    """Callbacks that note every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_node_start(self, name: str) -> None:
        """A node starts."""
        self.calls.append(("start", name))

    def on_node_complete(self, name: str, result: object) -> None:
        """A node has a value."""
        self.calls.append(("complete", name, result))

    def on_node_error(self, name: str, error: BaseException) -> None:
        """A node has failed."""
        self.calls.append(("error", name, type(error)))

    def on_node_skip(self, name: str) -> None:
        """A node was not run."""
        self.calls.append(("skip", name))


@pytest.fixture
def dag() -> DAG:
    """From a to b to c."""
    return DAG.builder().add_edges([("a", "b"), ("b", "c")]).build()


def test_an_object_with_methods(dag: DAG) -> None:
    """Each is called with the page's arguments, in order."""
    callbacks = Everything()
    tasks: Tasks = {"a": lambda: 1, "b": lambda: 1 / 0, "c": lambda: 1}
    DAGExecutor(dag, callbacks=callbacks).execute(tasks)
    assert callbacks.calls == [
        ("start", "a"), ("complete", "a", 1),
        ("start", "b"), ("error", "b", ZeroDivisionError),
        ("skip", "c"),
    ]  # fmt: skip


def test_some_of_the_methods_suffice(dag: DAG) -> None:
    """What an object does not have is not called."""

    class Some:
        done = 0

        def on_node_complete(self, name: str, result: object) -> None:
            self.done += 1

    callbacks = Some()
    DAGExecutor(dag, callbacks=callbacks).execute(dict.fromkeys(dag, lambda: 1))
    assert callbacks.done == 3


def test_the_other_spelling(dag: DAG) -> None:
    """``on_start``, ``on_complete``, ``on_failure``, ``on_skip`` are the same four."""
    heard: list[str] = []
    callbacks = ExecutionCallbacks(
        on_start=lambda name: heard.append(f"start {name}"),
        on_complete=lambda name, value: heard.append(f"complete {name}"),
        on_failure=lambda name, error: heard.append(f"failure {name}"),
        on_skip=lambda name: heard.append(f"skip {name}"),
    )
    tasks: Tasks = {"a": lambda: 1, "b": lambda: 1 / 0, "c": lambda: 1}
    IncrementalExecutor(dag, callbacks=callbacks).execute(tasks)
    assert heard == ["start a", "complete a", "start b", "failure b", "skip c"]


def test_a_timed_out_node_is_an_error(dag: DAG) -> None:
    """Its error is a ``TimeoutError`` with the reason."""
    import threading

    release, callbacks = threading.Event(), Everything()
    tasks: Tasks = {"a": lambda: release.wait(30), "b": lambda: 1, "c": lambda: 1}
    DAGExecutor(dag, callbacks=callbacks).execute(tasks, timeout=0.5)
    release.set()
    assert ("error", "a", TimeoutError) in callbacks.calls
    assert callbacks.calls[-2:] == [("skip", "b"), ("skip", "c")]


def test_a_callback_that_raises_is_logged_once(dag: DAG, caplog: pytest.LogCaptureFixture) -> None:
    """No result changes; all callbacks go on being called."""

    class Broken(Everything):
        def on_node_start(self, name: str) -> None:
            super().on_node_start(name)
            raise ValueError(name)

    callbacks = Broken()
    result = DAGExecutor(dag, callbacks=callbacks).execute(dict.fromkeys(dag, lambda: 1))
    assert result.succeeded == 3
    [logged] = caplog.records
    assert logged.exc_info is not None
    assert len(callbacks.calls) == 6


def test_a_misspelt_callback_is_warned_of(dag: DAG) -> None:
    """Nothing would ever call it."""

    class Misspelt:
        def on_node_completed(self, name: str, result: object) -> None:
            """Never called."""

    with pytest.warns(UserWarning, match="on_node_completed; did you mean on_node_complete"):
        DAGExecutor(dag, callbacks=Misspelt()).execute({})
