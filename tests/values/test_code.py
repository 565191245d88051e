from __future__ import annotations

import functools
import random
import subprocess
import sys
import textwrap
import threading
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dagnb.values import functions
from dagnb.values.code import CodeDigest, code_digest, explain_change
from dagnb.values.fingerprint import digest
from dagnb.values.reads import BIG_BYTES


def run(source: str, **given: object) -> dict[str, Any]:
    """Run a notebook's worth of source; return its namespace."""
    namespace: dict[str, Any] = {"__name__": "__main__", **given}
    exec(compile(textwrap.dedent(source), "<cell>", "exec"), namespace)
    return namespace


def of(source: str, skip: frozenset[str] = frozenset(), **given: object) -> CodeDigest:
    """The digest of the function ``f`` of a source."""
    return code_digest(run(source, **given)["f"], skip=skip)


F = """
import math
scale = 3
def g(x, k=2):
    return x * scale + k
def f(x, y=1, *, z=2):
    a = x + 1
    return g(a) + math.pi + y
"""

SAME = {
    "comment": (F, F.replace("a = x + 1", "a = x + 1  # one more")),
    "comment line": (F, F.replace("    a = x", "    # first\n    a = x")),
    "blank lines": (F, F.replace("    a = x", "\n\n    a = x")),
    "moved down": (F, "\n" * 300 + F),
    "parentheses": (F, F.replace("x + 1", "(x + 1)")),
    "line breaks": (F, F.replace("x + 1", "(x +\n        1)")),
    "quotes": ("def f(): return 'a'", 'def f(): return "a"'),
    "spelling of a number": ("def f(): return 1000", "def f(): return 1_000"),
    "docstring added": ("def f(): return 1", "def f():\n    'Doc.'\n    return 1"),
    "docstring changed": ("def f():\n 'A.'\n return 1", "def f():\n 'B.'\n return 1"),
    "docstring of a helper": (F, F.replace("return x *", "'Doc.'; return x *")),
    "docstring of a nested function": (
        "def f():\n def g(): return 1\n return g()",
        "def f():\n def g():\n  'Doc.'\n  return 1\n return g()",
    ),
    "docstring of a nested class": (
        "def f():\n class K:\n  x = 1\n return K.x",
        "def f():\n class K:\n  'Doc.'\n  x = 1\n return K.x",
    ),
    "docstring of a class": (
        "class K:\n def m(self): return 1\ndef f(): return K().m()",
        "class K:\n 'Doc.'\n def m(self):\n  'Doc.'\n  return 1\ndef f(): return K().m()",
    ),
    "docstring with a handler": (
        "def f():\n try: return 1\n except ValueError: return 2",
        "def f():\n 'Doc.'\n try: return 1\n except ValueError: return 2",
    ),
    "docstring before 300 constants": (
        "def f(x):\n while x:\n  try: x = ["
        + ", ".join(f"x + {n}.5" for n in range(300))
        + "]\n  except ValueError: break\n return x",
        "def f(x):\n 'Doc.'\n while x:\n  try: x = ["
        + ", ".join(f"x + {n}.5" for n in range(300))
        + "]\n  except ValueError: break\n return x",
    ),
    "annotation of a local": ("def f():\n a = 1\n return a", "def f():\n a: int = 1\n return a"),
    "annotation of an argument": ("def f(x): return x", "def f(x: int) -> int: return x"),
    "name of the function": ("def f(): return 1", "def h(): return 1\nf = h"),
    "a variable that it does not read": (F, F + "\nother = 5"),
    "a helper that it does not call": (F, F + "\ndef other(): return 5"),
    "order of definitions": (
        "a = 1\ndef g(): return 2\ndef f(): return a + g()",
        "def f(): return a + g()\ndef g(): return 2\na = 1",
    ),
    "pass": ("def f():\n return 1", "def f():\n pass\n return 1"),
    "equal value of a global": (F, F.replace("scale = 3", "scale = 1 + 2")),
    "order of a global dict": (
        "d = {'a': 1, 'b': 2}\ndef f(): return d",
        "d = {'b': 2, 'a': 1}\ndef f(): return d",
    ),
    "order of a set of constants": (
        "def f(x): return x in {'a', 'b', 'c'}",
        "def f(x): return x in {'c', 'b', 'a'}",
    ),
    "alias of a library": (
        "import math\ndef f(): return math.pi",
        "import os\nimport math\ndef f(): return math.pi",
    ),
    "recursion": ("def f(n): return n and f(n - 1)", "def f(n):\n  return n and f(n - 1)"),
}

