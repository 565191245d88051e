"""What a run would do to each node, and why, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagnb.graph.adjacency import Adjacency
from dagnb.graph.analysis import critical_path

_CUT = "; likely cut off, it seldom does"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """What would happen to one node.

    Attributes
    ----------
    name : str
    action : str
        ``"run"``; ``"may run"``, if an input comes out different; ``"wait"``; ``"reuse"``.
    reason : str
    seconds : float or None
        How long it took last time.
    chance : float
        From 0 to 1: how likely it runs, judged from how often its inputs came out different when
        they ran again. What nothing is known of is taken to come out different.
    """

    name: str
    action: str
    reason: str
    seconds: float | None
    chance: float = 0.0

    @property
    def is_unlikely(self) -> bool:
        """Whether it may run, and will more likely be cut off."""
        return self.action == "may run" and self.chance < 0.5


@dataclass(frozen=True, slots=True)
class Plan(Sequence[PlanStep]):
    """A step for each node, dependencies first.

    Attributes
    ----------
    steps : tuple of PlanStep
    critical_path : tuple of str
        Of the nodes that would or may run, the chain that takes longest by past durations.
    """

    steps: tuple[PlanStep, ...]
    critical_path: tuple[str, ...]

    @property
    def seconds(self) -> tuple[float, float]:
        """Seconds by past durations if everything is cut off at once, and if nothing is."""
        sure = sum(step.seconds or 0.0 for step in self.steps if step.action == "run")
        more = sum(step.seconds or 0.0 for step in self.steps if step.action == "may run")
        return sure, sure + more

    @property
    def expected_seconds(self) -> float:
        """Seconds by past durations, each node counted with the chance that it runs."""
        due = (step for step in self.steps if step.action in ("run", "may run"))
        return sum((step.seconds or 0.0) * step.chance for step in due)

    def as_dict(self) -> dict[str, object]:
        """Return it ready for JSON; steps by name, without those that are reused."""
        low, high = self.seconds
        steps = {
            step.name: {
                "action": "unlikely" if step.is_unlikely else step.action.replace(" ", "_"),
                "reason": step.reason,
                "seconds": step.seconds,
                "chance": round(step.chance, 3),
            }
            for step in self.steps
            if step.action != "reuse"
        }
        return {
            "steps": steps,
            "reused": len(self.names("reuse")),
            "seconds": [low, self.expected_seconds, high],
            "critical": list(self.critical_path),
        }

    def names(self, action: str) -> list[str]:
        """Return the nodes that a given action awaits."""
        return [step.name for step in self.steps if step.action == action]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[PlanStep]:
        return iter(self.steps)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # int or slice, as a tuple
        return self.steps[place]

    def __str__(self) -> str:
        """One line a node that would not be reused, then a summary."""
        lines = [
            f"{step.action:8} {step.name}: {step.reason}{_CUT if step.is_unlikely else ''}"
            for step in self.steps
            if step.action != "reuse"
        ]
        low, high = self.seconds
        expected = f"{low:.2g} s" if low == high else f"{low:.2g} to {high:.2g} s"
        if any(0 < step.chance < 1 for step in self.steps):
            expected += f", likely {self.expected_seconds:.2g} s"
        reused = len(self.names("reuse"))
        if not lines:
            return f"nothing to run; {reused} up to date"
        path = f"; critical path: {' -> '.join(self.critical_path)}" if self.critical_path else ""
        return "\n".join([*lines, f"{reused} up to date; expected {expected}{path}"])


def make_plan(
    graph: Adjacency,
    causes: Mapping[int, str],
    waiting: Mapping[int, str],
    seconds: Mapping[int, float],
    *,
    conditions: Mapping[int, str] = {},
    changes: Mapping[int, float] = {},
) -> Plan:
    """Return the plan of a run that starts from dirty nodes: linear in the graph.

    Parameters
    ----------
    causes : mapping of int to str
        The dirty nodes and why they are.
    waiting : mapping of int to str
        The nodes that cannot or must not run, and why; nothing below them runs either.
    seconds : mapping of int to float
        How long nodes took last time.
    conditions : mapping of int to str
        What must hold for a node to run, dirty or not.
    changes : mapping of int to float
        How often nodes that ran again came out different, from 0 to 1.
    """
    actions: dict[int, tuple[str, str]] = {}
    for node in graph.order:
        above = [each for each in graph.predecessors[node] if each in actions]
        held = [each for each in above if actions[each][0] == "wait"]
        if node in waiting and (node in causes or above):
            actions[node] = "wait", waiting[node]
        elif held:
            actions[node] = "wait", f"{graph.names[held[0]]} waits"
        elif node in causes and node in conditions:
            actions[node] = "may run", f"if `{conditions[node]}` holds; {causes[node]}"
        elif node in causes:
            actions[node] = "run", causes[node]
        elif above:
            names = ", ".join(graph.names[each] for each in above)
            actions[node] = (
                "may run",
                f"if {names} come{'s' if len(above) == 1 else ''} out different",
            )
    chances = _chances(graph, actions, changes)
    reuse = "reuse", "up to date"
    steps = tuple(
        PlanStep(
            graph.names[node], *actions.get(node, reuse), seconds.get(node), chances.get(node, 0.0)
        )
        for node in graph.order
    )
    costs = {n: seconds.get(n, 0.0) for n, (action, _) in actions.items() if action != "wait"}
    path, _ = critical_path(graph, costs, default=0.0)
    return Plan(steps, tuple(graph.names[node] for node in path if node in costs))


def _chances(
    graph: Adjacency, actions: Mapping[int, tuple[str, str]], changes: Mapping[int, float]
) -> dict[int, float]:
    """Return how likely each node runs, as if its inputs came out different independently."""
    chances: dict[int, float] = {}
    for node in graph.order:
        action, _ = actions.get(node, ("reuse", ""))
        if action == "run":
            chances[node] = 1.0
        elif action == "may run":
            above = [each for each in graph.predecessors[node] if each in chances]
            same = 1.0
            for each in above:
                same *= 1.0 - chances[each] * changes.get(each, 1.0)
            chances[node] = round(1.0 - same, 9) if above else 1.0
    return chances
