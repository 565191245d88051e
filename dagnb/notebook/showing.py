"""Which widget a kernel showed its graph with, for the kernel that comes after it.

A kernel that is restarted, or that a server starts anew after a crash, keeps its connection file.
So the next kernel with this file knows that there are views, and opens the widget under the same
id: they go on, also those of a page that is loaded again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from dagnb.values.folders import own_folder


def last_shown(connection_file: Path | None) -> str | None:
    """Return the id of the widget that an earlier kernel with this connection file has shown."""
    if connection_file is None:
        return None
    try:
        shown = json.loads(_note(connection_file).read_text(encoding="utf-8"))
        return None if shown["process"] == os.getpid() else str(shown["model_id"])
    except (OSError, ValueError, KeyError):
        return None


def note_shown(connection_file: Path | None, model_id: str) -> None:
    """Note a widget, and forget those of kernels that are gone; where there is a place for it."""
    if connection_file is None:
        return
    shown = {"connection_file": str(connection_file), "process": os.getpid(), "model_id": model_id}
    try:
        note = _note(connection_file)
        note.parent.mkdir(parents=True, exist_ok=True)
        _forget_ended(note.parent)
        note.write_text(json.dumps(shown), encoding="utf-8")
    except OSError:
        return


def connection_file() -> Path | None:
    """Return the connection file of this process, if it is a kernel with one."""
    kernelapp = sys.modules.get("ipykernel.kernelapp")
    if kernelapp is None or not kernelapp.IPKernelApp.initialized():
        return None
    return Path(kernelapp.IPKernelApp.instance().abs_connection_file)


def _note(connection_file: Path) -> Path:
    folder = own_folder("state")
    if folder is None:
        raise FileNotFoundError("there is no home folder for notes of kernels")
    name = hashlib.sha256(str(connection_file).encode()).hexdigest()[:32]
    return folder / "shown" / f"{name}.json"


def _forget_ended(folder: Path) -> None:
    """Remove the notes of kernels whose connection files are gone: those are not restarted."""
    for note in folder.glob("*.json"):
        try:
            kernel = Path(json.loads(note.read_text(encoding="utf-8"))["connection_file"])
        except (OSError, ValueError, KeyError):
            continue
        if not kernel.exists():
            note.unlink(missing_ok=True)
