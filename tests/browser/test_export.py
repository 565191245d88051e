"""An exported run as its reader sees it: a file, no server, no kernel, no network."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.server import ROOT
from tests.notebook.shells import new_shell

SHOTS = ROOT / "build" / "screenshots" / "export"
NASTY = "'</script><img src=x onerror=\"document.title=1\"><script>document.title=2</script>'"
BLOCKED = ("Blocked script execution in 'about:srcdoc'", "Refused to load", "Loading the image")
NODES = {
    "raw": "time.sleep(0.05)\n[3, 1, 2]",
    "rates": "time.sleep(0.08)\n[0.5]",
    "clean": "time.sleep(0.1)\nsorted(raw)",
    "broken": "1 / 0 * clean[0]",
    "after": "broken",
    "nasty": NASTY,
    "rich": "Rich()",
}
RICH = """\
class Rich:
    def _repr_html_(self):
        return ('<b>bold</b><script>parent.document.title=3</script>'
                '<img src=x onerror="parent.document.title=4"><img src=https://example.com/a.png>')
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven nodes on two workers, one of which fails."""
    file = tmp_path_factory.mktemp("export") / "run.html"
    with new_shell() as shell:
        shell.run_cell(f"%load_ext dagnb\nimport time\n{RICH}")
        shell.run_cell("%dag workers 2\n%dag auto off")
        for name, source in NODES.items():
            shell.run_cell(f"%%dag_node {name} --manual\n{source}")
        session = shell.magics_manager.registry["DagMagics"].session
        session.run(NODES, fresh=True)
        session.export(file)
    return file


@pytest.fixture
def page(exported: Path, browser: Browser) -> Iterator[Page]:
    """The page, opened from the disk; its policy lets nothing be asked for, and it is well."""
    context = browser.new_context(viewport={"width": 1100, "height": 860})
    page = context.new_page()
    asked: list[str] = []
    refused: list[tuple[str, str | None]] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: refused.append((request.url, request.failure)))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(error.message))
    page.goto(exported.as_uri())
    expect(page.locator(".dagnb[data-ready][data-moment]")).to_be_visible()
    yield page
    assert {url for url in asked if (url, "csp") not in refused} == {exported.as_uri()}
    assert [each for each in said if not each.startswith(BLOCKED)] == []
    context.close()


def statuses(page: Page) -> dict[str, str]:
    """Every node's status as it is drawn now."""
    nodes = "nodes => Object.fromEntries(nodes.map(n => [n.dataset.node, n.dataset.status]))"
    found: dict[str, str] = page.locator("[data-node]").evaluate_all(nodes)
    return found


def root(page: Page) -> Any:
    """The graph's root element."""
    return page.locator(".dagnb")


def test_a_run_is_replayed_with_the_keyboard_alone(page: Page) -> None:
    """Home is before the run, arrows go event by event, End is after it, Space plays to there."""
    last = root(page).get_attribute("data-moment")
    after = statuses(page)
    assert after["broken"] == "failed" and after["after"] == "skipped"
    page.keyboard.press("Home")
    expect(root(page)).to_have_attribute("data-moment", "0")
    before = statuses(page)
    seen = [before]
    for moment in range(1, int(last or 0) + 1):
        page.keyboard.press("ArrowRight")
        expect(root(page)).to_have_attribute("data-moment", str(moment))
        seen.append(statuses(page))
    assert seen[-1] == after
    assert any(each["raw"] == each["rates"] == "running" for each in seen)
    page.keyboard.press("Home")
    expect(root(page)).to_have_attribute("data-moment", "0")
    assert statuses(page) == before
    page.screenshot(path=SHOTS / "before.png")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause the run")).to_be_visible()
    expect(root(page)).to_have_attribute("data-moment", str(last))
    assert statuses(page) == after


def test_the_slider_says_where_it_is(page: Page) -> None:
    """Screen readers get the moment, its time and what happened."""
    slider = page.get_by_role("slider", name="Moment of the run")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "0 of 15, 0ms: before the run")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "1 of 15, 0ms: run of 7 nodes started")


def test_timeline_and_graph_are_linked(page: Page) -> None:
    """Pointing at one side lights up the other; a click on a bar opens the node."""
    bar = page.locator('[data-bar="clean"]')
    bar.hover()
    expect(page.locator('[data-node="raw"].near')).to_have_count(1)
    expect(page.locator('[data-node="rates"].near')).to_have_count(0)
    page.locator('[data-node="rates"]').hover()
    expect(page.locator('[data-bar="rates"].near')).to_have_count(1)
    expect(page.locator('[data-bar="clean"].near')).to_have_count(0)
    bar.click()
    expect(page.locator(".dagnb-panel")).to_contain_text("sorted(raw)")
    page.screenshot(path=SHOTS / "panel.png")


