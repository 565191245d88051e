"""Runs in the background: their handle, the cells beside them, their end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from IPython.core.error import UsageError

from dagnb.errors import DagError, NodeNotFoundError
from dagnb.notebook.capture import Output
from dagnb.notebook.handle import BackgroundRun
from dagnb.results import NodeStatus
from tests.notebook.conftest import Notebook

LOOP = """\
import time
if raw:
    begun.set()
    try:
        while not go_on.is_set():
            time.sleep(0.01)
    except KeyboardInterrupt:
        ended.set()
        raise
raw"""


class Slow:
    """A notebook with raw -> slow -> last; slow waits for `go_on` unless raw is 0."""

    def __init__(self, nb: Notebook) -> None:
        self.nb = nb
        self.begun, self.go_on, self.ended = (threading.Event() for _ in range(3))
        nb.shell.user_ns.update(begun=self.begun, go_on=self.go_on, ended=self.ended)
        nb.run("zero = 0\nlimit = 1")
        nb.node("raw", "zero")
        nb.node("slow", LOOP)
        nb.node("last", "slow + limit")

    def begin(self) -> BackgroundRun:
        """Start a run in the background and wait until slow runs."""
        self.nb.run("%dag auto off")
        self.nb.run("zero = 1")
        self.nb.run("handle = %dag run --bg")
        self.nb.run("%dag auto on")
        assert self.begun.wait(30)
        handle = self.nb["handle"]
        assert isinstance(handle, BackgroundRun)
        return handle

    def end(self) -> None:
        """Let slow go on and wait for the end of the run."""
        self.go_on.set()
        self.nb["handle"].result(30)


@pytest.fixture
def slow(nb: Notebook) -> Iterator[Slow]:
    """A notebook with a node that can be held up; it is let go in the end."""
    made = Slow(nb)
    yield made
    made.go_on.set()
    if nb.session.background is not None:
        with suppress(RuntimeError):  # of the test in which it breaks off
            nb.session.background.result(30)


@pytest.fixture
def when_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Call a function in another thread, as soon as somebody waits for a run to end."""
    threads: list[threading.Thread] = []

    def call(function: Callable[[], Any]) -> None:
        def told(text: str) -> None:
            print(text)
            threads.append(threading.Thread(target=function))
            threads[-1].start()

        monkeypatch.setattr("dagnb.notebook.one_run.print", told, raising=False)

    yield call
    assert threads, "nobody waited"
    for thread in threads:
        thread.join()


