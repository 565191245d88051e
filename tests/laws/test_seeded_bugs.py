"""The model notices: each of these bugs, put in on purpose, is found by random edits."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dagnb.notebook import registry
from dagnb.notebook.lookout import Lookout
from dagnb.notebook.publishing import Publisher
from dagnb.run import engine, policies
from dagnb.run.frontier import Scan
from dagnb.values.bytecode import normal_form
from dagnb.values.code import CodeDigest, code_digest
from dagnb.values.fingerprint import digest
from tests.laws.test_model import Edits, frozen, run_machine, shell

__all__ = ["frozen", "shell"]
Patch = pytest.MonkeyPatch


def another_code_digest(patch: Patch, change: Callable[[Any, CodeDigest], str]) -> None:
    """Let the notebook name code in another way."""

    def changed(function: Any, **options: Any) -> CodeDigest:
        found = code_digest(function, **options)
        return replace(found, digest=change(function, found))

    patch.setattr(registry, "code_digest", changed)


def another_key(patch: Patch, parts: Callable[[str, str, list[tuple[str, str]]], str]) -> None:
    """Let keys be made of other things."""

    def key(self: policies.Remember, name: str, inputs: policies.Inputs) -> str | None:
        given = sorted((each, str(result.digest)) for each, result in inputs.items())
        return parts(name, self._code_of(name), given)

    patch.setattr(policies.Remember, "key", key)


def lines_in_the_digest(patch: Patch) -> None:
    """A comment makes a node stale."""
    another_code_digest(
        patch, lambda function, found: f"{found.digest} {[*function.__code__.co_lines()]}"
    )


def shallow_globals(patch: Patch) -> None:
    """What a helper function reads does not count."""

    def shallow(function: Any, found: CodeDigest) -> str:
        names = [load.name for load in normal_form(function.__code__).loads]
        read = [function.__globals__.get(name) for name in names]
        codes = [normal_form(f.__code__).digest.hex() for f in read if hasattr(f, "__code__")]
        plain = [repr(each) for each in read if not hasattr(each, "__code__")]
        own = normal_form(function.__code__).digest.hex()
        return repr((own, codes, plain, function.__defaults__))

    another_code_digest(patch, shallow)


def defaults_ignored(patch: Patch) -> None:
    """A parameter's default does not count."""

    def without(function: Any, found: CodeDigest) -> str:
        defaults = tuple(0 for _ in function.__defaults__ or ())
        plain = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, defaults
        )
        return code_digest(plain).digest

    another_code_digest(patch, without)


def cutoff_by_equality(patch: Patch) -> None:
    """1, 1.0 and True are the same."""
    patch.setattr(engine, "digest_of", lambda value: digest(float(value)))
    patch.setattr(policies, "digest", lambda value: digest(float(value)))


def inputs_unordered(patch: Patch) -> None:
    """Which input has which value does not count."""
    another_key(patch, lambda name, code, given: repr((code, sorted(each for _, each in given))))


def key_without_code(patch: Patch) -> None:
    """Only the inputs count."""
    another_key(patch, lambda name, code, given: repr((name, given)))


def cutoff_freezes_a_diamond(patch: Patch) -> None:
    """One input that came out the same lets a node go whose other input changed."""
    settled = Scan.settled

    def settle(self: Scan, node: int, changed: bool) -> None:
        settled(self, node, changed)
        for each in [] if changed else self.graph.successors[node]:
            self.dirty[self.positions[each]] = 0

    patch.setattr(Scan, "settled", settle)


def removed_node_still_served(patch: Patch) -> None:
    """The value of a removed node stays in the notebook."""
    patch.setattr(Publisher, "withdraw", lambda self, name, output: None)


def failure_cached(patch: Patch) -> None:
    """A node that failed counts as current."""
    patch.setattr(engine.Engine, "_note_failure", lambda self, node, status: None)


def dirty_by_hint(patch: Patch) -> None:
    """Only a definition makes a node stale, not what it reads."""
    patch.setattr(Lookout, "look", lambda self, names=None: [])


BUGS = [
    lines_in_the_digest, shallow_globals, defaults_ignored, cutoff_by_equality, inputs_unordered,
    key_without_code, cutoff_freezes_a_diamond, removed_node_still_served, failure_cached,
    dirty_by_hint,
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
@pytest.mark.usefixtures("shell")
def test_bug_is_found(bug: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """Some sequence of edits shows it."""
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        run_machine(Edits, 3000, shrink=False)
