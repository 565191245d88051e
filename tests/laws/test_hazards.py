"""State that code reads without naming it as an input: seen, warned about, or to be declared.

Each row sets something up, defines a node that reads it, and edits it in a plain cell. A row of
``SEEN`` runs the node again. One of ``WARNED`` is said when the node is defined. One of
``INVISIBLE`` is neither, and the declaration beside it mends that.
"""

from __future__ import annotations

import fractions
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.notebook.conftest import Notebook, Ran, nb

__all__ = ["nb"]

pd = pytest.importorskip("pandas")
rc_context = pytest.importorskip("matplotlib").rc_context


@dataclass(frozen=True)
class Hazard:
    """Cells: one before, the node's, and an edit; what is said, or what has to be declared."""

    before: str
    node: str
    edit: str
    says: str = ""
    declare: str = ""


SEEN = {
    "helper": Hazard("def g(): return 1", "g()", "def g(): return 2"),
    "helper of a helper": Hazard(
        "def h(): return 1\ndef g(): return h()", "g()", "def h(): return 2"
    ),
    "global": Hazard("k = 1", "k", "k = 2"),
    "type of a global": Hazard("k = 1", "k", "k = True"),
    "global in place": Hazard("k = [1]", "sum(k)", "k.append(2)"),
    "global that goes": Hazard(
        "k = 1\ndef g():\n try: return k\n except NameError: return 0", "g()", "del k"
    ),
    "global that comes": Hazard(
        "def g():\n try: return k\n except NameError: return 0", "g()", "k = 2"
    ),
    "closure": Hazard(
        "def make(n):\n def get(): return n[0]\n return get\ncell = [1]\nget = make(cell)",
        "get()",
        "cell[0] = 2",
    ),
    "closure of a closure": Hazard(
        "def a(x):\n def b():\n  def c(): return x[0]\n  return c\n return b\nl = [1]\nf = a(l)()",
        "f()",
        "l[0] = 2",
    ),
    "default": Hazard("def g(x=1): return x", "g()", "g.__defaults__ = (2,)"),
    "mutable default": Hazard(
        "def g(x=[1]): return sum(x)", "g()", "g.__defaults__[0].append(2)"
    ),
    "keyword default": Hazard("def g(*, x=1): return x", "g()", "g.__kwdefaults__ = {'x': 2}"),
    "keyword default in place": Hazard(
        "def g(*, x=1): return x", "g()", "g.__kwdefaults__['x'] = 2"
    ),
    "function as a default": Hazard(
        "def h(): return 1\ndef g(h=h): return h()", "g()", "h.__code__ = (lambda: 2).__code__"
    ),
    "class": Hazard(
        "class K:\n def f(self): return 1", "K().f()", "class K:\n def f(self): return 2"
    ),
    "method put in": Hazard(
        "class K:\n def f(self): return 1", "K().f()", "K.f = lambda self: 2"
    ),
    "class method": Hazard(
        "class K:\n @classmethod\n def f(c): return 1", "K.f()", "K.f = classmethod(lambda c: 2)"
    ),
    "static method": Hazard(
        "class K:\n @staticmethod\n def f(): return 1", "K.f()", "K.f = staticmethod(lambda: 2)"
    ),
    "base class": Hazard(
        "class B:\n def f(self): return 1\nclass K(B): pass", "K().f()", "B.f = lambda self: 2"
    ),
    "super": Hazard(
        "class A:\n def f(s): return 1\nclass B(A):\n def f(s): return super().f()",
        "B().f()",
        "A.f = lambda s: 2",
    ),
    "metaclass": Hazard(
        "class M(type):\n def __call__(c): return 1\nclass K(metaclass=M): pass",
        "K()",
        "M.__call__ = lambda c: 2",
    ),
    "subclass hook": Hazard(
        "class A:\n def __init_subclass__(c): c.v = 1\nclass B(A): pass", "B.v", "B.v = 2"
    ),
    "decorator": Hazard(
        "k = 1\ndef d(f):\n def w(): return f() * k\n return w\n@d\ndef g(): return 1",
        "g()",
        "k = 2",
    ),
    "decorator of a library": Hazard(
        "import contextlib\nk = 1\n@contextlib.contextmanager\ndef g(): yield k",
        "with g() as v:\n    pass\nv",
        "k = 2",
    ),
    "partial": Hazard(
        "import functools\nk = 1\ndef f(x): return x * k\ng = functools.partial(f, 1)",
        "g()",
        "k = 2",
    ),
    "argument of a partial": Hazard(
        "import functools\nl = [1]\ng = functools.partial(sum, l)", "g()", "l.append(1)"
    ),
    "dispatch by a dict": Hazard("t = {'a': lambda: 1}", "t['a']()", "t['a'] = lambda: 2"),
    "dispatch by dicts": Hazard(
        "k = 1\ndef f(): return k\nt = {'a': {'b': f}}", "t['a']['b']()", "k = 2"
    ),
    "lambda in a dict": Hazard("k = 1\nt = {'a': lambda: k}", "t['a']()", "k = 2"),
    "dispatch by type": Hazard(
        "import functools\nk = 1\n@functools.singledispatch\ndef g(x): return 0\n"
        "@g.register\ndef _(x: int): return k",
        "g(1)",
        "k = 2",
    ),
    "another type to dispatch": Hazard(
        "import functools\n@functools.singledispatch\ndef g(x): return 1",
        "g(1)",
        "g.register(int, lambda x: 2)",
    ),
    "nested function": Hazard(
        "k = 1\ndef g():\n def i(): return k\n return i()", "g()", "k = 2"
    ),
    "comprehension": Hazard("k = 1", "[k for _ in range(2)]", "k = 2"),
    "generator expression": Hazard(
        "k = 1\ndef g(): return sum(k for _ in range(2))", "g()", "k = 2"
    ),
    "generator function": Hazard("def g(): yield 1", "list(g())", "def g(): yield 2"),
    "coroutine": Hazard(
        "async def g(): return 1", "await g()", "async def g(): return 2"
    ),
    "class attribute": Hazard("class K: v = 1", "K.v", "K.v = 2"),
    "class attribute in place": Hazard("class K: v = [1]", "K.v[0]", "K.v[0] = 2"),
    "new class attribute": Hazard("class K: pass", "getattr(K, 'v', 1)", "K.v = 2"),
    "attribute of an object": Hazard("class K: pass\no = K()\no.v = 1", "o.v", "o.v = 2"),
    "slot of an object": Hazard(
        "class K:\n __slots__ = ('v',)\no = K()\no.v = 1", "o.v", "o.v = 2"
    ),
    "class of an object": Hazard(
        "class K:\n def f(s): return 1\no = K()", "o.f()", "K.f = lambda s: 2"
    ),
    "class of an object in a list": Hazard(
        "class K:\n def f(s): return 1\nl = [K()]", "l[0].f()", "K.f = lambda s: 2"
    ),
    "global of a method": Hazard(
        "k = 1\nclass K:\n def f(s): return k\no = K()", "o.f()", "k = 2"
    ),
    "bound method": Hazard(
        "class K:\n def __init__(s): s.v = 1\n def f(s): return s.v\no = K()\nm = o.f",
        "m()",
        "o.v = 2",
    ),
    "property": Hazard(
        "class K:\n @property\n def v(s): return 1\no = K()", "o.v", "K.v = property(lambda s: 2)"
    ),
    "cached property": Hazard(
        "import functools\nk = 1\nclass K:\n @functools.cached_property\n def v(s): return k",
        "K().v",
        "k = 2",
    ),
    "descriptor": Hazard(
        "class D:\n def __init__(s, v): s.v = v\n def __get__(s, o, t): return s.v\n"
        "class K: x = D(1)\no = K()",
        "o.x",
        "vars(K)['x'].v = 2",
    ),
    "__getattr__": Hazard(
        "k = 1\nclass K:\n def __getattr__(s, n):\n  if n[:1] == '_': raise AttributeError(n)\n"
        "  return k\no = K()",
        "o.anything",
        "k = 2",
    ),
    "__call__": Hazard(
        "class K:\n def __call__(s): return 1\no = K()", "o()", "K.__call__ = lambda s: 2"
    ),
    "getattr by a string": Hazard("class K: a = 1", "getattr(K, 'a')", "K.a = 2"),
    "attribute of a function": Hazard("def g(): pass\ng.k = 1", "g.k", "g.k = 2"),
    "cached function": Hazard(
        "import functools\nk = 1\n@functools.cache\ndef g(): return k",
        "g()",
        "k = 2\ng.cache_clear()",
    ),
    "enum": Hazard(
        "import enum\nclass E(enum.Enum): A = 1",
        "E.A.value",
        "class E(enum.Enum): A = 2",
    ),
    "default of a field": Hazard(
        "import dataclasses\n@dataclasses.dataclass\nclass K: v: int = 1",
        "K().v",
        "@dataclasses.dataclass\nclass K: v: int = 2",
    ),
    "named tuple": Hazard(
        "from collections import namedtuple\nT = namedtuple('T', 'a', defaults=[1])",
        "T().a",
        "T = namedtuple('T', 'a', defaults=[2])",
    ),
    "class made by type()": Hazard(
        "K = type('K', (), {'f': lambda s: 1})", "K().f()", "K.f = lambda s: 2"
    ),
    "builtin in the shade": Hazard("pass", "len([1])", "len = lambda x: 2"),
    "frame in place": Hazard(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1]})",
        "int(df.a.sum())",
        "df.loc[0, 'a'] = 5",
    ),
    "array in place": Hazard(
        "import numpy as np\nx = np.zeros(2)", "float(x.sum())", "x[0] = 5"
    ),
    "random generator": Hazard(
        "import random\nrng = random.Random(0)", "rng.getstate()[1][1]", "rng.seed(1)"
    ),
    "variable put into a library": Hazard(
        "import fractions", "fractions.Fraction(1, 2)", "fractions.Fraction = lambda *a: 2"
    ),
    "file of a module": Hazard(
        "import hazard_module", "hazard_module.k", "import importlib\n"
        "pathlib.Path(hazard_module.__file__).write_text('k = 22')\n"
        "importlib.reload(hazard_module)",
    ),
    "variable of a module": Hazard(
        "import hazard_module", "hazard_module.k", "hazard_module.k = 2"
    ),
    "variable of a module, imported within": Hazard(
        "import hazard_module", "from hazard_module import k\nk", "hazard_module.k = 2"
    ),
    "function of a module": Hazard(
        "from hazard_module import get", "get()", "import hazard_module\nhazard_module.k = 2"
    ),
    "bases of a class": Hazard(
        "class A: v = 1\nclass B: v = 2\nclass C(A): pass", "C.v", "C.__bases__ = (B,)"
    ),
    "class of an object swapped": Hazard(
        "class A: v = 1\nclass B: v = 2\no = A()", "o.v", "o.__class__ = B"
    ),
    "operator": Hazard(
        "class V:\n def __add__(s, o): return 1\na = V()", "a + a", "V.__add__ = lambda s, o: 2"
    ),
    "context manager": Hazard(
        "k = 1\nclass C:\n def __enter__(s): return k\n def __exit__(s, *a): pass",
        "with C() as v:\n    pass\nv",
        "k = 2",
    ),
    "attribute by a getter": Hazard(
        "import operator\nclass K: v = 1\nget = operator.attrgetter('v')", "get(K)", "K.v = 2"
    ),
    "counter in a closure": Hazard(
        "def make():\n n = 0\n def add():\n  nonlocal n\n  n += 1\n def get(): return n\n"
        " return add, get\nadd, get = make()",
        "get()",
        "add()",
    ),
    "view of an array": Hazard(
        "import numpy as np\nx = np.zeros(3)\nview = x[1:]", "float(view.sum())", "x[1] = 5"
    ),
    "dictionary behind a proxy": Hazard(
        "from types import MappingProxyType\nd = {'a': 1}\nm = MappingProxyType(d)",
        "m['a']",
        "d['a'] = 2",
    ),
    "global of a function that exec made": Hazard(
        "ns = {'k': 1}\nexec('def f(): return k', ns)\nf = ns['f']", "f()", "ns['k'] = 2"
    ),
    "default factory": Hazard(
        "from collections import defaultdict\nk = 1\nd = defaultdict(lambda: k)",
        "d.copy()['a']",
        "k = 2",
    ),
    "vectorized function": Hazard(
        "import numpy as np\nk = 1\nf = np.vectorize(lambda x: x * k)", "int(f(1))", "k = 2"
    ),
    "setting of a vectorized function that was called": Hazard(
        "import numpy as np\nf = np.vectorize(lambda x: x, otypes=['f8'])",
        "f([1]).dtype.str",
        "f.otypes = 'i'",
    ),
    "union of types": Hazard("U = int | str", "str(U)", "U = int | bytes"),
    "new type": Hazard(
        "import typing\nId = typing.NewType('Id', int)",
        "Id.__supertype__.__name__",
        "Id = typing.NewType('Id', str)",
    ),
    "bound of a type variable": Hazard(
        "import typing\nT = typing.TypeVar('T', bound=int)",
        "T.__bound__.__name__",
        "T = typing.TypeVar('T', bound=str)",
    ),
    "value of a member of an enum, in place": Hazard(
        "import enum\nclass E(enum.Enum): A = [1]", "len(E.A.value)", "E.A.value.append(2)"
    ),
    "name of a column": Hazard(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1]})", "list(df)", "df.columns = ['b']"
    ),
    "variable of a module by a string": Hazard(
        "import hazard_module", "getattr(hazard_module, 'k')", "hazard_module.k = 2"
    ),
    "variable of a module in a list": Hazard(
        "import hazard_module\nmodules = [hazard_module]",
        "[each.k for each in modules]",
        "hazard_module.k = 2",
    ),
    "variable of a module handed on": Hazard(
        "import hazard_module\ndef read(module): return module.k",
        "read(hazard_module)",
        "hazard_module.k = 2",
    ),
    "variable of a module that an object holds": Hazard(
        "import hazard_module\nclass K: pass\no = K()\no.m = hazard_module",
        "o.m.k",
        "hazard_module.k = 2",
    ),
    "variable of a module, first imported within": Hazard(
        "pass",
        "import hazard_module as m\nm.get()",
        "import hazard_module\nhazard_module.k = 2",
    ),
    "name that a helper is the first to import": Hazard(
        "def g():\n from hazard_module import k\n return k",
        "g()",
        "import hazard_module\nhazard_module.k = 2",
    ),
    "module imported within, read by a comprehension": Hazard(
        "import hazard_module",
        "import hazard_module as m\n[m.k for _ in 'a']",
        "hazard_module.k = 2",
    ),
    "module that a helper imports, read by a function within": Hazard(
        "import hazard_module\ndef g():\n import hazard_module as m\n return (lambda: m.k)()",
        "g()",
        "hazard_module.k = 2",
    ),
    "module imported by a class": Hazard(
        "import hazard_module",
        "class C:\n    import hazard_module as m\n    k = m.k\nC.k",
        "hazard_module.k = 2",
    ),
    "module of a package, imported within": Hazard(
        "import hazard_package.part",
        "import hazard_package.part\nhazard_package.part.k",
        "hazard_package.part.k = 2",
    ),
    "module of a package under another name": Hazard(
        "import hazard_package.part",
        "import hazard_package.part as m\nm.k",
        "hazard_package.part.k = 2",
    ),
    "module of a package, first imported within": Hazard(
        "import hazard_package",
        "import hazard_package.part\nhazard_package.part.k",
        "hazard_package.part.k = 2",
    ),
    "name that a module makes up": Hazard(
        "import hazard_package", "hazard_package.anything", "hazard_package.made['anything'] = 2"
    ),
    "star import": Hazard(
        "from hazard_module import *", "get()", "import hazard_module\nhazard_module.k = 2"
    ),
    "class of a module patched": Hazard(
        "from hazard_module import C", "C().f()", "C.f = lambda s: 2"
    ),
    "name in a query of pandas": Hazard(
        "import pandas as pd\nlimit = 1\ndf = pd.DataFrame({'a': [1, 2]})",
        "len(df.query('a > @limit'))",
        "limit = 0",
    ),
    "name in a query of a helper": Hazard(
        "import pandas as pd\nlimit = 1\ndf = pd.DataFrame({'a': [1, 2]})\n"
        "def g(): return len(df.query('a > @limit'))",
        "g()",
        "limit = 0",
    ),
    "name in an expression of pandas": Hazard(
        "import pandas as pd\nk = 1", "int(pd.eval('k + 1'))", "k = 5"
    ),
    "name in a shell command": Hazard("word = 'a'", "said = !echo $word\n[*said]", "word = 'b'"),
    "expression in a shell command": Hazard(
        "words = ['a']", "said = !echo {words[0]}\n[*said]", "words[0] = 'b'"
    ),
    "name in a magic": Hazard("k = 1", "%time k + 1", "k = 2"),
    "table in a query": Hazard(
        "import polars as pl\ndf = pl.DataFrame({'a': [1, 2]})",
        "len(pl.sql('SELECT * FROM df').collect())",
        "df = df[:1]",
    ),
    "registry of a decorator": Hazard(
        "known = {}\ndef keep(f):\n known[f.__name__] = f\n return f\n@keep\ndef a(): return 1",
        "[f() for f in known.values()]",
        "@keep\ndef a(): return 2",
    ),
    "registry of subclasses": Hazard(
        "class B:\n known = []\n def __init_subclass__(c): B.known.append(c.__name__)",
        "list(B.known)",
        "class C(B): pass",
    ),
    "state of a decorator": Hazard(
        "class D:\n def __init__(s, f): s.f, s.k = f, 1\n def __call__(s): return s.f() * s.k\n"
        "@D\ndef g(): return 1",
        "g()",
        "g.k = 2",
    ),
    "partial method": Hazard(
        "import functools\nk = 1\nclass K:\n def f(s, x): return x * k\n"
        " g = functools.partialmethod(f, 2)",
        "K().g()",
        "k = 2",
    ),
    "factory of a field": Hazard(
        "import dataclasses\nk = 1\n@dataclasses.dataclass\n"
        "class K: v: list = dataclasses.field(default_factory=lambda: [k])",
        "K().v",
        "k = 2",
    ),
    "member of an enum": Hazard(
        "import enum\nclass E(enum.Enum):\n A = 1\n def f(s): return 1\ne = E.A",
        "e.f()",
        "E.f = lambda s: 2",
    ),
    "chain of maps": Hazard(
        "from collections import ChainMap\nbase = {'a': 1}\nm = ChainMap({}, base)",
        "m['a']",
        "base['a'] = 2",
    ),
    "column put in": Hazard(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1]})", "df.shape", "df['b'] = 2"
    ),
    "name of an index": Hazard(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1]})",
        "str(df.index.name)",
        "df.index.name = 'i'",
    ),
    "mask of an array": Hazard(
        "import numpy as np\nx = np.ma.array([1, 2])", "int(x.sum())", "x[0] = np.ma.masked"
    ),
    "object in an array": Hazard(
        "import numpy as np\nx = np.array([[1], None], dtype=object)",
        "len(x[0])",
        "x[0].append(2)",
    ),
    "file mapped into memory": Hazard(
        "import numpy as np\nx = np.memmap('mapped', dtype='f8', mode='w+', shape=(3,))",
        "float(x.sum())",
        "x[0] = 5",
    ),
    "estimator fitted again": Hazard(
        "from sklearn.linear_model import LinearRegression\n"
        "model = LinearRegression().fit([[0], [1]], [0, 1])",
        "round(float(model.predict([[2]])[0]))",
        "model.fit([[0], [1]], [0, 2])",
    ),
    "function of a transformer": Hazard(
        "from sklearn.preprocessing import FunctionTransformer\nk = 1\n"
        "t = FunctionTransformer(lambda x: x * k)",
        "t.transform(1)",
        "k = 2",
    ),
    "value of a widget": Hazard(
        "import ipywidgets\nslider = ipywidgets.IntSlider(1)", "slider.value", "slider.value = 2"
    ),
    "pixel of an image": Hazard(
        "from PIL import Image\nimage = Image.new('L', (2, 2))",
        "image.getpixel((0, 0))",
        "image.putpixel((0, 0), 5)",
    ),
    "setting taken from a library": Hazard(
        "from matplotlib import rcParams",
        "rcParams['font.size']",
        "rcParams['font.size'] = rcParams['font.size'] + 1",
    ),
    "variable of the same name, spared by a short circuit": Hazard(
        "k, is_set = 1, False", "is_set and (k := 5)\nk", "k = 2"
    ),
    "private name in a class": Hazard(
        "_K__k = 1", "class K:\n def f(s): return __k\nK().f()", "_K__k = 2"
    ),
    "function of a library patched": Hazard(
        "import json", "json.dumps(1)", "json.dumps = lambda x: '2'"
    ),
}  # fmt: skip

