"""Runs in the background of real kernels: outputs, awaiting, Stop, the end of the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_notebook

from tests.notebook.kernels import Asked, Kernel, asked, started, wait_for_file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Gate:
    """A node that tells when it begins and waits until it may go on, by files."""

    def __init__(self, folder: Path) -> None:
        self.begun, self.go_on, self.ended = (folder / name for name in ("begun", "go", "ended"))
        self.setup = (
            "import pathlib, time\n"
            f"begun, go_on, ended = (pathlib.Path({str(folder)!r}) / name "
            "for name in ('begun', 'go', 'ended'))\nzero = 0\nlimit = 1"
        )
        self.node = (
            "%%dag_node slow\nif raw:\n    begun.touch()\n    try:\n"
            "        while not go_on.exists(): time.sleep(0.01)\n"
            "    except KeyboardInterrupt:\n        ended.touch()\n        raise\n"
            "print('slow prints', raw)\nraw"
        )


BEGIN = "%dag auto off\nzero = 1"
LAST = "%%dag_node last\nprint('last prints', slow)\nslow + limit"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A gate that is open in the end."""
    made = Gate(tmp_path)
    yield made
    made.go_on.touch()


@pytest.fixture
def kernel(gate: Gate) -> Iterator[Kernel]:
    """A kernel with raw -> slow -> last, as nbclient runs it."""
    with started(new_notebook()) as made:
        for source in ("%load_ext dagnb", gate.setup, "%%dag_node raw\nzero", gate.node, LAST):
            made.run(source)
        made.run(BEGIN)
        yield made


@pytest.fixture
def ask(gate: Gate) -> Iterator[Asked]:
    """The same, asked cell by cell."""
    with asked() as made:
        for source in (gate.setup, "%%dag_node raw\nzero", gate.node, LAST, BEGIN):
            assert made(source)[0] == "ok"
        yield made


def test_outputs_below_their_own_cells(kernel: Kernel, gate: Gate) -> None:
    """While other cells run, what nodes show lands below theirs; the handle's cell follows."""
    slow, last = 3, 4
    handle = kernel.run("handle = %dag run --bg\nhandle")
    assert kernel.text(handle)[0].startswith("<Running in the background")
    wait_for_file(gate.begun)
    beside = kernel.run("print('beside', last)")
    assert kernel.text(beside) == ["beside 1"]
    gate.go_on.touch()
    waits = kernel.run("result = await handle\nprint(result.recomputed)")
    assert kernel.text(waits) == ["['raw', 'slow', 'last']"]
    assert kernel.text(slow) == ["slow prints 1", "1"]
    assert kernel.text(last) == ["last prints 1", "2"]
    assert kernel.text(handle)[0].startswith("<Ran in the background: ran raw, slow, last")
    nbformat.validate(kernel.notebook)


def test_below_capture(kernel: Kernel, gate: Gate) -> None:
    """A cell that captures its outputs takes no display that belongs below another cell."""
    kernel.run("handle = %dag run --bg")
    wait_for_file(gate.begun)
    captured = kernel.run("%%capture text\ngo_on.touch()\nresult = handle.result(30)\nprint('x')")
    assert kernel.text(captured) == []
    assert "2" in kernel.text(4)
    assert kernel.text(kernel.run("print(text.outputs, text.stdout.endswith('x\\n'))")) == [
        "[] True"
    ]


def test_arun(kernel: Kernel, gate: Gate) -> None:
    """A run can be awaited as such."""
    gate.go_on.touch()
    cell = kernel.run("import dagnb\nresult = await dagnb.session().arun()\nprint(result.stopped)")
    assert kernel.text(cell) == [""]
    assert kernel.text(4) == ["last prints 1", "2"]


