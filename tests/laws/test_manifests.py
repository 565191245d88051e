"""The laws for manifests: random edits, random failures, and a state between runs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dagnb import DAGRunner, Manifest, ManifestNode
from tests.laws.pipelines import OPERATIONS

Plain = dict[str, dict[str, Any]]  # by name: the configuration, and the inputs
BY_NAME = {operation.__name__: operation for operation in OPERATIONS}
NAMES = [f"n{number}" for number in range(7)]
HIDDEN = ("fails", "inputs")  # what is no configuration


@st.composite
def pipelines(draw: st.DrawFn) -> Plain:
    """Draw some nodes that read nodes before them; few differences, so that values repeat."""
    chosen = sorted(draw(st.sets(st.sampled_from(NAMES), min_size=1)))
    return {
        name: {
            "op": draw(st.sampled_from(sorted(BY_NAME))),
            "salt": draw(st.integers(0, 1)),
            "inputs": sorted(draw(st.sets(st.sampled_from(chosen[:place])))) if place else [],
            "fails": draw(st.integers(0, 7)) == 0,
        }
        for place, name in enumerate(chosen)
    }


@st.composite
def histories(draw: st.DrawFn) -> list[Plain]:
    """Draw pipelines, each with some nodes of the one before."""
    made = [draw(pipelines())]
    for other in draw(st.lists(pipelines(), min_size=1, max_size=4)):
        kept = draw(st.sets(st.sampled_from(NAMES)))
        mixed = {**other, **{name: each for name, each in made[-1].items() if name in kept}}
        made.append(
            {
                name: {**each, "inputs": [i for i in each["inputs"] if i in mixed]}
                for name, each in sorted(mixed.items())
            }
        )
    return made


def manifest_of(plain: Plain) -> Manifest:
    """Return the manifest of a pipeline."""
    nodes = {
        name: {
            "type": "op",
            "config": {key: value for key, value in each.items() if key not in HIDDEN},
        }
        for name, each in plain.items()
    }
    edges = [[source, name] for name, each in plain.items() for source in each["inputs"]]
    return Manifest.from_dict({"nodes": nodes, "edges": edges})


def value(config: dict[str, Any], inputs: list[Any]) -> Any:
    """Return what a node computes."""
    return BY_NAME[config["op"]](config["salt"], *inputs)


class Model:
    """Computes everything anew, and says what a run has to execute."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[str, str]] = {}  # what a success rested on, and its value

    def run(self, plain: Plain) -> tuple[list[str], dict[str, Any]]:
        """Return the nodes that have to be called, and all values that there are."""
        self.last = {name: each for name, each in self.last.items() if name in plain}
        called, values = [], {}
        for name, each in plain.items():
            if any(source not in values for source in each["inputs"]):
                continue
            given_ = [values[source] for source in each["inputs"]]
            rests = repr((each["op"], each["salt"], list(zip(each["inputs"], given_, strict=True))))
            known = self.last.get(name)
            if known is None or known[0] != rests:
                called.append(name)
                if each["fails"]:
                    self.last.pop(name, None)
                    continue
            values[name] = value(each, given_)
            self.last[name] = rests, repr(values[name])
        return called, values


class TextBackend:
    """Keeps the state as a text, which takes no time to sync."""

    text = "{}"

    def load(self) -> dict[str, Any]:
        """Read it."""
        return dict(json.loads(self.text))

    def save(self, state: dict[str, Any]) -> None:
        """Write it."""
        self.text = json.dumps(state)


class Runs:
    """Runs manifests with one state, each by a runner of its own."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.backend = TextBackend()
        self.values: dict[str, Any] = {}

    def run(self, plain: Plain, **options: Any) -> list[str]:
        """Run; return what was called. ``values`` has what each node returned last."""
        called: list[str] = []

        def execute(node: ManifestNode, inputs: dict[str, Any]) -> Any:
            called.append(node.id)
            if plain[node.id]["fails"]:
                raise ValueError(node.id)
            in_order = [inputs[each] for each in plain[node.id]["inputs"]]
            self.values[node.id] = value(dict(node.config), in_order)
            return [self.values[node.id]]

        def unwrapped(node: ManifestNode, inputs: dict[str, Any]) -> Any:
            return execute(node, {name: each[0] for name, each in inputs.items()})

        runner = DAGRunner(manifest_of(plain), state_dir=self.folder, backend=self.backend)
        runner.register("op", unwrapped)
        runner.run(continue_on_error=True, progress=False, **options)
        return called


@settings(max_examples=25)
@given(histories())
def test_runs_are_correct_and_minimal(history: list[Plain]) -> None:
    """What is called is what has to be, and every value is that of computing everything."""
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(folder)
        for plain in history:
            called, values = model.run(plain)
            assert sorted(runs.run(plain)) == sorted(called)
            assert {name: repr(runs.values[name]) for name in values} == {
                name: repr(each) for name, each in values.items()
            }
            fails = [name for name in called if plain[name]["fails"]]
            assert sorted(runs.run(plain)) == sorted(fails)


@settings(max_examples=25)
@given(histories(), st.data())
def test_filters_never_make_a_value_wrong(history: list[Plain], data: st.DataObject) -> None:
    """After runs of single nodes, a run without filters ends where it would have anyway."""
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(folder)
        for plain in history:
            runs.run(plain, nodes=[data.draw(st.sampled_from(sorted(plain)))])
        runs.run(history[-1])
        _, values = model.run(history[-1])
        assert {name: repr(runs.values[name]) for name in values} == {
            name: repr(each) for name, each in values.items()
        }
