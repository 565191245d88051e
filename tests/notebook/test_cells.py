"""Node cells and functions become callables whose inputs are the nodes they read."""

from __future__ import annotations

import functools
import inspect
import math
import textwrap
from collections.abc import Callable, Container
from typing import Any

import pytest

from dagnb.errors import DefinitionError
from dagnb.notebook.cells import NodeCode, function_node, parse_cell
from dagnb.run.coroutines import run_coroutine


def parse(
    source: str,
    name: str | None = "it",
    nodes: Container[str] = (),
    namespace: dict[str, object] | None = None,
    transform: Callable[[str], str] = str,
) -> NodeCode:
    """Parse a cell with a magic on its first line."""
    return parse_cell(
        textwrap.dedent(source),
        name=name,
        namespace={} if namespace is None else namespace,
        node_names=nodes,
        transform=transform,
        filename="<cell>",
        first_line=2,
    )


def value(source: str, nodes: Container[str] = (), /, **variables: object) -> Any:
    """Run a cell with `variables`, handing in those that are nodes."""
    code = parse(source, nodes=nodes, namespace=dict(variables))
    result = code.function(**{each: variables[each] for each in code.parameters})
    return result[1] if code.shows and not code.is_async else result


class TestName:
    """How a node gets its name."""

    def test_given_name_wins(self) -> None:
        """The name after the magic is the node's name."""
        assert parse("x = 1\nx", name="other").name == "other"

    def test_only_function(self) -> None:
        """A cell that is one def is named by it."""
        assert parse("def clean(raw):\n    return raw", name=None).name == "clean"

    def test_only_function_among_other_statements(self) -> None:
        """The only def names a cell whose last statement assigns nothing."""
        assert parse("def area(r):\n    return r\n\narea(2)", name=None).name == "area"

    @pytest.mark.parametrize(
        "source", ["a = 1\nkept = a", "kept: int = 1", "def f(): ...\nkept = f()"]
    )
    def test_last_assignment(self, source: str) -> None:
        """The name that the last statement assigns is the node's."""
        assert parse(source, name=None).name == "kept"

    @pytest.mark.parametrize(
        "source",
        [
            "raw.dropna()",
            "a, b = 1, 2",
            "a = b = 1",
            "_ = 1",
            "x: int",
            "d['k'] = 1",
            "for i in x: y = i",
        ],
    )
    def test_no_name(self, source: str) -> None:
        """A cell that names nothing is refused, and told how to name it."""
        with pytest.raises(DefinitionError, match=r"%%dag_node NAME"):
            parse(source, name=None)

    def test_two_functions(self) -> None:
        """Two defs leave it open which one is the node."""
        with pytest.raises(DefinitionError, match="defines 2 functions"):
            parse("def f(): ...\ndef g(): ...", name=None)

    @pytest.mark.parametrize(
        ("name", "fixed"),
        [
            ("my-node", "my_node"),
            ("1st", "node_1st"),
            ("class", "class_"),
            ("a b", "a_b"),
            ("!", "node"),
        ],
    )
    def test_unusable_name(self, name: str, fixed: str) -> None:
        """A name that cannot be a variable is refused with one that can."""
        with pytest.raises(DefinitionError, match=f"try '{fixed}'"):
            parse("1", name=name)

    @pytest.mark.parametrize("source", ["", "\n\n", "# only a comment\n"])
    def test_empty(self, source: str) -> None:
        """A cell without code is no node."""
        with pytest.raises(DefinitionError, match="no code"):
            parse(source)


