from __future__ import annotations

import importlib
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dagnb.errors import StoreError
from dagnb.notebook.saving import store_folder
from dagnb.values.signature import key_path
from tests.notebook.conftest import Notebook, opened
from tests.notebook.test_bad_values import REFUSING

LONG = "[number for number in range(5000)];"  # too long to stand in its record
SIZES = {"raw": LONG, "clean": "raw[:4000];", "total": "print('adding')\nsum(clean)"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which notebooks save values."""
    monkeypatch.setenv("DAGNB_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def restart(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], Notebook]]:
    """Open a notebook in a new shell, as after a restart of the kernel."""
    with ExitStack() as stack:

        def open_notebook() -> Notebook:
            stack.pop_all().close()
            return stack.enter_context(opened(capsys.readouterr))

        yield open_notebook


def run_all(nb: Notebook, sources: dict[str, str] = SIZES, **options: str) -> list[str]:
    """Run the cells of nodes; return those that were executed."""
    executed = []
    for name, source in sources.items():
        executed += nb.node(name, source, options.get(name, "")).executed
    return executed


def in_store(nb: Notebook) -> str:
    """Return the nodes whose values nobody has loaded yet."""
    results = nb.session.last_run.node_results  # type: ignore[union-attr]  # something ran
    return " ".join(n for n, each in results.items() if type(each).__name__ == "DeferredResult")


def files(folder: Path) -> list[Path]:
    """Return the files that hold values."""
    return sorted(folder.glob("blobs/??/*"))


# After a restart


def test_nothing_runs_again(restart: Callable[[], Notebook]) -> None:
    """Each node is a cache hit, and says so; the next edit runs what it must."""
    assert run_all(restart()) == ["raw", "clean", "total"]
    nb = restart()
    assert run_all(nb) == []
    assert set(nb.statuses().values()) == {"cached"}
    reason = nb.session.view.nodes["clean"].reason
    assert reason == "reused from the store: it ran before with this code and these inputs"
    assert "its value came from the store" in nb.run("%dag why clean").out
    assert nb.node("clean", "raw[:3000];").executed == ["clean", "total"]
    assert nb["total"] == sum(range(3000))


def test_what_nodes_showed_is_shown_again(restart: Callable[[], Notebook]) -> None:
    """Prints, and the value without making it anew."""
    first = restart()
    run_all(first)
    nb = restart()
    run_all(nb, {name: SIZES[name] for name in ("raw", "clean")})
    shown = nb.node("total", SIZES["total"])
    assert (shown.executed, shown.out) == ([], f"adding\n{sum(range(4000))}\n")


def test_a_comment_or_another_order_of_cells_changes_nothing(
    restart: Callable[[], Notebook],
) -> None:
    """The key is that of the code and the inputs."""
    run_all(restart())
    nb = restart()
    backwards = {name: f"# new\n{SIZES[name]}" for name in ("total", "clean", "raw")}
    assert run_all(nb, backwards) == []
    assert set(nb.statuses().values()) == {"cached"}


@pytest.mark.parametrize(
    ("before", "after", "executed"),
    [
        ("limit = 1", "limit = 2", ["clean"]),
        ("limit = 1", "limit = 1.0", ["clean"]),
        ("def limit(): return 1", "def limit(): return 2", ["clean"]),
        ("def limit(): return 1", "def limit():\n    # one\n    return 1", []),
    ],
)
def test_what_code_reads_is_part_of_the_key(
    restart: Callable[[], Notebook], before: str, after: str, executed: list[str]
) -> None:
    """As it is within one kernel."""
    cells = {"raw": LONG, "clean": "limit\nraw[:4000];"}
    nb = restart()
    nb.run(before)
    run_all(nb, cells)
    nb = restart()
    nb.run(after)
    assert run_all(nb, cells) == executed


@pytest.mark.parametrize(("content", "executed"), [("1", []), ("22", ["rows"])])
def test_a_declared_file_is_part_of_the_key(
    restart: Callable[[], Notebook], tmp_path: Path, content: str, executed: list[str]
) -> None:
    """By its content: one that was only written anew is the same."""
    rows = tmp_path / "rows.csv"
    read = f"__import__('pathlib').Path({str(rows)!r}).read_text()"
    source, options = f"{read} * 5000;", {"rows": f"--files '{rows}'"}
    rows.write_text("1")
    assert run_all(restart(), {"rows": source}, **options) == ["rows"]
    rows.unlink()
    rows.write_text(content)
    nb = restart()
    assert run_all(nb, {"rows": source}, **options) == executed
    nb.run("pass")
    assert nb.session["rows"] == content * 5000


def test_nodes_that_a_node_makes(restart: Callable[[], Notebook]) -> None:
    """Functions are not saved, so the maker runs; what it makes is found in the store."""
    cells = {
        "words": "['a', 'bb']",
        "sizes": "{f'size_{word}': lambda word=word: print(word) or len(word) for word in words}",
        "end": "size_a + size_bb",
    }
    assert run_all(restart(), cells, sizes="--expand") == [
        "words", "sizes", "size_a", "size_bb", "end"
    ]  # fmt: skip
    nb = restart()
    assert run_all(nb, cells, sizes="--expand") == ["sizes"]
    assert (nb["size_a"], nb["size_bb"], nb["end"]) == (1, 2, 3)


def test_an_edit_back_to_what_an_earlier_kernel_ran(restart: Callable[[], Notebook]) -> None:
    """Reuses its value, and that of all below."""
    run_all(restart())
    nb = restart()
    run_all(nb, SIZES | {"raw": "list(range(6000));"})
    assert nb.node("raw", SIZES["raw"]).executed == []
    assert nb["total"] == sum(range(4000))


# Loading


def test_values_load_when_somebody_needs_them(restart: Callable[[], Notebook]) -> None:
    """A node that runs loads its inputs, a plain cell what it mentions, and no more."""
    run_all(restart())
    nb = restart()
    run_all(nb)
    assert in_store(nb) == "raw clean"
    assert nb.run("len(clean)").value == 4000
    assert in_store(nb) == "raw"
    assert nb.node("other", "raw[-1]").executed == ["other"]
    assert in_store(nb) == ""
    assert nb["raw"] is nb.session["raw"]


@pytest.mark.parametrize(
    "cell",
    ["len(clean)", "(lambda: clean)()", "eval('cle' + 'an')", "globals()['clean']",
     "%time len(clean)", "f'{clean[0]}'", "[each for each in clean]", "clean += [1]"],
)  # fmt: skip
def test_whatever_way_a_cell_reads_a_value(restart: Callable[[], Notebook], cell: str) -> None:
    """It finds it."""
    run_all(restart())
    nb = restart()
    run_all(nb)
    nb.run(cell)
    assert "clean" not in in_store(nb)


def test_beside_a_run_in_the_background(restart: Callable[[], Notebook]) -> None:
    """A plain cell has the value, in place of which the run may have put a newer one."""
    run_all(restart())
    nb = restart()
    go_on = nb.shell.user_ns["go_on"] = threading.Event()
    run_all(nb)
    nb.run("%dag auto off")
    nb.run("seconds = 0")
    nb.node("slow", "go_on.wait(seconds)")
    nb.run("seconds = 30")
    nb.run("handle = %dag run --bg slow")
    assert nb.run("len(clean)").value == 4000
    assert "clean" in in_store(nb)
    go_on.set()
    nb["handle"].result(30)
    assert nb.run("size = len(clean)").out == ""
    assert "clean" not in in_store(nb)
    assert nb["clean"] is nb.session["clean"]


def test_a_function_of_an_earlier_cell_finds_its_value(restart: Callable[[], Notebook]) -> None:
    """A name that was mentioned before its node was there is loaded with the node."""
    run_all(restart())
    nb = restart()
    nb.run("def report(): return len(clean)")
    run_all(nb)
    assert nb.run("report()").value == 4000


def test_a_helper_that_reads_a_node(restart: Callable[[], Notebook]) -> None:
    """Finds its value when another node calls it."""
    cells = {"raw": LONG, "size": "print(helper())\nhelper()"}
    for _ in range(2):
        nb = restart()
        nb.run("def helper(): return len(raw)")
        run_all(nb, cells)
    assert nb.node("size", "helper() + 1").executed == ["size"]
    assert nb["size"] == 5001


def test_results_of_a_run_load_their_values(restart: Callable[[], Notebook]) -> None:
    """Those of the session, and of each run."""
    run_all(restart())
    nb = restart()
    run_all(nb)
    run = nb.session.last_run
    assert run is not None
    assert len(run["clean"].result) == 4000
    assert len(nb.session["raw"]) == 5000
    with pytest.raises(KeyError):
        nb["clean"]


def test_a_condition_reads_what_is_in_the_store(restart: Callable[[], Notebook]) -> None:
    """It is loaded for it."""
    cells = SIZES | {"rare": "1"}
    run_all(restart(), cells, rare="--when 'len(raw) > 10'")
    nb = restart()
    assert run_all(nb, cells, rare="--when 'len(raw) > 10'") == []
    assert nb.status("rare") == "cached"


def test_a_decorated_function(restart: Callable[[], Notebook]) -> None:
    """Its value stays in the store as well, until its name is read."""
    cell = "from dagnb import dag_node\n@dag_node\ndef clean(raw):\n    return raw[:4000]"
    first = restart()
    run_all(first, {"raw": LONG})
    assert first.run(cell).executed == ["clean"]
    nb = restart()
    run_all(nb, {"raw": LONG})
    assert nb.run(cell).executed == []
    assert in_store(nb) == "raw clean"
    with pytest.raises(KeyError):
        nb["clean"]
    assert nb.run("len(clean)").value == 4000
    nb = restart()
    run_all(nb, {"raw": LONG})
    assert nb.run(f"{cell}\nlen(clean)").value == 4000


def test_a_name_that_a_cell_assigns(restart: Callable[[], Notebook]) -> None:
    """Is noticed, as for any other node; dependents go on with the node's own value."""
    run_all(restart())
    nb = restart()
    run_all(nb)
    assert "dependents go on with its own value" in nb.run("clean = 5").out
    assert nb.node("other", "len(clean)").value is None
    assert nb["other"] == 4000


def test_a_loaded_value_is_guarded(restart: Callable[[], Notebook], folder: Path) -> None:
    """A large array is mapped; who changes it changes neither the file nor other nodes' input."""
    cells = {"big": "import numpy as np\nnp.sort(np.random.default_rng(0).random(1_000_000));"}
    run_all(restart(), cells)
    nb = restart()
    assert run_all(nb, cells) == []
    before = files(folder)[0].read_bytes()
    nb.node("bad", "big[0] = 7\nbig.sum()", fails=Exception)
    assert nb.status("bad") == "failed"
    assert "changed the value of big in place" in nb.run("big[:] = 0").out
    assert nb["big"][-1] > 0.9
    assert files(folder)[0].read_bytes() == before
    assert isinstance(nb["big"], np.ndarray)


# What is damaged, and what cannot be saved


def damage(folder: Path) -> None:
    """Change a bit of every value."""
    for path in files(folder):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))


