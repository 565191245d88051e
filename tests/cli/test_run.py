from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from dagnb.run.remote.slot import IDLE
from tests.cli.conftest import Command
from tests.notebook.kernels import started
from tests.notebook.notebooks import CHAIN, LOAD, code, texts, written

EXECUTED = (
    "import dagnb\nsession = dagnb.session()\n"
    "print([name for name in session.nodes if session.result(name).started])"
)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A notebook with raw -> clean -> total, and a plain cell that reads total."""
    return written(tmp_path / "chain.ipynb", *CHAIN)


def test_outputs_are_written_back(apart: Command, chain: Path) -> None:
    """Each under its own cell, as Run All leaves them."""
    apart("run", chain.name)
    expected = [[], [], ["loading", "[3, 1, 2]"], ["[3, 2]"], ["5"], ["total is 5"]]
    assert texts(chain) == expected
    counts = [cell["execution_count"] for cell in json.loads(chain.read_text())["cells"]]
    assert counts == [1, 2, 3, 4, 5, 6]


def test_the_second_run_executes_nothing(dagnb: Command, chain: Path) -> None:
    """And leaves the file as it is, byte for byte."""
    assert dagnb("run", chain.name, "--json").executed == ["raw", "clean", "total"]
    before = chain.read_bytes()
    assert dagnb("run", chain.name, "--json").executed == []
    assert chain.read_bytes() == before


def test_an_edit_runs_what_is_below_it(dagnb: Command, chain: Path) -> None:
    """The rest comes from the store, and a value that is the same ends it."""
    dagnb("run", chain.name)
    written(chain, *[each.replace("x > limit", "x >= limit + 1") for each in CHAIN])
    assert dagnb("run", chain.name, "--json").executed == ["clean"]


def jupyter(chain: Path, sources: tuple[str, ...] = CHAIN) -> str:
    """Run All in a real kernel; return the nodes that it executed, and save the notebook."""
    notebook = nbformat.read(chain, as_version=4)
    with started(notebook, chain.parent) as kernel:
        for cell, source in enumerate(sources):
            kernel.run(source, cell)
        executed = kernel.text(kernel.run(EXECUTED))[-1]
    del notebook.cells[-1]
    nbformat.write(notebook, chain)
    return executed


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_kernel_computes_nothing_that_was_computed_here(
    apart: Command, chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the other way round: the keys are the same, and so is the store."""
    monkeypatch.delenv("DAGNB_STORE", raising=False)
    assert apart("run", chain.name, "--json").executed == ["raw", "clean", "total"]
    here = texts(chain)
    assert jupyter(chain) == "[]"
    assert texts(chain) == here
    assert apart("run", chain.name, "--json").executed == []


