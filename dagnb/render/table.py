"""What a run did, as a table for the end of a cell."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from dagnb.render.look import duration
from dagnb.results import ExecutionResult, NodeResult
from dagnb.values.describe import describe

MOST_ROWS = 50


def table(result: ExecutionResult) -> str:
    """Return a run in HTML: its summary, and a row a node, dependencies first.

    Of more nodes than `MOST_ROWS` those without a value come first, and the rest is counted.
    """
    shown: list[NodeResult] = list(result.node_results.values())
    if len(shown) > MOST_ROWS:
        shown.sort(key=lambda each: each.status.is_success)
    left_out = len(shown) - MOST_ROWS
    rows = [_row(_cells(each)) for each in shown[:MOST_ROWS]]
    if left_out > 0:
        rows.append(_row(["...", "", "", f"{left_out:,} more nodes"]))
    head = _row(["node", "status", "time", "value, error or reason"], "th")
    return (
        f"<table><caption>{escape(result.summary())}</caption>"
        f"<thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _cells(result: NodeResult) -> list[str]:
    seconds = result.duration_seconds if result.executed else None
    return [str(result.name), result.status.value, duration(seconds), _outcome(result)]


def _outcome(result: NodeResult) -> str:
    if result.error is not None:
        return describe(result.error, 120)
    return describe(result.held) if result.status.is_success else result.reason


def _row(cells: Iterable[str], tag: str = "td") -> str:
    aligned = "".join(f'<{tag} style="text-align: left">{escape(each)}</{tag}>' for each in cells)
    return f"<tr>{aligned}</tr>"
