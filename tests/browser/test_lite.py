"""The course as a site: a notebook that nobody's machine runs but the reader's browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.page import PANEL, NotebookPage
from tests.browser.server import ROOT

SITE = ROOT / "build" / "lite"
SCREENSHOTS = ROOT / "build" / "screenshots" / "lite"
FIRST = "10_what_is_a_dag.ipynb"
BOOT_MS = 300_000  # Python itself and thirty packages start in the page

READY = f"() => window.jupyterapp?.shell && {PANEL}?.sessionContext?.session?.kernel"
HAS_RUN = f"i => {PANEL}.content.widgets[i].model.executionCount"

# What a cell shows when it was run for good or ill.
ERRORS = (
    f"() => {PANEL}.content.widgets.flatMap(cell => cell.model.type === 'code'"
    " ? cell.model.outputs.toJSON() : [])"
    ".filter(output => output.output_type === 'error').map(output => output.evalue)"
)


class Files(SimpleHTTPRequestHandler):
    """Serves files, and says nothing about it."""

    def log_message(self, *_arguments: object) -> None:
        """Leave the terminal to the tests."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Where the site is served, as any web server would: no headers, no proxies."""
    if shutil.which("npm") is None:
        pytest.skip("no npm, from which the site gets Pyodide")
    subprocess.run([sys.executable, ROOT / "notebooks/lite/build.py", SITE], check=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=SITE)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def fetched() -> list[str]:
    """Every address that the page or a worker of it asked for."""
    return []


@pytest.fixture(scope="module")
def course(site: str, browser: Browser, fetched: list[str]) -> Iterator[NotebookPage]:
    """The first notebook, each cell run as it is, from top to bottom."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.on("request", lambda request: fetched.append(request.url))
    url = f"{site}/lab/index.html?path={FIRST}"
    page = NotebookPage(context.new_page(), url, Path(FIRST))
    page.page.goto(url)
    page.page.wait_for_function(READY, timeout=BOOT_MS)
    first, *others = code_cells(page)
    page.run_cell(first, wait=False)
    page.page.wait_for_function(HAS_RUN, arg=first, timeout=BOOT_MS)
    for cell in others:
        page.run_cell(cell)
    yield page
    context.close()


def code_cells(page: NotebookPage) -> list[int]:
    """Return the numbers of the cells that can be run."""
    kinds = page.page.evaluate(f"() => {PANEL}.content.widgets.map(cell => cell.model.type)")
    return [index for index, kind in enumerate(kinds) if kind == "code"]


def test_the_first_notebook_runs(course: NotebookPage) -> None:
    """Every cell of it, with a live graph of the reader's own nodes."""
    assert course.page.evaluate(ERRORS) == []
    assert all(course.execution_count(cell) for cell in code_cells(course))
    trip = ["tickets", "total", "per_child", "letter", "groups"]
    assert course.node_statuses() == dict.fromkeys(trip, "completed")
    assert course.errors == []
    course.screenshot(SCREENSHOTS / "graph.png", of=course.graph())


def test_an_edit_runs_what_depends_on_it(course: NotebookPage) -> None:
    """The letter changes below its own cell, in a browser as anywhere."""
    prices = course.index_of("bus_price = 180")
    letter = course.index_of("%%dag_node letter")
    before = course.execution_count(letter)
    course.edit_cell(prices, "bus_price = 180", "bus_price = 300")
    course.run_cell(prices)
    expect(course.cell_output(letter)).to_contain_text("the trip costs 16.50")
    assert course.execution_count(letter) == before
    course.screenshot(SCREENSHOTS / "edit.png")


def test_an_exercise_is_solved(course: NotebookPage) -> None:
    """What the reader types is checked, and the graph of the question is drawn."""
    answer = course.index_of("answer = []")
    expect(course.cell_output(answer)).to_contain_text("Not yet")
    course.type_into_cell(answer, 'answer = ["a", "e", "c"]\ntask.check(answer)')
    course.run_cell(answer)
    expect(course.cell_output(answer)).to_contain_text("Right")
    course.screenshot(SCREENSHOTS / "exercise.png")


def test_nothing_comes_from_elsewhere(course: NotebookPage, site: str, fetched: list[str]) -> None:
    """Neither Python nor a package nor a font: the folder is the whole site."""
    assert any(url.endswith("pyodide.asm.wasm") for url in fetched)
    assert [url for url in fetched if not url.startswith((site, "data:", "blob:"))] == []
