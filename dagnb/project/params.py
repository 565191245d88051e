"""Other values for the ``params`` of nodes, for one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dagnb.errors import SelectionError, did_you_mean
from dagnb.project.manifest import Manifest, ManifestNode


def with_params(manifest: Manifest, values: Mapping[str, Any]) -> Manifest:
    """Return a manifest in which params have other values, in every node that has them.

    Raises
    ------
    SelectionError
        No node has a param of that name; it suggests the nearest.

    Examples
    --------
    >>> config = {"sql": "select 1 where 1 < $limit", "params": {"limit": 3}}
    >>> node = {"type": "transform", "config": config}
    >>> manifest = Manifest.from_dict({"nodes": {"transform.a": node}})
    >>> with_params(manifest, {"limit": 5}).nodes["transform.a"].config["params"]
    {'limit': 5}
    >>> with_params(manifest, {"limt": 5})
    Traceback (most recent call last):
    dagnb.errors.SelectionError: no node has a param 'limt'; did you mean 'limit'?
    """
    known = {name for node in manifest.nodes.values() for name in _params(node)}
    for name in values:
        if name not in known:
            raise SelectionError(f"no node has a param {name!r}{did_you_mean(name, known)}")
    nodes = [_with_params(node, values) for node in manifest.nodes.values()]
    return Manifest(nodes, manifest.edges, manifest.metadata) if values else manifest


def _params(node: ManifestNode) -> Mapping[str, Any]:
    params = node.config.get("params")
    return params if isinstance(params, Mapping) else {}


def _with_params(node: ManifestNode, values: Mapping[str, Any]) -> ManifestNode:
    own = {name: value for name, value in values.items() if name in _params(node)}
    if not own:
        return node
    return replace(node, config={**node.config, "params": {**_params(node), **own}})
