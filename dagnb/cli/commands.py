"""Commands whose errors are one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from dagnb.errors import (
    DagError,
    DefinitionError,
    ManifestError,
    NodeNotFoundError,
    NotebookError,
    SelectionError,
    SqlError,
    did_you_mean,
)

WRONG_USAGE = 2
_MISUSE = (
    NotebookError, NodeNotFoundError, SelectionError, ManifestError, SqlError, DefinitionError,
)  # fmt: skip


class Refusal(click.ClickException):
    """Ends a command with one line and the code for wrong usage."""

    exit_code = WRONG_USAGE


class Command(click.Command):
    """A command that takes ``--debug``; an error of ours is one line, and with it a traceback."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                help="Show the traceback of an error.",
                callback=_note_debug,
                is_eager=True,
            )
        )

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DagError as error:
            if is_debugging(ctx):
                raise
            raise _said(error) from error


class Group(click.Group):
    """A group of such commands that suggests the nearest one for a typo."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            ctx.fail(f"there is no command {name!r}{did_you_mean(name, known)}")
        return super().resolve_command(ctx, args)


def is_debugging(ctx: click.Context) -> bool:
    """Whether somebody asked for tracebacks."""
    return bool(ctx.find_root().meta.get("dagnb.debug"))


def words(ctx: click.Context, param: click.Parameter, value: Iterable[str]) -> tuple[str, ...]:
    """Take an option that may be repeated and may hold commas; a callback."""
    found = (word.strip() for each in value for word in each.split(","))
    return tuple(dict.fromkeys(word for word in found if word))


def _note_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.find_root().meta["dagnb.debug"] = value


def _said(error: DagError) -> click.ClickException:
    misuse = isinstance(error, _MISUSE)
    return Refusal(str(error)) if misuse else click.ClickException(str(error))
