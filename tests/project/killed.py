"""Runs of a manifest, killed at random instants: ``killed.py FOLDER KILLS SEED``.

A process that imports once and forks a child for every run; prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from dagnb import DAGRunner, ExecutionSummary, Manifest, ManifestNode

STEPS = 12


def manifest(round_: int) -> Manifest:
    """Return two chains that end in one node; their first nodes differ from round to round."""
    names = [f"step{number}" for number in range(STEPS)]
    nodes = {name: {"type": "step"} for name in [*names, "end"]}
    for name in names[:2]:
        nodes[name]["config"] = {"round": round_}  # type: ignore[assignment]  # as JSON has it
    edges = [[names[each], names[each + 2]] for each in range(STEPS - 2)]
    edges += [[names[-2], "end"], [names[-1], "end"]]
    return Manifest.from_dict({"nodes": nodes, "edges": edges})


def note(folder: Path, what: str) -> None:
    """Append a line to the log, which the kernel keeps whatever becomes of this process."""
    log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, f"{what}\n".encode())
    os.close(log)


def run(folder: Path, round_: int) -> ExecutionSummary:
    """Run what has not run in this round."""

    class Telling(DAGRunner):
        def on_node_complete(self, node_id: str, result: object) -> None:
            note(folder, f"{round_} settled {node_id} {result.status.name}")  # type: ignore[attr-defined]

    def execute(node: ManifestNode, inputs: dict[str, list[object]]) -> list[object]:
        note(folder, f"{round_} start {node.id}")
        time.sleep(0.002)
        return [node.id, dict(node.config), list(inputs.values())]

    runner = Telling(manifest(round_), state_dir=folder / "state")
    runner.register("step", execute)
    return runner.run(progress=False)


def in_child(folder: Path, round_: int, kill_after: float | None) -> bool:
    """Run in a process of its own; say whether it came to its end."""
    child = os.fork()
    if not child:
        os._exit(run(folder, round_).exit_code)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == 0


def wrong(folder: Path) -> list[str]:
    """Return what ran in a round after it had been told that it succeeded."""
    done: set[str] = set()
    twice = []
    for line in (folder / "log").read_text().splitlines():
        round_, what, name, *status = line.split()
        if what == "start" and f"{round_} {name}" in done:
            twice.append(line)
        if status == ["SUCCESS"]:
            done.add(f"{round_} {name}")
    return twice


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill so many runs; print what was wrong, and how often a node was started at most."""
    chance = random.Random(seed)
    killed = rounds = 0
    while killed < kills:
        ended = in_child(folder, rounds, chance.uniform(0, 0.15))
        killed += not ended
        rounds += ended
    finished = in_child(folder, rounds, None)
    again = run(folder, rounds)
    starts = Counter(line for line in (folder / "log").read_text().splitlines() if "start" in line)
    left = [each.name for each in (folder / "state").glob(".dagnb-*")]
    print(
        json.dumps(
            {
                "killed": killed,
                "finished": finished,
                "again": again.successful_nodes,
                "twice": wrong(folder),
                "starts": max(starts.values()),
                "temporary": len(left),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
