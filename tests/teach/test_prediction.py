"""Predict, then reveal."""

from __future__ import annotations

import pytest

from dagnb import DAG, IncrementalExecutor, NodeNotFoundError, NodeResult, NodeStatus
from dagnb.teach import Revealed, predict, reveal


@pytest.fixture
def dag() -> DAG:
    """Rows, their number, a report, a page; and a node beside them."""
    names = ["rows", "count", "report", "page", "beside"]
    edges = [("rows", "count"), ("count", "report"), ("report", "page")]
    return DAG.builder().add_nodes(names).add_edges(edges).build()


@pytest.fixture
def settled(dag: DAG) -> dict[str, NodeResult]:
    """A run after an edit of rows that ends at their number."""
    tasks = {
        "rows": lambda: [1],
        "count": lambda rows: sum(1 for _ in rows),
        "report": lambda count: f"{count}",
        "page": lambda report: report,
        "beside": lambda: 0,
    }
    executor = IncrementalExecutor(dag)
    executor.execute(tasks)
    tasks["rows"] = lambda: [2]
    return dict(executor.execute(tasks, changed_nodes=["rows"]).node_results)


def test_all_right(dag: DAG, settled: dict[str, NodeResult]) -> None:
    """Nothing is to be explained."""
    found = reveal(predict(dag, ["rows", "count"]), dag, settled)
    assert (found.score, found.hits) == (1.0, ("rows", "count"))
    assert str(found) == "you predicted: 100% right\nright: rows, count ran"


def test_each_kind_of_wrong(dag: DAG, settled: dict[str, NodeResult]) -> None:
    """Missed, extra and cut off have a sentence for each node."""
    found = reveal(predict(dag, ["rows", "report", "page", "beside"]), dag, settled)
    assert found.score == pytest.approx(1 / 5)
    assert found.missed == {"count": "count ran: input rows changed"}
    assert found.extra == {"beside": "beside did not run: the change does not reach it"}
    assert found.cut_off == {
        "report": "report did not run: count ran and came out the same",
        "page": "page did not run: report did not run either",
    }
    assert str(found).splitlines()[2] == "missed: count ran: input rows changed"
    assert str(found).splitlines()[-1].startswith("cut off: page did not run")


def test_an_input_that_is_not_read(dag: DAG, settled: dict[str, NodeResult]) -> None:
    """A node that comes after one that changed, and reads another that did not, is cut off."""
    dag.add_edge("rows", "report")
    found = reveal(predict(dag, ["report"]), dag, settled)
    assert found.cut_off == {"report": "report did not run: count ran and came out the same"}


def test_a_run_of_a_part(dag: DAG, settled: dict[str, NodeResult]) -> None:
    """What nobody looked at was not asked to run."""
    found = reveal(predict(dag, ["count"]), dag, {"rows": settled["rows"]})
    assert found.cut_off == {"count": "count did not run: it was not asked to"}


def test_nothing_was_predicted(dag: DAG, settled: dict[str, NodeResult]) -> None:
    """Which is right if nothing runs."""
    assert reveal(predict(dag, []), dag, {}).score == 1.0
    assert reveal(predict(dag, []), dag, settled).score == 0.0


def test_a_graph_that_changed_meanwhile(dag: DAG, settled: dict[str, NodeResult]) -> None:
    """What has come and what is gone is named, and does not count."""
    guess = predict(dag, ["rows", "count", "beside"])
    dag.remove_node("beside")
    dag.add_node("late")
    settled["late"] = settled["rows"].but(name="late")
    found: Revealed = reveal(guess, dag, settled)
    assert found.score == 1.0
    assert found.notes == (
        "new since then, and not counted: late",
        "gone since then, and not counted: beside",
    )


def test_bad_input(dag: DAG) -> None:
    """The error names the node, and the nearest one."""
    with pytest.raises(NodeNotFoundError, match=r"'row'.*did you mean 'rows'"):
        predict(dag, ["row"])
    with pytest.raises(TypeError, match="a list of names, not one string"):
        predict(dag, "rows")
    for nonsense in (None, 3):
        with pytest.raises(TypeError, match="a prediction is a list of names; this is"):
            predict(dag, nonsense)  # type: ignore[arg-type]  # a learner may hand in anything


def test_any_collection_of_names(dag: DAG) -> None:
    """One that can be gone through only once is as good."""
    assert predict(dag, (name for name in ["rows", "count"])).expected == {"rows", "count"}


@pytest.mark.parametrize("names", [[], ["only"]])
def test_a_graph_of_hardly_anything(names: list[str]) -> None:
    """Without nodes or with one, a prediction is as ever."""
    dag = DAG.builder().add_nodes(names).build()
    assert str(reveal(predict(dag, []), dag, {})) == "you predicted: 100% right"


def test_a_value_from_a_store(dag: DAG) -> None:
    """The change reaches a node that did not have to run, and what is below it."""
    known = NodeResult("count", NodeStatus.CACHE_HIT, reason="reused from the store", changed=False)
    found = reveal(predict(dag, ["count", "report", "beside"]), dag, {"count": known})
    assert found.cut_off == {
        "count": "count did not run: reused from the store",
        "report": "report did not run: count did not run either",
    }
    assert list(found.extra) == ["beside"]
