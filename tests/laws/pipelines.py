"""Random pipelines of real functions, and an evaluator that shares nothing with the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from dagnb import DAG

VALUES = (0, 1, 2, 1.0, True)


def first(*inputs: Any) -> Any:
    """Return the first input."""
    return inputs[0] if inputs else None


def parity(*inputs: Any) -> Any:
    """Lose all but one bit of the sum."""
    return int(sum(_numbers(inputs))) % 2


def types(*inputs: Any) -> Any:
    """Keep only the kinds of the inputs: 1 and True differ."""
    return [type(each).__name__ for each in inputs]


def kept(*inputs: Any) -> Any:
    """Keep everything, types included."""
    return inputs


def truth(*inputs: Any) -> Any:
    """Say whether any input is true."""
    return any(inputs)


def half(*inputs: Any) -> Any:
    """Halve the sum, as a float."""
    return sum(_numbers(inputs)) / 2


def _numbers(inputs: Sequence[Any]) -> list[float]:
    return [each if isinstance(each, int | float) else len(repr(each)) for each in inputs]


def void(*inputs: Any) -> Any:
    """Return None, which is a value like any other."""


OPERATIONS: tuple[Callable[..., Any], ...] = (
    first, parity, types, kept, truth, half, void,
)  # fmt: skip


class Failure(Exception):
    """What a failing task raises."""


@dataclass
class Node:
    """A node as the tests know it: a constant plus an operation, or a failure."""

    operation: int = 0
    constant: int = 0
    inputs: list[str] = field(default_factory=list)
    fails: bool = False

    def compute(self, *inputs: Any) -> Any:
        """Return the value for these inputs."""
        if self.fails:
            raise Failure
        if not inputs:
            return VALUES[self.constant]
        return OPERATIONS[self.operation](*inputs)


class Pipeline:
    """A graph with a task for each node, edited in step with the lists of `Node`."""

    def __init__(self) -> None:
        self.dag = DAG()
        self.nodes: dict[str, Node] = {}
        self.tasks: dict[str, Callable[..., Any]] = {}
        self.called: list[str] = []
        self.interrupt_at = ""

    def add(self, name: str, operation: int, constant: int) -> None:
        """Add a node that is not there yet."""
        self.dag.add_node(name)
        self.nodes[name] = Node(operation, constant)
        self.tasks[name] = self.task(name)

    def task(self, name: str) -> Callable[..., Any]:
        """Return a task that notes that it was called."""
        node = self.nodes[name]

        def run(*inputs: Any) -> Any:
            self.called.append(name)
            if name == self.interrupt_at:
                raise KeyboardInterrupt
            return node.compute(*inputs)

        return run

    def forget_calls(self) -> None:
        """Count calls from here on."""
        self.called.clear()

    def remove(self, name: str) -> None:
        """Remove a node."""
        self.dag.remove_node(name)
        del self.nodes[name], self.tasks[name]
        for node in self.nodes.values():
            if name in node.inputs:
                node.inputs.remove(name)

    def link(self, source: str, target: str) -> None:
        """Add an edge that is not there and closes no cycle."""
        self.dag.add_edge(source, target)
        self.nodes[target].inputs.append(source)

    def unlink(self, source: str, target: str) -> None:
        """Remove an edge."""
        self.dag.remove_edge(source, target)
        self.nodes[target].inputs.remove(source)

    def above(self, name: str) -> set[str]:
        """Return all nodes above one, by recursion."""
        inputs = self.nodes[name].inputs
        return set(inputs).union(*(self.above(each) for each in inputs))

    def order(self) -> list[str]:
        """Return the names, inputs first, ties by addition, by repeated passes."""
        left, order = list(self.nodes), []
        while left:
            name = next(n for n in left if not set(self.nodes[n].inputs) & set(left))
            order.append(name)
            left.remove(name)
        return order

    def values(self) -> dict[str, str]:
        """Compute everything from scratch; ``repr`` tells 1 from 1.0 and True."""
        return {name: repr(self.value(name)) for name in self.nodes}

    def value(self, name: str) -> Any:
        """Compute one node from scratch, by recursion; None if it cannot be."""
        try:
            return self._compute(name)
        except Failure:
            return None

    def _compute(self, name: str) -> Any:
        node = self.nodes[name]
        return node.compute(*[self._compute(each) for each in node.inputs])


class Apart(Pipeline):
    """A pipeline whose tasks may run in any process of this machine: they note calls in a file."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        super().__init__()
        self.forget_calls()

    @classmethod
    def of(cls, pipeline: Pipeline, notes: Path) -> Apart:
        """Return the same pipeline."""
        made = cls(notes)
        for name, node in pipeline.nodes.items():
            made.add(name, node.operation, node.constant)
            made.nodes[name].fails = node.fails
        for name, node in pipeline.nodes.items():
            for source in node.inputs:
                made.link(source, name)
        return made

    @property  # type: ignore[override]  # read from the file, not kept
    def called(self) -> list[str]:
        """Which tasks were called, in order."""
        return self._notes.read_text().split()

    @called.setter
    def called(self, called: list[str]) -> None:
        self._notes.write_text("".join(f"{name}\n" for name in called))

    def forget_calls(self) -> None:
        """Count calls from here on."""
        self.called = []

    def task(self, name: str) -> Callable[..., Any]:
        """Return a task that knows nothing of this pipeline but its own node."""
        node, notes = self.nodes[name], self._notes

        def run(*inputs: Any) -> Any:
            with notes.open("a") as file:
                file.write(f"{name}\n")
            return node.compute(*inputs)

        return run


@st.composite
def pipelines(draw: st.DrawFn, *, most: int = 8) -> Pipeline:
    """Draw a pipeline of up to ``most`` nodes."""
    pipeline = Pipeline()
    size = draw(st.integers(1, most))
    places = draw(st.permutations(range(size)))
    for number in range(size):
        pipeline.add(f"n{number}", draw(operations), draw(constants))
    for low in range(size):
        for high in draw(st.lists(st.integers(low + 1, size), max_size=2, unique=True)):
            if high < size:
                pipeline.link(f"n{places[low]}", f"n{places[high]}")
    return pipeline


operations = st.integers(0, len(OPERATIONS) - 1)
constants = st.integers(0, len(VALUES) - 1)
