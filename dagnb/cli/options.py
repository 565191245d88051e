"""Arguments and options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dagnb.cli.commands import words

Decorator = Callable[[Any], Any]


def several(*names: str, help: str) -> Decorator:
    """Return an option that may be repeated and may hold commas."""
    return click.option(*names, multiple=True, metavar="A,B", callback=words, help=help)


def all_of(*options: Decorator) -> Decorator:
    """Return a decorator that adds options in this order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def output_option(metavar: str, help: str) -> Decorator:
    """Return the option for the file that a command writes."""
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("-o", "--output", required=True, metavar=metavar, type=path, help=help)


file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
state_option = click.option(
    "--state-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the state of a manifest is kept (target/state).",
)
parameters_option = click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Another value for a name that the cell tagged `parameters` assigns.",
)
selection_options = all_of(
    several("--nodes", "--node", help="These, what they need and what depends on them."),
    several("--tags", "--tag", help="The nodes with one of these tags, in the same way."),
    several("--types", "--type", help="The nodes of these types, in the same way."),
    several("--exclude-tags", "--exclude-tag", help="Leave these out, and what depends on them."),
)


def is_manifest(file: Path) -> bool:
    """Whether a file is to be read as a manifest: its name says so."""
    return file.suffix.lower() == ".json"
