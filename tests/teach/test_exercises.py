"""Every exercise: right answers pass, wrong ones do not, and no answer makes it raise."""

from __future__ import annotations

import itertools
import subprocess
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dagnb
from dagnb import DAG, IncrementalExecutor
from dagnb.teach import Question, exercise
from dagnb.teach.exercises import KINDS
from dagnb.teach.random_graph import DIFFICULTIES
from dagnb.teach.shortest import arrange

SEEDS = st.integers(0, 10_000)
LEVELS = st.sampled_from(sorted(DIFFICULTIES))
ANY_KIND = pytest.mark.parametrize("kind", KINDS)


def small(kind: str, seed: int) -> Any:
    """An exercise whose answers can all be tried."""
    return exercise(kind, seed, "easy")


def named(question: Question) -> list[str]:
    """The nodes of an exercise."""
    return [str(name) for name in question.dag]


# -- all of them --------------------------------------------------------------------------------


@ANY_KIND
@given(seed=SEEDS, difficulty=LEVELS)
def test_the_solution_is_right(kind: str, seed: int, difficulty: str) -> None:
    """Whatever the seed."""
    task = exercise(kind, seed, difficulty)
    grade = task.check(task.solution())
    assert grade and grade.score == float(grade) == 1.0, grade


@ANY_KIND
def test_a_seed_is_an_exercise(kind: str) -> None:
    """The same here as in another process with another hash seed, and another seed is another."""
    source = f"from dagnb.teach import exercise; print(exercise({kind!r}, 3, 'hard'))"
    environment = {"PYTHONHASHSEED": "12345", "PYTHONPATH": ":".join(filter(None, sys.path))}
    there = subprocess.run(
        [sys.executable, "-c", source],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout == f"{exercise(kind, 3, 'hard')}\n"
    assert str(exercise(kind, 4, "hard")) != str(exercise(kind, 3, "hard"))


@ANY_KIND
def test_three_hints(kind: str) -> None:
    """And a sentence for who wants a fourth."""
    task = exercise(kind)
    assert len({task.hint(number) for number in (1, 2, 3)}) == 3
    with pytest.raises(ValueError, match="hints 1, 2 and 3, no hint 4"):
        task.hint(4)


@ANY_KIND
def test_text_and_picture(kind: str) -> None:
    """The text names every node and its inputs; a notebook shows the picture as well."""
    task = dagnb.teach.exercise(kind, seed=2)
    lines = str(task).splitlines()
    for name in task.dag:
        [line] = [line for line in lines[3:] if line.startswith(f"{name} ")]
        assert line.endswith(", ".join(task.dag.predecessors(name)) or "-")
    assert task._repr_html_().count("<svg") == 1


NONSENSE: list[object] = [
    None,
    3,
    2.5,
    True,
    "a",
    "",
    b"ab",
    object(),
    print,
    [1, 2],
    [None],
    [[["a"]]],
    {"a": "b"},
    {1: 2},
    [],
    (),
    set(),
    {},
    [[]],
    ["a", "a"],
    [["a", "a"]],
    ["nobody"],
    [["nobody"]],
    itertools.repeat("a"),
    itertools.repeat(["a"]),
]


@ANY_KIND
@pytest.mark.parametrize("answer", NONSENSE, ids=lambda each: type(each).__name__)
def test_nonsense_gets_a_sentence(kind: str, answer: object) -> None:
    """An answer of the wrong type, empty, twice the same, unknown, endless: never a traceback."""
    grade = exercise(kind).check(answer)
    assert not grade
    assert grade.score < 1.0
    assert str(grade).startswith("Not yet: ")
    assert "\n" not in grade.message


@ANY_KIND
def test_a_cycle_is_no_answer(kind: str) -> None:
    """It is said what is wrong with it; where a cycle is asked for, one that is there is right."""
    task = exercise(kind, 3)
    if kind == "cycle":
        assert not task.check(["a", "b", "a"])
        assert task.check([*task.solution(), task.solution()[0]])
        return
    grade = task.check(["a", "b", "c", "a"])
    assert not grade
    assert "\n" not in grade.message


ANSWERS = st.recursive(
    st.none() | st.integers() | st.sampled_from("abcde") | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=5)
    ),
    max_leaves=10,
)


