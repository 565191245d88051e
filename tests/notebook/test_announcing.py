"""What observers are told of the structure: what an edit touched, and the whole if they ask."""

from __future__ import annotations

import contextlib
import random

import pytest

from dagnb.errors import CycleError
from dagnb.events import Event, GraphEdited
from dagnb.notebook.announcing import Announcer
from dagnb.notebook.registry import Registry
from dagnb.render.view import GraphView
from tests.notebook.test_registry import put


class Told(list[GraphEdited]):
    """The edits that were told."""

    def __call__(self, event: Event) -> None:
        """Note an edit."""
        assert isinstance(event, GraphEdited)
        self.append(event)

    def last(self) -> tuple[dict[str, list[str]], list[str]]:
        """Return the inputs and the removed nodes that the last one names."""
        change = self[-1].change
        assert change is not None
        return {name: list(each) for name, each in change.inputs.items()}, list(change.removed)


def test_a_definition_tells_of_the_node_and_of_those_that_read_it() -> None:
    """However many others there are."""
    registry, told = Registry({}), Told()
    announce = Announcer(registry, [told])
    for number in range(50):
        put(registry, f"n{number}", f"n{number - 1}" if number else "1")
        announce.structure()
        assert told.last() == ({f"n{number}": [f"n{number - 1}"] if number else []}, [])
    put(registry, "reader", "late")
    announce.structure()
    put(registry, "late", "n1")
    announce.structure()
    assert told.last() == ({"late": ["n1"], "reader": ["late"]}, [])


def test_a_removal_tells_who_lost_an_input() -> None:
    """And who is gone."""
    registry, told = Registry({}), Told()
    announce = Announcer(registry, [told])
    put(registry, "a", "1")
    put(registry, "b", "a")
    announce.structure()
    registry.remove("a")
    announce.structure()
    assert told.last() == ({"b": []}, ["a"])


def test_who_asks_gets_the_whole() -> None:
    """Nodes, edges and groups, as they are while the event is delivered."""
    registry, wholes = Registry({}), []

    def note(event: Event) -> None:
        assert isinstance(event, GraphEdited)
        wholes.append((list(event.nodes), list(event.edges), dict(event.groups)))

    announce = Announcer(registry, [note])
    put(registry, "a", "1", tags=("etl",))
    announce.structure()
    put(registry, "b", "a")
    announce.structure()
    assert wholes == [(["a"], [], {"a": "etl"}), (["a", "b"], [("a", "b")], {"a": "etl"})]


def test_nothing_is_told_twice() -> None:
    """Other code with the same inputs is no edit."""
    registry, told = Registry({}), Told()
    announce = Announcer(registry, [told])
    put(registry, "a", "1")
    announce.structure()
    put(registry, "a", "2")
    announce.structure()
    assert len(told) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_view_of_the_changes_is_a_view_of_the_whole(seed: int) -> None:
    """After every edit, refused ones included, also if the view was not there from the start."""
    chance, registry, early, late = random.Random(seed), Registry({}), GraphView(), GraphView()
    announce = Announcer(registry, [early])
    for step in range(60):
        if step == 20:
            announce.observers.append(late)
        edit(chance, registry)
        announce.structure()
        whole = GraphView()
        whole(GraphEdited(list(registry.nodes), registry.edges(), registry.groups))
        for view in [early, late] if late.nodes else [early]:
            assert (list(view.nodes), view.groups) == (list(whole.nodes), whole.groups)
            assert sorted(view.edges) == sorted(whole.edges)
    assert late.nodes


def edit(chance: random.Random, registry: Registry) -> None:
    """Define or remove one of a few nodes."""
    name = f"n{chance.randrange(8)}"
    if name in registry.nodes and chance.random() < 0.3:
        registry.remove(name)
        return
    others = [f"n{number}" for number in range(8) if f"n{number}" != name]
    inputs = chance.sample(others, chance.randrange(3))
    tags = chance.choice([(), ("etl",), ("model",)])
    with contextlib.suppress(CycleError):
        put(registry, name, f"[{', '.join(inputs)}]", tags=tags)