DIFFERENT = {
    "constant": (F, F.replace("x + 1", "x + 2")),
    "type of a constant": ("def f(): return 1", "def f(): return True"),
    "type of a constant, float": ("def f(): return 1", "def f(): return 1.0"),
    "sign of zero": ("def f(): return 0.0", "def f(): return -0.0"),
    "constant in a tuple": ("def f(): return (1, 2)", "def f(): return (True, 2)"),
    "set of constants": ("def f(x): return x in {1, 2}", "def f(x): return x in {1, 3}"),
    "operator": (F, F.replace("x + 1", "x - 1")),
    "comparison": ("def f(x): return x < 1", "def f(x): return x <= 1"),
    "order of operands": ("def f(x, y): return x - y", "def f(x, y): return y - x"),
    "default": (F, F.replace("y=1", "y=2")),
    "keyword default": (F, F.replace("z=2", "z=3")),
    "mutable default": ("def f(a=[1]): return a", "def f(a=[2]): return a"),
    "kind of an argument": ("def f(a, b): return a", "def f(a, *, b): return a"),
    "order of arguments": ("def f(a, b): return a", "def f(b, a): return a"),
    "global": (F, F.replace("scale = 3", "scale = 4")),
    "type of a global": (F, F.replace("scale = 3", "scale = 3.0")),
    "body of a helper": (F, F.replace("* scale", "- scale")),
    "default of a helper": (F, F.replace("k=2", "k=3")),
    "another helper": (
        F + "\ndef h(x): return 1",
        F.replace("g(a)", "h(a)") + "\ndef h(x): return 1",
    ),
    "attribute": (F, F.replace("math.pi", "math.e")),
    "nested function": (
        "def f():\n def g(): return 1\n return g()",
        "def f():\n def g(): return 2\n return g()",
    ),
    "global of a nested function": (
        "a = 1\ndef f():\n def g(): return a\n return g()",
        "a = 2\ndef f():\n def g(): return a\n return g()",
    ),
    "global of a comprehension": (
        "a = 1\ndef f(): return [a for _ in range(3)]",
        "a = 2\ndef f(): return [a for _ in range(3)]",
    ),
    "global of a lambda": (
        "a = 1\ndef f(): return (lambda: a)()",
        "a = 2\ndef f(): return (lambda: a)()",
    ),
    "global of a class body": (
        "a = 1\ndef f():\n class K:\n  b = a\n return K.b",
        "a = 2\ndef f():\n class K:\n  b = a\n return K.b",
    ),
    "closure": (
        "def make(k):\n def f(): return k\n return f\nf = make(1)",
        "def make(k):\n def f(): return k\n return f\nf = make(2)",
    ),
    "helper in a closure": (
        "def make(h):\n def f(): return h()\n return f\ndef h(): return 1\nf = make(h)",
        "def make(h):\n def f(): return h()\n return f\ndef h(): return 2\nf = make(h)",
    ),
    "wrapped function": (
        "import functools\ndef w(g):\n @functools.wraps(g)\n def i(*a): return g(*a)\n return i\n"
        "@w\ndef f(x): return x",
        "import functools\ndef w(g):\n @functools.wraps(g)\n def i(*a): return g(*a)\n return i\n"
        "@w\ndef f(x): return -x",
    ),
    "wrapper": (
        "import functools\ndef w(g):\n @functools.wraps(g)\n def i(*a): return g(*a)\n return i\n"
        "@w\ndef f(x): return x",
        "import functools\ndef w(g):\n @functools.wraps(g)\n def i(*a): return -g(*a)\n return i\n"
        "@w\ndef f(x): return x",
    ),
    "cached helper": (
        "import functools\n@functools.cache\ndef g(): return 1\ndef f(): return g()",
        "import functools\n@functools.cache\ndef g(): return 2\ndef f(): return g()",
    ),
    "partial, function": (
        "import functools\ndef g(x): return x\nf = functools.partial(g, 1)",
        "import functools\ndef g(x): return -x\nf = functools.partial(g, 1)",
    ),
    "partial, argument": (
        "import functools\ndef g(x): return x\nf = functools.partial(g, 1)",
        "import functools\ndef g(x): return x\nf = functools.partial(g, 2)",
    ),
    "method of a class": (
        "class K:\n def m(self): return 1\ndef f(): return K().m()",
        "class K:\n def m(self): return 2\ndef f(): return K().m()",
    ),
    "static method": (
        "class K:\n @staticmethod\n def m(): return 1\ndef f(): return K.m()",
        "class K:\n @staticmethod\n def m(): return 2\ndef f(): return K.m()",
    ),
    "property": (
        "class K:\n @property\n def m(self): return 1\ndef f(): return K().m",
        "class K:\n @property\n def m(self): return 2\ndef f(): return K().m",
    ),
    "attribute of a class": (
        "class K: a = 1\ndef f(): return K.a",
        "class K: a = 2\ndef f(): return K.a",
    ),
    "base of a class": (
        "class B:\n def m(self): return 1\nclass K(B): pass\ndef f(): return K().m()",
        "class B:\n def m(self): return 2\nclass K(B): pass\ndef f(): return K().m()",
    ),
    "global of a method": (
        "a = 1\nclass K:\n def m(self): return a\ndef f(): return K().m()",
        "a = 2\nclass K:\n def m(self): return a\ndef f(): return K().m()",
    ),
    "bound method": (
        "class K:\n def __init__(s, a): s.a = a\n def m(s): return s.a\nf = K(1).m",
        "class K:\n def __init__(s, a): s.a = a\n def m(s): return s.a\nf = K(2).m",
    ),
    "state of a global object": (
        "class K:\n def __init__(s, a): s.a = a\nk = K(1)\ndef f(): return k.a",
        "class K:\n def __init__(s, a): s.a = a\nk = K(2)\ndef f(): return k.a",
    ),
    "code of a global object": (
        "class K:\n def m(s): return 1\nk = K()\ndef f(): return k.m()",
        "class K:\n def m(s): return 2\nk = K()\ndef f(): return k.m()",
    ),
    "callable object": (
        "class K:\n def __call__(s): return 1\nf = K()",
        "class K:\n def __call__(s): return 2\nf = K()",
    ),
    "table of functions": (
        "def g(): return 1\nt = {'a': g}\ndef f(): return t['a']()",
        "def g(): return 2\nt = {'a': g}\ndef f(): return t['a']()",
    ),
    "keys of a table": (
        "def g(): return 1\nt = {'a': g}\ndef f(): return t",
        "def g(): return 1\nt = {'b': g}\ndef f(): return t",
    ),
    "global of a function in a table": (
        "a = 1\ndef g(): return a\nt = [g]\ndef f(): return t[0]()",
        "a = 2\ndef g(): return a\nt = [g]\ndef f(): return t[0]()",
    ),
    "which of two closures": (
        "def m(k): return lambda: k\na, b = m(1), m(2)\nc = a\ndef f(): return a(), b(), c()",
        "def m(k): return lambda: k\na, b = m(1), m(2)\nc = b\ndef f(): return a(), b(), c()",
    ),
    "mutual recursion": (
        "def g(n): return n and f(n - 1)\ndef f(n): return g(n)",
        "def g(n): return n and f(n - 2)\ndef f(n): return g(n)",
    ),
    "shadowed builtin": ("def f(): return len", "len = 3\ndef f(): return len"),
    "import inside": (
        "def f():\n import os\n return os",
        "def f():\n import sys as os\n return os",
    ),
    "undefined": ("def f(): return a", "a = 1\ndef f(): return a"),
    "generator": ("def f():\n return 1", "def f():\n yield 1"),
    "handler": (
        "def f():\n try: return 1\n except ValueError: return 2",
        "def f():\n try: return 1\n except TypeError: return 2",
    ),
    "extent of a handler": (
        "def f(a):\n try:\n  a()\n except ValueError: pass\n a()",
        "def f(a):\n try:\n  a()\n  a()\n except ValueError: pass",
    ),
    "user code in a library's wrapper": (
        "import contextlib\n@contextlib.contextmanager\ndef g(): yield 1\n"
        "def f():\n with g() as a: return a",
        "import contextlib\n@contextlib.contextmanager\ndef g(): yield 2\n"
        "def f():\n with g() as a: return a",
    ),
    "global of user code in a library's wrapper": (
        "import contextlib\nk = 1\n@contextlib.contextmanager\ndef g(): yield k\nt = [g]\n"
        "def f(): return t[0]()",
        "import contextlib\nk = 2\n@contextlib.contextmanager\ndef g(): yield k\nt = [g]\n"
        "def f(): return t[0]()",
    ),
    "a function chosen by type": (
        "import functools\n@functools.singledispatch\ndef g(x): return 1\n"
        "@g.register\ndef _(x: int): return 1\ndef f(): return g(1)",
        "import functools\n@functools.singledispatch\ndef g(x): return 1\n"
        "@g.register\ndef _(x: int): return 2\ndef f(): return g(1)",
    ),
    "a method chosen by type": (
        "import functools\nclass K:\n @functools.singledispatchmethod\n def m(s, x): return 1\n"
        "def f(): return K().m(1)",
        "import functools\nclass K:\n @functools.singledispatchmethod\n def m(s, x): return 2\n"
        "def f(): return K().m(1)",
    ),
    "metaclass": (
        "class M(type):\n def __call__(c): return 1\nclass K(metaclass=M): pass\n"
        "def f(): return K()",
        "class M(type):\n def __call__(c): return 2\nclass K(metaclass=M): pass\n"
        "def f(): return K()",
    ),
    "attribute of a function": (
        "def g(): pass\ng.k = 1\ndef f(): return g.k",
        "def g(): pass\ng.k = 2\ndef f(): return g.k",
    ),
    "decorated helper default of a lambda": (
        "g = lambda x, k=1: x\ndef f(): return g(1)",
        "g = lambda x, k=2: x\ndef f(): return g(1)",
    ),
}


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME)
def test_an_edit_that_computes_the_same_keeps_the_digest(edit: tuple[str, str]) -> None:
    """Comments, formatting and docstrings change nothing."""
    before, after = edit
    assert of(before).digest == of(after).digest


