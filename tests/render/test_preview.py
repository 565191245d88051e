"""A value is cut down before it is shown, and nothing in it is markup."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dagnb.render.preview import COLUMNS, ROWS, preview

NASTY = "</td><script>alert(1)</script>\"'&"


def html(value: object) -> str:
    """What is drawn of a value."""
    made = preview(value)
    assert made is not None
    return made.html


def text(value: object) -> str:
    """What is said of a value."""
    made = preview(value)
    assert made is not None
    return made.text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, "3"),
        (None, "None"),
        ("<b>", "'<b>'"),
        ([1, 2], "[1, 2]"),
        ({"a": [1]}, "{'a': [1]}"),
        (dict.fromkeys("abcdefghij", 1), "dict of 10:\n'a': 1\n'b': 1\n"),
        (list(range(1000)), "list of 1,000:\n0\n1\n2\n"),
        (list(range(1000)), "\n... and 980 more"),
        ({"long": "x" * 10_000}, "dict of 1:\n'long': 'xxx"),
    ],
)
def test_plain_values(value: object, shown: str) -> None:
    """In a line, or with an entry a line."""
    assert shown in text(value)
    assert html(value) == ""


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"n": range(100), NASTY: [NASTY] * 100}),
        pl.DataFrame({"n": range(100), NASTY: [NASTY] * 100}),
        pa.table({"n": range(100), NASTY: [NASTY] * 100}),
    ],
    ids=["pandas", "polars", "arrow"],
)
def test_a_table_shows_its_head(frame: Any) -> None:
    """With names, types, shape, and no more rows than are read at a glance."""
    made = html(frame)
    assert "int64" in made.lower()
    assert "100 rows x 2 columns, first 8 of them" in made
    assert made.count("<tr>") == ROWS + 1
    assert "<script" not in made
    assert "&lt;/td&gt;&lt;script&gt;" in made
    assert text(frame).startswith("100 rows x 2 columns: 'n' (")


def test_a_wide_table_is_cut() -> None:
    """It says how many columns there are."""
    made = html(pd.DataFrame(np.zeros((2, 500))))
    assert made.count("<th scope=col>") == COLUMNS
    assert "2 rows x 500 columns; 488 more columns" in made


def test_one_is_not_many() -> None:
    """A row, a column and one more of them are counted as such."""
    made = html(pd.DataFrame(np.zeros((1, COLUMNS + 1))))
    assert f"1 row x {COLUMNS + 1} columns; 1 more column<" in made
    assert "3 rows x 1 column<" in html(pd.DataFrame({"n": range(3)}))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({("a", 1): [1]}),
        pl.DataFrame(),
        pa.table({}),
        pd.Series([1.5, None, 2.5], name="s"),
        pd.Series(["a"]),
        pl.Series("s", [1, 2, 3]),
    ],
)
def test_odd_tables(frame: Any) -> None:
    """Empty ones, columns of the same name, series."""
    assert re.search(r"rows? x \d", html(frame))


@pytest.mark.parametrize(
    ("array", "says", "draws"),
    [
        (np.arange(1000.0), "float64 array of shape 1000, 8.0 kB", "<polyline"),
        (np.zeros((30, 50), dtype="int8"), "int8 array of shape 30x50, 1.5 kB", "<path"),
        (np.ones((4, 5, 6)), "float64 array of shape 4x5x6, 960 B", "<path"),
        (np.array(["a", NASTY]), "array of shape 2, ", "&lt;script"),
        (np.array(3.5), "array of shape scalar", ""),
        (np.array([]), "array of shape 0", ""),
        (np.array([np.nan, np.inf]), "array of shape 2", "nan, inf"),
        (np.array([1j, 2j]), "complex128 array of shape 2", ""),
        (np.array([object(), 1], dtype=object), "object array of shape 2", ""),
        (np.array([True, False]), "bool array of shape 2, 2 B", "<polyline"),
    ],
)
def test_arrays_say_shape_and_type_and_are_drawn_small(array: Any, says: str, draws: str) -> None:
    """With a sentence for who does not see the drawing."""
    made = html(array)
    assert says in made
    assert draws in made
    assert "<script" not in made
    assert ("<svg" in made) == ('role="img" aria-label="' in made)
    assert len(made) < 20_000


def test_a_sample_of_an_array_is_taken_and_no_copy() -> None:
    """Of an array that would not fit into memory twice, or once."""
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), shape=(2**40,), strides=(0,))
    assert "values, from 0 to 0" in html(huge)
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), shape=(2**20, 2**20), strides=(0, 0))
    assert "8.8 TB" in html(huge)


def test_a_figure_is_shown_small() -> None:
    """As a picture in the page, whatever its size; an axes is its figure."""
    figure = matplotlib.figure.Figure(figsize=(40, 20))
    axes = figure.add_subplot()
    axes.plot([1, 2])
    for value in (figure, axes):
        made = html(value)
        assert re.match(r'<img alt="figure of 1 axes, 40 x 20 inches" src="data:image/png;', made)
        assert len(made) < 60_000


@dataclass
class Config:
    """With a field that is large, and one that is not shown."""

    name: str = NASTY
    data: list[int] = field(default_factory=lambda: list(range(10_000)))
    secret: str = field(default="hidden", repr=False)


def test_a_dataclass_shows_its_fields() -> None:
    """Each in short."""
    assert "  data=list of 10,000: [0, 1, 2" in text(Config())
    assert "hidden" not in text(Config())


class Large(dict[int, int]):
    """A container of the user's, whose repr would be the whole of it."""

    def __repr__(self) -> str:
        raise AssertionError("asked for all of it")


def test_a_large_container_is_not_asked_for_all_of_it() -> None:
    """It says how many it has."""
    assert text(Large.fromkeys(range(5000), 0)).startswith("Large of 5,000")


class Raising(pd.DataFrame):
    """A frame that cannot be looked at."""

    @property
    def iloc(self) -> Any:
        """Raise."""
        raise RuntimeError("broken")


def test_a_value_that_raises_is_described() -> None:
    """In a line."""
    assert text(Raising({"a": [1]})) == "Raising 1 x 1"


def test_a_string_of_a_hundred_megabytes() -> None:
    """Only its ends are looked at."""
    shown = text("x" * 100_000_000)
    assert len(shown) < 3000


def test_nothing_is_imported_for_it() -> None:
    """Whoever has no pandas does not get it."""
    before = set(sys.modules)
    preview([1])
    assert set(sys.modules) == before
