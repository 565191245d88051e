"""An incremental run, one decision at a time: what is dirty, what is compared, why it stops."""

from __future__ import annotations

from collections.abc import Mapping

from dagnb.graph.dag import DAG
from dagnb.observe.text import listed
from dagnb.results import NodeResult
from dagnb.run.checks import check_dag
from dagnb.teach.reasons import because
from dagnb.teach.walk import Mark, Step, Walk

HEADER = ("node", "inputs", "state")
_MARKS = {  # a node that ended without a value is marked with its status
    "ran: another value": Mark("completed", "other value"),
    "ran: the same value": Mark("cutoff", "same value"),
    "did not run: another value": Mark("cached", "other, not run"),
    "did not run: the same value": Mark("reused", "same, not run"),
    "left alone": Mark("reused", "left alone"),
    "left alone: its inputs are the same": Mark("reused", "left alone"),
    "must be looked at": Mark("running", "next"),
    "dirty": Mark("stale", "dirty"),
    "not asked for": Mark("stale", "not asked for"),
}


class Rerun(Walk):
    """What a run did and why, told from its results.

    Parameters
    ----------
    dag : DAG
        The graph that ran; what is gone from it since then is left out.
    settled : mapping of str to NodeResult
        What became of the nodes that the run looked at, in the order in which it did.

    Attributes
    ----------
    dirty : list of str
        What was edited, and everything below it.

    Examples
    --------
    >>> from dagnb import NodeStatus
    >>> dag = DAG.builder().add_edge("raw", "size").add_edge("size", "report").build()
    >>> ran = {"status": NodeStatus.COMPLETED, "executed": True}
    >>> raw = NodeResult("raw", reason="ran because its code changed", **ran)
    >>> size = NodeResult("size", reason="ran because its input raw changed", changed=False, **ran)
    >>> walk = Rerun(dag, {"raw": raw, "size": size})
    >>> walk.dirty
    ['raw', 'size', 'report']
    >>> print(walk.show(3))
    Last run, step 3 of 3: the end. Of 3 dirty nodes 2 ran, and 1 was left alone by early cutoff.
    <BLANKLINE>
    node    inputs  state
    raw     -       ran: another value
    size    raw     ran: the same value
    report  size    left alone
    """

    title = "Last run"

    def __init__(self, dag: DAG, settled: Mapping[str, NodeResult]) -> None:
        check_dag(dag)
        self._dag = dag
        self._settled = [each for each in settled.values() if str(each.name) in dag]
        self._last = {str(each.name): each for each in self._settled}
        self._first = [name for name in self._last if not self._moved(name, self._last)]
        self.dirty = [str(name) for name in dag.dirty_set(list(self._last))]
        self._postponed = self._not_asked_for()

    def _moved(self, name: str, done: Mapping[str, NodeResult]) -> bool:
        """Whether an input has another value than before, as far as is known."""
        above = map(str, self._dag.predecessors(name))
        return any(each in done and done[each].changed for each in above)

    def _not_asked_for(self) -> set[str]:
        """Return what was to be looked at and was not, since only a part was to run."""
        found: set[str] = set()
        for name in self.dirty:
            waits = not found.isdisjoint(self._dag.predecessors(name))
            if name not in self._last and (waits or self._moved(name, self._last)):
                found.add(name)
        return found

    def __len__(self) -> int:
        return len(self._settled) + 2 if self._settled else 1

    def step(self, number: int) -> Step:
        """Return how things are after so many nodes were looked at."""
        if not self._settled:
            return Step("nothing had to run: everything was up to date", HEADER, ())
        done = {str(each.name): each for each in self._settled[:number]}
        is_end = number == len(self) - 1
        rows = [
            (name, self._inputs(name), self._state(name, done, is_end=is_end))
            for name in self.dirty
        ]
        marks = {
            name: _MARKS.get(state) or Mark(str(done[name].status.value), state)
            for name, _, state in rows
        }
        if is_end:
            return Step(self._end(), HEADER, tuple(rows), marks=marks)
        if not number:
            return Step(self._begin(), HEADER, tuple(rows), frozenset(self._first), marks)
        last = self._settled[number - 1]
        below = map(str, self._dag.successors(str(last.name)))
        active = frozenset([str(last.name), *below])
        return Step(self._said(last), HEADER, tuple(rows), active, marks, str(last.name))

    def _inputs(self, name: str) -> str:
        return ", ".join(map(str, self._dag.predecessors(name))) or "-"

    def _begin(self) -> str:
        below = len(self.dirty) - len(self._first)
        rest = f" {below} more below may be affected; nobody knows yet." if below else ""
        return f"{listed(self._first)} must be looked at.{rest} All of these are the dirty set."

    def _said(self, last: NodeResult) -> str:
        name, what = str(last.name), f"{last.name} {because(last)}"
        below = listed([str(each) for each in self._dag.successors(name)])
        if not last.status.is_success:
            ended = f"{_ending(last)}."
            return f"{ended} So {below} cannot run." if below else ended
        if not below:
            value = "another value than before" if last.changed else "the same value as before"
            return f"{what}. It has {value}; nothing reads it, so the change ends here."
        if last.changed:
            return f"{what}. It has another value than before: look at {below}."
        return f"{what}. It has the same value as before: early cutoff, no need to look at {below}."

    def _end(self) -> str:
        ran = sum(each.executed for each in self._settled)
        cut = len(self.dirty) - len(self._settled) - len(self._postponed)
        said = f"the end. Of {len(self.dirty)} dirty nodes {ran} ran"
        if cut:
            said += f", and {cut} {'was' if cut == 1 else 'were'} left alone by early cutoff"
        if self._postponed:
            said += f", and {len(self._postponed)} wait for a run that is to run them"
        return f"{said}."

    def _state(self, name: str, done: Mapping[str, NodeResult], *, is_end: bool) -> str:
        if name not in done:
            return self._waiting(name, done, is_end=is_end)
        last = done[name]
        if not last.status.is_success:
            return str(last.status.value).replace("_", " ")
        value = "another value" if last.changed else "the same value"
        return f"{'ran' if last.executed else 'did not run'}: {value}"

    def _waiting(self, name: str, done: Mapping[str, NodeResult], *, is_end: bool) -> str:
        """Say how a node stands that has not been looked at."""
        if is_end:
            return "not asked for" if name in self._postponed else "left alone"
        if name in self._first or self._moved(name, done):
            return "must be looked at"
        above = map(str, self._dag.predecessors(name))
        if all(each in done or each not in self.dirty for each in above):
            return "left alone: its inputs are the same"
        return "dirty"


def _ending(last: NodeResult) -> str:
    """Say how a node ended that has no value."""
    said = f"{last.name} {last.status.value.replace('_', ' ')}"
    if last.error is None:
        return f"{said}: {last.reason}"
    return f"{said} with {type(last.error).__name__}: {last.error}"
