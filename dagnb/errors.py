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
     ├── UnusableValue               a value that raises whoever looks at it
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
     ├── BackendError                a backend that cannot be used here; says what is missing
     ├── NotSendableError            a task or value that cannot go to another process
     ├── UpstreamDrift               an input was lost, and came out different when made again
     ├── WorkerLostError             the process that ran a task ended in the middle of it
     ├── ForeignError                what another process raised and cannot be made again here
     ├── NotebookError               a file that cannot be run as a notebook, or be written
     └── LayoutError                 Graphviz is missing or gave no geometry

Misuse of a function (a string where a list is expected, a negative timeout) raises the
builtin ``TypeError`` or ``ValueError``. An error of the user's code is never wrapped.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, or nothing."""
    nearest = get_close_matches(name, [str(each) for each in known], n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


class DagError(Exception):
    """The root of all errors of dagnb."""


class GraphError(DagError):
    """A question or an edit that the graph refuses; the graph is unchanged."""


class CycleError(GraphError):
    """An edge would close a cycle.

    Attributes
    ----------
    path : list of str
        The cycle in the direction of its edges, closed: the first name is repeated at the end.
    """

    def __init__(self, path: Sequence[str]) -> None:
        self.path = list(path)
        super().__init__(f"this would close a cycle: {' -> '.join(self.path)}")

    def __reduce__(self) -> tuple[type[CycleError], tuple[list[str]]]:
        return type(self), (self.path,)


class DuplicateNodeError(GraphError):
    """A node of this name exists already."""

    def __init__(self, name: str) -> None:
        self.name = str(name)
        super().__init__(f"node {self.name!r} already exists; remove it first or choose a new name")

    def __reduce__(self) -> tuple[type[DuplicateNodeError], tuple[str]]:
        return type(self), (self.name,)


class NodeNotFoundError(GraphError):
    """No node of this name exists.

    Parameters
    ----------
    name : str
        The unknown name.
    known : iterable of str
        The names to suggest the nearest one from.
    where : str
        What the name was found in (``"changed_nodes"``), for the message.
    """

    def __init__(self, name: str, known: Iterable[str] = (), where: str = "") -> None:
        self.name = str(name)
        place = f" (in {where})" if where else ""
        super().__init__(f"no node {self.name!r}{place}{did_you_mean(self.name, known)}")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.name, str(self))


class EdgeNotFoundError(GraphError):
    """No edge joins these two nodes in this direction."""

    def __init__(self, source: str, target: str) -> None:
        self.source, self.target = str(source), str(target)
        super().__init__(f"no edge {self.source!r} -> {self.target!r}")

    def __reduce__(self) -> tuple[type[EdgeNotFoundError], tuple[str, str]]:
        return type(self), (self.source, self.target)


class StaleNodeRefError(NodeNotFoundError):
    """A handle whose node was removed, even if a node of that name was added again."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.args = (f"the handle to {self.name!r} is stale: its node was removed; use the name",)


class ExpansionError(GraphError):
    """An edit asked for by a node of a run that cannot be made any more, or at all.

    Attributes
    ----------
    by : str
        The node whose expander asked for it.
    """

    def __init__(self, by: str, reason: str) -> None:
        self.by, self.reason = str(by), reason
        super().__init__(f"the expansion of node {self.by!r} is refused: {reason}")

    def __reduce__(self) -> tuple[type[ExpansionError], tuple[str, str]]:
        return type(self), (self.by, self.reason)


class GraphInUseError(GraphError):
    """An edit of a graph that is running; tasks and callbacks cannot change what runs."""

    def __init__(self) -> None:
        super().__init__("the graph is running and cannot be edited; edit it when the run is over")


class DefinitionError(DagError):
    """A cell or function that cannot become a node; nothing was registered."""


class InputMutatedError(DagError):
    """A node changed one of its inputs in place, which would make others stale unnoticed."""

    def __init__(self, node: str, inputs: Sequence[tuple[str, str]]) -> None:
        self.node = str(node)
        self.inputs = [(str(name), kind) for name, kind in inputs]
        changed = ", ".join(f"{name!r} (a {kind})" for name, kind in self.inputs)
        first = self.inputs[0][0]
        super().__init__(
            f"node {self.node!r} changed its input {changed} in place; "
            f"work on a copy, e.g. {first} = {first}.copy()"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.node, self.inputs)


class UnusableValue(DagError):
    """A value whose class raises as soon as anybody asks what it is."""


class MissingInputError(DagError):
    """A node reads names that are neither nodes nor variables."""

    def __init__(self, node: str, names: Sequence[str], known: Iterable[str] = ()) -> None:
        self.node, self.names = str(node), [str(name) for name in names]
        listed = ", ".join(repr(name) for name in self.names)
        super().__init__(
            f"node {self.node!r} needs {listed}, which no node or variable defines"
            f"{did_you_mean(self.names[0], known)}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.node, str(self))


class CheckpointError(DagError):
    """A checkpoint that cannot be used as it is; the message says what to do."""


class StoreError(DagError):
    """A store that cannot be used as it is; the message says what to do."""


class SigningKeyError(CheckpointError, StoreError):
    """The user's key can neither be read nor made, so nothing that is saved could be trusted."""


