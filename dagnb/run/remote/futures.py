"""Any executor of `concurrent.futures` as a backend: a pool of a cluster's, of loky's, of yours."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from time import perf_counter
from typing import ClassVar

from dagnb.errors import NotSendableError
from dagnb.run.call import Call, Report, perform
from dagnb.run.remote.backend import Attempt, Done
from dagnb.run.remote.calls import not_sent, pack_inputs, perform_packed, unpack_report
from dagnb.run.remote.handle import unpacked
from dagnb.run.remote.travel import Packed, pack_function


class Futures:
    """Performs calls with an executor, which stays its owner's: a run does not shut it down.

    What an executor cannot do, this cannot either: a call that is late is cancelled if it has not
    begun, and else left to itself, and one that crashes its process may break the executor for
    all calls after it. Their nodes fail, saying so. Nothing is heard of a call in another process
    before it is over: what the node of a notebook prints there appears then, all of it.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        With threads, or with processes that have dagnb.

    Attributes
    ----------
    slots : int or None
        The executor's own number of workers, as far as it tells.
    is_here : bool
        Whether it has threads of this process, so that functions need not travel.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._out: set[Future[bytes] | Future[Report]] = set()
        self.slots: int | None = getattr(executor, "_max_workers", None)
        self.is_here = isinstance(executor, ThreadPoolExecutor)

    def submit(self, call: Call) -> Attempt:
        """Hand a call to the executor."""
        try:
            future = self._submitted(unpacked(call))
        except NotSendableError as error:
            return Done(not_sent(error))
        except RuntimeError as error:  # shut down, or broken by an earlier call
            return Done(not_sent(error))
        self._out.add(future)
        future.add_done_callback(self._out.discard)
        return _Waiting(future)

    def _submitted(self, call: Call) -> Future[bytes] | Future[Report]:
        if self.is_here:
            return self._executor.submit(perform, call)
        names, inputs = pack_inputs(call)
        function = pack_function(call.function)
        return self._executor.submit(perform_joined, function, names, joined(inputs))

    def close(self) -> None:
        """Cancel what has not begun."""
        for future in list(self._out):
            future.cancel()


class _Waiting:
    """A call that an executor performs."""

    is_queued = False  # it does not tell
    place = ""
    news: ClassVar[deque[bytes]] = deque()

    def __init__(self, future: Future[bytes] | Future[Report]) -> None:
        self._future = future

    def wait(self, seconds: float) -> Report | None:
        try:
            found = self._future.result(seconds)
        except TimeoutError:
            return None if not self._future.done() else self._broken()
        except (CancelledError, Exception):
            return self._broken()
        return found if isinstance(found, Report) else report_of(found)

    def _broken(self) -> Report:
        """Return the report of a call whose executor raised: its pool is broken."""
        if self._future.cancelled():
            return not_sent(RuntimeError("the executor cancelled the call"))
        error = self._future.exception()
        return not_sent(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def give_up(self) -> None:
        self._future.cancel()


def perform_joined(function: bytes, names: Sequence[str], inputs: bytes) -> bytes:
    """Perform a packed call in another process, and return its packed report."""
    return joined(perform_packed(function, names, *separated(inputs)))


def joined(packed: Packed) -> bytes:
    """Return a pickle with its buffers as one piece."""
    return pickle.dumps((packed.data, list(packed.buffers)), pickle.HIGHEST_PROTOCOL)


def separated(data: bytes) -> tuple[bytes, list[memoryview]]:
    """Return a pickle and its buffers, which can be written to."""
    inner, buffers = pickle.loads(data)
    return inner, [memoryview(bytearray(each)) for each in buffers]


def report_of(data: bytes) -> Report:
    """Return the report, with times of this process: the other may be on another machine."""
    inner, buffers = separated(data)
    report = unpack_report(inner, buffers=buffers)
    ended = perf_counter()
    return report._replace(started=ended - (report.ended - report.started), ended=ended)
