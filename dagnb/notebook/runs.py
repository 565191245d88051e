"""Runs of a session, with all that follows them: here, or in the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dagnb.events import Event, NodeSettled, Observer, RunFinished
from dagnb.notebook.capture import Shell, proxies
from dagnb.notebook.handle import BackgroundRun
from dagnb.notebook.publishing import Publisher
from dagnb.notebook.rounds import Hands, Request, Rounds
from dagnb.notebook.stage import Stage
from dagnb.notebook.staleness import Staleness
from dagnb.notebook.tasks import Tasks
from dagnb.observe.text import run_summary
from dagnb.render.recording import Recorder
from dagnb.results import IncrementalResult
from dagnb.run.backends import Chosen


@dataclass
class Runs:
    """Has requests performed, published and shown.

    Attributes
    ----------
    announce : Observer
        Told of every event.
    recorder : Recorder
        Remembers the last run.
    follow : callable
        Brings still pictures up to date.
    workers : int
        How many nodes run side by side.
    backend : str, Backend, Executor or None
        Where they run, if not in this process.
    """

    shell: Shell
    tasks: Tasks
    rounds: Rounds
    publisher: Publisher
    staleness: Staleness
    stage: Stage
    announce: Observer
    recorder: Recorder
    follow: Callable[[], None]
    workers: int = 1
    backend: Chosen = None

    def perform(
        self, request: Request, own: str | None = None, *, live: bool = False
    ) -> IncrementalResult:
        """Run on this thread.

        Parameters
        ----------
        own : str, optional
            The node whose cell is being executed: its outputs appear there.
        live : bool
            Whether they appear while it runs.
        """
        self.publisher.own = own
        self.tasks.begin([own] if own is not None and live else [])
        observers: list[Observer] = [self.announce, self.publisher]
        with self.recorder.run():
            try:
                with proxies(self.shell):
                    return self.rounds.run(
                        request, observers, Hands(self.workers, backend=self.backend)
                    )
            finally:
                self.publisher.own = None
                self.staleness.show()

    def perform_apart(
        self, request: Request, handle: BackgroundRun
    ) -> tuple[IncrementalResult, str]:
        """Run in threads, driven by this one; show it in whatever cell is the present one.

        Returns
        -------
        result : IncrementalResult
        summary : str
        """
        here, hands = self.stage.observer, Hands(self.workers, handle.cancelled, self.backend)
        self.stage.run(self.tasks.begin)
        with self.recorder.run():
            try:
                observers = [here(self.announce), self._publish, here(handle)]
                result = self.rounds.run(request, observers, hands)
            finally:
                self.stage.run(self.staleness.show)
                self.stage.run(self.follow)
        settled = self.rounds.settled.values()
        return result, run_summary(settled, result.total_duration_seconds)

    def _publish(self, event: Event) -> None:
        """Publish what nodes came to, and show it in a cell that is being executed."""
        publisher = self.publisher
        if isinstance(event, NodeSettled):
            names = [str(event.result.name)]
        elif isinstance(event, RunFinished):
            names = publisher.families
        else:
            return
        show = partial(publisher, event)
        for name in names:
            self.stage.show(name, show, partial(publisher.refresh, name))
