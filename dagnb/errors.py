"""Every error that dagnb raises, in one tree.

::

    DagError
     ├── GraphError
     │    ├── CycleError             an edge would close a cycle; ``.path``
     │    ├── DuplicateNodeError     the name is taken
     │    ├── NodeNotFoundError      no such node; suggests the nearest name
     │    │    └── StaleNodeRefError a handle to a node that was removed
     │    ├── EdgeNotFoundError      no such edge
     │    ├── ExpansionError         nodes that a running node asks for and cannot get
     │    └── GraphInUseError        an edit while the graph runs
     ├── DefinitionError             a node cell that cannot become a node
     ├── InputMutatedError           a node changed one of its inputs in place
     ├── MissingInputError           a node reads a name that nothing defines
     ├── CheckpointError             a folder that cannot hold a checkpoint
     ├── StoreError                  a folder that cannot hold the values of nodes
     │    └── SigningKeyError        no key to sign either with (a CheckpointError, too)
     ├── UncacheableValue            a value that no digest can name
     ├── TaskTimeoutError            a task took longer than it may; also a ``TimeoutError``
     ├── TooManyStuckTasksError      tasks that ran out of time still hold their threads
     ├── ProjectError                a pipeline in files that cannot run as it is
     │    ├── ManifestError          a manifest that is none; ``.where``; also a ``ValueError``
     │    │    └── ManifestCycleError   (a CycleError, too)
     │    ├── SelectionError         a selector that selects nothing, or what cannot run
     │    ├── StateError             a state of runs that cannot be used as it is
     │    │    └── StateInUseError   another run uses it now
     │    ├── SourceError            a file that is missing, empty, or changed while it was read
     │    ├── SqlError               SQL that does not parse, or reads what is no input
     │    └── RuleError              rows that a rule forbids; ``.rows``
class BackendError(DagError):
    """A backend that cannot be used as it is; the message says what to do."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"the backend {name!r} {reason}")

    def __reduce__(self) -> tuple[type[BackendError], tuple[str, str]]:
        return type(self), (self.name, self.reason)


class NotSendableError(DagError):
    """A task, an input or a value that cannot be sent to another process; it is named."""


class WorkerLostError(DagError):
    """The process that ran a task ended in the middle of it: a crash, ``os._exit``, a kill.

    Attributes
    ----------
    worker : str
    exit_code : int or None
        As of `subprocess`: the negative number of a signal; None if it is not known.
    """

    def __init__(self, worker: str, exit_code: int | None = None) -> None:
        self.worker, self.exit_code = worker, exit_code
        super().__init__(f"{worker} ended in the middle of the task{_ending(exit_code)}")

    def __reduce__(self) -> tuple[type[WorkerLostError], tuple[str, int | None]]:
        return type(self), (self.worker, self.exit_code)


class ForeignError(DagError):
    """What a task raised in another process, if it cannot be made again here.

    Attributes
    ----------
    kind : str
        The name of its type.
    """

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text
        super().__init__(text)

    def __reduce__(self) -> tuple[type[ForeignError], tuple[str, str]]:
        return type(self), (self.kind, self.text)