@pytest.mark.parametrize("edit", DIFFERENT.values(), ids=DIFFERENT)
def test_an_edit_that_may_compute_something_else_changes_the_digest(edit: tuple[str, str]) -> None:
    """Whatever decides the result is named."""
    before, after = edit
    assert of(before).digest != of(after).digest


@pytest.mark.parametrize("source", [each for pair in DIFFERENT.values() for each in pair])
def test_a_digest_is_current_until_something_changes(source: str) -> None:
    """Nothing that was read is mistaken for changed."""
    namespace = run(source)
    assert code_digest(namespace["f"]).is_current()


def test_labels_are_those_a_user_would_give() -> None:
    """Globals by name, those of helpers with the helper's name before."""
    reads = of(F).reads
    assert set(reads) == {"g", "g.scale", "math", "math.pi"}
    assert {label: read.kind for label, read in reads.items()} == {
        "g": "function",
        "g.scale": "variable",
        "math": "module",
        "math.pi": "variable",
    }
    assert reads["g.scale"].text == "3"


def test_nodes_are_listed_and_not_followed() -> None:
    """Also those that only a helper reads."""
    source = "raw = 1\nclean = 2\ndef g(): return clean\ndef f(): return raw + g()"
    digest = of(source, frozenset({"raw", "clean"}))
    assert sorted(digest.nodes) == ["clean", "raw"]
    assert set(digest.reads) == {"g"}
    changed = of(source.replace("raw = 1", "raw = 5"), frozenset({"raw", "clean"}))
    assert changed.digest == digest.digest


