"""A plan drawn on the live graph, and what an edit would make stale."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook

CELLS = (
    "%load_ext dagnb\n%dag auto off",
    "%%dag_node\nraw = [3, 1, 2]",
    "%%dag_node\nsize = len(raw)",
    "%%dag_node\nword = 'many' if size > 1 else 'few'",
    "%%dag_node\nother = 'beside'",
    "%dag show",
    "%dag run",
    "%dag plan",
)
RAW, RUN, PLAN = 1, 6, 7


def test_a_plan_is_drawn_until_the_next_run(open_notebook: OpenNotebook, screenshots: Path) -> None:
    """Each node says by sign and words what becomes of it; hovering says what an edit costs."""
    page = open_notebook(*CELLS)
    page.run_all()
    graph = page.graph()
    for value in ("2, 0]", "2]"):
        page.edit_cell(RAW, "2]" if value != "2]" else "2, 0]", value)
        page.run_cell(RAW)
        page.run_cell(RUN)
    page.edit_cell(RAW, "3, 1", "4, 1")
    page.run_cell(RAW)
    page.run_cell(PLAN)
    expect(graph).to_have_attribute("data-plan", "2")
    plans = {name: page.node(name).get_attribute("data-plan") for name in page.node_statuses()}
    assert plans == {"raw": "reuse", "size": "run", "word": "may_run", "other": "reuse"}
    expect(graph.locator(".dagnb-plan")).to_contain_text("1 will run")
    expect(graph.locator(".dagnb-badge")).to_have_count(2)
    page.node("raw").hover()
    expect(page.node("word")).to_have_class(re.compile("dagnb-below"))
    expect(page.node("raw").locator("title").first).to_contain_text(
        "An edit makes 2 more stale: size, word"
    )
    page.screenshot(screenshots / "plan.png", of=graph)
    page.save()
    page.reload()
    expect(graph).to_have_attribute("data-plan", "2")
    expect(graph.locator(".dagnb-badge")).to_have_count(2)
    page.run_cell(RUN)
    expect(graph).not_to_have_attribute("data-plan", "2")
    expect(graph.locator(".dagnb-badge")).to_have_count(0)
    graph.get_by_role("button", name="Show what a run would do").click()
    expect(graph.locator(".dagnb-plan")).to_contain_text("Nothing to run")
    assert page.errors == []
