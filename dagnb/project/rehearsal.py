"""A manifest run for tests: node by node, apart from its real runs, with some values given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dagnb.errors import SelectionError, did_you_mean
from dagnb.project.kinds import KINDS
from dagnb.project.manifest import Manifest, ManifestNode
from dagnb.project.runner import DAGRunner
from dagnb.project.summary import ExecutionStatus, NodeOutcome
from dagnb.project.work import Executor

_GIVEN = "given"


class Rehearsal:
    """Runs the nodes that are asked for, and what they need, once.

    It has a state of its own, and its exposures write into its own folder: what real runs left
    is neither read nor touched.

    Parameters
    ----------
    manifest : Manifest
    folder : Path
        Where the state, values and files of exposures go.
    given : mapping of str to object
        Values in place of nodes, by name or id.
    kinds : mapping of str to callable
        What runs nodes of other kinds; see `DAGRunner.register`. Nodes of a kind that nobody
        runs are passed by.

    Raises
    ------
    SelectionError
        A value is given for no node; it suggests the nearest.
    """

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        given: Mapping[str, Any] | None = None,
        kinds: Mapping[str, Executor] | None = None,
    ) -> None:
        self._folder, self._kinds = folder, {**(kinds or {})}
        self._given = dict(_by_id(manifest, given or {}))
        edges = [edge for edge in manifest.edges if edge[1] not in self._given]
        nodes = [self._apart(number, node) for number, node in enumerate(manifest.nodes.values())]
        self._manifest = Manifest(nodes, edges)
        self._runner = DAGRunner(self._manifest, state_dir=folder / "state")
        for kind, function in self._kinds.items():
            self._runner.register(kind, function)
        for kind in self._unknown():
            self._runner.register(kind, _not_run)
        self._runner.register(_GIVEN, lambda node: self._given[node.id])
        self._without: dict[str, str] = {}

    def _apart(self, number: int, node: ManifestNode) -> ManifestNode:
        """Return a node that touches nothing of a real run."""
        if node.id in self._given:
            return replace(node, type=_GIVEN, config={})
        path = node.config.get("path")
        if node.type != "exposure" or node.type in self._kinds or not isinstance(path, str):
            return node
        place = self._folder / "exposures" / str(number) / Path(path).name
        return replace(node, config={**node.config, "path": str(place)})

    def _unknown(self) -> set[str]:
        known = {*KINDS, *self._kinds, _GIVEN}
        return {node.type for node in self._manifest.nodes.values()} - known

    def outcome(self, name: str) -> NodeOutcome:
        """Run a node and what it needs, as far as that has not run; return what came of it.

        A node that lacks the value of one above is SKIPPED, and says why.
        """
        reason = self._reason(name)
        if reason:
            return NodeOutcome(name, ExecutionStatus.SKIPPED, reason=reason)
        summary = self._runner.run(nodes=[name], downstream=False, progress=False)
        for each in summary.results:
            if each.status is ExecutionStatus.FAILED:
                self._without[each.node_id] = f"{each.node_id} failed"
        return summary[name]

    def _reason(self, name: str) -> str:
        """Say why a node cannot run; empty if it can."""
        node = self._manifest.nodes[name]
        if node.id in self._given:
            return "its value is given"
        if node.type in self._unknown():
            return f"nobody runs the kind {node.type!r} here"
        for each in self._manifest.dag.ancestors(name):
            above = self._manifest.nodes[str(each)]
            if above.id in self._without:
                return self._without[above.id]
            if above.type in self._unknown():
                return f"it needs {above.id}, and nobody runs the kind {above.type!r} here"
        return ""


def _by_id(manifest: Manifest, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each given value with the id of its node."""
    nodes = manifest.nodes.values()
    for name, value in given.items():
        found = [name] if name in manifest.nodes else [e.id for e in nodes if e.name == name]
        if len(found) != 1:
            known = [*(node.name for node in nodes), *manifest.nodes]
            what = f"{len(found)} nodes have that name" if found else "no such node is there"
            nearest = "; write the id" if found else did_you_mean(name, known)
            raise SelectionError(f"dagnb_inputs gives {name!r}, and {what}{nearest}")
        yield found[0], value


def _not_run(node: ManifestNode) -> None:
    """Stand for what runs a kind that nobody runs here."""
    raise AssertionError(f"{node.id} has run")