class TestValue:
    """What a body's value is."""

    def test_last_expression(self) -> None:
        """The value is the last expression's."""
        assert value("a = 2\na * 3") == 6

    def test_semicolon(self) -> None:
        """A semicolon hides the value, and does not take it away."""
        code = parse("a = 2\na * 3;")
        assert (code.function(), code.quiet) == (6, True)

    @pytest.mark.parametrize(
        ("source", "quiet"),
        [("1;  # so", True), ("'a'  # b;", False), ("';'", False), ("1;\n", True)],
    )
    def test_semicolon_and_comment(self, source: str, quiet: bool) -> None:
        """What counts is the last there is beside comments, as in a plain cell."""
        assert parse(source).quiet is quiet

    def test_variable_of_the_nodes_name(self) -> None:
        """Without a last expression it is the variable named like the node."""
        assert value("it = 1\nfor i in range(3):\n    it += i\n") == 4

    @pytest.mark.parametrize("last", ["print(it)", "None", "it[:1]", "0"])
    def test_own_variable_before_last_expression(self, last: str) -> None:
        """A cell that assigns its own name has that value, as if it had been run by hand."""
        assert value(f"it = [1, 2]\n{last}") == [1, 2]

    def test_what_a_cell_with_its_own_variable_shows(self) -> None:
        """The expression at its end is handed out beside the value, to be shown."""
        code = parse("it = [1, 2]\nit[:1]")
        assert (code.shows, code.function()) == (True, ([1], [1, 2]))
        assert not parse("it = [1, 2]\nit").shows

    def test_none(self) -> None:
        """A last expression may be None if there is nothing else."""
        assert value("x = 1\nNone") is None

    def test_no_value(self) -> None:
        """A cell that ends with neither is refused, and told what to do."""
        with pytest.raises(DefinitionError, match=r"assign it = \.\.\."):
            parse("for i in range(3):\n    total = i")

    @pytest.mark.parametrize("last", ["assert x", "if x:\n    raise E\nelse:\n    raise F"])
    def test_check(self, last: str) -> None:
        """A cell that only checks has the value None, if it has one."""
        assert parse(f"x = 1\n{last}").parameters == ()
        assert value("assert True") is None

    def test_raise(self) -> None:
        """A cell that always fails is a node that always fails."""
        with pytest.raises(KeyError):
            value("raise KeyError")

    def test_local(self) -> None:
        """What a cell assigns stays its own."""
        namespace: dict[str, object] = {}
        parse("i = 1\nimport os\ni", namespace=namespace).function()
        assert set(namespace) <= {"__builtins__"}


class TestInputs:
    """What is handed in and what is looked up."""

    def test_nodes_among_the_reads(self) -> None:
        """Inputs are the names that are nodes, in order of first use."""
        code = parse("kept = raw[raw > limit]\nmerge(kept, other)", nodes={"other", "raw"})
        assert code.parameters == ("raw", "other")
        assert code.reads == ("raw", "limit", "merge", "other")

    def test_nodes_defined_later(self) -> None:
        """Binding again finds the nodes that came since; without any it changes nothing."""
        code = parse("a + b", nodes={"a"}, namespace={"b": 1})
        assert code.bind({"a"}) is code
        later = code.bind({"a", "b"})
        assert (code.function(1), later.function(a=1, b=2)) == (2, 3)
        assert later.parameters == ("a", "b")

    def test_extra(self) -> None:
        """Inputs that the code does not name come last."""
        assert parse("a").bind({"a"}, extra=("b",)).parameters == ("a", "b")

    def test_plain_variable_is_looked_up_at_call_time(self) -> None:
        """A variable that is no node is read when the node runs."""
        namespace: dict[str, object] = {"limit": 1}
        code = parse("limit + 1", namespace=namespace)
        namespace["limit"] = 10
        assert code.function() == 11

    def test_shadowed_builtin(self) -> None:
        """A node may be called like a builtin."""
        assert value("sum + 1", {"sum"}, sum=1) == 2

    def test_missing(self) -> None:
        """Missing is what no node, no variable and no builtin defines."""
        code = parse("for i in rows:\n    last = i\nprint(last, a, b, c)")
        assert code.missing({"a"}, {"b"}) == ("rows", "c")

    def test_input_that_is_assigned(self) -> None:
        """``df = df + 1`` works if df is a node."""
        assert value("df = df + 1\ndf", {"df"}, df=1) == 2

    def test_variable_that_is_assigned(self) -> None:
        """``count = count + 1`` works if count is a variable, and leaves it alone."""
        namespace: dict[str, object] = {"count": 1}
        code = parse("count = count + 1\ncount", namespace=namespace)
        assert (code.function(), code.function(), namespace["count"]) == (2, 2, 1)

    def test_variable_that_is_perhaps_assigned(self) -> None:
        """A variable keeps its value where no branch assigns it."""
        source = "if flag:\n    x = 1\nx"
        assert value(source, flag=False, x=0) == 0
        assert value(source, flag=True) == 1

    def test_variable_that_nothing_defines(self) -> None:
        """A name that is unset on this path is an error of the user's code."""
        with pytest.raises(NameError, match="x"):
            value("if flag:\n    x = 1\nx", flag=False)

    def test_own_name(self) -> None:
        """A node cannot build on its own last value."""
        with pytest.raises(DefinitionError, match="give the node another name"):
            parse("it = it + 1")

    def test_own_name_in_a_loop(self) -> None:
        """A node that may have assigned its variable does not read itself."""
        assert value("for i in range(3):\n    it = i\nprint(it)", {"it"}) == 2

    def test_global(self) -> None:
        """A variable declared global is the notebook's."""
        namespace: dict[str, object] = {"calls": 1}
        parse("global calls\ncalls += 1\ncalls", namespace=namespace).function()
        assert namespace["calls"] == 2

    def test_global_node(self) -> None:
        """An input cannot be global."""
        with pytest.raises(DefinitionError, match="drop the global"):
            parse("global raw\nraw += 1\nraw", nodes={"raw"})

    def test_global_in_a_nested_function(self) -> None:
        """A helper's ``global`` means the cell's own variable, as in a plain cell."""
        source = "total = 0\ndef add(x):\n    global total\n    total += x\nadd(3)\ntotal"
        assert value(source) == 3

    def test_del(self) -> None:
        """A variable may be deleted here; the notebook's stays."""
        namespace: dict[str, object] = {"x": 1}
        assert parse("y = x\ndel x\ny", namespace=namespace).function() == 1
        assert namespace["x"] == 1


