"""Whether there are threads: what differs in a browser asks this, and nothing else."""

from __future__ import annotations

import sys


def has_threads() -> bool:
    """Whether this Python can start threads and processes; one in a browser cannot."""
    return sys.platform != "emscripten"