def test_a_node_need_not_exist_yet() -> None:
    """Order of definition does not matter."""
    digest = of("def f(): return raw", frozenset({"raw"}))
    assert digest.nodes == ("raw",) and digest.undefined == ()


def test_undefined_names_are_listed() -> None:
    """They are no error here: they may be defined later."""
    assert of("def f(): return nothing_like_it").undefined == ("nothing_like_it",)


def test_a_function_of_a_module_of_the_user_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the functions that are used count."""
    source = "k = 1\ndef used(): return k\ndef unused(): return 2\n"
    digests = []
    for at, text in enumerate(
        (
            source,
            source + "# end",
            source.replace("return 2", "return 3"),
            source.replace("k = 1", "k = 5"),
        )
    ):
        module = types.ModuleType("mine")
        module.__file__ = str(tmp_path / f"mine{at}.py")
        exec(compile(text, module.__file__, "exec"), vars(module))
        monkeypatch.setitem(sys.modules, "mine", module)
        digest = of("def f(): return mine.used()", mine=module)
        digests.append(digest.digest)
        assert set(digest.reads) == {"mine.used", "mine.used.k"}
    assert digests[0] == digests[1] == digests[2] != digests[3]


def test_a_module_of_the_user_used_whole_counts_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not known what is used of it; also when it is written anew."""
    module = types.ModuleType("mine")
    module.__file__ = str(tmp_path / "mine.py")
    file = tmp_path / "mine.py"
    file.write_text("k = 1")
    monkeypatch.setitem(sys.modules, "mine", module)
    before = of("def f(): return getattr(mine, 'k')", mine=module)
    assert before.is_current()
    file.write_text("k = 12")
    assert not before.is_current()
    assert before.digest != of("def f(): return getattr(mine, 'k')", mine=module).digest


