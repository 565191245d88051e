from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from dagnb.values.difference import differences


@dataclass
class Point:
    """An object with attributes."""

    x: object
    y: object = None


class Touchy:
    """An object that nobody may compare."""

    def __init__(self) -> None:
        self.part = np.array([object()], dtype=object)

    def __reduce__(self) -> tuple[object, ...]:
        raise RuntimeError("do not look")


FRAME = pd.DataFrame({"sex": ["f", "m", None], "mass": [1.0, float("nan"), 3.0]}, index=[2, 4, 6])
PAIRS = [
    (1, 2, []),
    ([1, 2], [1, 2, 3], ["2 -> 3 elements"]),
    ([1, [2, 3]], [1, [2, 4]], ["[1][1]: 3 -> 4"]),
    ([1], (1,), ["a list -> a tuple"]),
    ([1], [True], ["[0]: a int -> a bool"]),
    ([float("nan"), 0.0], [float("nan"), -0.0], ["[1]: 0.0 -> -0.0"]),
    ({"a": 1}, {"b": 1}, ["no longer there: 'a'", "new: 'b'"]),
    ({"a": Point([1])}, {"a": Point([2])}, ["['a'].x[0]: 1 -> 2"]),
    ({1, 2}, {2, 3}, ["no longer there: 1", "new: 3"]),
    ("a\nb\nc", "a\nx\nc", ["line 2: 'b' -> 'x'"]),
    ("a\nb", "a\nb\nc", ["2 -> 3 lines"]),
    (Point(1, [1]), Point(1, [2]), [".y[0]: 1 -> 2"]),
    (np.zeros((2, 3)), np.zeros((3, 2)), ["shape (2, 3) -> (3, 2)"]),
    (np.zeros(3), np.array([0, np.nan, 7.0]), ["[1]: 0.0 -> nan; 2 of 3 differ"]),
    (np.array([np.nan, 1]), np.array([np.nan, 2]), ["[1]: 1.0 -> 2.0; 1 of 2 differ"]),
    (np.zeros(2), np.zeros(2, "int8"), ["float64 -> int8"]),
    (FRAME, FRAME.assign(mass=[1.0, np.nan, 4.0]), ["row 2 (index 6): mass 3.0 -> 4.0"]),
    (FRAME, FRAME.assign(sex=["f", "x", None]), ["row 1 (index 4): sex 'm' -> 'x'"]),
    (FRAME, FRAME.assign(mass=["a", "b", "c"]), None),
    (
        FRAME,
        FRAME.iloc[1:],
        ["3 -> 2 rows", "row 0 (index 2): sex 'f' -> 'm', mass 1.0 -> nan"],
    ),
    (FRAME, FRAME.iloc[:2], ["3 -> 2 rows"]),
    (
        FRAME,
        FRAME.rename(columns={"sex": "s"}),
        ["columns no longer there: 'sex'", "new columns: 's'"],
    ),
    (FRAME, FRAME[["mass", "sex"]], ["order of columns: 'sex', 'mass' -> 'mass', 'sex'"]),
    (FRAME, FRAME.set_axis([2, 4, 7]), ["index of row 2: 6 -> 7"]),
    (FRAME, FRAME.astype({"mass": "float32"}), ["column mass: float64 -> float32"]),
    (FRAME.mass, FRAME.mass + 1, ["row 0 (index 2): mass 1.0 -> 2.0"]),
    (
        pd.Series(["a"], dtype="category"),
        pd.Series(["b"], dtype="category"),
        ["column values: category -> category", "row 0 (index 0): values 'a' -> 'b'"],
    ),
    (
        pd.DataFrame({"n": pd.array([1, None], "Int64")}),
        pd.DataFrame({"n": pd.array([1, 2], "Int64")}),
        ["row 1 (index 1): n <NA> -> 2"],
    ),
    ([iter([1]), 1], [iter([2]), 1], []),
    (list(range(5000)), [*range(4000), 0, *range(4001, 5000)], ["[4000]: 4000 -> 0"]),
    (Touchy(), Touchy(), []),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "lines"), PAIRS, ids=range(len(PAIRS)))
def test_differences(old: object, new: object, lines: list[str] | None) -> None:
    """The first difference, in the terms of the type."""
    found = differences(old, new)
    assert found == lines if lines is not None else found[0].startswith("column mass: float64 -> ")


def test_polars_frames() -> None:
    """As those of pandas, without an index."""
    pl = pytest.importorskip("polars")
    old = pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", "z"]})
    new = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    assert differences(old, new) == ["row 1: a None -> 2"]
    assert differences(old, old.with_columns(c=1)) == ["new columns: 'c'"]
    assert differences(old, old[:1]) == ["3 -> 1 rows"]


def test_many_changes_are_counted() -> None:
    """And a few of them listed."""
    assert differences(dict.fromkeys(range(6)), {}) == ["no longer there: 0, 1, 2 and 3 more"]
