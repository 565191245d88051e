"""A cluster of Ray as a backend: large values stay in the object stores of its nodes."""

from __future__ import annotations

import itertools
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from time import perf_counter
from typing import Any
from uuid import uuid4

from dagnb.errors import BackendError, NotSendableError, UpstreamDrift, WorkerLostError
from dagnb.run.call import Call, Report
from dagnb.run.remote.backend import Attempt, Done, check_installed
from dagnb.run.remote.bench import Order
from dagnb.run.remote.calls import not_sent, pack_inputs, unpack_head
from dagnb.run.remote.channel import shared
from dagnb.run.remote.handle import About, Handle, without
from dagnb.run.remote.ray_worker import Told, perform_on_worker, steps, version
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.slot import Edition
from dagnb.run.remote.travel import Functions

_connecting = threading.Lock()
_edition = Edition()
_topic = uuid4().hex
_attempts = itertools.count()


class Ray:
    """Performs calls on the workers of a cluster of Ray.

    A large value stays in Ray's object store, and calls that take it are sent a reference. Each
    call has a process of its own beside its worker: one that is given up is killed, one that
    crashes hurts nobody. Ray itself repeats nothing, so that what ran once has run once.

    Parameters
    ----------
    address : str, optional
        Of the cluster. Without it, the one that this process uses already, the one that
        ``RAY_ADDRESS`` names, or one that is started on this machine and ends with this process.

    Attributes
    ----------
    slots : None
        Ray queues what is more than its workers can do.

    Raises
    ------
    BackendError
        Ray is not installed, nobody answers, or the workers have another version of dagnb.
    """

    slots: int | None = None

    def __init__(self, address: str = "") -> None:
        with _connecting:
            connect(address)
            _edition.is_over()
        self._functions = Functions()
        self._out: set[_Sent] = set()

    def submit(self, call: Call) -> Attempt:
        """Send a call."""
        try:
            call, along = without(call, lambda handle: isinstance(handle, Stored))
            names, inputs = pack_inputs(call)
            _, function = self._functions.packed(call.function)
        except NotSendableError as error:
            return Done(not_sent(error))
        about = [each.about for each in along]
        attempt, edition = str(next(_attempts)), str(_edition.number)
        order = Order(_topic, attempt, edition, function, names, about)
        given = order, Shipped(inputs.data, shared(inputs.buffers)), *(each.ref for each in along)
        is_timed = call.options is not None and call.options.timeout is not None
        with raising_ours():
            sent = (_Telling if is_timed or call.tells else _Sent)(self, given, along)
        self._out.add(sent)
        return sent

    def forget(self, sent: _Sent) -> None:
        """Count an attempt no longer among those that are out."""
        self._out.discard(sent)

    def close(self) -> None:
        """Give up what is still out; values stay where they are."""
        for each in list(self._out):
            each.give_up()
        self._functions.clear()


class _Sent:
    """A call that Ray has; nobody wants to hear of it before it is over."""

    is_queued = False
    place = ""

    def __init__(self, backend: Ray, given: Sequence[Any], along: Sequence[Stored]) -> None:
        self._backend, self._along = backend, along
        self.news: deque[bytes] = deque()
        self._refs: list[Any] = list(self._send(given))

    def _send(self, given: Sequence[Any]) -> Sequence[Any]:
        refs: Sequence[Any] = _remote(perform_on_worker, 2).remote(*given)
        return refs

    def wait(self, seconds: float) -> Report | None:
        if not self._is_told(seconds):
            return None
        self._backend.forget(self)
        report = self._report()
        self._refs, self._along = [], []  # an error's traceback may hold on to this
        return report

    def give_up(self) -> None:
        self._backend.forget(self)
        self._cancel(self._refs[-1])

    def _cancel(self, what: Any) -> None:
        import ray

        with suppress(Exception):  # whatever Ray raises for a call or a cluster that has gone
            ray.cancel(what, recursive=False)

    def _is_told(self, seconds: float) -> bool:
        return is_ready(self._refs[-1], seconds)

    def _report(self) -> Report:
        """Return the report, with times of this process: the other may be on another machine."""
        try:
            told = fetched(self._refs[-1])
        except Lost:
            return not_sent(UpstreamDrift(range(len(self._along)), self._along))
        except (BackendError, WorkerLostError) as error:
            return not_sent(error)
        assert isinstance(told, Told)
        report, ended = unpack_head(told.head), perf_counter()
        report = report._replace(
            started=ended - (report.ended - report.started), ended=ended, place=told.worker
        )
        if isinstance(report.error, UpstreamDrift):
            return report._replace(error=UpstreamDrift(report.error.inputs, self._along))
        if report.error is not None:
            return report
        try:
            return report._replace(value=self._value(told))
        except NotSendableError as error:
            return report._replace(error=error)

    def _value(self, told: Told) -> object:
        if told.about is not None:
            return Stored(self._refs[0], told.about)
        return None if told.value is None else Shipped(told.value, []).load()


