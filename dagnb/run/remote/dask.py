"""A cluster of Dask as a backend: large values stay on the workers that made them."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any

from dagnb.errors import BackendError, NotSendableError, UpstreamDrift, WorkerLostError
from dagnb.run.bell import Bell
from dagnb.run.call import Call, Report
from dagnb.run.remote.backend import Attempt, Done
from dagnb.run.remote.bench import Order
from dagnb.run.remote.calls import not_sent, pack_inputs, unpack_head
from dagnb.run.remote.channel import shared
from dagnb.run.remote.cluster import CLUSTERS
from dagnb.run.remote.connection import Connection, worker_name
from dagnb.run.remote.dask_worker import give_up, perform_on_worker
from dagnb.run.remote.handle import About, Handle, without
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.travel import Functions

if TYPE_CHECKING:
    from distributed import Future

SCATTERED_BYTES = 1_000_000  # inputs larger than this go to a worker apart from their call
GONE = ("lost", "cancelled")
MOST_TIMES = 5  # a call is sent, when workers end before they begin it
LOST_TASK = "KilledWorker"  # what Dask raises for a task whose worker ended
_attempts, _keys = itertools.count(), itertools.count()


class Dask:
    """Performs calls on the workers of a scheduler.

    A large value stays on its worker, and calls that take it are sent there, or have it sent from
    worker to worker. Each call has a process of its own beside its worker: one that is given up is
    killed, one that crashes hurts no value.

    A call whose worker ends before it has told that it begins the call is sent again, any other
    is not. A worker tells so before it begins, but it may end before that has left it: a call of
    which it is essential that it never begins twice needs a guard of its own.

    Parameters
    ----------
    scheduler : str, optional
        The address of a scheduler; without it, what `%dag cluster` chose, or else a cluster
        that is started on this machine and ends with this process.

    Attributes
    ----------
    slots : None
        The scheduler queues what is more than its workers can do.

    Raises
    ------
    BackendError
        Dask is not installed, nobody answers, or the workers have other versions.
    """

    slots: int | None = None

    def __init__(self, scheduler: str = "") -> None:
        self._connection = CLUSTERS.connection(scheduler)
        self._edition = ""
        self._functions = Functions()
        self._out: dict[str, _Sent] = {}

    def submit(self, call: Call) -> Attempt:
        """Send a call to the scheduler."""
        try:
            sent = self._sent(call)
        except NotSendableError as error:
            return Done(not_sent(error))
        self._out[sent.attempt] = sent
        try:
            sent.send()
        except Exception as error:  # whatever a client raises that has lost its scheduler
            self.forget(sent)
            return Done(not_sent(_lost(self._connection, error)))
        return sent

    def _sent(self, call: Call) -> _Sent:
        call, along = without(call, self._is_there)
        names, inputs = pack_inputs(call)
        attempt = f"{next(_attempts)}"
        self._edition = self._edition or self._connection.edition_now()
        expected = [each.about for each in along]
        _, function = self._functions.packed(call.function)
        order = Order(self._connection.topic, attempt, self._edition, function, names, expected)
        return _Sent(
            self, self._connection, order, Shipped(inputs.data, shared(inputs.buffers)), along
        )

    def _is_there(self, handle: Handle) -> bool:
        return isinstance(handle, Kept) and handle.connection is self._connection

    def forget(self, sent: _Sent) -> None:
        """Let nobody be told of an attempt any more."""
        self._out.pop(sent.attempt, None)
        self._connection.told.pop(sent.attempt, None)

    def close(self) -> None:
        """Give up what is still out; values stay where they are."""
        self.give_up(list(self._out.values()))
        self._functions.clear()
        self._edition = ""

    def give_up(self, sent: Sequence[_Sent]) -> None:
        """End attempts, in the background: the workers need not answer for it."""
        for each in sent:
            each.is_given_up = True
            self.forget(each)
        if sent:
            args = [self._connection, list(sent)]
            threading.Thread(target=_give_up, args=args, daemon=True).start()


def _give_up(connection: Connection, sent: Sequence[_Sent]) -> None:
    client = connection.client
    if not connection.is_alive:
        return
    with suppress(Exception):  # whatever a client raises whose cluster ends meanwhile
        for each in sent:
            if each.future is not None:
                each.future.cancel()
        client.run(give_up, [each.attempt for each in sent], on_error="ignore")


class _Sent:
    """A call that the scheduler has."""

    future: Future | None = None
    is_given_up = False
    _times_sent = 0

    def __init__(
        self,
        backend: Dask,
        connection: Connection,
        order: Order,
        inputs: Shipped,
        along: list[Kept],
    ) -> None:
        self._backend, self._connection = backend, connection
        self._order, self._inputs, self._along = order, inputs, along
        self._told = Bell()
        self._sending = threading.Lock()  # a quick call is over before sending it has returned
        self._report: Report | None = None
        self.attempt = order.attempt
        self.is_queued, self.place = True, ""
        self.news: deque[bytes] = deque()

    def send(self) -> None:
        """Send it, and again if a worker ends that was to take its inputs."""
        while True:
            try:
                self._begin()
                return
            except Exception:  # whatever a client raises
                if not self._connection.is_alive or self._times_sent == MOST_TIMES:
                    raise

    def _begin(self) -> None:
        """Send it; its large inputs of ours go first."""
        self._times_sent += 1
        client, inputs = self._connection.client, self._inputs
        given: Any = inputs
        if inputs.size > SCATTERED_BYTES:
            given = client.scatter(inputs, hash=False)
        self._connection.told[self.attempt] = self._take_in
        futures = [each.future for each in self._along]
        key = f"{self._connection.topic}-{next(_keys)}"  # one that was there has its result
        with self._sending:
            self.future = client.submit(
                perform_on_worker, self._order, given, *futures, key=key, pure=False
            )
        if self.is_given_up:  # meanwhile, by who ended the run
            self.give_up()

    def wait(self, seconds: float) -> Report | None:
        if not self._told.wait(seconds) and self._report is None:
            self._report = self._failed()
        if self._report is not None:
            self._backend.forget(self)
        return self._report

    def give_up(self) -> None:
        self._backend.give_up([self])

    def _failed(self) -> Report | None:
        """Return the report of a call that the scheduler could not have performed."""
        if self.future is None:  # it was told just now
            return self._report
        if not self._connection.is_alive:
            return not_sent(_lost(self._connection))
        if self.future.status in GONE:  # so are inputs of ours that its worker had
            return self._again(self.place)
        if self.future.status != "error":
            return None
        error: Any = self.future.exception()
        if type(error).__name__ != LOST_TASK:
            return not_sent(error)
        if error.task != self.future.key:  # it made an input again, and took its worker along
            return not_sent(UpstreamDrift(range(len(self._along)), self._along))
        return self._again(worker_name(error.last_worker.address))

    def _again(self, lost: str) -> Report | None:
        """Send a call again whose worker ended, if only its place in a queue was lost."""
        if not self.is_queued:
            return not_sent(WorkerLostError(lost))
        if self._times_sent == MOST_TIMES:
            return not_sent(_ends_workers(self._times_sent, lost or "one"))
        try:
            self.send()
        except Exception as error:  # whatever a client raises that has lost its scheduler
            return not_sent(_lost(self._connection, error))
        return None

    def _take_in(self, told: Mapping[str, Any]) -> None:
        """Take in what the worker tells, on the thread of the client."""
        self.is_queued, self.place = False, worker_name(told["worker"])
        if "news" in told:
            self.news.append(told["news"])
        if "head" in told:
            with self._sending:
                self._take_report(told)

    def _take_report(self, told: Mapping[str, Any]) -> None:
        """Take in what came of it."""
        report = unpack_head(told["head"])
        ended = perf_counter()
        report = report._replace(
            started=ended - (report.ended - report.started),
            ended=ended,
            place=self.place,
        )
        if isinstance(report.error, UpstreamDrift):
            report = report._replace(error=UpstreamDrift(report.error.inputs, self._along))
        elif report.error is not None:
            pass
        elif "about" in told:
            about = About(*told["about"])
            assert self.future is not None  # it was sent
            report = report._replace(value=Kept(self._connection, self.future, about))
        elif "value" in told:
            report = _with_value(report, told["value"])
        self._report = report
        self._let_go()
        self._told.ring()

    def _let_go(self) -> None:
        """Hold nothing of the cluster's any more.

        The traceback of an error holds on to the frames in which it was made here, and so to this.
        """
        self.future, self._along = None, []


def _with_value(report: Report, value: bytes) -> Report:
    try:
        return report._replace(value=Shipped(value, []).load())
    except NotSendableError as error:
        return report._replace(error=error)


def _ends_workers(count: int, last: str) -> BackendError:
    return BackendError(
        "dask",
        f"lost {count} workers ({last} was the last), each when it was about to begin this call; "
        "its inputs may take more memory than a worker has",
    )


def _lost(connection: Connection, error: Exception | None = None) -> BackendError:
    reason = f": {error}" if error else ""
    return BackendError("dask", f"lost its scheduler at {connection.address}{reason}")


class Kept(Handle):
    """A value that a worker of Dask holds; the worker forgets it when nobody has this any more."""

    __slots__ = ("_shipped", "connection", "future")

    def __init__(self, connection: Connection, future: Future, about: About) -> None:
        self.connection, self.future, self.about = connection, future, about
        self._shipped: Shipped | None = None

    def load(self) -> object:
        """Fetch the value, once.

        Raises
        ------
        UpstreamDrift
            It was lost, and came out different when it was made again.
        """
        if self._shipped is None:
            try:
                found: object = self.future.result()
            except Exception:  # whatever a client raises for what is gone
                found = None
            if not isinstance(found, Shipped) or found.about != self.about:
                raise UpstreamDrift([0], [self])
            self._shipped = found
        return self._shipped.load()
