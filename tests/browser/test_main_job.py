"""The main job, as a user does it: edit a cell, run it, and only what must run again runs again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage

CHAIN = (
    "%load_ext dagnb",
    "%%dag_node\nsource = 2",
    "%%dag_node\nhalf = 10 / source",
    "%%dag_node\nsign = half > 0",
    "%%dag_node\nword = 'up' if sign else 'down'",
    "%%dag_node\nother = 'elsewhere'",
    "%dag show",
)
SOURCE, HALF, SIGN, WORD, OTHER, SHOW = range(1, 7)


@pytest.fixture
def chain(open_notebook: OpenNotebook) -> NotebookPage:
    """Five small nodes, all of them run, and their graph."""
    page = open_notebook(*CHAIN)
    page.run_all()
    page.expect_status("word", "completed")
    return page


def test_an_edit_in_the_penguins_notebook(open_notebook: OpenNotebook, screenshots: Path) -> None:
    """The edited node and what reads it run; what is cut off shields the rest; no more happens."""
    page = open_notebook(copy_of="01_penguins.ipynb")
    page.run_all()
    page.expect_status("report", "completed")
    assert set(page.node_statuses().values()) == {"completed"}
    scores = page.index_of("def scores")
    executed, before = page.execution_count(scores), page.cell_output_text(scores)
    page.screenshot(screenshots / "penguins-first-run.png", of=page.graph())

    tree = page.index_of("%%dag_node\ntree")
    page.edit_cell(tree, "max_depth=2", "max_depth=3")
    page.run_cell(tree)

    page.expect_status("best", "cutoff")
    after = page.node_statuses()
    assert {after[name] for name in ("tree", "scores")} == {"completed"}
    assert {after[name] for name in ("confusion", "figure", "report")} == {"reused"}
    assert {after[n] for n in ("raw", "clean", "features", "split", "logistic")} == {"completed"}
    assert page.cell_output_text(scores) != before
    assert page.execution_count(scores) == executed
    page.screenshot(screenshots / "penguins-after-the-edit.png", of=page.graph())
    page.screenshot(screenshots / "penguins-cells.png", of=page.cell(scores))
    page.use_dark_theme()
    page.screenshot(screenshots / "penguins-after-the-edit-dark.png", of=page.graph())
    assert page.errors == []


def test_a_comment_runs_nothing(chain: NotebookPage) -> None:
    """The cell is executed, its node is not, and neither is any other."""
    chain.edit_cell(SOURCE, "source = 2", "source = 2  # two")
    chain.run_cell(SOURCE)
    chain.expect_status("source", "reused")
    assert [chain.node_statuses()[name] for name in ("half", "sign", "word")] == ["completed"] * 3


def test_the_output_of_a_dependent_changes_in_place(chain: NotebookPage) -> None:
    """The dependent's new value is shown under its own cell, which is not executed."""
    executed = chain.execution_count(HALF)
    chain.edit_cell(SOURCE, "2", "5")
    chain.run_cell(SOURCE)
    expect(chain.cell_output(HALF)).to_contain_text("2.0")
    expect(chain.cell_output(HALF)).not_to_contain_text("5.0")
    assert chain.execution_count(HALF) == executed


def test_a_failing_node_shows_its_error_under_its_own_cell(
    chain: NotebookPage, screenshots: Path
) -> None:
    """It turns failed, what depends on it is skipped, and the rest keeps its status."""
    chain.edit_cell(SOURCE, "2", "0")
    chain.run_cell(SOURCE)
    chain.expect_status("half", "failed")
    expect(chain.cell_output(HALF)).to_contain_text("ZeroDivisionError")
    assert chain.node_statuses() == {
        "source": "completed",
        "half": "failed",
        "sign": "skipped",
        "word": "skipped",
        "other": "completed",
    }
    chain.screenshot(screenshots / "failed.png")
    chain.use_dark_theme()
    expect(chain.graph().locator(".dagnb-map")).to_be_hidden()
    chain.screenshot(screenshots / "failed-dark.png", of=chain.graph())


