from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagnb.values.codecs import Encoded, TooDear, Unsaved, decode, encode, mismatch
from dagnb.values.durable import Damaged
from dagnb.values.fingerprint import digest

N = 20
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "count": RANDOM.integers(0, 9, N),
        "mass": RANDOM.random(N),
        "name": pd.Series([f"n{number}" for number in range(N)], dtype="string"),
        "day": pd.date_range("2020-01-01", periods=N),
        "moment": pd.date_range("2020-03-28", periods=N, tz="Europe/Berlin"),
        "span": pd.to_timedelta(np.arange(N), "s"),
        "flag": np.arange(N) % 2 == 0,
    }
)
HOLES = FRAME.copy()
HOLES.loc[3, ["mass", "name", "day", "moment", "span"]] = None
POLARS = pl.DataFrame({"a": [1, None], "s": ["x", None], "l": [[1], []], "f": [math.nan, None]})
TABLE = pa.table({"a": [1, 2, None], "d": pa.array(["x", "y", "x"]).dictionary_encode()})

ARROW = {
    "mixed": FRAME,
    "with holes": HOLES,
    "negative NaN": pd.DataFrame({"a": np.array([-math.nan, math.nan])}),
    "no rows": FRAME.iloc[:0],
    "rows left out": FRAME[FRAME.flag],
    "indexed by numbers": FRAME.set_index("count"),
    "indexed by strings": FRAME.set_index("name"),
    "indexed by days": FRAME.set_index("day"),
    "unnamed index": FRAME.set_index("mass").rename_axis(None),
    "python strings": FRAME.astype({"name": pd.StringDtype("python")}),
    "small types": FRAME.astype({"mass": "float16", "count": "uint8", "day": "datetime64[us]"}),
    "columns alike": pd.DataFrame(np.eye(2), columns=["a", "a"]),
    "one column": FRAME[["mass"]],
    "polars": POLARS,
    "polars without rows": POLARS[:0],
    "polars, structures": POLARS.with_columns(pl.struct("a", "s").alias("both")),
    "a table": TABLE,
}
ARRAYS = {
    "no dimension": np.zeros(()),
    "no elements": np.zeros((0, 3)),
    "by column": np.arange(6).reshape(2, 3).T,
    "every third": np.arange(20)[::3],
    "backwards": np.arange(20)[::-1],
    "strings": np.array(["a", "bb"]),
    "bytes": np.array([b"x"]),
    "days": np.array(["2020", "NaT"], "M8[D]"),
    "long doubles": np.array([1.5], np.longdouble),
    "other byte order": np.array([1], ">f4"),
    "truths": np.array([True]),
}
PICKLES = {
    "objects": FRAME.astype({"name": object}),
    "categories": FRAME.astype({"name": "category"}),
    "nullable": FRAME.astype({"count": "Int64"}),
    "a frequency": pd.DataFrame({"x": [1, 2]}, index=pd.date_range("2020", periods=2)),
    "numbered columns": pd.DataFrame(np.eye(2)),
    "two levels": FRAME.set_index(["count", "name"]),
    "no columns": FRAME[[]],
    "a series": FRAME["mass"],
    "polars, categories": POLARS.with_columns(pl.col("s").cast(pl.Categorical)),
    "an array of objects": np.array([1, None], object),
    "an array of records": np.zeros(2, [("a", "i4")]),
    "a masked array": np.ma.masked_array([1, 2], [True, False]),
    "a tuple": (1, 2),
    "keys that are no strings": {1: 2},
    "a large number": 2**100,
    "arrays in a dict": {"x": RANDOM.random(20_000), "y": np.arange(20_000)},
    "a function of a library": np.sum,
    "nested": [[[[[[[[[[1]]]]]]]]]],
}


