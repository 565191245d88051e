"""Exercises about order: a topological order, levels, and the cycle that an edge would close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from dagnb.errors import CycleError
from dagnb.graph.dag import DAG
from dagnb.teach import answers
from dagnb.teach.grade import Grade, partial
from dagnb.teach.question import Question, node_names


class Toposort(Question):
    """Put all nodes in an order in which inputs come first."""

    kind = "toposort"
    hints = (
        "A node may come once all of its inputs have come. Which nodes have no inputs?",
        "Count the inputs of each node. Write down one that has none left, cross it out as an "
        "input of the others, and look again.",
        "The answer has every node once. Begin with one whose inputs are given as a dash.",
    )

    @property
    def text(self) -> str:
        """The question."""
        return (
            "Put the nodes into a topological order: a list of all names in which every node "
            "comes after its inputs. There may be several; any of them is right."
        )

    def solution(self) -> list[str]:
        """Return one of the orders."""
        return [str(name) for name in self.dag.topological_sort()]

    def _read(self, answer: object) -> list[str]:
        known = node_names(self)
        order = answers.names(answer, known, "a topological order", ordered=True)
        answers.check_once(order)
        return order

    def _grade(self, order: list[str]) -> Grade:
        return grade_order(self.dag, order)


def grade_order(dag: DAG, order: Sequence[str]) -> Grade:
    """Grade an order of known names, each of which is there once at most.

    Examples
    --------
    >>> grade_order(DAG.builder().add_edge("a", "b").build(), ["b", "a"])
    Not yet: b stands before its input a (score 0.00)
    """
    missing = [str(name) for name in dag if name not in set(order)]
    if missing:
        return Grade(0.0, f"{missing[0]} is missing; all {len(dag)} nodes have a place")
    place = {name: number for number, name in enumerate(order)}
    edges = [(str(source), str(target)) for source, target in dag.edges()]
    wrong = [(source, target) for source, target in edges if place[source] > place[target]]
    if not wrong:
        return Grade(1.0, "every node comes after its inputs")
    source, target = min(wrong, key=lambda edge: place[edge[1]])
    message = f"{target} stands before its input {source}"
    return partial(len(edges) - len(wrong), len(edges), message)


class Levels(Question):
    """Group the nodes into levels."""

    kind = "levels"
    hints = (
        "Level 0 has the nodes without inputs. How far down must a node be to come after all of "
        "its inputs?",
        "A node is one level below the lowest of its inputs: 1 + the largest level among them.",
        "Go through the nodes in a topological order, so that the levels of the inputs are known "
        "when you need them.",
    )

    @property
    def text(self) -> str:
        """The question."""
        return (
            "Group the nodes into levels: level 0 has the nodes without inputs, and every other "
            "node is one level below the lowest of its inputs. The answer is a list of lists of "
            "names, level 0 first."
        )

    def solution(self) -> list[list[str]]:
        """Return the levels."""
        return [[str(name) for name in level] for level in self.dag.topological_levels()]

    def _read(self, answer: object) -> dict[str, int]:
        if isinstance(answer, Mapping):
            level_of = _levels_of(answer, node_names(self))
        else:
            level_of = self._of_lists(answer)
        missing = [name for name in node_names(self) if name not in level_of]
        if missing:
            raise ValueError(f"{missing[0]} is missing; every node has a level")
        return level_of

    def _of_lists(self, answer: object) -> dict[str, int]:
        wanted = "levels are a list of lists of names, such as [['a', 'b'], ['c']]"
        known, groups = node_names(self), answers.items(answer, wanted)
        if any(isinstance(group, str) for group in groups):
            raise TypeError(f"{wanted}; this is one list of names")
        read = [answers.names(group, known, "a level", ordered=False) for group in groups]
        answers.check_once(name for group in read for name in group)
        return {name: number for number, group in enumerate(read) for name in group}

    def _grade(self, level_of: dict[str, int]) -> Grade:
        right = {name: n for n, level in enumerate(self.solution()) for name in level}
        wrong = [name for name in right if level_of[name] != right[name]]
        if not wrong:
            return Grade(1.0, f"{len(self.solution())} levels, each node on its own")
        return partial(len(right) - len(wrong), len(right), self._why(wrong[0], level_of))

    def _why(self, name: str, level_of: Mapping[str, int]) -> str:
        """Say what is wrong with the level of a node, all above which are right."""
        above = [str(each) for each in self.dag.predecessors(name)]
        given = f"{name} is on level {level_of[name]}"
        if not above:
            return f"{given}, but it has no inputs, which is level 0"
        lowest = max(above, key=lambda each: level_of[each])
        if level_of[lowest] >= level_of[name]:
            return f"{given}, but its input {lowest} is on level {level_of[lowest]}"
        return f"{given}, though its lowest input {lowest} is on level {level_of[lowest]}"


def _levels_of(answer: Mapping[object, object], known: Sequence[str]) -> dict[str, int]:
    """Read levels that were given as a dict of names and numbers."""
    level_of = {}
    for name, level in answer.items():
        answers.check_name(name, known, "a dict of levels")
        if isinstance(level, bool) or not isinstance(level, int):
            raise TypeError(f"the level of {name} is a whole number, not {level!r}")
        level_of[str(name)] = level
    return level_of


class Cycle(Question):
    """Find the cycle that an edge would close."""

    kind = "cycle"
    hints = (
        "The new edge is one step of the cycle. The other steps are edges that are there.",
        "Look for a way along the arrows from where the new edge ends to where it begins.",
        "Start at the end of the new edge, try each node that has it as an input, and go on from "
        "there; give up a way that comes to an end.",
    )

    def _prepare(self, random: Random) -> None:
        """Draw an edge against the arrows, the farther the better."""
        pairs = [(str(a), str(b)) for a in self.dag for b in self.dag.descendants(a)]
        far = [pair for pair in pairs if not self.dag.has_edge(*pair)] or pairs
        self._end, self._start = random.choice(far)

    @property
    def edge(self) -> tuple[str, str]:
        """The edge that somebody wants to add."""
        return self._start, self._end

    @property
    def text(self) -> str:
        """The question."""
        return (
            f"Somebody wants to add the edge {self._start} -> {self._end}. Give the names along a "
            "cycle that it would close, in the direction of the arrows, as a list. Where you "
            "begin does not matter, nor whether the first name stands at the end again."
        )

    def solution(self) -> list[str]:
        """Return the cycle that dagnb names when it refuses the edge."""
        try:
            self.dag.snapshot().add_edge(*self.edge)
        except CycleError as error:
            return [str(name) for name in error.path[:-1]]
        raise AssertionError("the edge closes a cycle, or it would not have been drawn")

    def _read(self, answer: object) -> list[str]:
        cycle = answers.names(answer, node_names(self), "a cycle", ordered=True)
        if len(cycle) > 1 and cycle[0] == cycle[-1]:
            cycle.pop()
        if not cycle:
            raise ValueError("a cycle has nodes; this has none")
        answers.check_once(cycle)
        return cycle

    def _grade(self, cycle: list[str]) -> Grade:
        steps = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        for source, target in steps:
            if (source, target) != self.edge and not self.dag.has_edge(source, target):
                return Grade(0.0, f"no arrow goes from {source} to {target}")
        start, end = self.edge
        return Grade(1.0, f"with {start} -> {end} you come back to where you began")
