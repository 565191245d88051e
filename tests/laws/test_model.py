"""Never stale, never twice: any sequence of edits of a notebook, against a model of it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from dagnb import CycleError
from tests.laws.notebooks import (
    CONSTANTS,
    GLOBALS,
    HELPERS,
    NAMES,
    OPERATIONS,
    Notebook,
    Outcome,
    Spec,
    Typed,
    any_spec,
)
from tests.notebook.shells import new_shell

EXAMPLES = int(os.environ.get("DAGNB_EXAMPLES", "3000"))
PARTS = 6  # which processes can share
STEPS = 4
SEED_BYTES = 4


class Edits:
    """What a person does to a notebook, and runs of it.

    Hypothesis draws one number a step, and what is done follows from that: a draw of its takes as
    long as a node. A step whose number is 0 does nothing, so it can leave steps out when it looks
    for the least that goes wrong.
    """

    shell: ClassVar[InteractiveShell]

    def __init__(self, seed: bytes) -> None:
        """Start with some nodes that have run."""
        self.chance = Random(seed)
        self.model, self.typed = Notebook(), self.new_session()
        self.known: set[str] = set()
        self.typed.namespace.update(self.model.variables)
        for name in HELPERS:
            self.retype_helper(name)
        for place in range(self.chance.choice([2, 3, 4])):
            self.retype(NAMES[place], any_spec(self.chance, NAMES[:place]))
        self.run_all()

    def step(self, seed: bytes) -> None:
        """Do one thing that can be done now."""
        if any(seed):
            self.chance.seed(seed)
            chosen = self.chance.choice(self.possible())
            note(chosen.__name__)
            chosen()

    def possible(self) -> list[Callable[[], None]]:
        """Return what can be done now."""
        found = [self.redefine, self.edit, self.comment, self.permute, self.break_or_mend]
        found += [self.assign, self.edit_helper, self.run_all, self.run_some, self.interrupt]
        found += [self.restart]
        if len(self.model.nodes) > 1:
            found.append(self.remove)
        if len(self.model.nodes) < len(NAMES):
            found += [self.add, self.rename]
        if self.readers_of_two():
            found.append(self.swap)
        return found

    def new_session(self) -> Typed:
        """Return what the cells are typed into."""
        return Typed(self.shell)

    # -- edits ------------------------------------------------------------------------------

    def retype(self, name: str, spec: Spec) -> None:
        """Give a node this text, unless that closes a cycle: then it is refused."""
        before = self.model.nodes.get(name)
        if set(spec.inputs) & self.model.below(name):
            with pytest.raises(CycleError):
                self.typed.define(name, spec)
            assert (name in self.typed.session.nodes) == (before is not None)
            return
        self.typed.define(name, spec)
        self.model.nodes[name] = spec

    def retype_helper(self, name: str) -> None:
        """Define a helper function anew."""
        exec(self.model.helper_code(name), self.typed.namespace)

    def any_spec(self, name: str) -> Spec:
        """Choose a node that reads others, now and then one that is not there."""
        there = [each for each in self.model.nodes if each != name]
        others = [each for each in NAMES if each not in {name, *there}]
        return any_spec(self.chance, [*there, *others[:1]])

    def then(self, name: str) -> None:
        """After an edit run its cell, or everything, or nothing."""
        what = self.chance.choice(["run all", "run the cell", "nothing"])
        if what == "run all":
            self.run_all()
        elif what == "run the cell" and name in self.model.nodes:
            self.check_some(self.typed.run([name]))
            assert self.typed.state(name) == self.model.state(name), name

    def existing(self) -> str:
        """Choose a node."""
        return self.chance.choice(sorted(self.model.nodes))

    def free(self) -> str:
        """Choose a name that no node has."""
        return self.chance.choice(sorted(set(NAMES) - set(self.model.nodes)))

    def add(self) -> None:
        """Add a node, which may read names that are no nodes yet."""
        name = self.free()
        self.retype(name, self.any_spec(name))
        self.then(name)

    def redefine(self) -> None:
        """Type a node anew; the edges may close a cycle."""
        name = self.existing()
        self.retype(name, self.any_spec(name))
        self.then(name)

    def edit(self) -> None:
        """Change one thing in a node."""
        what = self.chance.choice(["operation", "constant", "constant", "default"])
        name = self.existing()
        value = self.chance.randrange(len(OPERATIONS if what == "operation" else CONSTANTS))
        self.retype(name, replace(self.model.nodes[name], **{what: value}))
        self.then(name)

    def comment(self) -> None:
        """Change a comment: nothing is stale for it."""
        name = self.existing()
        was_stale = self.typed.session.is_stale(name)
        spec = self.model.nodes[name]
        self.retype(name, replace(spec, comment=spec.comment + 1))
        assert self.typed.session.is_stale(name) == was_stale

    def permute(self) -> None:
        """Turn the order of the parameters round."""
        name = self.existing()
        spec = self.model.nodes[name]
        self.retype(name, replace(spec, inputs=spec.inputs[::-1]))
        self.then(name)

    def break_or_mend(self) -> None:
        """Make a node fail, or succeed again."""
        name = self.existing()
        self.retype(name, replace(self.model.nodes[name], fails=not self.model.nodes[name].fails))
        self.then(name)

    def remove(self) -> None:
        """Remove a node; what reads it waits."""
        name = self.existing()
        self.typed.session.remove(name)
        del self.model.nodes[name]

    def rename(self) -> None:
        """Give a node another name, as when its cell is run with one."""
        old, new = self.existing(), self.free()
        spec = self.model.nodes[old]
        if new in spec.inputs or set(spec.inputs) & self.model.below(new):
            return
        self.retype(new, spec)
        self.typed.session.remove(old)
        del self.model.nodes[old]

    def readers_of_two(self) -> list[str]:
        """Return the nodes with two inputs, neither of which reads the other."""
        nodes = self.model.nodes
        pairs = {name: spec.inputs for name, spec in nodes.items() if len(spec.inputs) == 2}
        return [
            name
            for name, (one, other) in pairs.items()
            if one in nodes and other in nodes
            if other not in self.model.below(one) and one not in self.model.below(other)
        ]

    def swap(self) -> None:
        """Swap what the two inputs of a node are."""
        one, other = self.model.nodes[self.chance.choice(self.readers_of_two())].inputs
        specs_of = self.model.nodes[one], self.model.nodes[other]
        self.retype(one, specs_of[1])
        self.retype(other, specs_of[0])
        self.then(one)

    def assign(self) -> None:
        """Give a variable another value, in a plain cell."""
        name, constant = self.chance.choice(GLOBALS), self.chance.randrange(len(CONSTANTS))
        self.model.variables[name] = self.typed.namespace[name] = CONSTANTS[constant]
        self.plain_cell(name)

    def edit_helper(self) -> None:
        """Change a helper function, in a plain cell."""
        name, constant = self.chance.choice(HELPERS), self.chance.randrange(len(CONSTANTS))
        self.model.added[name] = constant
        self.retype_helper(name)
        self.plain_cell(name)

    # -- runs -------------------------------------------------------------------------------

    def plain_cell(self, name: str) -> None:
        """End a plain cell; what it changed runs at once, unless the cell failed."""
        self.typed.executed.clear()
        self.typed.session.cells.after([name], run=self.chance.choice([False, True]))
        self.check_some(list(self.typed.executed))

    def run_all(self) -> None:
        """Run everything: exactly the new keys run, and every value is right."""
        before = set(self.known)
        executed = self.typed.run()
        for name, outcome in self.expected(executed).items():
            assert (name in executed) == (outcome.key not in {"", *before}), name
            assert self.typed.state(name) == outcome.state, name
            if outcome.has_value:
                assert repr(self.typed.read(name)) == outcome.state, name

    def run_some(self) -> None:
        """Run some nodes, with what they need and what reads them."""
        nodes = sorted(self.model.nodes)
        names = self.chance.sample(nodes, min(len(nodes), self.chance.choice([1, 2])))
        self.typed.session.auto = self.chance.choice([False, True])
        self.check_some(self.typed.run(names))
        self.typed.session.auto = True
        for name in names:
            assert self.typed.state(name) == self.model.state(name), name

    def interrupt(self) -> None:
        """Stop a run where some node starts, if it does."""
        self.typed.interrupt_at = name = self.existing()
        with suppress(KeyboardInterrupt):
            self.typed.run()
        self.typed.interrupt_at = ""
        self.check_some([each for each in self.typed.executed if each != name])

    def restart(self) -> None:
        """Begin a session that knows nothing, and type all cells again."""
        self.known.clear()
        self.type_again()

    def type_again(self) -> None:
        """Type all cells into a new session."""
        self.typed.restart()
        for name in self.model.nodes:
            self.typed.namespace.pop(name, None)
        for name, spec in self.model.nodes.items():
            self.typed.define(name, spec)

    # -- what must hold ---------------------------------------------------------------------

    def expected(self, executed: list[str]) -> Mapping[str, Outcome]:
        """Check that what ran had a new key, and ran once; return what all nodes should be."""
        outcomes = self.model.outcomes()
        assert len(executed) == len(set(executed)), "a node ran twice"
        ran = [outcomes[name] for name in executed]
        assert {each.key for each in ran}.isdisjoint({"", *self.known})
        self.known.update(each.key for each in ran if each.has_value)
        return outcomes

    def check_some(self, executed: list[str]) -> None:
        """Whatever ran had a new key, and whatever is called current is right."""
        for name, outcome in self.expected(executed).items():
            assert self.typed.state(name) in {"stale", "blocked", "failed", outcome.state}, name


class EditsWithStore(Edits):
    """The same with a store, so that a new session knows all that ran in the ones before."""

    folder: ClassVar[Path]
    number: ClassVar[Iterator[int]] = count()

    def new_session(self) -> Typed:
        """Return what the cells are typed into, with a store of its own."""
        return Typed(self.shell, self.folder / str(next(self.number)))

    def restart(self) -> None:
        """Begin a session that knows what its store does, and type all cells again."""
        self.type_again()


@pytest.fixture(scope="module")
def frozen() -> Iterator[None]:
    """The libraries: to look through them each time takes a tenth of the test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def shell(frozen: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell whose namespace nobody uses, which shows values as text only."""
    with new_shell() as made:
        made.InteractiveTB.set_mode("Minimal")  # a traceback in colours takes longer than a run
        made.display_formatter.active_types = ["text/plain"]
        monkeypatch.setattr(Edits, "shell", made, raising=False)
        yield made


def run_machine(machine: type[Edits], examples: int, *, shrink: bool = True) -> None:
    """Run a machine so often, without a database: what it finds becomes a test of its own."""
    size = (1 + STEPS) * SEED_BYTES

    @settings(
        max_examples=examples,
        database=None,
        print_blob=False,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],  # which a busy machine fails
    )
    @given(st.binary(min_size=size, max_size=size))
    def run(seeds: bytes) -> None:
        first, *others = [seeds[at : at + SEED_BYTES] for at in range(0, size, SEED_BYTES)]
        edits = machine(first)
        for seed in others:
            edits.step(seed)

    run()


@pytest.mark.parametrize("part", range(PARTS))
def test_any_sequence_of_edits(shell: InteractiveShell, part: int) -> None:
    """Values are those of a computation from scratch; exactly what is new runs, and once."""
    run_machine(Edits, EXAMPLES // PARTS)


def test_any_sequence_of_edits_and_restarts_with_a_store(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart makes nothing new, and what is loaded is right."""
    monkeypatch.setattr("dagnb.values.store.INLINE_BYTES", -1)  # nothing is too small to be loaded
    monkeypatch.setattr(EditsWithStore, "folder", tmp_path, raising=False)
    run_machine(EditsWithStore, EXAMPLES // 10)
