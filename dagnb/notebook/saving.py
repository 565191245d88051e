"""What a notebook keeps between kernels: the values of its nodes, in a store beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagnb.errors import StoreError
from dagnb.notebook.capture import Output, Shell, keeps_outputs
from dagnb.notebook.registry import Registry
from dagnb.observe.stored import store_listing, store_summary
from dagnb.results import NodeResult
from dagnb.run.policies import Fact
from dagnb.run.remote.handle import Handle
from dagnb.values.codecs import Unsaved
from dagnb.values.describe import describe
from dagnb.values.durable import Damaged
from dagnb.values.layout import FOLDER, Layout
from dagnb.values.memory import MemoryStore, Stored
from dagnb.values.saved import Saved
from dagnb.values.saved_value import SavedValue
from dagnb.values.signature import signing_key
from dagnb.values.store import Store
from dagnb.values.upkeep import saved_values

VARIABLE = "DAGNB_STORE"
OFF = "off"
_NO_FACT = Fact(None, None)
_SOURCE = "reused from the store"


class Saving:
    """Finds values of earlier kernels, and saves those of this one.

    In front of the store is the memory of this kernel. Without a store that is all there is.

    Parameters
    ----------
    folder : Path or None
        Where the store is, or will be; None for no store.
    registry : Registry
    facts : mapping of str to Fact
        The key of each node's value, and its digest.

    Attributes
    ----------
    folder : Path or None
    is_wanted : callable
        Says whether the value of a node is wanted at once.
    """

    def __init__(self, folder: Path | None, registry: Registry, facts: Mapping[str, Fact]) -> None:
        self.folder = self._first = folder
        self.is_wanted: Callable[[str], bool] = lambda name: False
        self._registry = registry
        self._facts = facts
        self._memory = MemoryStore()
        self._store: Store | None = None
        self._outputs: dict[str, list[Output]] = {}
        self._missed: dict[str, str] = {}
        self._notices: dict[str, bool] = {}
        self._own: set[str] = set()
        self._took: dict[str, list[float]] | None = None

    def use(self, folder: str | os.PathLike[str] | bool | None) -> None:
        """Use another folder from now on; True is the one of the beginning, None no store.

        Raises
        ------
        StoreError
            The folder cannot be a store; the one before stays in use.
        """
        if folder is True:
            folder = self._first or Path.cwd() / FOLDER
        chosen = Path(folder).expanduser().absolute() if folder else None
        store = Store(chosen, signing_key(), self._tell) if chosen is not None else None
        self.folder, self._store, self._took = chosen, store, None

    def describe(self, *, listed: bool = False) -> str:
        """Say where values are saved and how many there are, or list them."""
        if self.folder is None:
            return "values are not saved; %dag store on saves them from now on"
        layout = Layout(self.folder)
        return store_listing(layout, signing_key()) if listed else store_summary(layout)

    def earlier(self) -> dict[str, Saved]:
        """Return what was saved last of each node, whatever its code and inputs were then."""
        return {saved.node: saved for saved in self._all_saved()}

    def took(self) -> Mapping[str, Sequence[float]]:
        """Return how many seconds nodes took in other kernels, of each value that is saved.

        The oldest first. The store is read when this is first asked for, and then no more.
        """
        if self._took is None:
            self._took = {}
            for saved in self._all_saved():
                if saved.key not in self._own:
                    self._took.setdefault(saved.node, []).append(saved.seconds)
        return self._took

    def _all_saved(self) -> list[Saved]:
        """Return what the store knows, the oldest first."""
        if self.folder is None or not self.folder.is_dir():
            return []
        found = (saved for saved, _ in saved_values(Layout(self.folder), signing_key()))
        return sorted(found, key=lambda each: each.created)

    def take_notices(self) -> list[str]:
        """Return the sentences that nobody has been told yet."""
        new = [sentence for sentence, told in list(self._notices.items()) if not told]
        self._notices.update(dict.fromkeys(new, True))
        return new

    # -- finding ----------------------------------------------------------------------------

    def get(self, key: str) -> Stored | None:
        """Return the value that a node had under a key, in this kernel or an earlier one."""
        stored = self._memory.get(key)
        store = self._opened() if stored is None else None
        if store is None:
            return stored
        try:
            return self._found(store, key)
        except Damaged as damage:
            self._missed[key] = str(damage)
            return None

    def _found(self, store: Store, key: str) -> Stored | None:
        saved = store.find(key)
        if saved is None or not self._is_cached(saved.node):
            return None
        self._outputs[key] = store.outputs(saved)
        here = not saved.blob or self.is_wanted(saved.node)
        value = store.load(saved) if here else SavedValue(store, saved)
        return Stored(value, saved.digest, saved.seconds, _SOURCE)

    def take_outputs(self, key: str | None) -> list[Output] | None:
        """Return, once, what a node showed when it had the value that was found under a key."""
        return self._outputs.pop(key or "", None)

    def take_miss(self, name: str) -> str:
        """Return, once, why the saved value of a node could not be used; empty if it was not."""
        return self._missed.pop(self._facts.get(name, _NO_FACT).key or "", "")

    # -- saving -----------------------------------------------------------------------------

    def put(self, key: str, stored: Stored) -> None:
        """Keep a value in memory; the store gets it when what the node showed is known, too."""
        self._memory.put(key, stored)

    def save(self, result: NodeResult, outputs: list[Output]) -> None:
        """Save the value of a node that ran, with what it showed."""
        name = str(result.name)
        fact = self._facts.get(name, _NO_FACT)
        if fact.key is None or fact.digest is None or not self._is_cached(name):
            return
        if isinstance(result.held, Handle):  # it would have to be fetched for that
            return
        store = self._opened()
        if store is None:
            return
        inputs = self._registry.inputs(self._registry[name])
        saved = Saved(
            fact.key,
            name,
            fact.digest,
            result.duration_seconds,
            {each: self._facts.get(each, _NO_FACT).digest or "" for each in inputs},
            describe(result.result),
        )
        self._own.add(fact.key)
        try:
            store.put(saved, result.result, outputs=outputs)
        except Unsaved as unsaved:
            self._tell(f"{name} is not saved, and will run again after a restart: {unsaved}")

    def _is_cached(self, name: str) -> bool:
        options = self._registry[name].options if name in self._registry else None
        return options is not None and options.cache and not options.expand  # functions go stale

    def _opened(self) -> Store | None:
        """Return the store; if it cannot be used, say so and go on without."""
        if self._store is None and self.folder is not None:
            try:
                self._store = Store(self.folder, signing_key(), self._tell)
            except StoreError as error:
                self.folder = None
                self._tell(f"values are not saved: {error}")
        return self._store

    def _tell(self, sentence: str) -> None:
        self._notices.setdefault(sentence, False)


def store_folder(
    shell: Shell, namespace: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Path | None:
    """Return where a notebook's store is: beside it, or where DAGNB_STORE says; None for nowhere.

    A shell without a kernel, in a terminal or in a test, has no notebook and so no store. Nor has
    a kernel in a browser: the key that signs what is saved would be gone with the page.
    """
    asked = environment.get(VARIABLE, "")
    if asked:
        return None if asked == OFF else Path(asked).expanduser().absolute()
    if not keeps_outputs(shell) or sys.platform == "emscripten":
        return None
    notebook = environment.get("JPY_SESSION_NAME") or namespace.get("__vsc_ipynb_file__") or ""
    folder = Path(str(notebook)).absolute().parent if notebook else Path.cwd()
    return (folder if folder.is_dir() else Path.cwd()) / FOLDER
