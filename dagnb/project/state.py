"""What runs of a manifest did: a record for each node, kept between processes."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagnb.errors import StateError, StateInUseError, StateWarning
from dagnb.project.backends import FileStateBackend, StateBackend
from dagnb.values.durable import Claim, Damaged
from dagnb.warning import warn

FORMAT = 1
STATUSES = ("success", "failed", "running")
HEADER = "$dagnb"  # no id of a node starts with a dollar
FILE = "execution_state.json"
DEFAULT_FOLDER = Path("target/state")
_HOLDER = "running.json"
_SHOWN = ("status", "duration", "row_count", "last_run")


@dataclass(frozen=True, slots=True)
class NodeState:
    """What the last run of one node came to.

    Attributes
    ----------
    status : str
        ``"success"`` or ``"failed"``; ``"running"`` if its run did not end.
    duration : float
        Seconds.
    row_count : int or None
    last_run : float
        When it ended, in seconds since 1970.
    attempts : int
        How often it was tried.
    key : str
        Names code, configuration and inputs; empty if its value is not kept.
    digest : str
        Names the value.
    parts : dict of str to str
        What the value depends on beside inputs, each with its digest.
    inputs : dict of str to str
        The digests of the inputs, by id.
    error : str
        Why it failed.
    """

    status: str
    duration: float = 0.0
    row_count: int | None = None
    last_run: float = 0.0
    attempts: int = 1
    key: str = ""
    digest: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the node has a value."""
        return self.status == "success"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NodeState:
        """Return what a backend holds of a node; fields that are unknown are left out."""
        if data.get("status") not in STATUSES:
            raise Damaged(f"its status is none of {', '.join(STATUSES)}")
        state = cls(**{name: data[name] for name in cls.__slots__ if name in data})
        if not isinstance(state.parts, dict) or not isinstance(state.inputs, dict):
            raise Damaged("it does not say what its value depends on")
        return state

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it; what is empty is left out, but for what people look for."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in fields.items() if value or name in _SHOWN}


class State:
    """The records of all nodes, in memory and in a backend.

    Parameters
    ----------
    backend : StateBackend

    Attributes
    ----------
    nodes : dict of str to NodeState
        By id.

    Raises
    ------
    StateError
        It was written by a newer dagnb, or cannot be read.

    Warns
    -----
    StateWarning
        It is damaged: what cannot be used counts as not there.
    """

    def __init__(self, backend: StateBackend) -> None:
        self._backend = backend
        self._is_saved = True
        self._data: dict[str, Any] = {HEADER: {"format": FORMAT}}
        self.nodes: dict[str, NodeState] = {}
        try:
            data = backend.load()
            self._check(data)
        except Damaged as damage:
            _complain(f"the state of earlier runs cannot be used: {damage}; everything runs")
            return
        except OSError as error:
            raise StateError(f"the state of earlier runs cannot be read: {error}") from error
        self.nodes = dict(_readable(data))
        self._data.update((name, state.to_dict()) for name, state in self.nodes.items())

    @staticmethod
    def _check(data: object) -> None:
        if not isinstance(data, dict):
            raise Damaged("it is no object by node id")
        header = data.get(HEADER, {"format": FORMAT})
        number = header.get("format") if isinstance(header, dict) else None
        if not isinstance(number, int):
            raise Damaged("it does not say in which format it is")
        if number > FORMAT:
            raise StateError(
                f"the state was written by a newer dagnb (format {number}, this one reads up to "
                f"{FORMAT}); update dagnb, or choose another state_dir"
            )

    def put(self, name: str, state: NodeState) -> None:
        """Record a node and save everything, in one step; a full disk stops nobody."""
        self.nodes[name], self._data[name] = state, state.to_dict()
        self.save()

    def keep_only(self, names: Iterable[str]) -> None:
        """Forget nodes that there are no more."""
        gone = self.nodes.keys() - set(names)
        for name in gone:
            del self.nodes[name], self._data[name]
        if gone:
            self.save()

    def save(self) -> None:
        """Save everything; warn once if that cannot be."""
        try:
            self._backend.save(dict(self._data))
        except OSError as error:
            if self._is_saved:
                _complain(f"the state cannot be saved: {error}; nodes of this run may run again")
            self._is_saved = False


def _readable(data: Mapping[str, Any]) -> Iterator[tuple[str, NodeState]]:
    for name, each in data.items():
        if name == HEADER:
            continue
        try:
            yield name, NodeState.from_dict(each)
        except (Damaged, AttributeError, TypeError) as error:
            _complain(f"the state of node {name!r} cannot be used: {error}; it runs again")


def _complain(sentence: str) -> None:
    warn(sentence, StateWarning)


def backend_for(
    folder: str | os.PathLike[str] | None, backend: StateBackend | None
) -> StateBackend:
    """Return the backend that was given, or the file in a folder."""
    return backend or FileStateBackend(Path(folder or DEFAULT_FOLDER) / FILE)


@contextmanager
def claimed(folder: Path, what: str = "") -> Iterator[None]:
    """Keep a state, or what else a folder stands for, to one run at a time.

    Raises
    ------
    StateInUseError
        Another run has it; the message says which.
    StateError
        The folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        claim = Claim(folder)
    except BlockingIOError:
        what = what or f"with the state in {folder}"
        raise StateInUseError(f"{_holder(folder)} {what}; wait for its end, or end it") from None
    except OSError as error:
        raise StateError(f"the state cannot be kept in {folder}: {error}") from error
    claim.is_needed = lambda: True
    try:
        _sign(folder / _HOLDER)
        yield
    finally:
        (folder / _HOLDER).unlink(missing_ok=True)
        claim.release()


def _sign(path: Path) -> None:
    """Leave word who runs; the lock is what counts."""
    word = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
    try:
        path.write_text(json.dumps(word))
    except OSError:
        path.unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    try:
        word = json.loads((folder / _HOLDER).read_text())
        since = time.strftime("%H:%M:%S", time.localtime(word["since"]))
        who = f"process {word['pid']} on {word['host']} since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "another process"
    return f"{who} runs"
