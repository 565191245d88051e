"""W6: what a ``%%dag_node`` cell costs over a plain cell, by the number of nodes.

Cells run in a real shell, without a kernel's messages, which are the same for all. The node cell
is edited each time, so that its node and one dependent run; all other nodes are beside them.
Prints one line of JSON for each number of nodes: medians in milliseconds, and the difference
between the node cell and the plain one, whose target is 1 ms.

    python -m benchmarks.w6_notebook --n 10 100 1000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter

from IPython.core.interactiveshell import InteractiveShell

TARGET_MS = 1.0
REPEATS = 60


def main() -> None:
    """Measure for each number of nodes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    arguments = parser.parse_args()
    for n in arguments.n:
        print(json.dumps(measure(n, arguments.repeats)), flush=True)


def measure(n: int, repeats: int) -> dict[str, float]:
    """Return the medians for a notebook of ``n`` nodes; the kinds of cell take turns."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    if shell.history_manager is not None:
        shell.history_manager.enabled = False
    shell.magics_manager.magics["cell"]["nothing"] = lambda line, cell: None
    bare = [time(shell, f"x = {i}") for i in range(repeats)]
    build(shell, n)
    plain, magic, node = [], [], []
    for i in range(repeats):
        plain.append(time(shell, f"x = {i}"))
        magic.append(time(shell, f"%%nothing\n{i}"))
        node.append(time(shell, f"%%dag_node edited\n{i + 1};"))
    assert shell.user_ns["dependent"] == repeats + 1, "the dependent did not run"
    return report(n, bare=bare, plain=plain, magic=magic, node=node)


def build(shell: InteractiveShell, n: int) -> None:
    """Define ``n`` nodes: a source and its dependent, and chains of ten beside them."""
    run(shell, "%load_ext dagnb\nlimit = 1")
    run(shell, "%%dag_node edited\n0;")
    run(shell, "%%dag_node dependent\nedited + 1;")
    for i in range(n - 2):
        above = f"node_{i - 1}" if i % 10 else "limit"
        run(shell, f"%%dag_node node_{i}\n{above} + {i};")


def run(shell: InteractiveShell, source: str) -> None:
    """Run a cell that must not fail."""
    shell.run_cell(source).raise_error()


def time(shell: InteractiveShell, source: str, clock: Callable[[], float] = perf_counter) -> float:
    """Return the milliseconds that a cell takes."""
    began = clock()
    run(shell, source)
    return (clock() - began) * 1000


def report(n: int, **samples: list[float]) -> dict[str, float]:
    """Return the medians, and what the node cell costs over the plain one."""
    medians = {f"{kind}_ms": round(median(values), 3) for kind, values in samples.items()}
    over = medians["node_ms"] - medians["plain_ms"]
    return {"n": n, **medians, "over_plain_ms": round(over, 3), "target_ms": TARGET_MS}


if __name__ == "__main__":
    main()
