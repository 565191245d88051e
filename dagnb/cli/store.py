"""``dagnb store``: a look at the saved values of notebooks and manifests, and room for new ones."""

from __future__ import annotations

import re
from pathlib import Path

import click

from dagnb.cli.commands import Group
from dagnb.cli.options import is_manifest
from dagnb.observe.stored import byte_count, store_listing
from dagnb.project.runner import VALUES
from dagnb.project.state import DEFAULT_FOLDER
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
    """Look after the saved values of notebooks and manifests.

    PLACE is a notebook, a manifest, its state directory, a folder with one of them, or the store
    itself; the current folder by default.
    """


_folder = click.argument("folder", metavar="[PLACE]", default=".", type=click.Path(path_type=Path))


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
    """Remove all values; they are computed again when they are needed."""
    layout = _layout(folder)
    question = (
        f"Remove {len(layout.records())} values, {byte_count(size_of(layout))}, in {layout.folder}?"
    )
    if not yes:
        click.confirm(question, abort=True)
    clear(layout)


def _layout(place: Path) -> Layout:
    """Return the store that belongs to a file, or that a folder is or has."""
    for folder in _folders(place):
        if (folder / MARKER).exists():
            layout = Layout(folder)
            layout.check()
            return layout
    raise click.UsageError(f"there is no store in {place.absolute()}")


def _folders(place: Path) -> tuple[Path, ...]:
    """Return where the store of a place may be, the nearest first."""
    if place.is_file():
        return (DEFAULT_FOLDER / VALUES,) if is_manifest(place) else (place.parent / FOLDER,)
    return place / FOLDER, place, place / VALUES, place / DEFAULT_FOLDER / VALUES