def there_and_back(value: object) -> Any:
    """Encode a value and decode it from other memory."""
    encoded = encode(value)
    return decode(encoded.codec, encoded.meta, [bytearray(piece) for piece in encoded.joined])


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        pytest.param(codec, value, id=name)
        for codec, values in [("arrow", ARROW), ("array", ARRAYS), ("pickle", PICKLES)]
        for name, value in values.items()
    ],
)
def test_each_value_by_its_codec(codec: str, value: Any) -> None:
    """It comes back as the same value, of the same type, and can be changed."""
    encoded = encode(value)
    assert encoded.codec == codec
    back = there_and_back(value)
    assert type(back) is type(value)
    assert digest(back) == digest(value)
    if isinstance(value, pd.DataFrame) and value.size:
        pd.testing.assert_frame_equal(back, value)
        back.iloc[0, 0] = back.iloc[-1, 0]
    if isinstance(value, np.ndarray):
        assert back.flags.writeable
        assert back.flags.fnc == value.flags.fnc


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
def test_plain_values(value: object) -> None:
    """Whatever JSON can say, or almost: each comes back as the same value."""
    assert digest(there_and_back(value)) == digest(value)


@pytest.mark.parametrize("value", [-0.0, math.inf, "\ud800", [1, True, 1.0], {"b": 1, "a": 2}])
def test_json_keeps_what_is_easily_lost(value: object) -> None:
    """Signs of zeros, types of numbers, half characters, the order of keys."""
    assert encode(value).codec == "json"
    assert repr(there_and_back(value)) == repr(value)


def test_large_buffers_are_not_copied() -> None:
    """They are pieces of their own, which are views."""
    array = RANDOM.random(20_000)
    for value in (array, {"key": array}):
        assert np.shares_memory(np.frombuffer(encode(value).pieces[-1]), array)


@pytest.mark.parametrize(
    "value", [pa.table({"a": RANDOM.random(20_000)}), RANDOM.random((20_000, 2))]
)
def test_columns_are_not_copied(value: Any) -> None:
    """A file of Arrow's is written from where its table or frame has them."""
    table = (
        value if isinstance(value, pa.Table) else pd.DataFrame(value.T.copy().T, columns=["a", "b"])
    )
    column = np.asarray(table["a"])
    (parts,) = encode(table).parts
    assert any(np.shares_memory(np.frombuffer(part, np.uint8), column) for part in parts)


@pytest.mark.parametrize("value", [threading.Lock(), [lambda: 0], (each for each in [])])
def test_what_cannot_be_encoded(value: object) -> None:
    """Is said with the reason."""
    with pytest.raises(Unsaved, match="Error: "):
        encode(value)


@pytest.mark.parametrize(
    "value",
    [np.zeros(10**6), {"a": np.zeros(10**6)}, pd.DataFrame({"a": np.zeros(10**6)}),
     pl.DataFrame({"a": np.zeros(10**6)}), [object() for _ in range(10**5)]],
)  # fmt: skip
def test_what_is_quicker_to_compute_than_to_save(value: object) -> None:
    """Is given up, and not if there is time."""
    with pytest.raises(TooDear):
        encode(value, 0.001)
    assert encode(value, 60).pieces


def test_what_is_small_is_always_worth_it() -> None:
    """However quick it was."""
    assert encode(np.zeros(100), 0.0).codec == "array"
    assert encode(set(range(10)), 0.0).codec == "pickle"


def test_a_pickle_knows_whose_objects_are_in_it() -> None:
    """And the Python that wrote it."""
    libraries = encode({1: np.zeros(2), 2: [FRAME["mass"]]}).libraries
    assert libraries.keys() == {"python", "numpy", "pandas"}
    assert libraries["pandas"] == pd.__version__
    assert mismatch(libraries) == ""
    assert encode(np.zeros(2)).libraries == {}


@pytest.mark.parametrize("name", ["numpy", "no_such_library"])
def test_other_libraries_than_before(name: str) -> None:
    """Are named, with both versions."""
    assert mismatch({name: "0.1"}).startswith(f"it was saved with {name} 0.1, and now it is ")


@pytest.mark.parametrize(
    "encoded",
    [
        Encoded("json", [b"{"]),
        Encoded("arrow", [b"nothing"], {"kind": "table"}),
        Encoded("array", [b"123"], {"dtype": "<f8", "shape": [1], "order": "C"}),
        Encoded("pickle", [b"nothing"]),
        Encoded("unheard of", [b""]),
    ],
)
def test_what_cannot_be_decoded(encoded: Encoded) -> None:
    """Is damaged."""
    with pytest.raises(Damaged, match="cannot be read any more"):
        decode(encoded.codec, encoded.meta, encoded.joined)