class TestFunctionCell:
    """Cells that are exactly one def."""

    def test_parameters(self) -> None:
        """A cell that is one def is that function; defaults are optional inputs."""
        code = parse(
            "def clean(raw, /, limit=2, *, how):\n    return raw, limit, how, x", name=None
        )
        assert code.parameters == ("raw", "limit", "how")
        assert code.optional == {"limit"}
        assert code.reads == ("raw", "limit", "how", "x")

    def test_namespace(self) -> None:
        """It reads the user's namespace and does not appear in it."""
        namespace: dict[str, object] = {"y": 2}
        code = parse('def f(x):\n    """Add."""\n    return x + y', name=None, namespace=namespace)
        assert code.function(x=1) == 3
        assert "f" not in namespace

    def test_recursive(self) -> None:
        """It may call itself, although its name means its value."""
        code = parse("def fact(n):\n    return n and n * fact(n - 1) or 1", name=None)
        assert (code.function(4), code.reads) == (24, ("n",))

    def test_decorated(self) -> None:
        """Decorators apply; the parameters are those of what they wrap."""
        source = "@functools.cache\ndef f(x):\n    return [x]"
        code = parse(source, name=None, namespace={"functools": functools})
        assert code.function(1) is code.function(1)
        assert code.parameters == ("x",)

    @pytest.mark.parametrize(("source", "stars"), [("*args", r"\*args"), ("**kw", r"\*\*kw")])
    def test_stars(self, source: str, stars: str) -> None:
        """Inputs have names."""
        with pytest.raises(DefinitionError, match=f"takes {stars}"):
            parse(f"def f({source}): ...", name=None)

    def test_async(self) -> None:
        """An async def is run on the helper loop."""
        code = parse("async def f(x):\n    return x + 1", name=None)
        assert code.is_async
        assert run_coroutine(code.function(x=1)) == 2  # type: ignore[arg-type]


class TestAsyncBody:
    """Bodies that await."""

    @pytest.mark.parametrize(
        "source",
        [
            "await wait(1)",
            "async with lock as x:\n    it = x",
            "async for x in many():\n    it = x",
            "[x async for x in many()][0]",
        ],
    )
    def test_awaits(self, source: str) -> None:
        """A body that awaits is a coroutine function."""

        class Lock:
            async def __aenter__(self) -> int:
                return 1

            async def __aexit__(self, *error: object) -> None:
                """Leave."""

        async def wait(x: int) -> int:
            return x

        async def many() -> Any:
            yield 1

        code = parse(source, namespace={"wait": wait, "lock": Lock(), "many": many})
        assert code.is_async
        assert run_coroutine(code.function()) == 1  # type: ignore[arg-type]

    def test_nested_await(self) -> None:
        """An async function defined in the body does not make the body one."""
        assert not parse("async def f():\n    await x\n(f,)").is_async


