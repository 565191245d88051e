"""A run of a manifest, told in lines while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dagnb.events import Event, NodeSettled, NodeStarted
from dagnb.project.manifest import ManifestNode
from dagnb.results import NodeResult, NodeStatus


class ProgressLines:
    """Writes a line when a node starts, and one when it has ended; an observer."""

    def __init__(self, nodes: Mapping[str, ManifestNode], write: Callable[[str], Any]) -> None:
        self._nodes = nodes
        self._write = write
        self._settled = 0

    def __call__(self, event: Event) -> None:
        """Tell of an event."""
        if isinstance(event, NodeStarted):
            place = f"{self._settled + 1}/{len(self._nodes)}"
            self._write(f"ℹ {place}: {event.name} [RUNNING]")
        elif isinstance(event, NodeSettled):
            self._settled += 1
            if event.result.executed:
                self._write(self._ended(event.result))

    def _ended(self, result: NodeResult) -> str:
        name, seconds = self._nodes[str(result.name)].name, result.duration_seconds
        tries = f" after {result.attempts} attempts" if result.attempts > 1 else ""
        if result.status is NodeStatus.COMPLETED:
            return f"✓ {name} completed in {seconds:.2f}s{tries}"
        what = result.error if result.error is not None else result.reason
        return f"✗ {name} failed in {seconds:.2f}s{tries}: {what}"