def press_stop() -> None:
    """Send Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


class TestHandle:
    """What one holds of a run."""

    def test_returns_at_once(self, slow: Slow) -> None:
        """The run goes on; then its result is that of a run, and values are published."""
        handle = slow.begin()
        assert not handle.done
        assert slow.nb.session.running
        assert slow.nb.session.background is handle
        assert slow.nb["last"] == 1
        slow.go_on.set()
        result = handle.result()
        assert handle.done
        assert result.recomputed == ["raw", "slow", "last"]
        assert slow.nb["last"] == 2
        assert not slow.nb.session.running

    def test_nobody_waits_for_ever(self, slow: Slow) -> None:
        """A timeout ends the waiting, not the run."""
        handle = slow.begin()
        with pytest.raises(TimeoutError, match=r"not over after 0\.01 s"):
            handle.result(timeout=0.01)
        assert not handle.done

    def test_looks(self, slow: Slow) -> None:
        """It says how far the run is, then what it did."""
        handle = slow.begin()
        assert repr(handle) == "<Running in the background: 1 of 2 nodes done>"
        assert handle._repr_html_() == (
            "<b>Running in the background</b>: 1 of 2 nodes done; <code>await</code> it, "
            "or end it with <code>%dag stop</code>"
        )
        slow.end()
        assert repr(handle).startswith("<Ran in the background: ran raw, slow, last (")
        assert handle._repr_html_().startswith("<b>Ran in the background</b>: ran raw, slow, last")

    def test_shown(self, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where it is shown it is kept up to date."""
        shown: list[str] = []

        def show(self: object, outputs: list[Output]) -> None:
            texts = [output.get("data", {}).get("text/plain", "") for output in outputs]
            shown.extend(text for text in texts if text.startswith("<"))

        monkeypatch.setattr("dagnb.notebook.handle.CellOutput.show", show)
        monkeypatch.setattr("dagnb.notebook.handle.CellOutput.refresh", show)
        slow.begin()._ipython_display_()
        slow.end()
        assert shown[0] == "<Running in the background: 1 of 2 nodes done>"
        assert any(text.startswith("<Ran in the background: ran raw, slow") for text in shown)

    def test_a_failing_node(self, slow: Slow) -> None:
        """It is in the result, as in any run; its error is not raised."""
        slow.nb.node("bad", "1 // (1 - raw)")
        slow.begin()
        slow.go_on.set()
        result = slow.nb["handle"].result(30)
        assert isinstance(result["bad"].error, ZeroDivisionError)
        assert result["last"].status is NodeStatus.COMPLETED
        assert "failed bad" in repr(slow.nb["handle"])

    def test_a_run_that_breaks_off(self, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
        """An error of the run itself is raised where somebody waits; the next run works."""

        def fail(*_: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr("dagnb.notebook.waiting.Waiting.decide", fail)
        slow.nb.run("%dag auto off")
        slow.nb.run("zero = 1")
        slow.nb.run("handle = %dag run --bg")
        with pytest.raises(RuntimeError, match="broken"):
            slow.nb["handle"].result(30)
        assert "broke off with RuntimeError: broken" in repr(slow.nb["handle"])
        monkeypatch.undo()
        slow.go_on.set()
        slow.nb.run("%dag run")
        assert slow.nb["last"] == 2

    def test_unknown_name(self, slow: Slow) -> None:
        """Nothing begins."""
        slow.nb.run("%dag run --bg lasd", fails=NodeNotFoundError)
        assert slow.nb.session.background is None
        assert not slow.nb.session.running

    def test_names_and_fresh(self, slow: Slow) -> None:
        """It takes what a run takes."""
        slow.nb.run("handle = %dag run --bg --fresh last")
        assert slow.nb["handle"].result(30).recomputed == ["last"]


class TestAwaiting:
    """Coroutines that wait for a run."""

    def test_await(self, slow: Slow) -> None:
        """A cell that awaits a handle has its result."""
        slow.begin()
        slow.go_on.set()
        slow.nb.run("result = await handle")
        assert slow.nb["result"].recomputed == ["raw", "slow", "last"]

    def test_arun(self, slow: Slow) -> None:
        """A run can be awaited as such."""
        slow.go_on.set()
        slow.nb.run("%dag auto off")
        slow.nb.run("zero = 1")
        slow.nb.run("import dagnb\nresult = await dagnb.session().arun(['last'])")
        assert slow.nb["result"].recomputed == ["raw", "slow", "last"]

    def test_the_loop_goes_on(self, slow: Slow) -> None:
        """Other tasks of the loop run meanwhile; here one lets the run go on."""
        slow.nb.run("%dag auto off")
        slow.nb.run("zero = 1")
        slow.nb.run(
            "import asyncio, dagnb\n"
            "async def other():\n"
            "    while not begun.is_set(): await asyncio.sleep(0.01)\n"
            "    go_on.set()\n"
            "result, _ = await asyncio.gather(dagnb.session().arun(), other())"
        )
        assert slow.nb["last"] == 2

    def test_a_cancelled_arun_cancels_its_run(self, slow: Slow) -> None:
        """Whoever awaits the run itself and stops stops the run."""
        slow.nb.run("%dag auto off")
        slow.nb.run("zero = 1")
        slow.nb.run(
            "import asyncio, dagnb\n"
            "task = asyncio.create_task(dagnb.session().arun())\n"
            "while not begun.is_set(): await asyncio.sleep(0.01)\n"
            "task.cancel()\n"
            "(error,) = await asyncio.gather(task, return_exceptions=True)"
        )
        assert type(slow.nb["error"]).__name__ == "CancelledError"
        assert slow.nb.session.background is not None
        assert slow.nb.session.background.result(30).stopped == "cancelled"
        assert slow.ended.wait(30)

    def test_a_cancelled_await_leaves_the_run_alone(self, slow: Slow) -> None:
        """Whoever awaits a handle and stops waits no longer, and that is all."""
        slow.begin()
        slow.nb.run(
            "import asyncio\nasync def waits(): return await handle\n"
            "task = asyncio.create_task(waits())\nawait asyncio.sleep(0)\ntask.cancel()\n"
            "await asyncio.gather(task, return_exceptions=True)"
        )
        assert not slow.nb["handle"].done
        slow.end()
        assert slow.nb["last"] == 2


class TestEnding:
    """Cancel and Stop."""

    def test_cancel(self, slow: Slow) -> None:
        """What runs is interrupted; states say so; the next run does what is due."""
        handle = slow.begin()
        assert handle.cancel()
        result = handle.result(30)
        assert result.stopped == "cancelled"
        assert slow.nb.statuses() == {"raw": "completed", "slow": "cancelled", "last": "cancelled"}
        assert slow.ended.wait(30)
        assert (slow.nb["raw"], slow.nb["slow"], slow.nb["last"]) == (1, 0, 1)
        assert repr(handle).startswith("<Cancelled: ran raw; cancelled slow, last (")
        assert not handle.cancel()
        slow.go_on.set()
        slow.nb.run("%dag run")
        assert (slow.nb["slow"], slow.nb["last"]) == (1, 2)

    def test_verb(self, slow: Slow) -> None:
        """``%dag stop`` does it without the handle."""
        assert slow.nb.run("%dag stop").out == "no run is going on in the background\n"
        slow.begin()
        assert slow.nb.run("%dag stop").out.startswith("<Cancelled: ran raw; cancelled slow, last")
        assert slow.nb.run("%dag stop").out == "no run is going on in the background\n"
        assert "usage: %dag stop" in slow.nb.run("%dag stop now", fails=UsageError).text

    def test_stop_of_another_cell(self, slow: Slow) -> None:
        """Ctrl-C ends the cell in front, and the run goes on."""
        slow.nb.shell.user_ns["press_stop"] = press_stop
        handle = slow.begin()
        slow.nb.run("press_stop()", fails=KeyboardInterrupt)
        assert not handle.done
        assert not handle.cancelled.is_set()
        slow.end()
        assert slow.nb["last"] == 2

    def test_stop_of_waiting(
        self, slow: Slow, when_waiting: Callable[[Callable[[], Any]], None]
    ) -> None:
        """Ctrl-C ends a cell that waits for the run; it did nothing, and the run goes on."""
        handle = slow.begin()
        when_waiting(press_stop)
        slow.nb.node("new", "1", fails=KeyboardInterrupt)
        assert "new" not in slow.nb.session.nodes
        assert not handle.done


class TestBeside:
    """Cells that are executed while a run goes on."""

    def test_node_cell_waits(
        self, slow: Slow, when_waiting: Callable[[Callable[[], Any]], None]
    ) -> None:
        """The run keeps the graph it began with; then the cell does what it does."""
        slow.begin()
        when_waiting(slow.go_on.set)
        ran = slow.nb.node("last", "slow + 10")
        assert ran.out == (
            "waiting for the run in the background; Stop ends the waiting, "
            "%dag stop ends the run\n11\n"
        )
        assert slow.nb["handle"].result()["last"].result == 2
        assert slow.nb["last"] == 11

    @pytest.mark.parametrize("verb", ["run", "rm last", "plan", "trace /dev/null"])
    def test_verbs_wait(
        self, slow: Slow, when_waiting: Callable[[Callable[[], Any]], None], verb: str
    ) -> None:
        """So does what needs the graph as it is."""
        slow.begin()
        when_waiting(slow.go_on.set)
        slow.nb.run(f"%dag {verb}")
        assert slow.nb["handle"].done
        assert slow.nb["slow"] == 1

    @pytest.mark.parametrize("verb", ["status", "why slow", "auto", "workers", "help"])
    def test_questions_do_not_wait(self, slow: Slow, verb: str) -> None:
        """They are answered as it goes on."""
        slow.begin()
        slow.nb.run(f"%dag {verb}")
        assert not slow.nb["handle"].done

    def test_a_second_one_is_refused(self, slow: Slow) -> None:
        """With what to do."""
        handle = slow.begin()
        ran = slow.nb.run("%dag run --bg", fails=DagError)
        assert "a run is going on in the background; await it, or end it with %dag stop" in ran.out
        assert slow.nb.session.background is handle

    def test_clicks_are_refused(self, slow: Slow) -> None:
        """A button of the live graph says that a run is going on."""
        slow.begin()
        panel = slow.nb.session._display._act
        with pytest.raises(DagError, match="a run is going on"):
            panel("run", "last")

    def test_a_node_cannot_wait_for_its_own_run(self, slow: Slow) -> None:
        """A node that starts a run is refused, in threads too."""
        slow.nb.node("inner", "import dagnb\nraw and dagnb.session().run()")
        slow.begin()
        slow.go_on.set()
        error = slow.nb["handle"].result(30)["inner"].error
        assert isinstance(error, DagError)
        assert "a node cannot start a run" in str(error)

    def test_a_changed_variable(self, slow: Slow) -> None:
        """What a plain cell changed meanwhile runs after it, at the end of the next cell."""
        slow.begin()
        assert slow.nb.run("limit = 5").out == ""
        slow.end()
        assert slow.nb["last"] == 6
        ran = slow.nb.run("pass")
        assert ran.executed == ["last"]
        assert ran.out.startswith("because of this cell: ran last (")
        assert slow.nb.run("pass").executed == []

    def test_a_value_of_two_minds_is_not_trusted(self, slow: Slow) -> None:
        """A node that ran with another variable than it was looked at with runs again."""
        slow.begin()
        slow.nb.run("limit = 5")
        slow.end()
        slow.nb.run("limit = 1")
        assert slow.nb["last"] == 2
        assert slow.nb.run("limit = 5").executed == ["last"]
        assert slow.nb["last"] == 6

    def test_there_and_back(self, slow: Slow) -> None:
        """Not even if the variable is what it was, since nobody knows what the node saw."""
        slow.begin()
        slow.nb.run("limit = 5")
        slow.nb.run("limit = 1")
        slow.end()
        assert slow.nb.run("pass").executed == ["last"]
        assert slow.nb["last"] == 2

    def test_a_value_that_is_not_trusted_is_shown_as_stale(self, slow: Slow) -> None:
        """It completed in the run, and must run again."""
        slow.begin()
        slow.nb.run("limit = 5")
        slow.end()
        assert slow.nb.status("last") == "stale"

    def test_a_cell_that_changes_an_input(self, slow: Slow) -> None:
        """A plain cell that changes a value in place: no node is blamed, and all comes right."""
        slow.nb.node("table", "[raw]")
        slow.nb.node("reader", "while table[0] and not go_on.is_set(): pass\nlist(table)")
        slow.nb.run("%dag workers 2")
        slow.begin()
        slow.nb.run("while table != [1]: pass")
        slow.nb.run("table.append(2)")
        slow.end()
        slow.nb.run("pass")
        assert slow.nb["table"] == slow.nb["reader"] == [1]
        assert slow.nb.status("reader") != "failed"

    def test_what_nodes_show(self, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a node prints goes to its cell and not to the one that is executed."""
        found: dict[str, list[Output]] = {}

        def refresh(self: Any, outputs: list[Output]) -> None:
            for name, node in slow.nb.session.nodes.items():
                if node.output is self:
                    found[name] = outputs

        slow.nb.node("talks", "print('talking', slow)\nslow")
        monkeypatch.setattr("dagnb.notebook.display.CellOutput.refresh", refresh)
        slow.begin()
        ran = slow.nb.run("go_on.set()\nresult = handle.result(30)\nprint('in front')")
        assert ran.out == "in front\n"
        assert found["talks"][0]["text"] == "talking 1\n"


class TestFamilies:
    """Nodes that make nodes while other cells are executed."""

    def test_born_beside_cells(self, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
        """They run, and what they show is told below the cell of the node that makes them."""
        shown: list[str] = []

        def refresh(self: Any, outputs: list[Output]) -> None:
            if self is slow.nb.session.nodes["family"].output:
                shown[:] = [str(output.get("text")) for output in outputs]

        body = "{f'child_{n}': lambda slow, n=n: print('child', n) or slow + n for n in range(3)}"
        slow.nb.node("family", f"slow and {body} or {{}}", "--expand")
        monkeypatch.setattr("dagnb.notebook.display.CellOutput.refresh", refresh)
        slow.begin()
        slow.nb.run("limit = 2")
        assert slow.nb.run("%dag status").out.splitlines()[-1].startswith("family")
        slow.end()
        assert [slow.nb[f"child_{n}"] for n in range(3)] == [1, 2, 3]
        assert shown == [
            "made 3 nodes: child_0, child_1, child_2", "child 0\n", "child 1\n", "child 2\n"
        ]  # fmt: skip
        assert slow.nb.run("pass").executed == ["last"]

    def test_cells_end_while_they_are_born(self, nb: Notebook) -> None:
        """Each looks at what the nodes read, whose number grows meanwhile."""
        nb.run("step = 0\ntotal = 40")
        nb.node("size", "0")
        nb.node("family", "{f'n{i}': lambda step=0, i=i: i for i in range(size)}", "--expand")
        nb.run("%dag auto off")
        for size in (12, 0, 16):
            nb.node("size", str(size))
            nb.run("handle = %dag run --bg")
            while not nb["handle"].done:
                nb.run("step += 1")
                nb.run("%dag status")
            nb["handle"].result(30)
            nb.run("%dag run")
            assert len(nb.session.nodes) == size + 2
            assert nb.session.stale() == []


def test_without_threads(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a browser's Python both are refused with words."""
    nb.node("a", "1")
    monkeypatch.setattr("sys.platform", "emscripten")
    for line in ("%dag run --bg", "%dag workers 2", "%dag workers --backend processes"):
        assert "there are no threads here" in nb.run(line, fails=DagError).out
    assert (nb.session.workers, nb.session.backend) == (1, "threads")
    monkeypatch.undo()
    nb.run("%dag run")
