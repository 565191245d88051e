"""Exercises about time: the critical path, and a schedule on k workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import ClassVar

from dagnb.teach import answers
from dagnb.teach.grade import Grade
from dagnb.teach.question import Question, inputs, node_names
from dagnb.teach.shortest import arrange, shortest

WORKERS = {"easy": 2, "medium": 2, "hard": 3}


class Timed(Question):
    """A question about a graph whose nodes take time."""

    durations: dict[str, int]

    def _prepare(self, random: Random) -> None:
        """Draw how long each node takes."""
        self.durations = {name: random.randrange(1, 7) for name in node_names(self)}

    def facts(self) -> tuple[list[str], list[list[str]]]:
        """Return the graph with its durations."""
        rows = [
            [name, str(self.durations[name]), inputs(self.dag, name)] for name in node_names(self)
        ]
        return ["node", "minutes", "inputs"], rows

    def _length(self, path: Sequence[str]) -> int:
        return sum(self.durations[name] for name in path)


class CriticalPath(Timed):
    """Find the chain of nodes that takes longest."""

    kind = "critical_path"
    hints = (
        "It begins at a node without inputs and ends at one that nothing has as an input.",
        "For each node, in a topological order: the time at which it can end at the earliest is "
        "its own time and the latest end among its inputs.",
        "Find the node with the latest of these ends. It is the last of the path; go back from it, "
        "each time to the input that ends last.",
    )

    @property
    def text(self) -> str:
        """The question."""
        return (
            "Each node takes the minutes given. Give a critical path: of all chains of nodes along "
            "the arrows one that takes longest in sum, as a list of names from first to last."
        )

    def solution(self) -> list[str]:
        """Return one of the longest chains."""
        return [str(name) for name in self.dag.critical_path(self.durations)[0]]

    def _read(self, answer: object) -> list[str]:
        path = answers.names(answer, node_names(self), "a path", ordered=True)
        answers.check_once(path)
        return path

    def _grade(self, path: list[str]) -> Grade:
        if not path:
            return Grade(0.0, "a path has nodes; this has none")
        for source, target in pairwise(path):
            if not self.dag.has_edge(source, target):
                return Grade(0.0, f"no arrow goes from {source} to {target}")
        own, longest = self._length(path), self._length(self.solution())
        if own == longest:
            return Grade(1.0, f"{own} minutes, and no chain takes longer")
        return Grade(own / longest, f"this takes {own} minutes; there is a chain of {longest}")


class Workers(Timed):
    """Find a schedule that nobody can beat."""

    kind = "schedule"
    hints = (
        "No schedule is shorter than the critical path, nor than all minutes divided by the number "
        "of workers. Which of the two is in the way here?",
        "Whoever is free takes, of the nodes that are ready, the one with the longest way to the "
        "end of the graph below it.",
        "Write down for each node its minutes and those of the longest chain below it. Begin with "
        "the node that has most.",
    )
    sizes: ClassVar[dict[str, int]] = {"easy": 4, "medium": 6, "hard": 8}

    def _prepare(self, random: Random) -> None:
        super()._prepare(random)
        self.workers = WORKERS[self.difficulty]
        self._best = shortest(self.dag, self.durations, self.workers)

    @property
    def text(self) -> str:
        """The question."""
        return (
            f"{self.workers} workers share the nodes, each of which takes the minutes given. Give "
            f"each worker its nodes, in order, so that all is done in {self.best} minutes: a list "
            "with a list of names for each worker. A node starts as soon as its worker is free "
            "and its inputs are done."
        )

    @property
    def best(self) -> int:
        """The minutes of the shortest schedule."""
        return max(self._ends(self._best).values(), default=0)

    def solution(self) -> list[list[str]]:
        """Return one of the shortest schedules."""
        return self._best

    def _ends(self, lanes: Sequence[Sequence[str]]) -> dict[str, int]:
        return arrange(self.dag, self.durations, lanes)

    def _read(self, answer: object) -> list[list[str]]:
        wanted = "a schedule is a list of names for each worker, such as [['a', 'c'], ['b']]"
        given = answer.values() if isinstance(answer, Mapping) else answer
        lanes = answers.items(given, wanted)
        if lanes and all(isinstance(lane, str) for lane in lanes):
            raise TypeError(f"{wanted}; this is one list of names")
        known = node_names(self)
        read = [answers.names(lane, known, "a worker's part", ordered=True) for lane in lanes]
        answers.check_once(name for lane in read for name in lane)
        if len(read) > self.workers:
            raise ValueError(f"there are {self.workers} workers; this needs {len(read)}")
        return read

    def _grade(self, lanes: list[list[str]]) -> Grade:
        placed = {name for lane in lanes for name in lane}
        if missing := [name for name in node_names(self) if name not in placed]:
            return Grade(0.0, f"{missing[0]} is missing; somebody has to do it")
        ends = self._ends(lanes)
        if stuck := [name for lane in lanes for name in lane if name not in ends]:
            return Grade(0.0, self._deadlock(stuck[0], ends))
        took = max(ends.values())
        if took == self.best:
            return Grade(1.0, f"{took} minutes, and no schedule is shorter")
        return Grade(self.best / took, f"this takes {took} minutes; {self.best} are possible")

    def _deadlock(self, name: str, ends: Mapping[str, int]) -> str:
        waits = [str(each) for each in self.dag.predecessors(name) if each not in ends]
        what = f"its input {waits[0]} is never done" if waits else "what stands before it never is"
        return f"the workers wait for each other forever: {name} cannot start, {what}"
