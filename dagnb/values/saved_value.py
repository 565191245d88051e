"""A value that stays in its store until somebody looks at it."""

from __future__ import annotations

from typing import Any

from dagnb.errors import StoreError
from dagnb.results import Deferred
from dagnb.values.durable import Damaged
from dagnb.values.saved import Saved
from dagnb.values.store import Store


class SavedValue(Deferred):
    """A value in a store, loaded once; prints as its description."""

    __slots__ = ("_is_loaded", "_saved", "_store", "_value")

    def __init__(self, store: Store, saved: Saved) -> None:
        self._store = store
        self._saved = saved
        self._is_loaded = False
        self._value: Any = None

    @property
    def is_in_a_file(self) -> bool:
        """Whether it is too large to stand in its record."""
        return bool(self._saved.blob)

    def load(self) -> Any:
        """Return the value.

        Raises
        ------
        StoreError
            It cannot be had any more.
        """
        if not self._is_loaded:
            try:
                self._value = self._store.load(self._saved)
            except Damaged as damage:
                raise StoreError(
                    f"the saved value of {self._saved.node} cannot be used: {damage}"
                ) from damage
            self._is_loaded = True
        return self._value

    def __repr__(self) -> str:
        return self._saved.text
