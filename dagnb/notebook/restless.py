"""Nodes that change what they read: each run makes them stale, so they run after every cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagnb.notebook.registry import Registry
from dagnb.values.code import Change

_ADVICE = "let it make what it changes, or add --manual to run it only when asked"


class Restless:
    """Notes what changes while a node runs because of a plain cell, and says so once a node.

    Parameters
    ----------
    registry : Registry
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[str, tuple[str, str]] = {}
        self._said: set[str] = set()

    def news(self, names: Iterable[str]) -> list[str]:
        """Look at nodes that ran just now; return a sentence for each that must run again."""
        said = [each for name in names for each in self._looked_at(name)]
        new = [each for each in said if each not in self._said]
        self._said.update(new)
        return new

    def about(self, name: str) -> list[str]:
        """Return what was seen of a node, in a sentence, if anything was."""
        source, sentence = self._known.get(name, ("", ""))
        return [sentence] if sentence and self._registry[name].code.source == source else []

    def _looked_at(self, name: str) -> list[str]:
        self._known.pop(name, None)
        if changes := self._registry.drift(name):
            self._known[name] = self._registry[name].code.source, _sentence(name, changes)
        return self.about(name)


def _sentence(name: str, changes: Sequence[Change]) -> str:
    whats = [each.what if each.label else "what a decorator or default keeps" for each in changes]
    verb = "changes" if len(whats) == 1 else "change"
    return (
        f"{name} runs again after every cell: {' and '.join(whats)} {verb} while it runs; {_ADVICE}"
    )