RICH = (
    LOAD,
    "from dataclasses import dataclass\nimport numpy as np\nimport helpers\n\n"
    "@dataclass\nclass Point:\n    x: int\n\ndef shift(point):\n    return Point(point.x + 2)",
    "from dagnb import dag_node\n\n@dag_node\ndef start():\n    return Point(1)",
    "%%dag_node moved\nshift(start)",
    "%%dag_node table\nnp.arange(moved.x) * helpers.FACTOR",
    "%%dag_node checked --when 'len(table) > 1' --files data.txt\nopen('data.txt').read()",
    "@dag_node\ndef lines(checked):\n    return checked.split()\nlen(lines)",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_kernel_first(apart: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes, helpers, modules beside the notebook, files and conditions have the same keys."""
    monkeypatch.delenv("DAGNB_STORE", raising=False)
    (tmp_path / "helpers.py").write_text("FACTOR = 10\n")
    (tmp_path / "data.txt").write_text("one two\n")
    path = written(tmp_path / "rich.ipynb", *RICH)
    assert jupyter(path, RICH) == "['start', 'moved', 'table', 'checked', 'lines']"
    elsewhere = tmp_path / "folder"
    elsewhere.mkdir()
    assert apart("run", "../rich.ipynb", "--json", cwd=elsewhere).executed == []
    assert texts(path)[3:] == [
        ["Point(x=3)"],
        ["array([ 0, 10, 20])"],
        ["'one two\\n'"],
        ["['one', 'two']", "2"],
    ]
    (tmp_path / "data.txt").write_text("three\n")
    assert apart("run", path.name, "--json").executed == ["checked", "lines"]


def test_a_copy(dagnb: Command, chain: Path) -> None:
    """With -o the notebook itself is not touched."""
    before = chain.read_bytes()
    dagnb("run", chain.name, "-o", "out.ipynb")
    assert chain.read_bytes() == before
    assert texts(chain.with_name("out.ipynb"))[-1] == ["total is 5"]


# -- parameters -----------------------------------------------------------------------------


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A notebook with parameters."""
    cell = code("limit = 1\nlabel: str = 'all'", 1, "parameters")
    sources = [LOAD, cell, "%%dag_node kept\n[x for x in (3, 1, 2) if x > limit]", "label, limit"]
    return written(tmp_path / "tagged.ipynb", *sources)


def test_parameters(dagnb: Command, tagged: Path) -> None:
    """Are typed as papermill types them, and count like an edit of the cell."""
    dagnb("run", tagged.name, "-p", "limit", "2", "-p", "label", "few")
    assert texts(tagged)[2:] == [["[3]"], ["('few', 2)"]]
    dagnb("run", tagged.name, "-p", "limit", "1.5")
    assert texts(tagged)[2:] == [["[3, 2]"], ["('all', 1.5)"]]


def test_an_unknown_parameter(dagnb: Command, tagged: Path) -> None:
    """Is refused before anything runs, with the nearest one."""
    found = dagnb("run", tagged.name, "-p", "limt", "2", code=2)
    assert "there is no parameter 'limt'; did you mean 'limit'? (cell 2 assigns limit, label)" in (
        found.err
    )
    assert texts(tagged) == [[], [], [], []]


def test_no_parameters(dagnb: Command, chain: Path) -> None:
    """A notebook without a tagged cell takes none."""
    assert "no cell is tagged 'parameters'" in dagnb("run", chain.name, "-p", "a", "1", code=2).err


# -- failures -------------------------------------------------------------------------------


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A notebook whose second node fails; one node needs it and one does not."""
    cells = [LOAD, "%%dag_node a\n1", "%%dag_node b\nprint('so far')\na / 0", "%%dag_node c\nb + 1"]
    return written(tmp_path / "failing.ipynb", *cells, "%%dag_node d\na + 1")


def test_a_node_that_fails(dagnb: Command, failing: Path) -> None:
    """Ends the run with 1; its error is below its cell, and nothing else starts."""
    found = dagnb("run", failing.name, code=1)
    assert "b  " in found.out
    assert "ZeroDivisionError: division by zero" in found.out
    assert "Traceback" not in found.out + found.err
    assert texts(failing) == [[], ["1"], ["so far", "ZeroDivisionError: division by zero"], [], []]


def test_going_on(dagnb: Command, failing: Path) -> None:
    """What does not need the failed node runs, and the exit code tells of the failure."""
    found = dagnb("run", failing.name, "--continue-on-error", "--json", code=1)
    assert found.executed == ["a", "b", "d"]
    assert texts(failing)[3:] == [["c is defined and did not run: b failed"], ["2"]]


def test_a_node_that_waits_for_ever(dagnb: Command, tmp_path: Path) -> None:
    """A name that nothing defines is a failure too; a condition that does not hold is none."""
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\nnowhere + 1")
    assert "it waits for `nowhere`" in dagnb("run", path.name, code=1).out
    dagnb("run", written(tmp_path / "b.ipynb", LOAD, "%%dag_node b --when 1>2\n1").name)


def test_a_failed_node_runs_again(dagnb: Command, failing: Path) -> None:
    """And what succeeded does not."""
    dagnb("run", failing.name, code=1)
    assert dagnb("run", failing.name, "--json", code=1).executed == ["b"]


def test_a_plain_cell_that_fails(dagnb: Command, tmp_path: Path) -> None:
    """Ends the run with 1 and says where; nodes of later cells are not there."""
    sources = [LOAD, "%%dag_node a\n1", "x = 1\nraise KeyError('gone')", "%%dag_node b\n2"]
    path = written(tmp_path / "nb.ipynb", *sources)
    found = dagnb("run", path.name, code=1)
    assert "cell 3, line 2: KeyError: 'gone'\nno node ran" in found.out
    assert texts(path) == [[], [], ["KeyError: 'gone'"], []]


def test_an_interrupt_without_a_signal(dagnb: Command, tmp_path: Path) -> None:
    """What the code of a node or of a cell raises counts as Ctrl-C, and never as success."""
    for source in ("%%dag_node a\nraise KeyboardInterrupt", "raise KeyboardInterrupt"):
        written(tmp_path / "nb.ipynb", LOAD, source)
        assert "stopped at once" in dagnb("run", "nb.ipynb", code=130).out


def test_an_expected_error(dagnb: Command, tmp_path: Path) -> None:
    """A cell that is tagged for it may raise, as under nbclient."""
    sources = [LOAD, "%%dag_node a\n1", code("1 / 0", 2, "raises-exception"), "print(a)"]
    path = written(tmp_path / "nb.ipynb", *sources)
    dagnb("run", path.name)
    assert texts(path)[2:] == [["ZeroDivisionError: division by zero"], ["1"]]


FLAKY = (
    "%%dag_node a\nimport pathlib\nseen = pathlib.Path('seen')\nold = seen.exists()\n"
    "seen.touch()\nassert old, 'the first attempt'\n1"
)


def test_retries(dagnb: Command, tmp_path: Path) -> None:
    """A node that says nothing itself is tried again as often as asked."""
    path = written(tmp_path / "nb.ipynb", LOAD, FLAKY)
    dagnb("run", path.name, "--retry", "1")
    assert "the first attempt" in texts(path)[1][0]


def test_a_timeout(dagnb: Command, tmp_path: Path) -> None:
    """A node that takes longer is interrupted, and counts as failed."""
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\nimport time\ntime.sleep(60)\n1")
    assert "timeout of 0.2 s" in dagnb("run", path.name, "--timeout", "0.2", code=1).out


# -- choosing -------------------------------------------------------------------------------

FOREST = (
    LOAD,
    "%%dag_node a --tag load\n1",
    "%%dag_node b --tag load\n2",
    "%%dag_node left --tag slow\na + 1",
    "%%dag_node right\nb + 1",
    "%%dag_node both\nleft + right",
)


@pytest.fixture
def forest(tmp_path: Path) -> Path:
    """A notebook with two branches that meet, some nodes tagged."""
    return written(tmp_path / "forest.ipynb", *FOREST)


@pytest.mark.parametrize(
    ("words", "executed"),
    [
        (["--nodes", "both"], ["a", "b", "left", "right", "both"]),
        (["--nodes", "left,right"], ["a", "b", "left", "right", "both"]),
        (["--nodes", "a", "--nodes", "b"], ["a", "b", "left", "right", "both"]),
        (["--tags", "slow"], ["a", "b", "left", "right", "both"]),
        (["--exclude-tags", "slow"], ["a", "b", "right"]),
        (["--exclude-tags", "slow,load"], []),
        (["--exclude-tag", "slow", "--exclude-tag", "load"], []),
    ],
)
def test_choosing(dagnb: Command, forest: Path, words: list[str], executed: list[str]) -> None:
    """What is named runs with what it needs and feeds; what is left out takes its own along."""
    assert dagnb("run", forest.name, "--json", *words).executed == executed


def test_a_node_in_a_chain_of_its_own(dagnb: Command, tmp_path: Path) -> None:
    """What it neither needs nor feeds does not run, and the cells of that stay as they are."""
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\n1", "%%dag_node b\n2")
    assert dagnb("run", path.name, "--nodes", "a", "--json").executed == ["a"]
    assert texts(path) == [[], ["1"], []]
    assert json.loads(path.read_text())["cells"][2]["execution_count"] is None


def test_full(dagnb: Command, forest: Path) -> None:
    """Runs what is known, too."""
    dagnb("run", forest.name)
    assert sorted(dagnb("run", forest.name, "--full", "--json").executed) == sorted(
        ["a", "b", "left", "right", "both"]
    )


def test_side_by_side(apart: Command, tmp_path: Path) -> None:
    """With several jobs two nodes meet that would wait for each other for ever."""
    meet = "import meeting\nmeeting.place.wait(60)\n1"
    (tmp_path / "meeting.py").write_text("import threading\nplace = threading.Barrier(2)\n")
    path = written(tmp_path / "nb.ipynb", LOAD, f"%%dag_node a\n{meet}", f"%%dag_node b\n{meet}")
    assert sorted(apart("run", path.name, "--jobs", "2", "--json").executed) == ["a", "b"]


def test_a_dry_run(dagnb: Command, chain: Path) -> None:
    """Says what would run and runs no node; the file stays as it is."""
    before = chain.read_bytes()
    found = dagnb("run", chain.name, "--dry-run")
    assert found.out.splitlines()[0] == "run      raw: it has not run yet"
    assert chain.read_bytes() == before
    dagnb("run", chain.name)
    assert dagnb("run", chain.name, "--dry-run").out == "nothing to run; 3 up to date\n"
    full = dagnb("run", chain.name, "--dry-run", "--full", "--json").events
    assert [each["action"] for each in full] == ["run"] * 3


@pytest.mark.parametrize(
    ("words", "here"), [([], True), (["--jobs", "2"], True), (["--backend", "processes"], False)]
)
def test_where_nodes_run(dagnb: Command, tmp_path: Path, words: list[str], here: bool) -> None:
    """In this process, or in others where that is asked for."""
    source = "%%dag_node place\nimport os\nos.getpid()"
    file = written(tmp_path / "where.ipynb", LOAD, source, "print(place)")
    dagnb("run", file.name, *words)
    assert (texts(file)[-1] == [str(os.getpid())]) is here
    IDLE.end()


# -- wrong usage ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nodes", "lefd"], "there is no node 'lefd', in --nodes; did you mean 'left'?"),
        (["--tags", "slwo"], "no node has the tag 'slwo', in --tags; did you mean 'slow'?"),
        (
            ["--types", "model"],
            "no node is of the type 'model', in --types",
        ),
        (["--nodes", "both", "--exclude-tags", "slow"], "leaves left out, but both was asked for"),
        (["--dry-run", "-o", "x.ipynb"], "it cannot go with --output"),
        (["--backend", "inline", "--jobs", "2"], "runs one node at a time"),
        (["--backend", "proceses"], "no backend 'proceses'; did you mean 'processes'?"),
        (["--backend", "processes", "--scheduler", "x"], "for --backend dask or ray, not for proc"),
        (["--jobs", "0"], "--jobs takes a number from 1 on, or auto"),
        (["-o", "no/such/folder.ipynb"], "there is no folder"),
        (["--contine-on-error"], "--continue-on-error"),
    ],
)
def test_wrong_usage(dagnb: Command, forest: Path, words: list[str], message: str) -> None:
    """Ends with 2 and one line that says what to do; the file stays as it is."""
    before = forest.read_bytes()
    found = dagnb("run", forest.name, *words, code=2)
    assert message in found.err.splitlines()[-1], found.err
    assert forest.read_bytes() == before


def test_no_nodes(dagnb: Command, tmp_path: Path) -> None:
    """A notebook without nodes is told how to have some."""
    written(tmp_path / "nb.ipynb", LOAD, "1 + 1")
    assert "defines no node; start a cell with %%dag_node" in dagnb("run", "nb.ipynb", code=2).err


def test_a_syntax_error(dagnb: Command, tmp_path: Path) -> None:
    """In a plain cell or in a node, is a failure with its place, and lands below its cell."""
    path = written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\n1 +", "b = 1")
    assert "cell 2, line 2: SyntaxError: invalid syntax\n" in dagnb("run", path.name, code=1).out
    assert texts(path)[1][0].startswith("SyntaxError")


def test_no_permission(dagnb: Command, tmp_path: Path) -> None:
    """Is found before anything runs."""
    folder = tmp_path / "locked"
    folder.mkdir()
    written(folder / "nb.ipynb", *CHAIN)
    found = dagnb("run", "locked/nb.ipynb", "-o", "/proc/out.ipynb", code=2)
    assert "cannot be written" in found.err
    assert not (folder / ".dagnb").exists()
