"""Clusters of Dask in real kernels: what shows while nodes run, Stop, values that were lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagnb.run.remote.cluster import Cluster
from tests.backends.conformance import ends
from tests.notebook.kernels import Asked, asked, wait_for_file

pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

STOPPED = "no cluster; nodes run in this process"
SETUP = """import os, pathlib, signal, time, dagnb
from dagnb.run.remote.cluster import CLUSTERS
def workers():
    return sorted(CLUSTERS.present().client.run(os.getpid).values())
def appears(path):
    while not pathlib.Path(path).exists(): time.sleep(0.01)"""
KILL = """lost = workers()
for each in lost:
    os.kill(each, signal.SIGKILL)
client = CLUSTERS.present().client
while not set(lost).isdisjoint(client.run(os.getpid, on_error="ignore").values()):
    time.sleep(0.01)
client.wait_for_workers(2, timeout=60)"""


@pytest.fixture(scope="module")
def ask() -> Iterator[Asked]:
    """A kernel with a cluster of its own, of two workers, which ``stop`` ends."""
    with asked() as made:
        made.says(SETUP)
        said = " ".join(made.says("%dag cluster start --workers 2"))
        assert re.fullmatch(r"cluster: 2 workers at tcp://\S+ \(worker \S+, worker \S+\)", said)
        yield made
        own = made.says("print(*workers())")
        assert " ".join(made.says("%dag cluster stop")) == STOPPED
        for each in own:
            ends(int(each))


def test_prints_and_the_worker_show_while_a_node_runs(ask: Asked, tmp_path: Path) -> None:
    """The print in its cell, the worker in the graph."""
    seen = tmp_path / "seen"
    cell = ask.begin(f"%%dag_node early\nprint('begun')\nappears({str(seen)!r})")
    assert ask.message_of(cell, "stream")["content"]["text"].startswith("begun")
    seen.touch()
    assert ask.reply()["status"] == "ok"
    notes = "session().recording.moments"
    said = ask.says(f"print(*[each.said for each in dagnb.{notes}], sep='\\n')")
    assert "early runs on worker" in " ".join(said)


def test_stop_leaves_the_workers_alive(ask: Asked, tmp_path: Path) -> None:
    """The run ends at once; the same workers run the next node."""
    before = ask.says("print(*workers())")
    begun = tmp_path / "begun"
    ask.begin(f"%%dag_node stopped\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(1000)")
    wait_for_file(begun, 60)
    ask.stop()
    assert ask.reply()["ename"] == "KeyboardInterrupt"
    assert ask.says("print(*workers())") == before
    assert ask.says("%%dag_node stopped\nprint('again');") == ["again"]


def test_a_lost_value_that_comes_out_different(ask: Asked) -> None:
    """Its node and what had read it run again, and the graph says why."""
    ask.says("%%dag_node lost\n[os.urandom(8), bytes(100_000)];")
    ask.says("%%dag_node read\nlost[0];")
    ask.says(KILL)
    assert ask("%%dag_node both\nprint(lost[0] == read);")[0] == "ok"
    assert ask.says("print(both is None, lost[0] == read)") == ["True", "True"]
    ran = "[name for name, each in dagnb.session().settled.items() if each.executed]"
    assert ask.says(f"print(*{ran})") == ["both", "lost", "read"]
    assert "its value was lost with its worker" in " ".join(ask.says("%dag why lost"))


def test_a_cluster_of_somebody_elses(tmp_path: Path) -> None:
    """It is used after ``connect``, and goes on after ``stop``."""
    theirs = Cluster(1)
    try:
        with asked() as ask:
            ask.says(SETUP)
            said = " ".join(ask.says(f"%dag cluster connect {theirs.address}"))
            assert said.startswith(f"cluster: 1 worker at {theirs.address}")
            ask.says("%%dag_node there\nos.getppid();")
            assert ask.says("print(there)") == ask.says("print(*workers())")
            assert " ".join(ask.says("%dag cluster stop")) == STOPPED
            assert theirs.is_alive
            ask.says("%%dag_node there\nos.getpid();")
            assert ask.says("print(there)") == ask.says("print(os.getpid())")
    finally:
        theirs.stop()
