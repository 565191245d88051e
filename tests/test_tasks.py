from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

from dagnb import Task, task


@task
def plain(a: int, b: int = 2) -> int:
    """Add."""
    return a + b


@task(name="other", timeout=2, retries=3, backoff=0.5, tags=["slow", "net"], cache=True)
def optioned() -> int:
    """Return 1."""
    return 1


def test_a_task_is_still_the_function() -> None:
    """It is called directly, and looks like what it wraps."""
    assert (plain(1), plain(a=1, b=1)) == (3, 2)
    assert (plain.__name__, plain.__doc__, plain.__module__) == ("plain", "Add.", __name__)


def test_bare_options_are_those_of_a_plain_function() -> None:
    """No name of its own, no timeout, no retries."""
    got = plain.name, plain.timeout, plain.retries, plain.tags, plain.cache
    assert got == ("plain", None, 0, (), False)
    assert plain.options is None


def test_options_are_kept() -> None:
    """As attributes; those that concern a run are handed to the executor."""
    assert (optioned.name, optioned.tags, optioned.cache) == ("other", ("slow", "net"), True)
    assert optioned.options == (2.0, 3, 0.5, None)


def test_waits_double() -> None:
    """Up to a minute."""
    patient = Task(int, retries=9, backoff=0.5).options
    assert patient is not None
    assert list(patient.waits()) == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"timeout": -1}, ValueError, "timeout"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"timeout": float("nan")}, ValueError, "timeout"),
        ({"timeout": "1"}, TypeError, "timeout"),
        ({"retries": -1}, ValueError, "retries"),
        ({"retries": 1.5}, TypeError, "retries"),
        ({"retries": True}, TypeError, "retries"),
        ({"backoff": -0.1}, ValueError, "backoff"),
        ({"tags": "slow"}, TypeError, r"write \['slow'\]"),
        ({"name": 3}, TypeError, "name"),
        ({"name": ""}, TypeError, "name"),
        ({"retry": 3}, TypeError, "no option 'retry'; did you mean 'retries'"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """When the task is made, not when it runs."""
    with pytest.raises(error, match=message):
        task(**options)(lambda: 1)


def test_every_option_is_known() -> None:
    """Those of the class are those of the decorator."""
    _, *options = inspect.signature(Task).parameters
    assert task(**{name: getattr(plain, name) for name in options})(int).name == plain.name


def test_what_is_not_callable_is_no_task() -> None:
    """The error shows it."""
    with pytest.raises(TypeError, match="callable, not from 3"):
        task(3)  # type: ignore[call-overload]


def test_a_callable_without_a_name_needs_one() -> None:
    """An object with ``__call__`` has none."""

    class Adder:
        def __call__(self) -> int:
            return 1

    with pytest.raises(TypeError, match="has no name"):
        Task(Adder())
    assert Task(Adder(), name="adder")() == 1


def test_a_method_can_be_a_task() -> None:
    """Bound to its object, with its options."""

    class Loader:
        rows = 3

        @task(retries=2)
        def load(self) -> int:
            return self.rows

    bound = Loader().load
    assert (bound(), bound.name, bound.retries) == (3, "load", 2)
    assert isinstance(Loader.load, Task)


def test_a_task_pickles_and_copies() -> None:
    """A decorated function by its name, as functions do; another one whole."""
    assert pickle.loads(pickle.dumps(plain)) is plain
    other = pickle.loads(pickle.dumps(Task(len, name="size", retries=1)))
    assert (other([1]), other.name, other.retries) == (1, "size", 1)
    assert copy.deepcopy(plain) is plain
