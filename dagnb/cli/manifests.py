"""Manifests on the command line: opened, taught kinds, run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagnb.cli.commands import Refusal
from dagnb.cli.console import Console
from dagnb.cli.stopping import Stopping
from dagnb.cli.wanted import Wanted
from dagnb.errors import did_you_mean
from dagnb.events import Observer
from dagnb.observe.progress import Tally
from dagnb.observe.text import run_summary
from dagnb.observe.trace import ExecutionTrace, Tracer
from dagnb.project.functions import find_function
from dagnb.project.manifest import Manifest
from dagnb.project.params import with_params
from dagnb.project.runner import DAGRunner


def manifest_in(file: Path) -> Manifest:
    """Read a manifest.

    Raises
    ------
    Refusal
        The file is not there, or cannot be read.
    ManifestError
    """
    try:
        return Manifest.load(file)
    except FileNotFoundError:
        there = [each.name for each in file.parent.glob("*.json")]
        raise Refusal(f"there is no file {file}{did_you_mean(file.name, there)}") from None
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}") from None


def runner_of(
    file: Path,
    *,
    state_dir: Path | None = None,
    kinds: Mapping[str, str] | None = None,
    parameters: Mapping[str, object] | None = None,
    observers: Sequence[Observer] = (),
) -> DAGRunner:
    """Return the runner of a manifest, taught the kinds that functions are named for.

    Raises
    ------
    DefinitionError
        There is no such function.
    SelectionError
        No node has such a parameter.
    """
    manifest = with_params(manifest_in(file), parameters or {})
    runner = DAGRunner(manifest, state_dir=state_dir, observers=observers)
    for kind, function in (kinds or {}).items():
        runner.register(kind, find_function(function, Path.cwd()))
    return runner


def run_manifest(file: Path, wanted: Wanted, console: Console) -> int:
    """Run a manifest; return the exit code.

    Raises
    ------
    Refusal
        It is asked for what only a notebook has.
    """
    if wanted.output:
        raise Refusal(
            "--output is for notebooks; what a manifest computes is in its state, and its "
            "exposures write files"
        )
    if wanted.backend not in (None, "inline", "threads"):
        raise Refusal(f"--backend {wanted.backend} is for notebooks; choose threads, and --jobs")
    progress, drain = console.progress(), threading.Event()
    tracer = Tracer()
    runner = runner_of(
        file,
        state_dir=wanted.state_dir,
        kinds=wanted.kinds,
        parameters=wanted.parameters,
        observers=[progress, tracer],
    )
    progress.total = len(runner.manifest)
    if wanted.dry_run:
        progress = Tally()
    with Stopping(drain.set, progress.note) as stopping, console.shown(progress):
        try:
            runner.run(**_of_manifest(wanted), cancel_event=drain, progress=wanted.dry_run)
        except KeyboardInterrupt:
            stopping.signal = stopping.signal or signal.SIGINT
    if wanted.dry_run or runner.summary is None:
        return stopping.exit_code
    if wanted.trace is not None:
        save_trace(tracer.trace, wanted.trace, progress.note)
    code = stopping.exit_code or runner.summary.exit_code
    took = runner.summary.total_duration
    progress.finish(run_summary(progress.results.values(), took), {"exit_code": code})
    return code


def _of_manifest(wanted: Wanted) -> dict[str, Any]:
    """Return the options of a run in the words of `DAGRunner.run`."""
    chosen = wanted.selection
    return {
        "full": wanted.full,
        "dry_run": wanted.dry_run,
        "nodes": chosen.nodes or None,
        "tags": chosen.tags or None,
        "node_types": chosen.types or None,
        "exclude_tags": chosen.exclude_tags or None,
        "continue_on_error": wanted.continue_on_error,
        "retry": wanted.attempts.retries,
        "timeout": wanted.attempts.timeout,
        "jobs": wanted.workers or os.cpu_count() or 1,
    }


def save_trace(trace: ExecutionTrace, place: Path, say: Callable[[str], None]) -> None:
    """Write a timeline; say it if that cannot be done."""
    try:
        trace.save(place)
    except OSError as error:
        say(f"no timeline is written to {place}: {error}")
