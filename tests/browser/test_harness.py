"""The harness itself, on plain cells: what the other browser tests cannot show of it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook


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


def test_a_restarted_kernel_has_forgotten(open_notebook: OpenNotebook) -> None:
    """After a restart a name is gone, and outputs are still there."""
    page = open_notebook("x = 1\nprint(x)", "print('x' in globals())")
    page.run_all()
    page.restart_kernel()
    page.run_cell(1)
    expect(page.cell_output(1)).to_have_text("False")
    expect(page.cell_output(0)).to_have_text("1")


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
