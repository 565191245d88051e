"""The page that VS Code makes around a live graph, as its source says; VS Code is not run."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dagnb.notebook.export import page as exported_page
from dagnb.render.svg import svg
from tests.browser.strange import Strange

# No ground of its own, its kind of theme on the body, and a container for each output.
AROUND = """<body data-vscode-theme-kind="{kind}" class="{kind}"><div class="cell_container">
<div class="output_container"><main>{main}</main></div>
<div class="output_container"><div class="output" id="still">{still}</div></div></div>"""


@pytest.mark.parametrize(
    ("kind", "theme"),
    [
        ("vscode-dark", "dark"),
        ("vscode-light", "light"),
        ("vscode-high-contrast", "dark"),
        ("vscode-high-contrast-light", "light"),
    ],
)
def test_in_a_page_like_that(browser: Browser, tmp_path: Path, kind: str, theme: str) -> None:
    """The graph is as dark as the editor, and hides the still picture that follows it."""
    run = Strange()
    head, main, rest = exported_page(run.picture, run).replace("</main>", "<main>").split("<main>")
    body = AROUND.format(kind=kind, main=main, still=svg(run.picture))
    file = tmp_path / "page.html"
    text = head.replace("background:#fff", "background:transparent") + body + rest
    file.write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    expect(page.locator(".dagnb[data-ready]")).to_have_attribute("data-theme", theme)
    expect(page.locator("#still")).to_be_hidden()
    page.close()
