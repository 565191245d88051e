"""Shells without a kernel, each gone when its test ends."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from dagnb.notebook import capture

NO_HISTORY = Config({"HistoryManager": {"enabled": False}})


@contextmanager
def new_shell() -> Iterator[Any]:
    """Make a real shell that is the one ``display`` finds, and forget it at the end."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=NO_HISTORY)
    yield shell
    capture.uninstall(shell)  # type: ignore[arg-type]  # a protocol of ours
    InteractiveShell.clear_instance()
    # Else every shell stays until the end, where each collects the garbage of all others.
    atexit.unregister(shell.atexit_operations)
