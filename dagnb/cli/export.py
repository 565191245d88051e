"""``dagnb export``: a notebook as a plain module."""

from __future__ import annotations

from pathlib import Path

import click

from dagnb.cli.commands import Command, Refusal
from dagnb.cli.options import file_argument, is_manifest, output_option
from dagnb.cli.subjects import only_look
from dagnb.errors import DefinitionError, NotebookError
from dagnb.notebook.as_module import as_module
from dagnb.notebook.file import NotebookFile
from dagnb.notebook.headless import opened


@click.command(cls=Command)
@file_argument
@output_option("MODULE", help="The module to write: NAME.py.")
def export(file: Path, output: Path) -> None:
    """Write a notebook as a plain module of tasks.

    Run from top to bottom it gives the same values. Plain cells stand in it as they are, magics as
    comments. Nodes with conditions, and nodes that make nodes, cannot be written in this way.
    """
    if is_manifest(file) or output.suffix != ".py":
        raise Refusal("export writes a notebook as a module: dagnb export FILE.ipynb -o NAME.py")
    notebook, place = NotebookFile.read(file), output.absolute()
    with opened(notebook, prepare=only_look) as headless:
        headless.execute()
        if headless.failures:
            raise NotebookError(f"{file}, {headless.failures[0]}")
        try:
            text = as_module(file.name, notebook.cells, headless.session)
        except DefinitionError as error:
            raise Refusal(str(error)) from None
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {output}")
