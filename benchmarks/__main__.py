"""Every workload beside its floor and the peers that install, and which targets are missed.

What counts is the ratio: times depend on the machine, and are minima taken by turns.
"""

from __future__ import annotations

import platform
import sys

from benchmarks import (
    w1_scheduling,
    w2_incremental,
    w3_graph,
    w4_digests,
    w5_persistence,
    w7_parallel,
)
from benchmarks.measure import Measurement, options, show

WORKLOADS = {
    "w1": w1_scheduling,
    "w2": w2_incremental,
    "w3": w3_graph,
    "w4": w4_digests,
    "w5": w5_persistence,
    "w7": w7_parallel,
}


def main() -> None:
    """Measure what was asked for."""
    parser = options(__doc__ or "", ())
    parser.add_argument("workloads", nargs="*", metavar="w1|w2|w3|w4|w5|w7", help="(default: all)")
    asked = parser.parse_args()
    if unknown := [name for name in asked.workloads if name not in WORKLOADS]:
        parser.error(f"no workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    if not asked.json:
        print(f"Python {platform.python_version()}; least times by turns; x: times the reference")
    measurements: list[Measurement] = []
    for name in asked.workloads or WORKLOADS:
        workload = WORKLOADS[name]
        found = workload.measure(asked.n or workload.SIZES, asked.peer, asked.rounds)
        show(found, as_json=asked.json)
        measurements += found
    missed = [each for each in measurements if each.missed]
    with_target = sum(each.target is not None for each in measurements)
    if not asked.json:
        print(f"\n{with_target - len(missed)} of {with_target} targets met")
        for each in missed:
            print(
                f"missed: {each.workload}, n = {each.n:,}, {each.candidate}: "
                f"{each.times_reference:.2f} x {each.reference}, target {each.target:.2f} x"
            )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
