"""Independent nodes side by side in threads: every promise of one after another holds."""

from __future__ import annotations

import signal
import threading
from contextvars import ContextVar
from typing import Any

import pytest
from IPython.core.error import UsageError

from dagnb.errors import InputMutatedError
from dagnb.notebook.capture import Output
from tests.notebook.conftest import ANSI, Notebook

COLOUR: ContextVar[str] = ContextVar("colour")


@pytest.fixture
def four(nb: Notebook) -> Notebook:
    """A notebook with four workers."""
    nb.run("%dag workers 4")
    return nb


@pytest.fixture
def shown(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Output]]:
    """What is refreshed below the cell of each node."""
    found: dict[str, list[Output]] = {}

    def refresh(self: Any, outputs: list[Output]) -> None:
        (name,) = [name for name, node in nb.session.nodes.items() if node.output is self]
        found[name] = outputs

    monkeypatch.setattr("dagnb.notebook.display.CellOutput.refresh", refresh)
    return found


def text(outputs: list[Output]) -> str:
    """Return outputs as text."""
    lines = [
        each.get("text") or each.get("data", {}).get("text/plain") or "\n".join(each["traceback"])
        for each in outputs
    ]
    return ANSI.sub("", "".join(lines))


class TestSideBySide:
    """Nodes that do not need each other run at the same time."""

    def test_they_meet(self, four: Notebook) -> None:
        """Each waits for the other."""
        four.shell.user_ns["meeting"] = threading.Barrier(2)
        four.node("start", "0")
        four.node("a", "start and meeting.wait(30)\nstart")
        four.node("b", "start and meeting.wait(30)\nstart")
        four.node("both", "a + b")
        assert sorted(four.node("start", "1").executed) == ["a", "b", "both", "start"]
        assert four["both"] == 2

    def test_an_edit_runs_what_it_must(self, four: Notebook) -> None:
        """Early cutoff and staleness are what they are inline."""
        four.node("raw", "[3, 1, 2]")
        four.node("clean", "sorted(raw)")
        four.node("total", "sum(clean)")
        assert four.node("raw", "[1, 2, 3]").executed == ["raw", "clean"]
        assert four.node("raw", "[1, 2, 4]").executed == ["raw", "clean", "total"]
        assert four["total"] == 7
        assert four.node("raw", "[1, 2, 4]  # a comment").executed == []

    def test_worker_of_a_node(self, four: Notebook) -> None:
        """A result names its worker; with one worker there is none."""
        four.node("a", "1")
        assert four.session.result("a").worker == "dagnb-1"
        four.run("%dag workers off")
        four.node("a", "2")
        assert four.session.result("a").worker == ""

    def test_context(self, four: Notebook) -> None:
        """Context variables are those of the cell, and what a node sets stays in it."""
        four.shell.user_ns["colour"] = COLOUR
        token = COLOUR.set("green")
        four.node("a", "old = colour.get()\ncolour.set('red')\nold")
        COLOUR.reset(token)
        assert four["a"] == "green"

    def test_coroutines_and_commands(self, four: Notebook) -> None:
        """Top-level await and IPython's own syntax work in a thread."""
        four.node("a", "import asyncio\nawait asyncio.sleep(0)\nwords = !echo hello\nwords[0]")
        assert four["a"] == "hello"


class TestOutputs:
    """What a node shows lands under its own cell, whatever runs beside it."""

    def test_prints_and_displays(self, four: Notebook, shown: dict[str, list[Output]]) -> None:
        """Prints, displays, errors and values of two nodes do not mix."""
        four.shell.user_ns["meeting"] = threading.Barrier(2)
        body = (
            "import sys\nfrom IPython.display import HTML, display\nstart and meeting.wait(30)\n"
            "for i in range(50): print(NAME, i)\nprint(NAME, file=sys.stderr)\n"
            "display(HTML(NAME))\nstart and meeting.wait(30)\nNAME * 2"
        )
        four.node("start", "0")
        for name in "ab":
            four.node(name, body.replace("NAME", repr(name)))
        four.node("start", "1")
        for name in "ab":
            out, err, html, value = shown[name]
            assert out["text"] == "".join(f"{name} {i}\n" for i in range(50))
            assert (err["name"], err["text"]) == ("stderr", f"{name}\n")
            assert html["data"]["text/html"] == name
            assert value["data"]["text/plain"] == repr(name * 2)

    def test_figures(self, four: Notebook, shown: dict[str, list[Output]]) -> None:
        """Each draws on its own current figure, which is shown once, under its own cell."""
        pyplot = pytest.importorskip("matplotlib.pyplot")
        before = pyplot.figure()
        four.shell.user_ns.update(meeting=threading.Barrier(2), plt=pyplot)
        body = (
            "plt.figure()\nstart and meeting.wait(30)\nplt.plot([1, 2], label=NAME)\n"
            "start and meeting.wait(30)\n[line.get_label() for line in plt.gca().lines]"
        )
        four.node("start", "0")
        for name in "ab":
            four.node(name, body.replace("NAME", repr(name)))
        four.node("start", "1")
        assert (four["a"], four["b"]) == (["a"], ["b"])
        assert ["image/png" in each["data"] for each in shown["a"]] == [True, False]
        assert ["image/png" in each["data"] for each in shown["b"]] == [True, False]
        assert pyplot.get_fignums() == [before.number]
        assert pyplot.gcf() is before
        pyplot.close("all")

    def test_own_cell(self, four: Notebook) -> None:
        """The node of the cell that is executed prints there, at once."""
        assert four.node("a", "print('hello')\n3").out == "hello\n3\n"

    def test_redirected_by_the_user(self, four: Notebook) -> None:
        """Below a redirect outputs are still the node's, and the redirect ends as it should."""
        four.node("a", "limit = 0\nprint('printed')")
        ran = four.run(
            "import io, contextlib, sys, dagnb\nbefore = sys.stdout\n"
            "with contextlib.redirect_stdout(io.StringIO()) as text:\n"
            "    dagnb.session().run(['a'], fresh=True)\n"
            "assert sys.stdout is before\nprint(repr(text.getvalue()))"
        )
        assert ran.out == "''\n"


