"""A run in a terminal: what has ended scrolls up, what runs stands below it with a bar."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

from dagnb.observe.progress import MARKS, Tally
from dagnb.observe.text import error_text, seconds
from dagnb.results import NodeResult, NodeStatus

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

FRAMES_PER_SECOND = 8
MOST_RUNNING = 8
_COLOURS = {
    NodeStatus.COMPLETED: "green",
    NodeStatus.CACHE_HIT: "cyan",
    NodeStatus.FAILED: "bold red",
    NodeStatus.TIMED_OUT: "bold red",
    NodeStatus.SKIPPED: "yellow",
    NodeStatus.CANCELLED: "yellow",
}


class LiveTable(Tally):
    """An observer that draws how a run goes on; a context while the terminal is its own.

    Parameters
    ----------
    out : file
        The terminal.
    """

    def __init__(self, out: TextIO, console: Console | None = None) -> None:
        super().__init__()
        self._out = out
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> LiveTable:
        from rich.console import Console
        from rich.live import Live

        self._console = self._console or Console(file=self._out, highlight=False)
        self._live = Live(
            get_renderable=self.table,
            console=self._console,
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def settled(self, result: NodeResult) -> None:
        """Let a line scroll up."""
        from rich.text import Text

        mark = MARKS.get(result.status, result.status.value)
        line = Text(f"{mark:>7}", style=_COLOURS.get(result.status, ""))
        line.append(f"  {result.name}", style="default not bold")
        if result.executed:
            line.append(f"  {seconds(result.duration_seconds)}", style="dim not bold")
        self._print(line)
        why = error_text(result.error) if result.error is not None else ""
        why = result.reason if result.status is NodeStatus.SKIPPED else why
        if why:
            self._print(Text(f"         {why}", style="default"))

    def note(self, text: str) -> None:
        """Let it scroll up."""
        from rich.text import Text

        self._print(Text(text))

    def finish(self, summary: str, facts: Mapping[str, Any]) -> None:
        """Write the summary."""
        self.note(summary)

    def _print(self, line: object) -> None:
        if self._console is not None:
            self._console.print(line)

    def table(self, now: float | None = None) -> Table:
        """Return what stands below the lines: the nodes that run, and a bar."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        now = perf_counter() if now is None else now
        table = Table.grid(padding=(0, 2))
        running = list(self.running.items())
        for name, began in running[:MOST_RUNNING]:
            usual = self.expected.get(name)
            of = f" of about {seconds(usual)}" if usual else ""
            table.add_row("running", name, f"{seconds(max(now - began, 0.0))}{of}")
        if len(running) > MOST_RUNNING:
            table.add_row("", f"and {len(running) - MOST_RUNNING} more", "")
        left = self.seconds_left(now)
        about = f"  about {seconds(left)} left" if left else ""
        bar = ProgressBar(total=max(self.total, 1), completed=len(self.results), width=30)
        table.add_row(f"{len(self.results)}/{self.total}", bar, about.strip())
        return table
