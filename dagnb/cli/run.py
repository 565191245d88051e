"""``dagnb run``: what is stale runs, and the outputs are written back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from dagnb.cli.commands import Command
from dagnb.cli.console import Console
from dagnb.cli.manifests import run_manifest
from dagnb.cli.options import (
    file_argument,
    file_or_manifest,
    is_manifest,
    manifest_options,
    output_option,
    parameters_option,
    refuse_for_notebooks,
    selection_options,
)
from dagnb.cli.selection import Selection
from dagnb.cli.stopping import Stopping
from dagnb.cli.wanted import Wanted
from dagnb.errors import BackendError, DagError, NotebookError
from dagnb.notebook.claim import claimed
from dagnb.notebook.file import NotebookFile, Ran
from dagnb.notebook.headless import Headless, opened
from dagnb.notebook.parameters import typed
from dagnb.notebook.session import Session
from dagnb.observe.live import LiveTable
from dagnb.observe.progress import Tally
from dagnb.observe.text import run_summary, seconds
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.conditions import is_passed_by
from dagnb.tasks import BACKENDS, Options, check_backend


@click.command(cls=Command)
@file_or_manifest
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the outputs into a copy; FILE stays as it is.",
)
@parameters_option
@selection_options
@manifest_options
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
@click.option("--scheduler", metavar="ADDRESS", help="The cluster for --backend dask or ray.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a timeline of the run, for https://ui.perfetto.dev.",
)
@click.option("--json", "as_json", is_flag=True, help="Write a line of JSON for each event.")
@click.option("--quiet", "-q", is_flag=True, help="Write nothing but errors.")
@click.pass_context
def run(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Run what changed in a notebook or a manifest, and all below it.

    Plain cells run, node cells define their nodes, and the nodes run that have no value for the
    code and the inputs they have now. Values are shared with Jupyter by the folder .dagnb beside
    the notebook. The outputs are written back into FILE, and nothing else in it is touched.

    A FILE that ends in .json is a manifest; without FILE it is target/manifest.json. It has no
    outputs to write, and its parameters are the `params` of its nodes.

    \b
    Exit codes: 0 all is up to date; 1 a node or a cell failed; 2 wrong usage;
    130 stopped by Ctrl-C: once lets running nodes end, twice stops them.

    \b
      dagnb run report.ipynb
      dagnb run report.ipynb -o out.ipynb -p limit 20 -p species Adelie
      dagnb run report.ipynb --nodes totals,chart --jobs 4
      dagnb run report.ipynb --backend processes
      dagnb run report.ipynb --dry-run
      dagnb run pipeline.json --kind email=jobs.py:send
    """  # noqa: D301  # click wants the character, not its name
    console = Console(as_json=options.pop("as_json"), quiet=options.pop("quiet"))
    options["backend"] = _cluster(options.pop("scheduler"), options["backend"])
    wanted = _wanted(options)
    if is_manifest(file):
        ctx.exit(run_manifest(file, wanted, console))
    refuse_for_notebooks(wanted.state_dir, wanted.kinds)
    ctx.exit(run_notebook(file, wanted, console))


def _cluster(scheduler: str | None, backend: str | None) -> str | None:
    """Use the cluster at an address, if one is given; return the backend."""
    if scheduler is None:
        return backend
    if backend not in (None, "dask", "ray"):
        raise click.UsageError(f"--scheduler is for --backend dask or ray, not for {backend}")
    from dagnb.run.remote.cluster import CLUSTERS
    from dagnb.run.remote.ray import connect

    try:
        (connect if backend == "ray" else CLUSTERS.connect)(scheduler)
    except BackendError as error:
        raise click.ClickException(str(error)) from None
    return backend or "dask"


def _wanted(options: dict[str, Any]) -> Wanted:
    """Check the options against each other.

    Raises
    ------
    click.UsageError
        Two contradict each other.
    """
    if options["dry_run"] and options["output"]:
        raise click.UsageError("--dry-run writes nothing, so it cannot go with --output")
    selection = Selection(
        options["nodes"], options["tags"], options["types"], options["exclude_tags"]
    )
    return Wanted(
        selection,
        options["output"],
        {name: typed(text) for name, text in options["parameters"]},
        options["full"],
        options["dry_run"],
        options["continue_on_error"],
        Options.checked(options["timeout"], options["retry"]),
        _workers(options["jobs"], options["backend"]),
        options["backend"],
        options["state_dir"],
        options["trace"],
        options["kinds"],
    )


