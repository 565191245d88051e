"""A notebook in a browser, as a user sees it: the one place that knows Jupyter's DOM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

PANEL = "window.jupyterapp.shell.currentWidget"

# The shell's current widget may be the file browser, or nothing, for a moment.
READY = f"""async () => {{
    const pause = () => new Promise(resolve => setTimeout(resolve, 50));
    while (!{PANEL}?.sessionContext) await pause();
    const panel = {PANEL};
    await panel.revealed;
    await panel.sessionContext.ready;
    while (!panel.sessionContext.session?.kernel) await pause();
    await panel.sessionContext.session.kernel.info;
}}"""

# A promise that is never kept fails its test instead of holding up all others.
WITHIN_A_MINUTE = """argument => Promise.race([
    (%s)(argument),
    new Promise((_, reject) => setTimeout(() => reject(new Error("not done in a minute")), 60_000)),
])"""


class NotebookPage:
    """One open notebook in JupyterLab or Notebook 7.

    Cells are numbered from 0, markdown cells included. What runs a cell returns when the kernel
    has finished it, unless told otherwise.

    Parameters
    ----------
    page : playwright.sync_api.Page
    url : str
        Where the application shows the notebook.
    file : pathlib.Path
        The notebook on disk.

    Attributes
    ----------
    errors : list of str
        Errors that reached the browser's console from a widget's JavaScript.
    """

    def __init__(self, page: Page, url: str, file: Path) -> None:
        self.page = page
        self.url = url
        self.file = file
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self._note(error.stack or error.message))
        page.on("console", lambda message: message.type == "error" and self._note(message.text))

    # -- the document ---------------------------------------------------------------------------

    def open(self) -> NotebookPage:
        """Open the notebook and wait for its kernel."""
        self.page.goto(self.url)
        self._wait_for_the_kernel()
        return self

    def reload(self) -> NotebookPage:
        """Reload the page, as F5 does; the kernel lives on."""
        self.page.reload()
        self._wait_for_the_kernel()
        return self

    def save(self) -> None:
        """Save the notebook to its file."""
        self._command("docmanager:save")
        self.page.wait_for_function(f"() => !{PANEL}.context.model.dirty")

    def restart_kernel(self) -> None:
        """Restart the kernel without clearing any output."""
        self._await(f"() => {PANEL}.sessionContext.restartKernel()")
        self._wait_for_the_kernel()

    def shut_down(self) -> None:
        """End the kernel, so that it outlives neither the test nor the server."""
        self._await(f"() => {PANEL}?.sessionContext?.shutdown()")

    # -- cells ----------------------------------------------------------------------------------

    def run_all(self) -> None:
        """Run all cells."""
        self._command("notebook:run-all-cells")

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run one cell; with ``wait=False`` return while it runs."""
        self._activate(index)
        self._command("notebook:run-cell", wait=wait)

    def interrupt(self) -> None:
        """Press Stop."""
        self._command("notebook:interrupt-kernel")

    def type_into_cell(self, index: int, text: str) -> None:
        """Replace a cell's source by typing over it."""
        self._focus_editor(index)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(text)
        self._expect_source(index, text)

    def edit_cell(self, index: int, old: str, new: str) -> None:
        """Select the one place where ``old`` stands in a cell and type ``new`` over it."""
        source = self.source(index)
        if source.count(old) != 1:
            raise ValueError(f"{old!r} stands {source.count(old)} times in cell {index}")
        before = source[: source.index(old)]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        self._focus_editor(index)
        self._select(index, line, column, len(old))
        self.page.keyboard.type(new)
        self._expect_source(index, source.replace(old, new))

    def index_of(self, text: str) -> int:
        """Return the number of the only code cell whose source contains ``text``."""
        [index] = [
            number
            for number, (kind, source) in enumerate(self._cells())
            if kind == "code" and text in source
        ]
        return index

    def source(self, index: int) -> str:
        """Return a cell's source as the application holds it."""
        return self._cells()[index][1]

    def cell(self, index: int) -> Locator:
        """Return a cell's element."""
        panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        return panel.locator(".jp-Notebook .jp-Cell").nth(index)

    def cell_output(self, index: int) -> Locator:
        """Return the area below a cell that shows its outputs; `expect` can wait on it."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def cell_output_text(self, index: int) -> str:
        """Return the text that a user reads below a cell now."""
        return self.cell_output(index).inner_text()

    def cell_output_html(self, index: int) -> str:
        """Return the HTML below a cell now."""
        return self.cell_output(index).inner_html()

    def execution_count(self, index: int) -> int | None:
        """Return the number in a cell's prompt, or None: it shows which cells were executed."""
        return self.page.evaluate(f"i => {PANEL}.content.widgets[i].model.executionCount", index)

    # -- the graph: only what the view publishes -------------------------------------------------

    def graph(self) -> Locator:
        """Return the live graph's root element, once it is drawn."""
        root = self.page.locator(".dagnb[data-ready]").last
        expect(root).to_be_visible()
        return root

    def node(self, name: str) -> Locator:
        """Return a node's element in the live graph."""
        return self.graph().locator(f'[data-node="{name}"]')

    def node_status(self, name: str) -> str | None:
        """Return a node's status as the graph shows it now."""
        return self.node(name).get_attribute("data-status")

    def node_statuses(self) -> dict[str, str]:
        """Return every node's status as the graph shows it now."""
        return dict(
            self.graph().evaluate(
                "root => [...root.querySelectorAll('[data-node][data-status]')]"
                ".map(node => [node.dataset.node, node.dataset.status])"
            )
        )

    def expect_status(self, name: str, status: str) -> None:
        """Wait until a node has this status."""
        expect(self.node(name)).to_have_attribute("data-status", status)

    # -- looks ----------------------------------------------------------------------------------

    def use_dark_theme(self) -> None:
        """Switch the application to its dark theme."""
        self._command("apputils:change-theme", {"theme": "JupyterLab Dark"})
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")

    def screenshot(self, path: Path, *, of: Locator | None = None) -> None:
        """Save a picture of the page, or of one element after scrolling to it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if of is None:
            self.page.screenshot(path=path)
        else:
            of.screenshot(path=path)

    # -- how ------------------------------------------------------------------------------------

    def _note(self, error: str) -> None:
        """Keep an error that passed through a widget: ours is the only code at a blob URL."""
        if "blob:" in error or "Error setting state" in error:
            self.errors.append(error)

    def _wait_for_the_kernel(self) -> None:
        self.page.wait_for_function("() => window.jupyterapp?.shell", timeout=60_000)
        self._await(READY)

    def _await(self, function: str, argument: object = None) -> None:
        self.page.evaluate(WITHIN_A_MINUTE % function, argument)

    def _command(self, name: str, args: dict[str, Any] | None = None, wait: bool = True) -> None:
        run = "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)"
        start = "([name, args]) => { window.jupyterapp.commands.execute(name, args) }"
        self._await(run if wait else start, [name, args or {}])

    def _activate(self, index: int) -> None:
        activate = f"i => {{ const notebook = {PANEL}.content; notebook.deselectAll();"
        self.page.evaluate(activate + " notebook.activeCellIndex = i; }", index)

    def _focus_editor(self, index: int) -> None:
        self._activate(index)
        self.cell(index).locator(".cm-content").click()

    def _select(self, index: int, line: int, column: int, length: int) -> None:
        self.page.evaluate(
            f"([i, line, column, length]) => {PANEL}.content.widgets[i].editor.setSelection("
            "{start: {line, column}, end: {line, column: column + length}})",
            [index, line, column, length],
        )

    def _cells(self) -> list[tuple[str, str]]:
        read = "cell => [cell.model.type, cell.model.sharedModel.getSource()]"
        return [tuple(c) for c in self.page.evaluate(f"() => {PANEL}.content.widgets.map({read})")]

    def _expect_source(self, index: int, text: str) -> None:
        if self.source(index) != text:
            raise AssertionError(f"typing gave {self.source(index)!r} instead of {text!r}")
