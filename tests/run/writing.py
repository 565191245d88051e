"""A checkpointed run in a process of its own: ``python -m tests.run.writing FOLDER [BYTES]``.

It waits in its last task for a line. With a number no file may get longer than that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from dagnb import DAG, CheckpointExecutor, ExecutionResult

Tasks = dict[str, Callable[..., Any]]


def first() -> int:
    """Return a number."""
    return 1


def large(first: int) -> bytes:
    """Return a megabyte."""
    return bytes(first) * 1_000_000


def last(large: bytes) -> int:
    """Count; in the process of its own, when it is told to."""
    return len(large)


TASKS: Tasks = {"first": first, "large": large, "last": last}


def graph() -> DAG:
    """Return the three in a row."""
    return DAG.builder().add_edge("first", "large").add_edge("large", "last").build()


def ready() -> int:
    """Say that the run is under way, and wait to be told to end it."""
    print("running", flush=True)
    return len(sys.stdin.readline())


def main(folder: str, limit: int = 0) -> ExecutionResult:
    """Run, and print what came of it."""
    if limit:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return CheckpointExecutor(graph(), folder).execute(TASKS | {"last": ready})


if __name__ == "__main__":
    print(main(sys.argv[1], *map(int, sys.argv[2:])).summary())
