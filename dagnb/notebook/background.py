"""Runs in the background: their thread, and what the cells beside them leave to do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from dagnb.errors import DagError
from dagnb.notebook.capture import Shell, install
from dagnb.notebook.handle import BackgroundRun
from dagnb.notebook.one_run import OneRun
from dagnb.notebook.stage import Stage
from dagnb.render.view import GraphView
from dagnb.results import IncrementalResult
from dagnb.run.threads import has_threads

Perform = Callable[[BackgroundRun], tuple[IncrementalResult, str]]


class Background:
    """Has runs performed in a thread that drives them and performs no node itself.

    Parameters
    ----------
    shell : InteractiveShell
    view : GraphView
    one_run : OneRun
    stage : Stage
    afterwards : callable
        Does what is left to do on the main thread. Called after each run there, between two
        cells, where an event loop runs.

    Attributes
    ----------
    last : BackgroundRun or None
        The handle of the present or last run.
    """

    def __init__(
        self,
        shell: Shell,
        view: GraphView,
        one_run: OneRun,
        stage: Stage,
        afterwards: Callable[[], None],
    ) -> None:
        self._shell, self._view = shell, view
        self._one_run, self._stage = one_run, stage
        self._afterwards = afterwards
        self.last: BackgroundRun | None = None

    def begin(self, prepare: Callable[[], Perform]) -> BackgroundRun:
        """Begin a run and return at once.

        Parameters
        ----------
        prepare : callable
            Looks at the code on this thread; returns what performs the run, with its summary.

        Raises
        ------
        DagError
            A run is going on, or there are no threads.
        """
        check_threads()
        self._one_run.begin(in_background=True)
        thread: threading.Thread | None = None
        try:
            install(self._shell)
            handle = BackgroundRun(self._shell, self._view)
            work = partial(self._work, handle, prepare(), _running_loop())
            thread = threading.Thread(target=work, name="dagnb-background", daemon=True)
            self.last = handle
            self._one_run.hand_over()
            thread.start()
        except BaseException:
            if thread is None or thread.ident is None:
                self._one_run.end()
            raise
        return handle

    def _work(
        self, handle: BackgroundRun, perform: Perform, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self._one_run.take_over()
        try:
            try:
                result, summary = perform(handle)
                ending = partial(handle.show_ending, summary)
                self._stage.show(handle, ending, handle.refresh)
            finally:
                self._one_run.end()
        except BaseException as error:
            handle.break_off(error)
        else:
            handle.finish(result)
        if loop is not None:
            with suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(self._afterwards, context=self._stage.context)


def check_threads() -> None:
    """Refuse where there are no threads.

    Raises
    ------
    DagError
        This is Python in a browser.
    """
    if not has_threads():
        raise DagError("there are no threads here (Pyodide); nodes run one after another")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
