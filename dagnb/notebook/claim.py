"""One run of a notebook at a time, on one machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dagnb.errors import StateError, StateInUseError
from dagnb.project.state import claimed as claimed_folder
from dagnb.values.folders import own_folder


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
    folder = own_folder("state")
    with ExitStack() as stack:
        try:
            if folder is not None:
                stack.enter_context(claimed_folder(folder / "runs" / name, str(notebook)))
        except StateInUseError:
            raise
        except StateError:
            pass
        yield
