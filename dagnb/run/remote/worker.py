"""What the process of a slot does: it performs calls until its parent is gone."""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

from dagnb.run.remote.backend import Hear
from dagnb.run.remote.calls import perform_packed
from dagnb.run.remote.channel import Bytes, Channel, SharedFile, shared
from dagnb.run.remote.shipped import Shipped
from dagnb.run.remote.travel import Packed

NEWS = b"!"  # begins what a call tells before its end; a pickle begins otherwise
START = "from dagnb.run.remote.worker import serve; serve()"


def serve() -> None:
    """Perform what comes through the socket that the parent left in ``DAGNB_SLOT``."""
    end_with_parent(life_line())
    end, tokens = map(int, os.environ.pop("DAGNB_SLOT").split())
    channel = Channel(socket.socket(fileno=end))
    functions: dict[int, bytes] = {}

    def tell(news: bytes) -> None:
        channel.send(NEWS + news)

    with suppress(EOFError, OSError):
        channel.send(b"ready")
        while True:
            message = channel.receive()
            assert message is not None  # it was waited for without end
            for answer in _answers(functions, tokens, tell, *message):
                channel.send(answer.data, shared(answer.buffers))
            del message, answer  # values are not kept until the next call comes


def life_line() -> int:
    """Keep the pipe to the parent, which ends with it, from what functions read."""
    life_line, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return life_line


def end_with_parent(life_line: int) -> None:
    """Be killed, with all children, when the parent is gone.

    On Linux the system does it, whatever holds the interpreter's lock; elsewhere a thread.
    """
    threading.Thread(target=_watch, args=(life_line,), daemon=True).start()
    set_signal = getattr(fcntl, "F_SETSIG", 10 if os.uname().sysname == "Linux" else None)
    if set_signal is None:
        return
    fcntl.fcntl(life_line, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(life_line, set_signal, signal.SIGKILL)
    fcntl.fcntl(life_line, fcntl.F_SETFL, fcntl.fcntl(life_line, fcntl.F_GETFL) | os.O_ASYNC)


def _watch(life_line: int) -> None:
    with suppress(OSError):
        os.read(life_line, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _answers(
    functions: dict[int, bytes],
    tokens: int,
    tell: Hear,
    data: Bytes,
    files: list[SharedFile],
) -> Iterator[Packed]:
    """Perform calls one after another; when one was taken back, say so and end."""
    is_first, calls = pickle.loads(data)
    if is_first:
        functions.clear()
    for key, function, *_ in calls:
        if function is not None:
            functions[key] = function
    for key, _, names, inputs, sent, own, looks in calls:
        along = []
        for value, count, about in sent:
            along.append(Shipped(value, files[:count], about=about))
            files = files[count:]
        buffers = [part for file in files[:own] for part in file.parts()]
        files = files[own:]
        if not _has_token(tokens):
            yield Packed(b"")
            return
        yield perform_packed(functions[key], names, inputs, buffers, along, looks=looks, tell=tell)


def _has_token(tokens: int) -> bool:
    try:
        return bool(os.read(tokens, 1))
    except BlockingIOError:
        return False