def test_damage_is_computed_again(restart: Callable[[], Notebook], folder: Path) -> None:
    """It is said once, with the reason, and healed."""
    run_all(restart())
    damage(folder)
    nb = restart()
    shown = nb.node("raw", SIZES["raw"])
    assert shown.executed == ["raw"]
    assert shown.err.count("set aside and computed again") == 1
    assert "its saved value cannot be used" in nb.run("%dag why raw").out
    assert nb.node("clean", SIZES["clean"]).err == ""
    assert run_all(restart()) == []


def test_damage_that_shows_when_a_node_needs_it(
    restart: Callable[[], Notebook], folder: Path
) -> None:
    """The input runs again, and then the node; nobody sees a wrong value."""
    run_all(restart())
    nb = restart()
    run_all(nb)
    damage(folder)
    assert nb.node("other", "raw[-1] + len(clean)").executed == ["raw", "clean", "other"]
    assert nb["other"] == 8999
    assert "the saved value of raw cannot be used" in nb.session.view.nodes["raw"].reason


def test_damage_that_shows_when_a_cell_reads_it(
    restart: Callable[[], Notebook], folder: Path
) -> None:
    """It is computed before the cell runs."""
    run_all(restart())
    nb = restart()
    run_all(nb)
    damage(folder)
    shown = nb.run("len(clean)")
    assert shown.value == 4000
    assert set(shown.executed) == {"raw", "clean"}