WARNED = {
    "eval": Hazard("k = 1", "eval('k')", "k = 2", "eval() hides", "--depends k"),
    "exec": Hazard(
        "k = 1",
        "ns = {'g': globals()}\nexec('v = g[\"k\"]', ns)\nns['v']",
        "k = 2",
        "exec() hides",
        "--depends k",
    ),
    "module by its name": Hazard(
        "import importlib, hazard_module",
        "importlib.import_module('hazard_module').k",
        "hazard_module.k = 2",
        "importlib.import_module hides",
        "--depends hazard_module.k",
    ),
    "table of modules": Hazard(
        "import sys, hazard_module",
        "sys.modules['hazard_module'].k",
        "hazard_module.k = 2",
        "sys.modules hides",
        "--depends hazard_module.k",
    ),
    "globals()": Hazard("k = 1", "globals()['k']", "k = 2", "globals() hides", "--depends k"),
    "globals of a function": Hazard(
        "k = 1\ndef g(): return 0",
        "g.__globals__['k']",
        "k = 2",
        ".__globals__ hides what is read from it",
        "--depends k",
    ),
    "globals of a frame": Hazard(
        "import sys\nk = 1",
        "frame = sys._getframe()\nframe.f_globals['k']",
        "k = 2",
        "sys._getframe hides",
        "--depends k",
    ),
    "variables of the shell": Hazard(
        "k = 1",
        "get_ipython().user_ns['k']",
        "k = 2",
        ".user_ns hides what is read from it",
        "--depends k",
    ),
    "what a cell has shown": Hazard(
        "k = 1", "Out.get(99)", "k = Out[99] = 2", "Out grows with each cell", "--depends k"
    ),
    "eval of builtins": Hazard(
        "import builtins\nk = 1",
        "builtins.eval('k')",
        "k = 2",
        "builtins.eval hides",
        "--depends k",
    ),
    "os.environ": Hazard(
        "import os\nos.environ['DAGNB_H'] = '1'",
        "os.environ['DAGNB_H']",
        "os.environ['DAGNB_H'] = '2'",
        "os.environ reads the environment",
        "--env DAGNB_H",
    ),
    "os.getenv in a helper": Hazard(
        "import os\nos.environ['DAGNB_H'] = '1'\ndef g(): return os.getenv('DAGNB_H')",
        "g()",
        "os.environ['DAGNB_H'] = '2'",
        "os.getenv reads the environment",
        "--env DAGNB_H",
    ),
    "open": Hazard(
        "pathlib.Path('rows.csv').write_text('1')",
        "with open('rows.csv') as file:\n    text = file.read()\ntext",
        "pathlib.Path('rows.csv').write_text('22')",
        "n read rows.csv, not among its inputs",
        "--files rows.csv",
    ),
    "path": Hazard(
        "import pathlib\np = pathlib.Path('rows.csv')\np.write_text('1')",
        "p.read_text()",
        "p.write_text('22')",
        "n read rows.csv",
        "--files '*.csv'",
    ),
    "read_csv": Hazard(
        "import pandas as pd\npathlib.Path('rows.csv').write_text('a\\n1')",
        "len(pd.read_csv('rows.csv'))",
        "pathlib.Path('rows.csv').write_text('a\\n1\\n2')",
        "n read rows.csv",
        "--files rows.csv",
    ),
    "database": Hazard(
        "import sqlite3\npathlib.Path('my.db').touch()",
        "sqlite3.connect('my.db').close()\n1",
        "pathlib.Path('my.db').write_text('rows')",
        "n read my.db",
        "--files my.db",
    ),
    "folder of many files": Hazard(
        "for i in range(5):\n    pathlib.Path(f'{i}.txt').write_text('1')",
        "sum(int(each.read_text()) for each in pathlib.Path().glob('*.txt'))",
        "pathlib.Path('5.txt').write_text('1')",
        "n read 5 files *.txt, not among its inputs",
        "--files '*.txt'",
    ),
    "read_csv of polars": Hazard(
        "import polars as pl\npathlib.Path('rows.csv').write_text('a\\n1')",
        "len(pl.read_csv('rows.csv'))",
        "pathlib.Path('rows.csv').write_text('a\\n1\\n2')",
        "n read rows.csv",
        "--files rows.csv",
    ),
    "files of a pattern, read by polars": Hazard(
        "import polars as pl\nFILES = 'rows*.csv'\npathlib.Path('rows1.csv').write_text('a\\n1')",
        "len(pl.read_csv(FILES))",
        "pathlib.Path('rows1.csv').write_text('a\\n1\\n2')",
        "n read rows1.csv",
        "--files 'rows*.csv'",
    ),
    "size of a file": Hazard(
        "import os\npathlib.Path('rows.csv').write_text('1')",
        "os.path.getsize('rows.csv')",
        "pathlib.Path('rows.csv').write_text('22')",
        "n read rows.csv",
        "--files rows.csv",
    ),
    "folder's listing": Hazard(
        "import os",
        "len(os.listdir())",
        "pathlib.Path('another').touch()",
        "n read ., not among its inputs",
        "--files .",
    ),
    "another machine": Hazard(
        "import socket\nday = 1",
        "len(socket.getaddrinfo('192.0.2.1', 80)) > 0",
        "day = 2",
        "n asked 192.0.2.1, whose answers may change",
        "--depends day",
    ),
    "function hidden in a ufunc": Hazard(
        "import numpy as np\nk = 1\nf = np.frompyfunc(lambda x: x * k, 1, 1)",
        "int(f(1))",
        "k = 2",
        "f counts by its type only",
        "--depends k",
    ),
    "split by chance": Hazard(
        "from sklearn.model_selection import train_test_split",
        "train_test_split([1, 2, 3, 4])",
        "",
        "train_test_split depends on chance; pass it random_state=",
    ),
    "estimator that draws": Hazard(
        "import sklearn.cluster", "sklearn.cluster.KMeans(2)", "", "KMeans depends on chance"
    ),
    "now of pandas": Hazard(
        "import pandas as pd", "pd.Timestamp.now()", "", "pd.Timestamp.now depends on the time"
    ),
    "today's date as text": Hazard(
        "import time", "time.strftime('%Y')", "", "time.strftime depends on the time"
    ),
    "time zone": Hazard("import time", "time.tzname", "", "time.tzname reads a setting"),
    "home folder": Hazard(
        "import os", "os.path.expanduser('~')", "", "os.path.expanduser reads a setting"
    ),
    "random": Hazard("import random", "random.random()", "", "random.random depends on chance"),
    "numpy's random": Hazard(
        "import numpy as np", "np.random.rand()", "", "np.random.rand depends on chance"
    ),
    "unseeded generator": Hazard(
        "import numpy as np", "float(np.random.default_rng().random())", "", "depends on chance"
    ),
    "time": Hazard("import time", "time.time()", "", "time.time depends on the time"),
    "now": Hazard(
        "from datetime import datetime", "datetime.now()", "", "datetime.now depends on the time"
    ),
    "uuid": Hazard("import uuid", "uuid.uuid4().hex", "", "uuid.uuid4 depends on chance"),
    "folder": Hazard("import os", "os.getcwd()", "", "os.getcwd reads a setting"),
    "locale": Hazard(
        "import locale", "locale.localeconv()['decimal_point']", "", "reads a setting"
    ),
    "arguments": Hazard("import sys", "len(sys.argv)", "", "sys.argv reads a setting"),
    "search path": Hazard("import sys", "len(sys.path)", "", "sys.path reads a setting"),
    "precision": Hazard(
        "import decimal", "decimal.getcontext().prec", "", "decimal.getcontext reads a setting"
    ),
    "option of pandas": Hazard(
        "import pandas as pd",
        "pd.get_option('display.width')",
        "",
        "pd.get_option reads a setting",
    ),
    "iterator": Hazard("it = iter([1, 2])", "next(it)", "", "it counts by its type only"),
    "weak reference": Hazard(
        "import weakref\nclass K: v = 1\no = K()\nr = weakref.ref(o)",
        "r().v",
        "o.v = 2",
        "r counts by its type only",
        "--depends o",
    ),
    "connection to a database": Hazard(
        "import sqlite3\nrows, con = 0, sqlite3.connect(':memory:')\n"
        "con.execute('create table t(x)')",
        "con.execute('select count(*) from t').fetchone()",
        "con.execute('insert into t values (1)')\nrows = 1",
        "con counts by its type only",
        "--depends rows",
    ),
    "array in a file": Hazard(
        "import numpy as np\nnp.save('x.npy', np.zeros(1))",
        "float(np.load('x.npy').sum())",
        "np.save('x.npy', np.ones(2))",
        "n read x.npy",
        "--files x.npy",
    ),
    "errors of numpy": Hazard(
        "import numpy as np", "np.geterr()['divide']", "", "np.geterr reads a setting"
    ),
    "filters of warnings": Hazard(
        "import warnings", "len(warnings.filters)", "", "warnings.filters reads a setting"
    ),
    "global seed of numpy": Hazard(
        "import numpy as np\nnp.random.seed(0)\nseed = 0",
        "float(np.random.rand())",
        "np.random.seed(1)\nseed = 1",
        "np.random.rand depends on chance",
    ),
    "context variable": Hazard(
        "import contextvars\ncv = contextvars.ContextVar('cv', default=1)",
        "cv.get()",
        "",
        "cv counts by its type only",
    ),
}

