"""Runs and graphs as plain text, for terminals and for people who cannot see the picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagnb.results import NodeResult, NodeStatus


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


def error_text(error: BaseException | None) -> str:
    """Return type and message, even if the message cannot be made."""
    if error is None:
        return ""
    kind = type(error).__name__
    try:
        text = str(error)
    except Exception:  # the user's own __str__
        return kind
    return f"{kind}: {text}"[:_LONGEST_ERROR] if text else kind


def run_summary(results: Iterable[NodeResult], took: float) -> str:
    """Return one line: what ran, what came out the same, what failed, and how long it took.

    Parameters
    ----------
    results : iterable of NodeResult
        Of the nodes that the run looked at.
    took : float
        Seconds.

    Examples
    --------
    >>> ran = NodeResult("a", NodeStatus.COMPLETED, executed=True, changed=False)
    >>> run_summary([ran, NodeResult("b", NodeStatus.SKIPPED)], 0.25)
    'ran a (same value); skipped b (250 ms)'
    """
    found: dict[str, list[str]] = {what: [] for what in _OUTCOMES}
    for each in results:
        same = each.status is NodeStatus.COMPLETED and each.executed and not each.changed
        found[_outcome(each)].append(f"{each.name} (same value)" if same else str(each.name))
    del found[""]
    parts = [f"{what} {listed(names)}" for what, names in found.items() if names]
    return f"{'; '.join(parts) or 'nothing to run, everything is up to date'} ({seconds(took)})"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names with commas between them, and a number for those that are too many.

    Examples
    --------
    >>> listed(["a", "b"]), listed(["a", "b", "c", "d"], most=2)
    ('a, b', 'a, b and 2 more')
    """
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


_LONGEST_ERROR = 500
_OUTCOMES = ("ran", "from memory", "failed", "skipped", "cancelled", "timed out", "")


def _outcome(result: NodeResult) -> str:
    if result.status is NodeStatus.COMPLETED:
        return "ran" if result.executed else ""
    if result.status is NodeStatus.CACHE_HIT:
        return "from memory"
    return str(result.status.value).replace("_", " ")
