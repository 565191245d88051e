"""Who else executes notebooks: what one computed, the others and `dagnb run` do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagnb.run.remote.cluster import Cluster
from dagnb.run.remote.connection import Connection
from tests.cli.conftest import Command, environment
from tests.notebook.notebooks import CHAIN, LOAD, code, texts, written

LAST = (
    "import dagnb\nview = dagnb.session().view\n"
    "print([name for name, node in view.nodes.items() if node.status != 'cached'])"
)
SOURCES = [*CHAIN[:1], code("limit = 1", 1, "parameters"), *CHAIN[2:], LAST]


def execute(folder: Path, *words: str) -> None:
    """Run a program that executes notebooks, in a folder."""
    subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=120,
        check=True,
    )


NBCONVERT = ("nbconvert", "--to", "notebook", "--execute", "nb.ipynb", "--output")


def test_nbconvert(apart: Command, tmp_path: Path) -> None:
    """Takes what `dagnb run` computed, and the other way round; the outputs are the same."""
    path = written(tmp_path / "nb.ipynb", *SOURCES)
    apart("run", path.name)
    execute(tmp_path, *NBCONVERT, "out.ipynb")
    assert texts(tmp_path / "out.ipynb")[-1] == ["[]"]
    assert texts(tmp_path / "out.ipynb")[:-1] == texts(path)[:-1]
    assert apart("run", "out.ipynb", "--json").executed == []


def test_a_cluster_that_is_there(apart: Command, tmp_path: Path) -> None:
    """``--scheduler`` has the nodes run on its workers, not in a process of the command's."""
    pytest.importorskip("distributed")
    path = written(tmp_path / "nb.ipynb", LOAD, "import os", "%%dag_node there\nos.getppid()")
    own = Cluster(1)
    try:
        done = apart("run", path.name, "--scheduler", own.address, "--json")
        connection = Connection(own.address)
        (worker,) = connection.client.run(os.getpid).values()
        connection.close()
    finally:
        own.stop()
    assert done.executed == ["there"]
    assert texts(path)[-1] == [str(worker)]


def test_papermill(apart: Command, tmp_path: Path) -> None:
    """With parameters, which mean the same to both."""
    pytest.importorskip("papermill")
    path = written(tmp_path / "nb.ipynb", *SOURCES)
    execute(
        tmp_path,
        "papermill",
        path.name,
        "out.ipynb",
        "-k",
        "python3",
        "--language",
        "python",
        "-p",
        "limit",
        "2",
    )
    assert texts(tmp_path / "out.ipynb")[-2] == ["total is 3"]
    found = apart("run", path.name, "-p", "limit", "2", "--json")
    assert found.executed == []
    assert texts(path)[-2] == ["total is 3"]