INVISIBLE = {
    "container of a module by a string": Hazard(
        "import hazard_module",
        "getattr(hazard_module, 'd')['a']",
        "hazard_module.d['a'] = 2",
        declare="--depends hazard_module.d",
    ),
    "what pickle leaves out of an object": Hazard(
        "class K:\n def __init__(s): s.v = 1\n def __getstate__(s): return {}\no = K()\nnote = 1",
        "o.v",
        "note = o.v = 2",
        declare="--depends note",
    ),
    "list of subclasses": Hazard(
        "class B: pass\nkinds = []",
        "len(B.__subclasses__())",
        "class C(B): pass\nkinds.append('C')",
        declare="--depends kinds",
    ),
    "accessor of pandas": Hazard(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\n"
        "@pd.api.extensions.register_dataframe_accessor('hazard')\n"
        "class Accessor:\n def __init__(s, df): pass\n def f(s): return 1",
        "df.hazard.f()",
        "Accessor.f = lambda s: 2",
        declare="--depends Accessor",
    ),
    "event": Hazard(
        "import threading\ne = threading.Event()\nhappened = 0",
        "e.is_set()",
        "e.set()\nhappened = 1",
        declare="--depends happened",
    ),
    "precision of decimals": Hazard(
        "import decimal\ncontext = decimal.getcontext()\ndigits = context.prec",
        "str(decimal.Decimal(1) / 3)",
        "digits = 9",
        declare="--depends digits",
    ),
    "how pandas shows numbers": Hazard(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1 / 3]})\nshown = 6",
        "str(df)",
        "shown = 2",
        declare="--depends shown",
    ),
    "how numpy shows numbers": Hazard(
        "import numpy as np\nx = np.array([1 / 3])\ndigits = 8",
        "str(x)",
        "digits = 3",
        declare="--depends digits",
    ),
    "flag of an array": Hazard(
        "import numpy as np\nx = np.zeros(2)\nis_open = True",
        "x.flags.writeable",
        "is_open = x.flags.writeable = False",
        declare="--depends is_open",
    ),
    "annotation put in place": Hazard(
        "def g(a: int): pass\nnote = 1",
        "g.__annotations__['a'].__name__",
        "g.__annotations__['a'] = str\nnote = 2",
        declare="--depends note",
    ),
    "note on a member of an enum": Hazard(
        "import enum\nclass E(enum.Enum): A = 1\nE.A.note = note = 1",
        "E.A.note",
        "E.A.note = note = 2",
        declare="--depends note",
    ),
    "layout of a function's source": Hazard(
        "import inspect\ndef g(): return 1\nnote = 1",
        "inspect.getsource(g)",
        "def g(): return   1\nnote = 2",
        declare="--depends note",
    ),
    "class of a module": Hazard(
        "import types, hazard_module\nclass M(types.ModuleType):\n @property\n def z(s): return 1\n"
        "hazard_module.__class__ = M",
        "hazard_module.z",
        "M.z = property(lambda s: 2)",
        declare="--depends M",
    ),
    "current figure": Hazard(
        "import matplotlib.pyplot as plt\nmade = 0",
        "len(plt.get_fignums())",
        "made = 1",
        declare="--depends made",
    ),
    "docstring of a function": Hazard(
        "def g(): 'one'\nnote = 1",
        "g.__doc__",
        "g.__doc__ = 'two'\nnote = 2",
        declare="--depends note",
    ),
    "local time": Hazard(
        "from datetime import datetime, timezone\nimport os",
        "datetime(2020, 1, 1, tzinfo=timezone.utc).astimezone().hour",
        "os.environ['DAGNB_H'] = '2'",
        declare="--env DAGNB_H",
    ),
    "whether a file is there": Hazard(
        "import os",
        "os.path.exists('rows.csv')",
        "pathlib.Path('rows.csv').touch()",
        declare="--files rows.csv",
    ),
    "order of a dictionary": Hazard(
        "d = {'a': 1, 'b': 2}\norder = list(d)",
        "list(d)",
        "d = {'b': 2, 'a': 1}\norder = list(d)",
        declare="--depends order",
    ),
    "notes on a frame": Hazard(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\nnotes = {}\ndf.attrs = notes",
        "df.attrs.get('k')",
        "df.attrs['k'] = notes['k'] = 1",
        declare="--depends notes",
    ),
    "setting of an object that counts by its name": Hazard(
        "import logging\nlog, level = logging.getLogger('dagnb-hazard'), 20\nlog.setLevel(level)",
        "log.level",
        "level = 10\nlog.setLevel(level)",
        declare="--depends level",
    ),
    "virtual subclass": Hazard(
        "import abc\nclass A(abc.ABC): pass\nclass B: pass\nkinds = []",
        "isinstance(B(), A)",
        "A.register(B)\nkinds.append('B')",
        declare="--depends kinds",
    ),
    "class of a library": Hazard(
        "import fractions\npatches = []",
        "fractions.Fraction(1, 3).numerator",
        "patches.append('numerator')",
        declare="--depends patches",
    ),
    "attribute of a function by a string": Hazard(
        "def g(): pass\ng.k = 1\nnote = 1",
        "getattr(g, 'k')",
        "g.k = 2\nnote = 2",
        declare="--depends note",
    ),
    "file read by other than Python": Hazard(
        "import subprocess\npathlib.Path('rows.csv').write_text('1')\nname = 'rows'",
        "subprocess.run(['cat', name + '.csv'], capture_output=True).stdout",
        "pathlib.Path('rows.csv').write_text('22')",
        declare="--files rows.csv",
    ),
    "environment of a child process": Hazard(
        "import os, subprocess\nos.environ['DAGNB_H'] = '1'",
        "subprocess.run(['printenv', 'DAGNB_H'], capture_output=True).stdout",
        "os.environ['DAGNB_H'] = '2'",
        declare="--env DAGNB_H",
    ),
}

