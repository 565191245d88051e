"""Nodes on a cluster of Dask: what every backend promises, and what only this one does."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dagnb import DAG, DAGExecutor, Task
from dagnb.errors import BackendError, WorkerLostError
from dagnb.run.remote.cluster import CLUSTERS, Cluster
from dagnb.run.remote.connection import Connection
from dagnb.run.remote.dask import _Sent
from dagnb.run.remote.handle import Handle
from tests.backends.conformance import PATIENCE_SECONDS, Conformance, appears, ends, graph, meets
from tests.laws.anywhere import Laws

pytest.importorskip("distributed")


@pytest.fixture(autouse=True, scope="module")
def cluster() -> Iterator[None]:
    """One cluster for all tests here."""
    CLUSTERS.start(2)
    yield
    CLUSTERS.stop()


class TestDask(Conformance):
    """Two workers of this machine."""

    name = "dask"

    @staticmethod
    def worker() -> int:
        """Return the process of the worker, which has another one perform its tasks."""
        return os.getppid()


class TestLaws(Laws):
    """What holds of any run."""

    name = "dask"


def connection() -> Connection:
    """Return the connection to the cluster of these tests."""
    found = CLUSTERS.present()
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _both_workers(cluster: None) -> None:
    """Wait for the workers that an earlier test killed."""
    connection().client.wait_for_workers(2, timeout=60)


def kill(addresses: Collection[str]) -> None:
    """Kill workers at once, as a machine that goes down would."""
    numbers = connection().client.run(os.getpid, workers=list(addresses)).values()
    for number in numbers:
        os.kill(number, signal.SIGKILL)
    for number in numbers:
        ends(number)


def only_holders(before: Collection[str]) -> Collection[str]:
    """Return who holds the one new value, once the scheduler let go of the others."""
    until = time.monotonic() + PATIENCE_SECONDS
    while len(held := {key: who for key, who in holders().items() if key not in before}) != 1:
        assert time.monotonic() < until, held
        time.sleep(0.01)
    (found,) = held.values()
    return found


def holders() -> dict[str, Collection[str]]:
    """Return who holds each value that is wanted."""
    found: dict[str, Collection[str]] = connection().client.who_has()
    return found


def big(*values: Any) -> Any:
    """Return a value that stays on its worker."""
    return [*values, bytes(100_000)]


def test_a_large_value_stays_on_its_worker() -> None:
    """Its digest, size and a line about it are here; it is fetched when one looks."""
    dag = graph("a", "b", edges=(("a", "b"),))
    result = DAGExecutor(dag, 2, backend="dask").execute({"a": lambda: big(7), "b": lambda a: a[0]})
    held = result["a"].held
    assert isinstance(held, Handle)
    assert held.about.digest
    assert held.about.nbytes > 100_000
    assert "bytes of 100,000" in held.about.text
    assert (result["b"].result, result["a"].result[0]) == (7, 7)
    assert result["a"].worker in connection().workers()


@pytest.mark.parametrize("value", [big(), 7], ids=["large", "small"])
def test_a_call_may_be_over_before_sending_it_returns(
    monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    """What it tells is taken in once it is known what was sent; nothing of the cluster is kept."""
    client, is_over, sent = connection().client, threading.Event(), []
    submit, take_in = client.submit, _Sent._take_in

    def submit_slowly(*args: Any, **options: Any) -> Any:
        future = submit(*args, **options)
        assert is_over.wait(30)
        return future

    def told(self: _Sent, news: Any) -> None:
        if "head" in news:
            sent.append(self)
            is_over.set()
        take_in(self, news)

    monkeypatch.setattr(client, "submit", submit_slowly)
    monkeypatch.setattr(_Sent, "_take_in", told)
    result = DAGExecutor(graph("a"), 1, backend="dask").execute({"a": lambda: value})
    assert result["a"].result == value
    assert [each.future for each in sent] == [None]


def test_a_lost_value_that_comes_out_the_same_disturbs_nothing(tmp_path: Path) -> None:
    """Dask makes it again, and what reads it goes on."""
    counts = run_with_a_killed_worker(tmp_path, lambda: big(1))
    assert counts == {"a": 2, "b": 1, "c": 1}


def test_a_lost_value_that_comes_out_different_runs_again_from_there(tmp_path: Path) -> None:
    """So that all that was computed from it fits together."""
    counts = run_with_a_killed_worker(tmp_path, lambda: big(os.urandom(8)))
    assert counts["a"] == 3  # once by Dask, once more by the run
    assert counts["b"] == 2


def run_with_a_killed_worker(folder: Path, make: Callable[[], Any]) -> dict[str, int]:
    """Kill the worker that holds the value of the first node; return how often each node ran."""
    before = set(holders())

    def count(name: str) -> None:
        with open(folder / name, "a") as file:
            file.write(".")

    def first() -> Any:
        count("a")
        return make()

    def second(a: Any) -> Any:
        count("b")
        return a[0]

    def third(a: Any, b: Any) -> Any:
        count("c")
        assert a[0] == b
        return a[0]

    dag = graph(
        "a", "b", "x", "c", edges=(("a", "b"), ("b", "x"), ("a", "c"), ("b", "c"), ("x", "c"))
    )

    def kill_holder() -> None:
        if (folder / "lost").exists():
            return
        (folder / "lost").touch()
        kill(only_holders(before))

    def middle(b: Any) -> None:
        kill_holder()

    tasks = {
        "a": first,
        "b": second,
        "x": Task(middle, name="x", backend="threads"),
        "c": third,
    }
    result = DAGExecutor(dag, 2, backend="dask").execute(tasks)
    assert [each.error for each in result.node_results.values()] == [None] * 4
    assert result["c"].result == result["a"].result[0]
    return {name: len((folder / name).read_text()) for name in "abc"}


def calls_begun() -> int:
    """Return how many calls the scheduler was told the beginning of."""
    client, topic = connection().client, connection().topic
    return sum("begun" in told for _, told in client.get_events(topic) or ())


def both_are_known_to_have_begun(before: int) -> None:
    """Wait until two more have begun; one of which nobody knows that it has begun is sent again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while calls_begun() < before + 2:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_worker_killed_in_the_middle_of_a_task(tmp_path: Path) -> None:
    """Its node fails, once; the one beside it is not disturbed."""
    begun, died = tmp_path / "begun", tmp_path / "died"

    def wait() -> None:
        with open(tmp_path / "count", "a") as file:
            file.write(".")
        (tmp_path / "parent").write_text(str(os.getppid()))
        begun.touch()
        appears(tmp_path / "never")

    def strike() -> None:
        both_are_known_to_have_begun(before)
        appears(begun)
        os.kill(int((tmp_path / "parent").read_text()), signal.SIGKILL)
        died.touch()

    before = calls_begun()
    tasks = {
        "a": wait,
        "b": lambda: meets(tmp_path / "b", died),
        "c": Task(strike, name="c", backend="threads"),
    }
    result = DAGExecutor(graph("a", "b", "c"), 3, fail_fast=False, backend="dask").execute(tasks)
    assert isinstance(result["a"].error, WorkerLostError)
    assert (result["b"].result, (tmp_path / "count").read_text()) == ("b", ".")


