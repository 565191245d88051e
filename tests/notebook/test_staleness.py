"""Staleness is shown of nodes with a value, and taken back where nothing came out different."""

from __future__ import annotations

from dagnb.events import NodesStale
from tests.notebook.conftest import Notebook


def test_shown_down_the_graph(chain: Notebook) -> None:
    """A stale node makes all below it stale, whatever runs later."""
    chain.run("%dag auto off")
    chain.run("limit = 2")
    assert chain.statuses() == {
        "raw": "completed", "clean": "stale", "total": "stale", "other": "completed"
    }  # fmt: skip
    assert chain.session.stale() == ["clean", "total"]
    assert chain.session.is_stale("clean")


def test_taken_back_by_cutoff(chain: Notebook) -> None:
    """What is below a value that came out the same is current again, without having run."""
    chain.run("%dag auto off")
    chain.node("raw", "[3, 1, 2, 0]")
    assert chain.status("total") == "stale"
    assert chain.run("%dag run").executed == ["clean"]
    assert chain.status("total") == "reused"
    assert chain.session.stale() == []


def test_taken_back_by_an_undone_edit(chain: Notebook) -> None:
    """An edit that is undone before anything ran runs nothing."""
    chain.run("%dag auto off")
    chain.run("limit = 2")
    chain.run("limit = 1")
    assert chain.run("%dag run").executed == []
    assert chain["total"] == 6
    assert chain.session.stale() == []


def test_announced_once(chain: Notebook) -> None:
    """Observers are told once of each node, with a reason."""
    seen: list[NodesStale] = []
    chain.session.observers.append(lambda e: seen.append(e) if isinstance(e, NodesStale) else None)
    chain.run("%dag auto off")
    chain.run("limit = 2")
    chain.run("x = 1")
    assert [(*event.names, event.reason) for event in seen] == [
        ("clean", "something its code reads changed"),
        ("total", "something it depends on changed"),
    ]


def test_failed_and_skipped_are_not_called_stale(chain: Notebook) -> None:
    """They keep their own status."""
    chain.node("clean", "1 / 0", fails=ZeroDivisionError)
    chain.run("limit = 5")
    assert (chain.status("clean"), chain.status("total")) == ("failed", "skipped")


def test_removed_input(chain: Notebook) -> None:
    """What is below a removed node is stale, with that reason."""
    chain.session.remove("raw")
    assert chain.session.stale() == ["clean", "total"]
    assert chain.session.view.nodes["clean"].reason == "raw was removed"
