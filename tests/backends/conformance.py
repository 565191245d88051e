"""What every backend must do. A backend is held to it by a subclass that says what it is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dagnb import (
    DAG,
    DAGExecutor,
    ExecutionCallbacks,
    ExecutionResult,
    Interrupted,
    NodeStatus,
    Task,
)
from dagnb.errors import ForeignError, NotSendableError, WorkerLostError
from dagnb.events import Event, NodePlaced
from dagnb.run.backends import Backends
from dagnb.run.call import Report
from dagnb.run.drive import drive_threads
from dagnb.run.engine import Engine
from dagnb.run.records import Memory
from dagnb.run.remote.backend import Backend, Send, Teller

PATIENCE_SECONDS = 60.0
Tasks = dict[str, Callable[..., Any]]


def appears(path: Path) -> None:
    """Wait until another process has made a file."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < ends, f"{path.name} never came"
        time.sleep(0.005)


def meets(own: Path, other: Path) -> str:
    """Say that this task is here, and wait for the other one."""
    own.touch()
    appears(other)
    return own.name


def hold_the_interpreter() -> None:
    """Look for a match for ever, without letting go of the interpreter's lock."""
    re.match(r"(a+)+$", "a" * 60 + "b")


class OddError(Exception):
    """An error that pickles, and cannot be made again from its pickle."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class Answerer(Teller):
    """Tells something, and waits until a file is there."""

    def __init__(self, heard: Path) -> None:
        self.heard = heard

    def __call__(self) -> str:
        """Return the name of the file."""
        assert self.tell is not None
        self.tell(b"is anybody there?")
        appears(self.heard)
        return self.heard.name


class Caller(Answerer):
    """Sends an answerer in its place, and makes the file when it hears of it."""

    def travel(self, send: Send) -> Report:
        """Send an answerer."""

        def hear(news: bytes) -> None:
            assert news == b"is anybody there?"
            self.heard.touch()

        return send(Answerer(self.heard), hear)


@dataclass
class Point:
    """A class of a module."""

    x: int
    y: int


def graph(*nodes: str, edges: tuple[tuple[str, str], ...] = ()) -> DAG:
    """Return a graph of these nodes."""
    dag = DAG()
    dag.add_nodes(nodes)
    dag.add_edges(edges)
    return dag


class Conformance:
    """The promises of a backend, one test each.

    Attributes
    ----------
    name : str
        What ``backend=`` is given, unless the fixture `backend` gives something else.
    sends : bool
        Whether values and functions leave the process.
    kills : bool
        Whether what is given up really ends.
    isolates : bool
        Whether a task may crash without hurting others.
    tells : bool
        Whether one hears of a call before it is over.
    """

    name: ClassVar[str] = ""
    sends: ClassVar[bool] = True
    kills: ClassVar[bool] = True
    isolates: ClassVar[bool] = True
    tells: ClassVar[bool] = True

    @staticmethod
    def worker() -> int:
        """Return the process of the worker, asked in a task."""
        return os.getpid()

    @pytest.fixture
    def backend(self) -> Iterator[str | Backend | Executor]:
        """What is given to an executor."""
        yield self.name

    @pytest.fixture
    def run(self, backend: Any) -> Callable[..., ExecutionResult]:
        """Run tasks on the backend, two at a time."""

        def run(
            dag: DAG,
            tasks: Tasks,
            *,
            workers: int = 2,
            fail_fast: bool = False,
            callbacks: ExecutionCallbacks | None = None,
            **limits: Any,
        ) -> ExecutionResult:
            options = {"fail_fast": fail_fast, "callbacks": callbacks, "backend": backend}
            return DAGExecutor(dag, workers, **options).execute(tasks, **limits)

        return run

    def needs(self, promise: str) -> None:
        """Leave a test out for a backend that does not promise this much."""
        if not getattr(self, promise):
            pytest.skip(f"{type(self).__name__} promises less: {promise}")

    # -- what tasks return and raise -------------------------------------------------------------

    def test_values_reach_those_that_need_them(self, run: Any) -> None:
        """By position, by name, and through several nodes."""
        dag = graph("a", "b", "c", edges=(("a", "b"), ("a", "c"), ("b", "c")))
        tasks: Tasks = {"a": lambda: [1], "b": lambda a: [*a, 2], "c": lambda *, b, a: (a, b)}
        assert run(dag, tasks)["c"].result == ([1], [1, 2])

    def test_two_run_at_the_same_time(self, run: Any, tmp_path: Path) -> None:
        """Each waits for the other."""
        one, two = tmp_path / "one", tmp_path / "two"
        tasks: Tasks = {"a": lambda: meets(one, two), "b": lambda: meets(two, one)}
        assert run(graph("a", "b"), tasks).succeeded == 2

    def test_a_failure_keeps_its_type_its_text_and_its_line(self, run: Any) -> None:
        """And skips what is below it, nothing else."""

        def fail() -> None:
            raise ValueError("no such bird") from KeyError("bird")

        dag = graph("a", "b", "c", edges=(("a", "b"),))
        result = run(dag, {"a": fail, "b": lambda a: a, "c": lambda: 3})
        error = result["a"].error
        assert repr(error) == "ValueError('no such bird')"
        assert repr(error.__cause__) == "KeyError('bird')"
        traceback, lines = error.__traceback__, []
        while traceback is not None:
            lines.append((Path(traceback.tb_frame.f_code.co_filename).name, traceback.tb_lineno))
            traceback = traceback.tb_next
        assert ("conformance.py", fail.__code__.co_firstlineno + 1) in lines
        assert (result["b"].status, result["c"].result) == (NodeStatus.SKIPPED, 3)

    def test_leaving_the_interpreter_is_a_failure(self, run: Any) -> None:
        """``sys.exit`` ends the task, not the run."""
        result = run(graph("a", "b"), {"a": sys.exit, "b": lambda: 2})
        assert isinstance(result["a"].error, SystemExit)
        assert result["b"].result == 2

    def test_a_value_that_cannot_be_sent(self, run: Any) -> None:
        """Its node fails and says so; where nothing is sent there is nothing to fail."""
        result = run(graph("a", "b"), {"a": threading.Lock, "b": lambda: 2})
        if self.sends:
            assert isinstance(result["a"].error, NotSendableError)
            assert "lock" in str(result["a"].error)
        assert result["b"].result == 2

    def test_a_generator_as_value(self, run: Any) -> None:
        """As any other value that cannot be sent."""
        result = run(graph("a"), {"a": lambda: (number for number in [1])})
        if self.sends:
            assert "generator" in str(result["a"].error)
        else:
            assert list(result["a"].result) == [1]

    def test_an_error_that_cannot_be_sent(self, run: Any) -> None:
        """Its text is kept, and the next task is not hurt."""

        def fail() -> None:
            error = RuntimeError("with a lock")
            error.lock = threading.Lock()  # type: ignore[attr-defined]  # that is the point
            raise error

        result = run(graph("a", "b"), {"a": fail, "b": lambda: 2}, workers=1)
        assert "with a lock" in str(result["a"].error)
        assert result["b"].result == 2

    def test_an_error_that_cannot_be_made_again(self, run: Any) -> None:
        """Its type is named."""

        def fail() -> None:
            raise OddError(1, 2)

        error = run(graph("a"), {"a": fail})["a"].error
        assert "1 and 2" in str(error)
        if self.sends:
            assert isinstance(error, ForeignError)
            assert error.kind == "OddError"

    def test_an_input_that_cannot_be_sent(self, run: Any) -> None:
        """Is named by the node that would take it."""
        self.needs("sends")
        dag = graph("a", "b", edges=(("a", "b"),))
        tasks: Tasks = {"a": Task(threading.Lock, name="a", backend="threads"), "b": lambda *, a: 1}
        error = run(dag, tasks)["b"].error
        assert isinstance(error, NotSendableError)
        assert "'a' (a lock)" in str(error)

    # -- what travels ----------------------------------------------------------------------------

    def test_functions_of_a_notebook(self, run: Any) -> None:
        """Closures, classes and what they read are those of the moment, also redefined ones."""
        space: dict[str, Any] = {"__name__": "__main__"}
        source = """
            from dataclasses import dataclass
            SCALE = 3
            @dataclass
            class Bird:
                mass: int
            def heavier(bird):
                return Bird(bird.mass * SCALE)
            def make():
                return heavier(Bird(2))
            def show(a):
                return type(a) is Bird and a.mass
        """
        for scale in (3, 4):
            exec(textwrap.dedent(source).replace("SCALE = 3", f"SCALE = {scale}"), space)
            dag = graph("a", "b", edges=(("a", "b"),))
            result = run(dag, {"a": space["make"], "b": space["show"]})
            assert result["b"].result == 2 * scale
            assert type(result["a"].result) is space["Bird"]

    def test_classes_of_a_module(self, run: Any) -> None:
        """Are the same on both sides."""
        assert run(graph("a"), {"a": lambda: Point(1, 2)})["a"].result == Point(1, 2)

    def test_a_large_value(self, run: Any) -> None:
        """Bytes and arrays arrive whole, and can be written to."""
        numpy = pytest.importorskip("numpy")
        dag = graph("a", "b", "c", edges=(("a", "c"), ("b", "c")))
        tasks: Tasks = {
            "a": lambda: bytearray(b"x") * 5_000_000,
            "b": lambda: numpy.arange(1_000_000.0),
            "c": lambda a, b: (len(a), a[-1], float(b.sum())),
        }
        result = run(dag, tasks)
        assert result["c"].result == (5_000_000, ord("x"), 499999500000.0)
        assert [result[name].error for name in "abc"] == [None, None, None]
        result["b"].result[0] = 1.0
        result["a"].result[0] = 1

    def test_a_large_value_for_threads_and_back(self, run: Any) -> None:
        """It is there for a node of this process, and for the next one elsewhere."""
        numpy = pytest.importorskip("numpy")
        dag = graph("a", "b", "c", edges=(("a", "b"), ("b", "c"), ("a", "c")))
        tasks: Tasks = {
            "a": lambda: numpy.ones(200_000),
            "b": Task(lambda a: a * 2, name="b", backend="threads"),
            "c": lambda a, b: float(a.sum() + b.sum()),
        }
        assert run(dag, tasks)["c"].result == 600_000.0

    def test_a_large_variable_is_refused_by_name(self, run: Any) -> None:
        """It would be sent with every call."""
        self.needs("sends")
        numpy = pytest.importorskip("numpy")
        measurements = numpy.zeros(10_000_000)
        error = run(graph("a"), {"a": lambda: measurements.sum() + 1})["a"].error
        assert isinstance(error, NotSendableError)
        assert "'measurements' (a ndarray)" in str(error)

    def test_a_node_that_changes_its_input(self, run: Any) -> None:
        """Others get what the input's own node returned."""
        self.needs("sends")
        dag = graph("a", "b", "c", edges=(("a", "b"), ("b", "c"), ("a", "c")))
        tasks: Tasks = {"a": lambda: [1], "b": lambda a: a.append(2), "c": lambda a, b: a}
        assert run(dag, tasks, workers=1)["c"].result == [1]

    # -- what is heard before the end -------------------------------------------------------------

    def test_what_a_task_tells_is_heard_while_it_runs(self, run: Any, tmp_path: Path) -> None:
        """It goes on only when it was heard."""
        self.needs("tells")
        assert run(graph("a"), {"a": Caller(tmp_path / "heard")})["a"].result == "heard"

    def test_who_performs_a_task_is_known_while_it_runs(self, backend: Any, tmp_path: Path) -> None:
        """It goes on only when that is known; the result names the same worker."""
        self.needs("tells")
        known, seen = tmp_path / "known", []

        def placed(event: NodePlaced) -> None:
            seen.append((event.name, event.worker))
            known.touch()

        result = watched(graph("a"), {"a": lambda: appears(known)}, backend, placed)
        assert result["a"].error is None
        assert seen == [("a", result["a"].worker)]

    # -- retries, limits, stopping ---------------------------------------------------------------

    def test_retries(self, run: Any, tmp_path: Path) -> None:
        """Each attempt is counted; the last one's value counts."""

        def sometimes() -> str:
            tries = len(list(tmp_path.iterdir()))
            (tmp_path / str(tries)).touch()
            if tries < 2:
                raise OSError("not yet")
            return "there"

        result = run(graph("a"), {"a": Task(sometimes, name="a", retries=3, backoff=0.0)})
        assert (result["a"].result, result["a"].attempts) == ("there", 3)

    def test_a_limit_of_time(self, run: Any, tmp_path: Path) -> None:
        """What takes longer has timed out, before it ends, and nothing else is disturbed."""
        release = tmp_path / "release"
        tasks: Tasks = {
            "a": Task(lambda: appears(release), name="a", timeout=0.3),
            "b": lambda: 2,
            "c": lambda b: b,
        }
        result = run(graph("a", "b", "c", edges=(("b", "c"),)), tasks)
        assert not release.exists()
        assert result["a"].status is NodeStatus.TIMED_OUT
        assert result["c"].result == 2
        release.touch()

    def test_a_limit_of_time_for_what_holds_the_interpreter(self, run: Any) -> None:
        """It is killed, and so ends."""
        self.needs("kills")
        result = run(graph("a"), {"a": Task(hold_the_interpreter, name="a", timeout=0.3)})
        assert result["a"].status is NodeStatus.TIMED_OUT

    def test_what_comes_late_is_dropped(self, run: Any, tmp_path: Path) -> None:
        """A node that has timed out keeps that status, and its dependents stay skipped."""
        release, late = tmp_path / "release", tmp_path / "late"
        has_timed_out = threading.Event()
        callbacks = ExecutionCallbacks(on_skip=lambda name: has_timed_out.set())

        def slow() -> int:
            appears(release)
            late.touch()
            return 1

        def wait() -> None:
            assert has_timed_out.wait(PATIENCE_SECONDS)
            release.touch()
            if not self.kills:
                appears(late)

        dag = graph("a", "b", "c", edges=(("a", "b"),))
        tasks: Tasks = {
            "a": Task(slow, name="a", timeout=0.3),
            "b": lambda a: a,
            "c": Task(wait, name="c", backend="threads"),
        }
        result = run(dag, tasks, callbacks=callbacks)
        assert [result[name].status.name for name in "abc"] == ["TIMED_OUT", "SKIPPED", "COMPLETED"]
        assert result["a"].result is None

    def test_the_grandchildren_of_a_late_task_end(self, run: Any, tmp_path: Path) -> None:
        """A program that it started is killed, too."""
        self.needs("kills")
        number = tmp_path / "number"

        def start() -> None:
            child = subprocess.Popen(["sleep", "1000"])
            (tmp_path / "writing").write_text(str(child.pid))
            (tmp_path / "writing").rename(number)
            child.wait()

        result = run(graph("a"), {"a": Task(start, name="a", timeout=2.0)})
        assert result["a"].status is NodeStatus.TIMED_OUT
        ends(int(number.read_text()))

    def test_cancelling(self, run: Any, tmp_path: Path) -> None:
        """What runs may finish; nothing more starts."""
        cancel, begun, release = threading.Event(), tmp_path / "begun", tmp_path / "release"

        def stop() -> None:
            appears(begun)
            cancel.set()
            release.touch()

        tasks: Tasks = {"a": lambda: meets(begun, release), "b": lambda a: a}
        stopper = threading.Thread(target=stop)
        stopper.start()
        result = run(graph("a", "b", edges=(("a", "b"),)), tasks, cancel_event=cancel)
        stopper.join()
        assert (result["a"].status, result["b"].status) == (
            NodeStatus.COMPLETED,
            NodeStatus.CANCELLED,
        )

    def test_the_limit_of_a_run(self, run: Any, tmp_path: Path) -> None:
        """What runs then has timed out, and nothing is waited for."""
        release = tmp_path / "release"
        result = run(graph("a"), {"a": lambda: appears(release)}, timeout=0.5)
        assert result["a"].status is NodeStatus.TIMED_OUT
        release.touch()

    def test_stop(self, run: Any, tmp_path: Path) -> None:
        """Ctrl-C ends a run at once, keeps what it had, and the next run works."""
        begun, release = tmp_path / "begun", tmp_path / "release"

        def stop() -> None:
            appears(begun)
            os.kill(os.getpid(), signal.SIGINT)

        dag = graph("a", "b", edges=(("a", "b"),))
        tasks: Tasks = {"a": lambda: 1, "b": lambda a: meets(begun, release)}
        threading.Thread(target=stop).start()
        with pytest.raises(Interrupted) as stopped:
            run(dag, tasks)
        assert not release.exists()
        statuses = [each.status.name for each in stopped.value.result.node_results.values()]
        assert statuses == ["COMPLETED", "CANCELLED"]
        release.touch()
        assert run(dag, tasks).succeeded == 2

    # -- what dies -------------------------------------------------------------------------------

    @pytest.mark.parametrize("ending", [lambda: os._exit(3), lambda: os.kill(os.getpid(), 9)])
    def test_a_worker_that_dies(self, run: Any, ending: Any, tmp_path: Path) -> None:
        """Fails its own task, not the one beside it nor the next."""
        self.needs("isolates")
        begun, died = tmp_path / "begun", tmp_path / "died"

        def die() -> None:
            appears(begun)
            died.touch()
            ending()

        dag = graph("a", "b", "c", edges=(("b", "c"),))
        tasks: Tasks = {"a": die, "b": lambda: meets(begun, died), "c": lambda b: b}
        result = run(dag, tasks)
        assert isinstance(result["a"].error, WorkerLostError)
        assert result["c"].result == "begun"

    def test_a_worker_killed_in_the_middle_of_a_task(self, backend: Any, tmp_path: Path) -> None:
        """Its node fails, and the one after it has another worker."""
        self.needs("isolates")
        known, never, worker = tmp_path / "known", tmp_path / "never", self.worker

        def die() -> None:
            appears(known)
            os.kill(worker(), signal.SIGKILL)
            appears(never)

        tasks: Tasks = {"a": die, "b": Task(lambda: 2, name="b")}
        result = watched(graph("a", "b"), tasks, backend, lambda event: known.touch())
        assert isinstance(result["a"].error, WorkerLostError)
        assert result["b"].result == 2

    def test_a_worker_killed_while_it_holds_a_value(self, run: Any, tmp_path: Path) -> None:
        """Whoever needs it gets it, or it is made again; the killed one may be sent a call."""
        self.needs("isolates")
        holder, killed, worker = tmp_path / "holder", tmp_path / "killed", self.worker

        def make() -> bytes:
            holder.write_text(str(worker()))
            return bytes(5_000_000)

        def kill(b: int) -> None:
            if not killed.exists():
                killed.touch()
                os.kill(int(holder.read_text()), signal.SIGKILL)
                ends(int(holder.read_text()))

        dag = graph("a", "b", "x", "c", edges=(("a", "b"), ("b", "x"), ("a", "c"), ("x", "c")))
        tasks: Tasks = {
            "a": make,
            "b": lambda a: a[0],
            "x": Task(kill, name="x", backend="threads"),
            "c": Task(lambda a, x: len(a), name="c", retries=3, backoff=0.0),
        }
        result = run(dag, tasks)
        assert killed.exists()
        assert result["c"].result == 5_000_000

    def test_nothing_is_left_when_we_are_killed(self, tmp_path: Path) -> None:
        """Workers that compute, even holding the interpreter, end with their parent."""
        self.needs("kills")
        script = tmp_path / "parent.py"
        script.write_text(PARENT.format(name=self.name, folder=str(tmp_path)))
        with subprocess.Popen([sys.executable, str(script)]) as parent:
            for name in ("a", "b"):
                appears(tmp_path / name)
            parent.kill()
        for name in ("a", "b"):
            ends(int((tmp_path / name).read_text()))

    def test_others_in_the_same_run(self, run: Any) -> None:
        """A node may ask for threads of this process, and take and give values."""
        here = os.getpid()
        dag = graph("a", "b", "c", edges=(("a", "b"), ("b", "c")))
        tasks: Tasks = {
            "a": os.getpid,
            "b": Task(lambda a: (a, os.getpid()), name="b", backend="threads"),
            "c": lambda b: (*b, os.getpid()),
        }
        first, second, third = run(dag, tasks)["c"].result
        assert second == here
        assert (first != here) is self.sends is (third != here)


