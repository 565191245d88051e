"""Names, sources, values and errors that are as bad as texts get: they are shown, no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dagnb.notebook.export import page as exported_page
from dagnb.render.svg import svg
from tests.browser.conftest import OpenNotebook
from tests.browser.server import ROOT
from tests.browser.strange import GROUPS, NAMES, Strange

SHOTS = ROOT / "build" / "screenshots" / "export"
SHOW = """\
from dagnb.notebook.widget import GraphWidget
from tests.browser.strange import Strange
run = Strange()
GraphWidget(run.picture, details=run.details, act=print, record=run.record)"""
TEXTS = "all => all.map((each) => each.textContent)"


def of(root: Locator, each: str, attribute: str) -> list[str]:
    """What an attribute says of each of some elements, in the order of the names."""
    found = root.locator(each).evaluate_all(f"all => all.map(n => n.getAttribute('{attribute}'))")
    return sorted(set(found), key=(*NAMES, *GROUPS).index)


def look_everywhere(page: Page, root: Locator) -> None:
    """Open all that the view can show: the names are there as they are, and nothing ran."""
    expect(root.locator("[data-bar]")).to_have_count(len(NAMES))
    assert of(root, "[data-node]", "data-node") == list(NAMES)
    assert of(root, "[data-bar]", "data-bar") == list(NAMES)
    assert set(of(root, ".group", "data-group")) == set(GROUPS)
    root.get_by_role("button", name="Show as a table").click()
    rows = root.locator(".dagnb-table td:first-child button")
    expect(rows).to_have_count(len(NAMES))
    assert rows.evaluate_all(TEXTS) == list(NAMES)
    expect(root.get_by_role("columnheader", name="Why")).to_be_in_viewport()
    for number, name in enumerate(NAMES):
        rows.nth(number).dispatch_event("click")
        panel = root.locator(".dagnb-panel")
        expect(panel.locator("h4", has_text="Evidence")).to_be_visible()
        assert panel.locator("h3").evaluate_all(TEXTS) == [name]
        page.keyboard.press("Escape")
    root.get_by_role("button", name="Show as a table").click()
    assert page.evaluate("window.injected") is None
    assert root.locator("script, [onerror], [onload], img[src=x]").count() == 0


def fold_one(root: Locator) -> None:
    """Fold one group of a page, whose nodes become one box; all else stays, and it opens again."""
    read = "all => all.map((n) => [n.dataset.node, n.getAttribute('transform')])"
    before = dict(root.locator("[data-node]").evaluate_all(read))
    root.locator(".group .handle").first.dispatch_event("click")
    fold = root.locator(".fold")
    expect(fold).to_have_count(1)
    after = dict(root.locator("[data-node]").evaluate_all(read))
    assert fold.get_attribute("data-folded") == str(len(before) - len(after)) == "6"
    assert after.items() < before.items()
    assert root.locator(".group").count() == len(GROUPS) - 1
    root.screenshot(path=SHOTS / "strange-folded.png")
    fold.dispatch_event("click")
    expect(fold).to_have_count(0)
    assert dict(root.locator("[data-node]").evaluate_all(read)) == before


def test_in_a_notebook(open_notebook: OpenNotebook, screenshots: Path) -> None:
    """In the graph, its tools, the panel, the table and the timeline; groups fold, too."""
    page = open_notebook(SHOW)
    page.run_cell(0)
    root = page.graph()
    root.get_by_role("button", name="Show when the nodes").click()
    look_everywhere(page.page, root)
    page.screenshot(screenshots / "strange.png", of=root)
    root.get_by_role("button", name="Fold all groups").click()
    expect(root.locator(".fold")).to_have_count(len(GROUPS))
    assert set(of(root, ".fold", "data-group")) == set(GROUPS)
    assert page.page.evaluate("window.injected") is None
    assert page.errors == []


@pytest.mark.parametrize("form", ["page", "picture"])
def test_in_a_file(browser: Browser, tmp_path: Path, form: str) -> None:
    """In an exported page, also where no script may run, and in a picture within a page."""
    run = Strange()
    picture = f"<!doctype html><title>picture</title>{svg(run.picture)}"
    text = exported_page(run.picture, run) if form == "page" else picture
    (tmp_path / "run.html").write_text(text, encoding="utf-8")
    page = browser.new_page(reduced_motion="reduce")
    page.goto((tmp_path / "run.html").as_uri())
    if form == "page":
        root = page.locator(".dagnb[data-ready][data-moment]")
        expect(root).to_be_visible()
        look_everywhere(page, root)
        root.screenshot(path=SHOTS / "strange.png")
        assert page.title() == NAMES[3]
        fold_one(root)
    found = page.locator(".dagnb-static [data-node]")
    assert page.evaluate("window.injected") is None
    assert page.locator("img[src=x], svg[onload]").count() == 0
    assert found.count() == (len(NAMES) if form == "picture" else 0)
    page.close()