class TestErrors:
    """What goes wrong in a thread looks as it does on the main one."""

    def test_own_lines(self, four: Notebook) -> None:
        """The traceback shows the line of the cell, and nothing of what called it."""
        ran = four.node("a", "x = 0\n1 / x", fails=ZeroDivisionError)
        assert "----> 3 1 / x" in ran.out
        assert "dagnb/" not in ran.out
        assert "threading" not in ran.out

    def test_elsewhere(self, four: Notebook, shown: dict[str, list[Output]]) -> None:
        """A dependent's error is shown under its own cell; the rest runs."""
        four.node("start", "1")
        four.node("bad", "1 / start")
        four.node("good", "start + 1")
        ran = four.node("start", "0")
        assert ran.out.endswith(
            "bad failed with ZeroDivisionError: division by zero (see its cell)\n"
        )
        assert "----> 2 1 / start" in text(shown["bad"])
        assert four["good"] == 1

    def test_blame(self, four: Notebook) -> None:
        """Two that run side by side run again one by one, once one of them changed their input."""
        four.shell.user_ns.update(meeting=threading.Barrier(2), wild=False, calls=[])
        four.node("raw", "[3, 1, 2]")
        four.run(
            "def meet():\n    if wild and len(calls) < 2:\n        calls.append(0)\n"
            "        meeting.wait(30)"
        )
        four.node("innocent", "meet()\nsorted(raw)")
        four.node("guilty", "meet()\nraw.sort() if wild else None\nraw[0]")
        four.run("wild = True")
        assert four.statuses() == {"raw": "cutoff", "innocent": "completed", "guilty": "failed"}
        error = four.session.result("guilty").error
        assert isinstance(error, InputMutatedError)
        assert (four["raw"], four["innocent"]) == ([3, 1, 2], [1, 2, 3])


class TestStop:
    """Stop ends a run of threads, and the next run does what is due."""

    def test_stop(self, four: Notebook) -> None:
        """Each node in a thread is interrupted; states say so; nothing is half-published."""
        begun = [threading.Event() for _ in range(3)]
        ended = [threading.Event() for _ in range(3)]
        four.shell.user_ns.update(begun=begun, ended=ended)
        four.node("raw", "0")
        for number in range(3):
            four.node(
                f"n{number}",
                f"import time\nif raw == 1:\n    begun[{number}].set()\n    try:\n"
                f"        while True: time.sleep(0.01)\n"
                f"    except KeyboardInterrupt:\n        ended[{number}].set()\n        raise\nraw",
            )
        four.node("last", "n0 + n1 + n2")

        def press() -> None:
            for each in begun:
                each.wait(30)
            signal.raise_signal(signal.SIGINT)

        presser = threading.Thread(target=press)
        presser.start()
        four.node("raw", "1", fails=KeyboardInterrupt)
        presser.join()
        assert [four.status(f"n{number}") for number in range(3)] == ["cancelled"] * 3
        assert all(each.wait(30) for each in ended)
        assert (four["raw"], four["n0"], four["last"]) == (1, 0, 0)
        assert not four.session.running
        assert sorted(four.node("raw", "2").executed) == ["last", "n0", "n1", "n2", "raw"]
        assert four["last"] == 6


class TestVerb:
    """``%dag workers``."""

    def test_says_what_is(self, nb: Notebook) -> None:
        """Without an argument it tells; with one it sets and tells."""
        alone = "workers: 1; nodes run one after another on the main thread\n"
        assert nb.run("%dag workers").out == alone
        assert nb.run("%dag workers 3").out == "workers: 3; nodes run side by side in threads\n"
        assert nb.session.workers == 3
        assert nb.run("%dag workers off").out == alone
        nb.run("%dag workers auto")
        assert nb.session.workers >= 1

    @pytest.mark.parametrize("argument", ["many", "2 3", "-1", "0", "1.5"])
    def test_usage(self, nb: Notebook, argument: str) -> None:
        """Anything else is a usage error."""
        ran = nb.run(f"%dag workers {argument}", fails=UsageError)
        assert "usage: %dag workers [N|auto|off]" in ran.text

    @pytest.mark.parametrize(("number", "error"), [(0, ValueError), (True, TypeError)])
    def test_refused(self, nb: Notebook, number: object, error: type) -> None:
        """A number that makes no sense is refused."""
        with pytest.raises(error, match="workers is"):
            nb.session.workers = number  # type: ignore[assignment]  # on purpose
        assert nb.session.workers == 1