def watched(
    dag: DAG, tasks: Tasks, backend: Any, placed: Callable[[NodePlaced], None]
) -> ExecutionResult:
    """Run tasks one at a time, and tell who performs them as soon as that is known."""

    def watch(event: Event) -> None:
        if isinstance(event, NodePlaced):
            placed(event)

    memory = Memory(dag.adjacency)
    memory.catch_up()
    engine = Engine(tasks, memory, memory.scan(None), (), [watch], fail_fast=False)
    return drive_threads(engine, ExecutionResult, 1, backends=Backends(backend))


PARENT = """
import os, re, time
from pathlib import Path
from dagnb import DAG, DAGExecutor

def tell(name):
    path = Path({folder!r}) / name
    path.with_suffix(".new").write_text(str(os.getpid()))
    path.with_suffix(".new").rename(path)

def sleep():
    tell("a")
    time.sleep(1000)

def hold():
    tell("b")
    re.match(r"(a+)+$", "a" * 60 + "b")

dag = DAG()
dag.add_nodes(["a", "b"])
DAGExecutor(dag, max_workers=2, backend={name!r}).execute({{"a": sleep, "b": hold}})
"""


def ends(process: int) -> None:
    """Wait until a process, which is no child of ours, is gone or waits to be buried."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_running(process):
        assert time.monotonic() < deadline, f"process {process} is still there"
        time.sleep(0.005)


def is_running(process: int) -> bool:
    """Whether a process runs."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")
