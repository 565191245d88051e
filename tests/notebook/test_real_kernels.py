"""The main job in real kernels: outputs below their own cells, Stop, restarts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_notebook

from tests.notebook.kernels import LAST, Kernel, asked, started, wait_for_file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

LOAD = "%load_ext dagnb"
RAW = "%%dag_node raw\nprint('loading')\n[3, 1, 2]"
CLEAN = "%%dag_node clean\nprint('cleaning', len(raw))\n[x for x in raw if x > 1]"
TOTAL = "%%dag_node total\nsum(clean)"


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A kernel with the extension loaded."""
    with started(new_notebook()) as made:
        made.run(LOAD)
        yield made


def test_outputs_below_their_own_cells(kernel: Kernel) -> None:
    """An edit refreshes the outputs of dependents below their cells; the notebook stays valid."""
    raw, clean, total = (kernel.run(source) for source in (RAW, CLEAN, TOTAL))
    assert kernel.text(clean) == ["cleaning 3", "[3, 2]"]
    kernel.run(RAW.replace("3, 1, 2", "5, 6"), raw)
    assert kernel.text(raw) == ["loading", "[5, 6]"]
    assert kernel.text(clean) == ["cleaning 2", "[5, 6]"]
    assert kernel.text(total) == ["11"]
    assert kernel.executed() == "['raw', 'clean', 'total']"
    nbformat.validate(kernel.notebook)


def test_cutoff_and_cache_hits(kernel: Kernel) -> None:
    """A value that comes out the same leaves what is below as it is; its cell shows it still."""
    raw, clean, total = (kernel.run(source) for source in (RAW, CLEAN, TOTAL))
    kernel.run(RAW.replace("3, 1, 2", "3, 1, 2, 0"), raw)
    assert kernel.executed() == "['raw', 'clean']"
    assert kernel.text(clean) == ["cleaning 4", "[3, 2]"]
    kernel.run(TOTAL, total)
    assert kernel.text(total) == ["5"]
    kernel.run(CLEAN + "  # a comment", clean)
    assert kernel.text(clean) == ["cleaning 4", "[3, 2]"]


def test_a_global_refreshes_its_users(kernel: Kernel) -> None:
    """A plain cell says in one line what ran because of it."""
    kernel.run("limit = 1")
    kernel.run(RAW)
    clean = kernel.run(CLEAN.replace("x > 1", "x > limit"))
    plain = kernel.run("limit = 2")
    (line,) = kernel.text(plain)
    assert re.fullmatch(r"because of this cell: ran clean \([\d.]+ m?s\)", line)
    assert kernel.text(clean) == ["cleaning 3", "[3]"]


def test_failure_below_the_own_cell(kernel: Kernel) -> None:
    """A dependent that fails shows its error below its own cell, and is mended from above."""
    raw, clean = kernel.run(RAW), kernel.run(CLEAN)
    ratio = kernel.run("%%dag_node ratio\nx = sum(clean) - 11\n1 / x")
    after = kernel.run("%%dag_node after\nratio")
    kernel.run(RAW.replace("3, 1, 2", "5, 6"), raw)
    (error,) = kernel.text(ratio)
    assert "----> 3 1 / x" in error
    assert "ZeroDivisionError: division by zero" in error
    assert "dagnb/" not in error
    assert kernel.text(raw)[-1].startswith("ratio failed with ZeroDivisionError")
    assert kernel.text(clean) == ["cleaning 2", "[5, 6]"]
    kernel.run(RAW.replace("3, 1, 2", "12, 13"), raw)
    assert kernel.text(ratio) == kernel.text(after) != [error]


def test_failure_of_the_own_cell(kernel: Kernel) -> None:
    """The cell of a failing node fails, as any cell would, with the user's lines."""
    kernel.run(RAW)
    with pytest.raises(CellExecutionError) as caught:
        kernel.run("%%dag_node bad\nprint('before')\nraw['a']")
    assert caught.value.ename == "TypeError"
    text = kernel.text(len(kernel.notebook.cells) - 1)
    assert text[0] == "before"
    assert "----> 3 raw['a']" in text[-1]


def test_one_red_line(kernel: Kernel) -> None:
    """An error of ours is one line."""
    kernel.run(RAW)
    with pytest.raises(CellExecutionError):
        kernel.run("%%dag_node raw\nraw + [1]")
    (line,) = kernel.text(len(kernel.notebook.cells) - 1)
    assert line.startswith("DefinitionError: node 'raw' reads 'raw' before it assigns it")
    assert "\n" not in line


def test_await_magics_and_displays(kernel: Kernel) -> None:
    """Top-level await, line magics, displays and progress are at home in a node."""
    cell = kernel.run(
        "%%dag_node a\nimport asyncio\nfrom IPython.display import HTML\n"
        "await asyncio.sleep(0.01)\nwords = !echo hello\nprint('10%\\r100%')\n"
        "display(HTML('<b>x</b>'))\nwords[0]"
    )
    texts = kernel.text(cell)
    assert (texts[0], texts[-1]) == ("100%", "'hello'")
    assert kernel.notebook.cells[cell].outputs[1].data["text/html"] == "<b>x</b>"


