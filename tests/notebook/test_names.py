"""The names that code reads from outside, for every form of binding and reading."""

from __future__ import annotations

import ast
import symtable
import textwrap

import pytest

from dagnb.notebook.names import Names, free_names, names_of

READS = {
    "x = 1\nx": (),
    "import os.path as p, sys\np, sys": (),
    "from m import a as b\nb": (),
    "(y := x)\ny": ("x",),
    "with open(p) as f, g() as (a, *b):\n    t = f\nt, a, b": ("open", "p", "g"),
    "for i, (j, *k) in rows:\n    pass\nelse:\n    i, j": ("rows", "i", "j"),
    "while True:\n    x = f()\n    if x: break\nx": ("f",),
    "while c:\n    x = 1\nx": ("c", "x"),
    "try:\n    import a\nexcept ImportError as e:\n    a = e\na": ("ImportError",),
    "try:\n    a = f()\nexcept E:\n    raise\nelse:\n    b = a\nfinally:\n    c = 1\na, b, c": (
        "f",
        "E",
    ),
    "try:\n    a = 1\nfinally:\n    b = a\nb": ("a",),
    "if c:\n    a = 1\nelif d:\n    a = 2\nelse:\n    raise E\na": ("c", "d", "E"),
    "match p:\n  case {'k': v, **r}: z = r\n  case [a] | P(y=a): z = a\n  case _: z = 0\nz": (
        "p",
        "P",
    ),
    "match p:\n    case 1: z = 0\nz": ("p", "z"),
    "[x for x in x if y for z in x]": ("x", "y"),
    "{k: v for k, v in d.items() if (w := k)}\nw, k": ("d", "w", "k"),
    "f = lambda a, b=c, *d, **e: (a, b, d, e, g)\nf": ("c", "g"),
    "def f(a: A, b=c) -> R:\n    d = a\n    return d, later\nlater = 1\nf()": ("c", "A", "R"),
    "def f():\n    return later\nf()\nlater = 1\nlater": ("later",),
    "def even(n): return odd(n)\ndef odd(n): return even(n)\neven(1)": (),
    "def f():\n    return outside\nf": ("outside",),
    "class A(B, metaclass=M):\n    x: T = y\n    z = x\n    def m(self): return x, A, w\nA": (
        "B",
        "M",
        "T",
        "y",
        "x",
        "w",
    ),
    "class A:\n    n = 3\n    xs = set(n for _ in range(n))\nA": ("set", "range", "n"),
    "x: Unread = 1\nx": (),
    "x: int\nx": ("x",),
    "x += y\nx": ("x", "y"),
    "d[k] = v\nd.a.b = w": ("v", "d", "k", "w"),
    "a, *b = c\nf'{a!r:>{b}} {c}'": ("c",),
    "@deco(x)\ndef f(): return g\nf": ("deco", "x", "g"),
    "def f():\n    def g():\n        nonlocal n\n        n += 1\n    n = m\n    return g\nf": (
        "m",
    ),
    "def f(): return x\nif c:\n    x = 1\n    f()\nelse:\n    f()": ("c", "x"),
    "x = 1\ndef f(): return x\nf()\ndel x": (),
    "a if (b := c) else d": ("c", "a", "d"),
    "(x := a) and (y := b)\nx, y": ("a", "b", "y"),
    "if a and (x := b): x\nelif not (a and (y := b)): y\nelse: y": ("a", "b", "y"),
    "while a or not (x := b): x\nelse: x": ("a", "b", "x"),
    "match a:\n    case b if b and (x := c): x": ("a", "c"),
    "[x for y in a if not (b or (x := y))]\nassert a and (z := b)\nz": ("a", "b"),
    "a < (x := b) < (y := c)\nx, y": ("a", "b", "c", "y"),
    "assert a, (x := b)\nx": ("a", "b", "x"),
    "[y for _ in a if (x := b)]\nx": ("a", "b", "y", "x"),
    "with a, suppress(E):\n    x = b\nx": ("a", "suppress", "E", "b", "x"),
    "class _K(__B):\n    def f(self, __a): return [__a, __x, self.__y, __class__]\n_K": (
        "__B",
        "_K__x",
    ),
    "class K:\n    __a = [__i for __i in b]\n    c = __a, __module__, __qualname__, __d__\nK": (
        "b",
        "__d__",
    ),
    "class K:\n    def f(s):\n        global __g\n        __n: int = __g\n        return __n\nK": (
        "_K__g",
    ),
    "del x": ("x",),
    "async def f():\n    async with a as b: return [c async for c in b]\nf": ("a",),
}


