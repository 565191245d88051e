from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dagnb import (
    DAG,
    CycleError,
    DAGExecutor,
    DuplicateNodeError,
    DynamicExecutor,
    DynamicModification,
    DynamicNodeSpec,
    ExecutionCallbacks,
    ExpansionError,
    GraphInUseError,
    Interrupted,
    NodeNotFoundError,
    NodeStatus,
)

Tasks = dict[str, Callable[..., Any]]
Spec = DynamicNodeSpec


@pytest.fixture
def chain() -> DAG:
    """From a to b to c."""
    return DAG.builder().add_edge("a", "b").add_edge("b", "c").build()


@pytest.fixture
def tasks() -> Tasks:
    """A number for each node of the chain."""
    return {"a": lambda: 1, "b": lambda: 2, "c": lambda: 3}


def adds(*specs: DynamicNodeSpec, remove: Sequence[str] = ()) -> Callable[[Any], Any]:
    """Return an expander that always asks for the same."""
    return lambda result: DynamicModification(list(specs), list(remove))


def structure(dag: DAG) -> tuple[list[str], set[tuple[str, str]]]:
    """Return the nodes and edges of a graph."""
    return [str(name) for name in dag], set(dag.edges())


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_new_node_runs_between_its_neighbours(workers: int) -> None:
    """After its dependencies, before its dependents, whose values take it up."""
    dag = DAG.builder().add_edge("a", "b").build()
    executor = DynamicExecutor(
        dag, {"a": adds(Spec("x", lambda a: a + 1, ["a"], ["b"]))}, max_workers=workers
    )
    result = executor.execute({"a": lambda: 1, "b": lambda a, x: (a, x)})
    assert result["b"].result == (1, 2)
    assert list(result.node_results) == ["a", "x", "b"]


def test_specs_may_name_each_other_in_any_order() -> None:
    """A dependency may stand after its dependent."""
    dag = DAG.builder().add_edge("a", "b").build()
    first, second = Spec("x", lambda y: y + 1, ["y"], ["b"]), Spec("y", lambda a: a, ["a"])
    result = DynamicExecutor(dag, {"a": adds(first, second)}).execute(
        {"a": lambda: 1, "b": lambda x: x}
    )
    assert result["b"].result == 2


def test_an_edge_may_be_named_from_both_ends() -> None:
    """It counts once."""
    dag = DAG.builder().add_node("a").build()
    specs = Spec("x", lambda: 1, ["a"], ["y"]), Spec("y", lambda x: x, ["x", "x"])
    assert DynamicExecutor(dag, {"a": adds(*specs)}).execute({"a": lambda: 0}).succeeded == 3


def test_an_expander_may_take_the_name_too() -> None:
    """With two arguments it is called with name and value; defaults do not count."""
    dag = DAG.builder().add_edge("a", "b").build()
    calls: list[Any] = []

    def one(result: Any, limit: int = 3) -> None:
        calls.append(result)

    def two(name: str, result: Any) -> None:
        calls.append((name, result))

    DynamicExecutor(dag, {"a": one, "b": two}, 1).execute({"a": lambda: 1, "b": lambda: 2})
    assert calls == [1, ("b", 2)]


def split(text: str) -> DynamicModification | None:
    """Halve a text, and each half again, down to single letters."""
    if len(text) == 1:
        return None
    middle = len(text) // 2
    return DynamicModification(
        [Spec(half, lambda half=half: half, [text], ["end"], split)
         for half in (text[:middle], text[middle:])]
    )  # fmt: skip


@pytest.mark.parametrize("workers", [1, 3])
def test_new_nodes_may_grow_themselves(workers: int) -> None:
    """With an expander of their own; running again takes all generations back."""
    dag = DAG.builder().add_edge("abcde", "end").build()
    tasks: Tasks = {
        "abcde": lambda: "abcde",
        "end": lambda **all: sorted(name for name in all if len(name) == 1),
    }
    executor = DynamicExecutor(dag, {"abcde": split}, workers)
    for _ in range(2):
        result = executor.execute(tasks)
        assert result["end"].result == list("abcde")
        assert len(dag) == 10
    assert DynamicExecutor(dag, {"abcde": lambda text: None}).execute(tasks).succeeded == 2
    assert list(dag) == ["abcde", "end"]


def test_what_others_grew_is_left(chain: DAG, tasks: Tasks) -> None:
    """Each executor takes back only what its own expanders did."""
    DynamicExecutor(chain, {"a": adds(Spec("x", int, ["a"]))}).execute(tasks)
    other = DynamicExecutor(chain, {"b": adds(Spec("y", int, ["b"]))})
    other.execute(tasks | {"x": int})
    other.execute(tasks | {"x": int})
    assert {"x", "y"} <= set(chain)
    DynamicExecutor(chain, {"a": lambda a: None, "b": lambda b: None}).execute(tasks)
    assert set(chain) == {"a", "b", "c"}


