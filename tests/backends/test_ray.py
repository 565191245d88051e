"""A cluster of Ray on this machine, of two workers, started once for all tests here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagnb import DAG, DAGExecutor, IncrementalExecutor, Task
from dagnb.errors import BackendError
from dagnb.run.remote.ray import Ray, Stored
from dagnb.run.remote.slot import IDLE
from tests.backends.conformance import Conformance, appears, graph
from tests.laws.anywhere import Laws

STORE_BYTES = 200_000_000
# Of what Jupyter brings along, Ray imports this in each of its processes, for seconds each.
SLOW_IMPORT = "rfc3987_syntax.py"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster, which this process is connected to."""
    ray = pytest.importorskip("ray", reason='Ray is not here: pip install "dagnb[ray]"')
    quick = tmp_path_factory.mktemp("quick")
    (quick / SLOW_IMPORT).write_text("raise ImportError\n")
    path = os.pathsep.join([str(quick), *filter(None, [os.environ.get("PYTHONPATH")])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        patch.syspath_prepend(str(quick))
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else it writes into the home folder
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of the future
        try:
            context = ray.init(
                num_cpus=2,
                object_store_memory=STORE_BYTES,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="warning",
            )
        except Exception as error:  # its type is that: Ray gives its own processes 15 seconds
            pytest.skip(f"Ray did not start, as on a machine that is too busy: {error}")
        yield context.address_info["address"]
        ray.shutdown()
    IDLE.end()


@pytest.mark.usefixtures("cluster")
class TestRay(Conformance):
    """The promises of every backend."""

    name = "ray"

    @staticmethod
    def worker() -> int:
        """Return the process of the worker, which has another one perform its tasks."""
        return os.getppid()


@pytest.mark.usefixtures("cluster")
class TestLaws(Laws):
    """What holds of any run."""

    name = "ray"


@pytest.mark.usefixtures("cluster")
def test_a_large_value_stays_and_is_fetched_when_looked_at() -> None:
    """What travels is its digest, its size and a line about it."""
    numpy = pytest.importorskip("numpy")
    dag = graph("a", "b", edges=(("a", "b"),))
    tasks: dict[str, Any] = {"a": lambda: numpy.ones(1_000_000), "b": lambda a: float(a.sum())}
    result = DAGExecutor(dag, 2, backend="ray").execute(tasks)
    held = result["a"].held
    assert isinstance(held, Stored)
    assert held.about.nbytes > 8_000_000
    assert result["b"].result == 1_000_000.0
    assert float(result["a"].result.sum()) == 1_000_000.0


@pytest.mark.usefixtures("cluster")
def test_a_value_that_stays_cuts_off_early() -> None:
    """Its digest is compared, which was taken where it was made."""
    numpy = pytest.importorskip("numpy")
    executor = IncrementalExecutor(graph("a", "b", edges=(("a", "b"),)), backend="ray")
    tasks: dict[str, Any] = {"a": lambda: numpy.ones(100_000), "b": lambda a: float(a[0])}
    executor.execute(tasks)
    tasks["a"] = lambda: numpy.zeros(100_000) + 1
    result = executor.execute(tasks, changed_nodes=["a"])
    assert (result.early_cutoff, result.reused) == (["a"], ["b"])


@pytest.mark.usefixtures("cluster")
def test_a_limit_counts_from_when_a_task_begins(tmp_path: Path) -> None:
    """Not while others have the workers."""
    begun = tmp_path / "begun"

    def first() -> None:
        begun.touch()
        appears(tmp_path / "release")

    dag = graph("a", "b", "c")
    quick = Task(lambda: "there", name="c", timeout=20.0)
    tasks: dict[str, Any] = {
        "a": first,
        "b": lambda: (appears(begun), (tmp_path / "release").touch()),
        "c": quick,
    }
    result = DAGExecutor(dag, 3, backend="ray").execute(tasks)
    assert [result[name].error for name in "abc"] == [None] * 3


def test_another_cluster_in_the_same_process_is_refused(cluster: str) -> None:
    """Ray has one for each process; the message says what to do."""
    assert Ray(cluster).slots is None
    with pytest.raises(BackendError, match=r"is connected to .* call ray.shutdown\(\)"):
        Ray("192.0.2.1:6379")


def test_a_scheduler_is_an_address(cluster: str) -> None:
    """Of the cluster to use."""
    executor = DAGExecutor(graph("a"), backend="ray", scheduler=cluster)
    assert executor.execute({"a": lambda: 1})["a"].result == 1


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BackendError, match=r"needs Ray: pip install \"dagnb\[ray\]\""):
        DAGExecutor(DAG(), backend="ray").execute({})
