"""``dagnb test``: each node of a notebook is a test."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import click

from dagnb.cli.commands import Command, Refusal
from dagnb.cli.options import file_argument, is_manifest
from dagnb.notebook.file import NotebookFile
from dagnb.notebook.outline import outline

PLUGIN = "dagnb.notebook.pytest_plugin"
_IMPORTED = "ignore:Module already imported so cannot be rewritten; dagnb"  # by this command


@click.command(cls=Command, context_settings={"ignore_unknown_options": True})
@file_argument
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST OPTIONS]")
@click.pass_context
def test(ctx: click.Context, file: Path, options: tuple[str, ...]) -> None:
    """Run the nodes of a notebook as tests, one each.

    A node that fails is a test that fails. `pytest FILE` does the same; a fixture `dagnb_inputs` in
    a conftest.py gives small values in place of nodes. What stands behind FILE goes to pytest.

    \b
      dagnb test report.ipynb
      dagnb test report.ipynb -k totals -x
    """  # noqa: D301  # click wants the character, not its name
    try:
        import pytest
    except ImportError:
        raise Refusal("this needs pytest: pip install pytest") from None
    if is_manifest(file):
        raise Refusal("test runs the nodes of notebooks; rules test those of a manifest: dagnb run")
    if not outline(NotebookFile.read(file).cells):
        raise Refusal(f"{file} has no nodes that can be told from reading it")
    is_there = any(each.value == PLUGIN for each in entry_points(group="pytest11"))
    plugin = [] if is_there else ["-p", PLUGIN]
    ctx.exit(int(pytest.main([*plugin, "-W", _IMPORTED, str(file), *options])))