def _workers(jobs: str | None, backend: str | None) -> int | None:
    """Return how many nodes run side by side; None for as many as there are CPUs."""
    try:
        check_backend(backend)
    except ValueError as error:
        raise click.UsageError(f"{error}, in --backend") from None
    if jobs is not None and jobs != "auto" and not (jobs.isdecimal() and int(jobs)):
        raise click.UsageError(f"--jobs takes a number from 1 on, or auto; not {jobs!r}")
    if backend == "inline" and jobs not in (None, "1"):
        raise click.UsageError(f"--backend inline runs one node at a time; drop --jobs {jobs}")
    if jobs is None:
        return 1 if backend in (None, "inline") else None
    return None if jobs == "auto" else int(jobs)


def run_notebook(file: Path, wanted: Wanted, console: Console) -> int:
    """Run a notebook and write its outputs; return the exit code."""
    began, here = perf_counter(), Path.cwd()
    notebook = NotebookFile.read(file)
    if not wanted.dry_run:
        notebook.check_writable(wanted.output)
    progress = Tally() if wanted.dry_run else console.progress()
    alone = nullcontext() if wanted.dry_run else claimed(notebook.path)
    with alone, _opened(notebook, wanted, progress) as headless:
        with (
            Stopping(headless.session.gate.close, progress.note) as stopping,
            console.shown(progress),
        ):
            _perform(headless, wanted, stopping)
        made = headless.ran()
        if wanted.trace is not None:
            _save_trace(headless, here / wanted.trace)
        if wanted.dry_run:
            names = wanted.selection.names(headless.session)
            console.plan(headless.session.plan(names, fresh=wanted.full))
    unsaved = None if wanted.dry_run else _save(notebook, made, wanted.output)
    code = _conclude(headless, progress, stopping, perf_counter() - began, is_saved=not unsaved)
    if unsaved is not None:
        raise click.ClickException(str(unsaved)) from unsaved
    return code


def _save(notebook: NotebookFile, made: dict[int, Ran], output: Path | None) -> Exception | None:
    """Write the outputs; return what prevents it, so that first is told what has run."""
    try:
        notebook.save(made, output)
    except NotebookError as error:
        return error
    return None


@contextmanager
def _opened(notebook: NotebookFile, wanted: Wanted, progress: Tally) -> Iterator[Headless]:
    def prepare(session: Session) -> None:
        gate = session.gate
        gate.only_known = wanted.dry_run
        gate.closes_on_error = not wanted.continue_on_error
        gate.excludes = wanted.selection.excluded
        session.attempts, session.workers = wanted.attempts, wanted.workers
        session.backend = wanted.backend or "threads"
        session.observers.append(progress)
        progress.workers = session.workers
        progress.total = sum("dag_node" in cell.source for cell in notebook.cells)
        if isinstance(progress, LiveTable):
            earlier = session.saving.earlier().values()
            progress.expected = {saved.node: saved.seconds for saved in earlier}

    going = wanted.continue_on_error
    with opened(notebook, parameters=wanted.parameters, goes_on=going, prepare=prepare) as headless:
        yield headless


def _perform(headless: Headless, wanted: Wanted, stopping: Stopping) -> None:
    """Execute the cells, then the nodes asked for; a second Ctrl-C ends either."""
    try:
        headless.execute()
        if headless.failures and not wanted.continue_on_error:
            return
        names = wanted.selection.names(headless.session)
        headless.run(names, fresh=wanted.full and not wanted.dry_run)
    except KeyboardInterrupt:
        headless.notes.append("stopped at once")
        stopping.was_interrupted()


def _has_failed(result: NodeResult) -> bool:
    """Whether a node has no value though it was to have one; a condition may say that it is not."""
    is_skipped = result.status is NodeStatus.SKIPPED and not is_passed_by(result)
    return result.error is not None or is_skipped


def _save_trace(headless: Headless, place: Path) -> None:
    try:
        headless.session.trace().save(place)
    except (OSError, DagError) as error:
        headless.notes.append(f"no timeline is written to {place}: {error}")


def _conclude(
    headless: Headless, progress: Tally, stopping: Stopping, took: float, *, is_saved: bool
) -> int:
    """Tell what became of it; return the exit code."""
    for note in [*headless.notes, *headless.session.saving.take_notices()]:
        progress.note(note)
    for failure in headless.failures:
        progress.note(str(failure))
    has_failed = any(map(_has_failed, progress.results.values()))
    code = stopping.exit_code or int(bool(headless.failures) or has_failed or not is_saved)
    summary = run_summary(progress.results.values(), took)
    if code and not progress.results:
        summary = f"no node ran ({seconds(took)})"
    progress.finish(summary, {"exit_code": code})
    return code


@click.command(cls=Command)
@file_argument
@output_option("TIMELINE", help="The file to write, for https://ui.perfetto.dev.")
@click.pass_context
def trace(ctx: click.Context, file: Path, output: Path) -> None:
    """Run as `dagnb run` does, and write a timeline of the run."""
    wanted = Wanted(Selection(), trace=output)
    perform = run_manifest if is_manifest(file) else run_notebook
    ctx.exit(perform(file, wanted, Console()))
