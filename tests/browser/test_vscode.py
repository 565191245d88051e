"""The page that VS Code makes around a live graph, as its source says; VS Code is not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dagnb.events import NodeStarted
from dagnb.notebook.export import script_safe
from dagnb.notebook.widget import GraphWidget
from dagnb.render.svg import svg
from tests.browser.server import ROOT
from tests.browser.strange import NAMES, Strange

SHOTS = ROOT / "build" / "screenshots" / "vscode"
TEMPLATE = Path(__file__).with_name("vscode.html").read_text(encoding="utf-8")
THEMES = {
    "vscode-dark": ("dark", "#1f1f1f", "#cccccc"),
    "vscode-light": ("light", "#fffffe", "#3b3b3b"),
    "vscode-high-contrast": ("dark", "#000000", "#ffffff"),
    "vscode-high-contrast-light": ("light", "#ffffff", "#292929"),
}
# The policy of `notebook.experimental.enableCsp`, under which no widget's code can be loaded.
STRICT = """<meta http-equiv="Content-Security-Policy" content="default-src 'none';
script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';
img-src data:">"""

OpenInVSCode = Callable[..., Page]


@pytest.fixture
def run() -> Iterator[Strange]:
    """What the graph shows."""
    yield Strange()


@pytest.fixture
def open_in_vscode(browser: Browser, tmp_path: Path, run: Strange) -> Iterator[OpenInVSCode]:
    """Open the outputs of ``%dag show``; anywidget's own code makes the live view of its state."""
    widget = GraphWidget(run.picture, details=run.details)
    context = browser.new_context(viewport={"width": 900, "height": 900})

    def ask(message: dict[str, str]) -> dict[str, object]:
        return {"kind": "details", "name": message["name"], **run.details(message["name"])}

    def open_in_vscode(kind: str = "vscode-dark", policy: str = "") -> Page:
        _, ground, ink = THEMES[kind]
        parts = {
            "POLICY": policy, "KIND": kind, "GROUND": ground, "INK": ink,
            "CLASSES": kind, "STILL": svg(run.picture), "STATE": script_safe(widget.get_state()),
            "ANYWIDGET": resources.files("anywidget").joinpath("nbextension/index.js").read_text(),
        }  # fmt: skip
        text = TEMPLATE
        for place, part in parts.items():
            text = text.replace(place, part)
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        page = context.new_page()
        page.expose_function("ask", ask)
        refused = page.expect_console_message(lambda said: "Content Security Policy" in said.text)
        with refused if policy else nullcontext():
            page.goto(file.as_uri())
        return page

    yield open_in_vscode
    context.close()
    widget.close()


@pytest.mark.parametrize("kind", THEMES)
def test_it_is_as_dark_as_the_editor(open_in_vscode: OpenInVSCode, kind: str) -> None:
    """It stands on the ground of the editor, without Jupyter's colours, and hides the still."""
    theme, ground, _ = THEMES[kind]
    page = open_in_vscode(kind)
    root = page.locator(".dagnb[data-ready]")
    expect(root).to_have_attribute("data-theme", theme)
    red, green, blue = bytes.fromhex(ground[1:])
    expect(root).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
    expect(page.locator("#still")).to_be_hidden()
    page.screenshot(path=SHOTS / f"{kind}.png")


def test_it_is_live(open_in_vscode: OpenInVSCode, run: Strange) -> None:
    """A new status arrives, a click opens the panel, and settings of the editor are followed."""
    page = open_in_vscode()
    root, view = page.locator(".dagnb[data-ready]"), run.picture.view
    expect(root.locator("[data-node]")).to_have_count(len(NAMES))
    before = view.rev
    view(NodeStarted(NAMES[0], at=0.0))
    delta = {"kind": "delta", "seq": 99, "clock": 0.0, **view.delta(before)}
    page.evaluate("delta => model.trigger('msg:custom', delta)", delta)
    first = root.locator(f'[data-node="{NAMES[0]}"]')
    expect(first).to_have_attribute("data-status", "running")
    first.click()
    expect(page.locator(".dagnb-panel")).to_contain_text("Evidence")
    page.evaluate("document.body.dataset.vscodeThemeKind = 'vscode-light'")
    expect(root).to_have_attribute("data-theme", "light")
    page.evaluate("document.body.classList.add('vscode-reduce-motion')")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.ring')).animationName") == "none"
    )


def test_where_no_widget_can_be_loaded_the_picture_is_seen(open_in_vscode: OpenInVSCode) -> None:
    """Under a policy that forbids it, as without the extension that shows widgets."""
    page = open_in_vscode(policy=STRICT)
    still = page.locator("#still svg.dagnb-static")
    expect(still).to_be_visible()
    expect(still.locator("[data-node]")).to_have_count(len(NAMES))
    expect(page.locator(".dagnb")).to_have_count(0)
