"""Exercises about change: the dirty set, and where early cutoff stops a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random

from dagnb.teach import answers
from dagnb.teach.grade import Grade, partial
from dagnb.teach.question import Question, inputs, node_names
from dagnb.teach.random_graph import random_graph

MOST_DRAWS = 200


class Dirty(Question):
    """Name everything that an edit may affect."""

    kind = "dirty"
    hints = (
        "A change flows along the arrows, and never against them.",
        "Take the changed nodes, then everything that has one of them as an input, then "
        "everything that has one of those, until nothing is new.",
        "The changed nodes themselves belong to the dirty set.",
    )

    def _prepare(self, random: Random) -> None:
        """Draw what is edited: something with nodes below it."""
        above = [str(name) for name in self.dag if self.dag.successors(name)]
        self.changed = sorted(random.sample(above, min(len(above), 1 + (len(self.dag) > 8))))

    @property
    def text(self) -> str:
        """The question."""
        several = len(self.changed) > 1
        return (
            f"The code of {' and '.join(self.changed)} {'are' if several else 'is'} edited. Give "
            "the dirty set: all nodes that may have to run again, as a list or a set of names."
        )

    def solution(self) -> list[str]:
        """Return the dirty set, dependencies first."""
        return [str(name) for name in self.dag.dirty_set(self.changed)]

    def _read(self, answer: object) -> list[str]:
        return answers.names(answer, node_names(self), "a dirty set", ordered=False)

    def _grade(self, given: list[str]) -> Grade:
        return grade_set(given, self.solution(), self._missed, self._extra)

    def _missed(self, name: str) -> str:
        if name in self.changed:
            return f"{name} is missing, though it is what was edited"
        path = " -> ".join(self.dag.change_provenance(self.changed)[name].path)
        return f"{name} is missing; the change reaches it: {path}"

    def _extra(self, name: str) -> str:
        return f"{name} is not dirty: no way along the arrows leads to it from what was edited"


def grade_set(
    given: Iterable[str],
    right: Iterable[str],
    missed: Callable[[str], str],
    extra: Callable[[str], str],
) -> Grade:
    """Grade a set: the share of right names among all that are in either (Jaccard's index)."""
    have, want = set(given), set(right)
    if have == want:
        return Grade(1.0, f"these {len(want)}, and no others" if len(want) > 1 else "just this one")
    wrong = [name for name in right if name not in have]
    message = missed(wrong[0]) if wrong else extra(min(have - want))
    return partial(len(have & want), len(have | want), message)


class Cutoff(Question):
    """Say which nodes run after an edit, if a node is left alone whose inputs came out the same."""

    kind = "cutoff"
    hints = (
        "A node runs if at least one of its inputs has another value than before.",
        "Compute the values twice, before and after the edit, in a topological order, and compare "
        "node by node.",
        "Begin with the edited node; look at the nodes that have it as an input. If one of them "
        "comes out the same, nothing runs because of it.",
    )

    def _prepare(self, random: Random) -> None:
        """Draw graphs and formulas until the edit is cut off somewhere."""
        for _ in range(MOST_DRAWS):
            self.edited = _busiest_root(self)
            self.formulas = {name: self._formula(name, random) for name in node_names(self)}
            self.before = self.formulas[self.edited]
            self.after = str(random.choice([n for n in range(1, 30) if str(n) != self.before]))
            if 1 < len(self.solution()) < len(self.dag.dirty_set([self.edited])):
                return
            self.dag = random_graph(random, len(self.dag))

    def _formula(self, name: str, random: Random) -> str:
        above = [str(each) for each in self.dag.predecessors(name)]
        if not above:
            return str(random.randrange(1, 30))
        if len(above) == 1:
            number = random.randrange(2, 9)
            kept = ("{0} + {1}", "{0} % {1}", "{0} // {1}", "min({0}, {1})", "int({0} > {1})")
            return random.choice(kept).format(above[0], number)
        joined = ", ".join(above)
        return random.choice(("max({})", "min({})", "sum([{}])", "len([{}])")).format(joined)

    @property
    def text(self) -> str:
        """The question."""
        return (
            f"Everything has run. Then {self.edited} = {self.before} is edited to {self.edited} = "
            f"{self.after}. Which nodes run, {self.edited} included, if a node runs only when an "
            "input of it has another value than before? Give a list or a set of names."
        )

    def facts(self) -> tuple[list[str], list[list[str]]]:
        """Return the formulas and the values before the edit."""
        before = self.values(self.before)
        rows = [
            [name, self.formulas[name], str(before[name]), inputs(self.dag, name)]
            for name in node_names(self)
        ]
        return ["node", "formula", "value", "inputs"], rows

    def values(self, of_edited: str) -> dict[str, int]:
        """Return all values if the edited node has a given formula."""
        found: dict[str, int] = {}
        formulas = self.formulas | {self.edited: of_edited}
        for name in map(str, self.dag.topological_sort()):
            found[name] = eval(formulas[name], dict(found))  # our own formulas, drawn above
        return found

    def solution(self) -> list[str]:
        """Return the nodes that run, dependencies first."""
        before, after = self.values(self.before), self.values(self.after)
        return [
            name
            for name in map(str, self.dag.topological_sort())
            if name == self.edited
            or any(before[each] != after[each] for each in self.dag.predecessors(name))
        ]

    def _read(self, answer: object) -> list[str]:
        return answers.names(answer, node_names(self), "what runs", ordered=False)

    def _grade(self, given: list[str]) -> Grade:
        return grade_set(given, self.solution(), self._missed, self._extra)

    def _missed(self, name: str) -> str:
        if name == self.edited:
            return f"{name} is missing, though it is what was edited"
        before, after = self.values(self.before), self.values(self.after)
        moved = next(e for e in self.dag.predecessors(name) if before[e] != after[e])
        return f"{name} runs: its input {moved} was {before[moved]} and is {after[moved]} now"

    def _extra(self, name: str) -> str:
        if name not in self.dag.dirty_set([self.edited]):
            return f"{name} does not run: the change does not reach it"
        return f"{name} does not run: {_unmoved(self.dag.predecessors(name), self)}"


def _unmoved(above: Iterable[str], question: Cutoff) -> str:
    values: Mapping[str, int] = question.values(question.before)
    listed = " and ".join(f"{each} is still {values[each]}" for each in map(str, above))
    return f"{listed}, so it is cut off"


def _busiest_root(question: Question) -> str:
    """Return the node without inputs that has the most below it."""
    dag = question.dag
    return str(max(dag.roots(), key=lambda name: len(dag.descendants(name))))
