"""Timeouts and retries of nodes: what they do, and what a person is told."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError

from dagnb import TaskTimeoutError, dag_node
from tests.notebook.conftest import Notebook

FLAKY = """\
with open(log, "a") as file:
    file.write("x")
call = os.path.getsize(log)
print("call", call)
if call < 3:
    raise ConnectionError("no route")
call"""
SLOW = "import time\nn = source\ntime.sleep(60 if n else 0)\nn"


@pytest.fixture
def flaky(nb: Notebook, tmp_path: Path) -> Notebook:
    """A notebook with a file that a node notes its calls in."""
    nb.run(f"import os\nlog = {str(tmp_path / 'log')!r}")
    return nb


class TestTimeout:
    """A node that takes longer than it may has timed out."""

    def test_own_cell(self, nb: Notebook) -> None:
        """Its cell fails with the line it was at; what depends on it is skipped."""
        nb.node("source", "1")
        ran = nb.node("slow", SLOW, "--timeout 0.05", fails=TaskTimeoutError)
        assert "----> 4 time.sleep(60 if n else 0)" in ran.text
        assert "TaskTimeoutError: it took longer than its timeout of 0.05 s" in ran.text
        assert "dagnb/" not in ran.text
        nb.node("after", "slow")
        assert nb.statuses() == {"source": "completed", "slow": "timed_out", "after": "skipped"}
        assert "slow" not in nb.shell.user_ns

    def test_stays_stale_until_it_succeeds(self, nb: Notebook) -> None:
        """The value it had before is not taken for its own; a change above mends it."""
        nb.node("source", "0")
        nb.node("slow", SLOW, "--timeout 0.5")
        nb.node("after", "slow")
        ran = nb.node("source", "1")
        assert ran.executed == ["source", "slow"]
        assert "slow timed out: it took longer than its timeout of 0.5 s (see its cell)" in ran.out
        assert nb.session.is_stale("slow")
        assert nb.session.is_stale("after")
        assert nb.node("source", "0").executed == []
        assert nb.statuses() == {"source": "cached", "slow": "cached", "after": "cached"}

    def test_why_and_status(self, nb: Notebook) -> None:
        """Both say it."""
        nb.node("source", "1")
        nb.node("slow", SLOW, "--timeout 0.05", fails=TaskTimeoutError)
        why = "slow timed out: it took longer than its timeout of 0.05 s; it ran for the first time"
        assert nb.run("%dag why slow").out == why + "\n"
        line = nb.run("%dag status").out.splitlines()[-1]
        assert re.fullmatch(
            r"slow +timed_out +[\d.]+ ms +it took longer than its .* of 0.05 s", line
        )

    def test_a_longer_one(self, nb: Notebook) -> None:
        """Its cell with a longer timeout runs it again; a node in time does not run for one."""
        body = "import time\ntime.sleep(0.1)\n1"
        nb.node("slow", body, "--timeout 0.01", fails=TaskTimeoutError)
        assert nb.node("slow", body, "--timeout 60").executed == ["slow"]
        assert nb.node("slow", body, "--timeout 50").executed == []

    def test_a_coroutine(self, nb: Notebook) -> None:
        """What a node awaits is given up, too."""
        body = "import asyncio\nawait asyncio.sleep(60)"
        nb.node("slow", body, "--timeout 0.05", fails=TaskTimeoutError)
        assert nb.status("slow") == "timed_out"

    def test_stop_is_a_stop(self, nb: Notebook) -> None:
        """Ctrl-C in a node with a timeout is no timeout."""
        nb.run("import signal")
        body = "signal.raise_signal(signal.SIGINT)\n1"
        nb.node("stopped", body, "--timeout 60", fails=KeyboardInterrupt)
        assert nb.status("stopped") == "cancelled"
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

    def test_decorator(self, nb: Notebook) -> None:
        """The decorator says the same."""
        source = (
            "import time\nfrom dagnb import dag_node\n"
            "@dag_node(timeout=0.05)\ndef slow():\n    time.sleep(60)"
        )
        nb.run(source, "cell", fails=TaskTimeoutError)
        assert nb.status("slow") == "timed_out"


class TestRetries:
    """A node that fails is tried again."""

    def test_until_it_succeeds(self, flaky: Notebook) -> None:
        """Every attempt shows its prints, and why another one follows."""
        ran = flaky.node("a", FLAKY, "--retries 2 --backoff 0")
        assert flaky["a"] == 3
        assert ran.out == "call 1\ncall 2\ncall 3\n3\n"
        assert ran.err.splitlines() == [
            f"attempt {n} of 3 failed with ConnectionError: no route; the next one begins now"
            for n in (1, 2)
        ]

    def test_why_and_status(self, flaky: Notebook) -> None:
        """Both say how many attempts it took."""
        flaky.node("a", FLAKY, "--retries 5 --backoff 0")
        assert flaky.run("%dag why a").out == "a ran for the first time; it took 3 attempts\n"
        assert "ran for the first time; it took 3 attempts" in flaky.run("%dag status").out
        assert flaky.session.result("a").attempts == 3

    def test_in_vain(self, flaky: Notebook) -> None:
        """The last error counts."""
        ran = flaky.node("a", FLAKY, "--retries 1 --backoff 0", fails=ConnectionError)
        assert "----> 7" in ran.text
        assert ran.err.count("attempt") == 1
        why = flaky.run("%dag why a").out
        assert why == (
            "a failed with ConnectionError: no route; "
            "it ran for the first time; all 2 attempts failed\n"
        )

    def test_a_failed_run_begins_anew(self, flaky: Notebook) -> None:
        """The next run has all attempts again, and shows none of before."""
        flaky.node("a", FLAKY, "--retries 1 --backoff 0", fails=ConnectionError)
        ran = flaky.run("%dag run a")
        assert flaky["a"] == 3
        assert flaky.session.result("a").attempts == 1
        assert "call 1" not in ran.out

    def test_stop_ends_a_wait(self, flaky: Notebook) -> None:
        """Ctrl-C between two attempts stops the run; the node is cancelled, and stays stale."""
        flaky.run(
            "import signal, threading\n"
            "stop = lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)"
        )
        body = "threading.Timer(0.1, stop).start()\n1 / 0"
        flaky.node("a", body, "--retries 1 --backoff 60", fails=KeyboardInterrupt)
        assert flaky.status("a") == "cancelled"
        assert flaky.session.is_stale("a")

    def test_decorator(self, flaky: Notebook) -> None:
        """The decorator says the same."""
        body = "\n".join(f"    {line}" for line in FLAKY.splitlines()).removesuffix("call")
        head = "from dagnb import dag_node\n@dag_node(retries=2, backoff=0)\ndef a():\n"
        flaky.run(f"{head}{body}return call")
        assert flaky["a"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--timeout -1", "--timeout is a number of seconds, more than 0, not -1.0"),
        ("--timeout 0", "--timeout is a number of seconds, more than 0, not 0.0"),
        ("--timeout inf", "--timeout is a number of seconds, more than 0, not inf"),
        ("--timeout soon", "argument --timeout: invalid float value: 'soon'"),
        ("--timeout", "argument --timeout: expected one argument"),
        ("--retries -1", "--retries is at least 0, not -1"),
        ("--retries 1.5", "argument --retries: invalid int value: '1.5'"),
        ("--backoff -2", "--backoff is a number of seconds, 0 or more, not -2.0"),
        ("--timeut 1", "--timeut 1; did you mean '--timeout'?"),
        ("--tags 'a", "No closing quotation"),
    ],
)
def test_options_that_make_no_sense(chain: Notebook, options: str, message: str) -> None:
    """They are refused with a word, and nothing changes."""
    before = chain.state()
    ran = chain.run(f"%%dag_node clean {options}\n1", fails=UsageError)
    assert message in ran.text
    assert "%%dag_node?" in ran.text
    assert chain.state() == before


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"timeout": -1}, ValueError), ({"timeout": "1"}, TypeError), ({"retries": -1}, ValueError)],
)
def test_arguments_that_make_no_sense(options: dict[str, Any], kind: type[Exception]) -> None:
    """The decorator refuses them as ``@task`` does, also outside of a notebook."""
    with pytest.raises(kind):
        dag_node(**options)
