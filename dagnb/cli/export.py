"""``dagnb export``: a notebook or a manifest as a plain module, or as a manifest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from dagnb.cli.commands import Command, Refusal
from dagnb.cli.manifests import manifest_in
from dagnb.cli.options import file_argument, is_manifest, output_option
from dagnb.cli.subjects import only_look
from dagnb.errors import DefinitionError, NotebookError
from dagnb.notebook.as_module import MADE, as_manifest, as_module
from dagnb.notebook.file import NotebookFile
from dagnb.notebook.headless import Headless, opened
from dagnb.project.as_module import as_module as manifest_as_module


@click.command(cls=Command)
@file_argument
@output_option("OUTPUT", help="The file to write: NAME.py or NAME.json.")
def export(file: Path, output: Path) -> None:
    """Write a plain module of tasks, or a manifest.

    NAME.py, run from top to bottom, gives the same values. Plain cells stand in it as they are,
    magics as comments. NAME.json is a manifest for `dagnb run NAME.json`, with the functions of its
    nodes in a NAME.py beside it; plain cells that read nodes are left out of it. A manifest is
    written as a manifest in the one form that dagnb has.

    Nodes with conditions, nodes that make nodes, and kinds that `--kind` teaches cannot be written
    in this way.

    \b
      dagnb export report.ipynb -o report.py
      dagnb export report.ipynb -o pipeline.json
      dagnb export pipeline.json -o pipeline.py
    """  # noqa: D301  # click wants the character, not its name
    if output.suffix not in (".py", ".json"):
        raise Refusal(f"-o NAME.py writes a module, -o NAME.json a manifest; {output} is neither")
    try:
        made = (_of_manifest if is_manifest(file) else _of_notebook)(file, output.absolute())
    except DefinitionError as error:
        raise Refusal(str(error)) from None
    _write(made, output)


def _of_manifest(file: Path, place: Path) -> dict[Path, str]:
    """Return the file to write of a manifest, with what is to be in it."""
    manifest = manifest_in(file)
    text = manifest_as_module(file.name, manifest) if place.suffix == ".py" else manifest.to_json()
    return {place: text}


def _of_notebook(file: Path, place: Path) -> dict[Path, str]:
    """Return the files to write of a notebook, with what is to be in them."""
    notebook, here = NotebookFile.read(file), Path.cwd()
    with opened(notebook, prepare=only_look) as headless:
        headless.execute()
        if headless.failures:
            raise NotebookError(f"{file}, {headless.failures[0]}")
        return _made(headless, place, here)


def _made(headless: Headless, place: Path, here: Path) -> dict[Path, str]:
    """Return the files to write, with what is to be in them."""
    name, cells = headless.file.path.name, headless.file.cells
    if place.suffix == ".py":
        return {place: as_module(name, cells, headless.session)}
    module = place.with_suffix(".py")
    _check_free(module)
    reference = Path(os.path.relpath(module, here)).as_posix()
    manifest, text = as_manifest(name, cells, headless.session, reference)
    return {module: text, place: manifest.to_json()}


def _check_free(module: Path) -> None:
    """Refuse to write over a module that somebody else wrote."""
    ours = MADE.partition("{")[0]
    if module.exists() and not module.read_text(encoding="utf-8").startswith(ours):
        raise Refusal(
            f"{module.name} is there and was not made by dagnb export; choose another name"
        )


def _write(made: Mapping[Path, str], output: Path) -> None:
    try:
        for place, text in made.items():
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {' and '.join(_named(place) for place in made)}")


def _named(place: Path) -> str:
    """Return a path as seen from here, if it lies below."""
    here = Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)
