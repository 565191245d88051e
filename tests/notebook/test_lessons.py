"""``%dag step`` and ``%dag predict``, as a learner types them."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.error import UsageError

from dagnb.errors import NodeNotFoundError
from tests.notebook.conftest import Notebook


def first_line(nb: Notebook, line: str) -> str:
    """The first line of what a line prints."""
    return nb.run(line).out.partition("\n")[0]


def test_stepping_through_the_order(chain: Notebook) -> None:
    """Forward, back, to a number, and all at once; the ends are named."""
    assert "step 0 of 4: the nodes without inputs are ready" in first_line(chain, "%dag step")
    assert "step 1 of 4: raw is taken" in first_line(chain, "%dag step")
    assert "step 2 of 4: clean is taken" in first_line(chain, "%dag step next")
    assert "step 1 of 4: raw is taken" in first_line(chain, "%dag step back")
    assert "step 4 of 4: other is taken" in first_line(chain, "%dag step 4")
    assert first_line(chain, "%dag step") == "there is no step 5; the last one is 4"
    assert "step 3 of 4" in first_line(chain, "%dag step back")
    assert chain.run("%dag step all").out.count("Topological order, step") == 5


def test_the_beginning(chain: Notebook) -> None:
    """There is nothing before it."""
    chain.run("%dag step")
    assert first_line(chain, "%dag step back").startswith("this is the beginning")


def test_stepping_through_a_run(chain: Notebook) -> None:
    """The last run, with why it stops; a table each step."""
    chain.node("raw", "[1, 2, 3]")
    assert "raw must be looked at. 2 more below" in first_line(chain, "%dag step run")
    assert "raw ran because its code changed" in first_line(chain, "%dag step")
    assert "clean ran because its input raw changed" in first_line(chain, "%dag step")
    last = chain.run("%dag step").out
    assert "total ran because its input clean changed. It has the same value as before" in last
    assert "total  clean   ran: the same value" in last


def test_another_run_begins_anew(chain: Notebook) -> None:
    """A walk that is out of date says so, and starts over."""
    chain.run("%dag step run")
    chain.run("limit = 2")
    lines = chain.run("%dag step").out.splitlines()
    assert lines[0] == "The graph or its run is another one."
    assert "step 0 of 3: clean must be looked at" in lines[1]


def test_no_such_step(chain: Notebook) -> None:
    """The usage."""
    chain.run("%dag step sideways", fails=UsageError)
    chain.run("%dag step 1 2", fails=UsageError)


def test_without_nodes(nb: Notebook) -> None:
    """A sentence that says how to make one."""
    assert "there are no nodes yet" in nb.run("%dag step").out
    assert "there are no nodes yet" in nb.run("%dag predict").out


def test_a_prediction_is_revealed_by_the_next_run(chain: Notebook) -> None:
    """Of a node that is edited, at the end of its cell, and only once."""
    said = chain.run("%dag predict raw clean total").out
    assert said == "predicted to run: clean, raw, total; now change something and run it\n"
    out = chain.node("raw", "[1, 2, 4]").out
    assert out.endswith("you predicted: 100% right\nright: raw, clean, total ran\n")
    assert "predicted" not in chain.node("raw", "[4, 5]").out


def test_a_prediction_about_a_variable(chain: Notebook) -> None:
    """What runs because of a plain cell counts; cutoff is named."""
    chain.run("%dag predict clean total")
    out = chain.run("limit = 0").out
    assert "you predicted: 50% right" in out
    assert "cut off: total did not run: clean ran and came out the same" in out


def test_nothing_is_a_prediction(chain: Notebook) -> None:
    """A comment runs nothing."""
    chain.run("%dag predict nothing")
    out = chain.node("raw", "[3, 1, 2]  # as before").out
    assert out.endswith("you predicted: 100% right\n")


def test_a_cell_that_runs_nothing_reveals_nothing(chain: Notebook) -> None:
    """A prediction waits for a run; it can be asked for, and replaced."""
    assert "no prediction is pending" in chain.run("%dag predict").out
    chain.run("%dag predict raw")
    assert chain.run("unrelated = 1").out == ""
    assert chain.run("%dag predict").out == "predicted to run: raw\n"
    chain.run("%dag predict other")
    assert "right: other ran" in chain.node("other", "'again'").out


def test_a_run_in_the_background(chain: Notebook) -> None:
    """It is revealed at the end of the cell that waits for it."""
    chain.run("%dag predict raw other")
    out = chain.run("%dag run --fresh --bg").out
    out += chain.run("%dag plan").out  # which waits for the run
    assert "right: raw, other ran" in out
    assert "missed: clean ran because it was asked to run again" in out


def test_an_unknown_name(chain: Notebook) -> None:
    """An error that names the nearest one; what was predicted stays."""
    chain.run("%dag predict raw")
    ran = chain.run("%dag predict claen", fails=NodeNotFoundError)
    assert "did you mean 'clean'" in str(ran.error)
    assert chain.run("%dag predict").out == "predicted to run: raw\n"


def test_a_schedule_of_what_was_measured(chain: Notebook) -> None:
    """A table for up to eight workers, or a chart for so many; the work is what the nodes took."""
    table = chain.run("%dag schedule").out.splitlines()
    assert table[0] == "by how long the nodes took, in seconds"
    assert [line.split()[0] for line in table[2:10]] == list("12345678")
    work = sum(chain.session.result(name).duration_seconds for name in chain.session.nodes)
    assert f"work {work:.4g}, span" in table[11]
    chart = chain.run("%dag schedule 2").out.splitlines()
    assert chart[1].startswith("2 workers: ")
    assert [line.split()[0] for line in chart[3:]] == ["1", "2"]


@pytest.mark.parametrize("words", ["0", "two", "2 3", "-1", "raw=", "raw=-1", "raw=nan", "rwa=2"])
def test_no_such_schedule(chain: Notebook, words: str) -> None:
    """The usage."""
    ran = chain.run(f"%dag schedule {words}", fails=UsageError)
    assert "usage: %dag schedule [WORKERS] [NAME=SECONDS ...]" in str(ran.error)


# -- on the live graph --------------------------------------------------------------------------


def test_a_step_on_the_live_graph(chain: Notebook) -> None:
    """Each node is marked with its place, or what it misses; the table is there as well."""
    facts = chain.session.lessons.answer({"mode": "order", "number": 2})
    assert facts["number"] == 0, "a walk that nobody has begun begins"
    facts = chain.session.lessons.answer({"mode": "order", "number": 2})
    assert (facts["number"], facts["last"]) == (2, 4)
    assert facts["marks"] == {
        "raw": ("completed", "number 1"),
        "clean": ("completed", "number 2"),
        "total": ("running", "ready"),
        "other": ("running", "ready"),
    }
    assert len(facts["rows"]) == 4  # type: ignore[arg-type]  # facts are for JSON
    assert first_line(chain, "%dag step back").startswith("Topological order, step 1 of 4")


def test_a_run_on_the_live_graph(chain: Notebook) -> None:
    """What came out the same is marked, and what was left alone."""
    chain.run("limit = 0")
    answer = chain.session.lessons.answer
    answer({"mode": "run"})
    facts = answer({"mode": "run", "number": 99})
    assert facts["marks"] == {"clean": ("cutoff", "same value"), "total": ("reused", "left alone")}
    assert str(facts["said"]).startswith("the end.")
    chain.node("other", "'again'")
    news = answer({"mode": "run", "number": 1})
    assert (news["number"], news["news"]) == (0, "The graph or its run is another one.")


def test_nodes_are_chosen_on_the_live_graph(chain: Notebook) -> None:
    """One more, one less, nothing, all over again; the text says the same."""
    answer = chain.session.lessons.answer
    assert answer({"mode": "predict"})["state"] == "empty"
    answer({"mode": "predict", "toggle": "raw"})
    answer({"mode": "predict", "toggle": "clean"})
    facts = answer({"mode": "predict", "toggle": "raw"})
    assert facts["marks"] == {"clean": ("running", "will run")}
    assert chain.run("%dag predict").out == "predicted to run: clean\n"
    assert answer({"mode": "predict", "expect": "nothing"})["marks"] == {}
    assert chain.run("%dag predict").out == "predicted to run: nothing\n"
    assert answer({"mode": "predict", "expect": "again"})["state"] == "empty"
    assert "no prediction is pending" in chain.run("%dag predict").out


def test_what_was_chosen_is_revealed_on_the_live_graph(chain: Notebook) -> None:
    """Each kind of right and wrong has its mark and its sentence."""
    answer = chain.session.lessons.answer
    for name in ("clean", "total", "other"):
        answer({"mode": "predict", "toggle": name})
    chain.run("limit = 0")
    facts = answer({"mode": "predict"})
    assert (facts["state"], facts["said"]) == ("revealed", "you predicted: 33% right")
    assert facts["marks"] == {
        "clean": ("completed", "right"),
        "total": ("cutoff", "cut off"),
        "other": ("timed_out", "extra"),
    }
    assert "extra: other did not run: the change does not reach it" in facts["lines"]  # type: ignore[operator]  # facts are for JSON


def test_a_button_of_the_live_graph_reveals(chain: Notebook) -> None:
    """No cell ends then."""
    chain.run("%dag predict raw")
    chain.session._panel.act("run", "raw")
    facts = chain.session.lessons.answer({"mode": "predict"})
    assert facts["state"] == "revealed"
    assert facts["lines"] == ["right: raw ran"]


def test_a_graph_that_changes_while_nodes_are_chosen(chain: Notebook) -> None:
    """What is gone is left out, and a click on it is without effect."""
    answer = chain.session.lessons.answer
    answer({"mode": "predict", "toggle": "other"})
    chain.run("%dag rm other")
    answer({"mode": "predict", "toggle": "other"})
    facts = answer({"mode": "predict", "toggle": "raw"})
    assert facts["marks"] == {"raw": ("running", "will run")}


def test_workers_on_the_live_graph(chain: Notebook) -> None:
    """A lane each, from 1 to 8, by what was measured or what is supposed."""
    answer = chain.session.lessons.answer
    supposed = chain.run("%dag schedule 2 raw=1 clean=4 total=1 other=3").out.splitlines()
    assert supposed[0].endswith("but supposed: raw=1, clean=4, total=1, other=3")
    assert supposed[1].startswith("2 workers: 6, 1.50 times as fast as one")
    facts = answer({"mode": "workers", "number": 3})
    chart: Any = facts["chart"]
    assert [lane["worker"] for lane in chart["lanes"]] == ["worker 1", "worker 2", "worker 3"]
    assert chart["critical"] == ["raw", "clean", "total"]
    assert (chart["seconds"], chart["critical_seconds"]) == (6.0, 6.0)
    assert "at least 6: max(work / k, span)" in facts["lines"]  # type: ignore[operator]  # facts are for JSON
    assert answer({"mode": "workers", "number": 99})["number"] == 8


def test_a_schedule_before_anything_took_time(nb: Notebook) -> None:
    """Each node counts as one second, and it says so."""
    nb.node("idle", "1", "--when False")
    said, chart = nb.run("%dag schedule 1").out.splitlines()[:2]
    assert said == "no node has run yet, so each counts as one second"
    assert chart.startswith("1 worker: 1, 1.00 times as fast")


@pytest.mark.parametrize("mode", ["order", "run", "predict", "workers"])
def test_graphs_of_hardly_anything(nb: Notebook, mode: str) -> None:
    """Each lesson has something to say without nodes, and with one."""
    answer = nb.session.lessons.answer
    assert answer({"mode": mode, "number": 5})["said"]
    nb.node("only", "1")
    assert answer({"mode": mode, "number": 5, "toggle": "only"})["said"]


@pytest.mark.parametrize("mode", ["", "singing"])
def test_no_such_lesson(chain: Notebook, mode: str) -> None:
    """An answer without anything in it."""
    assert chain.session.lessons.answer({"mode": mode}) == {}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%dag step show", "step 0 of 4: the nodes without inputs are ready"),
        ("%dag predict show", "no prediction is pending"),
        ("%dag schedule show", "(Graham 1969)"),
    ],
)
def test_without_a_live_graph(chain: Notebook, line: str, says: str) -> None:
    """Where nothing is live the lesson is text."""
    assert says in chain.run(line).out