def test_an_expander_that_raises_fails_its_node(chain: DAG, tasks: Tasks) -> None:
    """With its error; what is below is skipped, the graph is as it was."""
    before = structure(chain)
    result = DynamicExecutor(chain, {"a": lambda result: 1 / 0}).execute(tasks)
    assert isinstance(result["a"].error, ZeroDivisionError)
    assert (result.failed, result.skipped) == (1, 2)
    assert structure(chain) == before


def test_without_fail_fast_others_go_on_after_an_expander_raised() -> None:
    """Only what is below the node is skipped."""
    dag = DAG.builder().add_node("other").add_node("a").add_node("b").add_edge("a", "b").build()
    result = DynamicExecutor(dag, {"a": lambda result: 1 / 0}, fail_fast=False).execute(
        dict.fromkeys(dag, lambda: 1)
    )
    statuses = {str(name): each.status.value for name, each in result.node_results.items()}
    assert statuses == {"other": "completed", "a": "failed", "b": "skipped"}


def test_after_a_failure_nothing_is_added() -> None:
    """A run that has stopped does not grow."""
    dag = DAG.builder().add_node("bad").add_node("a").build()
    failed = threading.Event()

    def slow() -> None:
        assert failed.wait(5)

    def fail() -> None:
        raise ValueError

    callbacks = ExecutionCallbacks(on_node_error=lambda name, error: failed.set())
    executor = DynamicExecutor(dag, {"a": adds(Spec("x", lambda: 1))}, 2, callbacks)
    result = executor.execute({"bad": fail, "a": slow})
    assert list(result.node_results) == ["bad", "a"]
    assert result["a"].status is NodeStatus.COMPLETED


