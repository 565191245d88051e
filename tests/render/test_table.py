"""What a run did, as a table."""

from __future__ import annotations

import re

import dagnb
from dagnb import DAGExecutor


def rows(html: str | None) -> list[list[str]]:
    """Return the texts of the cells, row by row, without the head."""
    assert html is not None
    lines = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines][1:]


def fail() -> None:
    """Fail with a text that is no HTML."""
    raise ValueError("1 < 2")


def test_a_row_for_each_node() -> None:
    """With its status, its value or what kept it from one; the head has the summary."""
    dag = dagnb.DAG.builder().add_edges([("a", "b"), ("b", "c")]).build()
    result = DAGExecutor(dag).execute({"a": lambda: [1, 2], "b": fail, "c": int})
    html = result._repr_html_()
    assert html is not None
    assert f"<caption>{result.summary()}</caption>" in html
    assert [[name, status, outcome] for name, status, _, outcome in rows(html)] == [
        ["a", "completed", "[1, 2]"],
        ["b", "failed", "ValueError(&#x27;1 &lt; 2&#x27;)"],
        ["c", "skipped", "b failed"],
    ]


def test_a_long_table_is_cut() -> None:
    """What has no value comes first, the rest is counted."""
    dag = dagnb.DAG()
    names = dag.add_nodes([f"n{number}" for number in range(60)])
    result = DAGExecutor(dag, fail_fast=False).execute(
        {name: (fail if name == "n59" else int) for name in names}
    )
    shown = rows(result._repr_html_())
    assert shown[0][:2] == ["n59", "failed"]
    assert shown[1][0] == "n0"
    assert shown[-1] == ["...", "", "", "10 more nodes"]
    assert len(shown) == 51