def test_decorator_in_a_cell(kernel: Kernel) -> None:
    """@dag_node does what the magic does, outputs included."""
    raw = kernel.run(RAW)
    cell = kernel.run(
        "from dagnb import dag_node\n@dag_node\ndef size(raw):\n"
        "    print('sizing')\n    return len(raw)"
    )
    assert kernel.text(cell)[0] == "sizing"
    assert kernel.text(kernel.run("size")) == ["3"]
    kernel.run(RAW.replace("3, 1, 2", "5"), raw)
    assert kernel.text(kernel.run("size")) == ["1"]


def test_restart_and_run_all() -> None:
    """The saved notebook runs from top to bottom in a new kernel, with the same outputs."""
    notebook = new_notebook()
    with started(notebook) as first:
        cells = [first.run(source) for source in (LOAD, RAW, CLEAN, TOTAL)]
        before = [first.text(cell) for cell in cells]
    with started(notebook) as second:
        for cell in cells:
            second.run(notebook.cells[cell].source, cell)
        assert [second.text(cell) for cell in cells] == before


def test_run_all_in_reverse_order(kernel: Kernel) -> None:
    """Cells may come before what they read; their outputs appear when they can run."""
    total = kernel.run(TOTAL)
    (waits,) = kernel.text(total)
    assert waits.startswith("total is defined and did not run: it waits for `clean`")
    clean = kernel.run(CLEAN)
    kernel.run(RAW)
    assert kernel.text(clean) == ["cleaning 3\n[3, 2]"]
    assert kernel.text(total) == ["5"]


def test_stop(tmp_path: Path) -> None:
    """Stop ends the cell; states say what happened; the next run does just what is due."""
    begun, slept = tmp_path / "begun", tmp_path / "slept"
    slow = (
        "%%dag_node slow\nimport time, pathlib\nif raw == 1:\n"
        f"    pathlib.Path({str(begun)!r}).touch()\n    time.sleep(600)\n"
        f"    pathlib.Path({str(slept)!r}).touch()\nraw;"
    )
    with asked() as ask:
        for source in ("%%dag_node raw\n0;", slow, "%%dag_node last\nslow;"):
            assert ask(source)[0] == "ok"
        ask.begin("%%dag_node raw\n1;")
        wait_for_file(begun)
        ask.stop()
        reply = ask.reply()
        assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
        assert not slept.exists()
        states = "import dagnb\nprint(*(n.status for n in dagnb.session().view.nodes.values()))"
        assert ask(states)[1].split() == ["completed", "cancelled", "cancelled"]
        values = "print(raw, slow, last, dagnb.session().running)"
        assert ask(values)[1].split() == ["1", "0", "0", "False"]
        ask("%%dag_node raw\n2;")
        assert ask("print(raw, slow, last)")[1].split() == ["2", "2", "2"]
        assert ask(LAST)[1].strip() == "['raw', 'slow', 'last']"


def test_value_from_memory_shows_its_own_outputs(kernel: Kernel) -> None:
    """What a node printed is kept with its value, and shown again when that comes from memory."""
    raw, clean = kernel.run(RAW), kernel.run(CLEAN)
    kernel.run(RAW.replace("3, 1, 2", "5, 6"), raw)
    kernel.run(RAW, raw)
    assert kernel.executed() == "[]"
    assert kernel.text(raw) == ["loading", "[3, 1, 2]"]
    assert kernel.text(clean) == ["cleaning 3", "[3, 2]"]


def test_a_timeout_interrupts_the_node(kernel: Kernel) -> None:
    """Below its cell stands where it was; its thread is the main one, so sqlite is at home."""
    raw = kernel.run("%%dag_node raw\n0")
    kernel.run("import sqlite3, time\ndb = sqlite3.connect(':memory:')")
    slow = kernel.run(
        "%%dag_node slow --timeout 0.3\nfound = db.execute('select 7').fetchone()\n"
        "time.sleep(60 * raw)\nfound[0]"
    )
    after = kernel.run("%%dag_node after\nslow + 1")
    assert kernel.text(after) == ["8"]
    kernel.run("%%dag_node raw\n1", raw)
    told = "slow timed out: it took longer than its timeout of 0.3 s (see its cell)"
    assert kernel.text(raw) == ["1", told]
    error = kernel.text(slow)[0]
    assert "----> 3 time.sleep(60 * raw)" in error
    assert "TaskTimeoutError: it took longer than its timeout of 0.3 s" in error
    assert "dagnb/" not in error
    states = "import dagnb\nprint(*(n.status for n in dagnb.session().view.nodes.values()))"
    assert kernel.text(kernel.run(states)) == ["completed timed_out skipped"]
    kernel.run("%%dag_node raw\n0", raw)
    assert (kernel.text(slow)[0], kernel.text(after)) == ("7", ["8"])


