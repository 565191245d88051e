"""``%dag plan`` says what ``%dag run`` then does."""

from __future__ import annotations

import re

from tests.notebook.conftest import Notebook


def test_plan_is_what_runs(chain: Notebook) -> None:
    """If nothing is cut off, exactly what runs or may run runs."""
    chain.run("%dag auto off")
    chain.node("raw", "[7, 8]")
    chain.run("limit = 0")
    plan = chain.session.plan()
    expected = plan.names("run") + plan.names("may run")
    assert sorted(expected) == ["clean", "total"]
    assert chain.run("%dag run").executed == expected


def test_plan_changes_nothing(chain: Notebook) -> None:
    """A plan runs nothing and changes no status."""
    chain.run("%dag auto off")
    chain.node("raw", "[7, 8]")
    before = chain.state()
    assert chain.run("%dag plan").executed == []
    assert chain.state() == before


def test_text(chain: Notebook) -> None:
    """Each line is an action, a node and a reason."""
    chain.run("%dag auto off")
    chain.run("limit = 2")
    lines = chain.run("%dag plan").out.splitlines()
    assert lines[0] == "run      clean: something its code reads changed"
    assert lines[1] == "may run  total: if clean comes out different"
    assert re.fullmatch(r"2 up to date; expected .* s; critical path: clean -> total", lines[2])


def test_up_to_date(chain: Notebook) -> None:
    """Nothing to run."""
    assert chain.run("%dag plan").out == "nothing to run; 4 up to date\n"


def test_failed_and_waiting(chain: Notebook) -> None:
    """Failed nodes run; nodes that wait for a name, manual ones and what is below them do not."""
    chain.node("bad", "1 / 0", fails=ZeroDivisionError)
    chain.node("late", "nowhere")
    chain.node("clean", "raw", "--manual")
    chain.node("raw", "[9]")
    plan = {step.name: (step.action, step.reason) for step in chain.session.plan()}
    assert plan["bad"] == ("run", "it failed last time")
    assert plan["late"] == ("wait", "it waits for `nowhere`, which nothing defines yet")
    assert plan["clean"] == ("wait", "it is manual: %dag run clean")
    assert plan["total"] == ("wait", "clean waits")
    assert chain.run("%dag run", fails=ZeroDivisionError).executed == ["bad"]


def test_names(chain: Notebook) -> None:
    """With names it is the plan of a run of these; a manual node that is named runs."""
    chain.node("clean", "raw", "--manual")
    chain.node("raw", "[9]")
    plan = chain.session.plan(["clean"])
    assert (plan.names("run"), plan.names("may run")) == (["clean"], ["total"])
    assert chain.run("%dag run clean").executed == ["clean", "total"]


def test_what_was_cut_off_before_is_likely_cut_off_again(chain: Notebook) -> None:
    """Once a node came out the same again, what reads it is not expected to run."""
    chain.run("%dag auto off")
    chain.node("raw", "[3, 1, 2, 0]")
    chain.run("%dag run")
    chain.node("raw", "[3, 1, 2, -1]")
    assert "total: if clean comes out different; likely cut off" in chain.run("%dag plan").out
    assert [step.name for step in chain.session.plan() if step.is_unlikely] == ["total"]


def test_the_time_is_that_of_the_last_run_that_succeeded(chain: Notebook) -> None:
    """Also of a node that failed since then, was skipped, and was found again."""
    took = {name: chain.session.result(name).duration_seconds for name in ("clean", "total")}
    chain.node("clean", "1 / 0", fails=ZeroDivisionError)
    assert seconds_planned(chain)["clean"] == took["clean"]
    chain.node("clean", "[x for x in raw if x >= limit]")
    assert (chain.status("clean"), chain.status("total")) == ("cached", "cached")
    chain.run("%dag auto off")
    chain.run("limit = 2")
    assert seconds_planned(chain) == took


def seconds_planned(notebook: Notebook) -> dict[str, float | None]:
    """How long each node that is not up to date is expected to take."""
    return {step.name: step.seconds for step in notebook.session.plan() if step.action != "reuse"}