class TestSyntax:
    """What cannot be compiled, and where it is shown."""

    @pytest.mark.parametrize(
        ("source", "line", "text"),
        [
            ("x = 1\ny = (", 3, "y = ("),
            ("x = 1\nreturn x", 3, "return x"),
            ("it = yield 1", 2, "it = yield 1"),
            ("from os import *\nit = 1", 2, "from os import *"),
            ("x = 1\nbreak\nx", 3, "break"),
            ("x = 1\nnonlocal y\nx", 3, "nonlocal y"),
            ("def f(a, a): ...", 2, "def f(a, a): ..."),
        ],
    )
    def test_error(self, source: str, line: int, text: str) -> None:
        """A syntax error shows line and text of the cell."""
        with pytest.raises(SyntaxError) as caught:
            parse(source)
        assert (caught.value.lineno, caught.value.text) == (line, text)
        assert caught.value.filename == "<cell>"

    @pytest.mark.parametrize(
        ("source", "advice"),
        [
            ("return 1", "last expression"),
            ("yield 1", "one def"),
            ("from os import *", "plain cell"),
        ],
    )
    def test_advice(self, source: str, advice: str) -> None:
        """What works elsewhere is refused with a way out."""
        with pytest.raises(SyntaxError, match=advice):
            parse(source)

    def test_second_cell_magic(self) -> None:
        """Two cell magics do not go together."""
        with pytest.raises(DefinitionError, match="use the line magic %time"):
            parse("\n%%time\nx")

    def test_magics(self) -> None:
        """What is not Python is transformed, and Python is not."""
        code = parse("!ls", transform=lambda source: source.replace("!ls", "run('ls')"))
        assert code.reads == ("run",)
        assert parse("1", transform=lambda _: "2").function() == 1

    def test_lines(self) -> None:
        """Tracebacks point at the lines of the cell, without a function around them."""
        with pytest.raises(ZeroDivisionError) as caught:
            parse("x = 1\n\nx / 0").function()
        last = caught.traceback[-1]
        assert (last.lineno + 1, last.frame.code.name) == (4, "<module>")

    def test_formatting(self) -> None:
        """Comments and line breaks change no bytecode."""
        one = parse("x = f(1)\nx").function
        two = parse("# why\n\nx = f(  # how\n    1\n)\nx").function
        assert one.__code__.co_code == two.__code__.co_code
        assert one.__code__.co_consts == two.__code__.co_consts


def scale(x: int, /, by: int = 2) -> int:
    """Multiply."""
    return x * by * OUTSIDE


OUTSIDE = 1


class TestFunctionNode:
    """Functions that become nodes by a decorator."""

    def test_function(self) -> None:
        """A function's parameters are its inputs; its source is its own."""
        code = function_node(scale)
        assert (code.name, code.parameters, set(code.optional)) == ("scale", ("x", "by"), {"by"})
        assert code.source == inspect.getsource(scale)
        assert code.reads == ("x", "by", "int", "OUTSIDE")

    def test_decorators_are_not_source(self) -> None:
        """The source begins at the def and is not indented."""

        @functools.cache
        def inner(a: int) -> int:
            return a

        assert function_node(inner).source.startswith("def inner(a: int) -> int:\n    return a")

    def test_async(self) -> None:
        """A coroutine function is known as one."""

        async def f() -> None: ...

        assert function_node(f).is_async

    @pytest.mark.parametrize("function", [lambda x: x, functools.partial(scale, by=1)])
    def test_nameless(self, function: Callable[..., object]) -> None:
        """What has no name needs one."""
        with pytest.raises(DefinitionError, match=r"name='...'"):
            function_node(function)
        assert function_node(function, name="named").name == "named"

    def test_no_signature(self) -> None:
        """A builtin that does not tell its parameters is refused."""
        with pytest.raises(DefinitionError, match="tells no parameters"):
            function_node(max)

    def test_builtin_with_signature(self) -> None:
        """A builtin that tells them is a function like any other."""
        assert function_node(math.sqrt).parameters == ("x",)
