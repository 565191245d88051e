"""A connection of this process to a scheduler of Dask, for all runs that use it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dagnb.errors import BackendError
from dagnb.run.remote.backend import check_installed
from dagnb.run.remote.slot import Edition

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 5.0
Told = Callable[[Mapping[str, Any]], None]


class Connection:
    """A client, and who waits for what its workers tell.

    Parameters
    ----------
    address : str
        Of the scheduler, as ``tcp://127.0.0.1:8786``.

    Attributes
    ----------
    client : distributed.Client
    topic : str
        Under which workers tell what came of calls.

    Raises
    ------
    BackendError
        Dask is not installed, nobody answers, or the workers have other versions.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = _client(address)
        self.topic = f"dagnb-{self.client.id}"
        self._edition = Edition()
        self.told: dict[str, Told] = {}
        try:
            self.check()
        except BaseException:
            self.close()
            raise
        self.client.subscribe_topic(self.topic, self._tell)

    def check(self) -> None:
        """Refuse workers that cannot take what we send.

        Raises
        ------
        BackendError
            One has another Python or another dagnb, or there is none.
        """
        try:
            workers = self.client.get_versions(packages=["dagnb"])["workers"]
        except OSError as error:
            raise BackendError("dask", f"lost its scheduler at {self.address}: {error}") from error
        if not workers:
            raise BackendError("dask", f"has no workers at {self.address}; start some")
        for worker, versions in workers.items():
            for what, theirs, ours in _differences(versions):
                raise BackendError(
                    "dask",
                    f"cannot use the worker {worker}, which has {what} {theirs}, "
                    f"where this process has {ours}; install the same on both sides",
                )

    def edition_now(self) -> str:
        """Name the present edition of the modules that people edit."""
        self._edition.is_over()
        return str(self._edition.number)

    @property
    def is_alive(self) -> bool:
        """Whether the scheduler is there."""
        return bool(self.client.status == "running")

    def workers(self) -> list[str]:
        """Return the workers, as results name them."""
        return [worker_name(address) for address in self.client.nthreads()]

    def threads(self) -> int:
        """Return how many calls the workers can perform at once."""
        return sum(self.client.nthreads().values())

    def _tell(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Hand an event on, to who waits for it if anybody still does."""
        told = self.told.get(event[1]["attempt"])
        if told is not None:
            told(event[1])

    def close(self) -> None:
        """End it; values that are still over there are lost."""
        self.client.close(timeout=2)


def worker_name(address: str) -> str:
    """Return what a worker is called: ``worker 127.0.0.1:41603``."""
    return f"worker {address.rpartition('/')[2]}"


def _client(address: str) -> Client:
    check_installed("dask")
    from distributed import Client

    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False, asynchronous=False)
    except (OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise BackendError(
            "dask",
            f"finds no scheduler at {address} ({reason}); is it running, and is the address right, "
            "as tcp://127.0.0.1:8786 would be?",
        ) from None


def _differences(versions: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what a worker has otherwise than we have."""
    if not versions:
        return
    theirs = ".".join(str(versions["host"]["python"]).split(".")[:2])
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    if theirs != ours:
        yield "Python", theirs, ours
    own = sys.modules["dagnb"].__version__
    version = versions["packages"].get("dagnb")
    if version != own:
        yield "dagnb", str(version or "not at all"), own
