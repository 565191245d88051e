"""Values that survive the kernel: Run All after a restart, in real kernels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook

from tests.notebook.kernels import Kernel, started
from tests.notebook.test_real_kernels import CLEAN, LOAD, RAW, TOTAL

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

BIG = (
    "%%dag_node big\nimport numpy as np\nprint('making')\n"
    "np.sort(np.random.default_rng(len(clean)).random(2_000_000))"  # takes longer than saving it
)
HELD = (
    "name = 'b' + 'ig'\nresults = dagnb.session().last_run.node_results\n"
    "print(type(results[name].held).__name__, name in dir())"
)
EXECUTED = (
    "import dagnb\nsession = dagnb.session()\n"
    "print([name for name in session.nodes if session.result(name).started])"
)


class Restarting:
    """A notebook that is run from top to bottom in one kernel after the other."""

    def __init__(self, folder: Path) -> None:
        self.notebook = new_notebook()
        self.folder = folder

    def kernel(self) -> AbstractContextManager[Kernel]:
        """Start a kernel for it."""
        return started(self.notebook, self.folder)

    def run_all(self, *sources: str) -> tuple[list[list[str]], str]:
        """Run cells in a new kernel; return their outputs, and the nodes that were executed."""
        with self.kernel() as kernel:
            cells = range(len(sources))
            for cell, source in zip(cells, sources, strict=True):
                kernel.run(source, cell if cell < len(self.notebook.cells) else None)
            executed = kernel.text(kernel.run(EXECUTED))[-1]
            del self.notebook.cells[-1]
            return [kernel.text(cell) for cell in cells], executed


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarting]:
    """A notebook in a folder of its own, with a store beside it."""
    monkeypatch.delenv("DAGNB_STORE")
    yield Restarting(tmp_path)


def test_run_all_after_a_restart_executes_nothing(notebook: Restarting) -> None:
    """What the nodes showed is below their cells again."""
    cells = [LOAD, RAW, CLEAN, TOTAL, BIG, "print(clean)"]
    first, executed = notebook.run_all(*cells)
    assert executed == "['raw', 'clean', 'total', 'big']"
    second, executed = notebook.run_all(*cells)
    assert executed == "[]"
    assert second == first
    assert second[1] == ["loading", "[3, 1, 2]"]


def test_a_large_value_stays_in_the_store_until_somebody_reads_it(notebook: Restarting) -> None:
    """A plain cell that names it, or a node that runs and needs it."""
    cells = [LOAD, RAW, CLEAN, BIG, "import dagnb"]
    notebook.run_all(*cells)
    with notebook.kernel() as kernel:
        for cell, source in enumerate(cells):
            kernel.run(source, cell)
        assert kernel.text(kernel.run(HELD)) == ["SavedValue False"]
        assert kernel.text(kernel.run("big.shape")) == ["(2000000,)"]
        assert kernel.text(kernel.run(HELD)) == ["ndarray True"]


def test_two_kernels_use_one_store(notebook: Restarting) -> None:
    """What one has saved the other loads, and both go on to save."""
    beside = Restarting(notebook.folder)
    with notebook.kernel() as one, beside.kernel() as other:
        for source in (LOAD, RAW, CLEAN):
            shown = [kernel.text(kernel.run(source)) for kernel in (one, other)]
            assert shown[0] == shown[1]
        assert one.text(one.run(EXECUTED))[-1] == "['raw', 'clean']"
        assert other.text(other.run(EXECUTED))[-1] == "[]"
        for name, writer, reader in (("more", other, one), ("most", one, other)):
            source = f"%%dag_node {name}\nsum(clean)"
            written = writer.text(writer.run(source))
            assert reader.text(reader.run(source)) == written
