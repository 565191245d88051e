"""A live, incremental graph of your notebook.

Load it with ``%load_ext dagnb``, then start a cell with ``%%dag_node``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "dagnb.errors": (
        "CheckpointError",
        "CheckpointWarning",
        "CycleError",
        "DagError",
        "DefinitionError",
        "DuplicateNodeError",
        "EdgeNotFoundError",
        "ExpansionError",
        "GraphError",
        "GraphInUseError",
        "InputMutatedError",
        "LayoutError",
        "ManifestCycleError",
        "ManifestError",
        "MissingInputError",
        "NodeNotFoundError",
        "ProjectError",
        "RuleError",
        "SelectionError",
        "SourceError",
        "SqlError",
        "StaleNodeRefError",
        "StateError",
        "StateInUseError",
        "StateWarning",
        "TaskTimeoutError",
        "TooManyStuckTasksError",
        "UncacheableValue",
    ),
    "dagnb.events": (
        "GraphChange",
        "GraphEdited",
        "NodePlaced",
        "NodeSettled",
        "NodeStarted",
        "NodesStale",
        "RunFinished",
        "RunStarted",
    ),
    "dagnb.graph.adjacency": ("NodeRef",),
    "dagnb.graph.analysis": ("ExecutionPlan", "ExecutionStep", "Reason"),
    "dagnb.graph.edit": ("DynamicModification", "DynamicNodeSpec"),
    "dagnb.notebook.magics": ("dag_node", "session"),
    "dagnb.observe.callbacks": ("ExecutionCallbacks",),
    "dagnb.observe.hooks": ("HookContext", "HookEvent", "HookRegistry"),
    "dagnb.observe.profile": ("NodeProfile", "ProfileReport", "profile_execution"),
    "dagnb.observe.trace": ("ExecutionTrace", "TraceEvent", "TraceEventType", "Tracer"),
    "dagnb.project.backends": (
        "FileStateBackend",
        "FsspecStateBackend",
        "SqliteStateBackend",
        "StateBackend",
    ),
    "dagnb.project.diff": ("ManifestDiff",),
    "dagnb.project.manifest": ("Manifest", "ManifestNode"),
    "dagnb.project.runner": ("DAGRunner",),
    "dagnb.project.summary": (
        "ExecutionStatus",
        "ExecutionSummary",
        "NodeOutcome",
        "print_summary",
    ),
    "dagnb.render.drawings": ("DAG", "DAGBuilder"),
    "dagnb.results": ("ExecutionResult", "IncrementalResult", "NodeResult", "NodeStatus"),
    "dagnb.run.conditional": ("ConditionalExecutor",),
    "dagnb.run.conditions": ("ConditionalDAGBuilder", "Conditions"),
    "dagnb.run.checkpoint": ("CheckpointExecutor",),
    "dagnb.run.drive": ("Interrupted",),
    "dagnb.run.dynamic": ("DynamicExecutor",),
    "dagnb.run.executors": ("AsyncDAGExecutor", "DAGExecutor"),
    "dagnb.run.incremental": ("IncrementalExecutor",),
    "dagnb.run.pipeline": ("Pipeline",),
    "dagnb.run.resuming": ("CheckpointInfo",),
    "dagnb.tasks": ("Task", "task"),
    "dagnb.values.fingerprint": ("digest", "register_digest"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", "load_ipython_extension", "teach"]
__all__ += sorted(_HOME_OF)  # noqa: PLE0605  # computed, from the one list above


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import dagnb`` stays cheap."""
    if name == "teach":
        import_module("dagnb.render.drawings")  # so that the graphs of exercises have pictures
        return import_module("dagnb.teach")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dagnb' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, "teach"})


def load_ipython_extension(shell: Any) -> None:
    """Register ``%%dag_node`` and ``%dag``; called by ``%load_ext dagnb``."""
    import_module("dagnb.notebook.magics").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take the magics away again; called by ``%unload_ext dagnb``."""
    import_module("dagnb.notebook.magics").unload(shell)
