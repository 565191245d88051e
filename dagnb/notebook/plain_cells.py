"""What plain cells change, and what runs because of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dagnb.errors import CycleError
from dagnb.notebook.aftermath import Aftermath, has_news
from dagnb.notebook.drift import Drift
from dagnb.notebook.loading import Loading
from dagnb.notebook.one_run import OneRun
from dagnb.notebook.staleness import Staleness
from dagnb.observe.text import listed, run_summary

if TYPE_CHECKING:
    from dagnb.notebook.session import Session


class PlainCells:
    """Looks after a session when a cell begins, and when it has ended.

    Beside a run in the background nothing can be looked at, as that needs all as it is. Then it
    is done when the run is over, or at the end of the first cell after it.

    Parameters
    ----------
    session : Session
    aftermath : Aftermath
    staleness : Staleness
    one_run : OneRun
    loading : Loading
    drift : Drift
        Told of the cells that end beside a run.

    Attributes
    ----------
    has_missed : bool
        Whether cells have ended whose changes nobody has looked at.
    """

    def __init__(
        self,
        session: Session,
        aftermath: Aftermath,
        staleness: Staleness,
        one_run: OneRun,
        *,
        loading: Loading,
        drift: Drift,
    ) -> None:
        self._session = session
        self._aftermath = aftermath
        self._staleness = staleness
        self._one_run = one_run
        self._loading = loading
        self._drift = drift
        self._names: set[str] = set()
        self._succeeded = False
        self.has_missed = False

    def begin(self) -> None:
        """Note that a cell begins, whatever the one before was interrupted in."""
        self._one_run.recover()

    def before(self, source: str) -> None:
        """Load the values that a cell may read."""
        self._session.load(self._loading.mentioned(source))

    def after(self, names: Iterable[str], *, run: bool) -> list[str]:
        """Find what a cell changed, and run the nodes that read it.

        Parameters
        ----------
        names : iterable of str
            The names the cell mentions.
        run : bool
            False for a cell that failed: what became stale runs after the next one.

        Returns
        -------
        list of str
            A sentence for each thing to tell.
        """
        self._names.update(names)
        self._succeeded |= run
        self.has_missed = True
        if self._one_run.is_elsewhere:
            self._drift.note()
            return []
        notices, due = self._look()
        return notices + (self._run(due) if due else [])

    def make_up(self) -> None:
        """Do the same for cells that ended beside a run, in the background; say what runs."""
        if not self.has_missed or self._session.running:
            return
        notices, due = self._look()
        if due:
            self._session.run(due, background=True)
            notices.append(f"because of cells that ran meanwhile: running {listed(due)}")
        for notice in notices:
            print(notice)

    def _look(self) -> tuple[list[str], list[str]]:
        """Return sentences to tell, and the nodes to run."""
        names, succeeded = self._names, self._succeeded
        self._names, self._succeeded, self.has_missed = set(), False, False
        self._loading.tidy()
        notices = self._aftermath.check_values(names)
        try:
            self._session.look()
        except CycleError as error:
            notices.append(f"{type(error).__name__}: {error}")
        self._staleness.show()
        due = self._aftermath.take_due() if succeeded else []
        return notices, due if self._session.auto else []

    def _run(self, due: list[str]) -> list[str]:
        result, settled = self._session.run(due), self._session.settled
        notices = self._session.failures()
        ran = [name for name, each in settled.items() if each.executed]
        notices += self._session.restless.news(name for name in ran if name in due)
        notices += [each for name in ran for each in self._session.cautions.news(name)]
        if has_news(settled.values()):
            summary = run_summary(settled.values(), result.total_duration_seconds)
            notices.insert(0, f"because of this cell: {summary}")
        return notices
