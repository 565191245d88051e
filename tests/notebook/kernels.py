"""Real kernels to test with: this environment's, or that of another interpreter.

``DAGNB_KERNEL_PYTHON=/path/to/python python -m pytest tests/notebook/test_real_kernels.py`` runs
the tests of real kernels against the ipykernel that is installed there; dagnb is taken from here.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).parents[2]
ANSI = re.compile(r"\x1b\[[0-9;]*m")
PYTHON = os.environ.get("DAGNB_KERNEL_PYTHON", sys.executable)
LAST = "import dagnb\nprint([n for n, r in dagnb.session().settled.items() if r.executed])"


class Kernel:
    """A kernel that runs the cells of a notebook, which keeps what the front end would save."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client
        self.notebook = client.nb

    def run(self, source: str, cell: int | None = None) -> int:
        """Run a new cell, or an edited one; return its number."""
        if cell is None:
            self.notebook.cells.append(new_code_cell(source))
            cell = len(self.notebook.cells) - 1
        self.notebook.cells[cell].source = source
        self.client.execute_cell(self.notebook.cells[cell], cell)
        return cell

    def text(self, cell: int) -> list[str]:
        """Return the outputs of a cell as they stand, as text.

        A kernel may send what is printed in pieces; pieces of one stream are one, as in a browser.
        """
        outputs = groupby(self.notebook.cells[cell].outputs, stream_of)
        texts = ("".join(text_of(each) for each in pieces) for _, pieces in outputs)
        return [ANSI.sub("", text).strip() for text in texts]

    def executed(self) -> str:
        """Return the nodes that the last run executed."""
        return self.text(self.run(LAST))[-1]


def stream_of(output: nbformat.NotebookNode) -> object:
    """Return the name of an output's stream; of what is no stream, something of its own."""
    return output.name if output.output_type == "stream" else id(output)


def text_of(output: nbformat.NotebookNode) -> str:
    """Return any output as text."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return str(output.data["text/plain"])


class ChosenPython:
    """Makes a kernel manager start the interpreter that the tests are run against."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel's command."""
        spec: KernelSpec = super().kernel_spec  # type: ignore[misc]  # a mix-in
        spec.argv[0] = PYTHON
        return spec


class Manager(ChosenPython, KernelManager):
    """Starts and interrupts a kernel."""


class AsyncManager(ChosenPython, AsyncKernelManager):
    """The same for nbclient."""


@contextmanager
def started(notebook: nbformat.NotebookNode, folder: Path = ROOT) -> Iterator[Kernel]:
    """Start a kernel in a folder for a notebook, and stop it."""
    client = NotebookClient(
        notebook,
        timeout=60,
        resources={"metadata": {"path": str(folder)}},
        kernel_manager_class=AsyncManager,
    )
    with client.setup_kernel():
        yield Kernel(client)


class Asked:
    """A kernel that is asked message by message, and can be stopped."""

    def __init__(self, manager: Manager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client
        self.traceback = ""

    def __call__(self, source: str) -> tuple[str, str]:
        """Run a cell; return its status and what it printed."""
        printed: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(source, timeout=60, output_hook=hook)
        self.traceback = "\n".join(reply["content"].get("traceback", ()))
        return reply["content"]["status"], "".join(printed)

    def says(self, source: str) -> list[str]:
        """Run a cell that must not fail; return the words that it printed."""
        status, printed = self(source)
        assert status == "ok", f"{source}\n{printed}{self.traceback}"
        return printed.split()

    def begin(self, source: str) -> str:
        """Start a cell and return at once, with the id of its messages.

        An error of it stops no other cell: the kernel would abort what arrives too soon after
        its reply.
        """
        return str(self.client.execute(source, stop_on_error=False))

    def message_of(self, cell: str, kind: str) -> dict[str, Any]:
        """Wait for a message of a kind that belongs to a cell."""
        while True:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=60)
            if message["msg_type"] == kind and message["parent_header"]["msg_id"] == cell:
                return message

    def reply(self) -> dict[str, Any]:
        """Wait for the reply to a cell that was begun."""
        content: dict[str, Any] = self.client.get_shell_msg(timeout=60)["content"]
        return content

    def stop(self) -> None:
        """Press Stop."""
        self.manager.interrupt_kernel()


@contextmanager
def asked() -> Iterator[Asked]:
    """Start a kernel with the extension loaded, and kill it in the end."""
    manager = Manager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        kernel = Asked(manager, client)
        assert kernel("%load_ext dagnb")[0] == "ok"
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def wait_for_file(path: Path, seconds: float = 20) -> None:
    """Wait until a file is there, which a node makes when it begins."""
    deadline = time.perf_counter() + seconds
    while not path.exists():
        if time.perf_counter() > deadline:
            raise TimeoutError(f"no node made {path.name}")
        time.sleep(0.01)
