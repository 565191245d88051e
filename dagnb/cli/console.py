"""Where a command writes: a live table in a terminal, lines elsewhere, JSON for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import TextIO

from dagnb.observe.live import LiveTable
from dagnb.observe.progress import JsonLines, Lines, Tally
from dagnb.run.plan import Plan


@dataclass(slots=True)
class Console:
    """What the user asked to see, and where it is written.

    Attributes
    ----------
    as_json : bool
    quiet : bool
    out : file
        The stream of the terminal; the cells of a notebook get another one.
    """

    as_json: bool = False
    quiet: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)

    def write(self, text: object) -> None:
        """Write a line."""
        print(text, file=self.out, flush=True)

    def progress(self) -> Tally:
        """Return an observer that writes how a run goes on."""
        if self.quiet:
            return Tally()
        if self.as_json:
            return JsonLines(self.write)
        return LiveTable(self.out) if self.out.isatty() else Lines(self.write)

    def plan(self, plan: Plan) -> None:
        """Write what would run."""
        if not self.as_json:
            self.write(plan)
            return
        for step in plan:
            self.write(json.dumps({"event": "planned", **asdict(step)}))

    @contextmanager
    def shown(self, progress: Tally) -> Iterator[None]:
        """Show it while the body runs."""
        drawn = progress if isinstance(progress, LiveTable) else nullcontext()
        with drawn, self._alone() if self.as_json else nullcontext():
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep what others write to standard output apart: children of cells, libraries in C."""
        try:
            number = self.out.fileno()
        except (OSError, ValueError):  # it is no file
            yield
            return
        shared, self.out = self.out, os.fdopen(os.dup(number), "w", encoding="utf-8")
        try:
            os.dup2(sys.__stderr__.fileno() if sys.__stderr__ else number, number)
            yield
        finally:
            self.out.flush()
            os.dup2(self.out.fileno(), number)
            self.out.close()
            self.out = shared
