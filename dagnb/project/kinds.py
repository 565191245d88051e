"""The kinds of nodes that do something by themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dagnb.project.manifest import ManifestNode
from dagnb.project.work import Above, Work

MakeWork = Callable[[ManifestNode, Above, Path], Work]
KINDS: dict[str, MakeWork] = {}
