"""What an executor needs to go on where an earlier run ended: a policy and its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from inspect import Parameter
from pathlib import Path
from types import FunctionType
from typing import Any

from dagnb.errors import CheckpointError, CheckpointWarning, UncacheableValue
from dagnb.events import Event, NodeSettled, RunFinished, RunStarted
from dagnb.graph.dag import DAG
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.call import parameters_of
from dagnb.run.policies import Inputs, Policy
from dagnb.tasks import Task
from dagnb.values.code import CodeDigest, code_digest
from dagnb.values.durable import Damaged
from dagnb.values.fingerprint import digest
from dagnb.values.ledger import Entry, Ledger
from dagnb.values.signature import signing_key
from dagnb.warning import warn

Tasks = Mapping[str, Callable[..., Any]]
Folder = str | os.PathLike[str]
Named = list[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """How far a run came.

    Attributes
    ----------
    checkpoint_dir : str
    completed_nodes, failed_nodes : list of str
    total_nodes : int
        How many nodes the graph had.
    timestamp : str
        When it was last written: ISO 8601, in UTC.
    unsaved_nodes : list of str
        Those of the completed ones whose value could not be saved; they will run again.
    """

    checkpoint_dir: str
    completed_nodes: list[str]
    failed_nodes: list[str]
    total_nodes: int
    timestamp: str
    unsaved_nodes: list[str] = field(default_factory=list)


class Checkpoint:
    """A folder in which runs of one graph keep what they did; None for no checkpoint."""

    def __init__(self, dag: DAG, folder: Folder | None) -> None:
        if not isinstance(folder, str | os.PathLike | None) or folder == "":
            raise TypeError(f"checkpoint_dir is a path, not {folder!r}")
        self._dag = dag
        self._folder = folder

    def begin(self, tasks: Tasks, *, resume: bool, fresh: bool = True) -> list[RememberByName]:
        """Return the policy of a run, as a list of one; without a folder an empty one.

        Parameters
        ----------
        tasks : mapping of str to callable
            Looked up when a node is about to run.
        resume : bool
            Whether to use what is there.
        fresh : bool
            Otherwise: whether to remove what is there first.

        Raises
        ------
        CheckpointError
            The folder cannot be used, another run writes to it, or there is none to resume from.
        """
        if self._folder is None and not resume:
            return []
        ledger = self._open(claim=True)
        if fresh and not resume:
            _clear(ledger)
        try:
            ledger.start(len(self._dag))
        except CheckpointError as error:
            if not (resume and ledger.entries and isinstance(error.__cause__, OSError)):
                raise
            ledger.complain(f"{error}; what is there is used, and nothing is saved")
        return [RememberByName(ledger, self._dag, tasks, resume=resume)]

    def info(self) -> CheckpointInfo | None:
        """Return how far the last run came, or None if there is none."""
        ledger = self._open()
        if not ledger.timestamp:
            return None
        return CheckpointInfo(
            os.fspath(self._folder or ""),
            list(ledger.entries),
            list(ledger.failed),
            ledger.total,
            ledger.timestamp,
            [name for name, entry in ledger.entries.items() if not entry.file],
        )

    def clear(self) -> None:
        """Remove what runs wrote, and nothing else."""
        if self._folder is None or os.path.exists(self._folder):
            ledger = self._open(claim=True)
            _clear(ledger)
            ledger.release()

    def _open(self, *, claim: bool = False) -> Ledger:
        """Return the ledger as it is on the disk now."""
        if self._folder is None:
            raise CheckpointError("there is no checkpoint; name its folder with checkpoint_dir=")
        folder = Path(self._folder)
        if folder.exists() and not folder.is_dir():
            raise CheckpointError(f"{folder} is a file; a checkpoint needs a folder of its own")
        ledger = Ledger(folder, signing_key(), _warn)
        if claim:
            ledger.claim()
        ledger.read()
        return ledger


class Checkpointed:
    """What every executor with a checkpoint can be asked.

    Attributes
    ----------
    checkpoint : Checkpoint
        Where runs keep what they did, if anywhere.
    """

    checkpoint: Checkpoint

    def checkpoint_info(self) -> CheckpointInfo | None:
        """Return how far the last run came, or None if no checkpoint is there."""
        return self.checkpoint.info()

    def clear_checkpoint(self) -> None:
        """Remove the files that runs wrote to the checkpoint, and no others."""
        self.checkpoint.clear()


class RememberByName(Policy):
    """Reuses the value that a node had in an earlier run, if its code and inputs are the same.

    Every value is written when its node settles, before anything below it starts. A node whose
    file is damaged runs again, and so does all below it, whatever comes out. It is an observer
    too: failures are noted.

    Parameters
    ----------
    ledger : Ledger
    dag : DAG
    tasks : mapping of str to callable
    resume : bool
        Whether what the ledger holds may be used.
    """

    def __init__(self, ledger: Ledger, dag: DAG, tasks: Tasks, *, resume: bool) -> None:
        self._ledger = ledger
        self._dag = dag
        self._tasks = tasks
        self._resume = resume
        self._code: dict[str, CodeDigest | None] = {}
        self._doubtful: set[str] = set()
        self._reasons: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Note a failure; keep others from writing until the run is over."""
        if isinstance(event, RunStarted):
            runs = self._dag.adjacency.runs
            self._ledger.begin(lambda: bool(runs))
        elif isinstance(event, RunFinished):
            self._ledger.release()
        elif isinstance(event, NodeSettled):
            status = event.result.status
            if status is NodeStatus.FAILED or status is NodeStatus.TIMED_OUT:
                self._ledger.total = len(self._dag)
                self._ledger.fail(str(event.result.name))

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Answer with the value of the earlier run, or note why it cannot be used."""
        name = str(name)
        if name not in self._tasks:
            return None
        self._code[name] = _code_of(self._tasks[name])
        if not self._resume:
            return None
        try:
            return self._recall(name, inputs)
        except Damaged as damage:
            self._reasons[name] = f"ran: {damage}"
            return None

    def _recall(self, name: str, inputs: Inputs) -> NodeResult:
        entry = self._ledger.entries.get(name)
        if entry is None:
            raise Damaged("it failed" if name in self._ledger.failed else "it had not completed")
        doubtful = [str(each) for each in inputs if each in self._doubtful]
        if doubtful:
            self._doubtful.add(name)
            raise Damaged(f"the checkpoint of {', '.join(doubtful)} is damaged")
        self._check_key(name, entry, inputs)
        value = self._value(name, entry)
        return NodeResult(
            name,
            NodeStatus.COMPLETED,
            value,
            duration_seconds=entry.seconds,
            reason="from the checkpoint: same code, same inputs",
            digest=entry.digest,
        )

    def _value(self, name: str, entry: Entry) -> Any:
        try:
            return self._ledger.get(name)
        except Damaged as damage:
            if entry.file:
                self._doubtful.add(name)
                _warn(f"node {name!r}: {damage}; it runs again, and all below it")
            raise

    def _check_key(self, name: str, entry: Entry, inputs: Inputs) -> None:
        """Refuse a value of other code or of other inputs."""
        code = self._code[name]
        if entry.code is None or code is None:
            raise Damaged("its code cannot be compared")
        now = _facts(code)
        if any(now.get(label) != known for label, known in entry.code.items()):
            raise Damaged("its code changed")
        before, after = self._in_order(name, entry.inputs), self._named(name, inputs)
        if [each for each, _ in before] != [each for each, _ in after]:
            raise Damaged("its edges changed")
        changed = [each for each, known in after if known is None or (each, known) not in before]
        if changed:
            raise Damaged(f"input{'s' if len(changed) > 1 else ''} {', '.join(changed)} changed")

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Save a value, and say so if that cannot be."""
        if not result.status.is_success:
            return result
        name = str(result.name)
        named = result.digest or _digest(result.result)
        code = _stable_facts(self._tasks[name], self._code.get(name))
        entry = Entry(named, result.duration_seconds, code, self._named(name, inputs))
        self._ledger.total = len(self._dag)
        unsaved = self._ledger.put(name, result.result, entry)
        reason = self._reasons.pop(name, "ran" if unsaved else result.reason)
        ending = f"; its value is not saved ({unsaved})" if unsaved else ""
        return replace(result, digest=named, reason=reason + ending)

    def _named(self, name: str, inputs: Inputs) -> Named:
        """Return the inputs with what names their values."""
        return self._in_order(name, [(str(key), self._token(each)) for key, each in inputs.items()])

    def _in_order(self, name: str, named: Any) -> Named:
        """Return inputs by name, unless the task takes them in the order of their edges."""
        pairs = [(each, token) for each, token in named]
        ordered = any(
            each.kind is Parameter.VAR_POSITIONAL for each in parameters_of(self._tasks[name])
        )
        return pairs if ordered else sorted(pairs, key=lambda pair: pair[0])

    def _token(self, given: NodeResult) -> str | None:
        """Name a value by its digest, or else by the pickle that was written of it."""
        if not given.status.is_success:
            return "no value"
        entry = self._ledger.entries.get(str(given.name))
        return given.digest or (f"pickle {entry.sha256}" if entry and entry.sha256 else None)


