"""Hands on the live graph: one page for all tests, so each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import opening
from tests.browser.page import NotebookPage
from tests.browser.server import JupyterServer

NODES = {
    "raw": ("etl", "[3, 1, 2]"),
    "clean": ("etl", "sorted(raw)"),
    "rows": ("etl", "len(clean)"),
    "model": ("fit", "sum(clean) / rows"),
    "score": ("fit", "1 / (model - 2)"),
    "report": ("", "f'{score} of {model}'"),
}
CELL = "%%dag_node {name} --tags {group}\n{body}"
SHOW = len(NODES) + 1
LAST = len(NODES)
RAW, CLEAN = (
    f"document.querySelector('.dagnb [data-node={each}]').getBoundingClientRect()"
    for each in ("raw", "clean")
)


@pytest.fixture(scope="module")
def graph_page(server: JupyterServer, browser: Browser) -> Iterator[NotebookPage]:
    """Two groups and a node on its own, of which one failed."""
    cells = [
        CELL.format(name=name, group=group, body=body).replace(" --tags \n", "\n")
        for name, (group, body) in NODES.items()
    ]
    with opening(server, browser, "graph") as open_notebook:
        page = open_notebook("%load_ext dagnb\n%dag auto off", *cells, "%dag show", "%dag run", "")
        for cell in range(SHOW + 1):
            page.run_cell(cell)
        page.expect_status("score", "failed")
        yield page


@pytest.fixture
def page(graph_page: NotebookPage) -> Iterator[NotebookPage]:
    """The page, whose view is as after ``%dag show --all`` again when the test is over."""
    yield graph_page
    graph_page.page.keyboard.press("Escape")
    folds = graph_page.graph().locator(".fold")
    if folds.count():
        graph_page.graph().get_by_role("button", name="Open all groups").click()
        expect(folds).to_have_count(0)
    assert graph_page.errors == []


def fold_of(page: NotebookPage, group: str) -> Locator:
    """The box of a folded group."""
    return page.graph().locator(f'.fold[data-group="{group}"]')


def test_a_click_folds_a_group_and_opens_it(page: NotebookPage, screenshots: Path) -> None:
    """Its box says how many there are and how the worst of them is."""
    page.graph().locator('.group[data-group="fit"] .handle').click()
    fold = fold_of(page, "fit")
    expect(fold).to_have_attribute("data-status", "failed")
    expect(fold).to_have_attribute("data-folded", "2")
    expect(page.node("model")).to_have_count(0)
    expect(page.node("raw")).to_be_visible()
    page.screenshot(screenshots / "folded.png", of=page.graph())
    fold.click()
    expect(page.node("model")).to_be_visible()
    expect(fold).to_have_count(0)


def test_the_keyboard_folds_and_opens(page: NotebookPage) -> None:
    """``c`` on a node, Enter on the box; the focus stays where the reader is."""
    page.node("clean").focus()
    page.page.keyboard.press("c")
    expect(fold_of(page, "etl")).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(page.node("raw")).to_be_focused()


def test_a_folded_group_follows_its_members(page: NotebookPage) -> None:
    """A status that changes behind the box changes the box."""
    page.graph().locator('.group[data-group="fit"] .handle').click()
    expect(fold_of(page, "fit")).to_have_attribute("data-status", "failed")
    page.edit_cell(5, "model - 2", "model + 2")
    page.run_cell(5)
    page.run_cell(SHOW + 1)
    expect(fold_of(page, "fit")).to_have_attribute("data-status", "completed")
    page.expect_status("report", "completed")


def test_a_press_outlives_a_new_drawing(page: NotebookPage) -> None:
    """What was pressed is folded, though all was drawn anew before the button went up."""
    press(page, page.graph().locator('.group[data-group="fit"] .handle'))
    page.node("clean").focus()
    page.page.keyboard.press("c")
    expect(fold_of(page, "etl")).to_be_visible()
    page.page.mouse.up()
    expect(fold_of(page, "fit")).to_be_visible()


def test_a_press_outlives_a_new_status(page: NotebookPage) -> None:
    """The icon under the pointer is another one when the button goes up; the panel opens."""
    press_while_something_changes(page, page.node("rows"), ".icon")


def test_a_press_in_the_table_outlives_a_new_status(page: NotebookPage) -> None:
    """Rows stay where they are while what they say changes."""
    table = page.graph().get_by_role("button", name="Show as a table")
    table.click()
    row = page.graph().locator('tr:has([data-name="rows"])')
    press_while_something_changes(page, row, "button")
    table.click()


def press_while_something_changes(page: NotebookPage, rows: Locator, part: str) -> None:
    """Press a part of what shows the node ``rows``, make it stale, and let go."""
    page.run_cell(SHOW + 1)
    expect(rows).to_have_attribute("data-status", "completed")
    page.edit_cell(1, "1, 2", "1, 1, 2")
    press(page, rows.locator(part))
    page.run_cell(1)
    expect(rows).to_have_attribute("data-status", "stale")
    page.page.mouse.up()
    expect(page.graph().locator(".dagnb-panel")).to_have_attribute("data-for", "rows")
    page.page.keyboard.press("Escape")


def press(page: NotebookPage, of: Locator) -> None:
    """Press the mouse in the middle of something, and hold it."""
    of.hover()
    page.page.mouse.down()


def test_the_keyboard_follows_the_edges(page: NotebookPage) -> None:
    """Arrows go along them, Enter opens the panel, Escape comes back to the node."""
    keyboard, panel = page.page.keyboard, page.graph().locator(".dagnb-panel")
    page.node("raw").focus()
    keyboard.press("ArrowDown")
    expect(page.node("clean")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(page.node("clean")).not_to_be_focused()
    keyboard.press("ArrowUp")
    expect(page.node("clean")).to_be_focused()
    keyboard.press("Enter")
    expect(panel).to_have_attribute("data-for", "clean")
    keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.node("clean")).to_be_focused()


def test_the_buttons_of_the_panel(page: NotebookPage) -> None:
    """One runs the node, one what it needs, one leaves it to be asked, one copies its code."""
    page.run_cell(SHOW + 1)
    page.node("rows").click()
    panel = page.graph().locator(".dagnb-panel")

    def press(name: str) -> None:
        panel.get_by_role("button", name=name, exact=True).click()

    press("Run")
    expect(panel).to_contain_text("asked")
    expect(page.graph().get_by_role("status")).to_contain_text("Run finished: ")
    expect(page.graph().get_by_title("The last run took")).to_be_visible()
    press("Make manual")
    press("Make automatic")
    expect(panel.get_by_role("button", name="Make manual")).to_be_visible()
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press("Copy code")
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    assert page.page.evaluate("navigator.clipboard.readText()").strip() == "len(clean)"

    page.edit_cell(1, "[3", "[4, 3")
    page.run_cell(1)
    page.expect_status("rows", "stale")
    press("Run to here")
    page.expect_status("rows", "completed")
    page.expect_status("clean", "completed")
    assert page.node_status("model") == "stale"


def test_zoom_and_direction(page: NotebookPage) -> None:
    """Buttons draw it larger, whole, and with edges to the right."""
    graph, box = page.graph(), "node => node.getBoundingClientRect().toJSON()"
    [before] = page.node("raw").evaluate_all(f"all => all.map({box})")
    graph.get_by_role("button", name="Zoom in").click()
    page.page.wait_for_function(f"before => {RAW}.width > 1.2 * before.width", arg=before)
    graph.get_by_role("button", name="Show all").click()
    page.page.wait_for_function(f"before => {RAW}.width < 1.1 * before.width", arg=before)
    for beyond, turned in (("left", True), ("left", False)):
        graph.get_by_role("button", name="Draw edges to the right").click()
        is_right = f"{CLEAN}.{beyond} > {RAW}.right"
        page.page.wait_for_function(is_right if turned else f"!({is_right})")


def test_nothing_else_moves(page: NotebookPage) -> None:
    """A node that gets another name, goes, and comes back leaves the others where they are."""
    before = places(page)
    page.edit_cell(LAST, "node report", "node letter")
    page.run_cell(LAST)
    expect(page.node("letter")).to_be_visible()
    renamed = places(page)
    assert renamed.pop("letter") and {**renamed, "report": before["report"]} == before
    page.type_into_cell(SHOW + 2, "%dag rm letter")
    page.run_cell(SHOW + 2)
    expect(page.node("letter")).to_have_count(0)
    page.edit_cell(LAST, "node letter", "node report")
    page.run_cell(LAST)
    expect(page.node("report")).to_be_visible()
    assert places(page) == before


def places(page: NotebookPage) -> dict[str, str]:
    """Where every node is, once all have arrived."""
    expect(page.graph().locator(".dagnb-moving")).to_have_count(0)
    found: dict[str, str] = page.graph().evaluate(
        "root => Object.fromEntries([...root.querySelectorAll('[data-node]')]"
        ".map(node => [node.dataset.node, node.getAttribute('transform')]))"
    )
    return found


def test_a_node_is_found_by_its_name(page: NotebookPage) -> None:
    """``/`` goes to the box; what matches stands out; Enter goes from one to the next."""
    page.node("raw").focus()
    page.page.keyboard.press("/")
    page.page.keyboard.type("r")
    found = page.graph().locator(".dagnb-chosen")
    expect(found).to_have_count(4)
    page.page.keyboard.type("epo")
    expect(found).to_have_attribute("data-node", "report")
    page.page.keyboard.press("Enter")
    expect(page.graph().locator(".dagnb-marked")).to_have_attribute("data-node", "report")
    page.page.keyboard.press("Escape")
    expect(found).to_have_count(0)
    expect(page.node("report")).to_be_focused()


def test_looking_for_a_hidden_node_opens_its_group(page: NotebookPage) -> None:
    """The box of the group stands out until then."""
    page.node("model").focus()
    page.page.keyboard.press("c")
    expect(fold_of(page, "fit")).to_be_focused()
    page.page.keyboard.press("/")
    page.page.keyboard.type("model")
    expect(page.graph().locator(".dagnb-chosen")).to_have_attribute("data-group", "fit")
    page.page.keyboard.press("Enter")
    expect(page.node("model")).to_be_visible()
    page.page.keyboard.press("Escape")


def test_the_neighbourhood_of_a_node(page: NotebookPage) -> None:
    """``f`` shows what is two edges away at most, and all again."""
    page.node("raw").focus()
    page.page.keyboard.press("f")
    expect(page.node("report")).to_have_count(0)
    expect(page.node("model")).to_be_visible()
    page.page.keyboard.press("f")
    expect(page.node("report")).to_be_visible()


def test_the_drawing_can_be_saved(page: NotebookPage, tmp_path: Path) -> None:
    """The PNG is made in the browser."""
    for form, begins in (("png", b"\x89PNG"), ("svg", b"<svg"), ("mmd", b"flowchart")):
        with page.page.expect_download() as saved:
            page.graph().get_by_label("Save the drawing as").select_option(form)
        saved.value.save_as(tmp_path / form)
        assert (tmp_path / form).read_bytes().startswith(begins)


def test_live_and_still_picture_agree(page: NotebookPage) -> None:
    """The same nodes, with the same status, at the same places."""
    read = """root => Object.fromEntries([...root.querySelectorAll('[data-node]')].map(node =>
        [node.dataset.node, [node.dataset.status, node.getAttribute('transform')]]))"""
    with page.page.expect_download() as saved:
        page.graph().get_by_label("Save the drawing as").select_option("svg")
    still = saved.value.path().read_text()
    parsed = page.page.evaluate(
        f"svg => ({read})(new DOMParser().parseFromString(svg, 'text/xml'))", still
    )
    assert page.graph().evaluate(read) == parsed


def test_nobody_is_kept_out(page: NotebookPage) -> None:
    """Axe finds nothing that a screen reader, the keyboard or weak eyes would stumble over."""
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    page.page.evaluate(source)
    found = page.graph().evaluate("root => axe.run(root, {resultTypes: ['violations']})")
    assert [(each["id"], [n["html"] for n in each["nodes"]]) for each in found["violations"]] == []