def test_attempts_below_the_cell(kernel: Kernel, tmp_path: Path) -> None:
    """Why a node was tried again stands between the prints of its attempts."""
    log = tmp_path / "log"
    cell = kernel.run(
        "%%dag_node flaky --retries 3 --backoff 0.01\nimport pathlib\n"
        f"log = pathlib.Path({str(log)!r})\nlog.open('a').write('x')\nn = log.stat().st_size\n"
        "print('call', n)\nassert n > 1, 'too early'\nn"
    )
    again = "attempt 1 of 4 failed with AssertionError: too early; the next one begins in 10.0 ms"
    assert kernel.text(cell) == ["call 1", again, "call 2", "2"]
    assert kernel.text(kernel.run("%dag why flaky")) == [
        "flaky ran for the first time; it took 2 attempts"
    ]


def test_a_condition_that_changes_its_mind(kernel: Kernel) -> None:
    """Below the cell of a node that its condition does not lead to stands why, and no value."""
    rows = kernel.run("%%dag_node rows\n120")
    report = kernel.run("%%dag_node report --when 'rows > 100'\nprint('writing')\nf'{rows} rows'")
    short = kernel.run("%%dag_node short --when 'rows <= 100'\n'few rows'")
    end = kernel.run("%%dag_node end\nreport or short")
    notice = "did not run: its condition `rows {} 100` does not hold: rows is {}"
    assert kernel.text(report) == ["writing", "'120 rows'"]
    assert kernel.text(short) == [f"short {notice.format('<=', 120)}"]
    assert kernel.text(end) == ["'120 rows'"]
    kernel.run("%%dag_node rows\n7", rows)
    assert kernel.executed() == "['rows', 'short', 'end']"
    assert kernel.text(report) == [f"report {notice.format('>', 7)}", ""]
    assert [kernel.text(short), kernel.text(end)] == [["'few rows'"]] * 2
    kernel.run("%%dag_node rows\n120", rows)
    assert kernel.executed() == "[]"
    assert kernel.text(report) == ["writing", "'120 rows'"]
    assert kernel.text(end) == ["'120 rows'"]


def test_a_node_that_makes_nodes(kernel: Kernel) -> None:
    """Below its cell stands what it made and what these printed; their values are variables."""
    kernel.run("def size_of(word):\n    print('sizing', word)\n    return 6 / len(word)")
    words = kernel.run("%%dag_node words\n['aa', 'bbb']")
    sizes = kernel.run(
        "%%dag_node sizes --expand\nmade = {f'size_{w}': lambda w=w: size_of(w) for w in words}\n"
        "{**made, 'total': (lambda *sizes: sum(sizes), [*made])}"
    )
    report = kernel.run("%%dag_node report\nf'{total} in all'")
    assert kernel.text(sizes)[0] == "made 3 nodes: size_aa, size_bbb, total"
    assert [line for line in kernel.text(sizes) if "sizing" in line] == ["sizing aa", "sizing bbb"]
    assert kernel.text(report) == ["'5.0 in all'"]
    kernel.run("%%dag_node words\n['aa', 'c']", words)
    assert kernel.executed() == "['words', 'sizes', 'size_c', 'total', 'report']"
    assert kernel.text(report) == ["'9.0 in all'"]
    assert kernel.text(sizes)[0] == "made 3 nodes: size_aa, size_c, total"
    assert kernel.text(kernel.run("size_aa, size_c, total")) == ["(3.0, 6.0, 9.0)"]
    kernel.run("%%dag_node words\n['aa', '']", words)
    assert kernel.text(words)[-1] == (
        "size_ failed with ZeroDivisionError: division by zero (see the cell of sizes)"
    )
    assert "ZeroDivisionError" in "".join(kernel.text(sizes))


def test_a_value_that_shows_nothing(kernel: Kernel) -> None:
    """A kernel tells nobody what a repr raised; who looks at the value is told all the same."""
    kernel.run("class Bad:\n    def __repr__(self): raise RuntimeError('no repr')")
    kernel.run("%%dag_node nothing\nNone")
    assert kernel.text(kernel.run("%dag value nothing")) == ["None"]
    kernel.run("%%dag_node bad\nBad()")
    assert kernel.text(kernel.run("%dag value bad"))[-1] == "no preview: RuntimeError: no repr"


def test_verifying_in_a_kernel(kernel: Kernel) -> None:
    """Classes of the notebook go along; what nodes print there is nowhere."""
    kernel.run("import random\nclass Point:\n    def __init__(self, x): self.x = x")
    kernel.run("%%dag_node point\nprint('making')\nPoint(1)")
    kernel.run("%%dag_node noisy\nPoint(random.random())")
    head, noisy = kernel.text(kernel.run("%dag verify"))[0].splitlines()
    assert head.startswith("1 of 2 nodes came out the same in 3 runs")
    assert noisy.startswith("noisy gives another value each time")