@ANY_KIND
@given(answer=ANSWERS)
def test_no_answer_makes_a_checker_raise(kind: str, answer: object) -> None:
    """Whatever is handed in, there is a grade."""
    grade = exercise(kind, 1).check(answer)
    assert 0.0 <= grade.score <= 1.0
    assert grade.message


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "this is None, as from a function without a return"),
        ("abc", "'abc' is one text"),
        (3, "this is the int 3"),
        ({"a": 1}, "this is a dict"),
        ({"a", "b"}, "a set has none; hand in a list"),
        ([1], "1 is none"),
        (["A"], "there is no node 'A'"),
        (["a", "b", "a"], "a is there twice"),
        (["a", "b"], "c is missing; all 5 nodes have a place"),
    ],
)
def test_what_the_sentence_names(answer: object, says: str) -> None:
    """What is wrong with the kind of an answer."""
    assert says in exercise("toposort").check(answer).message


def test_unknown_exercise() -> None:
    """The error names the nearest one, and those that there are."""
    with pytest.raises(ValueError, match="no exercise 'topsort'; did you mean 'toposort'"):
        exercise("topsort")
    with pytest.raises(ValueError, match=r"no difficulty 'heavy'.*there are easy, medium, hard"):
        exercise("toposort", 1, "heavy")


# -- each against brute force -------------------------------------------------------------------


@given(seed=SEEDS, order=st.permutations("abcde"))
def test_toposort(seed: int, order: list[str]) -> None:
    """An order is right exactly if no edge points back, and the message names one that does."""
    task = small("toposort", seed)
    back = [(a, b) for a, b in task.dag.edges() if order.index(a) > order.index(b)]
    grade = task.check(order)
    assert bool(grade) == (not back)
    if back:
        assert grade.message in {f"{b} stands before its input {a}" for a, b in back}


@given(seed=SEEDS, level_of=st.lists(st.integers(0, 4), min_size=5, max_size=5))
def test_levels(seed: int, level_of: list[int]) -> None:
    """Levels are right exactly if each is the longest path to its node, counted naively."""
    task = small("levels", seed)
    right = {name: longest_path_to(task.dag, name) for name in named(task)}
    answer = dict(zip(named(task), level_of, strict=True))
    assert bool(task.check(answer)) == (answer == right)
    lists = [[name for name in right if right[name] == n] for n in range(max(right.values()) + 1)]
    assert task.check(right)
    assert task.check(lists)


def longest_path_to(dag: DAG, name: str) -> int:
    """By recursion."""
    return max((1 + longest_path_to(dag, each) for each in dag.predecessors(name)), default=0)


@given(seed=SEEDS, answer=st.sets(st.sampled_from("abcde")))
def test_dirty(seed: int, answer: set[str]) -> None:
    """Right is the transitive closure of the edited nodes."""
    task = small("dirty", seed)
    right = set(task.changed)
    while more := {str(b) for a, b in task.dag.edges() if a in right} - right:
        right |= more
    assert bool(task.check(answer)) == (answer == right)
    assert task.check(sorted(right))


@given(seed=SEEDS, answer=st.lists(st.sampled_from("abcde"), unique=True, max_size=5))
def test_critical_path(seed: int, answer: list[str]) -> None:
    """Right is any path as long as the longest of all paths."""
    task = small("critical_path", seed)
    took = {
        path: sum(task.durations[name] for name in path)
        for size in range(1, 6)
        for path in itertools.permutations(named(task), size)
        if all(task.dag.has_edge(a, b) for a, b in itertools.pairwise(path))
    }
    longest = max(took.values())
    assert bool(task.check(answer)) == (took.get(tuple(answer)) == longest)
    assert all(task.check(path) for path in took if took[path] == longest)


