"""The public names: where each is defined, for type checkers and for loading it late."""

from . import teach as teach
from .errors import (
    CheckpointError as CheckpointError,
    CheckpointWarning as CheckpointWarning,
    CycleError as CycleError,
    DagError as DagError,
    DefinitionError as DefinitionError,
    DuplicateNodeError as DuplicateNodeError,
    EdgeNotFoundError as EdgeNotFoundError,
    ExpansionError as ExpansionError,
    GraphError as GraphError,
    GraphInUseError as GraphInUseError,
    InputMutatedError as InputMutatedError,
    LayoutError as LayoutError,
    ManifestCycleError as ManifestCycleError,
    ManifestError as ManifestError,
    MissingInputError as MissingInputError,
    NodeNotFoundError as NodeNotFoundError,
    ProjectError as ProjectError,
    RuleError as RuleError,
    SelectionError as SelectionError,
    SourceError as SourceError,
    SqlError as SqlError,
    StaleNodeRefError as StaleNodeRefError,
    StateError as StateError,
    StateInUseError as StateInUseError,
    StateWarning as StateWarning,
    TaskTimeoutError as TaskTimeoutError,
    TooManyStuckTasksError as TooManyStuckTasksError,
    UncacheableValue as UncacheableValue,
)
from .events import (
    GraphChange as GraphChange,
    GraphEdited as GraphEdited,
    NodePlaced as NodePlaced,
    NodeSettled as NodeSettled,
    NodeStarted as NodeStarted,
    NodesStale as NodesStale,
    RunFinished as RunFinished,
    RunStarted as RunStarted,
)
from .graph.adjacency import NodeRef as NodeRef
from .graph.analysis import (
    ExecutionPlan as ExecutionPlan,
    ExecutionStep as ExecutionStep,
    Reason as Reason,
)
from .graph.edit import (
    DynamicModification as DynamicModification,
    DynamicNodeSpec as DynamicNodeSpec,
)
from .notebook.magics import (
    dag_node as dag_node,
    session as session,
)
from .observe.callbacks import ExecutionCallbacks as ExecutionCallbacks
from .observe.hooks import (
    HookContext as HookContext,
    HookEvent as HookEvent,
    HookRegistry as HookRegistry,
)
from .observe.profile import (
    NodeProfile as NodeProfile,
    ProfileReport as ProfileReport,
    profile_execution as profile_execution,
)
from .observe.trace import (
    ExecutionTrace as ExecutionTrace,
    TraceEvent as TraceEvent,
    TraceEventType as TraceEventType,
    Tracer as Tracer,
)
from .project.backends import (
    FileStateBackend as FileStateBackend,
    FsspecStateBackend as FsspecStateBackend,
    SqliteStateBackend as SqliteStateBackend,
    StateBackend as StateBackend,
)
from .project.diff import ManifestDiff as ManifestDiff
from .project.manifest import (
    Manifest as Manifest,
    ManifestNode as ManifestNode,
)
from .project.runner import DAGRunner as DAGRunner
from .project.summary import (
    ExecutionStatus as ExecutionStatus,
    ExecutionSummary as ExecutionSummary,
    NodeOutcome as NodeOutcome,
    print_summary as print_summary,
)
from .render.drawings import (
    DAG as DAG,
    DAGBuilder as DAGBuilder,
)
from .results import (
    ExecutionResult as ExecutionResult,
    IncrementalResult as IncrementalResult,
    NodeResult as NodeResult,
    NodeStatus as NodeStatus,
)
from .run.checkpoint import CheckpointExecutor as CheckpointExecutor
from .run.conditional import ConditionalExecutor as ConditionalExecutor
from .run.conditions import (
    ConditionalDAGBuilder as ConditionalDAGBuilder,
    Conditions as Conditions,
)
from .run.drive import Interrupted as Interrupted
from .run.dynamic import DynamicExecutor as DynamicExecutor
from .run.executors import (
    AsyncDAGExecutor as AsyncDAGExecutor,
    DAGExecutor as DAGExecutor,
)
from .run.incremental import IncrementalExecutor as IncrementalExecutor
from .run.pipeline import Pipeline as Pipeline
from .run.resuming import CheckpointInfo as CheckpointInfo
from .tasks import (
    Task as Task,
    task as task,
)
from .values.fingerprint import (
    digest as digest,
    register_digest as register_digest,
)

__version__: str

def load_ipython_extension(shell: object) -> None: ...
def unload_ipython_extension(shell: object) -> None: ...