def names(source: str) -> Names:
    """Look at a cell."""
    return names_of(ast.parse(source).body)


@pytest.mark.parametrize("source", READS)
def test_reads(source: str) -> None:
    """What is read before it is surely assigned is found, in order of first use."""
    assert names(source).reads == READS[source]


@pytest.mark.parametrize("source", READS)
def test_reads_agree_with_the_compiler(source: str) -> None:
    """What the compiler looks up outside of the body is among the reads."""
    body = textwrap.indent(source, "    ")
    function = symtable.symtable(f"async def f():\n{body}", "<f>", "exec").get_children()[0]
    looked_up: set[str] = set()
    tables = [function]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        looked_up |= {each.get_name() for each in table.get_symbols() if each.is_global()} & {
            each.get_name() for each in table.get_symbols() if each.is_referenced()
        }
    reads = set(names(source).reads)
    looked_up -= {"Unread", "int"}  # annotations that are never evaluated
    assert looked_up - {"__module__", "__qualname__"} <= reads  # which every class has
    assert reads - looked_up <= {each.get_name() for each in function.get_symbols()}


def test_early() -> None:
    """Read where nothing assigns it before, unlike a name that a branch may have assigned."""
    found = names("x\nif c:\n    y = 1\ny\nx = 2")
    assert (found.reads, found.early) == (("x", "c", "y"), {"x", "c"})


@pytest.mark.parametrize(
    ("source", "reads", "quoted", "perhaps"),
    [
        ("df.query('a > @k')", ("df", "k"), {"k"}, {"k"}),
        ("k\ndf.query(f'a > @k and {x}')", ("k", "df", "x"), {"k"}, set()),
        ("k = 1\ndf.query('a > @k')", ("df",), set(), set()),
        ("def f(k): return df.query('a > @k')\nf(1)", ("df",), set(), set()),
        ("[con.sql(query='from ' 'df') for _ in r]", ("r", "con", "df"), {"df"}, {"df"}),
        ("print('@k')", ("print",), set(), set()),
    ],
)
def test_quoted(source: str, reads: tuple[str, ...], quoted: set[str], perhaps: set[str]) -> None:
    """Names in strings that a library evaluates are read, unless the code has made them its own."""
    found = names(source)
    assert (found.reads, found.quoted, found.perhaps) == (reads, quoted, perhaps)


def test_looked_past() -> None:
    """A class that assigns a name looks for it outside of all functions, other names not."""
    body = "x = y = 1\nclass A:\n    x = x\n    z = y\n    class B:\n        y = y"
    assert names(body).looked_past == {"x", "y"}
    assert names("class A:\n    x = x").looked_past == set()
    assert names("x = 1\nclass A:\n    x = 2\n    z = x").looked_past == set()


def test_local() -> None:
    """What the body assigns is its own, unless it is declared global."""
    found = names("global g\ng = a = 1\nfor b in a: import c.d\nlambda e: (f := e)")
    assert (found.local, found.shared) == ({"a", "b", "c"}, {"g"})


@pytest.mark.parametrize(
    ("source", "completes"),
    [
        ("x", True),
        ("raise E", False),
        ("if c:\n    raise E", True),
        ("while True: f()", False),
        ("while True:\n    if f(): break", True),
        ("with c: raise E", True),
    ],
)
def test_completes(source: str, completes: bool) -> None:
    """Whether the end of the body can be reached."""
    assert names(source).completes is completes


def test_free_names() -> None:
    """A function reads what its decorators, defaults, annotations and body read; itself too."""
    (function,) = ast.parse("@d\ndef f(a: A, b=c) -> R:\n    g = f(a)\n    return g, h").body
    assert isinstance(function, ast.FunctionDef)
    assert free_names(function) == ("d", "c", "A", "R", "f", "h")
