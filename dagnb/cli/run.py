"""``dagnb run``: what is stale runs, and the outputs are written back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from dagnb.cli.commands import Command, Refusal, is_debugging, words
from dagnb.cli.console import Console
from dagnb.cli.selection import Selection
from dagnb.cli.stopping import Stopping
from dagnb.notebook.file import NotebookFile
from dagnb.notebook.headless import Headless, opened
from dagnb.notebook.node import ONE_ATTEMPT
from dagnb.notebook.parameters import typed
from dagnb.notebook.session import Session
from dagnb.observe.progress import Tally
from dagnb.observe.text import run_summary
from dagnb.tasks import Options

BACKENDS = ("inline", "threads")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run of a notebook is asked for, beside the file."""

    selection: Selection
    output: Path | None = None
    parameters: Mapping[str, object] | None = None
    full: bool = False
    dry_run: bool = False
    continue_on_error: bool = False
    attempts: Options = ONE_ATTEMPT
    workers: int | None = 1


def _several(*names: str, help: str) -> Any:
    return click.option(*names, multiple=True, metavar="A,B", callback=words, help=help)


notebook_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
parameters_option = click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Another value for a name that the cell tagged `parameters` assigns.",
)
selection_options = (
    _several("--nodes", "--node", help="Run these, what they need and what depends on them."),
    _several("--tags", "--tag", help="The same for the nodes with these tags."),
    _several("--types", "--type", help="The same for nodes of these types, in a manifest."),
    _several("--exclude-tags", "--exclude-tag", help="Leave these out, and what depends on them."),
)


def with_selection(command: Any) -> Any:
    """Add the options that select nodes."""
    for option in reversed(selection_options):
        command = option(command)
    return command


@click.command(cls=Command)
@notebook_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the outputs into a copy; FILE stays as it is.",
)
@parameters_option
@with_selection
@click.option("--full", is_flag=True, help="Run every node, whatever is known.")
@click.option("--dry-run", is_flag=True, help="Say what would run; plain cells do run.")
@click.option("--continue-on-error", is_flag=True, help="Run all that does not need what failed.")
@click.option(
    "--retry",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Try a node N times more after an error, if it says nothing of that itself.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Interrupt a node that takes longer, if it says nothing of that itself.",
)
@click.option("--jobs", "-j", metavar="N|auto", help="Run so many nodes side by side.")
@click.option("--backend", metavar="|".join(BACKENDS), help="Who runs the nodes.")
@click.option("--json", "as_json", is_flag=True, help="Write a line of JSON for each event.")
@click.option("--quiet", "-q", is_flag=True, help="Write nothing but errors.")
@click.pass_context
def run(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Run a notebook: what changed, and what depends on it.

    Plain cells run, node cells define their nodes, and the nodes run that have no value for the
    code and the inputs they have now. Values are shared with Jupyter by the folder .dagnb beside
    the notebook. The outputs are written back into FILE, and nothing else in it is touched.

    \b
    Exit codes: 0 all is up to date; 1 a node or a cell failed; 2 wrong usage;
    130 stopped by Ctrl-C: once lets running nodes end, twice stops them.

    \b
      dagnb run report.ipynb
      dagnb run report.ipynb -o out.ipynb -p limit 20 -p species Adelie
      dagnb run report.ipynb --nodes totals,chart --jobs 4
      dagnb run report.ipynb --dry-run
    """  # noqa: D301  # click wants the character, not its name
    console = Console(as_json=options.pop("as_json"), quiet=options.pop("quiet"))
    ctx.exit(run_notebook(file, _wanted(options), console, debug=is_debugging(ctx)))


def _wanted(options: dict[str, Any]) -> Wanted:
    """Check the options against each other.

    Raises
    ------
    Refusal, click.UsageError
        Two contradict each other, or a notebook has no use for one.
    """
    if options["types"]:
        raise Refusal("the nodes of a notebook have no types; select them with --nodes or --tags")
    if options["dry_run"] and options["output"]:
        raise click.UsageError("--dry-run writes nothing, so it cannot go with --output")
    selection = Selection(options["nodes"], options["tags"], options["exclude_tags"])
    return Wanted(
        selection,
        options["output"],
        {name: typed(text) for name, text in options["parameters"]},
        options["full"],
        options["dry_run"],
        options["continue_on_error"],
        Options.checked(options["timeout"], options["retry"]),
        _workers(options["jobs"], options["backend"]),
    )


def _workers(jobs: str | None, backend: str | None) -> int | None:
    """Return how many nodes run side by side; None for as many as there are CPUs."""
    if backend is not None and backend not in BACKENDS:
        raise click.UsageError(
            f"there is no backend {backend!r} for notebooks; choose {' or '.join(BACKENDS)}"
        )
    if jobs is not None and jobs != "auto" and not (jobs.isdecimal() and int(jobs)):
        raise click.UsageError(f"--jobs takes a number from 1 on, or auto; not {jobs!r}")
    if backend == "inline" and jobs not in (None, "1"):
        raise click.UsageError(f"--backend inline runs one node at a time; drop --jobs {jobs}")
    if jobs is None:
        return None if backend == "threads" else 1
    return None if jobs == "auto" else int(jobs)


def run_notebook(file: Path, wanted: Wanted, console: Console, *, debug: bool = False) -> int:
    """Run a notebook and write its outputs; return the exit code."""
    began = perf_counter()
    notebook = NotebookFile.read(file)
    if not wanted.dry_run:
        notebook.check_writable(wanted.output)
    progress = Tally() if wanted.dry_run else console.progress()
    with _opened(notebook, wanted, progress) as headless:
        with Stopping(headless.session.gate, progress.note) as stopping, console.shown(progress):
            _perform(headless, wanted)
        made = headless.ran()
        if wanted.dry_run:
            names = wanted.selection.names(headless.session)
            console.plan(headless.session.plan(names, fresh=wanted.full))
    if not wanted.dry_run:
        notebook.save(made, wanted.output)
    return _conclude(headless, progress, stopping, perf_counter() - began)


@contextmanager
def _opened(notebook: NotebookFile, wanted: Wanted, progress: Tally) -> Iterator[Headless]:
    def prepare(session: Session) -> None:
        gate = session.gate
        gate.only_known = wanted.dry_run
        gate.closes_on_error = not wanted.continue_on_error
        gate.excludes = wanted.selection.excluded
        session.attempts, session.workers = wanted.attempts, wanted.workers
        session.observers.append(progress)

    going = wanted.continue_on_error
    with opened(notebook, parameters=wanted.parameters, goes_on=going, prepare=prepare) as headless:
        yield headless


def _perform(headless: Headless, wanted: Wanted) -> None:
    """Execute the cells, then the nodes asked for; a second Ctrl-C ends either."""
    try:
        headless.execute()
        if headless.failures and not wanted.continue_on_error:
            return
        names = wanted.selection.names(headless.session)
        headless.run(names, fresh=wanted.full and not wanted.dry_run)
    except KeyboardInterrupt:
        headless.notes.append("stopped")


def _conclude(headless: Headless, progress: Tally, stopping: Stopping, took: float) -> int:
    """Tell what became of it; return the exit code."""
    for note in [*headless.notes, *headless.session.saving.take_notices()]:
        progress.note(note)
    for failure in headless.failures:
        progress.note(str(failure))
    has_failed = any(each.error is not None for each in progress.results.values())
    code = stopping.exit_code or int(bool(headless.failures) or has_failed)
    progress.finish(run_summary(progress.results.values(), took), {"exit_code": code})
    return code
