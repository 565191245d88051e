"""A graph run again, in a process of its own: other orders, other hash seeds, nothing shared.

The tasks travel there by value, with the variables they read. What comes back are digests, so
that two runs can be compared, and what tasks did to their inputs.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from types import CodeType, FrameType
from typing import Any, BinaryIO

from dagnb.errors import DagError, UncacheableValue
from dagnb.graph.dag import DAG
from dagnb.run.attempts import SLICE_SECONDS
from dagnb.run.executors import DAGExecutor
from dagnb.run.threads import has_threads
from dagnb.values.fingerprint import digest

_START = "from dagnb.run.repetition import perform_in_child; perform_in_child()"
_LENGTH = 8
LOOKING_SECONDS = 20.0  # how long to look for the line that changes an input


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a repetition.

    Attributes
    ----------
    name : str
    function : callable
    inputs : tuple of str
        The nodes it comes after; those among its parameters are handed in.
    given : mapping of str to object
        The other arguments.
    shows : bool
        Whether the function returns what to show, and then the value.
    is_traced : bool
        Whether to look for the lines that change an input in place.
    """

    name: str
    function: Callable[..., object]
    inputs: tuple[str, ...] = ()
    given: Mapping[str, object] = field(default_factory=dict)
    shows: bool = False
    is_traced: bool = False


@dataclass(slots=True)
class Outcome:
    """What a node came to in a repetition.

    Attributes
    ----------
    digest : str or None
        Names its value; None if there is none, or nothing can name it.
    error : str
        What it raised, in one line.
    inputs : dict of str to str
        The digests of its inputs when it began.
    changed : dict of str to int
        The inputs that it changed in place, and the line that did it first; 0 if unknown.
    """

    digest: str | None = None
    error: str = ""
    inputs: dict[str, str | None] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """In what circumstances to repeat: who comes first, which hash seed, how many workers."""

    order: tuple[str, ...]
    hash_seed: int = 1
    workers: int = 1


def same_value(value: object) -> Callable[[], object]:
    """Return the function of a step that gives a value as it is."""
    return partial(_itself, value)


def _itself(value: object) -> object:
    return value


def packed(steps: Sequence[Step]) -> bytes:
    """Return steps as bytes, functions and classes of the notebook by value.

    Raises
    ------
    Exception
        Whatever pickle raises for something that cannot leave this process.
    """
    import cloudpickle

    data: bytes = cloudpickle.dumps(list(steps), protocol=pickle.HIGHEST_PROTOCOL)
    return data


def repeat(steps: bytes, setting: Setting, timeout: float | None = None) -> dict[str, Outcome]:
    """Run steps in a new process, which ends with this one.

    Ctrl-C ends it too, and so does the time limit; both kill it.

    Parameters
    ----------
    steps : bytes
        As `packed` returns them.
    setting : Setting
    timeout : float, optional
        Seconds.

    Raises
    ------
    DagError
        The process died, or there are no processes.
    TimeoutError
        It did not end in time.
    """
    if not has_threads():
        raise DagError("nodes are repeated in a process, and Python in a browser has none")
    work = pickle.dumps((steps, setting.order, setting.workers))
    process = subprocess.Popen(
        [sys.executable, "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(setting.hash_seed),
        start_new_session=True,
    )
    try:
        answer = _asked(process, work, timeout)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]  # both were asked for
    if not answer:
        raise DagError(f"the process that repeats nodes ended with exit code {process.returncode}")
    return {name: Outcome(**each) for name, each in json.loads(answer).items()}


