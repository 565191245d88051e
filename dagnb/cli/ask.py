"""``dagnb plan``, ``status``, ``why`` and ``graph``: questions that run no node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dagnb.cli.commands import Command, Refusal
from dagnb.cli.options import (
    file_argument,
    file_or_manifest,
    manifest_options,
    output_option,
    parameters_option,
    selection_options,
)
from dagnb.cli.selection import Selection
from dagnb.cli.subjects import looked_at
from dagnb.notebook.parameters import typed


@click.command(cls=Command)
@file_or_manifest
@parameters_option
@selection_options
@manifest_options
@click.option("--full", is_flag=True, help="As if every node were asked to run.")
def plan(file: Path, **options: Any) -> None:
    """Say what a run would do, why, and how long it would take.

    No node runs. The plain cells of a notebook do, since they say what nodes read.

    \b
      dagnb plan report.ipynb
      dagnb plan report.ipynb -p limit 20 --nodes totals
    """  # noqa: D301  # click wants the character, not its name
    chosen = {name: options[name] for name in ("nodes", "tags", "types", "exclude_tags")}
    given = {name: typed(text) for name, text in options["parameters"]}
    of_manifest = {name: options[name] for name in ("state_dir", "kinds")}
    with looked_at(file, parameters=given, **of_manifest) as subject:
        text = subject.plan(Selection(**chosen), full=options["full"])
    click.echo(text)


@click.command(cls=Command)
@file_or_manifest
@manifest_options
def status(file: Path, **options: Any) -> None:
    """List the nodes, those that are up to date and those that are not.

    No node runs. The plain cells of a notebook do, since they say what nodes read.
    """
    with looked_at(file, **options) as subject:
        text = subject.status()
    click.echo(text)


@click.command(cls=Command)
@file_argument
@click.argument("node", metavar="NODE")
@manifest_options
def why(file: Path, node: str, **options: Any) -> None:
    """Say why a node is to run, or why it is not.

    No node runs. The plain cells of a notebook do, since they say what nodes read.

    \b
      dagnb why report.ipynb totals
    """  # noqa: D301  # click wants the character, not its name
    with looked_at(file, **options) as subject:
        text = subject.why(node)
    click.echo(text)


@click.command(cls=Command)
@file_or_manifest
@output_option(
    "PICTURE", help="The file to write; its ending says the form: .svg, .png, .dot, .mmd."
)
def graph(file: Path, output: Path) -> None:
    """Draw the graph as a picture, or write it as text.

    No node runs. The plain cells of a notebook do, since they say what nodes read.

    \b
      dagnb graph report.ipynb -o graph.svg
      dagnb graph pipeline.json -o graph.mmd
    """  # noqa: D301  # click wants the character, not its name
    place = output.absolute()
    try:
        with looked_at(file) as subject:
            subject.draw(place)
    except ValueError as error:
        raise Refusal(str(error)) from None
    except OSError as error:
        raise Refusal(f"{output} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {output}")
