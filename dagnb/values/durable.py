"""Files that are either whole or not there, whatever happens while they are written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PREFIX, SUFFIX = ".dagnb-", ".tmp"


def write_temporary(folder: Path, data: bytes) -> str:
    """Write a new file with a name of its own, durably; return the name.

    Raises
    ------
    OSError
        It cannot be written (disk full, no permission); nothing is left behind.
    """
    handle, path = tempfile.mkstemp(SUFFIX, PREFIX, folder)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(path)
        raise
    return os.path.basename(path)


def replace(folder: Path, temporary: str, name: str) -> None:
    """Give a temporary file its name, in place of one that is there, in one step."""
    os.replace(folder / temporary, folder / name)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; where folders cannot be synced, nothing."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_temporary(name: str) -> bool:
    """Whether a file of this name was made by `write_temporary`."""
    return name.startswith(PREFIX) and name.endswith(SUFFIX)
