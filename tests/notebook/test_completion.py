"""Tab completes verbs, options and names."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter

from tests.notebook.conftest import Notebook


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("%dag r", ["run", "rm"]),
        ("%dag why cl", ["clean"]),
        ("%dag run clean --f", ["--fresh"]),
        ("%dag auto o", ["on", "off"]),
        ("%%dag_node clean --re", ["--replace", "--retries"]),
        ("%%dag_node clean --wh", ["--when"]),
        ("%%dag_node clean --deps ra", ["raw"]),
        ("dag why tot", ["total"]),
    ],
)
def test_completes(chain: Notebook, text: str, some: list[str]) -> None:
    """What fits is offered."""
    assert set(some) <= completions(chain, text)


def test_other_verbs_are_not_offered(chain: Notebook) -> None:
    """What does not fit is not."""
    assert not {"plan", "status", "clean"} & completions(chain, "%dag r")


def test_after_a_space(chain: Notebook) -> None:
    """After a space, all that may follow."""
    verbs = {"run", "plan", "status", "show", "why", "rm", "auto", "help"}
    assert verbs <= completions(chain, "%dag ")
    assert {"raw", "clean", "total", "other"} <= completions(chain, "%dag why ")


def completions(nb: Notebook, text: str) -> set[str]:
    """Return what a front end offers, asked as the kernel asks."""
    with provisionalcompleter():
        return {each.text for each in nb.shell.Completer.completions(text, len(text))}
