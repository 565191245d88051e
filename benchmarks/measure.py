"""Timing by turns, and the table of what came out."""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

Prepare = Callable[[], Callable[[], Any]]
ROUNDS = 5
PEERS = ("dagron", "dask", "hamilton", "joblib", "marimo", "networkx", "rustworkx")


@dataclass(frozen=True)
class Measurement:
    """The least time of one candidate on one workload, in microseconds per unit."""

    workload: str
    candidate: str
    n: int
    microseconds: float
    unit: str
    times_reference: float
    reference: str
    target: float | None = None
    mistake: str = ""

    @property
    def missed(self) -> bool:
        """Whether there is a target, and it was not met."""
        return self.target is not None and self.times_reference > self.target


def least_seconds(candidates: Mapping[str, Prepare], rounds: int = ROUNDS) -> dict[str, float]:
    """Time each candidate once a round, by turns, and return the least times.

    A candidate is prepared before each of its turns; only what the preparation returns is
    timed, without the garbage collector. Every second round goes backwards, so that nobody
    always comes after the same one. What takes a second is run once.
    """
    least: dict[str, float] = {}
    for turn in range(rounds):
        for name, prepare in list(candidates.items())[:: -1 if turn % 2 else 1]:
            if least.get(name, 0.0) < 1.0:
                least[name] = min(least.get(name, float("inf")), _timed(prepare()))
    return {name: least[name] for name in candidates}


def _timed(run: Callable[[], Any]) -> float:
    gc.collect()
    gc.disable()
    try:
        started = perf_counter()
        run()
        return perf_counter() - started
    finally:
        gc.enable()


def compare(
    workload: str,
    n: int,
    candidates: Mapping[str, Prepare],
    *,
    unit: str,
    units: int | Mapping[str, int],
    targets: Mapping[str, float],
    reference: str = "floor",
    rounds: int = ROUNDS,
    mistakes: Mapping[str, str] | None = None,
) -> list[Measurement]:
    """Measure candidates on one workload, relative to one of them.

    ``units`` are those of one turn, of all candidates or of each; ``mistakes`` says which of them
    do not do what the others do, and in what.
    """
    least = {
        name: seconds / (units if isinstance(units, int) else units[name])
        for name, seconds in least_seconds(candidates, rounds).items()
    }
    base = least[reference]
    return [
        Measurement(
            workload, name, n, seconds * 1e6, unit, seconds / base, reference,
            targets.get(name), (mistakes or {}).get(name, ""),
        )
        for name, seconds in least.items()
    ]  # fmt: skip


Measure = Callable[[Sequence[int], Sequence[str] | None, int], list[Measurement]]


def show(measurements: Sequence[Measurement], *, as_json: bool) -> None:
    """Print one JSON line a measurement, or a table."""
    if as_json:
        for each in measurements:
            print(json.dumps(asdict(each) | {"missed": each.missed}), flush=True)
        return
    for each in measurements:
        target = "" if each.target is None else f"target {each.target:.2f} x"
        verdict = "" if each.target is None else ("  MISSED" if each.missed else "  met")
        verdict += f"WRONG: {each.mistake}" if each.mistake else ""
        print(
            f"{each.workload:<34} {each.n:>8,}  {each.candidate:<28}"
            f"{each.microseconds:>12,.3f} us/{each.unit:<6}"
            f"{each.times_reference:>10.2f} x {each.reference:<9} {target}{verdict}",
            flush=True,
        )


def standings(measurements: Sequence[Measurement], peers: Sequence[str]) -> list[str]:
    """Say of each workload whether dagnb is ahead of the peers, those that are wrong apart."""
    found = []
    for workload, n in dict.fromkeys((each.workload, each.n) for each in measurements):
        rows = [each for each in measurements if (each.workload, each.n) == (workload, n)]
        own = [each for each in rows if each.candidate == "dagnb"]
        others = [each for each in rows if each.candidate.split()[0] in peers]
        if own and others:
            said = [_standing(own[0], [e for e in others if not e.mistake], "each peer")]
            said.append(_standing(own[0], [e for e in others if e.mistake], "each that is wrong"))
            found.append(f"{workload:<34} {n:>10,}  {'; '.join(filter(None, said))}")
    return found


def _standing(own: Measurement, others: Sequence[Measurement], whom: str) -> str:
    if not others:
        return ""
    nearest = min(others, key=lambda each: each.microseconds)
    times = nearest.microseconds / own.microseconds
    if times >= 1:
        return f"ahead of {whom}, of {nearest.candidate} by {times:.2f} x"
    return f"BEHIND {nearest.candidate} by {1 / times:.2f} x{' (wrong)' * bool(nearest.mistake)}"


def options(description: str, sizes: Sequence[int]) -> argparse.ArgumentParser:
    """Return the options that every workload takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--n", type=_count, action="append", help=f"nodes (default: {sizes})")
    parser.add_argument(
        "--peer", choices=["none", *PEERS], action="append", help="measure only this peer"
    )
    parser.add_argument("--json", action="store_true", help="one JSON line a measurement")
    parser.add_argument("--rounds", type=_count, default=ROUNDS, help="turns of each candidate")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_count.__name__ = "whole number above 0"  # as argparse says what is wrong


def check_sizes(parser: argparse.ArgumentParser, sizes: Sequence[int], least: int) -> None:
    """End with an error if a size is too small for a workload."""
    for n in sizes:
        if n < least:
            parser.error(f"argument --n: {n} nodes are too few here; give {least} or more")


def main(description: str, measure: Measure, sizes: Sequence[int], least: int) -> None:
    """Measure one workload from the command line."""
    parser = options(description, sizes)
    asked = parser.parse_args()
    check_sizes(parser, asked.n or sizes, least)
    show(measure(asked.n or sizes, asked.peer, asked.rounds), as_json=asked.json)
