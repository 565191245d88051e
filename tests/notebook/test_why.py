"""``why`` says what made a node run, or why it did not, with the evidence."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.notebook.conftest import Notebook


def why(nb: Notebook, name: str) -> list[str]:
    """Return the lines of the answer, by the magic, which agrees with the object."""
    text = nb.run(f"%dag why {name}").out
    assert text == f"{nb.session.why(name)}\n"
    return text.splitlines()


class TestRan:
    """Why a node ran."""

    def test_first(self, chain: Notebook) -> None:
        """For the first time."""
        assert why(chain, "other") == ["other ran for the first time"]

    def test_code(self, chain: Notebook) -> None:
        """Its code changed: the lines that differ."""
        chain.node("clean", "kept = []\n[x for x in raw if x > 1]")
        first = chain.node("clean", "kept = []\n[x for x in raw if x > 2]")
        assert first.executed == ["clean", "total"]
        assert why(chain, "clean") == [
            "clean ran because its code changed",
            "  -[x for x in raw if x > 1]",
            "  +[x for x in raw if x > 2]",
        ]

    def test_input(self, chain: Notebook) -> None:
        """An input changed: before and after."""
        chain.node("raw", "[5, 6]")
        assert why(chain, "clean") == [
            "clean ran because its input raw changed",
            "  raw: [3, 1, 2] -> [5, 6]",
        ]

    def test_row(self, nb: Notebook) -> None:
        """An input is a frame: its shape, and the first row that is another one."""
        pytest.importorskip("pandas")
        nb.run("import pandas as pd")
        nb.node("raw", "pd.DataFrame({'kind': list('abc'), 'mass': [1.0, 2.0, 3.0]})")
        nb.node("kinds", "sorted(raw.kind)")
        nb.node("raw", "pd.DataFrame({'kind': list('abc'), 'mass': [1.0, 2.0, 4.0]})")
        assert why(nb, "kinds") == [
            "kinds ran because its input raw changed; same value as before",
            "  raw: row 2 (index 2): mass 3.0 -> 4.0",
        ]
        nb.node("raw", "pd.DataFrame({'kind': list('ab')})")
        assert why(nb, "kinds")[1:] == [
            "  raw: DataFrame 3 x 2 -> DataFrame 2 x 1",
            "  raw: columns no longer there: 'mass'",
            "  raw: 3 -> 2 rows",
        ]

    def test_key(self, nb: Notebook) -> None:
        """An input is a long dictionary: the first key that is another one, and where in it."""
        nb.node("raw", "{n: [n, {'a': n}] for n in range(100)}")
        nb.node("count", "len(raw)")
        nb.node("raw", "{n: [n, {'a': n + (n == 50)}] for n in range(100)}")
        assert why(nb, "count")[1:] == ["  raw[50][1]['a']: 50 -> 51"]

    def test_global(self, chain: Notebook) -> None:
        """A global changed: from what to what."""
        chain.run("limit = 2")
        assert why(chain, "clean") == ["clean ran because global `limit` changed from 1 to 2"]

    def test_helper(self, nb: Notebook) -> None:
        """A helper changed: the lines that differ."""
        nb.run("def scale(x):\n    y = x\n    return 2 * y")
        nb.node("a", "scale(1)")
        nb.run("def scale(x):\n    y = x\n    return 3 * y")
        assert why(nb, "a") == [
            "a ran because helper `scale` changed",
            "  -    return 2 * y",
            "  +    return 3 * y",
        ]

    def test_global_of_a_helper(self, nb: Notebook) -> None:
        """A global that a helper reads is named by its way."""
        nb.run("factor = 2\ndef scale(x): return factor * x")
        nb.node("a", "scale(1)")
        nb.run("factor = 3")
        assert why(nb, "a") == ["a ran because global `scale.factor` changed from 2 to 3"]

    def test_two_causes(self, chain: Notebook) -> None:
        """Several causes are all named."""
        chain.run("%dag auto off")
        chain.run("limit = 2")
        chain.node("raw", "[5]")
        chain.run("%dag run")
        assert why(chain, "clean")[0] == (
            "clean ran because global `limit` changed from 1 to 2, and its input raw changed"
        )

    def test_new_input(self, chain: Notebook) -> None:
        """A dependency that was added is named."""
        chain.node("clean", "[x for x in raw if x >= limit]", "--deps other")
        assert "it now reads other" in why(chain, "clean")[0]

    def test_asked(self, chain: Notebook) -> None:
        """It was asked to run again."""
        chain.run("%dag run clean --fresh")
        assert why(chain, "clean") == [
            "clean ran because it was asked to run again; same value as before"
        ]

    def test_failed_before(self, chain: Notebook) -> None:
        """It failed last time."""
        chain.node("bad", "1 / 0", fails=ZeroDivisionError)
        chain.run("%dag run", fails=ZeroDivisionError)
        assert why(chain, "bad") == [
            "bad failed with ZeroDivisionError: division by zero; "
            "it ran because it failed last time"
        ]

    def test_changed_in_place(self, chain: Notebook) -> None:
        """A plain cell had changed its value in place."""
        chain.run("clean.append(4)")
        assert why(chain, "clean") == [
            "clean ran because its value was changed in place by a plain cell; same value as before"
        ]


class TestDidNotRun:
    """Why a node did not run."""

    def test_untouched(self, chain: Notebook) -> None:
        """Nothing changed; and what it ran for before that."""
        chain.node("raw", "[5]")
        assert why(chain, "other") == [
            "other did not run: nothing it depends on changed",
            "  before that, it ran for the first time",
        ]

    def test_cut_off(self, chain: Notebook) -> None:
        """An input ran again and came out the same."""
        chain.node("raw", "[3, 1, 2, 0]")
        assert why(chain, "total")[0] == "total did not run: clean ran again, but came out the same"
        assert chain.session.why("clean").sentence == (
            "clean ran because its input raw changed; same value as before"
        )

    def test_memory(self, chain: Notebook) -> None:
        """Its value came from memory."""
        chain.run("limit = 2")
        chain.run("limit = 1")
        assert why(chain, "clean")[0] == (
            "clean did not run: global `limit` changed from 2 to 1, but its value came from "
            "memory, since it ran before with this code and these inputs"
        )

    def test_waits(self, nb: Notebook) -> None:
        """It waits for a name."""
        nb.node("a", "b + c")
        assert why(nb, "a") == ["a did not run: it waits for `b`, `c`, which nothing defines yet"]

    def test_stale(self, chain: Notebook) -> None:
        """It is stale: what changed, and what brings it up to date."""
        chain.run("%dag auto off")
        chain.run("limit = 2")
        (line, *_) = why(chain, "clean")
        assert line.startswith("clean is stale: ")
        assert "global `limit` changed from 1 to 2" in line
        assert line.endswith("%dag run clean brings it up to date")
        (line, *_) = why(chain, "total")
        assert (
            line == "total is stale: its input clean is stale; %dag run total brings it up to date"
        )

    def test_skipped(self, chain: Notebook) -> None:
        """Something above it failed."""
        chain.node("clean", "1 / 0", fails=ZeroDivisionError)
        assert why(chain, "total")[0] == "total did not run: clean failed"

    def test_cancelled(self, chain: Notebook) -> None:
        """The run was stopped."""
        chain.node("clean", "raise KeyboardInterrupt", fails=KeyboardInterrupt)
        assert "interrupted" in why(chain, "clean")[0]
        assert "interrupted" in why(chain, "total")[0]

    def test_manual(self, chain: Notebook) -> None:
        """It is manual."""
        chain.node("total", "sum(clean)", "--manual")
        chain.node("raw", "[5]")
        assert why(chain, "total") == [
            "total is stale: its input clean changed; it is manual, so only %dag run total brings "
            "it up to date",
            "  clean: [3, 1, 2] -> [5]",
        ]

    def test_never_asked(self, nb: Notebook) -> None:
        """Nothing has asked for it yet."""
        nb.run("%dag auto off")
        nb.run("from dagnb.notebook.cells import function_node")
        nb.session.define(nb.shell.ev("function_node")(lambda: 1, "quiet"))
        assert why(nb, "quiet") == ["quiet did not run: nothing has asked for it yet"]


class TestCost:
    """What the evidence costs."""

    @pytest.mark.parametrize(
        "value", ["list(range(10**6))", "'x' * 10**7", "{i: [i] for i in range(10**5)}"]
    )
    def test_big_values(self, nb: Notebook, value: str) -> None:
        """A big value is described in a line, and not copied for that."""
        nb.node("big", f"{value};")
        nb.node("size", "len(big)")
        nb.node("big", f"{value.replace('10**', '9**')};")
        tracemalloc.start()
        lines = why(nb, "size")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 1_000_000
        assert max(map(len, lines)) < 200
