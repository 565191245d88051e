"""What a backend promises: it takes calls away, and tells what came of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from dagnb.errors import BackendError
from dagnb.run.call import Call, Report

MOST_CALLS = 32  # that go in one message, where they are short
_LIBRARIES = {"dask": ("distributed", "Dask"), "ray": ("ray", "Ray")}


class Attempt(Protocol):
    """One call that a backend performs, seen from the thread that waits for it.

    Attributes
    ----------
    is_queued : bool
        Whether it still waits for a worker, so that its time has not begun.
    place : str
        Who performs it; empty as long as that is not known, or if it never is.
    news : deque of bytes
        What the function has told while it runs, until somebody takes it out.
    """

    is_queued: bool

    @property
    def place(self) -> str: ...  # noqa: D102  # above

    @property
    def news(self) -> deque[bytes]: ...  # noqa: D102  # above

    def wait(self, seconds: float) -> Report | None:
        """Wait so long for what came of it; None if that is not known yet.

        Whatever happened to the call is in the report: what the function raised, that its
        process died, or that something could not be sent. It never raises for that.
        """

    def give_up(self) -> None:
        """Let nobody wait for it any more, and end it if that is possible.

        It returns soon, whatever the call does; no other attempt is disturbed.
        """


class Backend(Protocol):
    """Performs calls somewhere else, each of them once.

    Retries, the waits between them and limits of time are not its business: who waits for an
    attempt gives it up when its time is over. Calls are submitted by several threads at once.

    What a call takes may be a `Handle`; a backend takes those that it made where they are, and
    loads others (`without`). What it makes a handle of is large: its report's value then is that.

    Attributes
    ----------
    slots : int or None
        How many calls it performs at once; None if it does as many as are submitted.

    One that performs calls in threads of this process may say so by a further one, ``is_here``:
    a `Traveller` stays what it is then.
    """

    slots: int | None

    def submit(self, call: Call) -> Attempt:
        """Begin to perform a call once."""

    def close(self) -> None:
        """End what is still going on for this run; a further run may follow."""


def check_installed(name: str) -> None:
    """Refuse a backend whose library is not here; the message names the extra that brings it.

    Raises
    ------
    BackendError
    """
    library, title = _LIBRARIES.get(name, ("sys", ""))
    if find_spec(library) is None:
        raise BackendError(name, f'needs {title}: pip install "dagnb[{name}]"')


Hear: TypeAlias = Callable[[bytes], None]


class Send(Protocol):
    """Has a function performed in place of another one, with its inputs, and waits for it."""

    def __call__(self, function: Callable[..., Any], hear: Hear | None = None) -> Report:
        """Return what came of it; ``hear`` takes what it tells, on the thread that waits."""


@runtime_checkable
class Traveller(Protocol):
    """A function that another one stands for where it is sent.

    That one may leave something in its attribute ``beside``, which comes back in the report, and
    be a `Teller`.
    """

    def travel(self, send: Send) -> Report:
        """Send the other one, once, and return what came of it; on the thread that waits."""


class Teller:
    """A function that has something to tell while it runs elsewhere.

    Attributes
    ----------
    tell : callable or None
        Takes bytes, which are heard at once where it was sent from; None if they cannot be.
    """

    tell: Hear | None = None


class Done:
    """An attempt that was over before it began: its call could not be sent."""

    is_queued = False
    place = ""
    news: ClassVar[deque[bytes]] = deque()

    def __init__(self, report: Report) -> None:
        self._report = report

    def wait(self, seconds: float) -> Report:
        """Return the report."""
        return self._report

    def give_up(self) -> None:
        """Do nothing."""
