"""Runs with a checkpoint, killed at random instants: ``python killed.py FOLDER KILLS SEED``.

A process that imports once and forks a child for every run; prints what it found as JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagnb import (
    DAG,
    DynamicExecutor,
    DynamicModification,
    DynamicNodeSpec,
    ExecutionCallbacks,
    ExecutionResult,
)

WORKERS = 2
CHILDREN = [f"part {number}" for number in range(4)]
CHAIN = [f"step {number}" for number in range(4)]


def graph() -> DAG:
    """Return a chain beside a node that brings forth parts, both before a last node."""
    dag = DAG.builder().add_edge("split", "join").build()
    dag.add_nodes(CHAIN)
    dag.add_edges([*itertools.pairwise(CHAIN), (CHAIN[-1], "join")])
    return dag


def parts(value: object) -> DynamicModification:
    """Bring forth the parts."""
    return DynamicModification(
        [DynamicNodeSpec(name, computed(name), ["split"], ["join"]) for name in CHILDREN]
    )


def computed(name: str) -> Callable[..., Any]:
    """Return a task whose value shows all that it was made from."""

    def task(**inputs: Any) -> Any:
        note("start", name)
        time.sleep(0.002)
        return [name, sorted(inputs.items())]

    return task


def note(what: str, name: str) -> None:
    """Append a line to the log, which the kernel keeps whatever becomes of this process."""
    log = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, f"{what}:{name}\n".encode())
    os.close(log)


def resume(folder: Path) -> ExecutionResult:
    """Go on with the run."""
    dag = graph()
    callbacks = ExecutionCallbacks(on_node_complete=lambda name, value: note("settled", name))
    executor = DynamicExecutor(dag, {"split": parts}, WORKERS, callbacks, checkpoint_dir=folder)
    return executor.resume({str(name): computed(str(name)) for name in dag})


def in_child(folder: Path, *, kill_after: float | None) -> bool:
    """Run in a process of its own; say whether it came to its end."""
    child = os.fork()
    if not child:
        result = resume(folder)
        os._exit(0 if result.succeeded == len(result.node_results) else 1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a resume did not succeed")
    return os.WIFEXITED(status)


def lines() -> list[tuple[str, str]]:
    """Return the log."""
    text = LOG.read_text() if LOG.exists() else ""
    return [(what, name) for what, _, name in (line.partition(":") for line in text.splitlines())]


def repeated(before: list[tuple[str, str]], now: list[tuple[str, str]]) -> tuple[set[str], int]:
    """Return the settled nodes that ran again, and how many others did."""
    settled = {name for what, name in before if what == "settled"}
    started = {name for what, name in before if what == "start"}
    again = {name for what, name in now if what == "start"} & started
    return again & settled, len(again - settled)


def main(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Kill runs until there were so many kills; finish each pipeline that was begun."""
    chance, killed, finished, lost, most = random.Random(seed), 0, 0, set[str](), 0
    longest = 0.2
    over = False
    while killed < kills or not over:
        before = lines()
        began = time.perf_counter()
        over = in_child(folder, kill_after=chance.uniform(0, longest) if killed < kills else None)
        killed += not over
        wrongly, again = repeated(before, lines()[len(before) :])
        lost |= wrongly
        most = max(most, again)
        if over:
            finished += 1
            longest = max(0.02, (time.perf_counter() - began) * 0.8)
            check(folder)
            LOG.unlink()
            DynamicExecutor(graph(), {}, checkpoint_dir=folder).clear_checkpoint()
    left = sorted(os.listdir(folder))
    return {"killed": killed, "finished": finished, "lost": sorted(lost), "most": most,
            "left": left}  # fmt: skip


def check(folder: Path) -> None:
    """Compare every value with one computed without a checkpoint; nothing may run for it."""
    before = len(lines())
    saved = {str(name): each.result for name, each in resume(folder).node_results.items()}
    if len(lines()) != before:
        raise SystemExit("a complete checkpoint ran something")
    dag = graph()
    tasks = {str(name): computed(str(name)) for name in dag}
    fresh = DynamicExecutor(dag, {"split": parts}, WORKERS).execute(tasks)
    if saved != {str(name): each.result for name, each in fresh.node_results.items()}:
        raise SystemExit("a resumed run has other values")


if __name__ == "__main__":
    LOG = Path(sys.argv[1] + ".log")
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
