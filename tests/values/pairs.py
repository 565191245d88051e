"""Pairs of values, as source: those that must have one digest, and those that must have two.

They are grouped by the libraries that they need, so that another process, or another Python, can
make them too.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

Pairs = list[tuple[str, str]]

STANDARD = (
    "array, collections, dataclasses, datetime, decimal, enum, fractions, functools, io, "
    "ipaddress, math, operator, pathlib, re, string, types, uuid, zoneinfo"
)

ALIKE: dict[str, Pairs] = {
    STANDARD: [
        ("[1, 2.0, 'a']", "[1, 2.0, 'a']"),
        ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
        ("{(1, 'a'): 1, None: 2, True: 3}", "{True: 3, None: 2, (1, 'a'): 1}"),
        ("{'x', 1, None, (2,)}", "{(2,), None, 1, 'x'}"),
        ("{frozenset({1, 2}): 'a', 3: 'b'}", "{3: 'b', frozenset({2, 1}): 'a'}"),
        ("float('nan')", "-float('nan')"),
        ("[[1], [1]]", "[[1]] * 2"),
        ("Point(1, [2])", "Point(1, [2])"),
        ("Frozen(1, 'a')", "dataclasses.replace(Frozen(2, 'a'), x=1)"),
        ("[Frozen(n, 'a') for n in range(9)]", "[Frozen(n, 'a') for n in range(9)]"),
        ("Colour.RED", "Colour(1)"),
        ("Mode.A | Mode.B", "Mode.B | Mode.A"),
        ("pathlib.Path('a/b')", "pathlib.Path('a') / 'b'"),
        ("decimal.Decimal('1.50')", "decimal.Decimal((0, (1, 5, 0), -2))"),
        ("fractions.Fraction(1, 2)", "fractions.Fraction(2, 4)"),
        (
            "datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)",
            "datetime.datetime.fromtimestamp(1704067200, datetime.UTC)",
        ),
        ("zoneinfo.ZoneInfo('UTC')", "zoneinfo.ZoneInfo('UTC')"),
        ("datetime.timedelta(hours=24)", "datetime.timedelta(days=1)"),
        ("collections.Counter('ab')", "collections.Counter('ba')"),
        ("collections.deque([1], 2)", "collections.deque([0, 0, 1][2:], 2)"),
        ("collections.ChainMap({'a': 1})", "collections.ChainMap({'a': 1})"),
        ("collections.UserDict(a=1, b=2)", "collections.UserDict(b=2, a=1)"),
        ("types.SimpleNamespace(a=1, b=2)", "types.SimpleNamespace(b=2, a=1)"),
        ("types.MappingProxyType({'a': 1, 'b': 2})", "types.MappingProxyType({'b': 2, 'a': 1})"),
        ("functools.partial(max, 1)", "functools.partial(max, 1)"),
        ("operator.itemgetter('a')", "operator.itemgetter('a')"),
        ("lambda x: x + 1", "lambda x: (x + 1)  # one more"),
        ("range(0, 10, 3)", "range(0, 12, 3)"),
        ("re.compile('a+')", "re.compile('a+')"),
        ("ipaddress.ip_address('::1')", "ipaddress.ip_address('0:0:0:0:0:0:0:1')"),
        (
            "uuid.UUID('12345678123456781234567812345678')",
            "uuid.UUID('12345678-1234-5678-1234-567812345678')",
        ),
        ("memoryview(b'ab')", "memoryview(b'xab')[1:]"),
        ("ValueError('a', 1)", "ValueError('a', 1)"),
        ("io.BytesIO(b'a')", "io.BytesIO(b'a')"),
        ("string.Template('$a')", "string.Template('$a')"),
    ],
    "numpy": [
        ("np.arange(12.).reshape(3, 4)", "np.asfortranarray(np.arange(12.).reshape(3, 4))"),
        ("np.arange(0, 12, 2)", "np.arange(12)[::2]"),
        ("np.arange(40_000).reshape(200, 200).T", "np.arange(40_000).reshape(200, 200).T.copy()"),
        (
            "np.arange(200 * 300).reshape(200, 300).T[5:-7, ::3]",
            "np.arange(200 * 300).reshape(200, 300).T[5:-7, ::3].copy()",
        ),
        ("np.ones((2, 3, 4)).transpose(2, 0, 1)", "np.ones((4, 2, 3))"),
        ("np.broadcast_to(np.arange(3), (2, 3))", "np.array([[0, 1, 2], [0, 1, 2]])"),
        ("np.flip(np.arange(5))", "np.array([4, 3, 2, 1, 0])"),
        ("np.array([np.nan])", "np.array([np.nan])"),
        ("np.array(['NaT', '2024'], 'M8[D]')", "np.array(['NaT', '2024-01-01'], 'M8[D]')"),
        ("np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 3], mask=[0, 1])"),
        ("np.array([{'a': 1, 'b': 2}], object)", "np.array([{'b': 2, 'a': 1}], object)"),
        (
            "np.zeros(2, np.dtype([('a', 'i1'), ('b', 'f8')], align=True))",
            "np.zeros(2, [('a', 'i1'), ('b', 'f8')])",
        ),
        (
            "np.array(['a', 'bc'], np.dtypes.StringDType())",
            "np.array(['x', 'a', 'bc'], np.dtypes.StringDType())[1:]",
        ),
        ("[np.float32(1), np.float32(2)] * 9", "list(np.array([1, 2] * 9, 'f4'))"),
        ("np.random.default_rng(3)", "np.random.default_rng(3)"),
        ("np.void(b'ab')", "np.frombuffer(b'ab', 'V2')[0]"),
        ("np.polynomial.Polynomial([1, 2])", "np.polynomial.Polynomial([1, 2])"),
    ],
    "pandas": [
        (
            "pd.DataFrame({'a': [1, 2], 'b': [3, 4]})",
            "pd.DataFrame(np.array([[1, 3], [2, 4]]), columns=['a', 'b'])",
        ),
        ("pd.DataFrame({'a': [1, 2, 3]})[1:]", "pd.DataFrame({'a': [2, 3]}, index=range(1, 3))"),
        ("pd.DataFrame({'a': [1.5]}).T", "pd.DataFrame([[1.5]], index=['a'], columns=range(1))"),
        (
            "pd.concat([pd.Series(['a']), pd.Series(['b'])], ignore_index=True)",
            "pd.Series(['a', 'b'])",
        ),
        ("pd.Series(['a', None], dtype='string')", "pd.Series(['a', pd.NA], dtype='string')"),
        (
            "pd.Series(['a', 'b', 'a'], dtype='category')",
            "pd.Series(['a', 'b', 'a']).astype('category')",
        ),
        (
            "pd.Series(pd.array([1, None], dtype='Int64'))",
            "pd.Series(pd.arrays.IntegerArray(np.array([1, 9]), np.array([False, True])))",
        ),
        ("pd.Series(['a', {'k': 1}], dtype=object)", "pd.Series(['a', {'k': 1}], dtype=object)"),
        (
            "pd.to_datetime(['2024-01-01']).tz_localize('UTC')",
            "pd.to_datetime(['2024-01-01'], utc=True)",
        ),
        (
            "pd.MultiIndex.from_product([['a', 'b'], [1]])[1:]",
            "pd.MultiIndex.from_tuples([('b', 1)])",
        ),
        ("pd.Timestamp('2024-01-01')", "pd.Timestamp('2024-01-02') - pd.offsets.Day(1)"),
        (
            "pd.period_range('2024', periods=2, freq='M')",
            "pd.PeriodIndex(['2024-01', '2024-02'], freq='M')",
        ),
        ("pd.Interval(0, 1)", "pd.Interval(0, 1)"),
        ("pd.offsets.MonthEnd(2)", "pd.offsets.MonthEnd(2)"),
        (
            "pd.Series(pd.arrays.SparseArray([0, 1, 0]))",
            "pd.Series(pd.arrays.SparseArray([0, 0, 1]))[[0, 2, 1]].reset_index(drop=True)",
        ),
    ],
    "polars": [
        (
            "pl.DataFrame({'a': [1, 2]})",
            "pl.concat([pl.DataFrame({'a': [1]}), pl.DataFrame({'a': [2]})], rechunk=False)",
        ),
        ("pl.Series(['a', None, 'b'])", "pl.Series(['x', 'a', None, 'b'])[1:]"),
        ("pl.Series(['a' * 40, 'b'])", "pl.Series(['b', 'a' * 40]).reverse()"),
        (
            "pl.Series(['b', 'a', None, 'b'], dtype=pl.Categorical)",
            "pl.Series(['a', 'b', 'a', None, 'b'], dtype=pl.Categorical)[1:]",
        ),
        ("pl.Series([[1], None, [2, 3]])", "pl.Series([[0], [1], None, [2, 3]])[1:]"),
        ("pl.Series([{'u': 1}])", "pl.Series([{'u': 1}])"),
        ("pl.Series([1.5, None])", "pl.Series([1.5, 2.5]).set(pl.Series([False, True]), None)"),
        ("pl.Series([datetime.date(2024, 1, 1)])", "pl.Series([datetime.date(2024, 1, 1)])"),
        ("pl.col('a') + 1", "pl.col('a') + 1"),
    ],
    "pyarrow": [
        (
            "pa.table({'a': [1, 2]})",
            "pa.concat_tables([pa.table({'a': [1]}), pa.table({'a': [2]})])",
        ),
        ("pa.array(['a', None])", "pa.array(['x', 'a', None])[1:]"),
        (
            "pa.array(['a', 'b'], pa.string_view())",
            "pa.array(['x', 'a', 'b'], pa.string_view())[1:]",
        ),
        (
            "pa.array(['a', None, 'b' * 20], pa.string_view())",
            "pa.array(['x', 'a', None, 'b' * 20], pa.string_view())[1:]",
        ),
        (
            "pa.array([1, None])",
            "pa.Array.from_buffers(pa.int64(), 2, "
            "[pa.py_buffer(b'\\x01'), pa.py_buffer(bytes([1] + [0] * 7 + [9] * 8))])",
        ),
        (
            "pa.DictionaryArray.from_arrays([0, 1, 0], ['a', 'b'])",
            "pa.DictionaryArray.from_arrays([2, 0, 2], ['b', 'unused', 'a'])",
        ),
        (
            "pa.DictionaryArray.from_arrays([0, 1], ['a', 'a'])",
            "pa.DictionaryArray.from_arrays([1, 1], ['b', 'a'])",
        ),
        (
            "pa.chunked_array([pa.array(['a', 'b']).dictionary_encode()])",
            "pa.chunked_array([pa.array([t]).dictionary_encode() for t in 'ab'])",
        ),
        ("pa.array([[1], None, [2, 3]])", "pa.array([[9], [1], None, [2, 3]])[1:]"),
        ("pa.array([decimal.Decimal('1.5')])", "pa.array([decimal.Decimal('1.5')])"),
        (
            "pa.array([[('k', 1)]], pa.map_(pa.string(), pa.int64()))",
            "pa.array([[('k', 1)]], pa.map_(pa.string(), pa.int64()))",
        ),
        (
            "pa.record_batch({'a': [True, False]})",
            "pa.record_batch({'a': [False, True, False]})[1:]",
        ),
        ("pa.scalar(1)", "pa.array([1])[0]"),
    ],
    "scipy.sparse": [
        ("sp.csr_array(np.eye(3))", "sp.csr_array(np.asfortranarray(np.eye(3)))"),
        ("sp.coo_array(([1, 2], ([0, 1], [0, 1])))", "sp.coo_array(([2, 1], ([1, 0], [1, 0])))"),
        ("sp.coo_array(([3], ([0], [0])))", "sp.coo_array(([1, 2], ([0, 0], [0, 0])))"),
        ("sp.csc_matrix(np.eye(2))", "sp.eye(2, format='csc').asformat('csc')"),
    ],
    "matplotlib": [
        ("figure()", "figure()"),
        ("figure()", "drawn(figure())"),
        ("figure().axes[0]", "figure().axes[0]"),
    ],
    "sklearn": [
        ("Ridge(alpha=2.0)", "Ridge(alpha=2.0)"),
        ("fitted(Ridge())", "fitted(Ridge())"),
        ("fitted(Tree(random_state=0))", "fitted(Tree(random_state=0))"),
        ("make_pipeline(Scaler(), Ridge())", "make_pipeline(Scaler(), Ridge())"),
    ],
    "PIL": [
        ("Image.new('RGB', (2, 3), 'red')", "Image.new('RGB', (2, 3), (255, 0, 0))"),
        ("Image.new('L', (2, 2), 7)", "reopened(Image.new('L', (2, 2), 7))"),
    ],
    "torch": [
        ("torch.arange(6.).reshape(2, 3).T", "torch.arange(6.).reshape(2, 3).T.contiguous()"),
        ("torch.zeros(4)[::2]", "torch.zeros(2)"),
        ("torch.tensor([float('nan')])", "torch.tensor([float('nan')])"),
        ("torch.ones(2, dtype=torch.bfloat16)", "torch.ones(4, dtype=torch.bfloat16)[:2]"),
        ("seeded(lambda: torch.nn.Linear(2, 2))", "seeded(lambda: torch.nn.Linear(2, 2))"),
    ],
}

DIFFERENT: dict[str, Pairs] = {
    STANDARD: [
        ("['a-b', 'c']", "['a', 'b-c']"),
        ("['a\\0', 'b']", "['a', '\\0b']"),
        ("['a\\0b']", "['a', 'b']"),
        ("1", "True"),
        ("1", "1.0"),
        ("0.0", "-0.0"),
        ("'1'", "1"),
        ("[1]", "(1,)"),
        ("{1}", "frozenset({1})"),
        ("{(1,): 0}", "{(True,): 0}"),
        ("[[1, 2], [3]]", "[[1], [2, 3]]"),
        ("{'a': 'b'}", "{'b': 'a'}"),
        ("Point(1, 2)", "Point(2, 1)"),
        ("Point(1, 2)", "Frozen(1, 2)"),
        ("[Frozen(n, 'a') for n in range(9)]", "[Frozen(n, 'a') for n in range(8, -1, -1)]"),
        ("Point(1, 2)", "(1, 2)"),
        ("Colour.RED", "1"),
        ("Mode.A", "Mode.A | Mode.B"),
        ("pathlib.Path('a')", "'a'"),
        ("decimal.Decimal('1.0')", "decimal.Decimal('1.00')"),
        ("fractions.Fraction(1, 2)", "0.5"),
        ("datetime.datetime(2024, 1, 1)", "datetime.date(2024, 1, 1)"),
        ("datetime.datetime(2024, 1, 1)", "datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)"),
        ("zoneinfo.ZoneInfo('UTC')", "zoneinfo.ZoneInfo('Europe/Paris')"),
        ("collections.OrderedDict(a=1, b=2)", "collections.OrderedDict(b=2, a=1)"),
        ("collections.defaultdict(int)", "collections.defaultdict(list)"),
        ("collections.deque([1, 2])", "collections.deque([2, 1])"),
        ("collections.ChainMap({'a': 1})", "collections.ChainMap({}, {'a': 1})"),
        ("functools.partial(max, 1)", "functools.partial(min, 1)"),
        ("lambda x: x + 1", "lambda x: x + 2"),
        ("ValueError('a')", "TypeError('a')"),
        ("re.compile('a')", "re.compile('a', re.M)"),
        ("b'a'", "bytearray(b'a')"),
        ("array.array('i', [1])", "array.array('h', [1])"),
    ],
    "numpy": [
        ("np.arange(9).reshape(3, 3)", "np.arange(9).reshape(3, 3).T"),
        ("np.arange(6).reshape(2, 3)", "np.arange(6).reshape(3, 2)"),
        ("np.zeros((0, 2))", "np.zeros((2, 0))"),
        ("np.zeros(2, 'i4')", "np.zeros(2, 'f4')"),
        ("np.zeros(2, 'i4')", "np.zeros(1, 'i8')"),
        ("np.array([1], '<i4')", "np.array([1], '>i4')"),
        ("np.array([0.0])", "np.array([-0.0])"),
        ("np.array(['a'], 'U1')", "np.array(['a'], 'U2')"),
        ("np.array(['a'])", "np.array(['a'], object)"),
        ("np.array([1], 'M8[s]')", "np.array([1], 'M8[ms]')"),
        ("np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[1, 0])"),
        ("np.ma.array([1, 2])", "np.array([1, 2])"),
        ("np.array([1, 'a'], object)", "np.array([True, 'a'], object)"),
        ("np.zeros(1, [('a', 'i4')])", "np.zeros(1, [('b', 'i4')])"),
        ("np.float64(1)", "1.0"),
        ("np.float64(1)", "np.array(1.0)"),
        ("np.random.default_rng(1)", "np.random.default_rng(2)"),
        ("np.arange(40_000).reshape(200, 200).T", "np.arange(40_000).reshape(200, 200)"),
        ("[np.float32(1)] * 9", "[np.float64(1)] * 9"),
    ],
    "pandas": [
        ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'b': [1]})"),
        ("pd.DataFrame({'a': [1], 'b': [2]})", "pd.DataFrame({'b': [2], 'a': [1]})"),
        ("pd.DataFrame({'a': [1, 2]})", "pd.DataFrame({'a': [1, 2]}, index=[1, 0])"),
        ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [1.0]})"),
        ("pd.DataFrame({'a': [1]})", "pd.DataFrame({'a': [1]}).rename_axis('n')"),
        ("pd.DataFrame({'a': [1]})", "pd.Series([1], name='a')"),
        ("pd.Series([1], name='a')", "pd.Series([1], name='b')"),
        ("pd.Series(['a', 'b'], dtype=object)", "pd.Series(['a', 'b'], dtype='string')"),
        ("pd.Series(['a-b', 'c'])", "pd.Series(['a', 'b-c'])"),
        ("pd.Series(['a', None], dtype=object)", "pd.Series(['a', np.nan], dtype=object)"),
        ("pd.Series(['a'], dtype='category')", "pd.Series(['a'])"),
        ("pd.Categorical(['a'], ['a', 'b'])", "pd.Categorical(['a'], ['b', 'a'])"),
        ("pd.Categorical(['a'])", "pd.Categorical(['a'], ordered=True)"),
        ("pd.array([1, None], dtype='Int64')", "pd.array([1, None], dtype='Float64')"),
        ("pd.to_datetime(['2024']).tz_localize('UTC')",
         "pd.to_datetime(['2024']).tz_localize('CET')"),
        ("pd.Timestamp('2024')", "pd.Timestamp('2024', tz='UTC')"),
        ("pd.MultiIndex.from_tuples([(1, 2)])", "pd.MultiIndex.from_tuples([(2, 1)])"),
        ("pd.MultiIndex.from_tuples([(1, 2)], names=['a', 'b'])",
         "pd.MultiIndex.from_tuples([(1, 2)], names=['b', 'a'])"),
        ("pd.offsets.Day(1)", "pd.offsets.Day(2)"),
        ("pd.Interval(0, 1)", "pd.Interval(0, 1, closed='left')"),
        ("pd.period_range('2024', periods=2, freq='M')",
         "pd.period_range('2024', periods=2, freq='D')"),
        ("pd.Series(pd.arrays.SparseArray([0, 1]))", "pd.Series([0, 1])"),
    ],
    "polars": [
        ("pl.DataFrame({'a': [1]})", "pl.DataFrame({'b': [1]})"),
        ("pl.DataFrame({'a': [1], 'b': [1]})", "pl.DataFrame({'b': [1], 'a': [1]})"),
        ("pl.Series([1])", "pl.Series([1], dtype=pl.Int32)"),
        ("pl.Series(['ab', 'c'])", "pl.Series(['a', 'bc'])"),
        ("pl.Series(['a' * 20, 'b'])", "pl.Series(['a' * 20, 'c'])"),
        ("pl.Series(['a', None])", "pl.Series(['a', ''])"),
        ("pl.Series(['a', 'b'], dtype=pl.Categorical)", "pl.Series(['a', 'b'])"),
        ("pl.Series(['a', 'b'], dtype=pl.Categorical)",
         "pl.Series(['b', 'a'], dtype=pl.Categorical)"),
        ("pl.Series(['a'], dtype=pl.Enum(['a', 'b']))",
         "pl.Series(['a'], dtype=pl.Enum(['b', 'a']))"),
        ("pl.Series([None, 'a'], dtype=pl.Categorical)",
         "pl.Series(['a', None], dtype=pl.Categorical)"),
        ("pl.Series([[1], [2, 3]])", "pl.Series([[1, 2], [3]])"),
        ("pl.Series([{'u': 1}])", "pl.Series([{'v': 1}])"),
        ("pl.DataFrame({'a': [1]})", "pl.Series('a', [1])"),
        ("pl.col('a') + 1", "pl.col('a') + 2"),
    ],
    "pyarrow": [
        ("pa.table({'a': [1]})", "pa.table({'b': [1]})"),
        ("pa.array([1])", "pa.array([1], pa.int32())"),
        ("pa.array(['ab', 'c'])", "pa.array(['a', 'bc'])"),
        ("pa.array(['ab', 'c'], pa.string_view())", "pa.array(['a', 'bc'], pa.string_view())"),
        ("pa.array(['a', None])", "pa.array(['a', ''])"),
        ("pa.array(['a'])", "pa.array(['a'], pa.large_string())"),
        ("pa.array(['a', 'b']).dictionary_encode()", "pa.array(['b', 'a']).dictionary_encode()"),
        ("pa.array([[1], [2, 3]])", "pa.array([[1, 2], [3]])"),
        ("pa.array([0], pa.timestamp('s'))", "pa.array([0], pa.timestamp('s', 'UTC'))"),
        ("pa.array([{'u': 1}])", "pa.array([{'u': 2}])"),
        ("pa.table({'a': [1]})", "pa.record_batch({'a': [1]})"),
        ("pa.scalar(1)", "pa.scalar(1, pa.int32())"),
    ],
    "scipy.sparse": [
        ("sp.csr_array(np.eye(3))", "sp.csc_array(np.eye(3))"),
        ("sp.csr_array(np.eye(3))", "sp.csr_matrix(np.eye(3))"),
        ("sp.csr_array(np.eye(3))", "sp.csr_array(2 * np.eye(3))"),
        ("sp.csr_array((2, 3))", "sp.csr_array((3, 2))"),
    ],
    "matplotlib": [
        ("figure()", "figure(end=5.0)"),
        ("figure()", "figure(end=4.0 + 1e-12)"),
        ("figure()", "figure(color='blue')"),
        ("figure()", "figure(label='x')"),
    ],
    "sklearn": [
        ("Ridge(alpha=2.0)", "Ridge(alpha=3.0)"),
        ("Ridge()", "fitted(Ridge())"),
        ("fitted(Tree(random_state=0))", "fitted(Tree(random_state=0, max_depth=1))"),
        ("make_pipeline(Scaler(), Ridge())", "make_pipeline(Ridge())"),
    ],
    "PIL": [
        ("Image.new('RGB', (2, 3))", "Image.new('RGB', (3, 2))"),
        ("Image.new('L', (2, 2))", "Image.new('P', (2, 2))"),
        ("Image.new('L', (2, 2))", "Image.new('L', (2, 2), 1)"),
    ],
    "torch": [
        ("torch.arange(9.).reshape(3, 3)", "torch.arange(9.).reshape(3, 3).T"),
        ("torch.zeros(2)", "torch.zeros(2, dtype=torch.float64)"),
        ("torch.zeros(2)", "torch.zeros(2, requires_grad=True)"),
        ("torch.zeros(2)", "torch.nn.Parameter(torch.zeros(2), requires_grad=False)"),
        ("torch.zeros(2)", "torch.zeros(1, 2)"),
        ("torch.zeros(2)", "np.zeros(2, 'f4')"),
        ("seeded(lambda: torch.nn.Linear(2, 2))", "seeded(lambda: torch.nn.Linear(2, 2), 1)"),
        ("torch.nn.Sequential(torch.nn.ReLU())", "torch.nn.Sequential(torch.nn.Tanh())"),
    ],
}  # fmt: skip

_SETUP: dict[str, str] = {
    STANDARD: f"import {STANDARD}\n"
    "class Colour(enum.Enum): RED = 1\n"
    "class Mode(enum.Flag): A = 1; B = 2\n"
    "@dataclasses.dataclass\nclass Point:\n x: object\n y: object\n"
    "@dataclasses.dataclass(frozen=True, slots=True)\nclass Frozen:\n x: object\n y: object\n",
    "numpy": "import numpy as np",
    "pandas": "import numpy as np, pandas as pd",
    "polars": "import datetime, polars as pl",
    "pyarrow": "import decimal, pyarrow as pa",
    "scipy.sparse": "import numpy as np, scipy.sparse as sp",
    "matplotlib": "from matplotlib.figure import Figure\n"
    "def figure(end=4.0, color='red', label=''):\n"
    " made = Figure(figsize=(2, 2))\n"
    " made.subplots().plot([1, 2, 3], [1.0, 2.0, end], color=color)\n"
    " made.axes[0].set_xlabel(label)\n"
    " return made\n"
    "def drawn(made):\n import io\n made.savefig(io.BytesIO())\n return made\n",
    "sklearn": "from sklearn.linear_model import Ridge\n"
    "from sklearn.tree import DecisionTreeRegressor as Tree\n"
    "from sklearn.preprocessing import StandardScaler as Scaler\n"
    "from sklearn.pipeline import make_pipeline\n"
    "def fitted(model): return model.fit([[1.0], [2.0], [4.0]], [1, 2, 3])\n",
    "PIL": "import io\nfrom PIL import Image\n"
    "def reopened(image):\n made = io.BytesIO()\n image.save(made, 'PNG')\n"
    " return Image.open(made)\n",
    "torch": "import numpy as np, torch\n"
    "def seeded(make, seed=0):\n torch.manual_seed(seed)\n return make()\n",
}


def each(table: dict[str, Pairs]) -> list[tuple[str, str, str]]:
    """Return the libraries of each pair, and the pair."""
    return [(lib, one, other) for lib, pairs in table.items() for one, other in pairs]


def has(libraries: str) -> bool:
    """Whether all libraries of a group are installed here."""
    return libraries == STANDARD or find_spec(libraries.partition(".")[0]) is not None


def made(libraries: str, source: str) -> Any:
    """Make a value; what it needs is imported as a notebook would."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(_SETUP[libraries], namespace)
    return eval(source, namespace)


def digests() -> dict[str, str]:
    """Return the digest of every value that can be made here, by its source."""
    digest = import_module("dagnb.values.fingerprint").digest
    pairs = each(ALIKE) + each(DIFFERENT)
    sources = {(libraries, source) for libraries, *pair in pairs for source in pair}
    return {source: digest(made(lib, source)) for lib, source in sorted(sources) if has(lib)}