if sys.version_info >= (3, 12):
    SEEN["alias of a type"] = Hazard(
        "type Rows = list[int]", "str(Rows.__value__)", "type Rows = list[str]"
    )
    SEEN["alias of a type that holds itself"] = Hazard(
        "type Tree = list[Tree] | int", "str(Tree.__value__)", "type Tree = list[Tree] | str"
    )
    SEEN["generic function"] = Hazard("k = 1\ndef g[T](x: T) -> T: return x * k", "g(1)", "k = 2")
    SEEN["generic class"] = Hazard(
        "k = 1\nclass G[T]:\n def f(s, x: T): return k", "G[int]().f(1)", "k = 2"
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, with a module of the user's; all that an edit may patch is restored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("DAGNB_H", "0")
    monkeypatch.setattr(fractions, "Fraction", fractions.Fraction)
    monkeypatch.setattr(json, "dumps", json.dumps)
    (tmp_path / "hazard_module.py").write_text(
        "k = 1\nd = {'a': 1}\ndef get(): return k\nclass C:\n def f(self): return k\n"
    )
    package = tmp_path / "hazard_package"
    package.mkdir()
    (package / "part.py").write_text("k = 1\n")
    (package / "__init__.py").write_text(
        "made = {'anything': 1}\ndef __getattr__(name):\n"
        " if name in made: return made[name]\n raise AttributeError(name)\n"
    )
    with rc_context():
        yield tmp_path
    for name in ("hazard_module", "hazard_package", "hazard_package.part"):
        sys.modules.pop(name, None)
    if hasattr(pd.DataFrame, "hazard"):
        del pd.DataFrame.hazard


def prepared(nb: Notebook, hazard: Hazard, options: str = "") -> Ran:
    """Define the node, one that reads it, and one beside them; return what the first said."""
    nb.run("import pathlib")
    nb.run(hazard.before)
    ran = nb.node("n", hazard.node, options)
    nb.node("reader", "repr(n)")
    nb.node("beside", "0")
    return ran


@pytest.mark.parametrize("hazard", SEEN.values(), ids=SEEN)
def test_an_edit_of_what_a_node_reads_runs_it_again(nb: Notebook, hazard: Hazard) -> None:
    """It, what reads it, and nothing else; exactly once: nothing is left to do after it."""
    prepared(nb, hazard)
    assert nb.run("unrelated = 1").executed == []
    assert nb.run(hazard.edit).executed == ["n", "reader"]
    assert nb.run("%dag run").executed == []


@pytest.mark.parametrize("hazard", WARNED.values(), ids=WARNED)
def test_what_cannot_be_seen_is_said_once(nb: Notebook, hazard: Hazard) -> None:
    """Below the cell that defines the node, and not when it is run again."""
    nb.run("import pathlib")
    nb.run(hazard.before)
    assert hazard.says in nb.node("n", hazard.node).text
    assert hazard.says not in nb.node("n", hazard.node).text


DECLARED = {name: each for name, each in (WARNED | INVISIBLE).items() if each.declare}


@pytest.mark.parametrize("hazard", DECLARED.values(), ids=DECLARED)
def test_what_is_declared_is_seen(nb: Notebook, hazard: Hazard) -> None:
    """And nothing is said of it any more."""
    ran = prepared(nb, hazard, hazard.declare)
    assert not hazard.says or hazard.says not in ran.text
    assert nb.run("unrelated = 1").executed == []
    assert nb.run(hazard.edit).executed in (["n"], ["n", "reader"])
    assert nb.run("%dag run").executed == []


@pytest.mark.parametrize("hazard", INVISIBLE.values(), ids=INVISIBLE)
def test_what_is_invisible_is_known_to_be(nb: Notebook, hazard: Hazard) -> None:
    """A row that is seen one day belongs to another table."""
    prepared(nb, hazard)
    assert nb.run(hazard.edit).executed == []


def test_there_are_enough_hazards() -> None:
    """Nearly two hundred of them."""
    assert len(SEEN) + len(WARNED) + len(INVISIBLE) >= 190
