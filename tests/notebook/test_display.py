"""A node's outputs are kept, shown below its own cell, and refreshed there."""

from __future__ import annotations

import base64
import contextlib
import contextvars
import pickle
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import nbclient
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import HTML, Image, clear_output, display, update_display
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from dagnb.errors import DefinitionError
from dagnb.notebook.capture import Output, capture, install, overwritten, uninstall
from dagnb.notebook.cells import parse_cell
from dagnb.notebook.display import (
    CellOutput,
    composed,
    format_value,
    value_outputs,
    without_twins,
)
from dagnb.notebook.tracebacks import cache_cell, error_output, show_user_frames, user_traceback
from dagnb.run.coroutines import run_coroutine
from tests.notebook.shells import new_shell


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """A real shell that is the one ``display`` finds."""
    with new_shell() as made:
        yield made


def stream(text: str, name: str = "stdout") -> Output:
    """Make a stream output."""
    return {"output_type": "stream", "name": name, "text": text}


def kept(shell: InteractiveShell, action: Callable[[], object], **options: Any) -> list[Output]:
    """Return what `action` showed."""
    with capture(shell, **options) as sink:
        action()
    return sink.outputs


class TestStreams:
    """Prints."""

    def test_order_and_joining(self, shell: InteractiveShell) -> None:
        """Pieces of one stream are joined; the order of the streams is kept."""

        def node() -> None:
            print("a")
            print("b")
            print("c", file=sys.stderr)
            sys.stdout.writelines(["d", "e"])

        assert kept(shell, node) == [stream("a\nb\n"), stream("c\n", "stderr"), stream("de")]

    def test_not_live(self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        """What is only kept is not shown."""
        kept(shell, lambda: print("quiet"))
        assert capsys.readouterr().out == ""

    def test_live(self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        """What is live is shown at once and kept."""
        with capture(shell, live=True) as sink:
            print("a")
            assert capsys.readouterr().out == "a\n"
        assert (sink.outputs, sink.passed_on) == ([stream("a\n")], True)

    def test_outside(self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a node the proxies pass everything on."""
        install(shell)
        print("plain")
        assert capsys.readouterr().out == "plain\n"

    def test_progress_bar(self, shell: InteractiveShell) -> None:
        """Of a line that was overwritten the last state is kept."""
        node = lambda: [sys.stderr.write(f"\r{n}%") for n in (5, 50, 100)]  # noqa: E731
        assert kept(shell, node) == [stream("100%", "stderr")]

    @pytest.mark.parametrize(
        ("text", "shown"),
        [("abc\rx", "xbc"), ("a\r\nb", "a\nb"), ("a\r", "a"), ("a\nb\rc", "a\nc")],
    )
    def test_overwritten(self, text: str, shown: str) -> None:
        """Carriage returns do what they do in a terminal."""
        assert overwritten(text) == shown

    def test_limit(self, shell: InteractiveShell) -> None:
        """Text above the limit is left out, which is said once."""
        node = lambda: [print("x" * 9) for _ in range(5)]  # noqa: E731
        text, notice = kept(shell, node, limit_bytes=20)
        assert text["text"] == ("x" * 9 + "\n") * 2
        assert "20 bytes" in notice["text"]

    def test_limit_counts_what_is_visible(self, shell: InteractiveShell) -> None:
        """A progress bar does not use up the limit."""
        node = lambda: [sys.stdout.write(f"\r{n:9}") for n in range(50)]  # noqa: E731
        assert kept(shell, node, limit_bytes=30) == [stream(f"{49:9}")]

    def test_exception(self, shell: InteractiveShell) -> None:
        """What was printed before an error is kept, and the streams are as before."""
        before = sys.stdout
        with capture(shell) as sink, contextlib.suppress(ValueError):
            print("a")
            raise ValueError
        assert sink.outputs == [stream("a\n")]
        assert sys.stdout is before

    def test_redirected(self, shell: InteractiveShell) -> None:
        """A node below ``%%capture`` is kept, and the capture gets what is live."""
        install(shell)
        with capture_output() as captured, capture(shell, live=True) as sink:
            print("a")
            display(HTML("<b>"))
        assert captured.stdout == "a\n"
        assert [each["output_type"] for each in sink.outputs] == ["stream", "display_data"]
        assert len(captured.outputs) == 1

    def test_redirected_by_the_node(self, shell: InteractiveShell) -> None:
        """What a node redirects itself is its own business."""

        def node() -> None:
            with contextlib.redirect_stdout(sys.stderr):
                print("a")

        assert kept(shell, node) == [stream("a\n", "stderr")]


class TestProxies:
    """The proxies in front of the streams."""

    def test_same_stream(self, shell: InteractiveShell) -> None:
        """A proxy answers and looks like the stream behind it."""
        behind = sys.stdout
        install(shell)
        assert isinstance(sys.stdout, type(behind))
        assert (sys.stdout.encoding, sys.stdout.isatty()) == (behind.encoding, behind.isatty())
        assert sys.stdout.buffer is behind.buffer

    def test_installed_once(self, shell: InteractiveShell) -> None:
        """Installing again changes nothing; uninstalling restores all."""
        behind, publish = sys.stdout, shell.display_pub.publish
        install(shell)
        once = sys.stdout, shell.display_pub.publish
        install(shell)
        assert (sys.stdout, shell.display_pub.publish) == once
        uninstall(shell)
        assert (sys.stdout, shell.display_pub.publish) == (behind, publish)

    def test_temporary(self, shell: InteractiveShell) -> None:
        """A capture without an installation leaves nothing behind."""
        behind, publish = sys.stdout, shell.display_pub.publish
        kept(shell, lambda: None)
        assert (sys.stdout, shell.display_pub.publish) == (behind, publish)


class TestThreads:
    """Outputs of threads and coroutines."""

    def test_workers(self, shell: InteractiveShell) -> None:
        """Threads that carry a context print and display into their own node's outputs."""
        install(shell)
        outputs: dict[str, list[Output]] = {}
        ready = threading.Barrier(2)

        def work(name: str) -> None:
            with capture(shell) as sink:
                ready.wait()
                print(name)
                display(HTML(name))
            outputs[name] = sink.outputs

        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, name))
            for name in ("a", "b")
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        for name in ("a", "b"):
            assert outputs[name][0] == stream(f"{name}\n")
            assert outputs[name][1]["data"]["text/html"] == name

    def test_coroutine(self, shell: InteractiveShell) -> None:
        """A coroutine on the helper loop belongs to the node that waits for it."""

        async def node() -> None:
            print("a")
            display(HTML("b"))

        assert len(kept(shell, lambda: run_coroutine(node()))) == 2


class TestDisplays:
    """Rich displays."""

    def test_bundle(self, shell: InteractiveShell) -> None:
        """A display is kept whole, its bytes in base 64."""
        (output,) = kept(shell, lambda: display(Image(b"\x89PNG\r\n\x1a\n", format="png")))
        assert base64.b64decode(output["data"]["image/png"]).startswith(b"\x89PNG")

    def test_update(self, shell: InteractiveShell) -> None:
        """An update replaces what the node displayed under this id."""

        def node() -> None:
            display(HTML("a"), display_id="x")
            print("between")
            update_display(HTML("b"), display_id="x")

        first, _ = kept(shell, node)
        assert first["data"]["text/html"] == "b"

    def test_clear(self, shell: InteractiveShell) -> None:
        """Clearing forgets at once; clearing that waits, when the next output comes."""

        def node(wait: bool) -> None:
            print("a")
            clear_output(wait=wait)

        assert kept(shell, lambda: node(False)) == []
        assert kept(shell, lambda: node(True)) == [stream("a\n")]
        assert kept(shell, lambda: [call() for call in (lambda: node(True), print)]) == [
            stream("\n")
        ]

    def test_figures(self, shell: InteractiveShell) -> None:
        """Figures that the node leaves open are shown and closed; others stay."""
        pyplot = pytest.importorskip("matplotlib.pyplot")
        before = pyplot.figure()
        first, second = kept(shell, lambda: [pyplot.figure(8), pyplot.figure(9)])
        assert "image/png" in first["data"]
        assert "image/png" in second["data"]
        assert pyplot.get_fignums() == [before.number]
        pyplot.close("all")

    def test_value(self, shell: InteractiveShell) -> None:
        """A value is shown as a cell's last expression would be; None is not shown."""
        (output,) = value_outputs(shell, HTML("<b>"))
        assert output["data"]["text/html"] == "<b>"
        assert value_outputs(shell, None) == []
        assert format_value(shell, None) == ({}, {})
        assert format_value(shell, 3) == ({"text/plain": "3"}, {})

    def test_value_that_displays_itself(self, shell: InteractiveShell) -> None:
        """What ``_ipython_display_`` does is kept."""

        class Own:
            def _ipython_display_(self) -> None:
                print("own")

        assert value_outputs(shell, Own()) == [stream("own\n")]

    def test_figure_that_is_the_value(self, shell: InteractiveShell) -> None:
        """A figure that the node drew and returns is shown once."""
        picture = {"output_type": "display_data", "data": {"image/png": "x"}, "metadata": {}}
        assert without_twins([stream("a"), picture], [picture]) == [stream("a"), picture]

    def test_composed(self) -> None:
        """Several outputs in one keep order, tables and pictures; text is escaped."""
        data, _ = composed(
            [
                stream("a < b"),
                {"output_type": "display_data", "data": {"text/html": "<table>"}},
                {"output_type": "display_data", "data": {"image/png": "QUJD"}},
                {"output_type": "error", "traceback": ["\x1b[31mE\x1b[0m"]},
            ]
        )
        page = data["text/html"]
        parts = ["a &lt; b", "<table>", "data:image/png;base64,QUJD", ">E<"]
        assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)
        assert data["text/plain"].startswith("a < b\n")


