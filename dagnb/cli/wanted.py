"""What ``dagnb run`` is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dagnb.cli.selection import Selection
from dagnb.notebook.node import ONE_ATTEMPT
from dagnb.tasks import Options


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is asked for, beside the file."""

    selection: Selection
    output: Path | None = None
    parameters: Mapping[str, object] | None = None
    full: bool = False
    dry_run: bool = False
    continue_on_error: bool = False
    attempts: Options = ONE_ATTEMPT
    workers: int | None = 1
    backend: str | None = None
    state_dir: Path | None = None
    trace: Path | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
