"""Photograph the live graph for the README: an edit in JupyterLab, a shop, its failure, a thousand.

    python notebooks/pictures/make.py [edit graph failure thousand]

The edit is made in the penguins notebook in a real JupyterLab, as the browser tests do. Each other
pipeline runs in a shell of its own, is exported to one page, and that page is photographed.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from IPython.core.interactiveshell import InteractiveShell
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from traitlets.config import Config

from dagnb.notebook import capture

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
NO_HISTORY = Config({"HistoryManager": {"enabled": False}})
SIZE = (1440, 1000)
LAB = ViewportSize(width=1180, height=1500)
NOTEBOOK = ".jp-NotebookPanel .jp-WindowedPanel-viewport"
ONLY = ".jp-Notebook .jp-Cell:not({}, {}, {}), .jp-Notebook-footer {{ display: none !important }}"
COLOURS = 128  # with fewer, the red of a failure is dulled

TOOLS = """
import time
import numpy as np
import pandas as pd

def read_orders(days):
    time.sleep(0.5)
    drawn = np.random.default_rng(7).random((40 * days, 2))
    customers, quantities = (drawn * [60, 8]).astype(int).T
    return pd.DataFrame({"customer": customers + 100, "quantity": quantities + 1})

def price(orders, rates):
    time.sleep(0.45)
    return orders.assign(amount=orders["quantity"] * 4.95)

def work(seconds, *inputs):
    time.sleep(seconds)
    return sum(each if isinstance(each, int) else each.size for each in inputs) + 1

def check(seconds, *inputs):
    time.sleep(seconds)
    return 1

def limit(seconds, total):
    if work(seconds, total) > 1000:
        raise ValueError(f"{total} is over the limit of 1000")
    return total
"""

SPEND = """\
# What each customer bought.
lines = priced_lines.groupby("customer")
table = lines.amount.agg(["sum", "mean"])
table.sort_values("sum").round(2)"""

SHOP = {
    "sources": {
        "orders": "read_orders(days=30)",
        "customers": "work(0.35)",
        "products": "work(0.25)",
        "returns": "work(0.3)",
        "visits": "work(0.55)",
        "fx_rates": "work(0.15)",
    },
    "clean": {
        "valid_orders": "orders[orders.quantity > 0]",
        "priced_lines": "price(valid_orders, fx_rates)",
        "known_customers": "work(0.2, customers)",
        "active_products": "work(0.15, products)",
        "returned_lines": "work(0.3, returns, valid_orders)",
        "sessions": "work(0.5, visits, known_customers)",
    },
    "features": {
        "spend": SPEND,
        "recency": "work(0.3, valid_orders, known_customers)",
        "baskets": "check(0.6, priced_lines, active_products)",
        "categories": "check(0.25, active_products, priced_lines)",
        "return_rate": "check(0.2, returned_lines)",
        "visit_rate": "work(0.2, sessions)",
        "loyalty": "work(0.25, spend, recency, visit_rate)",
    },
    "models": {
        "training_set": "work(0.3, loyalty, return_rate)",
        "churn_model": "work(1.2, training_set)",
        "value_model": "work(0.9, training_set)",
        "segments": "work(0.4, return_rate, categories)",
        "forecast": "work(0.8, baskets, categories)",
        "scores": "work(0.2, churn_model, value_model)",
    },
    "reports": {
        "churn_risk": "work(0.15, scores, segments)",
        "top_customers": "work(0.1, scores)",
        "stock_plan": "work(0.2, forecast)",
        "weekly_revenue": "work(0.15, forecast)",
        "dashboard": "work(0.1, churn_risk, top_customers, weekly_revenue)",
    },
}
STAGES = ("ingest", "clean", "features", "train", "evaluate", "publish")
COUNTRIES = ("france", "italy", "japan", "kenya", "peru")
STEPS = 33  # of each stage, in each country
SHARED = {
    "calendar": "work(0.05)",
    "weather": "work(0.03)",
    "currencies": "work(0.02)",
    "holidays": "work(0.02)",
}
WORLD = {
    "totals": f"work(0.05, {', '.join(f'publish_{each}_32' for each in COUNTRIES)})",
    "ranking": "work(0.02, totals)",
    "outlook": "work(0.05, totals)",
    "risks": "work(0.03, totals)",
    "summary": "work(0.02, ranking, outlook)",
    "report": "work(0.02, summary, risks)",
}
SPECIAL = {
    "features_italy_05": "limit(0.004, {above})",
    "clean_japan_02": "check(0.004, {above})",
    "features_kenya_01": "check(0.004, {above})",
    "train_kenya_05": "check(0.004, {above})",
}


@contextmanager
def new_shell() -> Iterator[InteractiveShell]:
    """Make a shell that is a notebook of four workers, and forget it at the end."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=NO_HISTORY)
    shell.run_cell("%load_ext dagnb")
    shell.run_cell("%dag workers 4\n%dag store off\n%dag auto off")
    shell.run_cell(TOOLS)
    yield shell
    capture.uninstall(shell)
    InteractiveShell.clear_instance()


