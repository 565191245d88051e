"""Which nodes of a manifest a run is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dagnb.errors import SelectionError, did_you_mean
from dagnb.project.manifest import Manifest

Names = Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for.

    Attributes
    ----------
    selected : frozenset of str
        Ids of the nodes to bring up to date.
    needed : frozenset of str
        Those above them, which are brought up to date as far as that is missing.
    excluded : dict of str to str
        Nodes that must not run, and why.
    forced : frozenset of str
        Selected nodes that run whether they are up to date or not.
    named : frozenset of str
        Selected nodes that were asked for by name, type or tag.
    """

    selected: frozenset[str]
    needed: frozenset[str] = frozenset()
    excluded: Mapping[str, str] = field(default_factory=dict)
    forced: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


def select(
    manifest: Manifest,
    nodes: Names = None,
    node_types: Names = None,
    tags: Names = None,
    exclude_tags: Names = None,
    *,
    full: bool = False,
    downstream: bool = True,
    kinds: Collection[str] = (),
) -> Selection:
    """Return the selection that some filters make.

    Parameters
    ----------
    manifest : Manifest
    nodes : list of str, optional
        Names or ids; what is below them is selected, too, unless ``downstream`` is False, and
        all of it runs.
    node_types, tags : list of str, optional
        Only nodes of one of these kinds; only nodes with one of these tags.
    exclude_tags : list of str, optional
        No nodes with one of these tags.
    full : bool
        Whether all that is selected runs, up to date or not.
    kinds : collection of str
        The kinds that there are, beside those in the manifest.

    Raises
    ------
    SelectionError
        A name, kind or tag is unknown; it suggests the nearest. Or a node is named and excluded.
    TypeError
        A text stands where a list is expected.

    Examples
    --------
    >>> manifest = Manifest.from_dict({
    ...     "nodes": {"source.users": {"type": "source"}, "model.b": {"type": "model"}},
    ...     "edges": [["source.users", "model.b"]],
    ... })
    >>> sorted(select(manifest, nodes=["users"]).selected)
    ['model.b', 'source.users']
    >>> select(manifest, nodes=["usres"])
    Traceback (most recent call last):
    dagnb.errors.SelectionError: no node 'usres' in the manifest; did you mean 'users'?
    """
    named = None if nodes is None else _named(manifest, _listed(nodes, "nodes"))
    base = _with_downstream(manifest, named) if downstream or named is None else {*named}
    everything = manifest.nodes.values()
    known = {*kinds, *(node.type for node in everything)}
    of_kinds = _known(_listed(node_types, "node_types"), known, "kind")
    all_tags = {tag for node in everything for tag in node.tags}
    tagged = _known(_listed(tags, "tags"), all_tags, "tag")
    excluded = _excluded(manifest, _listed(exclude_tags, "exclude_tags"), all_tags)
    _refuse_conflict(named or [], excluded)
    chosen = [
        node.id
        for node in everything
        if node.id in base
        and node.id not in excluded
        and (node_types is None or node.type in of_kinds)
        and (tags is None or not tagged.isdisjoint(node.tags))
    ]
    selected = frozenset(chosen)
    asked = named is None and not (node_types is None and tags is None)
    return Selection(
        selected,
        _above(manifest, selected) - selected,
        excluded,
        selected if full or nodes is not None else frozenset(),
        selected if asked else selected & set(named or ()),
    )


def split_names(values: Iterable[str]) -> list[str]:
    """Return names from options that may be repeated and may hold several with commas.

    Examples
    --------
    >>> split_names(["users,orders", "items"])
    ['users', 'orders', 'items']
    """
    parts = [part.strip() for value in values for part in value.split(",")]
    return [part for part in parts if part]


def _listed(values: Names, option: str) -> Sequence[str]:
    if isinstance(values, str):
        raise TypeError(f"{option} is a list of texts; write [{values!r}]")
    return list(values or ())


def _named(manifest: Manifest, names: Sequence[str]) -> list[str]:
    ids = [name for each in names for name in _ids(manifest, each)]
    return list(dict.fromkeys(ids))


def _ids(manifest: Manifest, name: str) -> list[str]:
    """Return the node of this id, or all of this name."""
    if name in manifest.nodes:
        return [name]
    found = [node.id for node in manifest.nodes.values() if node.name == name]
    if not found:
        known = [*(node.name for node in manifest.nodes.values()), *manifest.nodes]
        raise SelectionError(f"no node {name!r} in the manifest{did_you_mean(name, known)}")
    return found


def _with_downstream(manifest: Manifest, named: Sequence[str] | None) -> set[str]:
    if named is None:
        return set(manifest.nodes)
    return {str(name) for name in manifest.dag.dirty_set(named)}


def _above(manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
    graph = manifest.dag.adjacency
    numbers = manifest.dag.numbers(names, "names")
    return frozenset(str(graph.names[each]) for each in graph.reach(numbers, graph.predecessors))


def _known(values: Sequence[str], known: Collection[str], noun: str) -> set[str]:
    for value in values:
        if value not in known:
            verb = "no node has the tag" if noun == "tag" else "there is no kind"
            raise SelectionError(f"{verb} {value!r}{did_you_mean(value, known)}")
    return set(values)


def _excluded(manifest: Manifest, tags: Sequence[str], known: Collection[str]) -> dict[str, str]:
    """Map what has a tag to a reason. A tag that nobody has excludes nothing, unless misspelt."""
    for tag in tags:
        if tag not in known and (nearest := did_you_mean(tag, known)):
            raise SelectionError(f"no node has the tag {tag!r}, which is to be excluded{nearest}")
    return {
        node.id: f"excluded by its tag {both[0]!r}"
        for node in manifest.nodes.values()
        if (both := [tag for tag in node.tags if tag in tags])
    }


def _refuse_conflict(named: Iterable[str], excluded: Mapping[str, str]) -> None:
    for name in named:
        if name in excluded:
            raise SelectionError(
                f"{name} is asked for by name and {excluded[name]}; leave out one of the two"
            )


def refuse_what_cannot_run(
    selection: Selection, manifest: Manifest, has_value: Callable[[str], bool]
) -> None:
    """Refuse a selection of which a node needs an excluded one that has no value.

    Raises
    ------
    SelectionError
        It names both.
    """
    lacking = {name for name in selection.excluded if not has_value(name)}
    for name in manifest.nodes:
        missing = lacking & {str(each) for each in manifest.dag.ancestors(name)}
        if name in selection.named and missing:
            first = min(missing)
            raise SelectionError(
                f"{name} needs {first}, which is {selection.excluded[first]} and has no value "
                "of an earlier run; do not exclude it, or run it first"
            )