REFUSED = {
    "cycle": (adds(Spec("x", len, ["c"], ["b"])), CycleError, "b -> c -> x -> b"),
    "cycle through the expander's node": (adds(Spec("x", len, ["c"], ["a"])), CycleError, "cycle"),
    "cycle among new nodes": (
        adds(Spec("x", len, ["y"]), Spec("y", len, ["x"])), CycleError, "x -> y|y -> x"
    ),
    "a node that needs itself": (adds(Spec("x", len, ["x"])), CycleError, "x -> x"),
    "taken": (adds(Spec("b", len)), DuplicateNodeError, "'b' already exists"),
    "twice": (adds(Spec("x", len), Spec("x", len)), DuplicateNodeError, "'x'"),
    "unknown dependency": (adds(Spec("x", len, ["bb"])), ExpansionError, "did you mean 'b'"),
    "unknown dependent": (adds(Spec("x", len, None, ["z"])), ExpansionError, "no node 'z'"),
    "removed dependency": (adds(Spec("x", len, ["b"]), remove=["b"]), ExpansionError, "'b'"),
    "dependent has run": (adds(Spec("x", len, None, ["a"])), ExpansionError, "already started"),
    "removes an unknown node": (adds(remove=["z"]), ExpansionError, "no node 'z'"),
    "removes itself": (adds(remove=["a"]), ExpansionError, "already started"),
    "not a modification": (lambda result: ["x"], TypeError, "return a DynamicModification"),
    "not a spec": (adds("x"), TypeError, "DynamicNodeSpec"),  # type: ignore[arg-type]  # wrong
    "a task that is none": (adds(Spec("x", 1)), TypeError, "not callable"),  # type: ignore[arg-type]  # wrong
    "a text as a list": (adds(Spec("x", len, "b")), TypeError, "as a list"),
    "a name that is none": (adds(Spec("", len)), TypeError, "a name"),
    "an expander that is not callable": (
        adds(Spec("x", len, ["a"], expander="split")), TypeError, "expander that is not callable"
    ),
    "a spec alone": (lambda r: DynamicModification(Spec("x", len)), TypeError, "give a list"),  # type: ignore[arg-type]  # wrong
    "cycle beside a removal": (
        adds(Spec("x", len, ["c"], ["c"]), remove=["b"]), CycleError, "cycle"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_modification_that_cannot_be_made_is_raised_and_changes_nothing(
    chain: DAG, tasks: Tasks, case: str
) -> None:
    """The run ends with the error; the graph is as before, and can be run again."""
    expander, kind, message = REFUSED[case]
    before = structure(chain)
    with pytest.raises(kind, match=message):
        DynamicExecutor(chain, {"a": expander}).execute(tasks)
    assert structure(chain) == before
    assert DynamicExecutor(chain, {}).execute(tasks).succeeded == 3


def test_a_refused_modification_leaves_consistent_results(chain: DAG, tasks: Tasks) -> None:
    """The node has its value, what had not started is cancelled, observers hear the end."""
    heard: list[str] = []
    callbacks = ExecutionCallbacks(
        on_node_complete=lambda name, value: heard.append(f"{name} completed"),
        on_node_skip=lambda name: heard.append(f"{name} cancelled"),
    )
    with pytest.raises(DuplicateNodeError):
        DynamicExecutor(chain, {"a": adds(Spec("b", len))}, 1, callbacks).execute(tasks)
    assert heard == ["a completed", "b cancelled", "c cancelled"]


def test_a_running_node_cannot_be_removed() -> None:
    """It would give a value to nobody."""
    dag = DAG.builder().add_node("slow").add_node("a").build()
    started, refused = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        refused.wait(5)

    executor = DynamicExecutor(dag, {"a": adds(remove=["slow"])}, max_workers=2)
    with pytest.raises(ExpansionError, match="'slow' has already started"):
        executor.execute({"slow": slow, "a": lambda: started.wait(5)})
    refused.set()


def test_a_node_can_be_removed_before_it_starts(chain: DAG, tasks: Tasks) -> None:
    """It is in no result; what it held up runs."""
    result = DynamicExecutor(chain, {"a": adds(remove=["b"])}).execute(tasks)
    assert list(result.node_results) == ["a", "c"]
    assert result.succeeded == 2
    assert not chain.has_node("b")


def test_a_node_can_be_replaced(chain: DAG, tasks: Tasks) -> None:
    """By one of the same name, too: the removed ones go first."""
    result = DynamicExecutor(
        chain, {"a": adds(Spec("b", lambda a: a + 10, ["a"], ["c"]), remove=["b"])}
    ).execute(tasks | {"c": lambda b: b})
    assert result["c"].result == 11


def test_running_again_takes_back_what_was_added_and_removed(chain: DAG, tasks: Tasks) -> None:
    """The graph grows from where it was before, for another executor too."""
    expanders = {"a": adds(Spec("x", lambda: 1, ["a"], ["c"]), remove=["b"])}
    executor = DynamicExecutor(chain, expanders)
    executor.execute(tasks)
    after = structure(chain)
    executor.execute(tasks)
    DynamicExecutor(chain, expanders).execute(tasks)
    assert structure(chain) == after
    DynamicExecutor(chain, {"a": lambda result: None}).execute(tasks)
    assert set(chain) == {"a", "b", "c"}
    assert set(chain.edges()) == {("a", "b"), ("b", "c")}


def test_what_the_user_did_since_is_kept(chain: DAG, tasks: Tasks) -> None:
    """A node that was added anew under the name of an expansion is the user's."""
    executor = DynamicExecutor(chain, {"a": adds(Spec("x", lambda: 1, ["a"]))})
    executor.execute(tasks)
    chain.remove_node("x")
    chain.add_node("x")
    with pytest.raises(DuplicateNodeError):
        executor.execute(tasks)
    assert chain.has_node("x")


def test_a_new_node_that_fails_stops_what_is_below(chain: DAG, tasks: Tasks) -> None:
    """As any other node does."""
    result = DynamicExecutor(
        chain, {"a": adds(Spec("x", lambda: 1 / 0, ["a"], ["b"]))}, fail_fast=False
    ).execute(tasks)
    assert [str(name) for name, r in result.node_results.items() if not r.status.is_success] == [
        "x", "b", "c"
    ]  # fmt: skip


def test_the_reason_says_who_added_a_node(chain: DAG, tasks: Tasks) -> None:
    """One sentence, as for every node."""
    result = DynamicExecutor(chain, {"a": adds(Spec("x", lambda: 1))}).execute(tasks)
    assert result["x"].reason == "ran: added by a"
    assert result["b"].reason == "ran: every node runs"


def test_a_runaway_expansion_is_stopped(chain: DAG, tasks: Tasks) -> None:
    """Before it changes anything, over all expansions of a run."""
    two = adds(Spec("x", int), Spec("y", int))
    other = adds(Spec("z", int))
    executor = DynamicExecutor(chain, {"a": two, "b": other}, max_dynamic_nodes=2)
    with pytest.raises(ExpansionError, match="max_dynamic_nodes=2"):
        executor.execute(tasks)
    assert not chain.has_node("z")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hundred_thousand_children(workers: int) -> None:
    """An expansion of this size is taken in one go."""
    dag = DAG.builder().add_edge("a", "b").build()
    many = [Spec(f"child {n}", int, ["a"], ["b"]) for n in range(100_001)]
    executor = DynamicExecutor(dag, {"a": lambda result: DynamicModification(many)}, workers)
    with pytest.raises(ExpansionError):
        executor.execute({"a": int, "b": int})
    del many[3_000:]
    assert executor.execute({"a": int, "b": int}).succeeded == 3_002


def test_the_callback_gets_the_names_and_all_that_was_asked_for(chain: DAG, tasks: Tasks) -> None:
    """A list of names, with the specs and the removed names beside it."""
    seen: list[Any] = []
    DynamicExecutor(
        chain,
        {"a": adds(Spec("x", int), Spec("y", int), remove=["c"])},
        callbacks=ExecutionCallbacks(on_dynamic_expand=lambda *given: seen.append(given)),
    ).execute(tasks)
    [(name, new)] = seen
    assert (name, new, len(new)) == ("a", ["x", "y"], 2)
    assert ([spec.name for spec in new.add_nodes], new.remove_nodes) == (["x", "y"], ["c"])


def test_tasks_and_callbacks_still_cannot_edit_the_graph(chain: DAG, tasks: Tasks) -> None:
    """Only the run itself can, also right after it did."""
    tasks["b"] = lambda: chain.add_node("sneaked in")
    executor = DynamicExecutor(chain, {"a": adds(Spec("x", int))})
    assert isinstance(executor.execute(tasks)["b"].error, GraphInUseError)


def test_a_graph_that_others_run_cannot_grow(chain: DAG, tasks: Tasks) -> None:
    """The other run walks the same lists."""
    inside = DynamicExecutor(chain, {"a": adds(Spec("x", int))})
    tasks["b"] = lambda: inside.execute({"a": int, "b": int, "c": int})
    assert isinstance(DAGExecutor(chain).execute(tasks)["b"].error, GraphInUseError)
    assert not chain.has_node("x")


def test_an_interrupted_expander_interrupts_the_run(chain: DAG, tasks: Tasks) -> None:
    """What was done is on the exception."""

    def interrupt(result: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as raised:
        DynamicExecutor(chain, {"a": interrupt}).execute(tasks)
    assert raised.value.result.succeeded == 0


@pytest.mark.parametrize("wrong", ["expanders", "tasks"])
def test_unknown_names_are_refused_before_anything_runs(
    chain: DAG, tasks: Tasks, wrong: str
) -> None:
    """With the nearest name."""
    called: list[int] = []
    tasks["a"] = lambda: called.append(1)
    expanders = {"aa" if wrong == "expanders" else "a": adds()}
    if wrong == "tasks":
        tasks["aa"] = int
    with pytest.raises(NodeNotFoundError, match=f"in {wrong}.*did you mean 'a'"):
        DynamicExecutor(chain, expanders).execute(tasks)
    assert not called


def test_the_constructor_checks_its_arguments(chain: DAG) -> None:
    """Misuse is refused where it happens."""
    with pytest.raises(TypeError, match="expander of node 'a' is not callable"):
        DynamicExecutor(chain, {"a": 3})  # type: ignore[dict-item]  # wrong on purpose
    with pytest.raises(ValueError, match="max_dynamic_nodes"):
        DynamicExecutor(chain, {}, max_dynamic_nodes=-1)
    with pytest.raises(ValueError, match="max_workers"):
        DynamicExecutor(chain, {}, max_workers=0)


def test_nodes_stay_within_max_workers() -> None:
    """New nodes too."""
    dag = DAG.builder().add_node("a").build()
    now, most, lock = 0, 0, threading.Lock()
    three, places = threading.Barrier(3), iter(range(12))

    def count() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        if next(places) < 3:
            three.wait(30)
        with lock:
            now -= 1

    specs = [Spec(f"n{number}", count, ["a"]) for number in range(12)]
    DynamicExecutor(dag, {"a": adds(*specs)}, max_workers=3).execute({"a": int})
    assert most == 3


def test_the_deadline_counts_for_new_nodes(chain: DAG, tasks: Tasks) -> None:
    """What runs when time is up is timed out, the rest cancelled."""
    forever = threading.Event()
    executor = DynamicExecutor(chain, {"a": adds(Spec("x", forever.wait, ["a"], ["b"]))})
    result = executor.execute(tasks, timeout=0.5)
    forever.set()
    assert (result["x"].status, result["b"].status) == (
        NodeStatus.TIMED_OUT,
        NodeStatus.CANCELLED,
    )


def test_a_trace_shows_new_nodes(chain: DAG, tasks: Tasks) -> None:
    """As all others."""
    executor = DynamicExecutor(chain, {"a": adds(Spec("x", int))}, enable_tracing=True)
    trace = executor.execute(tasks).trace
    assert [event.event_type.value for event in trace.events_for_node("x")] == [
        "node_started", "node_completed"
    ]  # fmt: skip
