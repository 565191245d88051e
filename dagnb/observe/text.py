"""Runs and graphs as plain text, for terminals and for people who cannot see the picture."""

from __future__ import annotations

from collections.abc import Sequence

from dagnb.results import IncrementalResult, NodeStatus


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows in aligned columns; the last column runs free.

    Examples
    --------
    >>> print(table(["node", "status"], [["load", "completed"], ["x", "failed"]]))
    node  status
    load  completed
    x     failed
    """
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header) - 1)]
    return "\n".join(
        "  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in lines
    )


def seconds(value: float | None) -> str:
    """Return a duration as people say it.

    Examples
    --------
    >>> seconds(0.00042), seconds(1.25), seconds(754), seconds(None)
    ('0.4 ms', '1.2 s', '12 min 34 s', '')
    """
    if value is None:
        return ""
    if value < 1:
        return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def run_summary(result: IncrementalResult) -> str:
    """Return one line: what ran, what came out the same, what failed, and how long it took."""
    same = set(result.early_cutoff)
    ran = [f"{name} (same value)" if name in same else name for name in result.recomputed]
    found = {
        "ran": ran,
        "from memory": _names(result, NodeStatus.CACHE_HIT),
        "failed": _names(result, NodeStatus.FAILED),
        "skipped": _names(result, NodeStatus.SKIPPED),
        "cancelled": _names(result, NodeStatus.CANCELLED),
    }
    parts = [f"{what} {', '.join(names)}" for what, names in found.items() if names]
    taken = seconds(result.total_duration_seconds)
    return f"{'; '.join(parts) or 'nothing to run, everything is up to date'} ({taken})"


def _names(result: IncrementalResult, status: NodeStatus) -> list[str]:
    return [str(each.name) for each in result.node_results.values() if each.status is status]
