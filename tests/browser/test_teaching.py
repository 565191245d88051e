"""A learner in a real notebook: steps, a prediction, an exercise, by keyboard and in text."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage


def barriers(page: NotebookPage, selector: str) -> list[str]:
    """What axe-core finds that shuts somebody out, within the elements of a selector."""
    found = Axe().run(page.page, context=selector).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def test_a_lesson(open_notebook: OpenNotebook) -> None:
    """The stepper goes on with each run of its cell; a prediction is revealed where the edit is."""
    page = open_notebook(
        "%load_ext dagnb\nfrom dagnb import teach\nlimit = 2",
        "%%dag_node rows\n[1, 2, 3]",
        "%%dag_node kept\n[each for each in rows if each >= limit]",
        "%%dag_node count\nlen(kept)",
        "%dag step",
        "%dag predict kept count",
        "limit = 1.5",
        "task = teach.exercise('toposort', seed=7)\ntask",
        "answer = []\ntask.check(answer)",
    )
    page.run_all()
    expect(page.cell_output(4)).to_contain_text("step 0 of 3: the nodes without inputs are ready")
    page.run_cell(4)
    expect(page.cell_output(4)).to_contain_text("step 1 of 3: rows is taken")
    expect(page.cell_output(6)).to_contain_text("you predicted: 50% right")
    expect(page.cell_output(6)).to_contain_text("cut off: count did not run")
    expect(page.cell_output(7).locator("table")).to_contain_text("inputs")
    expect(page.cell_output(7).get_by_role("img", name="Graph: 5 nodes")).to_be_visible()
    expect(page.cell_output(8)).to_contain_text("Not yet: a is missing")
    assert barriers(page, ".jp-RenderedHTMLCommon") == []
    page.edit_cell(8, "[]", "['a', 'e', 'b', 'c', 'd']")
    page.run_cell(8)
    expect(page.cell_output(8)).to_contain_text("Right: every node comes after its inputs")
    assert page.errors == []


def test_the_pager_by_keyboard(open_notebook: OpenNotebook) -> None:
    """Tab leads to its buttons, Enter presses them, and the picture and the text follow."""
    page = open_notebook(
        "%load_ext dagnb",
        "%%dag_node rows\n[1, 2, 3]",
        "%%dag_node count\nlen(rows)",
        "%dag step show",
    )
    page.run_all()
    shown = page.cell_output(3)
    status = shown.get_by_role("status")
    expect(status).to_contain_text("step 0 of 2")
    back, forward = (shown.get_by_role("button", name=name) for name in ("back", "next"))
    back.focus()
    page.page.keyboard.press("Tab")
    expect(forward).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(status).to_contain_text("step 1 of 2: rows is taken")
    drawn = shown.get_by_role("img", name="Graph: 2 nodes: 1 completed, 1 running")
    expect(drawn).to_be_visible()
    page.page.keyboard.press("Shift+Tab")
    page.page.keyboard.press("Enter")
    expect(status).to_contain_text("step 0 of 2")
    assert barriers(page, ".jp-OutputArea-output .jupyter-widgets") == []
    assert page.errors == []