def test_the_critical_path_is_marked_on_both_sides(page: Page) -> None:
    """On the bars, on the nodes and in words."""
    expect(page.locator(".dagnb-path")).to_contain_text("raw \u2192 clean")
    for each in ("[data-node]", "[data-bar]"):
        marked = page.locator(f"{each}.dagnb-critical")
        names = marked.evaluate_all("all => all.map(n => n.dataset.node ?? n.dataset.bar)")
        assert {"raw", "clean"} <= set(names)
        assert "rates" not in names


def test_nothing_in_a_value_runs(page: Page) -> None:
    """A value that is a page of its own is shown as text."""
    page.locator('[data-node="nasty"]').click()
    expect(page.locator(".dagnb-panel")).to_contain_text("</script><img src=x onerror=")
    assert page.title() == "dagnb run"


def test_html_of_a_value_is_shown_and_nothing_in_it_runs(page: Page) -> None:
    """It stands in a frame without scripts, and what it wants to load is not asked for."""
    page.locator('[data-node="rich"]').click()
    frame = page.frame_locator(".dagnb-framed")
    expect(frame.locator("b")).to_have_text("bold")
    assert page.title() == "dagnb run"
    page.screenshot(path=SHOTS / "framed.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out(page: Page, theme: Literal["light", "dark"]) -> None:
    """Axe finds nothing to stumble over: in the timeline, the panel and the graph."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    expect(root(page)).to_have_attribute("data-theme", theme)
    page.locator('[data-node="raw"]').click()
    expect(page.locator(".dagnb-panel")).to_contain_text("[3, 1, 2]")
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(each["id"], [n["html"] for n in each["nodes"]]) for each in found["violations"]] == []


def test_it_is_dark_where_the_reader_is(page: Page) -> None:
    """And changes with them."""
    expect(root(page)).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root(page)).to_have_attribute("data-theme", "dark")
    page.screenshot(path=SHOTS / "dark.png")


@pytest.mark.parametrize("width", [1100, 800, 560])
def test_the_panel_leaves_the_picked_node_in_sight(page: Page, width: int) -> None:
    """The graph goes where there is room: beside the panel or, where that is narrow, above it."""
    page.set_viewport_size({"width": width, "height": 860})
    for name in ("nasty", "after"):
        page.locator(f'[data-node="{name}"]').click()
        expect(page.locator(".dagnb-panel")).to_have_attribute("data-for", name)
        page.wait_for_function(
            """name => {
                const [node, panel] = [`[data-node="${name}"]`, ".dagnb-panel"]
                    .map((each) => document.querySelector(each).getBoundingClientRect());
                return node.right <= panel.left || node.bottom <= panel.top;
            }""",
            arg=name,
        )
        page.keyboard.press("Escape")
        expect(page.locator(".dagnb-panel")).to_be_hidden()


def test_what_was_picked_stands_out_though_the_drawing_moved(page: Page) -> None:
    """The pointer is over something else then, at which nobody points; and it is never dimmed."""
    picked = page.locator('[data-node="raw"]')
    picked.hover()
    expect(page.locator('[data-node="clean"].near')).to_have_count(1)
    place = "document.querySelector('[data-node=raw]').getBoundingClientRect().left"
    before = page.evaluate(place)
    picked.click()
    page.wait_for_function(f"before => {place} < before - 20", arg=before)
    # Longer than it takes until what is pointed at stands out.
    near = (
        "() => new Promise(seen => setTimeout(() => seen(document.querySelectorAll('.near')), 200))"
    )
    assert page.evaluate_handle(near).evaluate("all => all.length > 1")
    page.locator('[data-node="rates"]').hover()
    expect(page.locator('[data-node="rates"].near')).to_have_count(1)
    expect(picked).to_have_css("opacity", "1")


def test_a_low_drawing_makes_room_for_the_panel(page: Page) -> None:
    """The window on the graph is as high as the panel needs, and as low as before without it."""
    window = page.locator(".dagnb-body")
    window.evaluate("body => body.style.height = '150px'")
    page.locator('[data-node="raw"]').click()
    expect(page.locator(".dagnb-panel").get_by_role("button", name="Copy code")).to_be_in_viewport()
    assert (window.bounding_box() or {})["height"] == 400
    page.keyboard.press("Escape")
    expect(window).to_have_css("height", "150px")
