"""One run of a notebook at a time, on one machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from platformdirs import user_state_path

from dagnb.errors import StateError, StateInUseError
from dagnb.project.state import claimed as claimed_folder


@contextmanager
def claimed(notebook: Path) -> Iterator[None]:
    """Keep other runs of a notebook file out for a while; kernels are not kept out.

    The lock ends with the process, however that ends. Where there is no place for it, it keeps
    nobody out.

    Raises
    ------
    StateInUseError
        Another run goes on; the message says which process.
    """
    name = hashlib.sha256(str(notebook.resolve()).encode()).hexdigest()[:32]
    with ExitStack() as stack:
        try:
            folder = user_state_path("dagnb", appauthor=False) / "runs" / name
            stack.enter_context(claimed_folder(folder, str(notebook)))
        except StateInUseError:
            raise
        except StateError:
            pass
        yield