def test_mending_the_edit_mends_what_was_skipped(chain: NotebookPage) -> None:
    """After a failure, one good edit brings everything below back, and the error is gone."""
    chain.edit_cell(SOURCE, "2", "0")
    chain.run_cell(SOURCE)
    chain.expect_status("half", "failed")
    chain.edit_cell(SOURCE, "0", "4")
    chain.run_cell(SOURCE)
    chain.expect_status("half", "completed")
    expect(chain.cell_output(HALF)).to_contain_text("2.5")
    expect(chain.cell_output(HALF)).not_to_contain_text("ZeroDivisionError")
    chain.expect_status("word", "cached")
    assert chain.node_status("sign") == "cutoff"


def test_a_changed_variable_reaches_its_users(open_notebook: OpenNotebook) -> None:
    """Running the plain cell that sets it refreshes the node that reads it, and no other."""
    page = open_notebook(
        "%load_ext dagnb",
        "factor = 2",
        "%%dag_node\nuser = factor * 10",
        "%%dag_node\nother = 1",
        "%dag show",
    )
    page.run_all()
    page.edit_cell(1, "2", "3")
    page.run_cell(1)
    expect(page.cell_output(2)).to_contain_text("30")
    assert [page.execution_count(2), page.node_status("other")] == [3, "completed"]


def test_the_graph_follows_while_a_cell_runs(open_notebook: OpenNotebook) -> None:
    """A node is shown as running while it runs, not only when the cell has ended."""
    page = open_notebook(
        "%load_ext dagnb\nimport time", "%%dag_node\nslow = 1", "%dag show", "print('end')"
    )
    page.run_all()
    page.edit_cell(1, "slow = 1", "time.sleep(60)\nslow = 2")
    page.run_cell(1, wait=False)
    page.expect_status("slow", "running")
    page.interrupt()
    expect(page.node("slow")).not_to_have_attribute("data-status", "running")


def test_stop_leaves_consistent_states(open_notebook: OpenNotebook) -> None:
    """After Stop the kernel answers at once, and the next edit completes what was stopped."""
    page = open_notebook(
        "%reload_ext dagnb\nimport time\nnap = 0",
        "%%dag_node\ntime.sleep(nap)\nslow = f'slept {nap}'",
        "%%dag_node\nafter = slow.upper()",
        "%dag show",
    )
    page.run_all()
    page.edit_cell(0, "nap = 0", "nap = 60")
    page.run_cell(0, wait=False)
    page.expect_status("slow", "running")
    page.interrupt()
    expect(page.node("slow")).not_to_have_attribute("data-status", "running")
    page.edit_cell(0, "nap = 60", "nap = 0.5")
    page.run_cell(0)
    page.expect_status("after", "completed")
    expect(page.cell_output(2)).to_contain_text("SLEPT 0.5")


def test_a_click_opens_the_panel(chain: NotebookPage, screenshots: Path) -> None:
    """The panel shows the node's source and its value."""
    chain.node("half").click()
    panel = chain.graph().locator(".dagnb-panel")
    expect(panel).to_contain_text("half = 10 / source")
    expect(panel).to_contain_text("5.0")
    chain.screenshot(screenshots / "panel.png", of=chain.graph())
    chain.use_dark_theme()
    chain.screenshot(screenshots / "panel-dark.png", of=chain.graph())
    assert chain.errors == []


def test_the_live_graph_hides_the_still_picture(chain: NotebookPage) -> None:
    """As long as there is a live view, the same graph is not shown twice."""
    expect(chain.graph()).to_be_visible()
    expect(chain.cell_output(SHOW).locator(".jp-RenderedSVG")).to_be_hidden()


def test_a_saved_notebook_shows_the_picture_when_reopened(
    chain: NotebookPage, screenshots: Path
) -> None:
    """Without the kernel that drew it there is still the picture, below Jupyter's own notice."""
    chain.save()
    chain.shut_down()
    chain.reload()
    output = chain.cell_output(SHOW)
    expect(output.locator(".jp-RenderedSVG")).to_be_visible()
    expect(output).not_to_contain_text("Loading widget")
    chain.screenshot(screenshots / "reopened.png", of=chain.cell(SHOW))


def test_restart_and_run_all(chain: NotebookPage) -> None:
    """After a restart every cell runs again without a complaint, and the graph is there."""
    chain.restart_kernel()
    chain.run_all()
    chain.expect_status("word", "completed")
    assert "Error" not in "".join(chain.cell_output_text(i) for i in range(len(CHAIN)))
    assert chain.errors == []
