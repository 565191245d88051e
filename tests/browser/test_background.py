"""Runs in the background, as a user sees them: the graph lives, cells go on, outputs find home."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook

SLOW = """\
%%dag_node slow
if started:
    while not go_on.exists(): time.sleep(0.01)
print("slow speaks")
started"""
FAMILY = """\
%%dag_node family --expand
{f"child_{n}": lambda slow, n=n: print(f"child {n} speaks") or slow + n for n in range(slow)}"""


def test_a_run_in_the_background(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    """While nodes run, are born, and print below their own cells, another cell is executed."""
    go_on = tmp_path / "go on"
    page = open_notebook(
        f"%load_ext dagnb\nimport pathlib, time\ngo_on, started = pathlib.Path({str(go_on)!r}), 0",
        SLOW,
        FAMILY,
        "%dag show",
        "%dag auto off\nstarted = 2",
        "handle = %dag run --bg\nhandle",
        "print('beside', handle.done)",
        "result = await handle\nprint(result.stopped or 'ended')",
    )
    for cell in range(6):
        page.run_cell(cell)
    page.expect_status("slow", "running")
    page.run_cell(6)
    expect(page.cell_output(6)).to_have_text("beside False")
    assert page.node_status("slow") == "running"
    assert page.node("child_0").count() == 0
    go_on.touch()
    page.expect_status("child_1", "completed")
    page.run_cell(7)
    expect(page.cell_output(7)).to_have_text("ended")
    expect(page.cell_output(1)).to_contain_text("slow speaks")
    expect(page.cell_output(2)).to_contain_text("made 2 nodes: child_0, child_1")
    expect(page.cell_output(2)).to_contain_text("child 1 speaks")
    expect(page.cell_output(5)).to_contain_text("Ran in the background: ran slow, family, child_0")
    assert page.errors == []
