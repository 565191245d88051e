"""What of an earlier run may be used instead of running a node again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace

from dagnb.errors import StateWarning
from dagnb.project.select import Selection
from dagnb.project.state import NodeState, State
from dagnb.project.work import Custom, Work, is_report, row_count
from dagnb.results import Deferred, DeferredResult, NodeResult, NodeStatus
from dagnb.run.policies import Fact, Inputs, Remember
from dagnb.values.codecs import Unsaved
from dagnb.values.describe import describe
from dagnb.values.durable import Damaged
from dagnb.values.memory import Stored
from dagnb.values.saved import Saved
from dagnb.values.saved_value import SavedValue
from dagnb.values.store import Store
from dagnb.values.walk import combine
from dagnb.warning import warn

NOT_SELECTED = "not selected"
_FAILED = (NodeStatus.FAILED, NodeStatus.TIMED_OUT)


class Nothing:
    """Holds no value: what counts of a node is its last run, and that is in the state."""

    def get(self, key: str) -> Stored | None:
        """Return nothing."""
        return None

    def put(self, key: str, stored: Stored) -> None:
        """Keep nothing."""


class Keep(Remember):
    """Runs what is selected and not as it was when it last ran; notes what came of it.

    A node is as it was if its last run succeeded under the key that it has now, and its value
    is still there. The state is saved after each node, before anybody is told of it.

    Parameters
    ----------
    works : mapping of str to Work
    state : State
    store : Store
        Where values are.
    selection : Selection

    Attributes
    ----------
    reasons : dict of str to str
        Why nodes run, by id.
    """

    def __init__(
        self, works: Mapping[str, Work], state: State, store: Store, selection: Selection
    ) -> None:
        facts = {
            name: Fact(last.key, last.digest)
            for name, last in state.nodes.items()
            if last.is_success and last.key
        }
        super().__init__(self.code, Nothing(), facts, self.last, selection.forced)
        self.reasons: dict[str, str] = {}
        self._works = works
        self._state = state
        self._values = store
        self._selection = selection
        self._parts: dict[str, dict[str, str]] = {}

    # -- what is known ----------------------------------------------------------------------

    def parts(self, name: str) -> dict[str, str]:
        """Return what a node's value depends on beside inputs, as it was when first asked."""
        if name not in self._parts:
            self._parts[name] = self._works[name].parts()
        return self._parts[name]

    def code(self, name: str) -> str:
        """Name all that decides a node's value beside its inputs."""
        parts = sorted(self.parts(str(name)).items())
        return combine("parts", [each.encode() for pair in parts for each in pair]).hex()

    def last(self, name: str) -> NodeResult | None:
        """Return the result of a node's last run if it succeeded and its value is still there."""
        last = self._state.nodes.get(name)
        if last is None or not last.is_success or not last.key:
            return None
        value = self._value(last.key)
        if value is None or not self._is_intact(name, value):
            return None
        return DeferredResult(
            name,
            NodeStatus.COMPLETED,
            value,
            duration_seconds=last.duration,
            digest=last.digest,
            attempts=last.attempts,
        )

    def _value(self, key: str) -> SavedValue | None:
        try:
            saved = self._values.find(key)
        except Damaged:
            return None
        return None if saved is None else SavedValue(self._values, saved)

    def _is_intact(self, name: str, value: SavedValue) -> bool:
        work = self._works[name]
        return type(work).is_intact is Work.is_intact or work.is_intact(value.load())

    # -- deciding ---------------------------------------------------------------------------

    def passes_by(self, name: str) -> str:
        """Say why a node must not run; empty if it may."""
        if name in self._selection.excluded:
            return self._selection.excluded[name]
        if name in self._selection.selected or name in self._selection.needed:
            return ""
        return NOT_SELECTED

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Answer with the last value if it is what the node would give now."""
        name, reason = str(name), self.passes_by(str(name))
        if reason:
            last = self.last(name)
            if last is None or reason == NOT_SELECTED:
                return NodeResult(name, NodeStatus.SKIPPED, reason=reason)
            return last.but(reason=f"{reason}; its last value is used", changed=False)
        known = super().decide(name, inputs)
        if known is None:
            self.reasons[name] = self.why(name, {str(k): v.digest for k, v in inputs.items()})
            self._note_start(name)
        elif name in self._selection.needed:
            return known.but(reason=f"{NOT_SELECTED}; it is up to date")
        return known

    def _note_start(self, name: str) -> None:
        """Note that what a node left elsewhere may be half done, until it has ended."""
        last = self._state.nodes.get(name)
        if isinstance(self._works[name], Custom) and last is not None and last.is_success:
            self._state.put(name, replace(last, status="running"))

    def why(self, name: str, inputs: Mapping[str, str | None]) -> str:
        """Say why a node runs that has inputs of these digests; empty if it need not."""
        last = self._state.nodes.get(name)
        own = self.own_reason(name, list(inputs))
        if own or last is None:
            return own
        changed = [each for each, named in inputs.items() if last.inputs.get(each) != named]
        if changed:
            return f"{', '.join(changed)} changed"
        return "" if self.last(name) is not None else "its last value is not there any more"

    def own_reason(self, name: str, inputs: list[str]) -> str:
        """Say why a node runs whatever its inputs are now; empty if nothing but they decide."""
        last = self._state.nodes.get(name)
        if last is None:
            return "it has not run yet"
        if not last.is_success:
            return "it failed last time" if last.status == "failed" else "it did not end last time"
        if name in self._selection.forced:
            return "asked for"
        if not last.key:
            return "its last value was not saved"
        changed = _differing(last.parts, self.parts(name))
        changed += [f"a new edge from {each}" for each in inputs if each not in last.inputs]
        changed += [f"no edge any more from {each}" for each in last.inputs if each not in inputs]
        return "; ".join(changed)

    # -- noting -----------------------------------------------------------------------------

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Save the value and the state of a node that ran."""
        name = str(result.name)
        if isinstance(self._works[name], Custom) and result.status.is_success:
            # Of what happened elsewhere nobody can say that it is the same as before.
            opaque = is_report(result.result)
            result = replace(result, digest=secrets.token_hex(16)) if opaque else result
        result = super().settled(result, inputs)
        reason = f"ran: {self.reasons.get(name, 'asked for')}"
        if result.status.is_success and not result.changed:
            reason += "; same value as before"
        if result.status.is_success:
            result = self._note(name, result, inputs)
        elif result.status in _FAILED:
            self._note_failure(name, result)
        return replace(result, reason=result.reason if result.error else reason)

    def _note(self, name: str, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Save; return the result with its value left in the store, if that is a file there."""
        key = self.key(name, inputs)
        digests = {str(each): given.digest or "" for each, given in inputs.items()}
        is_kept = key is not None and self._save(key, name, result, digests)
        self._state.put(
            name,
            NodeState(
                "success",
                result.duration_seconds,
                row_count(result.result),
                time.time(),
                result.attempts,
                key if key is not None and is_kept else "",
                result.digest or "",
                self.parts(name),
                digests,
            ),
        )
        kept = self._value(key) if key is not None and is_kept else None
        return result if kept is None or not kept.is_in_a_file else replace(result, result=kept)

    def _save(self, key: str, name: str, result: NodeResult, inputs: Mapping[str, str]) -> bool:
        if result.digest is None:
            return False
        value = result.result
        seconds, text = result.duration_seconds, describe(value)
        saved = Saved(key, name, result.digest, seconds, dict(inputs), text)
        try:
            return self._values.put(saved, value, always=True)
        except Unsaved as unsaved:
            warn(f"{name} is not saved, and runs again next time: {unsaved}", StateWarning)
            return False

    def _note_failure(self, name: str, result: NodeResult) -> None:
        error = str(result.error) if result.error is not None else result.reason
        self._state.put(
            name,
            NodeState(
                "failed",
                result.duration_seconds,
                None,
                time.time(),
                result.attempts,
                error=error,
            ),
        )


def loaded(value: object) -> object:
    """Return a value that may still be in its store."""
    return value.load() if isinstance(value, Deferred) else value


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [
        f"{label} changed"
        for label in dict.fromkeys([*before, *after])
        if before.get(label) != after.get(label)
    ]
