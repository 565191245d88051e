"""One short line about a value, for people."""

from __future__ import annotations

import reprlib
from collections.abc import Sized

_SAMPLE = 8
_NUMBERS = frozenset((int, float, complex, bool, type(None)))


def describe(value: object, limit: int = 60) -> str:
    """Describe a value in one line of at most ``limit`` characters.

    It costs the same for a large value as for a small one, and it never raises.

    Examples
    --------
    >>> describe([1, 2, 3])
    '[1, 2, 3]'
    >>> describe(list(range(1000)))
    'list of 1,000: [0, 1, 2, 3, 4, 5, 6, 7, ...]'
    """
    try:
        text = _described(value, limit)
    except Exception:  # a user's __repr__, __len__ or property may raise anything
        text = f"a {name_of(type(value))}"
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: max(limit - 3, 0)] + "..."[:limit]


def name_of(kind: type) -> str:
    """Return the name of a class, whatever its metaclass makes of such a question.

    Examples
    --------
    >>> name_of(int)
    'int'
    """
    return str(type.__dict__["__name__"].__get__(kind))


def trouble_with(value: object) -> str:
    """Say what a value raises when it is asked for its class; empty if nothing.

    Examples
    --------
    >>> trouble_with([1])
    ''
    """
    kind = type(value)
    try:
        _ = kind.__class__, kind.__module__, value.__class__
    except Exception as error:  # of the user's class
        return f"{name_of(type(error))}: {error}"
    return ""


def _described(value: object, limit: int) -> str:
    if type(value) in _NUMBERS and len(text := repr(value)) <= limit:
        return text
    kind = type(value).__name__
    shape = _shape(value)
    if shape is not None:
        return f"{kind} {shape}"
    if isinstance(value, type):
        return f"class {value.__qualname__}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"function {value.__qualname__}"
    short = _Short(limit).repr(value)
    if isinstance(value, list | tuple | dict | set | frozenset) and len(value) > _SAMPLE:
        return f"{kind} of {len(value):,}: {short}"
    return short


def _shape(value: object) -> str | None:
    """The dimensions of an array or a frame, and what it holds."""
    if isinstance(value, type):
        return None
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not all(isinstance(each, int) for each in shape):
        return _rows(value)
    dtype = getattr(value, "dtype", None)
    if not shape:
        return None  # a number of numpy's is a number
    if dtype is None:
        return " x ".join(f"{each:,}" for each in shape)
    if len(shape) == 1 and type(value).__name__ != "ndarray":
        return f"{dtype} of {shape[0]:,}"
    return f"{dtype} {shape}"


def _rows(value: object) -> str | None:
    """The dimensions of a table that has no shape attribute."""
    rows, columns = getattr(value, "num_rows", None), getattr(value, "num_columns", None)
    if isinstance(rows, int) and isinstance(columns, int):
        return f"{rows:,} x {columns:,}"
    return None


class _Short(reprlib.Repr):
    """A repr that looks at the first few elements only."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = _SAMPLE
        self.maxarray = self.maxdeque = _SAMPLE
        self.maxlevel = 3
        self.maxstring = self.maxother = self.maxlong = limit

    def repr_set(self, x: set[object], level: int) -> str:
        """Large sets are not sorted for a sample."""
        return super().repr_set(x, level) if len(x) <= _SAMPLE else _few(x, "{%s, ...}")

    def repr_frozenset(self, x: frozenset[object], level: int) -> str:
        """Large sets are not sorted for a sample."""
        if len(x) <= _SAMPLE:
            return super().repr_frozenset(x, level)
        return _few(x, "frozenset({%s, ...})")

    def repr_dict(self, x: dict[object, object], level: int) -> str:
        """In the order of insertion, without sorting the keys."""
        if level <= 0:
            return "{...}"
        few = [(key, x[key]) for key, _ in zip(x, range(_SAMPLE), strict=False)]
        shown = [f"{self.repr1(k, level - 1)}: {self.repr1(v, level - 1)}" for k, v in few]
        return "{" + ", ".join(shown + ["..."] * (len(x) > _SAMPLE)) + "}"

    def repr_instance(self, x: object, level: int) -> str:
        """The object's own repr where it is known to be cheap, its class otherwise."""
        if isinstance(x, Sized) and type(x).__repr__ is not object.__repr__ and len(x) > 1000:
            return f"{type(x).__name__} of {len(x):,}"
        if callable(x) and hasattr(x, "__qualname__"):
            return str(x.__qualname__)
        if type(x).__repr__ is object.__repr__:
            return f"a {type(x).__qualname__}"
        return super().repr_instance(x, level)


def _few(values: set[object] | frozenset[object], frame: str) -> str:
    few = [repr(each) for each, _ in zip(values, range(_SAMPLE), strict=False)]
    return frame % ", ".join(few)
