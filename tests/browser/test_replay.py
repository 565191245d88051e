"""The last run under the live graph: its timeline and its replay, in a notebook."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage

CELLS = (
    "%load_ext dagnb\nimport time\n%dag workers 2",
    "%%dag_node\nraw = [3, 1, 2]",
    "%%dag_node\nslow = time.sleep(0.05) or len(raw)",
    "%%dag_node\nfast = sorted(raw)",
    "%%dag_node\nboth = fast[0] + slow",
    "%dag show",
    "%dag timeline",
)
RAW, SHOW, TIMELINE = 1, 5, 6


def graph_of(page: NotebookPage, cell: int) -> Locator:
    """The live graph below a cell, once it is drawn."""
    root = page.cell_output(cell).locator(".dagnb[data-ready]")
    expect(root).to_be_visible()
    return root


def statuses(root: Locator) -> dict[str, str]:
    """Every node's status in one view."""
    found: dict[str, str] = root.locator("[data-node]").evaluate_all(
        "nodes => Object.fromEntries(nodes.map(n => [n.dataset.node, n.dataset.status]))"
    )
    return found


def test_the_last_run_is_replayed_and_the_present_comes_back(
    open_notebook: OpenNotebook, screenshots: Path
) -> None:
    """With the keyboard alone; another view shows the present, and a new run ends the replay."""
    page = open_notebook(*CELLS)
    for cell in range(SHOW):
        page.run_cell(cell)
    page.edit_cell(RAW, "2]", "2, 5]")
    page.run_cell(RAW)
    page.run_cell(SHOW)
    page.run_cell(TIMELINE)
    first, second = graph_of(page, SHOW), graph_of(page, TIMELINE)
    expect(second).to_have_attribute("data-moment", "10")
    present = statuses(second)
    assert present == {
        "raw": "completed",
        "slow": "completed",
        "fast": "completed",
        "both": "completed",
    }
    assert second.locator("[data-bar].dagnb-critical").count() == 3

    slider = second.get_by_role("slider")
    slider.focus()
    page.page.keyboard.press("Home")
    expect(second).to_have_attribute("data-moment", "0")
    for _ in range(4):
        page.page.keyboard.press("ArrowRight")
    expect(second).to_have_attribute("data-moment", "4")
    assert statuses(second)["both"] in ("pending", "stale")
    assert statuses(first) == present
    page.screenshot(screenshots / "replay.png", of=second)
    page.page.keyboard.press("Space")
    expect(second).to_have_attribute("data-moment", "10")
    assert statuses(second) == present

    page.page.keyboard.press("Home")
    expect(second).to_have_attribute("data-replay", "true")
    page.edit_cell(RAW, "2, 5]", "2, 0]")
    page.run_cell(RAW)
    expect(second).not_to_have_attribute("data-replay", "true")
    expect(second.locator('[data-node="both"]')).to_have_attribute("data-status", "completed")
    expect(first.locator('[data-node="both"]')).to_have_attribute("data-status", "completed")
    expect(first).to_have_attribute("data-rev", str(second.get_attribute("data-rev")))
    expect(second).to_have_attribute("data-moment", "10")
    expect(first).to_have_attribute("data-moment", "10")
    first.get_by_role("button", name="Close the timeline").click()
    expect(first).not_to_have_attribute("data-moment", "10")
    expect(second).to_have_attribute("data-moment", "10")
    page.use_dark_theme()
    page.screenshot(screenshots / "replay-dark.png", of=second)
    assert page.errors == []
