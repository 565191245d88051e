from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from dagnb.values.describe import describe


class Rude:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")


class Quiet:
    """An object without a repr of its own."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("abc", "'abc'"),
        (3.5, "3.5"),
        ([1, 2, 3], "[1, 2, 3]"),
        ({"a": 1}, "{'a': 1}"),
        ({"b": len}, "{'b': len}"),
        (list(range(1000)), "list of 1,000: [0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        (len, "function len"),
        (Quiet, "class Quiet"),
        (Quiet(), "a Quiet"),
        (Rude(), "a Rude"),
        ("a\nb", "'a\\nb'"),
    ],
)
def test_a_value_is_described_in_a_few_words(value: object, text: str) -> None:
    """By its contents if short, by its size or class otherwise."""
    assert describe(value) == text


def test_arrays_and_frames_are_described_by_their_shape() -> None:
    """Not by their elements."""
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    assert describe(np.zeros((3, 4))) == "ndarray float64 (3, 4)"
    assert describe(pd.DataFrame({"a": range(344), "b": 1})) == "DataFrame 344 x 2"
    assert describe(pd.Series([1, 2], dtype="int64")) == "Series int64 of 2"


@pytest.mark.parametrize("value", ["x" * 10**7, [["y" * 50] * 50] * 50, 10**4000, {1: "z" * 999}])
def test_a_description_is_short(value: object) -> None:
    """Whatever the size of the value."""
    assert len(describe(value)) <= 60 and len(describe(value, limit=20)) <= 20
    assert "\n" not in describe(value)


def test_a_large_set_is_described_at_once() -> None:
    """Nothing is sorted or copied for a sample."""
    value = set(range(2_000_000))
    tracemalloc.start()
    assert describe(value).startswith("set of 2,000,000")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100_000


def test_a_number_of_numpys_is_a_number() -> None:
    """Its shape says nothing."""
    assert "3.5" in describe(np.float64(3.5))
