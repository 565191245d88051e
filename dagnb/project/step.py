"""One node of a manifest, called like a function."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagnb.errors import ManifestError, did_you_mean
from dagnb.project.kinds import KINDS
from dagnb.project.manifest import ManifestNode


def step(kind: str, name: str, above: Mapping[str, Any] | None = None, /, **config: Any) -> Any:
    """Return what a node of a manifest gives, from the values of those above it.

    Parameters
    ----------
    kind : str
        ``source``, ``transform``, ``aggregation``, ``feature_group``, ``model``, ``rule``,
        ``exposure`` or ``task``.
    name : str
        What errors call it.
    above : mapping of str to object, optional
        The values it reads, as its SQL or the parameters of its function name them.
    **config
        As in a manifest; relative paths begin in the working directory.

    Raises
    ------
    ProjectError
        It cannot run with this configuration, or a rule is broken.

    Examples
    --------
    >>> users = [{"age": 3}, {"age": 40}]
    >>> step("transform", "adults", {"users": users}, sql="from users where age > 17").to_pylist()
    [{'age': 40}]
    """
    if kind not in KINDS:
        raise ManifestError("", f"there is no kind {kind!r}{did_you_mean(kind, KINDS)}")
    values = dict(above or {})
    nodes = {each: ManifestNode(each, each, "") for each in values}
    work = KINDS[kind](ManifestNode(f"{kind}.{name}", name, kind, config), nodes, Path())
    work.check()
    return work.run(values)
