"""Every workload beside its floor and the peers that install, and which targets are missed.

What counts is the ratio: times depend on the machine, and are minima taken by turns.
"""

from __future__ import annotations

import platform

from benchmarks import (
    peers,
    w1_scheduling,
    w2_incremental,
    w3_graph,
    w4_digests,
    w5_persistence,
    w6_notebook,
    w7_parallel,
    w8_endings,
    w9_view,
    w10_cluster,
    w11_scaling,
)
from benchmarks.measure import PEERS, Measurement, check_sizes, options, show, standings

WORKLOADS = {
    "w1": w1_scheduling,
    "w2": w2_incremental,
    "w3": w3_graph,
    "w4": w4_digests,
    "w5": w5_persistence,
    "w6": w6_notebook,
    "w7": w7_parallel,
    "w8": w8_endings,
    "w9": w9_view,
    "w10": w10_cluster,
    "w11": w11_scaling,
}


def main() -> None:
    """Measure what was asked for."""
    parser = options(__doc__ or "", ())
    parser.add_argument("workloads", nargs="*", metavar="|".join(WORKLOADS), help="(default: all)")
    asked = parser.parse_args()
    if unknown := [name for name in asked.workloads if name not in WORKLOADS]:
        parser.error(f"no workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    chosen = [WORKLOADS[name] for name in asked.workloads or WORKLOADS]
    for workload in chosen:
        check_sizes(parser, asked.n or workload.SIZES, workload.LEAST)
    if not asked.json:
        print(f"Python {platform.python_version()}; least times by turns; x: times the reference")
    measurements: list[Measurement] = []
    for workload in chosen:
        found = workload.measure(asked.n or workload.SIZES, asked.peer, asked.rounds)
        show(found, as_json=asked.json)
        measurements += found
    if not asked.json:
        summarise(measurements, peers.left_out(asked.peer))


def summarise(measurements: list[Measurement], left_out: list[str]) -> None:
    """Say which targets are missed, and which peers are not in the table."""
    print("\nAgainst the peers:", *standings(measurements, PEERS), sep="\n")
    missed = [each for each in measurements if each.missed]
    with_target = sum(each.target is not None for each in measurements)
    print(f"\n{with_target - len(missed)} of {with_target} targets met")
    for each in missed:
        print(
            f"missed: {each.workload}, n = {each.n:,}, {each.candidate}: "
            f"{each.times_reference:.2f} x {each.reference}, target {each.target:.2f} x"
        )
    if left_out:
        print(f"left out, not installed here: {', '.join(left_out)}")


if __name__ == "__main__":
    main()