class Recorder:
    """A publisher that keeps a page: outputs by display id, as a front end does."""

    def __init__(self) -> None:
        self.page: list[tuple[str, dict[str, Any]]] = []
        self.cleared = 0

    def publish(self, data: Any, metadata: Any, *, transient: Any, update: bool = False) -> None:
        """Show or replace."""
        slot = transient["display_id"]
        if update:
            self.page = [(each, data if each == slot else old) for each, old in self.page]
        else:
            self.page.append((slot, data))

    def clear_output(self, wait: bool = False) -> None:
        """Empty the page."""
        self.page.clear()
        self.cleared += wait

    @property
    def shown(self) -> list[Any]:
        """What a reader sees as text."""
        return [data["text/plain"] for _, data in self.page if data["text/plain"]]


class Kernel:
    """As much of a kernel's shell as an output needs."""

    def __init__(self) -> None:
        self.kernel = object()
        self.display_pub = Recorder()


class TestCellOutput:
    """Slots."""

    def test_grow_and_shrink(self) -> None:
        """Outputs are refreshed in place, whatever their number."""
        kernel: Any = Kernel()
        output = CellOutput(kernel)
        output.show([stream("a\n"), stream("b")])
        assert kernel.display_pub.shown == ["a", "b"]
        output.refresh([stream("c")])
        assert kernel.display_pub.shown == ["c"]
        output.refresh([])
        assert kernel.display_pub.shown == []
        output.refresh([stream("d"), stream("e"), stream("f")])
        assert kernel.display_pub.shown == ["d", "e\nf"]

    def test_nothing(self) -> None:
        """A node that showed nothing can show something later."""
        kernel: Any = Kernel()
        output = CellOutput(kernel)
        output.show([])
        assert kernel.display_pub.shown == []
        output.refresh([stream("a")])
        assert kernel.display_pub.shown == ["a"]

    def test_live(self) -> None:
        """What came live is replaced by slots."""
        kernel: Any = Kernel()
        CellOutput(kernel).show([stream("a")], shown=1)
        assert (kernel.display_pub.shown, kernel.display_pub.cleared) == (["a"], 1)

    def test_raised(self) -> None:
        """An error that the cell itself raised stays, so what comes later says that it is old."""
        kernel: Any = Kernel()
        output = CellOutput(kernel)
        output.show([], raises=True)
        output.refresh([stream("7")])
        assert kernel.display_pub.shown[0].endswith("the error below is from before that.\n7")

    def test_never_shown(self) -> None:
        """A node whose cell never ran has no place to refresh."""
        kernel: Any = Kernel()
        CellOutput(kernel).refresh([stream("a")])
        assert kernel.display_pub.page == []

    def test_terminal(self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        """A terminal shows what it has not shown live, once."""
        output = CellOutput(shell)
        output.show([stream("live\n"), stream("value\n")], shown=1)
        output.refresh([stream("again\n")])
        assert capsys.readouterr().out == "value\n"


def failing(shell: InteractiveShell, source: str, **variables: object) -> BaseException:
    """Run a node cell that fails, with other frames above and below; return its error."""
    filename = cache_cell(shell, source, raw_cell=f"%%dag_node x\n{source}", first_line=2)
    code = parse_cell(
        source,
        name="x",
        namespace=dict(variables),
        node_names=(),
        transform=shell.transform_cell,
        filename=filename,
        first_line=2,
    )
    with pytest.raises(Exception) as caught:
        run_coroutine(called(code.function)) if variables.get("elsewhere") else code.function()
    return caught.value


async def called(function: Callable[[], object]) -> object:
    """Call from the helper thread."""
    return function()


def plain(lines: list[str]) -> str:
    """Drop the colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))


@pytest.mark.usefixtures("shell")
class TestTracebacks:
    """Only the user's lines."""

    def test_lines(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        """The cell's line is shown, with its number in the cell; no frame of others."""
        only_cells(monkeypatch)
        error = failing(shell, "import json\n\njson.loads('{')", elsewhere=True)
        text = plain(user_traceback(shell, error))
        assert "4 json.loads('{')" in text
        assert "decoder.py" not in text
        assert "coroutines.py" not in text
        assert error.__traceback__ is not None

    def test_chain(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        """Causes are shown, cut as well, and keep their own tracebacks."""
        only_cells(monkeypatch)
        risky = "import json\ntry:\n    json.loads('')\n"
        handler = "except ValueError as e:\n    raise KeyError('k') from e\nNone"
        error = failing(shell, risky + handler)
        text = plain(user_traceback(shell, error))
        assert "direct cause" in text
        assert "JSONDecodeError" in text
        assert "decoder.py" not in text
        assert error.__cause__ is not None
        assert error.__cause__.__traceback__ is not None
        assert error.__cause__.__traceback__.tb_next is not None

    def test_recursion(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        """A recursion without end is shown by its beginning and its end."""
        only_cells(monkeypatch)
        error = failing(shell, "def f(n):\n    return f(n + 1)\nf(0)")
        assert isinstance(error, RecursionError)
        assert len(user_traceback(shell, error)) < 100

    def test_group(self, shell: InteractiveShell) -> None:
        """Groups of exceptions are shown as Python shows them."""
        error = failing(shell, "raise ExceptionGroup('two', [ValueError('a'), KeyError('b')])")
        text = "\n".join(user_traceback(shell, error))
        assert "ValueError: a" in text
        assert "KeyError: 'b'" in text

    def test_syntax_error_of_the_node(self, shell: InteractiveShell) -> None:
        """A SyntaxError of code that the node compiles is its error like any other."""
        error = failing(shell, "compile('x = (', 'made up', 'exec')")
        assert error_output(shell, error)["ename"] == "SyntaxError"

    def test_own_errors_have_no_frames(
        self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An error about a definition is its message."""
        only_cells(monkeypatch)
        with pytest.raises(DefinitionError) as caught:
            parse_cell("", name="x", namespace={}, node_names=(), transform=str, filename="<f>")
        text = plain(user_traceback(shell, caught.value))
        assert ".py" not in text
        assert "the cell holds no code" in text

    def test_ipython_shows_it(
        self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """IPython prints the cut traceback, and the error is the user's very object."""
        error = failing(shell, "1 / 0")
        lines = user_traceback(shell, error)
        shell.user_ns["error"] = show_user_frames(shell, error)
        result = shell.run_cell("raise error", store_history=False)
        assert result.error_in_exec is error
        assert plain(lines) in plain([capsys.readouterr().out])

    def test_syntax_error_of_the_cell(
        self,
        shell: InteractiveShell,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A cell that is not Python is shown by its line, without the way to the parser."""
        only_cells(monkeypatch)
        with pytest.raises(SyntaxError) as caught:
            failing(shell, "x = 1\nreturn x")
        shell.user_ns["error"] = show_user_frames(shell, caught.value)
        shell.run_cell("raise error", store_history=False)
        text = plain([capsys.readouterr().out])
        assert "line 3" in text
        assert "return x\n" in text
        assert ".py" not in text

    def test_error_stays_picklable(self, shell: InteractiveShell) -> None:
        """An error with a cut traceback can go to another process."""
        error = show_user_frames(shell, ValueError("x"))
        assert pickle.loads(pickle.dumps(error)).args == ("x",)


def only_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this test file for a library."""
    monkeypatch.setattr(
        "dagnb.notebook.tracebacks.is_user_file", lambda name: name.startswith("<ipython-input")
    )


SETUP = """
from IPython import get_ipython
from dagnb.notebook.capture import capture, install
from dagnb.notebook.cells import parse_cell
from dagnb.notebook.display import CellOutput, value_outputs, without_twins
from dagnb.notebook.tracebacks import cache_cell, error_output, show_user_frames

shell, nodes = get_ipython(), {}
install(shell)

def run(name, own):
    code, output = nodes[name]
    value, error = None, None
    with capture(shell, live=own) as sink:
        try:
            value = code.function()
        except Exception as raised:
            error = raised
    shown = len(sink.outputs) if sink.passed_on else 0
    outputs = without_twins(sink.outputs, value_outputs(shell, value))
    if error is None:
        output.show(outputs, shown=shown) if own else output.refresh(outputs)
    elif own:
        output.show(outputs, shown=shown, raises=True)
        raise show_user_frames(shell, error)
    else:
        output.refresh([*outputs, error_output(shell, error)])

def node(line, cell):
    raw = f"%%node {line}\\n{cell}"
    code = parse_cell(
        cell, name=line, namespace=shell.user_ns, node_names=(), transform=shell.transform_cell,
        filename=cache_cell(shell, cell, raw_cell=raw, first_line=2), first_line=2)
    nodes[line] = code, CellOutput(shell)
    run(line, True)

shell.register_magic_function(node, "cell")
shell.register_magic_function(lambda line: run(line, False), "line", "again")
k = 1
"""


def executed(*sources: str, allow_errors: bool = False) -> list[NotebookNode]:
    """Run cells in a real kernel and return them as a saved notebook holds them."""
    notebook = new_notebook(cells=[new_code_cell(each) for each in (SETUP, *sources)])
    nbclient.NotebookClient(notebook, kernel_name="python3", allow_errors=allow_errors).execute()
    nbformat.validate(notebook)
    return list(notebook.cells[1:])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestKernel:
    """A real kernel, and what the saved notebook holds."""

    def test_refresh_across_cells(self) -> None:
        """Prints, a table and a picture are replaced below the node's own cell."""
        cells = executed(
            "%%node table\nprint('k is', k)\nimport pandas\npandas.DataFrame({'a': [k]})",
            "%%node silent\nprint('more') if k > 1 else None",
            "%%node figure\nimport matplotlib.pyplot as plt\nplt.plot([k])\nplt.gcf()",
            "k = 2\nrun('table', False)\nrun('silent', False)\nrun('figure', False)",
        )
        table, silent, figure, last = cells
        assert [each.data["text/plain"] for each in table.outputs] == ["k is 2", "   a\n0  2"]
        assert "<td>2</td>" in table.outputs[1].data["text/html"]
        assert [each.data for each in silent.outputs] == [{"text/plain": "more"}]
        (picture,) = figure.outputs
        assert {"image/png", "text/plain"} == set(picture.data)
        assert last.outputs == []

    def test_error_below_the_own_cell(self) -> None:
        """A failure that another cell causes is shown below the node's own, until it works."""
        node = "%%node x\nprint('k is', k)\nk / (k - 2)"
        (failed, _) = executed(node, "k = 2\n%again x")
        assert failed.outputs[0].data["text/plain"] == "k is 2"
        text = plain([failed.outputs[1].data["text/plain"]])
        assert "ZeroDivisionError" in text
        assert "3 k / (k - 2)" in text
        (works, _, _) = executed(node, "k = 2\n%again x", "k = 3\n%again x")
        assert [each.data["text/plain"] for each in works.outputs] == ["k is 3", "3.0"]

    def test_error_of_the_own_cell(self) -> None:
        """A node's own cell fails with the user's error, cut to the cell's lines."""
        with pytest.raises(nbclient.exceptions.CellExecutionError) as caught:
            executed("%%node x\nd = {}\nd['a']")
        assert (caught.value.ename, caught.value.evalue) == ("KeyError", "'a'")
        text = plain([str(caught.value)])
        assert "----> 3 d['a']" in text
        assert "run_cell_magic" not in text
        assert "capture.py" not in text
