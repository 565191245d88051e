from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from dagnb.errors import UncacheableValue
from dagnb.values.fingerprint import digest

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

NUMBERS = np.arange(12.0).reshape(3, 4)
SQUARE = np.arange(9).reshape(3, 3)
PADDED = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 16})


def padded(fill: int) -> Any:
    """Records whose unused bytes hold ``fill``."""
    raw = np.full(32, fill, np.uint8)
    records = raw.view(PADDED)
    records["a"], records["b"] = [1, 2], [3.0, 4.0]
    return records


def masked(hidden: float) -> Any:
    """An array whose second element is masked."""
    return np.ma.array([1.0, hidden], mask=[False, True])


def frame(**changes: Any) -> Any:
    """One column of each kind."""
    columns = {
        "int": [1, 2],
        "float": [1.5, np.nan],
        "text": ["a", None],
        "category": pd.Categorical(["u", "v"]),
        "moment": pd.to_datetime(["2020-01-01", "2021-01-01"]),
        "aware": pd.to_datetime(["2020-01-01", "2021-01-01"], utc=True),
        "nullable": pd.array([1, None], dtype="Int64"),
        "object": [{"k": 1}, (2,)],
        "period": pd.period_range("2020", periods=2, freq="M"),
        "span": pd.to_timedelta([1, 2], unit="s"),
        "interval": pd.arrays.IntervalArray.from_breaks([0, 1, 2]),
        "sparse": pd.arrays.SparseArray([0, 1]),
        "truth": pd.array([True, None], dtype="boolean"),
    }
    return pd.DataFrame(columns | changes)


def in_pieces() -> Any:
    """The same frame as ``whole``, with a block for each column."""
    made = pd.DataFrame({"a": [1.0, 2.0]})
    made["b"] = [3.0, 4.0]
    made["c"] = [5.0, 6.0]
    return made


def whole() -> Any:
    """A frame of one block."""
    return pd.DataFrame(np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]), columns=["a", "b", "c"])


def with_attributes() -> Any:
    """The same frame with a note."""
    made = whole()
    made.attrs["source"] = "somewhere"
    return made


ALIKE = {
    "C and Fortran order": (NUMBERS, np.asfortranarray(NUMBERS)),
    "a view and its copy": (NUMBERS[::2, 1:], NUMBERS[::2, 1:].copy()),
    "a transpose and its copy": (NUMBERS.T, NUMBERS.T.copy()),
    "reversed views": (NUMBERS[::-1, ::-1], NUMBERS[::-1, ::-1].copy()),
    "broadcast and repeated": (np.broadcast_to(1.0, (3,)), np.ones(3)),
    "read-only": ((r := NUMBERS.copy(), r.setflags(write=False))[0], NUMBERS),
    "large strided views": ((big := np.arange(300_000))[::3], big[::3].copy()),
    "large Fortran order": (
        np.asfortranarray(wide := np.random.default_rng(0).random((300, 400))),
        wide,
    ),
    "strided moments": (
        (days := np.array(["2020-01-01", "NaT", "2020-01-03"], "M8[D]"))[::2],
        days[::2].copy(),
    ),
    "strided text": ((words := np.array(["a", "bb", "ccc"]))[::2], words[::2].copy()),
    "objects": (np.array([1, "a", None], object), np.array([1, "a", None], object)),
    "padding of records": (padded(0), padded(255)),
    "under a mask": (masked(2.0), masked(3.0)),
    "NaN": (np.array([np.nan]), np.array([np.nan])),
    "frames": (frame(), frame()),
    "blocks of a frame": (in_pieces(), whole()),
    "attrs of a frame": (with_attributes(), whole()),
    "a slice of a frame": (whole().iloc[:1], pd.DataFrame([[1.0, 3.0, 5.0]], columns=list("abc"))),
    "unused levels": (
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])[:1],
        pd.MultiIndex.from_tuples([("a", 1)]),
    ),
    "under a missing value": (
        pd.arrays.IntegerArray(np.array([1, 7]), np.array([False, True])),
        pd.arrays.IntegerArray(np.array([1, 8]), np.array([False, True])),
    ),
    "zero-dimensional": (np.array(3), np.array(3)),
    "empty": (np.empty((0, 3)), np.empty((0, 3))),
}