class CheckpointWarning(UserWarning):
    """Something in a checkpoint is not as it was left, or cannot be saved; the run goes on."""


class UncacheableValue(DagError):
    """A value that no digest can name, because looking at it would change or exhaust it."""


class TaskTimeoutError(DagError, TimeoutError):
    """A task took longer than it may; its traceback, if any, says where it was interrupted.

    Attributes
    ----------
    seconds : float
        What it was allowed.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"it took longer than its timeout of {seconds:g} s")

    def __reduce__(self) -> tuple[type[TaskTimeoutError], tuple[float]]:
        return type(self), (self.seconds,)


class TooManyStuckTasksError(DagError):
    """So many abandoned tasks still run that no further one with a timeout is started."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [str(name) for name in names]
        super().__init__(
            f"{len(self.names)} tasks that ran out of time still run in their threads "
            f"({', '.join(self.names)}), and a thread cannot be stopped; "
            "run tasks that may hang with backend='processes', which are killed, or restart"
        )

    def __reduce__(self) -> tuple[type[TooManyStuckTasksError], tuple[list[str]]]:
        return type(self), (self.names,)


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


class UpstreamDrift(DagError):
    """A value was lost with the worker that held it, and came out different when made again.

    Its ``inputs`` are numbers of what the backend held for a call, and its ``values`` stand for it.
    """

    def __init__(self, inputs: Sequence[int], values: Sequence[object] = ()) -> None:
        self.inputs = list(inputs)
        self.values = [values[each] for each in self.inputs] if values else []
        named = ", ".join(map(str, self.values)) or "a value"
        super().__init__(
            f"{named} was lost with its worker, and came out different when it was made again; "
            "what was computed from it does not fit any more"
        )

    def __reduce__(self) -> tuple[type[UpstreamDrift], tuple[list[int]]]:
        return type(self), (self.inputs,)


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


class NotebookError(DagError):
    """A file that cannot be run as a notebook, or not be written; the message says what to do."""


class LayoutError(DagError):
    """The graph could not be laid out."""


class ProjectError(DagError):
    """A pipeline described in files that cannot run as it is; nothing has run."""


class ManifestError(ProjectError, ValueError):
    """A manifest that is not as it must be.

    Attributes
    ----------
    where : str
        The place in the JSON: ``nodes['source.users'].config.path``.
    file : str
        The file, if there is one.
    """

    def __init__(self, where: str, problem: str, file: str | os.PathLike[str] = "") -> None:
        self.where, self.problem, self.file = where, problem, os.fspath(file)
        self.args = (self._text(),)

    def _text(self) -> str:
        return ": ".join(each for each in (self.file, self.where, self.problem) if each)

    def add_file(self, file: str | os.PathLike[str]) -> None:
        """Note which file it is about."""
        self.file = os.fspath(file)
        self.args = (self._text(),)

    def __reduce__(self) -> tuple[object, ...]:
        return ManifestError, (self.where, self.problem, self.file)


class ManifestCycleError(ManifestError, CycleError):
    """Edges of a manifest that close a cycle.

    Attributes
    ----------
    path : list of str
        The cycle in the direction of its edges, closed.
    """

    def __init__(self, where: str, path: Sequence[str], file: str = "") -> None:
        self.path = [str(name) for name in path]
        ManifestError.__init__(self, where, f"DAG contains cycle: {' -> '.join(self.path)}", file)

    def __reduce__(self) -> tuple[object, ...]:  # type: ignore[override]  # more arguments
        return type(self), (self.where, self.path, self.file)


class SelectionError(ProjectError, ValueError):
    """A selector that names nothing, or a selection that cannot run."""


class StateError(ProjectError):
    """A state of runs that cannot be used as it is; the message says what to do."""


class StateInUseError(StateError):
    """Another run uses this state now."""


class StateWarning(UserWarning):
    """A state of runs is not as it was left, or cannot be saved; the run goes on."""


class SourceError(ProjectError):
    """A file of a source that is missing, empty, unreadable, or changed while it was read."""


class SqlError(ProjectError):
    """SQL that does not parse, or reads what is no input of its node."""


class RuleError(ProjectError):
    """Rows that a rule forbids.

    Attributes
    ----------
    node : str
    count : int
        How many there are.
    rows : list of dict
        The first of them.
    """

    def __init__(self, node: str, count: int, rows: Sequence[dict[str, object]]) -> None:
        self.node, self.count, self.rows = str(node), count, list(rows)
        first = "; ".join(
            ", ".join(f"{name}={value!r}" for name, value in row.items()) for row in self.rows
        )
        many = f"{count} rows break" if count != 1 else "1 row breaks"
        super().__init__(f"{many} the rule {self.node}{': ' if first else ''}{first}")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.node, self.count, self.rows)


def _ending(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    if exit_code >= 0:
        return f", with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = str(-exit_code)
    return f", by the signal {name}"


def _rebuild(kind: type[DagError], name: str, message: str) -> DagError:
    """Make an error again from its message alone (its suggestions are in the text)."""
    error = kind.__new__(kind)
    error.args = (message,)
    error.name = name  # type: ignore[attr-defined]  # set by the __init__ that is skipped here
    return error
