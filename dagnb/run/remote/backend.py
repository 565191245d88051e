"""What a backend promises: it takes calls away, and tells what came of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from dagnb.run.call import Call, Report

MOST_CALLS = 32  # that go in one message, where they are short


class Attempt(Protocol):
    """One call that a backend performs, seen from the thread that waits for it.

    Attributes
    ----------
    is_queued : bool
        Whether it still waits for a worker, so that its time has not begun.
    """

    is_queued: bool

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
    """

    slots: int | None

    def submit(self, call: Call) -> Attempt:
        """Begin to perform a call once."""

    def close(self) -> None:
        """End what is still going on for this run; a further run may follow."""


@runtime_checkable
class Traveller(Protocol):
    """A function that another one stands for where it is sent.

    That one may leave something in its attribute ``beside``, which comes back in the report.
    """

    def depart(self) -> Callable[..., Any]:
        """Return the function to send."""

    def arrive(self, report: Report) -> Report:
        """Take in what the other one brought back; called on the thread that waited."""


class Done:
    """An attempt that was over before it began: its call could not be sent."""

    is_queued = False

    def __init__(self, report: Report) -> None:
        self._report = report

    def wait(self, seconds: float) -> Report:
        """Return the report."""
        return self._report

    def give_up(self) -> None:
        """Do nothing."""