DIFFERENT = {
    "a square and its transpose": (SQUARE, SQUARE.T),
    "shapes": (np.arange(6).reshape(2, 3), np.arange(6).reshape(3, 2)),
    "empty shapes": (np.empty((0, 3)), np.empty((3, 0))),
    "dtypes": (np.zeros(2, "i8"), np.zeros(2, "f8")),
    "widths": (np.zeros(2, "i8"), np.zeros(4, "i4")),
    "zeros": (np.array([0.0]), np.array([-0.0])),
    "units": (np.array([1], "M8[s]"), np.array([1], "M8[ms]")),
    "array and list": (np.arange(3), [0, 1, 2]),
    "scalar and float": (np.float64(1), 1.0),
    "scalar and array": (np.float64(1), np.array(1.0)),
    "scalars of other types": (np.int64(1), np.int32(1)),
    "types of objects": (np.array([1], object), np.array([True], object)),
    "masks": (np.ma.array([1, 2], mask=[1, 0]), np.ma.array([1, 2], mask=[0, 1])),
    "names of fields": (np.zeros(1, [("a", "i4")]), np.zeros(1, [("b", "i4")])),
    "array and matrix": (np.zeros((1, 1)), np.ma.zeros((1, 1))),
    "columns": (whole(), whole().rename(columns={"a": "z"})),
    "order of columns": (whole(), whole()[["b", "a", "c"]]),
    "index": (whole(), whole().set_axis([1, 2])),
    "name of the index": (whole(), whole().rename_axis("i")),
    "dtype of a column": (whole(), whole().astype({"a": "float32"})),
    "one value": (whole(), whole().replace(6.0, 7.0)),
    "frame and series": (whole()[["a"]], whole()["a"]),
    "names of series": (whole()["a"], whole()["a"].rename("b")),
    "categories": (pd.Categorical(["a"], ["a", "b"]), pd.Categorical(["a"], ["a", "c"])),
    "ordered categories": (pd.Categorical(["a"]), pd.Categorical(["a"], ordered=True)),
    "time zones": (
        pd.Series(pd.to_datetime(["2020"]).tz_localize("UTC")),
        pd.Series(pd.to_datetime(["2020"]).tz_localize("CET")),
    ),
    "missing or not": (pd.array([1, None], dtype="Int64"), pd.array([1, 0], dtype="Int64")),
    "NaN and None": (pd.Series([np.nan], dtype=object), pd.Series([None], dtype=object)),
    "missing values": (pd.NaT, pd.NA),
    "timestamps": (pd.Timestamp("2020"), pd.Timestamp("2020", tz="UTC")),
}
DIFFERENT |= {
    f"column {name}": (frame(), frame(**{name: frame()[name].iloc[::-1].array}))
    for name in frame().columns
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_layout_says_nothing(pair: tuple[object, object]) -> None:
    """Arrays and frames with the same elements have one digest."""
    a, b = pair
    assert digest(a) == digest(b)


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_every_part_of_an_array_or_frame_counts(pair: tuple[object, object]) -> None:
    """Shape, dtype, names, index and each element."""
    a, b = pair
    assert digest(a) != digest(b)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(value, id=f"{name}-{side}")
        for name, pair in {**ALIKE, **DIFFERENT}.items()
        for side, value in enumerate(pair)
    ],
)
def test_a_pickled_copy_is_the_same(value: object) -> None:
    """Values that crossed a process keep their digest."""
    assert digest(pickle.loads(pickle.dumps(value))) == digest(value)


def test_a_long_double_is_named_without_its_padding() -> None:
    """The unused bytes of an 80-bit float are not looked at."""
    one, other = np.zeros(2, np.longdouble), np.zeros(2, np.longdouble)
    one.view(np.uint8)[-1] = 7 if np.finfo(np.longdouble).nmant == 63 else 0
    assert digest(one) == digest(other)


def test_a_random_generator_is_its_state() -> None:
    """Drawing a number makes another value of it."""
    one, other = np.random.default_rng(1), np.random.default_rng(1)
    assert digest(one) == digest(other)
    one.random()
    assert digest(one) != digest(other)


def test_arrow_text_counts_like_text() -> None:
    """Strings that pandas keeps in Arrow or as objects are compared by content."""
    pytest.importorskip("pyarrow")
    texts = pd.Series(["a", None, "bc"], dtype="string[pyarrow]")
    joined = pd.concat([texts.iloc[:1], texts.iloc[1:]])
    assert digest(texts) == digest(joined)
    assert digest(texts) != digest(pd.Series(["a", None, "bd"], dtype="string[pyarrow]"))


def test_arrow_chunks_slices_and_nulls_say_nothing() -> None:
    """An Arrow array is its elements."""
    pa = pytest.importorskip("pyarrow")
    for elements in (
        [1, None, 3, 4],
        ["a", None, "bc", ""],
        [True, None, False, True],
        [[1], None, [], [2, 3]],
        [{"u": 1}, None, {"u": 2}, {"u": 3}],
        [1.5, None, 2.5, 3.5],
        [b"a", None, b"", b"c"],
    ):
        array = pa.array(elements)
        cut = pa.chunked_array([array[:1], array[1:3], array[3:]])
        alone = pa.array(elements[1:3], array.type)
        assert digest(array) == digest(cut.combine_chunks()), elements
        assert digest(cut) == digest(pa.chunked_array([array])), elements
        assert digest(array[1:3]) == digest(alone), elements
        assert digest(array) != digest(pa.array([*elements[:-1], None], array.type)), elements


