"""``dagnb diff``: what differs between two notebooks, or two manifests."""

from __future__ import annotations

from pathlib import Path

import click

from dagnb.cli.commands import Command, Refusal
from dagnb.cli.manifests import manifest_in
from dagnb.cli.options import is_manifest
from dagnb.notebook.file import NotebookFile
from dagnb.notebook.outline import KIND, described
from dagnb.project.diff import ManifestDiff
from dagnb.project.manifest import Manifest

_file = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("old", metavar="OLD", type=_file)
@click.argument("new", metavar="NEW", type=_file)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a result can differ.")
@click.pass_context
def diff(ctx: click.Context, old: Path, new: Path, *, exit_code: bool) -> None:
    """Say what differs between two notebooks or two manifests.

    It also says what has to run for it. Nothing is executed. Formatting, comments, descriptions and
    tags change no result.

    \b
      dagnb diff old.ipynb report.ipynb
      git show HEAD:report.ipynb > old.ipynb && dagnb diff old.ipynb report.ipynb --exit-code
    """  # noqa: D301  # click wants the character, not its name
    if is_manifest(old) != is_manifest(new):
        raise Refusal("a notebook cannot be compared with a manifest; name two of a kind")
    found = ManifestDiff(_read(old), _read(new))
    click.echo(_plain(str(found)))
    if found.affected:
        click.echo(_plain(f"to run: {', '.join(found.affected)}"))
    ctx.exit(int(exit_code and bool(found)))


def _read(file: Path) -> Manifest:
    return manifest_in(file) if is_manifest(file) else described(NotebookFile.read(file).cells)


def _plain(text: str) -> str:
    """Return a text about a notebook's nodes in the words of notebooks."""
    for ours, theirs in ((f"{KIND}.", ""), ("config.reads.", ""), ("config.", "its ")):
        text = text.replace(ours, theirs)
    return text
