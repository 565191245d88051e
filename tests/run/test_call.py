from __future__ import annotations

import functools

import pytest

from dagnb import DAG
from dagnb.run.call import Binder, Call, perform


def arguments(task: object, *inputs: str, node: str = "node") -> tuple[list[str], dict[str, str]]:
    """Bind a task below the given inputs; return which of them it takes, and by what name."""
    dag = DAG.builder().add_nodes([*inputs, node]).add_edges([(i, node) for i in inputs]).build()
    _, _, inputs, keywords, _ = Binder(dag.adjacency).bind(dag.number(node), task)  # type: ignore[arg-type]
    names, predecessors = dag.adjacency.names, dag.adjacency.predecessors[dag.number(node)]
    taken = predecessors if inputs is None else inputs
    return [names[each] for each in taken], {key: names[each] for key, each in keywords}


def test_a_task_without_parameters_takes_nothing() -> None:
    """Edges then only say what comes first."""
    assert arguments(lambda: 1, "a", "b") == ([], {})


def test_parameters_take_predecessors_by_name() -> None:
    """The order of the parameters counts, not that of the edges."""
    assert arguments(lambda b, a: 1, "a", "b") == (["b", "a"], {})


def test_star_arguments_take_all_in_the_order_of_edges() -> None:
    """``*args`` gets every predecessor."""
    assert arguments(lambda *args: 1, "b", "a") == (["b", "a"], {})


def test_star_arguments_take_the_others() -> None:
    """What a parameter names is not among the rest."""
    assert arguments(lambda b, *args: 1, "a", "b", "c") == (["b", "a", "c"], {})


def test_double_star_takes_the_others_by_name() -> None:
    """``**kwargs`` gets what no parameter names."""
    assert arguments(lambda b, **rest: 1, "a", "b") == (["b"], {"a": "a"})


def test_keyword_only_parameters_are_passed_by_name() -> None:
    """A parameter after the star is a keyword."""
    assert arguments(lambda *, a: 1, "a", "b") == ([], {"a": "a"})


def test_a_default_stands_in_for_a_missing_predecessor() -> None:
    """Parameters after one that is left to its default go by name."""

    def task(a: int, limit: int = 10, b: int = 0) -> None: ...

    assert arguments(task, "a", "b") == (["a"], {"b": "b"})


def test_a_parameter_that_nothing_feeds_is_an_error() -> None:
    """The message names node and parameter and says what to do."""
    with pytest.raises(TypeError, match=r"node 'node' takes 'x'.*add the edge 'x' -> 'node'"):
        arguments(lambda x: 1, "a")


def test_a_node_that_is_no_predecessor_is_not_passed() -> None:
    """A name alone makes no edge."""
    dag = DAG.builder().add_nodes(["a", "b"]).build()
    with pytest.raises(TypeError):
        Binder(dag.adjacency).bind(1, lambda a: a)


def test_callables_of_all_kinds_can_be_tasks() -> None:
    """Partials, methods, classes, callable objects and builtins have parameters too."""

    class Task:
        def __call__(self, a: int) -> int:
            return a

        def method(self, a: int) -> int:
            return a

        @staticmethod
        def static(a: int) -> int:
            return a

    def two(a: int, b: int) -> int:
        return a + b

    for task in (Task(), Task().method, Task.static, functools.partial(two, b=1)):
        taken, named = arguments(task, "a")
        assert [*taken, *named] == ["a"]
    assert arguments(dict, "a") == ([], {})


def test_a_wrapped_function_is_called_by_its_own_signature() -> None:
    """``functools.wraps`` shows the parameters of what is inside."""

    def inner(a: int) -> int:
        return a

    @functools.wraps(inner)
    def outer(*args: int) -> int:
        return inner(*args)

    assert arguments(outer, "b", "a") == (["a"], {})


def test_a_binding_ends_with_the_edges_it_was_made_for() -> None:
    """Adding and removing edges changes what a task takes."""
    dag = DAG.builder().add_nodes(["a", "b", "c"]).add_edge("a", "c").build()
    binder = Binder(dag.adjacency)

    def task(a: int, b: int = 0) -> int:
        return a

    _, _, inputs, keywords, _ = binder.bind(2, task)
    assert (list(inputs or ()), keywords) == ([0], ())
    dag.add_edge("b", "c")
    _, _, inputs, keywords, _ = binder.bind(2, task)
    assert (list(inputs or ()), keywords) == ([0, 1], ())
    dag.remove_edge("a", "c")
    with pytest.raises(TypeError):
        binder.bind(2, task)


def test_two_functions_of_one_code_differ_in_their_defaults() -> None:
    """Closures that share their code do not share whether a default exists."""

    def make(defaults: tuple[int, ...]) -> object:
        def task(x: int) -> int:
            return x

        task.__defaults__ = defaults
        return task

    dag = DAG.builder().add_node("n").build()
    binder = Binder(dag.adjacency)
    _, _, inputs, keywords, _ = binder.bind(0, make((1,)))  # type: ignore[arg-type]
    assert (inputs, keywords) == ((), ())
    with pytest.raises(TypeError):
        binder.bind(0, make(()))  # type: ignore[arg-type]


def test_perform_reports_the_value_and_the_times() -> None:
    """Start and end are readings of one clock."""
    report = perform(Call(0, lambda a, b: a + b, [1], {"b": 2}))
    assert (report.value, report.error) == (3, None)
    assert 0 < report.started <= report.ended


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_perform_reports_whatever_is_raised(error: BaseException) -> None:
    """A worker does not die of a task."""

    def task() -> None:
        raise error

    assert perform(Call(0, task, [], None)).error is error