@contextmanager
def one_worker_dies_about_to_begin(flag: Path) -> Iterator[None]:
    """Kill the worker that first is to perform a task, before it does."""
    from distributed import WorkerPlugin

    class Strike(WorkerPlugin):  # type: ignore[misc]  # distributed is not typed
        def transition(self, key: Any, start: str, finish: str, **others: Any) -> None:
            if finish == "executing" and str(key).startswith("dagnb-") and flag.exists():
                flag.unlink()
                os.kill(os.getpid(), signal.SIGKILL)

    flag.touch()
    client = connection().client
    client.register_plugin(Strike(), name="strike")
    try:
        yield
    finally:
        client.unregister_worker_plugin("strike")


def test_a_worker_killed_before_a_task_begins(tmp_path: Path) -> None:
    """The task runs elsewhere, and once: only its place in a queue was lost."""

    def count() -> str:
        with open(tmp_path / "count", "a") as file:
            file.write(".")
        return "there"

    with one_worker_dies_about_to_begin(tmp_path / "flag"):
        result = DAGExecutor(graph("a"), backend="dask").execute({"a": count})
    assert not (tmp_path / "flag").exists()
    assert (result["a"].result, (tmp_path / "count").read_text()) == ("there", ".")


def test_a_worker_killed_with_an_input_of_ours(tmp_path: Path) -> None:
    """It is sent once more, with the call that was to take it."""
    dag = graph("a", "b", edges=(("a", "b"),))
    make = Task(lambda: bytes(2_000_000), name="a", backend="threads")
    with one_worker_dies_about_to_begin(tmp_path / "flag"):
        result = DAGExecutor(dag, backend="dask").execute({"a": make, "b": lambda a: a[:3]})
    assert not (tmp_path / "flag").exists()
    assert (result["b"].error, result["b"].result) == (None, bytes(3))


