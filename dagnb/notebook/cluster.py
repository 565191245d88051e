"""What `%dag cluster` does: a cluster of Dask for the nodes of a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from dagnb.errors import BackendError
from dagnb.run.remote.backend import check_installed
from dagnb.run.remote.cluster import CLUSTERS
from dagnb.run.remote.connection import Connection
from dagnb.tasks import check_backend

if TYPE_CHECKING:
    from dagnb.notebook.session import Session

USAGE = "[start [--workers N] | connect ADDRESS | stop]"


def command_cluster(session: Session, words: Sequence[str]) -> str:
    """Do what a line says, and return what there is then.

    Raises
    ------
    UsageError
        The line is none, or the cluster cannot be had; the message says why.
    """
    verb, *rest = words or ["show"]
    if verb not in _VERBS:
        raise UsageError(f"usage: %dag cluster {USAGE}")
    try:
        return _VERBS[verb](session, rest)
    except BackendError as error:
        raise UsageError(str(error)) from None


def check_named(backend: str | None) -> None:
    """Refuse what somebody wrote after ``--backend``, if that is none.

    Raises
    ------
    UsageError
        There is none of that name; the nearest one is named.
    """
    try:
        check_backend(backend)
    except ValueError as error:
        raise UsageError(f"--backend: {error}") from None


def choose_backend(session: Session, name: str) -> None:
    """Let nodes run on a backend from now on.

    Raises
    ------
    UsageError
        There is none of that name, or it cannot be used here.
    """
    check_named(name)
    try:
        check_installed(name)
    except BackendError as error:
        raise UsageError(str(error)) from None
    session.backend = name


def _start(session: Session, words: Sequence[str]) -> str:
    parser = MagicArgumentParser("%dag cluster start")
    parser.add_argument("--workers", type=int, default=None)
    asked = parser.parse_args(list(words))
    if asked.workers is not None and asked.workers < 1:
        raise UsageError(f"--workers is a number of processes, at least 1, not {asked.workers}")
    _check_idle(session)
    return _used(session, CLUSTERS.start(asked.workers))


def _connect(session: Session, words: Sequence[str]) -> str:
    if len(words) != 1:
        raise UsageError("usage: %dag cluster connect ADDRESS, as in tcp://127.0.0.1:8786")
    _check_idle(session)
    return _used(session, CLUSTERS.connect(words[0]))


def _stop(session: Session, words: Sequence[str]) -> str:
    if words:
        raise UsageError("usage: %dag cluster stop")
    _check_idle(session)
    CLUSTERS.stop()
    if session.backend != "dask":
        return "no cluster"
    session.backend, session.workers = "threads", 1
    return "no cluster; nodes run in this process"


def _show(session: Session, words: Sequence[str]) -> str:
    connection = CLUSTERS.present()
    if connection is None:
        return "no cluster; %dag cluster start, or connect ADDRESS"
    return described(connection)


_VERBS = {"start": _start, "connect": _connect, "stop": _stop, "show": _show}


def _check_idle(session: Session) -> None:
    if session.running:
        raise UsageError("a run is going on; wait for it, or stop it")


def _used(session: Session, connection: Connection) -> str:
    session.backend = "dask"
    session.workers = max(1, connection.threads())
    return described(connection)


def described(connection: Connection) -> str:
    """Say what a cluster is."""
    names = connection.workers()
    workers = f"{len(names)} worker{'' if len(names) == 1 else 's'}"
    return f"cluster: {workers} at {connection.address} ({', '.join(names)})"
