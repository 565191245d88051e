"""Which nodes of a notebook a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagnb.errors import SelectionError, did_you_mean
from dagnb.notebook.node import NotebookNode
from dagnb.notebook.session import Session


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody asked for by name or by tag, and what is left out.

    Attributes
    ----------
    nodes, tags, types, exclude_tags : tuple of str
    """

    nodes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()

    def names(self, session: Session) -> list[str] | None:
        """Return the nodes asked for; None for all.

        Raises
        ------
        SelectionError
            A name or tag is unknown, or what is asked for needs what is left out.
        """
        for name in self.nodes:
            if name not in session.nodes:
                nearest = did_you_mean(name, session.nodes)
                raise SelectionError(f"there is no node {name!r}, in --nodes{nearest}")
        tagged = _tagged(session.nodes, self.tags, "--tags")
        named = dict.fromkeys([*self.nodes, *tagged, *_typed(session.nodes, self.types)])
        self._check(session, named)
        return list(named) if self.nodes or self.tags or self.types else None

    def excluded(self, nodes: Mapping[str, NotebookNode]) -> set[str]:
        """Return the nodes to leave out, as far as they are defined."""
        left_out = set(self.exclude_tags)
        return {name for name, node in nodes.items() if not left_out.isdisjoint(node.options.tags)}

    def _check(self, session: Session, named: Mapping[str, object]) -> None:
        excluded = set(_tagged(session.nodes, self.exclude_tags, "--exclude-tags"))
        for name in named:
            needed = sorted(excluded.intersection([name, *session.dag.ancestors(name)]))
            if needed:
                what = "is among them" if needed[0] == name else f"needs {needed[0]}"
                raise SelectionError(
                    f"--exclude-tags leaves {', '.join(needed)} out, but {name} was asked for "
                    f"and {what}; drop one of the two"
                )


def _tagged(nodes: Mapping[str, NotebookNode], tags: tuple[str, ...], option: str) -> list[str]:
    """Return the nodes with any of some tags; refuse a tag that no node has."""
    known = {tag for node in nodes.values() for tag in node.options.tags}
    for tag in tags:
        if tag not in known:
            has = f" (there are {', '.join(sorted(known))})" if known else "; no node has tags"
            raise SelectionError(
                f"no node has the tag {tag!r}, in {option}{did_you_mean(tag, known)}{has}"
            )
    return [name for name, node in nodes.items() if not set(tags).isdisjoint(node.options.tags)]


def _typed(nodes: Mapping[str, NotebookNode], types: tuple[str, ...]) -> list[str]:
    """Return the nodes that say they are of one of some types; refuse one that no node is of."""
    said = {node.options.kind for node in nodes.values()} - {""}
    for each in types:
        if each not in said:
            nearest = did_you_mean(each, said)
            raise SelectionError(
                f"no node is of the type {each!r}, in --types{nearest}; a cell says it with --type"
            )
    return [name for name, node in nodes.items() if node.options.kind in types]
