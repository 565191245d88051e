"""An exercise: a question about a random graph, three hints, a solution, and a checker."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from random import Random
from typing import Any, ClassVar

from dagnb.graph.dag import DAG
from dagnb.observe.text import table
from dagnb.teach.grade import Grade
from dagnb.teach.random_graph import DIFFICULTIES, random_graph


class Question:
    """One exercise. It prints as its text; a notebook shows the picture too.

    Parameters
    ----------
    seed : int
        The same seed is the same exercise, on every machine.
    difficulty : str
        ``"easy"``, ``"medium"`` or ``"hard"``.

    Attributes
    ----------
    dag : DAG
    hints : tuple of str
        Three: where to look, how to go about it, and how to begin.
    """

    kind: ClassVar[str]
    hints: ClassVar[tuple[str, str, str]]
    sizes: ClassVar[dict[str, int]] = DIFFICULTIES

    def __init__(self, seed: int, difficulty: str) -> None:
        self.seed = seed
        self.difficulty = difficulty
        random = Random(f"{self.kind} {difficulty} {seed}")
        self.dag = random_graph(random, self.sizes[difficulty])
        self._prepare(random)

    def _prepare(self, random: Random) -> None:
        """Draw what the exercise needs beside the graph."""

    @property
    def text(self) -> str:
        """The question, in a sentence or two."""
        raise NotImplementedError

    def solution(self) -> Any:
        """Return a right answer; there may be others."""
        raise NotImplementedError

    def check(self, answer: object) -> Grade:
        """Return what is right, or the first thing that is wrong; never raises.

        Any right answer passes, not only `solution`.
        """
        try:
            given = self._read(answer)
        except (TypeError, ValueError) as misread:
            return Grade(0.0, str(misread))
        return self._grade(given)

    def _read(self, answer: object) -> Any:
        """Return the answer in a plain form, or raise the sentence that says what is wrong."""
        raise NotImplementedError

    def _grade(self, given: Any) -> Grade:
        raise NotImplementedError

    def hint(self, number: int = 1) -> str:
        """Return a hint, from 1, which says the least, to 3."""
        if number not in (1, 2, 3):
            raise ValueError(f"there are hints 1, 2 and 3, no hint {number!r}")
        return self.hints[number - 1]

    def facts(self) -> tuple[list[str], list[list[str]]]:
        """Return the graph as a header and rows."""
        return ["node", "inputs"], [[name, inputs(self.dag, name)] for name in node_names(self)]

    def __str__(self) -> str:
        return f"{self.text}\n\n{table(*self.facts())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        picture = self.dag._repr_svg_() or ""
        header, rows = self.facts()
        return f"<p>{escape(self.text)}</p>{_html(header, rows)}{picture}"


def node_names(question: Question) -> list[str]:
    """Return the names of all nodes, as plain strings, by alphabet."""
    return [str(name) for name in question.dag.nodes()]


def inputs(dag: DAG, name: str) -> str:
    """Return the inputs of a node, with commas, or a dash."""
    return ", ".join(map(str, dag.predecessors(name))) or "-"


def _html(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col' style='text-align: left'>{escape(c)}</th>" for c in header)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align: left'>{escape(c)}</td>" for c in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
