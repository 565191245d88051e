"""A small manifest whose nodes note that they ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagnb import DAGRunner, ExecutionSummary, Manifest, ManifestNode

Change = Callable[[dict[str, Any]], None]
IDS = ["source.users", "source.orders", "transform.joined", "feature.cheap", "feature.dear"]
EDGES = [
    ["source.users", "transform.joined"],
    ["source.orders", "transform.joined"],
    ["transform.joined", "feature.cheap"],
    ["transform.joined", "feature.dear"],
]


def data() -> dict[str, Any]:
    """Return two sources, a transform that reads both, and two features of it."""
    nodes: dict[str, Any] = {each: {"type": each.partition(".")[0], "config": {}} for each in IDS}
    nodes["feature.dear"]["tags"] = ["expensive"]
    return {"nodes": nodes, "edges": [list(edge) for edge in EDGES]}


def changed(*changes: Change) -> Manifest:
    """Return the manifest after some changes of its data."""
    whole = data()
    for change in changes:
        change(whole)
    return Manifest.from_dict(whole)


class Project:
    """Runs manifests with one state; ``broken`` are the nodes that fail.

    A node's value is the text of its ``value`` option, or its name, and those of its inputs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken: set[str] = set()
        self.ran: list[str] = []

    def runner(self, manifest: Manifest | None = None, **options: Any) -> DAGRunner:
        """Return a runner that knows the kinds."""
        runner = DAGRunner(manifest or changed(), state_dir=self.folder / "state", **options)
        for kind in ("source", "transform", "feature"):
            runner.register(kind, self.execute)
        return runner

    def run(self, manifest: Manifest | None = None, **options: Any) -> list[str]:
        """Run, and return the ids of the nodes that ran, in order."""
        self.summary(manifest, **options)
        return self.ran

    def summary(self, manifest: Manifest | None = None, **options: Any) -> ExecutionSummary:
        """Run, and return the summary."""
        self.ran = []
        return self.runner(manifest).run(progress=False, **options)

    def execute(self, node: ManifestNode, inputs: dict[str, str]) -> str:
        """Note that a node ran; fail if it is broken."""
        self.ran.append(node.id)
        if node.id in self.broken:
            raise ValueError(f"{node.name} is broken")
        return f"{node.config.get('value', node.name)}({','.join(map(str, inputs.values()))})"