def test_a_name_imported_inside_from_a_module_of_the_user_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import statement in a body reads what it imports."""
    module = types.ModuleType("mine")
    module.__file__ = str(tmp_path / "mine.py")
    monkeypatch.setitem(sys.modules, "mine", module)
    for source in (
        "def f():\n from mine import k\n return k",
        "def f():\n import mine\n return mine.k",
    ):
        module.k = 1  # type: ignore[attr-defined]
        before = of(source)
        assert set(before.reads) == {"mine.k"}
        module.k = 2  # type: ignore[attr-defined]
        assert not before.is_current()
        assert of(source).digest != before.digest


def test_a_global_without_a_digest_counts_by_its_type_with_a_warning() -> None:
    """It says what to do about it."""
    one = of("def f(): return rows", rows=iter([1]))
    other = of("def f(): return rows", rows=iter([2]))
    assert one.digest == other.digest
    (warning,) = one.warnings
    assert warning.startswith("rows counts by its type only, since a list_iterator has no digest")


def test_a_big_global_had_better_be_a_node() -> None:
    """It counts by its value all the same."""
    big = np.zeros(BIG_BYTES // 8)
    before = of("def f(): return rows", rows=big)
    assert before.warnings == (
        "rows holds 64 MB, and all of it is looked at after every cell; "
        "as a node, only when something runs",
    )
    big[-1] = 1
    assert not before.is_current()
    assert of("def f(): return rows", rows=big[1:]).warnings == ()


@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock, threading.Event])
def test_a_lock_does_not_decide_what_is_computed(kind: Callable[[], object]) -> None:
    """Nobody is warned of it."""
    one, other = (of("def f(): return lock", lock=kind()) for _ in range(2))
    assert (one.digest, one.warnings) == (other.digest, ())


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def f(): return eval('1')", "eval"),
        ("def f(): exec('1')", "exec"),
        ("def f(): return globals()['a']", "globals"),
        ("import random\ndef f(): return random.random()", "random.random"),
        ("from random import randint\ndef f(): return randint(1, 2)", "randint"),
        ("import time\ndef f(): return time.time()", "time.time"),
        ("from time import time\ndef f(): return time()", "time"),
        ("from datetime import datetime\ndef f(): return datetime.now()", "datetime.now"),
        ("import datetime\ndef f(): return datetime.datetime.now()", "now"),
        ("import os\ndef f(): return os.environ['A']", "environment"),
        ("from os import environ\ndef f(): return environ['A']", "environment"),
        ("import os\ndef f(): return os.urandom(1)", "urandom"),
        ("import uuid\ndef f(): return uuid.uuid4()", "uuid4"),
        ("import secrets\ndef f(): return secrets.token_hex()", "secrets"),
        ("import numpy as np\ndef f(): return np.random.rand(3)", "np.random.rand"),
        ("import numpy as np\ndef f(): return np.random.default_rng()", "default_rng"),
        ("def f():\n import random\n return random.random()", "random.random"),
        ("def f():\n from time import time\n return time()", "time.time"),
        ("import time\ndef g(): return time.time()\ndef f(): return g()", "g: time.time"),
        ("import os\ndef f(): return os.getcwd()", "setting of the process"),
        ("import sys\ndef f(): return sys.argv", "setting of the process"),
        ("from decimal import getcontext\ndef f(): return getcontext().prec", "setting"),
        ("import pandas as pd\ndef f(): return pd.options.display.width", "setting"),
        ("import locale\ndef f(): return locale.localeconv()", "setting"),
    ],
)
def test_what_a_digest_cannot_see_is_warned_about(source: str, word: str) -> None:
    """Code made at run time, chance, the clock and the environment."""
    warnings = of(source).warnings
    assert len(warnings) == 1 and word in warnings[0]


@pytest.mark.parametrize(
    "source",
    [
        F,
        "import time\ndef f(): time.sleep(1)",
        "import numpy as np\ndef f(): return np.random.default_rng(0).random()",
        "import datetime\ndef f(): return datetime.datetime(2024, 1, 1)",
        "import os\ndef f(): return os.path.join('a', 'b')",
        "import random\ndef f(): return random.Random(1)",
    ],
)
def test_ordinary_code_is_not_warned_about(source: str) -> None:
    """A seed or a fixed date gives the same each time."""
    assert of(source).warnings == ()


def assign(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    """An edit that sets a global."""
    return lambda namespace: namespace.__setitem__(name, value)


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a scalar": assign("a", 2),
    "type of a scalar": assign("a", True),
    "in place": lambda n: n["items"].append(1),
    "a helper": lambda n: n.__setitem__("g", n["other"]),
    "code of a helper": lambda n: setattr(n["g"], "__code__", n["other"].__code__),
    "defaults of a helper": lambda n: setattr(n["g"], "__defaults__", (5,)),
    "a method": lambda n: setattr(n["K"], "m", n["other"]),
    "a new attribute": lambda n: setattr(n["K"], "fresh", 1),
    "an attribute": lambda n: setattr(n["K"], "z", 4),
    "state of an object": lambda n: setattr(n["k"], "state", 1),
    "a table": lambda n: n["table"].update(b=n["g"]),
    "removal": lambda n: n.pop("a"),
    "a builtin": assign("len", 1),
    "a closure": lambda n: n["bump"](),
    "a name that was undefined": assign("nowhere", 1),
    "a keyword default in place": lambda n: n["g"].__kwdefaults__.update(key=2),
    "an attribute of a helper": lambda n: setattr(n["g"], "note", 2),
    "a function in a library": lambda n: setattr(n["library"], "double", lambda x: 3),
}


# What Python 3.14 offers under this name, as far as it is asked here.
ANNOTATIONLIB = types.SimpleNamespace(
    Format=types.SimpleNamespace(STRING=4),
    get_annotate_from_class_namespace=lambda namespace: namespace.get("__annotate_func__"),
    call_annotate_function=lambda annotate, wanted, owner: annotate(wanted),
)


def test_annotations_that_are_evaluated_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count as they are written, whether or not somebody has asked for them, as in Python 3.14."""
    monkeypatch.setattr(functions, "_ANNOTATIONS", ANNOTATIONLIB)

    def made(written: str, **more: object) -> type:
        return type("K", (), {"__annotate_func__": lambda wanted: {"a": written}, **more})

    plain = type("K", (), {"__annotations__": {"a": int}})
    asked = made("int", __annotations_cache__={"a": int})
    assert digest(made("int")) == digest(asked) == digest(plain)
    assert digest(made("int")) != digest(made("float"))
    assert digest(made("int")) != digest(type("K", (), {}))


