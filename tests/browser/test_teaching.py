"""A learner in a real notebook: steps, a prediction, an exercise, by keyboard and in text."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage

EDIT, STEP, TASK, ANSWER = 5, 6, 7, 8
# Before its first answer nobody can move a slider that does not know yet how many steps there are.
OPENED_AND_STILL_SHUT = """root => {
    root.querySelector("button[data-lesson=run]").click();
    return root.querySelector(".dagnb-lesson").children[1].inert;
}"""


def barriers(page: NotebookPage, selector: str) -> list[str]:
    """What axe-core finds that shuts somebody out, within the elements of a selector."""
    found = Axe().run(page.page, context=selector).response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def test_a_lesson(open_notebook: OpenNotebook, screenshots: Path) -> None:
    """By keyboard: steps, a prediction and its reveal, more workers, on one's own nodes; a task."""
    page = open_notebook(
        "%load_ext dagnb\nlimit = 2",
        "%%dag_node\nrows = [1, 2, 3]",
        "%%dag_node\nkept = [each for each in rows if each >= limit]",
        "%%dag_node\ncount = len(kept)",
        "%dag step show",
        "limit = 1.5",
        "%dag step order",
        "from dagnb import teach\ntask = teach.exercise('toposort', seed=7)\ntask",
        "answer = []\ntask.check(answer)",
    )
    for cell in range(5):
        page.run_cell(cell)
    graph = page.graph()
    walk(page)
    page.screenshot(screenshots / "lesson-step.png", of=graph)
    predict(page)
    page.screenshot(screenshots / "lesson-predict.png", of=graph)
    look_back(page)
    try_workers(page)
    page.screenshot(screenshots / "lesson-workers.png", of=graph)
    page.run_cell(STEP)
    expect(graph).to_have_attribute("data-lesson", "order")
    press(page, "Close the lesson")
    expect(graph.get_by_role("button", name="Step through the graph")).to_be_focused()
    assert marks(page) == {}
    solve(page)
    assert page.errors == []


def walk(page: NotebookPage) -> None:
    """Forward, back, to the end and play: what is ready, what misses how much, what is taken."""
    graph = page.graph()
    taught = graph.locator(".dagnb-taught")
    expect(taught).to_contain_text("the nodes without inputs are ready")
    assert marks(page) == {"rows": "ready", "kept": "1 missing", "count": "1 missing"}
    press(page, "On one step")
    expect(taught).to_contain_text("Order so far: rows.")
    assert marks(page) == {"rows": "number 1", "kept": "ready", "count": "1 missing"}
    press(page, "Back one step")
    expect(graph).to_have_attribute("data-step", "0")
    graph.get_by_role("slider", name="Step").press("End")
    expect(taught).to_contain_text("this is a topological order")
    press(page, "Play the steps")
    expect(graph).to_have_attribute("data-step", "0")
    expect(graph).to_have_attribute("data-step", "3")
    graph.get_by_text("This step as a table").press("Enter")
    expect(graph.locator("td", has_text="taken, number 3")).to_be_visible()
    assert barriers(page, ".dagnb") == []


def predict(page: NotebookPage) -> None:
    """Nodes are chosen by Enter and by click; the next run says what was right, and why not."""
    graph = page.graph()
    press(page, "Predict")
    expect(graph).to_have_attribute("data-step", "empty")
    page.node("kept").press("Enter")
    expect(page.node("kept")).to_have_attribute("aria-pressed", "true")
    page.node("rows").click()
    page.node("count").click()
    expect(graph.locator(".dagnb-taught")).to_contain_text("to run: count, kept, rows")
    page.node("rows").click()
    expect(page.node("rows")).to_have_attribute("aria-pressed", "false")
    page.run_cell(EDIT)
    expect(graph).to_have_attribute("data-step", "revealed")
    assert marks(page) == {"kept": "right", "count": "cut off"}
    expect(graph.locator(".dagnb-taught")).to_contain_text("you predicted: 50% right")
    expect(graph.locator("li", has_text="cut off: count did not run: kept ran")).to_be_visible()
    expect(page.cell_output(EDIT)).to_contain_text("you predicted: 50% right")
    assert barriers(page, ".dagnb") == []


def look_back(page: NotebookPage) -> None:
    """The run itself, step by step, up to where it stopped."""
    assert page.graph().evaluate(OPENED_AND_STILL_SHUT)
    expect(page.graph()).to_have_attribute("data-step", "0")
    page.graph().get_by_role("slider", name="Step").press("End")
    expect(page.graph().locator(".dagnb-taught")).to_contain_text("1 was left alone by early")
    assert marks(page) == {"kept": "same value", "count": "left alone"}


def try_workers(page: NotebookPage) -> None:
    """A slider from 1 to 8, with a lane for each worker and the bounds."""
    graph = page.graph()
    press(page, "Workers")
    expect(graph.locator(".dagnb-worker")).to_have_count(2)
    graph.get_by_role("slider", name="Number of workers").press("End")
    expect(graph.locator(".dagnb-worker")).to_have_count(8)
    expect(graph.locator(".dagnb-taught")).to_contain_text("8 workers:")
    expect(graph.locator("li", has_text="Graham 1969")).to_be_visible()
    assert barriers(page, ".dagnb") == []


def solve(page: NotebookPage) -> None:
    """The question is a table and a picture; an answer is wrong, and then right."""
    for cell in (TASK, ANSWER):
        page.run_cell(cell)
    expect(page.cell_output(TASK).locator("table")).to_contain_text("inputs")
    expect(page.cell_output(TASK).get_by_role("img", name="Graph: 5 nodes")).to_be_visible()
    expect(page.cell_output(ANSWER)).to_contain_text("Not yet: a is missing")
    assert barriers(page, ".jp-RenderedHTMLCommon") == []
    page.edit_cell(ANSWER, "[]", "['a', 'e', 'b', 'c', 'd']")
    page.run_cell(ANSWER)
    expect(page.cell_output(ANSWER)).to_contain_text("Right: every node comes after its inputs")


def press(page: NotebookPage, button: str) -> None:
    """Press a button of the live graph with Enter."""
    page.graph().get_by_role("button", name=button, exact=True).press("Enter")


def marks(page: NotebookPage) -> dict[str, str]:
    """What a lesson has put on each node."""
    found: dict[str, str] = page.graph().evaluate(
        "root => Object.fromEntries([...root.querySelectorAll('[data-node][data-mark]')]"
        ".map(node => [node.dataset.node, node.dataset.mark]))"
    )
    return found