def test_what_a_cell_changed_meanwhile(ask: Asked, gate: Gate, tmp_path: Path) -> None:
    """It runs when the run is over, though no cell does."""
    ask(f"zero = 0\nseen = pathlib.Path({str(tmp_path)!r})")
    ask(
        "%%dag_node reads\nif limit == 7:\n"
        "    (seen / f'seen {len([*seen.glob(\"seen*\")])}').touch()\nlimit, slow"
    )
    ask(BEGIN)
    ask("handle = %dag run --bg")
    wait_for_file(gate.begun)
    ask("%dag auto on")
    ask("import dagnb\nfirst = dagnb.session().background\nlimit = 7")
    assert ask.says("print(first.done)") == ["False"]
    gate.go_on.touch()
    wait_for_file(tmp_path / "seen 1")  # 0 is of the run that saw both limits
    told = ask.says("r = dagnb.session().background.result(30)\nprint(*reads, last)")
    assert told[-3:] == ["7", "1", "8"]


def test_stop_of_a_cell_that_awaits(ask: Asked, gate: Gate, tmp_path: Path) -> None:
    """Stop ends the waiting, and the run goes on."""
    awaits = tmp_path / "awaits"
    ask("handle = %dag run --bg")
    wait_for_file(gate.begun)
    ask.begin(f"pathlib.Path({str(awaits)!r}).touch()\nresult = await handle")
    wait_for_file(awaits)
    ask.stop()
    assert ask.reply()["status"] == "error"
    assert ask.says("print(handle.done, handle.cancelled.is_set())") == ["False", "False"]
    gate.go_on.touch()
    assert ask.says("print(handle.result(30).stopped == '', last)") == ["True", "2"]


@pytest.mark.parametrize("waits", ["handle.result()", "%dag run", "time.sleep(600)"])
def test_stop_of_another_cell(ask: Asked, gate: Gate, tmp_path: Path, waits: str) -> None:
    """Stop ends the cell in front, waiting or not, and the run goes on."""
    busy = tmp_path / "busy"
    ask("handle = %dag run --bg")
    wait_for_file(gate.begun)
    ask.begin(f"pathlib.Path({str(busy)!r}).touch()\n{waits}")
    wait_for_file(busy)
    ask.stop()
    assert ask.reply()["ename"] == "KeyboardInterrupt"
    assert ask.says("print(handle.done)") == ["False"]
    gate.go_on.touch()
    assert ask.says("print(handle.result(30).stopped == '', last)") == ["True", "2"]


def test_stop_of_arun(ask: Asked, gate: Gate) -> None:
    """Who awaits the run itself and stops stops the run, and what it does."""
    ask.begin("import dagnb\nawait dagnb.session().arun()")
    wait_for_file(gate.begun)
    ask.stop()
    assert ask.reply()["status"] == "error"
    wait_for_file(gate.ended)
    done = ask.says("print(dagnb.session().background.result(30).stopped, raw, slow, last)")
    assert done == ["cancelled", "1", "0", "1"]


def test_cancel(ask: Asked, gate: Gate) -> None:
    """Cancelling ends the run and interrupts its threads."""
    ask("handle = %dag run --bg")
    wait_for_file(gate.begun)
    assert ask.says("print(handle.cancel(), handle.result(30).stopped)") == [
        "True",
        "cancelled",
    ]
    wait_for_file(gate.ended)
    gate.go_on.touch()
    assert ask("%dag run")[0] == "ok"
    assert ask.says("print(raw, slow, last)") == ["1", "1", "2"]


def test_the_kernel_ends_with_a_run(ask: Asked, gate: Gate, tmp_path: Path) -> None:
    """A kernel that is asked to shut down does so by itself, whatever runs in the background."""
    goodbye = tmp_path / "goodbye"
    ask(f"import atexit\ngoodbye = pathlib.Path({str(goodbye)!r})\natexit.register(goodbye.touch);")
    ask("%dag run --bg")
    wait_for_file(gate.begun)
    ask.manager.shutdown_wait_time = 600.0
    ask.manager.shutdown_kernel(now=False)
    assert goodbye.exists()
    assert not gate.go_on.exists()
