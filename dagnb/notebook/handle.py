"""The handle of a run in the background: what a person holds of it."""

from __future__ import annotations

import asyncio
import html
import threading
from collections.abc import Generator
from time import monotonic
from typing import Any

from dagnb.events import Event, NodeSettled
from dagnb.notebook.capture import Output, Shell
from dagnb.notebook.display import CellOutput
from dagnb.notebook.one_run import TICK_SECONDS
from dagnb.render.view import GraphView
from dagnb.results import IncrementalResult
from dagnb.run.bell import Awaited

_REFRESH_SECONDS = 0.25  # between two looks of a shown handle; every one is a message


class BackgroundRun:
    """A run in the background: await it, ask it, cancel it.

    ``await handle`` and `result` give what `Session.run` would have returned. Stop ends such
    waiting, and not the run. Where it is shown, it is kept up to date.

    Parameters
    ----------
    shell : InteractiveShell
    view : GraphView
        Tells how far the run is.

    Attributes
    ----------
    cancelled : threading.Event
        Set once somebody cancelled it.
    """

    def __init__(self, shell: Shell, view: GraphView) -> None:
        self._shell, self._view = shell, view
        self._future: Awaited[IncrementalResult] = Awaited()
        self._shown: list[CellOutput] = []
        self._refreshed = 0.0
        self._ending = ""
        self._future.set_running_or_notify_cancel()
        self.cancelled = threading.Event()

    @property
    def done(self) -> bool:
        """Whether it is over, however it ended."""
        return self._future.is_over

    def cancel(self) -> bool:
        """End it: what runs is interrupted, and what has not run stays stale.

        Returns
        -------
        bool
            False if it was over already.
        """
        if self.done:
            return False
        self.cancelled.set()
        return True

    def result(self, timeout: float | None = None) -> IncrementalResult:
        """Wait for the end; return what became of the nodes.

        A run that was cancelled has a result too, whose ``stopped`` says so.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            It is not over yet.
        """
        return self._future.wait_for(TICK_SECONDS, timeout)

    def __await__(self) -> Generator[Any, None, IncrementalResult]:
        return self._wait().__await__()

    async def _wait(self) -> IncrementalResult:
        """Wait on the running loop, which sees Stop only when it wakes up."""
        waiting = asyncio.wrap_future(self._future)
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=TICK_SECONDS)
        return waiting.result()

    # -- called by the thread that runs -----------------------------------------------------

    def show_ending(self, ending: str) -> None:
        """Show how the run ended; whoever waits is not told yet."""
        self._ending = ending
        self.refresh()

    def finish(self, result: IncrementalResult) -> None:
        """Tell whoever waits."""
        self._future.set_result(result)

    def break_off(self, error: BaseException) -> None:
        """Tell whoever waits that the run ended by an error of its own."""
        self._ending = f"broke off with {type(error).__name__}: {error}"
        self._future.set_exception(error)

    def __call__(self, event: Event) -> None:
        """Follow the run, as an observer."""
        if isinstance(event, NodeSettled) and monotonic() - self._refreshed > _REFRESH_SECONDS:
            self.refresh()

    # -- how it looks -----------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<{self._state()}: {self._progress()}>"

    def _repr_html_(self) -> str:
        hint = "; <code>await</code> it, or end it with <code>%dag stop</code>"
        progress = html.escape(self._progress())
        return f"<b>{self._state()}</b>: {progress}{'' if self._ending else hint}"

    def _ipython_display_(self) -> None:
        output = CellOutput(self._shell)
        self._shown.append(output)
        output.show([self._as_output()])

    def _state(self) -> str:
        if self._ending:
            return "Cancelled" if self.cancelled.is_set() else "Ran in the background"
        return "Ending" if self.cancelled.is_set() else "Running in the background"

    def _progress(self) -> str:
        if self._ending:
            return self._ending
        run = self._view.run
        return f"{run.done} of {run.total} nodes done" if run and run.total else "beginning"

    def _as_output(self) -> Output:
        data = {"text/plain": repr(self), "text/html": self._repr_html_()}
        return {"output_type": "display_data", "data": data, "metadata": {}}

    def refresh(self) -> None:
        """Bring what is shown of it up to date."""
        self._refreshed = monotonic()
        for output in self._shown:
            output.refresh([self._as_output()])
