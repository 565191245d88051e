"""``dagnb test``: each node of a notebook or a manifest is a test."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import click

from dagnb.cli.commands import Command, Refusal
from dagnb.cli.manifests import manifest_in
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
    """Run the nodes of a notebook or a manifest as tests, one each.

    A node that fails is a test that fails. `pytest FILE` does the same; a fixture `dagnb_inputs` in
    a conftest.py gives small values in place of nodes. What stands behind FILE goes to pytest.

    The tests of a manifest have a state of their own, and its exposures write into a temporary
    folder. A fixture `dagnb_kinds` gives functions for kinds of your own.

    \b
      dagnb test report.ipynb
      dagnb test report.ipynb -k totals -x
      dagnb test pipeline.json
    """  # noqa: D301  # click wants the character, not its name
    try:
        import pytest
    except ImportError:
        raise Refusal("this needs pytest: pip install pytest") from None
    if not (
        manifest_in(file).nodes if is_manifest(file) else outline(NotebookFile.read(file).cells)
    ):
        raise Refusal(f"{file} has no nodes that can be told from reading it")
    is_there = any(each.value == PLUGIN for each in entry_points(group="pytest11"))
    plugin = [] if is_there else ["-p", PLUGIN]
    ctx.exit(int(pytest.main([*plugin, "-W", _IMPORTED, str(file), *options])))
