"""A pipeline as JSON: nodes of some kind with a configuration, and the edges between them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagnb.errors import CycleError, ManifestCycleError, ManifestError, did_you_mean
from dagnb.graph.dag import DAG
from dagnb.values import durable

FIELDS = ("id", "name", "type", "config", "tags", "description", "owner")
DEFAULT_PATH = Path("target/manifest.json")
Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ManifestNode:
    """One node of a manifest.

    Attributes
    ----------
    id : str
        What edges and the state call it: ``source.users``.
    name : str
        What SQL and functions below it call it: ``users``.
    type : str
        Its kind: ``source``, ``transform``, or one that the runner was taught.
    config : dict
        What the kind needs to know; any change of it can change the result.
    tags : tuple of str
    description, owner : str
        For people. Like the tags, they cannot change a result.
    """

    id: str
    name: str
    type: str
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    description: str = ""
    owner: str = ""

    @property
    def node_type(self) -> str:
        """Another name of `type`."""
        return self.type

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it; what is empty is left out."""
        fields = {name: getattr(self, name) for name in FIELDS} | {"tags": list(self.tags)}
        return {name: value for name, value in fields.items() if value or name in FIELDS[:3]}


class Manifest:
    """A pipeline: checked when it is made, so that whoever has one can rely on it.

    Parameters
    ----------
    nodes : iterable of ManifestNode
    edges : iterable of (str, str)
        Ids of a node and of one that reads it.
    metadata : mapping, optional
        Anything; kept, and without effect.

    Attributes
    ----------
    nodes : dict of str to ManifestNode
        By id, in the order of the file.
    edges : list of (str, str)
    metadata : dict
    dag : DAG
        The same graph, named by ids.

    Raises
    ------
    ManifestError
        Something is not as it must be; it says where. A cycle is a `ManifestCycleError`.

    Examples
    --------
    >>> manifest = Manifest.from_dict({
    ...     "nodes": {
    ...         "source.users": {"type": "source", "config": {"path": "users.csv"}},
    ...         "transform.adults": {
    ...             "type": "transform",
    ...             "config": {"sql": "select * from users where age > 17"},
    ...         },
    ...     },
    ...     "edges": [{"from": "source.users", "to": "transform.adults"}],
    ... })
    >>> manifest
    Manifest(nodes=2, edges=1)
    >>> manifest.nodes["transform.adults"].name
    'adults'
    """

    def __init__(
        self,
        nodes: Iterable[ManifestNode] = (),
        edges: Iterable[Edge] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.nodes: dict[str, ManifestNode] = {}
        for node in nodes:
            if node.id in self.nodes:
                raise ManifestError(f"nodes[{node.id!r}]", "this id is taken")
            self.nodes[node.id] = node
        self.edges = [(str(source), str(target)) for source, target in edges]
        self.metadata = dict(metadata or {})
        self.dag = self._graph()

    def _graph(self) -> DAG:
        dag = DAG()
        dag.add_nodes(list(self.nodes))
        seen: dict[Edge, int] = {}
        for place, edge in enumerate(self.edges):
            self._check_edge(place, edge, seen)
            try:
                dag.add_edge(*edge)
            except CycleError as error:
                raise ManifestCycleError(f"edges[{place}]", error.path) from None
        return dag

    def _check_edge(self, place: int, edge: Edge, seen: dict[Edge, int]) -> None:
        where = f"edges[{place}]"
        for end, name in zip(("from", "to"), edge, strict=True):
            if name not in self.nodes:
                nearest = did_you_mean(name, self.nodes)
                raise ManifestError(f"{where}.{end}", f"there is no node {name!r}{nearest}")
        if edge in seen:
            raise ManifestError(where, f"it repeats edges[{seen[edge]}]")
        seen[edge] = place

    # -- JSON -------------------------------------------------------------------------------

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Manifest:
        """Return the manifest that JSON describes.

        Parameters
        ----------
        data : mapping
            Has ``nodes``, an object by id (or a list), and may have ``edges``, a list of
            ``{"from": id, "to": id}``, and ``metadata``. A node needs a ``type``; its name
            follows from its id, ``type.name``, or its id from its name.
        """
        whole = _checked(data, dict, "")
        _refuse_others(whole, ("nodes", "edges", "metadata"), "")
        if "nodes" not in whole:
            raise ManifestError("nodes", "it is missing; it is an object of nodes by id")
        return cls(
            _nodes(whole["nodes"]),
            [_edge(each, f"edges[{place}]") for place, each in enumerate(_edges(whole))],
            _checked(whole.get("metadata", {}), dict, "metadata"),
        )

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Return the manifest that a JSON text describes; see `from_dict`."""
        try:
            data = json.loads(text, object_pairs_hook=_without_repetition)
        except json.JSONDecodeError as error:
            raise ManifestError("", f"it is not JSON: {error}") from error
        return cls.from_dict(data)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Manifest:
        """Return the manifest in a file; see `from_dict`.

        Raises
        ------
        FileNotFoundError
        ManifestError
            It starts with the path of the file.
        """
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise ManifestError("", "it is not text in UTF-8", path) from error
        except ManifestError as error:
            error.add_file(path)
            raise

    def to_dict(self) -> dict[str, Any]:
        """Return it as `from_dict` takes it."""
        metadata = {"metadata": self.metadata} if self.metadata else {}
        nodes = {name: node.to_dict() for name, node in self.nodes.items()}
        edges = [{"from": source, "to": target} for source, target in self.edges]
        return {**metadata, "nodes": nodes, "edges": edges}

    def to_json(self) -> str:
        """Return it as a JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, in one step; folders are made."""
        folder = Path(path).parent
        folder.mkdir(parents=True, exist_ok=True)
        temporary = durable.write_temporary(folder, self.to_json().encode())
        durable.place(folder / temporary, Path(path))

    # -- questions --------------------------------------------------------------------------

    def upstream(self, name: str) -> list[str]:
        """Return the ids of the nodes that a node reads, in the order of the edges."""
        return [str(each) for each in self.dag.predecessors(name)]

    def downstream(self, name: str) -> list[str]:
        """Return the ids of the nodes that read a node, in the order of the edges."""
        return [str(each) for each in self.dag.successors(name)]

    def __len__(self) -> int:
        return len(self.nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # as for dict: equal ones need not be the same

    def __repr__(self) -> str:
        return f"Manifest(nodes={len(self.nodes)}, edges={len(self.edges)})"


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ManifestError("", f"the key {name!r} stands twice in one object")
        found[name] = value
    return found


def _nodes(nodes: Any) -> list[ManifestNode]:
    if isinstance(nodes, list):
        return [_node(each, f"nodes[{place}]", None) for place, each in enumerate(nodes)]
    whole = _checked(nodes, dict, "nodes")
    return [_node(each, f"nodes[{key!r}]", key) for key, each in whole.items()]


def _node(data: Any, where: str, key: str | None) -> ManifestNode:
    fields = dict(_checked(data, dict, where))
    if "node_type" in fields and "type" not in fields:
        fields["type"] = fields.pop("node_type")
    _refuse_others(fields, FIELDS, where)
    kind, own = _word(fields, "type", where), fields.get("id", key)
    if own is None:
        own = f"{kind}.{_word(fields, 'name', where)}"
    if not isinstance(own, str) or not own or own.startswith("$"):
        raise ManifestError(f"{where}.id", f"an id is a text without $ in front, not {own!r}")
    if key is not None and own != key:
        raise ManifestError(f"{where}.id", f"it is {own!r}, unlike its key {key!r}")
    name = _word(fields, "name", where) if "name" in fields else own.removeprefix(f"{kind}.")
    config = _checked(fields.get("config", {}), dict, f"{where}.config")
    return ManifestNode(
        own, name, kind, config, _tags(fields.get("tags", []), where),
        _text(fields, "description", where), _text(fields, "owner", where),
    )  # fmt: skip


def _edges(whole: Mapping[str, Any]) -> list[Any]:
    edges: list[Any] = _checked(whole.get("edges", []), list, "edges")
    return edges


def _edge(data: Any, where: str) -> Edge:
    if isinstance(data, list | tuple) and len(data) == 2:
        data = {"from": data[0], "to": data[1]}
    fields = _checked(data, dict, where)
    _refuse_others(fields, ("from", "to", "type"), where)
    return _word(fields, "from", where), _word(fields, "to", where)


def _tags(tags: Any, where: str) -> tuple[str, ...]:
    for place, tag in enumerate(_checked(tags, list, f"{where}.tags")):
        _checked(tag, str, f"{where}.tags[{place}]")
    return tuple(tags)


def _word(fields: Mapping[str, Any], name: str, where: str) -> str:
    if name not in fields:
        raise ManifestError(f"{where}.{name}", "it is missing")
    word = _checked(fields[name], str, f"{where}.{name}")
    if not word:
        raise ManifestError(f"{where}.{name}", "it is empty")
    return str(word)


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    return str(_checked(fields.get(name) or "", str, f"{where}.{name}"))


_NOUNS: dict[type, str] = {dict: "an object", list: "a list", str: "a text"}


def _checked(value: Any, kind: type, where: str) -> Any:
    if isinstance(value, Mapping if kind is dict else kind):
        return value
    raise ManifestError(where, f"it is {_NOUNS[kind]}, not {_brief(value)}")


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse_others(fields: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for name in fields:
        if name not in known:
            place = f"{where}.{name}" if where else str(name)
            raise ManifestError(place, f"there is no such field{did_you_mean(name, known)}")
