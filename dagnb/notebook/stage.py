"""Where a thread shows what it does: in the cell that is being executed, or was last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import ParamSpec, TypeVar

from dagnb.events import Observer

Given = ParamSpec("Given")
Value = TypeVar("Value")


class Stage:
    """The context of the present cell, for threads that outlive the cell that started them.

    Jupyter keeps in context variables which cell it is that shows something. A front end drops
    what belongs to a cell that has ended, if it is one that executes notebooks by itself.
    """

    def __init__(self) -> None:
        self._context = copy_context()
        self._lock = threading.Lock()
        self._cells = 0
        self._executing = False
        self._late: dict[object, Callable[[], object]] = {}

    @property
    def context(self) -> Context:
        """A copy to run one thing in."""
        return self._context.copy()

    def enter(self) -> None:
        """Note that a cell begins; called on its thread.

        What was shown since the last one ended is shown again.
        """
        with self._lock:
            self._context = copy_context()
            self._cells += 1
            self._executing = True
            late, self._late = self._late, {}
        for show in late.values():
            show()

    def leave(self) -> None:
        """Note that the present cell ends."""
        self._executing = False

    def show(self, what: object, show: Callable[[], object], again: Callable[[], object]) -> None:
        """Show something as if the present cell did, and again in the next one if there is none.

        Parameters
        ----------
        what : object
            Names it: only the last showing of a thing is repeated.
        show, again : callable
        """
        cell = self._cells if self._executing else None
        self.run(show)
        with self._lock:
            if not self._executing:
                self._late[what] = again
                return
        if cell != self._cells:  # the next one has begun meanwhile
            self.show(what, again, again)

    def observer(self, observer: Observer) -> Observer:
        """Return an observer that is told as if the present cell told it."""
        return lambda event: self.run(observer, event)

    def run(
        self, function: Callable[Given, Value], *given: Given.args, **named: Given.kwargs
    ) -> Value:
        """Call a function as if the present cell did."""
        return self.context.run(function, *given, **named)
