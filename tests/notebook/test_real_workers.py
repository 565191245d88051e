"""Nodes in threads of real kernels: outputs below their own cells, Stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_notebook

from tests.notebook.kernels import Asked, Kernel, asked, started, wait_for_file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

# Two nodes that go on only when both have come so far, and show something on either side of it.
SIDE_BY_SIDE = """%%dag_node {name}
import sys
from IPython.display import HTML, display
print("{name} prints", start)
meet()
display(HTML("<b>{name}</b>"))
print("{name} warns", file=sys.stderr)
figure = plt.figure()
meet()
plt.plot([1, 2])
{name!r} * start"""
SETUP = """%load_ext dagnb
%dag workers 4
import threading
import matplotlib.pyplot as plt
barrier = threading.Barrier(2)
def meet():
    if together:
        barrier.wait(30)
together = False"""


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A kernel with four workers."""
    with started(new_notebook()) as made:
        made.run(SETUP)
        yield made


@pytest.fixture
def ask() -> Iterator[Asked]:
    """A kernel that is asked cell by cell, with four workers."""
    with asked() as made:
        made("%dag workers 4")
        yield made


def test_outputs_below_their_own_cells(kernel: Kernel) -> None:
    """What two nodes show at the same time lands below the cell of each, the figure too."""
    start = kernel.run("%%dag_node start\n1")
    cells = [kernel.run(SIDE_BY_SIDE.format(name=name)) for name in "ab"]
    kernel.run("together = True")
    kernel.run("%%dag_node start\n2", start)
    for name, cell in zip("ab", cells, strict=True):
        texts = kernel.text(cell)
        assert texts[0] == f"{name} prints 2"
        assert texts[2] == f"{name} warns"
        assert texts[4] == repr(name * 2)
        data = [each.data for each in kernel.notebook.cells[cell].outputs]
        assert data[1]["text/html"] == f"<b>{name}</b>"
        assert "image/png" in data[3]
    nbformat.validate(kernel.notebook)


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_an_error_below_its_own_cell(kernel: Kernel, backend: str) -> None:
    """A dependent that fails in a thread or a process shows the line of its cell below it."""
    kernel.run(f"%dag workers 4 --backend {backend}")
    start = kernel.run("%%dag_node start\n1")
    cell = kernel.run("%%dag_node ratio\nx = start - 2\n1 / x")
    kernel.run("%%dag_node start\n2", start)
    (error,) = kernel.text(cell)
    assert "----> 3 1 / x" in error
    assert "ZeroDivisionError: division by zero" in error
    assert "dagnb/" not in error


def test_await_magics_and_displays(kernel: Kernel) -> None:
    """Top-level await, line magics, displays and progress are at home in a thread."""
    cell = kernel.run(
        "%%dag_node a\nimport asyncio\nfrom IPython.display import HTML\n"
        "await asyncio.sleep(0.01)\nwords = !echo hello\nprint('10%\\r100%')\n"
        "display(HTML('<b>x</b>'))\nwords[0]"
    )
    texts = kernel.text(cell)
    assert (texts[0], texts[-1]) == ("100%", "'hello'")
    assert kernel.notebook.cells[cell].outputs[1].data["text/html"] == "<b>x</b>"


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_own_cell_shows_at_once(ask: Asked, backend: str, tmp_path: Path) -> None:
    """What the node of the executed cell prints and displays appears while it runs."""
    ask(f"%dag workers 4 --backend {backend}")
    seen = tmp_path / "seen"
    cell = ask.begin(
        "%%dag_node a\nimport pathlib, time\nfrom IPython.display import HTML, display\n"
        f"print('begun')\ndisplay(HTML('shown'))\n"
        f"while not pathlib.Path({str(seen)!r}).exists(): time.sleep(0.01)\nprint('ended')"
    )
    kinds = [ask.message_of(cell, kind)["msg_type"] for kind in ("stream", "display_data")]
    seen.touch()
    assert kinds == ["stream", "display_data"]
    assert ask.reply()["status"] == "ok"


def test_stop(ask: Asked, tmp_path: Path) -> None:
    """Stop ends the run of four busy threads, and what they do; the next run is right."""
    ask("import pathlib, time\n%dag workers 4")
    ask("%%dag_node raw\n0;")
    for number in range(4):
        begun, ended = tmp_path / f"begun-{number}", tmp_path / f"ended-{number}"
        ask(
            f"%%dag_node n{number}\nif raw == 1:\n    pathlib.Path({str(begun)!r}).touch()\n"
            "    try:\n        while True: time.sleep(0.01)\n"
            f"    finally: pathlib.Path({str(ended)!r}).touch()\nraw;"
        )
    ask.begin("%%dag_node raw\n1;")
    for number in range(4):
        wait_for_file(tmp_path / f"begun-{number}")
    ask.stop()
    reply = ask.reply()
    assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    for number in range(4):
        wait_for_file(tmp_path / f"ended-{number}")
    states = "import dagnb\nprint(*(n.status for n in dagnb.session().view.nodes.values()))"
    assert ask(states)[1].split() == ["completed", *["cancelled"] * 4]
    ask("%%dag_node raw\n2;")
    assert ask("print(raw, n0, n1, n2, n3)")[1].split() == ["2"] * 5