@given(seed=SEEDS, difficulty=LEVELS, answer=st.sets(st.sampled_from("abcde")))
def test_cutoff(seed: int, difficulty: str, answer: set[str]) -> None:
    """Right is what naive recomputation tells, and what dagnb's own incremental executor runs."""
    task = exercise("cutoff", seed, difficulty)
    executor = IncrementalExecutor(task.dag)
    tasks = {name: formula_task(task, name) for name in named(task)}
    executor.execute(tasks)
    tasks[task.edited] = lambda: int(task.after)
    ran = executor.execute(tasks, changed_nodes=[task.edited]).recomputed
    assert set(ran) == ran_naively(task)
    assert task.check(ran)
    assert bool(task.check(answer)) == (answer == set(ran))
    assert 1 < len(ran) < len(task.dag.dirty_set([task.edited]))


def ran_naively(task: Any) -> set[str]:
    """The edited node, and each that has an input whose value, by recursion, is another one."""
    before, after = ({**task.formulas, task.edited: given} for given in (task.before, task.after))
    moved = {name for name in task.formulas if value(name, before) != value(name, after)}
    return {task.edited} | {name for name in named(task) if moved & {*task.dag.predecessors(name)}}


def value(name: str, formulas: dict[str, str]) -> Any:
    """What a formula gives, with every name in it worked out anew."""
    reads = set(compile(formulas[name], "formula", "eval").co_names) & formulas.keys()
    return eval(formulas[name], {each: value(each, formulas) for each in reads})


def formula_task(task: Any, name: str) -> Any:
    """A function with the node's inputs as parameters and its formula as its body."""
    parameters = ", ".join(task.dag.predecessors(name))
    return eval(f"lambda {parameters}: {task.formulas[name]}")


@given(seed=SEEDS, answer=st.lists(st.sampled_from("abcde"), unique=True, max_size=5))
def test_cycle(seed: int, answer: list[str]) -> None:
    """Right is any closed way through the new edge, from wherever it begins."""
    task = small("cycle", seed)
    edges = {(str(a), str(b)) for a, b in task.dag.edges()} | {task.edge}
    cycles = {
        path
        for size in range(2, 6)
        for path in itertools.permutations(named(task), size)
        if all(pair in edges for pair in itertools.pairwise([*path, path[0]]))
    }
    assert bool(task.check(answer)) == (tuple(answer) in cycles)
    assert all(task.check([*path, path[0]]) for path in cycles)


@given(seed=SEEDS, shuffle=st.integers(0, 1000))
def test_schedule(seed: int, shuffle: int) -> None:
    """The best is what trying every order on every worker finds; longer ones score less."""
    task = small("schedule", seed)
    random, nodes = Random(shuffle), named(task)
    ends = {
        max(found.values())
        for order in itertools.permutations(nodes)
        for workers in itertools.product(range(task.workers), repeat=len(nodes))
        if len(found := ends_of(task, lanes(order, workers, task.workers))) == len(nodes)
    }
    assert task.best == min(ends)
    order, workers = random.sample(nodes, 4), [random.randrange(task.workers) for _ in nodes]
    tried = lanes(order, workers, task.workers)
    took = max(ends_of(task, tried).values(), default=0)
    complete = len(ends_of(task, tried)) == len(nodes)
    assert task.check(tried).score == (task.best / took if complete else 0.0)


def ends_of(task: Any, tried: list[list[str]]) -> dict[str, int]:
    """When each node of a schedule ends."""
    return arrange(task.dag, task.durations, tried)


def lanes(order: Any, workers: Any, count: int) -> list[list[str]]:
    """Each worker's nodes in the given order."""
    return [
        [name for name, own in zip(order, workers, strict=True) if own == each]
        for each in range(count)
    ]


def test_workers_that_wait_for_each_other() -> None:
    """A schedule that never ends is named as one."""
    task = small("schedule", 1)
    name = next(str(each) for each in task.dag if task.dag.predecessors(each))
    above = str(task.dag.predecessors(name)[0])
    rest = [each for each in named(task) if each not in (name, above)]
    grade = task.check([[name, above, *rest], []])
    assert f"forever: {name} cannot start" in grade.message