def test_looking_at_a_class_is_no_edit() -> None:
    """Before Python 3.14, who asks for the annotations of a class without any puts them there."""
    namespace = run("""
        class K:
            z = 3
        def f():
            return K
    """)
    before = code_digest(namespace["f"])
    assert namespace["K"].__annotations__ == {}
    namespace["K"].__annotate_func__ = None  # as Python 3.14 does
    assert before.is_current()
    namespace["K"].y = 4
    assert not before.is_current()


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_digest_is_not_current_after_an_edit(
    edit: Callable[[dict[str, Any]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cheap check sees what the walk would see."""
    library = types.ModuleType("library")
    library.__spec__ = ModuleSpec("library", None)
    monkeypatch.setitem(sys.modules, "library", library)
    exec("def double(x): return 2 * x", vars(library))
    namespace = run("""
        a, items = 1, [1]
        def other(self, x=1): return 3
        def g(x=1, *, key=1): return x + key
        g.note = 1
        class K:
            z = 3
            def m(self): return 1
        k = K()
        table = {"a": g}
        def make():
            count = 0
            def bump():
                nonlocal count
                count += 1
            def read(): return count
            return bump, read
        bump, read = make()
        def f():
            return a, items, g(), g.note, K, k, table, len(items), read(), nowhere, library.double
    """)
    namespace["library"] = library
    before = code_digest(namespace["f"])
    assert before.is_current()
    edit(namespace)
    assert not before.is_current()
    assert code_digest(namespace["f"]).digest != before.digest


def explained(before: str, after: str) -> list[str]:
    """What changed between two sources, as text."""
    return [str(change) for change in explain_change(of(before), of(after))]


def test_a_changed_global_is_named_with_both_values() -> None:
    """And not the helper that reads it, whose own code is the same."""
    assert explained(F, F.replace("scale = 3", "scale = 5")) == [
        "global `g.scale` changed from 3 to 5"
    ]


def test_a_changed_helper_is_named() -> None:
    """The function's own code is the same."""
    changes = explain_change(of(F), of(F.replace("* scale", "- scale")))
    assert [(change.label, change.kind) for change in changes] == [("g", "function")]
    assert str(changes[0]) == "helper `g` changed"


def test_own_code_is_named_last() -> None:
    """The deepest cause comes first."""
    assert explained(F, F.replace("a = x + 1", "a = x + 2").replace("scale = 3", "scale = 5")) == [
        "global `g.scale` changed from 3 to 5",
        "its code changed",
    ]


def test_reads_that_come_and_go_are_named() -> None:
    """With what they are or were."""
    assert explained("a = 1\nb = 2\ndef f(): return a", "a = 1\nb = 2\ndef f(): return b") == [
        "global `a` is no longer read",
        "global `b` is new",
        "its code changed",
    ]


def test_nothing_changed_gives_no_changes() -> None:
    """Two digests of one function agree in everything."""
    assert explained(F, F) == []


def test_the_source_of_a_helper_is_its_text() -> None:
    """As the user wrote it."""

    def helper() -> int:
        return 1

    def function() -> int:
        return helper()

    text = code_digest(function).reads["helper"].text
    assert text == "def helper() -> int:\n    return 1"


def test_builtins_and_library_functions_have_a_digest() -> None:
    """Anything that can be called can be named."""
    digests = {
        code_digest(each).digest for each in (len, sorted, functools.reduce, dict, random.Random)
    }
    assert len(digests) == 5


def test_code_digests_are_the_same_in_every_process() -> None:
    """Sets among the constants have another order in each process."""
    script = textwrap.dedent("""
        from dagnb.values.code import code_digest
        words = {"a", "b", "c"}
        def g(x): return x in {"d", "e", "f", "g"}
        class K:
            names = frozenset({"x", "y", "z"})
            def m(self): self.a = self.b = self.c = 1
        def f(x): return [x in {"h", "i", "j"}, words, g(x), K, {1: g}]
        print(code_digest(f).digest)
    """)
    root = str(Path(__file__).parents[2])
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONPATH": root, "PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1


def test_a_function_that_a_library_exports_from_a_hidden_object_counts_by_name() -> None:
    """The state of ``random``'s own generator is no part of the code."""
    namespace = run("from random import randint, random\ndef f(): return randint(1, 2), random()")
    before = code_digest(namespace["f"])
    random.random()
    assert before.is_current()
    assert code_digest(namespace["f"]).digest == before.digest


@pytest.mark.parametrize(
    "line",
    ["import numpy as np", "import xml.dom.minidom", "from PIL.Image import open", "import rich"],
)
def test_an_import_in_the_body_counts_alike_before_and_after_it_ran(line: str) -> None:
    """A library counts by its version, whether or not it is loaded yet."""
    script = f"""
    from dagnb.values.code import code_digest
    def f():
        {line}
    before = code_digest(f).digest
    f()
    print(before == code_digest(f).digest)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "True"
