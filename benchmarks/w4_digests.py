"""W4: what it costs to name a value by its content.

The floor of arrays and frames is xxh3 over as many bytes of one buffer, which is the speed of
memory. That of Python objects is the C pickler and xxh3: each object is read once, and equal
values do not get one name. The peers do not name all values rightly: each is asked about a few
pairs of each kind, and what it does wrong with them stands beside its figure (`probes.py`).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xxhash

from benchmarks import peers
from benchmarks.measure import Measurement, Prepare, compare, main
from benchmarks.memories import namings
from benchmarks.probes import Order, mistake, probes
from dagnb import digest

SIZES = (1 << 25,)  # numbers in the array: 256 MB; all else in proportion
LEAST = 1_000
TOO_SLOW = {  # minutes
    "dask": ("1e5 dataclasses", "1e6 objects nested"),
    "hamilton": ("pandas frame", "polars frame", "pandas objects"),
}
WORDS = np.array(
    ["Adelie", "Chinstrap", "Gentoo", "Biscoe", "Dream", "Torgersen", "male", "female"]
)


@dataclass(frozen=True)
class Workload:
    """A value, what is measured as its floor, and the target in times of that.

    ``many`` says that the value is a list whose elements are named one by one; ``nbytes`` tells
    how many bytes a value has that is not made of Python objects.
    """

    name: str
    make: Callable[[int], Any]
    target: float | None
    nbytes: Callable[[Any], int] | None = None
    many: bool = False

    def floor(self, value: Any) -> Prepare:
        """Return what reads as much as a digest has to."""
        if self.nbytes is None:
            return naming(pickled, value, self)
        if isinstance(value, np.ndarray) and value.flags.c_contiguous:
            return naming(xxhash.xxh3_128_digest, value, self)
        return naming(xxhash.xxh3_128_digest, np.ones(self.nbytes(value), np.uint8), self)


def pickled(value: Any) -> bytes:
    """Read all objects of a value once."""
    return xxhash.xxh3_128_digest(pickle.dumps(value, 5))


def array(n: int) -> Any:
    """Return numbers end to end."""
    return np.random.default_rng(0).random(n)


def strided(n: int) -> Any:
    """Return every second of them."""
    return array(n)[::2]


def transposed(n: int) -> Any:
    """Return a matrix whose columns are end to end."""
    side = int((n // 4) ** 0.5)
    return array(side * side).reshape(side, side).T


def columns(n: int) -> dict[str, Any]:
    """Return the columns of a frame: whole numbers, others, short texts, and a category."""
    random = np.random.default_rng(0)
    return {
        "number": random.integers(0, 1000, n),
        "price": random.random(n),
        "text": WORDS[random.integers(0, len(WORDS), n)],
        "category": WORDS[random.integers(0, len(WORDS), n)],
    }


def pandas_frame(n: int) -> Any:
    """Return a frame of four columns, about 30 bytes a row."""
    found = columns(n // 10)
    found["text"] = pd.array(found["text"], dtype="string[pyarrow]")
    return pd.DataFrame(found | {"category": pd.Categorical(found["category"])})


def polars_frame(n: int) -> Any:
    """Return the same as polars keeps it."""
    pl = peers.load("polars")
    frame = pl.DataFrame(columns(n // 10))
    return frame.with_columns(pl.col("category").cast(pl.Categorical))


def texts(n: int) -> Any:
    """Return a column of Python's own strings, each another one."""
    return pd.DataFrame({"text": pd.Series([f"text {i}" for i in range(n // 64)], dtype=object)})


def nested(n: int) -> Any:
    """Return records of nine objects each, keys not counted."""
    return [
        {"id": i, "name": f"n{i}", "at": (i * 0.5, i + 1), "tags": ["a", "b"]}
        for i in range(n // 302)
    ]


def integers(n: int) -> Any:
    """Return whole numbers."""
    return list(range(n // 335))


def orders(n: int) -> Any:
    """Return objects of a class."""
    return [Order(i, i * 0.5, f"customer {i}") for i in range(n // 335)]


def size_of_array(value: Any) -> int:
    """Return the bytes that a strided array spans."""
    return int(value.nbytes if value.base is None or value.ndim > 1 else value.base.nbytes)


def size_of_pandas(value: Any) -> int:
    """Return the bytes of a frame."""
    return int(value.memory_usage(deep=True).sum())


def size_of_polars(value: Any) -> int:
    """Return the bytes of a frame."""
    return int(value.estimated_size())


# What was 35, 60, 17, 80, 190, 60 and 60 ms where memory gave 1 GB in 29 ms; of Python objects, a
# tenth of joblib's time, a thirty-sixth and a seventh.
WORKLOADS = (
    Workload("array", array, 1.21, size_of_array),
    Workload("every second number", strided, 2.07, size_of_array),
    Workload("transposed matrix", transposed, None, size_of_array),
    Workload("pandas frame", pandas_frame, 1.58, size_of_pandas),
    Workload("polars frame", polars_frame, 8.6, size_of_polars),
    Workload("pandas objects", texts, 1.6),
    Workload("1e6 objects nested", nested, 1.5),
    Workload("1e5 ints one by one", integers, 3.0, many=True),
    Workload("1e5 dataclasses", orders, 1.5),
)


def naming(name: Callable[[Any], Any], value: Any, workload: Workload) -> Prepare:
    """Return what names a value, or each of its elements."""
    if workload.many:
        return lambda: lambda: [name(each) for each in value]
    return lambda: lambda: name(value)


def candidates(workload: Workload, value: Any, chosen: Sequence[str] | None) -> dict[str, Prepare]:
    """Return the floor, ourselves, and the peers that name such a value in seconds."""
    found = {"floor": workload.floor(value), "dagnb": naming(digest, value, workload)}
    for label, (peer, name) in namings(chosen).items():
        if workload.name not in TOO_SLOW.get(peer, ()):
            found[label] = naming(name, value, workload)
    return found


def mistakes(workload: Workload, chosen: Sequence[str] | None) -> dict[str, str]:
    """Return what peers do wrong with values of this kind."""
    pairs = probes()[workload.name]
    found = {label: mistake(name, pairs) for label, (_, name) in namings(chosen).items()}
    return {label: what for label, what in found.items() if what}


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure all kinds of values."""
    measurements: list[Measurement] = []
    for workload in WORKLOADS:
        if workload.make is polars_frame and peers.load("polars") is None:
            continue
        for n in sizes:
            value = workload.make(n)
            goal = {} if workload.target is None else {"dagnb": workload.target}
            measurements += compare(
                f"W4 digest, {workload.name}", n, candidates(workload, value, chosen),
                unit="value", units=1, targets=goal, rounds=rounds,
                mistakes=mistakes(workload, chosen),
            )  # fmt: skip
    return measurements


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