def _environment(hash_seed: int) -> dict[str, str]:
    """Let the process find the modules that this one finds, and draw figures nowhere."""
    path = os.pathsep.join(each or os.getcwd() for each in sys.path)
    own = {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": path, "MPLBACKEND": "Agg"}
    return {**os.environ, **own}


def _asked(process: subprocess.Popen[bytes], work: bytes, timeout: float | None) -> bytes:
    """Send the work and wait for the answer; its standard input stays open meanwhile."""
    question, answer = process.stdin, process.stdout
    assert question is not None and answer is not None

    def ask() -> bytes:
        try:
            question.write(len(work).to_bytes(_LENGTH, "big") + work)
            question.flush()
            return answer.read()
        except (BrokenPipeError, ValueError):  # it is dead, or was given up and its pipe closed
            return b""

    return _patiently(ask, timeout)


def _patiently(read: Callable[[], bytes], timeout: float | None) -> bytes:
    """Read in a thread, and look after signals here: they need not arrive on this thread."""
    found: list[bytes] = []
    ends = math.inf if timeout is None else time.monotonic() + timeout
    reader = threading.Thread(target=lambda: found.append(read()), daemon=True)
    reader.start()
    while reader.is_alive():
        if time.monotonic() >= ends:
            raise TimeoutError(f"the process that repeats nodes did not end within {timeout:g} s")
        reader.join(SLICE_SECONDS)
    return found[0]


def perform_in_child() -> None:
    """Do what the parent asks: read steps, run them, answer with their outcomes."""
    with _apart() as (questions, answers):
        work = questions.read(int.from_bytes(questions.read(_LENGTH), "big"))
        threading.Thread(target=_end_with_parent, args=(questions,), daemon=True).start()
        steps, order, workers = pickle.loads(work)
        outcomes = perform(pickle.loads(steps), Setting(order, workers=workers))
        answers.write(json.dumps({name: asdict(each) for name, each in outcomes.items()}).encode())
    os._exit(0)  # whatever threads the nodes have left behind


@contextmanager
def _apart() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Keep the pipes to the parent from what nodes print and read."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    yield questions, answers
    answers.close()


def _end_with_parent(questions: BinaryIO) -> None:
    questions.read()
    os._exit(1)


def perform(steps: Sequence[Step], setting: Setting) -> dict[str, Outcome]:
    """Run steps, and return what became of each.

    Parameters
    ----------
    steps : sequence of Step
    setting : Setting
        Its hash seed is that of the process.

    Examples
    --------
    >>> steps = [Step("a", lambda: [2, 1]), Step("b", lambda a: a.sort(), ("a",))]
    >>> perform(steps, Setting(("b", "a")))["b"].changed
    {'a': 0}
    """
    _offer_names(steps)
    by_name = {step.name: step for step in steps}
    runs = {step.name: _Run(step) for step in steps}
    dag = DAG()
    dag.add_nodes([name for name in setting.order if name in by_name])
    dag.add_edges([(each, step.name) for step in steps for each in step.inputs])
    result = DAGExecutor(dag, max_workers=setting.workers, fail_fast=False).execute(runs)
    for name, node in result.node_results.items():
        if node.error is not None:
            runs[name].outcome.error = f"{type(node.error).__name__}: {node.error}"
    return {name: run.outcome for name, run in runs.items() if result.node_results[name].started}


def _offer_names(steps: Sequence[Step]) -> None:
    """Put what was the notebook's where pickle looks for classes of a notebook."""
    for step in steps:
        own = getattr(inspect.unwrap(step.function), "__globals__", {})
        if own.get("__name__") == "__main__":
            known = vars(sys.modules["__main__"])
            known.update({name: own[name] for name in own if not name.startswith("__")})


class _Run:
    """A step as a task: it notes the digests of what it takes and of what it gives."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self.outcome = Outcome()
        kind = inspect.Parameter.KEYWORD_ONLY
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(name, kind) for name in self._handed_in()]
        )

    def _handed_in(self) -> list[str]:
        parameters = inspect.signature(self._step.function).parameters
        return [name for name in self._step.inputs if name in parameters]

    def __call__(self, **inputs: Any) -> object:
        self.outcome.inputs = _digests(inputs)
        if self._step.is_traced:
            with _watched(self._step.function, inputs, self.outcome):
                return self._perform(inputs)
        return self._perform(inputs)

    def _perform(self, inputs: Mapping[str, object]) -> object:
        try:
            value = self._value(inputs)
        finally:
            after = _digests(inputs)
            for name, before in self.outcome.inputs.items():
                if after[name] != before:
                    self.outcome.changed.setdefault(name, 0)
        self.outcome.digest = _digest_or_none(value)
        return value

    def _value(self, inputs: Mapping[str, object]) -> object:
        function, given = self._step.function, {**self._step.given, **inputs}
        parameters = inspect.signature(function).parameters.values()
        first = [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]
        positional = [given.pop(name) for name in first if name in given]
        value: Any = function(*positional, **given)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        return value[1] if self._step.shows else value


@contextmanager
def _watched(
    function: Callable[..., object], inputs: Mapping[str, object], outcome: Outcome
) -> Iterator[None]:
    """Note the first line of a function after which an input is another one."""
    before = sys.gettrace()
    sys.settrace(_Lines(inspect.unwrap(function).__code__, inputs, outcome))
    try:
        yield
    finally:
        sys.settrace(before)


class _Lines:
    """A trace function that looks at the inputs after every line of one code object."""

    def __init__(self, code: CodeType, inputs: Mapping[str, object], outcome: Outcome) -> None:
        self._code = code
        self._inputs = inputs
        self._outcome = outcome
        self._line = 0
        self._ends = time.monotonic() + LOOKING_SECONDS

    def __call__(self, frame: FrameType, event: str, argument: object) -> _Lines | None:
        if frame.f_code is not self._code or time.monotonic() > self._ends:
            return None
        if self._line:
            self._look()
        self._line = frame.f_lineno
        return self

    def _look(self) -> None:
        for name, value in self._inputs.items():
            same = _digest_or_none(value) == self._outcome.inputs[name]
            if not same and name not in self._outcome.changed:
                self._outcome.changed[name] = self._line


def _digests(values: Mapping[str, object]) -> dict[str, str | None]:
    return {name: _digest_or_none(value) for name, value in values.items()}


def _digest_or_none(value: object) -> str | None:
    try:
        return digest(value)
    except UncacheableValue:
        return None
