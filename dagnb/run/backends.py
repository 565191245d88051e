"""Who performs the calls of a run: this process, or the backend that the run or a node asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from math import inf
from queue import SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from dagnb.errors import BackendError, TaskTimeoutError, UpstreamDrift
from dagnb.run.attempts import SLICE_SECONDS, Once, given_up, perform_here
from dagnb.run.call import Call, Report
from dagnb.run.remote.backend import Backend, Hear, Traveller
from dagnb.run.remote.handle import unpacked
from dagnb.tasks import BACKENDS, check_backend

if TYPE_CHECKING:
    from dagnb.run.remote.batches import Batches
    from dagnb.run.remote.processes import Processes

Chosen: TypeAlias = str | Backend | Executor | None
Placed: TypeAlias = Callable[[int, str], None]  # takes a node, and who performs its call


class Backends:
    """The backends of one run, each made when the first call asks for it.

    Parameters
    ----------
    default : str, Backend or Executor, optional
        Who performs the calls of nodes that do not say otherwise; this process by default.
    here : callable
        Performs a call once in this process.
    ships : bool
        Whether large values may be left where they are, as a `Handle`, until one looks at them.
    """

    def __init__(
        self, default: Chosen = None, here: Once = perform_here, *, ships: bool = False
    ) -> None:
        self._ships = ships
        self._default = default
        self._here = here
        self._made: dict[Any, Backend | None] = {}
        self._making = threading.Lock()

    @property
    def are_remote(self) -> bool:
        """Whether nodes that do not say otherwise are performed elsewhere."""
        return self._default not in (None, "threads", "inline")

    def perform(self, call: Call, timeout: float | None, placed: Placed | None = None) -> Report:
        """Perform a call once, for no longer than it may, wherever it is to be.

        ``placed`` is told who performs it, if that is not this process.
        """
        asked = None if call.options is None else call.options.backend
        try:
            backend = self._backend(self._default if asked is None else asked)
        except BackendError as error:
            return Report(None, error, now := perf_counter(), now)
        try:
            call = call if backend is not None else unpacked(call)
            return (
                self._here(call, timeout)
                if backend is None
                else perform_on(backend, call, timeout, placed)
            )
        except UpstreamDrift as error:  # found when an input was to be fetched
            return Report(None, error, now := perf_counter(), now)

    def batches(
        self, work: SimpleQueue[Any], reports: Any, stopped: threading.Event
    ) -> Batches | None:
        """Return what performs calls of a queue several at a time, if the default can."""
        if self._default != "processes":
            return None
        from dagnb.run.remote.batches import Batches

        return Batches(self, work, reports, stopped)

    def for_many(self, call: Call) -> Processes | None:
        """Return what takes this call together with others, if anything does."""
        from dagnb.run.remote.processes import Processes

        if call.options is not None or isinstance(call.function, Traveller):
            return None
        backend = self._backend(self._default)
        return backend if isinstance(backend, Processes) else None

    def ready(self) -> Backends:
        """Make the default, so that what it lacks is said before anything runs; return these.

        Raises
        ------
        BackendError
            It cannot be used here.
        """
        self._backend(self._default)
        return self

    def _backend(self, chosen: Chosen) -> Backend | None:
        if chosen is None:
            return None
        with self._making:
            if chosen not in self._made:
                self._made[chosen] = backend_of(chosen, ships=self._ships)
        return self._made[chosen]

    def close(self) -> None:
        """End what is still going on."""
        for backend in self._made.values():
            if backend is not None:
                backend.close()


def backend_of(chosen: Chosen, *, ships: bool = False) -> Backend | None:
    """Return the backend of a name, or around an executor; None for threads of this process.

    Raises
    ------
    ValueError, TypeError
        There is no such backend.
    BackendError
        It cannot be used here; the message says what is missing.
    """
    check_backend(chosen)
    if isinstance(chosen, Executor):
        from dagnb.run.remote.futures import Futures

        return Futures(chosen)
    if not isinstance(chosen, str):
        return chosen
    return _MAKERS[chosen](ships)


def _processes(ships: bool) -> Backend:
    from dagnb.run.remote.processes import Processes

    return Processes(ships=ships)


def _dask(ships: bool) -> Backend:
    from dagnb.run.remote.dask import Dask

    return Dask()


def _ray(ships: bool) -> Backend:
    from dagnb.run.remote.ray import Ray

    return Ray()


_MAKERS: dict[str, Callable[[bool], Backend | None]] = {
    "inline": lambda ships: None,
    "threads": lambda ships: None,
    "processes": _processes,
    "dask": _dask,
    "ray": _ray,
}
assert _MAKERS.keys() == set(BACKENDS)


def at_scheduler(chosen: Chosen, scheduler: str | None) -> Chosen:
    """Return the backend at an address, if one is given; else what was chosen.

    Raises
    ------
    ValueError
        An address is given for what has none.
    BackendError
        Nobody answers there, or the workers have other versions.
    """
    if scheduler is None:
        return chosen
    if chosen == "ray":
        from dagnb.run.remote.ray import Ray

        return Ray(scheduler)
    if chosen not in (None, "dask"):
        raise ValueError(
            f"scheduler= goes with backend='dask' or backend='ray', not with {chosen!r}"
        )
    from dagnb.run.remote.dask import Dask

    return Dask(scheduler)


def perform_on(
    backend: Backend, call: Call, timeout: float | None, placed: Placed | None = None
) -> Report:
    """Perform a call once on a backend, and give it up when its time is over."""
    function = call.function
    if not isinstance(function, Traveller) or getattr(backend, "is_here", False):
        return _awaited(backend, call, timeout, placed)

    def send(other: Callable[..., Any], hear: Hear | None = None) -> Report:
        return _awaited(backend, call._replace(function=other), timeout, placed, hear)

    return function.travel(send)


def _awaited(
    backend: Backend,
    call: Call,
    timeout: float | None,
    placed: Placed | None,
    hear: Hear | None = None,
) -> Report:
    if placed is not None or hear is not None:
        call = call._replace(tells=True)
    attempt, place = backend.submit(call), ""
    started = perf_counter()
    seconds = inf if timeout is None else timeout
    try:
        while True:
            left, is_queued = started + seconds - perf_counter(), attempt.is_queued
            report = attempt.wait(max(0.0, min(SLICE_SECONDS, left)))
            if is_queued:  # until now, at most: it has no less time than it may take
                started = perf_counter()
            if placed is not None and attempt.place != place:
                placed(call.node, place := attempt.place)
            while hear is not None and attempt.news:
                hear(attempt.news.popleft())
            if report is not None:
                return report
            if left <= 0 and timeout is not None:
                attempt.give_up()
                return given_up(started, TaskTimeoutError(timeout))
    except BaseException:
        attempt.give_up()
        raise
