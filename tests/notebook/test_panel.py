"""The panel of a node: what it shows, what its buttons do, and the same in words."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.error import UsageError

from dagnb.errors import DagError, NodeNotFoundError
from dagnb.notebook.panel import Panel, value_facts
from tests.notebook.conftest import Notebook


@pytest.fixture
def panel(chain: Notebook) -> Panel:
    """The panel of raw -> clean -> total."""
    return Panel(chain.session, chain.shell)  # type: ignore[arg-type]  # a protocol of ours


def test_what_a_panel_shows(chain: Notebook, panel: Panel) -> None:
    """Code, value, why, its place, and how long it took the last times."""
    chain.node("raw", "[7]")
    facts = panel.details("clean")
    assert facts["source"] == "[x for x in raw if x >= limit]\n"
    assert '<span class="dagnb-keyword">for</span>' in str(facts["source_html"])
    assert facts["preview_text"] == "[7]"
    assert str(facts["why"]).startswith("clean ran because its input raw")
    assert (facts["inputs"], facts["dependents"]) == (["raw"], ["total"])
    assert facts["manual"] is False
    assert len(facts["history"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("def __repr__(self): raise RuntimeError('no repr')", "no repr"),
        ("def __repr__(self): return 'x' * 20_000", "and 15,000 more characters"),
        ("def __repr__(self): return 'x' * 200_000_000", "more output than 1,000,000 bytes"),
        ("def _repr_html_(self): return '<p>' * 100_000", "is too long to be shown"),
        (
            "def _repr_html_(self): raise RuntimeError('no html')",
            "RuntimeError: no html\n<__main__.Odd",
        ),
    ],
)
def test_what_a_value_makes_of_itself_is_bounded(nb: Notebook, body: str, shown: str) -> None:
    """A repr that raises, or is as large as the value, harms nobody."""
    nb.run(f"class Odd:\n    {body}")
    facts = value_of(nb, "Odd()")
    assert shown in str(facts["preview_text"])
    assert len(str(facts)) < 20_000
    assert "\x1b" not in str(facts["preview_text"])


def value_of(nb: Notebook, expression: str) -> dict[str, Any]:
    """The preview of a value of the notebook's."""
    return value_facts(nb.shell, nb.shell.ev(expression))  # type: ignore[arg-type]


def test_html_of_its_own_is_kept_apart(nb: Notebook) -> None:
    """It goes into a frame, not into the page."""
    nb.run("class Rich:\n    def _repr_html_(self): return '<script>alert(1)</script>'")
    facts = value_of(nb, "Rich()")
    assert facts["preview_page"] == "<script>alert(1)</script>"
    assert "preview_html" not in facts


def test_run_to_here_leaves_what_is_below(chain: Notebook, panel: Panel) -> None:
    """And so does %dag run --to."""
    chain.run("%dag auto off")
    chain.node("raw", "[5]")
    panel.act("run_to", "clean")
    assert (chain.session["clean"], chain.status("total")) == ([5], "stale")
    chain.node("raw", "[6]")
    chain.run("%dag auto on")
    assert chain.run("%dag run clean --to").executed == ["clean"]
    assert chain.status("total") == "stale"
    assert "usage: %dag run NAME ... --to" in chain.run("%dag run --to", fails=UsageError).text


def test_a_node_is_made_manual_and_back(chain: Notebook, panel: Panel) -> None:
    """By the button, and by the verb."""
    panel.act("manual", "clean")
    assert panel.details("clean")["manual"] is True
    assert chain.node("raw", "[8]").executed == ["raw"]
    assert "clean runs whenever it is stale" in chain.run("%dag manual clean off").out
    assert chain.run("%dag run").executed == ["clean", "total"]
    assert chain.run("%dag manual clean").out.startswith("clean runs only when it is asked for")
    assert chain.node("raw", "[9]").executed == ["raw"]
    assert chain.run("%dag run clean").executed == ["clean", "total"]


def test_the_cell_decides_again(chain: Notebook) -> None:
    """What its options say holds once it is executed."""
    chain.run("%dag manual clean")
    chain.node("clean", "[x for x in raw if x >= limit]")
    assert chain.session.nodes["clean"].options.manual is False


def test_a_button_that_is_none(panel: Panel) -> None:
    """It is refused."""
    with pytest.raises(ValueError, match="no such button: 'drop'"):
        panel.act("drop", "raw")


def test_source_and_value_in_words(chain: Notebook) -> None:
    """What the panel shows, below a cell."""
    assert chain.run("%dag source clean").out == "[x for x in raw if x >= limit]\n"
    chain.node("many", "list(range(1000))")
    assert chain.run("%dag value many").out.startswith("list of 1,000:\n0\n1\n")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("%dag source nowhere", NodeNotFoundError),
        ("%dag value nowhere", NodeNotFoundError),
        ("%dag manual nowhere", NodeNotFoundError),
        ("%dag source", UsageError),
        ("%dag value", UsageError),
        ("%dag manual", UsageError),
        ("%dag manual clean maybe", UsageError),
        ("%dag manual clean on off", UsageError),
    ],
)
def test_verbs_used_wrongly(chain: Notebook, line: str, error: type) -> None:
    """The line says what is wrong."""
    chain.run(line, fails=error)


def test_a_node_without_value(chain: Notebook) -> None:
    """There is nothing to show, and the panel has the rest."""
    chain.node("clean", "1 / 0", fails=ZeroDivisionError)
    assert "has no value" in chain.run("%dag value clean", fails=DagError).out
    facts = Panel(chain.session, chain.shell).details("clean")  # type: ignore[arg-type]
    assert "preview_text" not in facts
    assert facts["error"] == "ZeroDivisionError: division by zero"
