"""One server per application, one Chromium, and for each test a notebook of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.browser.page import NotebookPage
from tests.browser.server import ROOT, JupyterServer

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
]  # fmt: skip

# Playwright's own five seconds are short for a first widget on a busy machine.
expect.set_options(timeout=20_000)

OpenNotebook = Callable[..., NotebookPage]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The distribution's Chromium if there is one, else playwright's own."""
    installed = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        except Error as error:
            pytest.skip(f"no Chromium; `make test` installs one ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


class ByServer(LoadScopeScheduling):
    """Gives all tests of one application to the same process, so that it is started once."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        application = re.search(r"\b(lab|notebook)\b", test.partition("[")[2])
        return application[0] if application else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByServer:
    """Take the place of ``--dist``."""
    return ByServer(config, log)


@pytest.fixture(scope="session", params=["lab", "notebook"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    """JupyterLab and Notebook 7, each in a process of its own if there are several."""
    with JupyterServer(request.param, tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture
def open_notebook(
    server: JupyterServer, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Open a notebook of these cell sources, or a copy of one in ``notebooks/``."""
    with opening(server, browser, request.node.originalname) as open_notebook:
        yield open_notebook


@contextmanager
def opening(server: JupyterServer, browser: Browser, name: str) -> Iterator[OpenNotebook]:
    """Lend a function that opens notebooks, which are closed and their kernels ended after it."""
    server.reset_settings()
    with ExitStack() as closing:

        def open_notebook(*sources: str, copy_of: str = "") -> NotebookPage:
            file = server.work / f"{name}.ipynb"
            if copy_of:
                shutil.copy(ROOT / "notebooks" / copy_of, file)
            else:
                write_notebook(file, sources)
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            closing.callback(context.close)
            page = NotebookPage(context.new_page(), server.url(file.name), file)
            closing.callback(page.shut_down)
            return page.open()

        yield open_notebook


@pytest.fixture
def screenshots(server: JupyterServer) -> Path:
    """Where pictures of this application go, for people to look at."""
    return ROOT / "build" / "screenshots" / server.application


def write_notebook(file: Path, sources: tuple[str, ...]) -> None:
    """Write a notebook of code cells for the kernel of this environment."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(notebook, file)
