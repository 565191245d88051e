"""Whether a peer names values rightly: equal ones alike, and different ones differently.

A name that is quicker to take because it says less is no match for one that says all. Each pair
here is small, and of the kind that a workload measures.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import peers

Name = Callable[[Any], Any]


@dataclass
class Order:
    """A record as people write them."""

    number: int
    price: float
    customer: str


@dataclass(frozen=True)
class Probe:
    """Two values, whether they are equal, and what a namer does wrong that is mistaken in them."""

    one: Any
    other: Any
    are_equal: bool
    mistake: str


def mistake(name: Name, probes: Sequence[Probe]) -> str:
    """Say what a namer does wrong with one of some pairs; empty if nothing."""
    for each in probes:
        try:
            are_alike = name(each.one) == name(each.other)
        except Exception as error:  # a peer that cannot name a value of this kind
            return f"{type(error).__name__} for one of this kind"
        if are_alike != each.are_equal:
            return each.mistake
    return ""


def equal(one: Any, other: Any, mistake: str) -> Probe:
    """Return a probe of equal values."""
    return Probe(one, other, True, f"tells apart {mistake}")


def different(one: Any, other: Any, mistake: str) -> Probe:
    """Return a probe of different values."""
    return Probe(one, other, False, f"takes {mistake}")


def anew(value: Any) -> Any:
    """Return a copy that shares nothing with a value."""
    return pickle.loads(pickle.dumps(value))


@cache
def probes() -> Mapping[str, Sequence[Probe]]:
    """Return the pairs for each workload."""
    square, mixed = np.arange(9.0).reshape(3, 3), mixed_frame()
    texts = pd.DataFrame({"t": pd.Series(["a-b", "c"], dtype=object)})
    other_texts = pd.DataFrame({"t": pd.Series(["a", "b-c"], dtype=object)})
    arrays = [
        different(square, square.reshape(9), "an array for one of another shape"),
        different(square, square.view("i8"), "numbers for others that have the same bytes"),
    ]
    records = [{"id": 1, "name": "n", "at": (0.5, 2), "tags": ["a", "b"]} for _ in range(3)]
    orders = [Order(at, 0.5, f"customer {at}") for at in range(3)]
    return {
        "array": arrays,
        "every second number": [
            *arrays, equal(square[::2], square[::2].copy(), "an array and its copy")
        ],
        "transposed matrix": [
            different(square, square.T, "a matrix for its transpose"),
            equal(square.T, square.T.copy(), "a matrix and its copy by rows"),
        ],
        "pandas frame": [
            equal(mixed, mixed[list(mixed)].copy(), "a frame and its copy"),
            equal(mixed, anew(mixed), "a frame and itself, pickled and back"),
            different(mixed, mixed.set_axis([3, 4, 5]), "a frame for one with another index"),
        ],
        "polars frame": polars_probes(),
        "pandas objects": [
            equal(texts, anew(texts), "a column and its copy"),
            different(texts, other_texts, "'a-b', 'c' for 'a', 'b-c'"),
        ],
        "1e6 objects nested": [
            equal(records, anew_each(records), "records that share texts and that do not"),
            equal([{"a": 1, "b": 2}], [{"b": 2, "a": 1}], "dicts by their order"),
            different([{"a": 1}], [{"a": True}], "1 for True"),
        ],
        "1e5 ints one by one": [
            different(1, True, "1 for True"),
            different(1, "1", "1 for '1'"),
        ],
        "1e5 dataclasses": [
            equal(orders, anew_each(orders), "objects that share attributes and that do not"),
            different(orders[1], Order(True, 0.5, "customer 1"), "1 for True"),
        ],
    }  # fmt: skip


def anew_each(values: list[Any]) -> list[Any]:
    """Return a list of copies that share nothing, not even texts, with each other."""
    return [anew(each) for each in values]


def mixed_frame() -> Any:
    """Return a frame of several types."""
    return pd.DataFrame(
        {"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "t": pd.array(["x", "y", "z"], dtype="string")}
    )


def polars_probes() -> list[Probe]:
    """Return what polars keeps in pieces, and whole."""
    pl = peers.load("polars")
    if pl is None:
        return []
    frame = pl.DataFrame({"a": [1, 2, 3, 4], "t": ["a", "b", "c", "d"]})
    pieces = pl.concat([frame[:2], frame[2:]], rechunk=False)
    return [
        equal(frame, pieces, "a frame and the same one in pieces"),
        different(frame, frame.rename({"a": "b"}), "a frame for one with other names"),
    ]
