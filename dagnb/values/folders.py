"""The user's own folders, which belong to no notebook: for the key, and for notes of kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def own_folder(kind: Literal["data", "state"]) -> Path | None:
    """Return dagnb's folder among the user's, which ``XDG_DATA_HOME`` and its like can move.

    None where the user has no home, as in a container that runs under a number of its own.
    """
    import platformdirs

    find = platformdirs.user_data_path if kind == "data" else platformdirs.user_state_path
    try:
        folder = find("dagnb", appauthor=False)
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None  # older releases leave "~" as it is
