"""Warnings at the line of the user's that led to them."""

from __future__ import annotations

import os
import sys
import warnings

_PACKAGE = os.path.dirname(__file__)  # pathlib takes longer to import


def warn(message: str, kind: type[Warning] = UserWarning) -> None:
    """Warn of something, at the line outside of dagnb that led to it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, kind, stacklevel=level)
