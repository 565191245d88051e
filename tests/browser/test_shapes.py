"""Graphs of every size, from nothing to thousands of nodes: they are drawn, and can be used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import opening
from tests.browser.page import NotebookPage
from tests.browser.server import JupyterServer

PREPARE = """\
from dagnb.events import GraphEdited, NodeStarted
from dagnb.notebook.widget import GraphWidget
from dagnb.render.view import GraphView

def shown(names, edges):
    view = GraphView()
    view(GraphEdited(names, edges))
    return view, GraphWidget(view)

def numbered(n, edges):
    return [f"n{i}" for i in range(n)], [(f"n{a}", f"n{b}") for a, b in edges]
"""
# Each edge by the numbers of its ends.
CHAIN = "numbered(5000, [(i - 1, i) for i in range(1, 5000)])"
STAR = "numbered(3000, [(0, i) for i in range(1, 3000)])"
LAYERS = "numbered({0}, [(max(i - {1} - k, 0), i) for i in range({1}, {0}) for k in (0, 3)])"
SHOW, DO = 1, 2


@pytest.fixture(scope="module")
def notebook(server: JupyterServer, browser: Browser) -> Iterator[NotebookPage]:
    """One kernel for all shapes; each is shown in the place of the one before."""
    with opening(server, browser, "shapes") as open_notebook:
        page = open_notebook(PREPARE, "None", "None")
        page.run_cell(0)
        yield page


def show(page: NotebookPage, graph: str) -> Locator:
    """Show a graph, and return its root once it is drawn."""
    page.type_into_cell(SHOW, f"view, graph = shown(*{graph})\ngraph")
    page.run_cell(SHOW)
    return page.graph()


def painted(window: Locator) -> Image.Image:
    """What is seen in the middle of the window on a graph, where nothing lies over it."""
    window.evaluate("() => new Promise((seen) => requestAnimationFrame(() => setTimeout(seen)))")
    image = Image.open(BytesIO(window.screenshot(animations="disabled"))).convert("RGB")
    width, height = image.size
    return image.crop((width // 4, height // 4, 3 * width // 4, 3 * height // 4))


def differ(one: Image.Image, two: Image.Image) -> float:
    """The difference of two pictures' pixels; rims of boxes may be a shade lighter."""
    return sum(ImageStat.Stat(ImageChops.difference(one, two)).mean)


def test_no_node_yet(notebook: NotebookPage) -> None:
    """The view says what makes one, and every key is harmless."""
    root = show(notebook, "numbered(0, [])")
    expect(root.locator(".dagnb-body")).to_have_attribute("data-empty", re.compile("%%dag_node"))
    root.get_by_role("button", name="Show as a table").click()
    root.get_by_role("button", name="Show all").click()
    assert notebook.node_statuses() == {}
    assert notebook.errors == []


def test_one_node(notebook: NotebookPage) -> None:
    """Arrows lead nowhere from it, and Enter opens it."""
    root = show(notebook, "numbered(1, [])")
    notebook.node("n0").focus()
    for key in ("ArrowDown", "ArrowLeft", "Home", "End", "Enter"):
        notebook.page.keyboard.press(key)
    expect(root.locator(".dagnb-panel")).to_contain_text("n0")
    assert notebook.errors == []


def test_a_thousand_nodes_can_be_used(notebook: NotebookPage) -> None:
    """A key opens a node, and a status that changes in Python is shown."""
    root = show(notebook, LAYERS.format(1000, 30))
    expect(root.locator("[data-node]")).to_have_count(1000)
    root.get_by_role("application").focus()
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.press("Enter")
    expect(root.locator(".dagnb-panel h3")).to_have_text("n999")
    notebook.type_into_cell(DO, "view(NodeStarted('n500', at=0.0))\ngraph.refresh()")
    notebook.run_cell(DO)
    notebook.expect_status("n500", "running")
    assert notebook.node_status("n501") == "pending"
    assert notebook.errors == []


def test_five_thousand_nodes_follow_the_hand(notebook: NotebookPage) -> None:
    """What was seen is seen as far away as it was dragged."""
    root = show(notebook, LAYERS.format(5000, 70))
    expect(root.locator("[data-node]")).to_have_count(5000)
    stage, window = root.locator(".dagnb-stage"), root.locator(".dagnb-body")
    before = painted(window)
    assert before.getcolors(1) is None  # there is something to see
    window.hover()
    notebook.page.mouse.down()
    box = window.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    notebook.page.mouse.move(x + 20, y + 10)
    notebook.page.mouse.move(x + 60, y + 24)
    notebook.page.mouse.up()
    notebook.page.mouse.move(0, 0)
    expect(stage).not_to_have_class(re.compile("dagnb-lit"))
    after = painted(window)
    width, height = before.size
    there = after.crop((60, 24, width, height))
    assert differ(before.crop((0, 0, width - 60, height - 24)), there) < differ(before, after) / 5
    assert notebook.errors == []


def test_the_map_covers_no_node(notebook: NotebookPage) -> None:
    """It stands where there is room beside them, and nowhere in a narrow window."""
    root = show(notebook, "numbered(40, [(i - 1, i) for i in range(1, 40)])")
    map_of_all = root.locator(".dagnb-map")
    expect(map_of_all).to_be_visible()
    covers = """map => {
        const { left, top, right, bottom } = map.getBoundingClientRect();
        const nodes = [...map.parentElement.querySelectorAll(".node .box")];
        return nodes.map((node) => node.getBoundingClientRect()).filter((box) =>
            box.right > left && box.left < right && box.bottom > top && box.top < bottom).length;
    }"""
    assert map_of_all.evaluate(covers) == 0
    root.evaluate("root => { root.style.width = '400px'; }")
    expect(map_of_all).to_be_hidden()
    root.evaluate("root => { root.style.width = ''; }")
    expect(map_of_all).to_be_visible()
    assert notebook.errors == []


@pytest.mark.parametrize(("graph", "size"), [(CHAIN, 5000), (STAR, 3000)], ids=["chain", "star"])
def test_long_and_broad(notebook: NotebookPage, graph: str, size: int) -> None:
    """Every node is there, the last one can be found, and it follows."""
    root = show(notebook, graph)
    expect(root.locator("[data-node]")).to_have_count(size)
    last = f"n{size - 1}"
    root.get_by_role("application").focus()
    notebook.page.keyboard.press("/")
    notebook.page.keyboard.insert_text(last)
    notebook.page.keyboard.press("Enter")
    expect(root.locator(".dagnb-marked")).to_have_attribute("data-node", last)
    notebook.type_into_cell(DO, f"view(NodeStarted({last!r}, at=0.0))\ngraph.refresh()")
    notebook.run_cell(DO)
    notebook.expect_status(last, "running")
    assert notebook.errors == []