def _clear(ledger: Ledger) -> None:
    try:
        ledger.clear()
    except OSError as error:
        raise CheckpointError(
            f"{ledger.folder} cannot be cleared: {error}; choose another folder"
        ) from error


def _warn(message: str) -> None:
    warn(message, CheckpointWarning)


def _digest(value: object) -> str | None:
    try:
        return digest(value)
    except UncacheableValue:
        return None


def _code_of(task: Callable[..., Any]) -> CodeDigest | None:
    """Name the code of a task; None if something that it reads does not let itself be read."""
    try:
        return code_digest(task.function if isinstance(task, Task) else task)
    except Exception:
        return None


def _facts(code: CodeDigest) -> dict[str, str]:
    absent = {f"{name} (undefined)": "" for name in code.undefined}
    return {"": code.code.digest, **{k: read.digest for k, read in code.reads.items()}, **absent}


def _stable_facts(task: Callable[..., Any], before: CodeDigest | None) -> dict[str, str] | None:
    """Return what decides a task's value, without what the task itself changes as it runs.

    A list that a task appends to, or a counter that it raises, is no input of it.
    """
    if before is None or before.is_current():
        return None if before is None else _facts(before)
    after = _code_of(task)
    if after is None:
        return None
    then, now = _facts(before), _facts(after)
    stable = {label: known for label, known in then.items() if now.get(label) == known}
    own_state = "" not in stable and isinstance(task, FunctionType | Task)
    return None if own_state else stable