def write(shell: InteractiveShell, group: str, nodes: Mapping[str, str]) -> None:
    """Execute the cells of a group, which runs each node once."""
    for name, code in nodes.items():
        shell.run_cell(f"%%dag_node {name} --tag {group}\n{code}")


def write_shop(shell: InteractiveShell) -> None:
    """Write the shop's thirty nodes."""
    for group, nodes in SHOP.items():
        write(shell, group, nodes)


def write_thousand(shell: InteractiveShell) -> None:
    """Write six stages for each of five countries, each upon the stage before it."""
    write(shell, "shared", SHARED)
    for country in COUNTRIES:
        sources = ["calendar, weather", "calendar, currencies", "calendar, holidays"]
        for stage in STAGES:
            group = f"{stage}_{country}"
            names = [f"{group}_{step:02}" for step in range(STEPS)]
            above = [*sources, *names]
            codes = (SPECIAL.get(name, "work(0.004, {above})") for name in names)
            filled = (code.format(above=read) for code, read in zip(codes, above, strict=False))
            write(shell, group, dict(zip(names, filled, strict=True)))
            sources = [names[-1]] * 3
    write(shell, "world", WORLD)


def change(shell: InteractiveShell, group: str, name: str, code: str, file: Path) -> Path:
    """Execute the cell of a node with other code, and export the run of what depends on it."""
    shell.run_cell("%dag auto on")
    shell.run_cell(f"%%dag_node {name} --tag {group}\n{code}")
    shell.run_cell(f"%dag export {file}")
    return file


@contextmanager
def opened(browser: Browser, file: Path, scheme: str, size: tuple[int, int]) -> Iterator[Page]:
    """Open an exported page in a light or dark browser, at twice the pixels."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator(".dagnb[data-ready][data-moment]")).to_be_visible()
    yield page
    context.close()


def photograph(page: Page, name: str, part: str = ".dagnb") -> None:
    """Write what is seen of a part of the page as a picture of few colours."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)  # for what fades
    shot = Image.open(BytesIO(page.locator(part).screenshot())).convert("RGB")
    few = shot.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(HERE / f"{name}.png", optimize=True)


def edit(browser: Browser, folder: Path) -> None:
    """The cells of an edited node and of one below it, and the graph, in JupyterLab."""
    sys.path.insert(0, str(ROOT))
    from tests.browser.page import NotebookPage
    from tests.browser.server import JupyterServer

    notebook = "01_penguins.ipynb"
    with JupyterServer("lab", folder) as server:
        file = shutil.copy(ROOT / "notebooks" / notebook, server.work)
        context = browser.new_context(viewport=LAB, device_scale_factor=2, reduced_motion="reduce")
        page = NotebookPage(context.new_page(), server.url(notebook), Path(file)).open()
        page.run_all()
        page.expect_status("report", "completed")
        tree = page.index_of("%%dag_node\ntree")
        page.edit_cell(tree, "max_depth=2", "max_depth=3")
        page.run_cell(tree)
        page.expect_status("best", "cutoff")
        shown = (tree, page.index_of("def scores"), page.index_of("%dag show"))
        page.page.add_style_tag(content=ONLY.format(*(f"#shown-{cell}" for cell in shown)))
        for cell in shown:
            page.cell(cell).evaluate("(cell, id) => { cell.id = id }", f"shown-{cell}")
        photograph(page.page, "edit-light", NOTEBOOK)
        page.use_dark_theme()
        photograph(page.page, "edit-dark", NOTEBOOK)
        page.shut_down()
        context.close()


def graph(browser: Browser, folder: Path) -> None:
    """The shop after an edit, with the panel of a node, in both themes."""
    with new_shell() as shell:
        write_shop(shell)
        file = change(shell, "sources", "orders", "read_orders(days=31)", folder / "shop.html")
    for scheme in ("light", "dark"):
        with opened(browser, file, scheme, SIZE) as page:
            page.locator("[data-node=spend]").click()
            photograph(page, f"graph-{scheme}")


def failure(browser: Browser, folder: Path) -> None:
    """The shop after a column was renamed, also as a reader sees it who does not see green."""
    with new_shell() as shell:
        write_shop(shell)
        renamed = 'price(valid_orders, fx_rates).rename(columns={"amount": "total"})'
        file = change(shell, "clean", "priced_lines", renamed, folder / "failure.html")
    with opened(browser, file, "light", SIZE) as page:
        page.locator("[data-node=spend]").click()
        photograph(page, "failure")
        vision = {"type": "deuteranopia"}
        page.context.new_cdp_session(page).send("Emulation.setEmulatedVisionDeficiency", vision)
        photograph(page, "deuteranopia")


def thousand(browser: Browser, folder: Path) -> None:
    """A thousand nodes in folded groups, seen whole."""
    with new_shell() as shell:
        write_thousand(shell)
        file = change(shell, "shared", "calendar", "work(0.05, 1000)", folder / "thousand.html")
    with opened(browser, file, "light", SIZE) as page:
        page.keyboard.press("0")
        photograph(page, "thousand")


def main(names: list[str]) -> None:
    """Make the pictures of these names, or all."""
    scenes = {"edit": edit, "graph": graph, "failure": failure, "thousand": thousand}
    installed = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        for name in names or scenes:
            scenes[name](browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
