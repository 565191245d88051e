"""``%dag export`` writes one page that needs nothing else, or the graph alone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError

from tests.notebook.conftest import Notebook

NASTY = (
    "</script><script>document.title='injected'</script><!--<img src=x onerror=alert(1)> \u2028 🐧"
)


def facts(page: str) -> dict[str, Any]:
    """Return the data of a page."""
    [data] = re.findall(r'<script type="application/json" id="dagnb-data">(.*?)</script>', page)
    found: dict[str, Any] = json.loads(data)
    return found


def test_a_page_holds_the_graph_the_run_and_each_node(chain: Notebook, tmp_path: Path) -> None:
    """Geometry and state, timeline and frames, and what the panel shows."""
    chain.node("raw", "[5, 6]")
    ran = chain.run(f"%dag export '{tmp_path}/run.html'")
    assert ran.out == f"wrote {tmp_path}/run.html\n"
    found = facts((tmp_path / "run.html").read_text())
    assert [node[0] for node in found["graph"]["nodes"]] == ["raw", "clean", "total", "other"]
    assert found["state"]["nodes"]["raw"]["status"] == "completed"
    assert found["recording"]["timeline"]["critical"] == ["raw", "clean", "total"]
    assert "raw completed" in [each["said"] for each in found["recording"]["frames"]["moments"]]
    assert found["details"]["clean"]["source"] == "[x for x in raw if x >= limit]\n"
    assert found["details"]["total"]["preview_text"] == "11"
    assert found["can_act"] is False


def test_a_page_loads_nothing_and_runs_one_script(chain: Notebook, tmp_path: Path) -> None:
    """Its policy forbids the rest; the script is the one that the policy names."""
    chain.session.export(tmp_path / "run.html")
    page = (tmp_path / "run.html").read_bytes().decode()
    assert re.findall(r"<(?:link|img|iframe|script)[^>]*(?:src|href)=", page) == []
    [code] = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in page
    assert "default-src 'none'" in page


def test_values_cannot_leave_the_data(nb: Notebook, tmp_path: Path) -> None:
    """Whatever text they hold, the page has the tags that it had without them."""
    nb.node("plain", "'x'")
    nb.session.export(tmp_path / "plain.html")
    nb.node("plain", f"text = {NASTY!r}\ntext")
    nb.session.view.title = NASTY
    nb.session.export(tmp_path / "nasty.html")
    plain, nasty = ((tmp_path / f"{each}.html").read_text() for each in ("plain", "nasty"))
    tags = re.compile(r"<(?:/?script|!--|main|img|title)", re.IGNORECASE)
    assert tags.findall(nasty) == tags.findall(plain)
    assert facts(nasty)["graph"]["title"] == NASTY


def test_a_page_before_the_first_run(nb: Notebook, tmp_path: Path) -> None:
    """The graph is there, and the timeline is empty."""
    nb.run("%dag auto off")
    nb.run("from dagnb.notebook.cells import function_node")
    nb.session.define(nb.shell.ev("function_node")(lambda: 1, "quiet"))
    nb.session.export(tmp_path / "run.html")
    found = facts((tmp_path / "run.html").read_text())
    assert found["recording"]["timeline"]["lanes"] == []
    assert found["state"]["nodes"] == {"quiet": {"status": "pending"}}


def test_the_graph_alone(chain: Notebook, tmp_path: Path) -> None:
    """The ending says the form."""
    for ending, begins in (("svg", "<svg"), ("dot", "digraph"), ("mmd", "flowchart")):
        chain.run(f"%dag export {tmp_path}/graph.{ending}")
        assert (tmp_path / f"graph.{ending}").read_text().startswith(begins)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("graph.smg", "the ending says the form; did you mean '.svg'?"),
        ("graph", ".html, .svg, .png, .dot, .gv, .mmd"),
        ("no/such/run.html", "cannot write no/such/run.html: No such file"),
        ("", "usage: %dag export FILE"),
    ],
)
def test_what_cannot_be_written(chain: Notebook, file: str, complaint: str) -> None:
    """One line says why."""
    assert complaint in chain.run(f"%dag export {file}", fails=UsageError).text