def test_a_bit_that_flipped_unseen_is_found_when_a_node_needs_the_array(
    restart: Callable[[], Notebook], folder: Path
) -> None:
    """The node is not blamed for it."""
    cells = {"big": "import numpy as np\nnp.sort(np.random.default_rng(0).random(1_000_000));"}
    run_all(restart(), cells)
    nb = restart()
    run_all(nb, cells)
    (path,) = files(folder)
    times = path.stat()
    damage(folder)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert nb.node("last", "float(big[-1])").executed == ["big", "last"]
    assert 0.9 < nb["last"] < 1


def test_a_store_that_vanished(restart: Callable[[], Notebook], folder: Path) -> None:
    """Is a store with nothing in it."""
    run_all(restart())
    nb = restart()
    run_all(nb)
    shutil.rmtree(folder)
    assert nb.run("len(clean)").value == 4000
    assert nb.node("raw", "list(range(3000));").executed == ["raw", "clean", "total"]


def test_a_value_that_cannot_be_pickled(restart: Callable[[], Notebook]) -> None:
    """Works in its kernel, is said once not to be saved, and runs in the next one."""
    nb = restart()
    first = nb.node("f", "[lambda: 1]")
    assert "f is not saved, and will run again after a restart: " in first.err
    assert nb.node("f", "[lambda: 2]").err == ""
    assert nb.node("one", "f[0]()").executed == ["one"]
    assert restart().node("f", "[lambda: 1]").executed == ["f"]


