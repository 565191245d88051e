"""What the process of a slot does: it performs calls until its parent is gone."""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress

from dagnb.run.remote.calls import perform_packed
from dagnb.run.remote.channel import Bytes, Channel, SharedFile, shared
from dagnb.run.remote.travel import Packed

START = "from dagnb.run.remote.worker import serve; serve()"


def serve() -> None:
    """Perform what comes through the socket that the parent left in ``DAGNB_SLOT``."""
    _end_with_parent(_life_line())
    channel = Channel(socket.socket(fileno=int(os.environ.pop("DAGNB_SLOT"))))
    functions: dict[int, bytes] = {}
    channel.send(b"ready")
    with suppress(EOFError, OSError):
        while True:
            message = channel.receive()
            assert message is not None  # it was waited for without end
            answer = _performed(functions, *message)
            channel.send(answer.data, shared(answer.buffers))
            del message, answer  # values are not kept until the next call comes


def _life_line() -> int:
    """Keep the pipe to the parent, which ends with it, from what functions read."""
    life_line, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return life_line


def _end_with_parent(life_line: int) -> None:
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


def _performed(functions: dict[int, bytes], data: Bytes, files: Sequence[SharedFile]) -> Packed:
    key, function, is_first, names, inputs, count = pickle.loads(data)
    if is_first:
        functions.clear()
    if function is not None:
        functions[key] = function
    buffers = [part for file in files[count:] for part in file.parts()]
    return perform_packed(functions[key], names, inputs, buffers, files[:count])
