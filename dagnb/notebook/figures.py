"""The figures that a node leaves open in pyplot: shown when it ends, and closed.

pyplot holds the figures of the whole process, and one of them is the current one. So that nodes
may plot side by side, a node in another thread than the main one has figures, and a current one,
of its own. Where figures are windows of a graphical backend they stay what they are.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from typing import Any

Managers = MutableMapping[int, Any]

_OWN: ContextVar[Managers | None] = ContextVar("dagnb_figures", default=None)


class NewFigures:
    """The figures that were not there when a block began."""

    def __enter__(self) -> NewFigures:
        self._token = _OWN.set(_own_figures())
        self._before = {id(manager) for manager in _held().values()}
        return self

    def __exit__(self, *error: object) -> None:
        _OWN.reset(self._token)

    def take(self) -> Iterator[Any]:
        """Yield each of them, and close it then."""
        new = {num: each for num, each in _held().items() if id(each) not in self._before}
        if not new or not _shows_at_the_end():
            return
        pyplot = sys.modules["matplotlib.pyplot"]
        for number, manager in new.items():
            yield manager.canvas.figure
            pyplot.close(number)


class _FiguresHere:
    """Stands for the figures that pyplot holds: those of the node that this context belongs to."""

    def __init__(self, shared: Managers) -> None:
        self._shared = shared

    def __get__(self, instance: object, owner: type) -> Managers:
        own = _OWN.get()
        return self._shared if own is None else own


def _held() -> dict[int, Any]:
    """Return the managers of the figures that pyplot holds, by number."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return dict(helpers.Gcf.figs) if helpers is not None else {}


def _own_figures() -> Managers | None:
    """Return a place for figures of its own to a node that may not share pyplot's."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    on_main = threading.current_thread() is threading.main_thread()
    if on_main or helpers is None or not _shows_at_the_end():
        return None
    if not isinstance(vars(helpers.Gcf)["figs"], _FiguresHere):
        helpers.Gcf.figs = _FiguresHere(helpers.Gcf.figs)
    return OrderedDict()


def _shows_at_the_end() -> bool:
    """Return whether figures are pictures here, not windows of a graphical backend."""
    backend = sys.modules["matplotlib"].get_backend().lower()
    return backend == "agg" or "inline" in backend
