"""The harness itself, on plain cells: what the other browser tests stand on."""

from __future__ import annotations

from pathlib import Path

import nbformat
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook


def test_running_one_cell_executes_only_that_cell(open_notebook: OpenNotebook) -> None:
    """The other cell has no output and no number in its prompt."""
    page = open_notebook("print('one')", "print('two')")
    page.run_cell(1)
    expect(page.cell_output(1)).to_contain_text("two")
    assert [page.execution_count(0), page.execution_count(1)] == [None, 1]


def test_typing_replaces_a_cell(open_notebook: OpenNotebook) -> None:
    """What is typed, several lines and brackets included, is what runs."""
    page = open_notebook("print('before')")
    page.type_into_cell(0, "if True:\n    print('after', [1, 2])")
    page.run_cell(0)
    expect(page.cell_output(0)).to_have_text("after [1, 2]")


def test_an_edit_types_over_one_place(open_notebook: OpenNotebook) -> None:
    """Only the chosen characters of the second line change."""
    page = open_notebook("size = 1\nprint('size', size + 2)")
    page.edit_cell(0, "+ 2", "+ 41")
    page.run_cell(0)
    expect(page.cell_output(0)).to_have_text("size 42")


def test_a_cell_may_update_the_output_of_another(open_notebook: OpenNotebook) -> None:
    """`update_display` changes the first cell's output, and the first cell is not executed."""
    page = open_notebook(
        "handle = display('old', display_id=True)", "handle.update('new')", "print('end')"
    )
    page.run_all()
    page.run_cell(1)
    expect(page.cell_output(0)).to_contain_text("new")
    assert page.execution_count(0) == 1


def test_stop_interrupts_a_cell(open_notebook: OpenNotebook) -> None:
    """A running cell ends with KeyboardInterrupt soon after Stop."""
    page = open_notebook("import time\nprint('started', flush=True)\ntime.sleep(60)")
    page.run_cell(0, wait=False)
    expect(page.cell_output(0)).to_contain_text("started")
    page.interrupt()
    expect(page.cell_output(0)).to_contain_text("KeyboardInterrupt")


def test_a_restarted_kernel_has_forgotten(open_notebook: OpenNotebook) -> None:
    """After a restart a name is gone, and outputs are still there."""
    page = open_notebook("x = 1\nprint(x)", "print('x' in globals())")
    page.run_all()
    page.restart_kernel()
    page.run_cell(1)
    expect(page.cell_output(1)).to_have_text("False")
    expect(page.cell_output(0)).to_have_text("1")


def test_save_writes_the_outputs_and_reload_shows_them(open_notebook: OpenNotebook) -> None:
    """The file holds the output, and the page shows it again without running anything."""
    page = open_notebook("print('kept')")
    page.run_all()
    page.save()
    [cell] = nbformat.read(page.file, as_version=4).cells
    assert cell.outputs[0].text == "kept\n"
    page.reload()
    expect(page.cell_output(0)).to_have_text("kept")


def test_the_dark_theme_is_dark(open_notebook: OpenNotebook) -> None:
    """The page's background is darker than its text."""
    page = open_notebook("print('night')")
    page.use_dark_theme()
    expect(page.page.locator(".jp-NotebookPanel-notebook")).to_have_css(
        "background-color", "rgb(17, 17, 17)"
    )


def test_a_widget_works(open_notebook: OpenNotebook) -> None:
    """The widget manager is installed: a slider is drawn, and its value reaches the page."""
    page = open_notebook(
        "import ipywidgets\nslider = ipywidgets.IntSlider(7)\nslider", "slider.value = 9"
    )
    page.run_all()
    expect(page.cell_output(0)).to_contain_text("9")


def test_an_error_in_a_widget_is_noticed(open_notebook: OpenNotebook) -> None:
    """What a widget's JavaScript throws while it draws is on the page's list of errors."""
    page = open_notebook(
        "import anywidget\n"
        "class Broken(anywidget.AnyWidget):\n"
        "    _esm = 'export default { render() { throw new Error(\"torn\") } }'\n"
        "Broken()"
    )
    with page.page.expect_console_message(lambda message: "torn" in message.text):
        page.run_all()
    assert any("torn" in error for error in page.errors)


def test_a_picture_is_saved(open_notebook: OpenNotebook, screenshots: Path) -> None:
    """A screenshot of one cell lands where people look for it."""
    page = open_notebook("print('smile')")
    page.run_all()
    page.screenshot(screenshots / "harness.png", of=page.cell(0))
    assert (screenshots / "harness.png").stat().st_size > 1000
