"""The command line: ``dagnb store ls``, ``verify``, ``gc`` and ``clear``."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from dagnb.errors import DagError
from dagnb.observe.text import seconds, table
from dagnb.values.layout import FOLDER, MARKER, Layout
from dagnb.values.signature import signing_key
from dagnb.values.upkeep import BUDGET_BYTES, clear, evict, problems, saved_values, size_of

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


class Group(click.Group):
    """Commands whose own errors are one line, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except DagError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Group)
@click.version_option(package_name="dagnb")
def main() -> None:
    """Look after what dagnb keeps."""


@main.group()
def store() -> None:
    """Look after the saved values of notebooks.

    DIR is the folder of the notebook, or the store in it; the current folder by default.
    """


_folder = click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))


@store.command()
@_folder
def ls(folder: Path) -> None:
    """List the saved values, the last used first."""
    layout = _layout(folder)
    found = sorted(saved_values(layout, signing_key()), key=lambda each: -each[1])
    rows = [
        [each.node, _size(each.size), seconds(each.seconds), _ago(used), each.text]
        for each, used in found
    ]
    if rows:
        click.echo(table(["node", "size", "took", "used", "value"], rows))
    click.echo(f"{len(rows)} values, {_size(size_of(layout))} in {layout.folder}")


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
@click.option("--budget", type=Bytes(), default=BUDGET_BYTES, help="what may stay (default: 5GB)")
def gc(folder: Path, budget: int) -> None:
    """Let values go that were used longest ago, until the rest fits.

    What was used within the last hour stays.
    """
    layout = _layout(folder)
    freed = evict(layout, budget)
    click.echo(f"{freed.values} values went, {_size(freed.bytes)}; {_size(size_of(layout))} left")


@store.command("clear")
@_folder
@click.option("--yes", is_flag=True, help="do not ask")
def clear_(folder: Path, yes: bool) -> None:
    """Remove all values; notebooks compute them again."""
    layout = _layout(folder)
    question = (
        f"Remove {len(layout.records())} values, {_size(size_of(layout))}, in {layout.folder}?"
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


def _size(number: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> _size(512), _size(23_456_789)
    ('512 B', '23.5 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _ago(at: float) -> str:
    """Return how long ago something was."""
    passed = max(time.time() - at, 0.0)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= length:
            return f"{passed / length:.0f} {unit} ago"
    return "just now"


if __name__ == "__main__":
    main()
