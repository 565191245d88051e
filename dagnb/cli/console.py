"""Where a command writes: lines for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TextIO

from dagnb.observe.progress import JsonLines, Lines, Tally
from dagnb.run.plan import Plan


@dataclass(frozen=True, slots=True)
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
        return JsonLines(self.write) if self.as_json else Lines(self.write)

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
        yield
