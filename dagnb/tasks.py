"""A callable with a name and with options for how it is run."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from math import inf
from numbers import Real
from typing import Any, NamedTuple, overload

from dagnb.errors import did_you_mean

LONGEST_WAIT_SECONDS = 60.0
BACKENDS = ("inline", "threads", "processes", "dask", "ray")


class Options(NamedTuple):
    """How often a call is tried, and for how long.

    Attributes
    ----------
    timeout : float or None
        Seconds for one attempt.
    retries : int
        How many attempts may follow the first.
    backoff : float
        Seconds to wait before the first retry.
    backend : str, Backend, Executor or None
        Who performs it, if not whoever performs the run.
    """

    timeout: float | None = None
    retries: int = 0
    backoff: float = 0.1
    backend: Any = None

    @classmethod
    def checked(
        cls,
        timeout: float | None = None,
        retries: int = 0,
        backoff: float = 0.1,
        backend: Any = None,
    ) -> Options:
        """Return the options, if they make sense.

        Raises
        ------
        TypeError, ValueError
        """
        return cls(
            _checked_seconds("timeout", timeout, more_than_zero=True),
            _checked_retries(retries),
            _checked_seconds("backoff", backoff) or 0.0,
            check_backend(backend),
        )

    @property
    def are_plain(self) -> bool:
        """Whether they ask for nothing but one call."""
        return self.timeout is None and not self.retries and self.backend is None

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait before each retry; each time twice as long."""
        wait = self.backoff
        for _ in range(self.retries):
            yield min(wait, LONGEST_WAIT_SECONDS)
            wait *= 2


class Task:
    """A callable with a name and options; calling it calls the function, once and directly.

    The options count where an executor runs it.

    Parameters
    ----------
    function : callable
    name : str, optional
        The name of its node; the function's own by default.
    timeout : float, optional
        Seconds for one attempt; then the node is TIMED_OUT. The function then runs in a thread
        of its own, which is abandoned if it is late: Python cannot stop a thread. It is
        noticed in time unless the function holds the interpreter's lock.
    retries : int
        How many attempts may follow one that raised. One that timed out is not repeated, since
        it may still be at work.
    backoff : float
        Seconds to wait before the first retry; each later wait is twice as long, up to a minute.
    backend : str, Backend or Executor, optional
        Who performs it: ``"threads"``, ``"processes"``, or what a run may have as ``backend``.
    tags : iterable of str
    cache : bool
        Whether a `Pipeline` may use the value of an earlier run with the same code and inputs.

    Raises
    ------
    TypeError, ValueError
        The function is not callable, or an option makes no sense.

    Examples
    --------
    >>> fetch = Task(lambda: [1, 2], name="fetch", retries=3)
    >>> fetch(), fetch.name, fetch.retries
    ([1, 2], 'fetch', 3)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        timeout: float | None = None,
        retries: int = 0,
        backoff: float = 0.1,
        tags: Iterable[str] = (),
        cache: bool = False,
        backend: Any = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"a task is made from something callable, not from {function!r}")
        functools.update_wrapper(self, function)
        self.function = function
        self.name = _checked_name(function, name)
        checked = Options.checked(timeout, retries, backoff, backend)
        self.timeout, self.retries, self.backoff, self.backend = checked
        self.tags = _checked_tags(tags)
        self.cache = bool(cache)

    @property
    def options(self) -> Options | None:
        """What an executor must do beyond calling it; None if nothing."""
        options = Options(self.timeout, self.retries, self.backoff, self.backend)
        return None if options.are_plain else options

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function."""
        return self.function(*arguments, **keywords)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None or not hasattr(self.function, "__get__"):
            return self
        return self._around(self.function.__get__(instance, owner))

    def _around(self, function: Callable[..., Any]) -> Task:
        """Return a task with the same options around another function."""
        return Task(
            function,
            name=self.name,
            timeout=self.timeout,
            retries=self.retries,
            backoff=self.backoff,
            tags=self.tags,
            cache=self.cache,
            backend=self.backend,
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle by name where the name leads back here, as functions do."""
        found: Any = sys.modules.get(getattr(self.function, "__module__", None) or "")
        qualified = getattr(self.function, "__qualname__", "")
        for part in qualified.split("."):
            found = getattr(found, part, None)
        return qualified if found is self else super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"<Task {self.name}>"


_OPTIONS = ("name", "timeout", "retries", "backoff", "tags", "cache", "backend")


@overload
def task(function: Callable[..., Any], /) -> Task: ...


@overload
def task(
    *,
    name: str | None = None,
    timeout: float | None = None,
    retries: int = 0,
    backoff: float = 0.1,
    tags: Iterable[str] = (),
    cache: bool = False,
    backend: Any = None,
) -> Callable[[Callable[..., Any]], Task]: ...


def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task, bare or with the options of `Task`.

    Examples
    --------
    >>> @task
    ... def load():
    ...     return [1, 2, 3]
    >>> @task(name="total", retries=2, timeout=30.0)
    ... def add_up(load):
    ...     return sum(load)
    >>> add_up(load())
    6
    """
    for option in options:
        if option not in _OPTIONS:
            raise TypeError(f"a task has no option {option!r}{did_you_mean(option, _OPTIONS)}")
    if function is None:
        return functools.partial(Task, **options)
    return Task(function, **options)


def check_backend(backend: Any) -> Any:
    """Refuse what is no backend; return what is."""
    if isinstance(backend, str):
        if backend not in BACKENDS:
            known = ", ".join(BACKENDS)
            nearest = did_you_mean(backend, BACKENDS)
            raise ValueError(f"there is no backend {backend!r}{nearest or f'; there are {known}'}")
        return backend
    if backend is None or hasattr(backend, "submit"):
        return backend
    raise TypeError(f"a backend is a name, a Backend or an Executor, not {backend!r}")


def _checked_name(function: Callable[..., Any], name: str | None) -> str:
    found = getattr(function, "__name__", None) if name is None else name
    if found is None:
        raise TypeError(f"{function!r} has no name; write task(name=...)")
    if not isinstance(found, str) or not found:
        raise TypeError(f"the name of a task is a string, not {found!r}")
    return found


def _checked_seconds(
    option: str, value: float | None, *, more_than_zero: bool = False
) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{option} is a number of seconds, not {value!r}")
    least = "more than 0" if more_than_zero else "0 or more"
    if not 0 <= value < inf or (more_than_zero and not value):
        raise ValueError(f"{option} is a number of seconds, {least}, not {value!r}")
    return float(value)


def _checked_retries(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"retries is a whole number, not {value!r}")
    if value < 0:
        raise ValueError(f"retries is at least 0, not {value}")
    return value


def _checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    if isinstance(tags, str):
        raise TypeError(f"tags is a list of strings; write [{tags!r}]")
    return tuple(tags)
