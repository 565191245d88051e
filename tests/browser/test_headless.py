"""One notebook by turns in JupyterLab and by ``dagnb run``: who comes later computes nothing."""

from __future__ import annotations

import json
import subprocess

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage
from tests.cli.conftest import command_line, environment

KEPT = "import os\n_ = os.environ.pop('DAGNB_STORE', None)  # as users have it\n%load_ext dagnb"
EXECUTED = (
    "import dagnb\nview = dagnb.session().view\n"
    "print([name for name, node in view.nodes.items() if node.status != 'cached'])"
)
CELLS = (
    KEPT,
    "limit = 1",
    "%%dag_node raw\nprint('loading')\n[3, 1, 2]",
    "%%dag_node clean\n[x for x in raw if x > limit]",
    "%%dag_node rows --lang sql\nselect unnest($clean) as n order by n",
    EXECUTED,
)
RAW, LAST = 2, len(CELLS) - 1


def run_headless(page: NotebookPage) -> list[str]:
    """Run the saved notebook with ``dagnb run``; return the nodes that were executed."""
    done = subprocess.run(
        command_line("run", page.file.name, "--json"),
        cwd=page.file.parent,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    events = map(json.loads, done.stdout.splitlines())
    return [each["node"] for each in events if each.get("executed")]


@pytest.mark.parametrize("server", ["lab"], indirect=True)
def test_by_turns(open_notebook: OpenNotebook) -> None:
    """Lab runs all, the terminal nothing, and a new kernel in Lab nothing; outputs are the same."""
    page = open_notebook(*CELLS)
    page.run_all()
    expect(page.cell_output(LAST)).to_contain_text("['raw', 'clean', 'rows']")
    shown = page.cell_output_text(RAW)
    page.save()
    assert run_headless(page) == []
    page.restart_kernel()
    page.reload()
    assert page.cell_output_text(RAW).split() == shown.split()
    page.run_all()
    expect(page.cell_output(LAST)).to_have_text("[]")
    assert page.cell_output_text(RAW).split() == shown.split()
    page.save()
    assert run_headless(page) == []
    assert page.errors == []
