"""Whether the values of a notebook come out the same elsewhere, and if not, what they hang on.

The nodes run again in processes of their own, from the roots, so nothing of the session is
touched. A node is judged where its inputs came out as they are here, so one that differs does not
put the blame on those below it. If any differs, one circumstance at a time is varied.
"""

from __future__ import annotations

import linecache
import math
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import unwrap

from dagnb.errors import InputMutatedError
from dagnb.notebook.registry import Registry
from dagnb.notebook.staleness import Staleness
from dagnb.notebook.tasks import NodeTask, Tasks
from dagnb.results import NodeResult
from dagnb.run.repetition import Outcome, Setting, Step, packed, repeat, same_value

WORKERS = 4
Outcomes = Mapping[str, Outcome]
_CHANCE = "gives another value each time: chance, the clock, or an identity decides it"
_HASHES = "depends on the hash seed, as the order of a set of strings does"
_UNCLEAR = "comes out as another value elsewhere; the time limit was over before it was clear why"
_FRESH = (
    "comes out as another value in a new process, and always as that one: its value here rests on "
    "state that cells or other nodes left behind"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of running nodes again; prints as a line for each that is not what it was.

    Attributes
    ----------
    agreed : tuple of str
        The nodes whose values came out the same in every run.
    findings : mapping of str to str
        The others, and what their values depend on.
    unjudged : mapping of str to str
        Those that nothing can be said of, and why.
    runs : int
        How many times the graph ran.
    """

    agreed: tuple[str, ...]
    findings: Mapping[str, str]
    unjudged: Mapping[str, str] = field(default_factory=dict)
    runs: int = 0

    def __str__(self) -> str:
        total = len(self.agreed) + len(self.findings)
        where = "other orders, other hash seeds, one worker and several"
        head = f"{len(self.agreed)} of {total} nodes came out the same in {self.runs} runs: {where}"
        found = [f"{name} {what}" for name, what in self.findings.items()]
        return "\n".join(
            [
                head,
                *found,
                *(f"{name} is not verified: {why}" for name, why in self.unjudged.items()),
            ]
        )

    def __repr__(self) -> str:
        return str(self)


class Verifying:
    """Runs the nodes of a notebook again, elsewhere.

    Parameters
    ----------
    registry : Registry
    tasks : Tasks
    staleness : Staleness
    last : callable
        Returns the last result of a node.
    """

    def __init__(
        self,
        registry: Registry,
        tasks: Tasks,
        staleness: Staleness,
        last: Callable[[str], NodeResult | None],
    ) -> None:
        self._registry = registry
        self._tasks = tasks
        self._staleness = staleness
        self._last = last

    def verify(self, names: Collection[str], *, named: bool, timeout: float | None) -> Verdict:
        """Run nodes again, and compare; a manual one only if it is named.

        What they need besides is handed in as it is. All runs together end within the time limit.
        """
        dag, nodes = self._registry.dag, self._registry.nodes
        wanted = [name for name in names if named or not nodes[name].options.manual]
        needed = {*wanted, *(str(each) for name in wanted for each in dag.predecessors(name))}
        steps: dict[str, Step] = {}
        left_out: dict[str, str] = {}
        for name in filter(needed.__contains__, map(str, dag.topological_sort())):
            why = self._obstacle(name, left_out)
            if why:
                left_out[name] = why
            else:
                steps[name] = self._step(name, steps) if name in wanted else self._given(name)
        left_out.update(_unmovable(steps))
        judged = [name for name in wanted if name not in left_out]
        trial = _Trial([step for name, step in steps.items() if name not in left_out], timeout)
        return self._judge(trial, judged, {n: why for n, why in left_out.items() if n in wanted})

    def _obstacle(self, name: str, left_out: Collection[str]) -> str:
        """Say why a node cannot be run again to compare; empty if it can."""
        above = [str(each) for each in self._registry.dag.predecessors(name)]
        hidden = [each for each in above if each in left_out and self._value(each) is not None]
        last = self._last(name)
        if hidden:
            return f"it depends on {hidden[0]}"
        if last is not None and isinstance(last.error, InputMutatedError):
            return ""
        if last is None or not last.status.is_success:
            return "it has no value"
        stale = self._staleness.reason(name)
        return f"it is stale, since {stale}; %dag run brings it up to date" if stale else ""

    def _value(self, name: str) -> NodeResult | None:
        last = self._last(name)
        return last if last is not None and last.status.is_success else None

    def _step(self, name: str, steps: Mapping[str, Step]) -> Step:
        task, code = self._tasks[name].function, self._registry[name].code
        assert isinstance(task, NodeTask)
        above = [str(each) for each in self._registry.dag.predecessors(name)]
        absent = {each: None for each in above if each not in steps and each in code.parameters}
        inputs = tuple(each for each in above if each in steps)
        last = self._last(name)
        traced = last is not None and last.error is not None
        return Step(name, code.function, inputs, {**task.variables(), **absent}, code.shows, traced)

    def _given(self, name: str) -> Step:
        last = self._last(name)
        return Step(name, same_value(None if last is None else last.result))

    # -- judging ----------------------------------------------------------------------------

    def _judge(self, trial: _Trial, names: Sequence[str], left_out: dict[str, str]) -> Verdict:
        first, second = trial.run(), trial.run(backwards=True, hash_seed=2, workers=WORKERS)
        late = trial.late
        changed = {n: each.changed for n, each in first.items() if each.changed and n in names}
        recorded = {name: self._recorded(name) for name in trial.names}
        findings: dict[str, str] = {}
        agreed: list[str] = []
        for name in names:
            pair = [_judged(runs.get(name), recorded) for runs in (first, second)]
            if name in changed:
                findings[name] = self._mutation(name, trial.lines(name, changed[name]))
            elif late:
                left_out[name] = late
            elif why := _no_judgement(pair, recorded[name]):
                left_out[name] = why
            elif any(each is not None and each != recorded[name] for each in pair):
                findings[name] = trial.cause(name)
            else:
                agreed.append(name)
        return Verdict(tuple(agreed), findings, left_out, trial.count)

    def _recorded(self, name: str) -> str | None:
        last = self._last(name)
        return None if last is None else last.digest

    def _mutation(self, name: str, changed: Mapping[str, int]) -> str:
        code = getattr(unwrap(self._registry[name].code.function), "__code__", None)
        text = ""
        for line in filter(None, changed.values()):
            text = linecache.getline(code.co_filename, line).strip() if code is not None else ""
        where = f", in `{text}`" if text else ""
        return f"changes its input {', '.join(changed)} in place{where}; work on a copy"


class _Trial:
    """Runs of the same steps in different circumstances; each is made once."""

    def __init__(self, steps: Sequence[Step], timeout: float | None) -> None:
        self._timeout = timeout
        self._ends = math.inf if timeout is None else time.monotonic() + timeout
        self.late = ""
        self._steps = list(steps)
        self._work = packed(self._steps)
        self._runs: dict[tuple[Setting, int], Outcomes] = {}
        self.names = [step.name for step in steps]
        self._order = tuple(random.Random(len(steps)).sample(self.names, len(steps)))

    @property
    def count(self) -> int:
        """How many runs there were."""
        return len(self._runs)

    def run(
        self, *, backwards: bool = False, hash_seed: int = 1, workers: int = 1, attempt: int = 1
    ) -> Outcomes:
        """Return the outcomes of a run: in one order or the opposite one."""
        order = self._order[::-1] if backwards else self._order
        setting = Setting(order, hash_seed, workers)
        if (setting, attempt) not in self._runs:
            self._runs[setting, attempt] = self._repeat(self._work, setting)
        return self._runs[setting, attempt]

    def _repeat(self, work: bytes, setting: Setting) -> Outcomes:
        """Return the outcomes of a run, or none if the time is up; `late` says it then."""
        left = None if self._timeout is None else max(0.0, self._ends - time.monotonic())
        try:
            return repeat(work, setting, left)
        except TimeoutError:
            self.late = f"the time limit of {self._timeout:g} s was over before that was done"
            return {}

    def lines(self, name: str, changed: Mapping[str, int]) -> Mapping[str, int]:
        """Return the line that changes each input, looking for it if nobody has yet."""
        if all(changed.values()):
            return changed
        traced = [replace(each, is_traced=each.name == name) for each in self._steps]
        found = self._repeat(packed(traced), Setting(self._order))
        return found[name].changed if name in found else changed

    def cause(self, name: str) -> str:
        """Say what the value of a node depends on, by varying one circumstance at a time."""
        base = self.run().get(name)
        for what, other in self._variations():
            found = other.get(name)
            if base is None or found is None or base.inputs != found.inputs:
                continue
            if found.error and found.error != base.error:
                return f"{what}: there it fails with {found.error}"
            if (base.digest, base.error) != (found.digest, found.error):
                return what
        return _UNCLEAR if self.late else _FRESH

    def _variations(self) -> Iterator[tuple[str, Outcomes]]:
        yield _CHANCE, self.run(attempt=2)
        yield _HASHES, self.run(hash_seed=2)
        yield "depends on the order in which nodes run", self.run(backwards=True)
        yield "depends on what runs beside it", self.run(workers=WORKERS)


def _judged(outcome: Outcome | None, recorded: Mapping[str, str | None]) -> str | None:
    """Return what a node came to, if its inputs came out as they are here; else None."""
    if outcome is None or any(recorded[each] != now for each, now in outcome.inputs.items()):
        return None
    return outcome.error or outcome.digest


def _no_judgement(pair: Sequence[str | None], recorded: str | None) -> str:
    """Say why two runs tell nothing of a node; empty if they do."""
    if recorded is None:
        return "its value has no digest"
    if pair == [None, None]:
        return "something above it came out different"
    if pair[0] == pair[1] and ": " in str(pair[0]):
        return f"in another process it fails with {pair[0]}"
    return ""


def _unmovable(steps: Mapping[str, Step]) -> dict[str, str]:
    """Map the steps that cannot leave this process, and those below them, to why."""
    try:
        packed(list(steps.values()))
    except Exception:  # whatever pickling a value of the user's raises
        return dict(_obstacles(steps.values()))
    return {}


def _obstacles(steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    found: set[str] = set()
    for step in steps:
        above = [each for each in step.inputs if each in found]
        why = f"it depends on {above[0]}" if above else ""
        try:
            packed([step])
        except Exception as error:  # as above
            why = f"it cannot be sent to another process ({error})"
        if why:
            found.add(step.name)
            yield step.name, why
