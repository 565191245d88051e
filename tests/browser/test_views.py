"""Several views of one graph, a page that is loaded again, and what stays in the saved notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage

CELLS = (
    "%load_ext dagnb\nimport pathlib, time\n%dag auto off",
    "go_on, wait = pathlib.Path({go_on!r}), 0",
    "%%dag_node\nwhile wait and not go_on.exists(): time.sleep(0.01)\nslow = wait",
    "%%dag_node\nafter = slow + 1",
    "%dag show",
    "%dag show",
    "wait = 1\nhandle = %dag run --bg",
)
FIRST, SECOND = 4, 5


def views(page: NotebookPage) -> list[dict[str, str]]:
    """The statuses in each view of the graph."""
    found: list[dict[str, str]] = page.page.locator(".dagnb[data-ready]").evaluate_all(
        "roots => roots.map(root => Object.fromEntries("
        "[...root.querySelectorAll('[data-node]')].map(n => [n.dataset.node, n.dataset.status])))"
    )
    return found


def test_views_stay_in_step_through_a_reload_in_a_background_run(
    open_notebook: OpenNotebook, tmp_path: Path
) -> None:
    """Both follow; a page loaded meanwhile shows the run where it is, and then its end."""
    go_on = tmp_path / "go on"
    page = open_notebook(*(cell.replace("{go_on!r}", repr(str(go_on))) for cell in CELLS))
    for cell in range(len(CELLS)):
        page.run_cell(cell)
    for cell in (FIRST, SECOND):
        slow = page.cell_output(cell).locator('[data-node="slow"]')
        expect(slow).to_have_attribute("data-status", "running")
    page.save()
    page.reload()
    for cell in (FIRST, SECOND):
        slow = page.cell_output(cell).locator('[data-node="slow"]')
        expect(slow).to_have_attribute("data-status", "running")
    go_on.touch()
    for cell in (FIRST, SECOND):
        after = page.cell_output(cell).locator('[data-node="after"]')
        expect(after).to_have_attribute("data-status", "completed")
    assert views(page)[0] == views(page)[1] == {"slow": "completed", "after": "completed"}
    page.save()
    check_what_is_saved(page.file)
    assert page.errors == []


def restart(page: NotebookPage) -> None:
    """Restart the kernel from the menu."""
    page.restart_kernel()


def crash(page: NotebookPage) -> None:
    """Have the kernel die, so that the server starts it anew."""
    page.run_cell(3, wait=False)
    said = page.page.get_by_role("dialog")
    expect(said).to_contain_text("appears to have died")
    said.get_by_role("button", name="Ok").click()
    expect(said).to_have_count(0)


@pytest.mark.parametrize("end", [restart, crash])
def test_a_view_outlives_its_kernel(
    open_notebook: OpenNotebook, end: Callable[[NotebookPage], None]
) -> None:
    """It is there before the first node, says that the kernel left, and follows the next one."""
    page = open_notebook(
        "%load_ext dagnb", "%dag show", "%%dag_node\nfirst = 1", "import os\nos._exit(1)"
    )
    page.run_cell(0)
    page.run_cell(1)
    view = page.cell_output(1).locator(".dagnb[data-ready]")
    expect(view.locator(".dagnb-body")).to_have_attribute("data-empty", re.compile("No nodes yet"))
    page.run_cell(2)
    first, second = (view.locator(f'[data-node="{name}"]') for name in ("first", "second"))
    expect(first).to_have_attribute("data-status", "completed")

    end(page)
    expect(view).to_have_attribute("data-kernel", "gone")
    expect(view.get_by_role("alert")).to_contain_text("The kernel was restarted")
    first.click()
    expect(view.locator(".dagnb-panel")).to_contain_text("first")

    page.edit_cell(2, "first = 1", "second = 2")
    page.run_cell(0)
    page.run_cell(2)
    expect(second).to_have_attribute("data-status", "completed")
    expect(first).to_have_count(0)
    expect(view).not_to_have_attribute("data-kernel", "gone")
    page.edit_cell(2, "second = 2", "1 / 0\nsecond = 2")
    page.run_cell(2)
    expect(second).to_have_attribute("data-status", "failed")

    page.save()
    page.reload()
    expect(second).to_have_attribute("data-status", "failed")
    assert page.errors == []


def check_what_is_saved(file: Path) -> None:
    """Each showing left its view and a picture; at most one widget's state; it reads offline."""
    notebook = nbformat.read(file, 4)
    shown = [notebook.cells[cell].outputs for cell in (FIRST, SECOND)]
    view = "application/vnd.jupyter.widget-view+json"
    models = {outputs[0].data[view]["model_id"] for outputs in shown}
    assert len(models) == 1
    for outputs in shown:
        assert len(outputs) == 2
        assert set(outputs[1].data) == {"image/svg+xml", "text/plain"}
        assert len(json.dumps(outputs)) < 20_000
    kept = notebook.metadata.get("widgets", {})
    state = kept.get("application/vnd.jupyter.widget-state+json", {})
    graphs = [each for each in state.get("state", {}).values() if "_esm" in each.get("state", {})]
    assert len(graphs) <= 1
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert page.count('src="data:image/svg+xml;base64,') == 2
