"""The laws where nodes make nodes in incremental runs: correct, minimal, whatever the order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from dagnb.events import Event, NodeSettled
from dagnb.notebook.cells import parse_cell
from dagnb.notebook.node import NodeOptions
from dagnb.notebook.session import Session

HELPERS = """\
from functools import partial
def own(value, factor):
    return value * factor
def chained(value, previous):
    return value + previous
def family(items, factor):
    made, last = {}, None
    for name, value, follows in items:
        if follows and last is not None:
            made[name] = (lambda *previous, value=value: chained(value, *previous), [last])
        else:
            made[name] = lambda factor, value=value: own(value, factor)
        last = name
    return {**made, "total": (lambda *all: sum(all), [*made])}
"""
NAMES = ("a", "b", "c")
items = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 1), st.booleans()),
    max_size=3,
    unique_by=lambda item: item[0],
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("items"), items),
        st.tuples(st.just("items"), items),
        st.tuples(st.just("factor"), st.integers(1, 2)),
        st.tuples(st.just("other"), st.integers(0, 1)),
        st.tuples(st.just("workers"), st.sampled_from((1, 3))),
    ),
    min_size=1,
    max_size=8,
)


CELLS = {
    "items": "[('a', 1, False), ('b', 1, True)]",
    "factor": "1",
    "other": "0",
    "sizes": "family(items, factor)",
    "of_a": "a + other",
    "of_total": "(total, of_b)",
    "of_b": "b",
}


class Families:
    """A notebook with a family, what reads it, and a model of both."""

    def __init__(self, shell: InteractiveShell, order: list[str], *, at_once: bool) -> None:
        self.namespace: dict[str, Any] = {}
        self.session = Session(shell, self.namespace)  # type: ignore[arg-type]  # a protocol of ours
        self.session.observers.append(self.note)
        self.items: list[tuple[str, int, bool]] = [("a", 1, False), ("b", 1, True)]
        self.factor, self.other = 1, 0
        self.executed: list[str] = []
        self.seen: set[tuple[str, object]] = set()
        exec(HELPERS, self.namespace)
        for name in order:
            self.define(name, CELLS[name])
            self.session.run([] if at_once else [name])
        self.session.run()
        self.check()

    def define(self, name: str, source: str) -> None:
        """Define a node by its cell."""
        code = parse_cell(
            source,
            name=name,
            namespace=self.namespace,
            node_names=self.session.nodes,
            transform=str,
            filename="<cell>",
        )
        self.session.define(code, NodeOptions(expand=name == "sizes"))

    def note(self, event: Event) -> None:
        """Note what ran."""
        if isinstance(event, NodeSettled) and event.result.executed:
            self.executed.append(str(event.result.name))

    def step(self, what: str, value: Any) -> None:
        """Change something, and run what follows from it."""
        self.executed.clear()
        if what == "workers":
            self.session.workers = value
            return
        setattr(self, what, value)
        self.define(what, repr(value))
        self.session.run([what])
        self.check()

    def model(self) -> dict[str, tuple[object, object]]:
        """Return the key and the value of each node that has one, from scratch."""
        found: dict[str, tuple[object, object]] = {}
        last = None
        for name, value, follows in self.items:
            if follows and last is not None:
                found[name] = ("chained", value, last, found[last][1]), value + found[last][1]  # type: ignore[operator]
            else:
                found[name] = ("own", value, self.factor), value * self.factor
            last = name
        values = {name: found[name][1] for name in found}
        found["total"] = ("total", *values.items()), sum(values.values())  # type: ignore[arg-type]
        if "a" in values:
            found["of_a"] = (values["a"], self.other), values["a"] + self.other  # type: ignore[operator]
        if "b" in values:
            found["of_b"] = values["b"], values["b"]
            pair = found["total"][1], values["b"]
            found["of_total"] = pair, pair
        return found

    def check(self) -> None:
        """Every value is that of the model, no other is there, and nothing known ran."""
        model = self.model()
        names = {*self.session.nodes} - {"items", "factor", "other", "sizes"}
        assert names >= {*model} - {"of_a", "of_b", "of_total"}
        for name in names:
            assert (name in model) == self.session.result(name).status.is_success, name
            if name in model:
                assert self.namespace[name] == model[name][1], name
        known = {name for name in model if (name, model[name][0]) in self.seen}
        assert not known.intersection(self.executed)
        assert len(self.executed) == len(set(self.executed))
        self.seen.update((name, key) for name, (key, _) in model.items())
        assert [n for n in model if self.session.is_stale(n)] == []
        assert self.session.stale() == []
        self.executed.clear()
        self.session.run()
        assert self.executed == []


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    """A shell for all examples; each has variables of its own."""
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.history_manager.enabled = False  # type: ignore[union-attr]
    yield made
    made.history_manager.end_session()  # type: ignore[union-attr]
    InteractiveShell.clear_instance()


@settings(max_examples=60)
@given(order=st.permutations(list(CELLS)), at_once=st.booleans(), steps=steps)
def test_a_notebook_with_families(
    shell: InteractiveShell, order: list[str], at_once: bool, steps: list[tuple[str, Any]]
) -> None:
    """After any edit every value is that of a run of the final graph from scratch.

    No node runs whose key is known, none runs twice, and the same run again executes nothing.
    """
    notebook = Families(shell, order, at_once=at_once)
    for what, value in steps:
        notebook.step(what, value)
