"""A cluster of Dask on this machine, in processes that end with this one and not before."""

from __future__ import annotations

import atexit
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

from dagnb.errors import BackendError
from dagnb.run.remote.backend import check_installed
from dagnb.run.remote.connection import Connection
from dagnb.run.remote.slot import environment
from dagnb.run.remote.worker import end_with_parent, life_line

START = "from dagnb.run.remote.cluster import serve; serve()"
START_SECONDS = 120.0
SETTINGS = {
    # A task that ends its worker has failed: it is not tried on all others, too.
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    # So long after a worker's end Dask looks whether there is another in its place, and gives the
    # place up if not: even if that one is being started, slowly or because it ended as well.
    "DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1000000000s",
}


class Cluster:
    """A scheduler and some workers, in a session of their own: Ctrl-C and Stop do not reach them.

    Parameters
    ----------
    workers : int
        How many processes; each performs one call at a time.

    Attributes
    ----------
    address : str
        Of the scheduler.

    Raises
    ------
    BackendError
        Dask is not installed, or the cluster did not start.
    """

    def __init__(self, workers: int) -> None:
        check_installed("dask")
        ours, theirs = os.pipe()
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            pass_fds=[theirs],
            env=environment(DAGNB_CLUSTER=f"{workers} {theirs}", **SETTINGS),
            start_new_session=True,
        )
        os.close(theirs)
        with open(ours) as told:
            ready, _, _ = select.select([told], [], [], START_SECONDS)
            self.address = told.readline().strip() if ready else ""
        if not self.address:
            self.stop()
            raise BackendError("dask", "could not start a cluster here; what it printed says why")

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._owner == os.getpid() and self._process.poll() is None

    def stop(self) -> None:
        """End it with all that it started."""
        if self._owner != os.getpid():
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def serve() -> None:
    """Be the scheduler, start the workers, and tell the address through the pipe left to us."""
    end_with_parent(life_line())
    workers, told = map(int, os.environ.pop("DAGNB_CLUSTER").split())
    from distributed import LocalCluster

    cluster = LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with open(told, "w") as pipe:
        print(cluster.scheduler_address, file=pipe)
    signal.pause()


class Clusters:
    """The cluster and the connections of this process."""

    def __init__(self) -> None:
        self.own: Cluster | None = None
        self.chosen = ""
        self._connections: dict[str, Connection] = {}

    def start(self, workers: int | None = None) -> Connection:
        """Start a cluster here, instead of one before, and use it from now on."""
        self.stop()
        self.own = Cluster(workers or os.cpu_count() or 1)
        self.chosen = self.own.address
        return self.connection(self.chosen)

    def connect(self, address: str) -> Connection:
        """Use a cluster that is there from now on."""
        connection = self.connection(address)
        self.chosen = address
        return connection

    def connection(self, address: str = "") -> Connection:
        """Return the connection to a scheduler: the chosen one, Dask's own setting, or a new one.

        Raises
        ------
        BackendError
            Dask is not installed, nobody answers, or the workers have other versions.
        """
        address = address or self.chosen
        if not address or (self.own and address == self.own.address and not self.own.is_alive):
            return self.start()
        found = self._connections.get(address)
        if found is None or not found.is_alive:
            found = self._connections[address] = Connection(address)
        return found

    def present(self) -> Connection | None:
        """Return the connection that is in use, if there is one."""
        found = self._connections.get(self.chosen)
        return found if found is not None and found.is_alive else None

    def stop(self) -> None:
        """End the connections, and the cluster that was started here."""
        while self._connections:
            self._connections.popitem()[1].close()
        if self.own is not None:
            self.own.stop()
        self.own, self.chosen = None, ""


CLUSTERS = Clusters()
atexit.register(CLUSTERS.stop)
