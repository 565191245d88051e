"""What differs between two manifests, as far as it can change a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dagnb.project.manifest import Edge, Manifest, ManifestNode

_ABSENT = object()


class ManifestDiff:
    """The difference between two manifests.

    Parameters
    ----------
    old, new : Manifest

    Attributes
    ----------
    added, removed : list of str
        Ids of nodes that only the new, or only the old one has.
    modified : dict of str to list of str
        For each node that can come out otherwise, the fields that differ: ``config.sql``.
    described : list of str
        Nodes of which only description, owner or tags differ, which changes no result.
    added_edges, removed_edges : list of (str, str)

    Examples
    --------
    >>> node = {"type": "source", "config": {"path": "a.csv"}}
    >>> old = Manifest.from_dict({"nodes": {"source.a": node}})
    >>> node = {"type": "source", "config": {"path": "b.csv"}, "owner": "ada"}
    >>> diff = ManifestDiff(old, Manifest.from_dict({"nodes": {"source.a": node}}))
    >>> diff.modified, bool(diff)
    ({'source.a': ['config.path']}, True)
    >>> print(diff)
    modified source.a: config.path
    """

    def __init__(self, old: Manifest, new: Manifest) -> None:
        self._new = new
        self.added = [name for name in new.nodes if name not in old.nodes]
        self.removed = [name for name in old.nodes if name not in new.nodes]
        common = [(old.nodes[name], node) for name, node in new.nodes.items() if name in old.nodes]
        fields = {after.id: list(_fields(before, after)) for before, after in common}
        self.modified = {name: differ for name, differ in fields.items() if differ}
        self.described = [
            after.id for before, after in common if before != after and not fields[after.id]
        ]
        self.added_edges = _without(new.edges, old.edges)
        self.removed_edges = _without(old.edges, new.edges)

    @property
    def reasons(self) -> dict[str, str]:
        """Why each node of the new manifest that is another by itself is so, by id."""
        found: dict[str, list[str]] = {name: ["it is new"] for name in self.added}
        for name, fields in self.modified.items():
            found.setdefault(name, []).append(f"{', '.join(fields)} changed")
        for words, edges in (
            ("a new edge from", self.added_edges),
            ("no edge any more from", self.removed_edges),
        ):
            for source, target in edges:
                if target in self._new.nodes and target not in self.added:
                    found.setdefault(target, []).append(f"{words} {source}")
        return {name: "; ".join(found[name]) for name in self._new.nodes if name in found}

    @property
    def changed(self) -> list[str]:
        """The nodes that are new, modified, or have other edges into them, in the new order."""
        return list(self.reasons)

    @property
    def affected(self) -> list[str]:
        """The changed nodes and all below them, dependencies first."""
        return [str(name) for name in self._new.dag.dirty_set(self.changed)]

    def __bool__(self) -> bool:
        """Whether a result can differ."""
        return bool(
            self.added or self.removed or self.modified or self.added_edges or self.removed_edges
        )

    def __str__(self) -> str:
        """One line for each difference."""
        return "\n".join(self._lines()) or "no difference"

    def _lines(self) -> Iterator[str]:
        yield from (f"added {name}" for name in self.added)
        yield from (f"removed {name}" for name in self.removed)
        yield from (f"modified {name}: {', '.join(each)}" for name, each in self.modified.items())
        yield from (f"added edge {source} -> {target}" for source, target in self.added_edges)
        yield from (f"removed edge {source} -> {target}" for source, target in self.removed_edges)
        yield from (f"described otherwise {name}, which changes nothing" for name in self.described)

    def __repr__(self) -> str:
        return (
            f"<ManifestDiff {len(self.added)} added, {len(self.removed)} removed, "
            f"{len(self.modified)} modified, "
            f"{len(self.added_edges) + len(self.removed_edges)} edges>"
        )


def _without(edges: list[Edge], others: list[Edge]) -> list[Edge]:
    known = set(others)
    return [edge for edge in edges if edge not in known]


def _fields(before: ManifestNode, after: ManifestNode) -> Iterator[str]:
    """Yield the fields that differ and can change a result."""
    for name in ("name", "type"):
        if getattr(before, name) != getattr(after, name):
            yield name
    yield from _keys(before.config, after.config, "config")


def _keys(before: Mapping[str, Any], after: Mapping[str, Any], where: str) -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _keys(one, other, f"{where}.{name}")
        elif not _same(one, other):
            yield f"{where}.{name}"


def _same(one: object, other: object) -> bool:
    """Whether two values of JSON are the same; 1, 1.0 and true are three."""
    return type(one) is type(other) and repr(one) == repr(other)