def test_values_that_refuse(restart: Callable[[], Notebook]) -> None:
    """Saved or not, each is there after a restart, and nobody is told of an error."""
    for _ in range(2):
        nb = restart()
        for number, source in enumerate(REFUSING.values()):
            nb.run(re.sub(r"\bK\b", f"K{number}", source))
            nb.node(f"value{number}", f"(K{number}(), {LONG[:-1]});")
            nb.node(f"kind{number}", f"type(value{number}[0]).__name__")
            nb.run(f"value{number}[0];")
            assert nb[f"kind{number}"] == type(nb[f"value{number}"][0]).__name__


def test_a_value_whose_module_is_gone(
    restart: Callable[[], Notebook], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made again, which fails with the user's own error; nobody gets half a value."""
    module = tmp_path / "gone_module.py"
    module.write_text("class Kind: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    source = "import importlib, time\ntime.sleep(0.1)\nimportlib.import_module(name()).Kind();"
    nb = restart()
    nb.run("def name(): return 'gone_module'")
    assert nb.node("made", source).executed == ["made"]
    nb = restart()
    sys.modules.pop("gone_module")
    module.unlink()
    importlib.invalidate_caches()
    nb.run("def name(): return 'gone_module'")
    assert nb.node("made", source, fails=ModuleNotFoundError).executed == ["made"]
    assert nb.run("made", fails=NameError).executed == []


def test_a_node_that_failed_is_not_saved(restart: Callable[[], Notebook]) -> None:
    """It runs again."""
    restart().node("bad", "1 / 0", fails=ZeroDivisionError)
    assert restart().node("bad", "1 / 0", fails=ZeroDivisionError).executed == ["bad"]


def test_a_value_that_is_quick_to_compute_and_long_to_save(
    restart: Callable[[], Notebook], folder: Path
) -> None:
    """Is computed again."""
    cells = {"quick": "import numpy as np\nnp.empty(20_000_000);"}
    nb = restart()
    nb.run("import numpy as np")
    run_all(nb, cells)
    assert files(folder) == []


# Choosing


def test_no_cache(restart: Callable[[], Notebook]) -> None:
    """A node that says so is neither saved nor looked for."""
    run_all(restart())
    assert run_all(restart(), raw="--no-cache") == ["raw"]
    nb = restart()
    nb.run("from dagnb import dag_node\n@dag_node(cache=False)\ndef one(): return 1")
    nb = restart()
    assert nb.run(
        "from dagnb import dag_node\n@dag_node(cache=False)\ndef one(): return 1"
    ).executed == ["one"]


def test_store_off(restart: Callable[[], Notebook], folder: Path) -> None:
    """From then on nothing is saved or looked for."""
    run_all(restart())
    nb = restart()
    assert nb.run("%dag store off").out == (
        "values are not saved; %dag store on saves them from now on\n"
    )
    assert run_all(nb) == ["raw", "clean", "total"]
    assert nb.session.store is None
    nb.run("%dag store on")
    assert nb.session.store == folder


def test_another_store(restart: Callable[[], Notebook], tmp_path: Path) -> None:
    """Is used from then on; one that is refused leaves the one before in use."""
    nb = restart()
    assert nb.run(f"%dag store '{tmp_path / 'my store'}'").out.startswith("0 values, 0 B in ")
    run_all(nb)
    assert nb.run("%dag store ls").out.splitlines()[-1].startswith("3 values, ")
    (tmp_path / "mine.txt").write_text("mine")
    nb.run(f"%dag store {tmp_path}", fails=Exception)
    for file in (tmp_path / "mine.txt", os.devnull):
        with pytest.raises(StoreError, match="is a file"):
            nb.session.store = Path(file) / "store"
    assert nb.session.store == tmp_path / "my store"
    assert run_all(restart()) == ["raw", "clean", "total"]


@pytest.mark.parametrize("words", ["a b", "ls more"])
def test_wrong_usage(restart: Callable[[], Notebook], words: str) -> None:
    """One line that says how."""
    shown = restart().run(f"%dag store {words}", fails=Exception)
    assert "usage: %dag store [DIR|on|off|ls]" in str(shown.error)


def test_a_store_that_is_refused(restart: Callable[[], Notebook], folder: Path) -> None:
    """Said once, with the command that mends it; the notebook works without."""
    run_all(restart())
    folder.chmod(0o777)
    nb = restart()
    assert "values are not saved: others can write to" in nb.node("raw", SIZES["raw"]).err
    assert nb.node("clean", SIZES["clean"]).err == ""
    assert nb.session.store is None


def test_no_home(
    restart: Callable[[], Notebook], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no key can be kept nothing is saved; said once."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    assert not key_path().exists()
    nb = restart()
    shown = nb.node("raw", SIZES["raw"])
    assert shown.executed == ["raw"]
    assert "values are not saved: the key that signs what is saved cannot be kept" in shown.err
    assert nb.node("clean", SIZES["clean"]).err == ""


def test_a_full_disk(restart: Callable[[], Notebook], monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said once; everything goes on."""

    def full(*arguments: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    nb = restart()
    monkeypatch.setattr("dagnb.values.durable.write_temporary", full)
    shown = nb.node("raw", SIZES["raw"])
    assert shown.executed == ["raw"]
    assert shown.err.count("No space left on device") == 1
    assert nb.node("clean", SIZES["clean"]).err == ""


class Kernelled:
    """A shell that has a kernel."""

    kernel = object()


def test_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the notebook, where that is known; nowhere without a kernel."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()
    shell: Any = Kernelled()
    notebook = str(tmp_path / "work" / "a.ipynb")
    assert store_folder(shell, {}, {}) == tmp_path / ".dagnb"
    beside = tmp_path / "work" / ".dagnb"
    assert store_folder(shell, {}, {"JPY_SESSION_NAME": notebook}) == beside
    assert store_folder(shell, {"__vsc_ipynb_file__": notebook}, {}) == beside
    elsewhere = {"JPY_SESSION_NAME": "/no/such/folder/a.ipynb"}
    assert store_folder(shell, {}, elsewhere) == tmp_path / ".dagnb"
    assert store_folder(object(), {}, {}) is None  # type: ignore[arg-type]  # no shell of ours
    assert store_folder(shell, {}, {"DAGNB_STORE": "off"}) is None
    assert store_folder(shell, {}, {"DAGNB_STORE": "mine"}) == tmp_path / "mine"
    monkeypatch.setattr("sys.platform", "emscripten")
    assert store_folder(shell, {}, {}) is None  # the key would be gone with the page


def test_how_long_nodes_took_is_known_after_a_restart(restart: Callable[[], Notebook]) -> None:
    """In the panel, beside the runs of this kernel; and to a plan, of what has not run in it."""
    nb = restart()
    for value in (1, 2):
        nb.node("raw", f"__import__('time').sleep(0.01) or {value}")
    took = nb.session.history.of("raw")
    nb = restart()
    assert nb.node("raw", "__import__('time').sleep(0.01) or 2").executed == []
    assert nb.session.plan(["raw"], fresh=True).seconds[0] in [each.seconds for each in took]
    nb.node("raw", "3")
    seconds = nb.session._panel.details("raw")["history"]
    assert sorted(seconds[:2]) == sorted(each.seconds for each in took)  # saved within a second
    assert seconds[2:] == [each.seconds for each in nb.session.history.of("raw")]


def test_another_way_to_name_values(restart: Callable[[], Notebook]) -> None:
    """What was held to be the same may be different now, also after a restart."""
    setup = "import dagnb\nclass K:\n def __init__(s, a, b): s.a, s.b = a, b"
    by_a, by_both = "lambda k: k.a", "lambda k: (k.a, k.b)"

    def opened(names: str) -> Notebook:
        nb = restart()
        nb.run(setup)
        nb.run(f"dagnb.register_digest(K, {names})")
        return nb

    def run(nb: Notebook, b: int) -> list[str]:
        made = nb.node("made", f"K(1, {b})").executed
        return made + nb.node("read", "made.b").executed

    nb = opened(by_a)
    assert run(nb, 1) == ["made", "read"]
    assert run(nb, 2) == ["made"]
    nb.run(f"dagnb.register_digest(K, {by_both})")
    assert nb["read"] == 2
    assert run(opened(by_both), 2) == []


@pytest.mark.parametrize("before", ["import notes_module", "pass"])
def test_a_module_edited_on_disk_and_not_reloaded(
    restart: Callable[[], Notebook], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """What old code computed is not what the next kernel takes for the result of the new code."""
    file = tmp_path / "notes_module.py"
    monkeypatch.syspath_prepend(tmp_path)
    node = "import notes_module\nmodules = [notes_module]\nmodules[0].f()"

    def write(value: int) -> None:
        file.write_text(f"def f(): return {value}\n")
        os.utime(file, (value, value))

    write(1)
    nb = restart()
    nb.run(before)
    nb.node("n", node)
    write(22)
    nb.run("1")
    nb.node("n", f"{node} + 0")
    assert nb["n"] == 1  # this kernel has the old code
    sys.modules.pop("notes_module")
    nb = restart()
    nb.run(before)
    nb.node("n", f"{node} + 0")
    assert nb["n"] == 22
    sys.modules.pop("notes_module")


def test_a_module_edited_before_anybody_looked(
    restart: Callable[[], Notebook], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is not what was loaded, which its bytecode tells."""
    file = tmp_path / "notes_module.py"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file.write_text("def f(): return 1\n")
    nb = restart()
    nb.run("import notes_module\nmodules = [notes_module]")
    file.write_text("def f(): return 22\n")
    nb.node("n", "modules[0].f()")
    assert nb["n"] == 1
    sys.modules.pop("notes_module")
    nb = restart()
    nb.run("import notes_module\nmodules = [notes_module]")
    nb.node("n", "modules[0].f()")
    assert nb["n"] == 22
    sys.modules.pop("notes_module")