def test_a_task_that_no_worker_lives_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not sent for ever."""
    monkeypatch.setattr("dagnb.run.remote.dask.MOST_TIMES", 1)
    with one_worker_dies_about_to_begin(tmp_path / "flag"):
        result = DAGExecutor(graph("a"), fail_fast=False, backend="dask").execute({"a": int})
    assert "lost 1 workers (worker 127.0.0.1:" in str(result["a"].error)


def test_an_error_holds_nothing_on_the_cluster() -> None:
    """However long its result is kept, and without the garbage collector."""
    before = set(holders())
    gc.disable()
    try:
        tasks: dict[str, Any] = {"a": lambda: big(1), "b": lambda a: a[2]}
        dag = graph("a", "b", edges=(("a", "b"),))
        error = DAGExecutor(dag, fail_fast=False, backend="dask").execute(tasks)["b"].error
        until = time.monotonic() + PATIENCE_SECONDS
        while left := set(holders()) - before:
            assert time.monotonic() < until, left
            time.sleep(0.01)
    finally:
        gc.enable()
    assert isinstance(error, IndexError)


def test_a_scheduler_that_dies_ends_the_run(tmp_path: Path) -> None:
    """All that was there is lost; the run returns and says so."""
    own = Cluster(1)
    begun = tmp_path / "begun"

    def strike() -> None:
        appears(begun)
        own.stop()

    tasks = {
        "a": lambda: begun.touch() or appears(tmp_path / "never"),
        "b": Task(strike, name="b", backend="threads"),
    }
    executor = DAGExecutor(graph("a", "b"), 2, fail_fast=False, scheduler=own.address)
    error = executor.execute(tasks)["a"].error
    assert isinstance(error, BackendError)
    assert f"lost its scheduler at {own.address}" in str(error)


def test_the_place_of_a_lost_worker_is_never_given_up() -> None:
    """Not while the next one is starting, however long that takes."""

    def patience() -> str:
        import dask

        found: str = dask.config.get("distributed.deploy.lost-worker-timeout")
        return found

    seconds = connection().client.run_on_scheduler(patience)
    assert float(seconds.removesuffix("s")) > 1e6


def test_no_cluster_at_an_address() -> None:
    """It is said before anything runs."""
    with pytest.raises(BackendError, match=r"finds no scheduler at .*:9"):
        DAGExecutor(DAG(), backend="dask", scheduler="tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("host", "packages", "message"),
    [
        ("3.9.1.final.0", {"dagnb": "0.1.0"}, "has Python 3.9, where this process has"),
        (None, {"dagnb": "0.0.1"}, "has dagnb 0.0.1, where this process has"),
        (None, {}, "has dagnb not at all"),
    ],
)
def test_workers_of_other_versions_are_refused(
    host: str | None, packages: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one Python pickles may crash another."""
    python = host or ".".join(map(str, sys.version_info))
    found = {"tcp://there:1": {"host": {"python": python}, "packages": packages}}
    monkeypatch.setattr(connection().client, "get_versions", lambda packages: {"workers": found})
    with pytest.raises(BackendError, match=message):
        connection().check()


def test_without_dask_the_message_names_the_extra() -> None:
    """And nothing else."""
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from dagnb import DAG, DAGExecutor\n"
        "DAGExecutor(DAG(), backend='dask', scheduler='tcp://127.0.0.1:9')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'needs Dask: pip install "dagnb[dask]"' in run.stderr.splitlines()[-1]


def test_a_module_that_a_worker_lacks() -> None:
    """The node fails with Python's own error."""

    def use() -> None:
        import no_such_package_anywhere  # noqa: F401

    error = DAGExecutor(graph("a"), backend="dask").execute({"a": use})["a"].error
    assert isinstance(error, ModuleNotFoundError)


def test_a_scheduler_goes_with_dask() -> None:
    """Other backends have none."""
    with pytest.raises(ValueError, match="backend='dask' or backend='ray', not with 'processes'"):
        DAGExecutor(DAG(), backend="processes", scheduler="tcp://127.0.0.1:9")


def test_the_time_of_a_call_begins_with_the_call(tmp_path: Path) -> None:
    """Not while it waits for a worker."""
    release = tmp_path / "release"

    def free_the_workers() -> None:
        time.sleep(4.0)
        release.touch()

    tasks = {
        "a": lambda: appears(release),
        "b": lambda: appears(release),
        "c": Task(int, name="c", timeout=3.0),
        "d": Task(free_the_workers, name="d", backend="threads"),
    }
    result = DAGExecutor(graph("a", "b", "c", "d"), 4, backend="dask").execute(tasks)
    assert [result[name].error for name in "abcd"] == [None] * 4