def test_arrow_types_and_names_count() -> None:
    """Tables that differ in a type or a name differ."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, 2]})
    assert digest(table) == digest(pa.table({"a": [1, 2]}))
    assert digest(table) != digest(pa.table({"b": [1, 2]}))
    assert digest(table) != digest(pa.table({"a": pa.array([1, 2], pa.int32())}))
    assert digest(table) != digest(pa.table({"a": pa.array([1, 2], pa.decimal128(5, 2))}))


def test_arrow_dictionaries_count_by_what_they_stand_for() -> None:
    """Two codings of the same strings are one value."""
    pa = pytest.importorskip("pyarrow")
    one = pa.DictionaryArray.from_arrays([0, 1], ["a", "b"])
    other = pa.DictionaryArray.from_arrays([1, 0], ["b", "a"])
    assert digest(one) == digest(other)


def test_polars_frames_are_their_columns() -> None:
    """Chunks say nothing; names, types and elements do."""
    pl = pytest.importorskip("polars")
    columns = {"a": [1, None], "b": ["x", "y"], "c": [[1], [2, 3]], "d": [{"u": 1}, {"u": 2}]}
    whole = pl.DataFrame(columns)
    assert digest(whole) == digest(pl.DataFrame(columns))
    assert digest(whole) == digest(pl.concat([whole[:1], whole[1:]], rechunk=False))
    assert digest(whole) != digest(whole.rename({"a": "z"}))
    assert digest(whole) != digest(whole.with_columns(pl.col("a").cast(pl.Int32)))
    assert digest(whole) != digest(whole.with_columns(pl.lit("x").alias("b")))


def test_a_lazy_frame_is_refused() -> None:
    """A plan over files is not a value."""
    pl = pytest.importorskip("polars")
    with pytest.raises(UncacheableValue, match="collect"):
        digest(pl.LazyFrame({"a": [1]}))


def test_sparse_matrices_are_their_entries() -> None:
    """The order in which entries are stored says nothing."""
    sparse = pytest.importorskip("scipy.sparse")
    sorted_ones = sparse.coo_array(([1, 2], ([0, 1], [0, 1])), shape=(2, 2))
    others = sparse.coo_array(([2, 1], ([1, 0], [1, 0])), shape=(2, 2))
    assert digest(sorted_ones) == digest(others)
    assert digest(sorted_ones) != digest(sorted_ones.tocsr())
    assert digest(sorted_ones) != digest(sorted_ones * 2)


def figure(end: float = 4.0, colour: str = "red") -> Any:
    """A small plot."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(2, 2))
    axes = made.subplots()
    axes.plot([1, 2, 3], [1.0, 2.0, end], color=colour)
    return made


def test_a_figure_made_twice_is_the_same() -> None:
    """Also after one of them was drawn."""
    pytest.importorskip("matplotlib")
    one, other = figure(), figure()
    before = digest(one)
    one.savefig("/dev/null", format="png")
    assert digest(one) == before == digest(other)


@pytest.mark.parametrize(
    "change", [{"end": 5.0}, {"end": 4.0 + 1e-12}, {"colour": "blue"}], ids=str
)
def test_a_figure_of_something_else_differs(change: dict[str, Any]) -> None:
    """By its data, even by less than a pixel, and by its style."""
    pytest.importorskip("matplotlib")
    assert digest(figure()) != digest(figure(**change))


def test_the_axes_of_a_figure_have_a_digest() -> None:
    """A cell often ends in a call that returns axes or lines."""
    pytest.importorskip("matplotlib")
    assert digest(figure().axes[0]) == digest(figure().axes[0])
    assert digest(figure().axes[0]) != digest(figure(5.0).axes[0])
    assert digest(figure().axes[0].lines) == digest(figure().axes[0].lines)


def test_images_are_their_pixels() -> None:
    """Mode, size and pixels."""
    image = pytest.importorskip("PIL.Image")
    assert digest(image.new("RGB", (2, 3))) == digest(image.new("RGB", (2, 3)))
    assert digest(image.new("RGB", (2, 3))) != digest(image.new("RGB", (3, 2)))
    assert digest(image.new("RGB", (2, 3))) != digest(image.new("RGB", (2, 3), "red"))
    assert digest(image.new("L", (2, 3))) != digest(image.new("P", (2, 3)))


ESTIMATORS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda m: m.linear_model.LinearRegression(),
    "tree": lambda m: m.tree.DecisionTreeRegressor(random_state=0),
    "pipeline": lambda m: m.pipeline.make_pipeline(
        m.preprocessing.StandardScaler(), m.linear_model.Ridge()
    ),
}


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
def test_a_fitted_estimator_is_its_parameters_and_what_it_learned(make: Any) -> None:
    """The same fit twice is one value, another fit another."""
    sklearn = pytest.importorskip("sklearn")
    for name in ("linear_model", "tree", "pipeline", "preprocessing"):
        __import__(f"sklearn.{name}")
    fitted = make(sklearn).fit(NUMBERS, [1, 2, 3])
    assert digest(fitted) == digest(make(sklearn).fit(NUMBERS, [1, 2, 3]))
    assert digest(fitted) == digest(copy.deepcopy(fitted))
    assert digest(fitted) != digest(make(sklearn).fit(NUMBERS, [1, 2, 4]))
    assert digest(fitted) != digest(make(sklearn))