class _Telling(_Sent):
    """A call that is heard of while it is under way; that costs more."""

    def _send(self, given: Sequence[Any]) -> Sequence[Any]:
        self._steps = _remote(steps, "streaming").remote(*given)
        self._is_over = False
        return []

    @property
    def is_queued(self) -> bool:  # type: ignore[override]  # it changes
        """Whether it waits for a worker."""
        return not self.place

    def give_up(self) -> None:
        self._backend.forget(self)
        self._cancel(self._steps)

    def _is_told(self, seconds: float) -> bool:
        """Wait so long for the next step; whether it was the last, or there will be no more."""
        if not is_ready(self._steps, seconds):
            return False
        with suppress(StopIteration):
            ref = next(self._steps)
            if not self._is_over and self._hears(ref):
                return False
            self._refs.append(ref)
            return len(self._refs) > 1 or not self._is_over
        return True

    def _hears(self, ref: Any) -> bool:
        """Take in a step before the call is over; False if it cannot be had, which tells why."""
        try:
            step = fetched(ref)
        except (Lost, BackendError, WorkerLostError):
            return False
        if isinstance(step, bytes):
            self.news.append(step)
        elif step is None:
            self._is_over = True
        else:
            self.place = str(step)
        return True


class Lost(Exception):
    """An object that Ray does not have any more."""


class Stored(Handle):
    """A value in Ray's object store, which forgets it when nobody has this any more."""

    __slots__ = ("_shipped", "ref")

    def __init__(self, ref: Any, about: About) -> None:
        self.ref, self.about = ref, about
        self._shipped: Shipped | None = None

    def load(self) -> object:
        """Fetch the value, once.

        Raises
        ------
        UpstreamDrift
            It was lost.
        """
        if self._shipped is None:
            try:
                found = fetched(self.ref)
            except (Lost, BackendError, WorkerLostError):
                raise UpstreamDrift([0], [self]) from None
            assert isinstance(found, Shipped)
            self._shipped = found
        return self._shipped.load()


@cache
def _remote(function: Callable[..., Any], returns: int | str) -> Any:
    """Return a function as Ray takes it, which Ray does not repeat."""
    import ray

    return ray.remote(max_retries=0, num_returns=returns)(function)


def is_ready(what: Any, seconds: float) -> bool:
    """Wait so long for an object or for the next step of a generator."""
    import ray

    with raising_ours():
        ready, _ = ray.wait([what], timeout=seconds, fetch_local=False)
    return bool(ready)


def fetched(ref: Any) -> object:
    """Return an object.

    Raises
    ------
    Lost, WorkerLostError, BackendError
        It is gone; what was to make it ended in the middle; Ray could not make it.
    """
    import ray

    with raising_ours():
        found: object = ray.get(ref)
    return found


@contextmanager
def raising_ours() -> Iterator[None]:
    """Raise errors of Ray as our own, with what they say."""
    from ray import exceptions

    try:
        yield
    except exceptions.RayError as error:
        cause = getattr(error, "cause", error)
        if isinstance(error, exceptions.ObjectLostError) or isinstance(
            cause, exceptions.ObjectLostError
        ):
            raise Lost(str(error)) from None
        if isinstance(error, exceptions.WorkerCrashedError | exceptions.NodeDiedError):
            raise WorkerLostError("the worker of Ray") from None
        raise BackendError("ray", f"could not perform a call: {error}") from None


def connect(address: str = "") -> None:
    """Connect this process to a cluster, unless it is.

    Raises
    ------
    BackendError
        Ray is not installed, nobody answers, or the workers have another version of dagnb.
    """
    check_installed("ray")
    import ray

    if ray.is_initialized():
        _check_same(address)
        return
    try:
        ray.init(address or None, logging_level="warning", include_dashboard=None)
    except (OSError, RuntimeError, ValueError) as error:
        raise BackendError("ray", _refused(address, error)) from None
    try:
        _check_version()
    except BackendError:
        ray.shutdown()
        raise


def _refused(address: str, error: Exception) -> str:
    if not address:
        return f"cannot start a cluster here: {error}"
    return f"cannot use a cluster at {address} ({error}); is it running, and is that right?"


def _check_same(address: str) -> None:
    import ray

    own = ray.get_runtime_context().gcs_address
    if address not in ("", "auto", own):
        raise BackendError(
            "ray", f"is connected to {own} in this process; call ray.shutdown() to use {address}"
        )


def _check_version() -> None:
    ours = sys.modules["dagnb"].__version__
    theirs = fetched(_remote(version, 1).remote())
    if theirs != ours:
        raise BackendError(
            "ray",
            f"has workers with dagnb {theirs}, where this process has {ours}; "
            "install the same on both sides",
        )
