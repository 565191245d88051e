"""``dagnb store``: a look at the saved values of notebooks, and room for new ones."""

from __future__ import annotations

import re
from pathlib import Path

import click

from dagnb.cli.commands import Group
from dagnb.observe.stored import byte_count, store_listing
from dagnb.values.layout import FOLDER, MARKER, Layout
from dagnb.values.signature import signing_key
from dagnb.values.upkeep import BUDGET_BYTES, clear, evict, problems, size_of

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


class Bytes(click.ParamType[int]):
    """A number of bytes, as people write it."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read ``5GB``, ``300 MB`` or ``0``."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([\d.]+)\s*([kmgt]?)b?", str(value).strip().lower())
        try:
            return int(float(found[1]) * _UNITS[found[2]])  # type: ignore[index]  # None is caught
        except (TypeError, ValueError):
            self.fail(f"{value!r} is no size; write it like 5GB or 300MB", param, ctx)


@click.group(cls=Group)
def store() -> None:
    """Look after the saved values of notebooks.

    DIR is the folder of the notebook, or the store in it; the current folder by default.
    """


_folder = click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))


@store.command()
@_folder
def ls(folder: Path) -> None:
    """List the saved values, the last used first."""
    click.echo(store_listing(_layout(folder), signing_key()))


@store.command()
@_folder
def verify(folder: Path) -> None:
    """Check every byte; exit with 1 if something is damaged."""
    layout = _layout(folder)
    found = problems(layout, signing_key())
    for sentence in found:
        click.echo(sentence)
    click.echo(f"{len(layout.records())} values looked at, {len(found)} damaged")
    raise SystemExit(bool(found))


@store.command()
@_folder
@click.option("--budget", type=Bytes(), default=BUDGET_BYTES, help="What may stay (5GB).")
def gc(folder: Path, budget: int) -> None:
    """Let values go that were used longest ago, until the rest fits.

    What was used within the last hour stays.
    """
    layout = _layout(folder)
    freed = evict(layout, budget)
    click.echo(
        f"{freed.values} values went, {byte_count(freed.bytes)}; {byte_count(size_of(layout))} left"
    )


@store.command("clear")
@_folder
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear_(folder: Path, yes: bool) -> None:
    """Remove all values; notebooks compute them again."""
    layout = _layout(folder)
    question = (
        f"Remove {len(layout.records())} values, {byte_count(size_of(layout))}, in {layout.folder}?"
    )
    if not yes:
        click.confirm(question, abort=True)
    clear(layout)


def _layout(folder: Path) -> Layout:
    """Return the store that a folder is or has."""
    inner = folder / FOLDER
    layout = Layout(inner if inner.is_dir() else folder)
    if not (layout.folder / MARKER).exists():
        raise click.UsageError(f"there is no store in {folder.absolute()}")
    layout.check()
    return layout
