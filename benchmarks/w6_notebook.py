"""W6: what a ``%%dag_node`` cell costs over a plain cell, and what importing dagnb costs.

Cells run in a real shell, without a kernel's messages, which are the same for all. The node cell
is edited each time, so that its node and one dependent run; all other nodes are beside them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from benchmarks.measure import Measurement, Prepare, compare, main

SIZES = (10, 100, 1_000)
LEAST = 2
TURNS = 6  # times the rounds: one cell is quick, and the least of many is steady
OVER_PLAIN = 0.001  # seconds
IMPORT_SECONDS = {"fresh interpreter": 0.060, "running kernel": 0.010}
IMPORT = "from time import *; t = perf_counter(); import dagnb; print(perf_counter() - t)"
KERNEL = "import IPython.core.interactiveshell, ipykernel.ipkernel, ipykernel.zmqshell"


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure cells for each number of nodes, then imports; there are no peers here."""
    measurements: list[Measurement] = []
    for n in sizes:
        measurements += cells(n, rounds) + definitions(n, rounds)
    return measurements + imports(rounds)


def cells(n: int, rounds: int) -> list[Measurement]:
    """A plain cell, one with a magic that does nothing, and the cell of a node with a dependent."""
    shell = notebook(n)
    edits = count(1)
    kinds = {
        "plain cell": "x = {}",
        "magic that does nothing": "%%nothing\n{}",
        "node cell, one dependent": "%%dag_node edited\n{};",
    }
    found = {kind: cell(shell, source, edits) for kind, source in kinds.items()}
    measured = compare(
        "W6 run a cell", n, found, unit="cell", units=1, targets={},
        reference="plain cell", rounds=TURNS * rounds,
    )  # fmt: skip
    edited, dependent = shell.user_ns["edited"], shell.user_ns["dependent"]
    assert dependent == edited + 1, "the dependent did not run"
    plain, *others, node = measured
    allowed = 1 + OVER_PLAIN * 1e6 / plain.microseconds
    return [plain, *others, replace(node, target=allowed)]


def definitions(n: int, rounds: int) -> list[Measurement]:
    """A cell that defines one more node, beside all that are there."""
    shell, numbers = notebook(n), count(1)
    found = {
        "plain cell": cell(shell, "x = {}", numbers),
        "new node cell": cell(shell, "%%dag_node new_{0}\n{0};", numbers),
    }
    return compare(
        "W6 define a node", n, found, unit="cell", units=1, targets={},
        reference="plain cell", rounds=TURNS * rounds,
    )  # fmt: skip


def cell(shell: InteractiveShell, source: str, numbers: Any) -> Prepare:
    """Return what runs a cell with another number in it each time."""

    def prepare() -> Callable[[], Any]:
        text = source.format(next(numbers))
        return lambda: run(shell, text)

    return prepare


def notebook(n: int) -> InteractiveShell:
    """Return a shell with ``n`` nodes: a source, its dependent, and chains of ten beside them."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    if shell.history_manager is not None:
        shell.history_manager.enabled = False
    shell.magics_manager.magics["cell"]["nothing"] = lambda line, cell: None
    run(shell, "%load_ext dagnb\nlimit = 1")
    run(shell, "%%dag_node edited\n0;")
    run(shell, "%%dag_node dependent\nedited + 1;")
    for number in range(n - 2):
        above = f"node_{number - 1}" if number % 10 else "limit"
        run(shell, f"%%dag_node node_{number}\n{above} + {number};")
    return shell


def run(shell: InteractiveShell, source: str) -> None:
    """Run a cell that must not fail."""
    shell.run_cell(source).raise_error()


def imports(rounds: int) -> list[Measurement]:
    """``import dagnb`` in a new process, timed inside of it, beside what it may take."""
    measured: list[Measurement] = []
    for where, before in (("fresh interpreter", "pass"), ("running kernel", KERNEL)):
        seconds, limit = min(import_seconds(before) for _ in range(rounds)), IMPORT_SECONDS[where]
        measured.append(
            Measurement(
                f"W6 import, {where}", "import dagnb", 1, seconds * 1e6, "start",
                seconds / limit, f"{limit * 1000:.0f} ms", 1.0,
            )
        )  # fmt: skip
    return measured


def import_seconds(before: str) -> float:
    """Import dagnb in a new process that has run some code before."""
    code = f"{before}\n{IMPORT}"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
