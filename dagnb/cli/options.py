"""Arguments and options that several commands take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from dagnb.cli.commands import words
from dagnb.project.manifest import DEFAULT_PATH

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


def _or_manifest(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
    """Take the manifest of the project if no file is named; a callback."""
    if value is not None or DEFAULT_PATH.is_file():
        return value or DEFAULT_PATH
    raise click.UsageError(f"name a FILE: there is no {DEFAULT_PATH} in this folder", ctx)


def _kinds(ctx: click.Context, param: click.Parameter, value: Iterable[str]) -> dict[str, str]:
    """Take ``NAME=MODULE:FUNCTION``, which may be repeated; a callback."""
    found = {}
    for each in value:
        name, equals, function = each.partition("=")
        if not (name and equals and ":" in function):
            raise click.BadParameter(f"write NAME=FILE.py:FUNCTION, not {each!r}", ctx, param)
        found[name] = function
    return found


_file = click.Path(path_type=Path)
file_argument = click.argument("file", metavar="FILE", type=_file)
file_or_manifest = click.argument(
    "file", metavar="[FILE]", type=_file, required=False, callback=_or_manifest
)
manifest_options = all_of(
    click.option(
        "--state-dir",
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where the state of a manifest is kept (target/state).",
    ),
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        metavar="NAME=FILE.py:FUNCTION",
        callback=_kinds,
        help="What runs the nodes of a manifest that have a type of your own.",
    ),
)
parameters_option = click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Another value for a name that the cell tagged `parameters` assigns, or that is in the "
    "`params` of nodes of a manifest.",
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


def refuse_for_notebooks(state_dir: Path | None, kinds: Mapping[str, str] | None) -> None:
    """Refuse options of manifests.

    Raises
    ------
    click.UsageError
    """
    for option, value in (("--state-dir", state_dir), ("--kind", kinds)):
        if value:
            raise click.UsageError(f"{option} is for manifests, and this is a notebook; drop it")
