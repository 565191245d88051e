"""What a node shows in another process, told piece by piece while it runs."""

from __future__ import annotations

import io
import pickle
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TypeAlias

from IPython.core.displaypub import DisplayPublisher

from dagnb.notebook.capture import Shell, bundle, publisher_of
from dagnb.run.remote.backend import Hear

PAUSE_SECONDS = 0.1  # between two messages: a loop that prints is not to send one for each line
Piece: TypeAlias = tuple[Any, ...]  # what was done to show something, and with what


class Relay:
    """Tells pieces in the order in which they come, several at a time.

    Parameters
    ----------
    tell : callable
        Takes bytes, for `show_news`.
    """

    def __init__(self, tell: Hear) -> None:
        self._tell = tell
        self._pieces: list[Piece] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="dagnb-relay", daemon=True)

    def begin(self) -> None:
        """Tell from now on."""
        self._thread.start()

    def add(self, *piece: Any) -> None:
        """Take a piece; one that comes after the end is dropped."""
        self._pieces.append(piece)

    def end(self) -> None:
        """Tell the rest."""
        self._is_over.set()
        self._thread.join()
        self._tell_pieces()

    def _go_on(self) -> None:
        while not self._is_over.wait(PAUSE_SECONDS):
            self._tell_pieces()

    def _tell_pieces(self) -> None:
        pieces = self._pieces[:]
        if pieces:
            self._tell(pickle.dumps(pieces))
            del self._pieces[: len(pieces)]


class Stream(io.TextIOBase):
    """A stream of text that goes to a relay."""

    def __init__(self, relay: Relay, name: str) -> None:
        self._relay, self._name = relay, name

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only here
        """As of any text that is sent."""
        return "utf-8"

    def fileno(self) -> int:
        """Return where programs that are started from here write to."""
        number: int = getattr(sys, f"__{self._name}__").fileno()
        return number

    def write(self, text: str) -> int:
        """Add a piece."""
        self._relay.add("write", self._name, text)
        return len(text)


class RelayPublisher(DisplayPublisher):
    """Displays go to a relay, or nowhere if there is none: nobody looks at this process.

    Attributes
    ----------
    relay : Relay or None
    """

    relay: Relay | None = None

    def publish(
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *others: Any,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **named: Any,
    ) -> None:
        """Add a piece."""
        if self.relay is not None:
            found = bundle(data, metadata or {})
            self.relay.add("publish", found["data"], found["metadata"], transient, update)

    def clear_output(self, wait: bool = False) -> None:
        """Add a piece."""
        if self.relay is not None:
            self.relay.add("clear", wait)


@contextmanager
def relaying(shell: Shell, tell: Hear | None) -> Iterator[None]:
    """Tell what is shown meanwhile and passes the node's own sink; without ``tell`` do nothing."""
    if tell is None:
        yield
        return
    relay = shell.display_pub.relay = Relay(tell)
    relay.begin()
    try:
        with redirect_stdout(Stream(relay, "stdout")), redirect_stderr(Stream(relay, "stderr")):
            yield
    finally:
        shell.display_pub.relay = None
        relay.end()


def show_news(shell: Shell, news: bytes) -> None:
    """Print and display what a node told, as if it did so here and now."""
    for piece in pickle.loads(news):
        match piece:
            case "write", name, text:
                getattr(sys, name).write(text)
            case "publish", data, metadata, transient, update:
                publisher = publisher_of(shell)
                publisher.publish(data, metadata, transient=transient, update=update)
            case "clear", wait:
                publisher_of(shell).clear_output(wait)
