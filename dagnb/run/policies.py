"""What may steer a run: a policy answers questions about each node."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from dagnb.errors import InputMutatedError, UncacheableValue
from dagnb.graph.edit import DynamicModification
from dagnb.results import Deferred, DeferredResult, NodeResult, NodeStatus
from dagnb.values.fingerprint import digest
from dagnb.values.memory import Stored, Values
from dagnb.values.plain import PLAIN
from dagnb.values.walk import combine

Inputs = Mapping[str, NodeResult]
_SPOILED = "its value was changed in place"


class Policy:
    """Answers as if it were not there; override what you need.

    Called on the driver's thread, with the results of all predecessors of the node. What a
    policy raises ends the run.

    Attributes
    ----------
    want_digest : bool
        Whether every value is to be named, plain ones too.
    """

    want_digest: ClassVar[bool] = False

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Return a result to use instead of running the node; the first answer wins."""

    def excuses(self, name: str, missing: NodeResult) -> bool:
        """Whether the node may do without the value of an input that has none.

        Otherwise it is skipped before any policy decides; one policy that says yes is enough.
        """
        return False

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Return the result as the rest of the run shall see it; called if it was executed."""
        return result

    def expand(self, result: NodeResult) -> DynamicModification | None:
        """Return what a node's value brings forth; called once it has one, however it came.

        What this raises is the node's own failure: it is the one question that runs code of
        the user.
        """


class Given(Policy):
    """Gives some nodes a value instead of running them, whatever became of their inputs."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Answer with the given value."""
        if name not in self._values:
            return None
        return NodeResult(name, NodeStatus.COMPLETED, self._values[name], reason="given")

    def excuses(self, name: str, missing: NodeResult) -> bool:
        """A node whose value is given needs no inputs."""
        return name in self._values


@dataclass(frozen=True, slots=True)
class Fact:
    """What a node's current value rests on.

    Attributes
    ----------
    key : str or None
        The digest of its code and of its inputs; None if an input has no digest.
    digest : str or None
        The digest of the value.
    """

    key: str | None
    digest: str | None


class Remember(Policy):
    """Reuses a value whose key is known: same code, same inputs.

    A key names the digest of a node's code and the digests of its inputs, so an input that was
    computed again to the same value changes nothing (a verifying trace in the sense of Mokhov,
    Mitchell and Peyton Jones 2018, section 4.2.2).

    Parameters
    ----------
    code_of : callable
        Returns the digest of a node's code.
    store : Values
        Values of earlier runs by key.
    facts : dict
        For each node what its current value rests on; kept up to date here.
    current : callable
        Returns the last result of a node, or None.
    fresh : container of str
        Nodes to run even though their key is known.
    reads : callable
        Says of a node and an input of it whether its value depends on that input.
    """

    want_digest = True

    def __init__(
        self,
        code_of: Callable[[str], str],
        store: Values,
        facts: dict[str, Fact],
        current: Callable[[str], NodeResult | None],
        fresh: Container[str] = (),
        *,
        reads: Callable[[str, str], bool] = lambda name, each: True,
    ) -> None:
        self._code_of = code_of
        self._store = store
        self._facts = facts
        self._current = current
        self._fresh = fresh
        self._reads = reads

    def key(self, name: str, inputs: Inputs) -> str | None:
        """Return the key of a node, or None if one of its inputs has no digest."""
        parts = [self._code_of(name)]
        for input_name, result in sorted(inputs.items()):
            if not self._reads(name, input_name):
                continue
            if result.digest is None:
                return None
            parts += [input_name, result.digest]
        return combine("key", [part.encode() for part in parts]).hex()

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Answer with the current value or a stored one if the key is that of either."""
        key = self.key(name, inputs)
        if name in self._fresh or key is None:
            return None
        fact, last = self._facts.get(name), self._current(name)
        if fact is not None and fact.key == key and last is not None and _is_intact(last):
            reason = "reused: same code, same inputs"
            return last.but(reason=reason, executed=False, changed=False)
        stored = self._store.get(key)
        if stored is None:
            return None
        self._facts[name] = Fact(key, stored.digest)
        kind = DeferredResult if isinstance(stored.value, Deferred) else NodeResult
        return kind(
            name,
            NodeStatus.CACHE_HIT,
            stored.value,
            duration_seconds=stored.seconds,
            reason=f"{stored.source}: it ran before with this code and these inputs",
            changed=fact is None or fact.digest != stored.digest,
            digest=stored.digest,
        )

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Remember a success; forget what a failed node rested on."""
        if not result.status.is_success:
            self._facts.pop(result.name, None)
            return result
        key, fact = self.key(result.name, inputs), self._facts.get(result.name)
        self._facts[result.name] = Fact(key, result.digest)
        if key is not None and result.digest is not None:
            self._store.put(key, Stored(result.held, result.digest, result.duration_seconds))
        return result.but(changed=fact is None or fact.digest != result.digest or not fact.digest)


class Cache(Remember):
    """Remembers some nodes only, by key, in a store that outlives the run."""

    def __init__(self, names: Container[str], code_of: Callable[[str], str], store: Values) -> None:
        super().__init__(code_of, store, {}, lambda name: None)
        self._names = names

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Answer for a cached node."""
        return super().decide(name, inputs) if name in self._names else None

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Remember a cached node."""
        return super().settled(result, inputs) if result.name in self._names else result


class Guard(Policy):
    """Fails a node that changed an input in place, or whose value can be read only once.

    Either would make other nodes stale without anyone noticing. A node whose input is found
    changed before it runs, by another node or by a plain cell, is skipped. Costs two digests of
    every input that is not a plain scalar.

    Parameters
    ----------
    alone : bool
        Whether nothing else goes on while a node runs. If something does, that may have changed
        the input: the node is not blamed but skipped, and is to run again alone.
    reads : callable
        Says of a node and an input of it whether it may look at that input.

    Attributes
    ----------
    spoiled : dict of str to str
        The inputs that were changed, and why their values are wrong until they run again.
    """

    want_digest = True

    def __init__(
        self,
        *,
        alone: bool = True,
        reads: Callable[[str, str], bool] = lambda name, each: True,
    ) -> None:
        self._alone = alone
        self._reads = reads
        self.spoiled: dict[str, str] = {}

    def decide(self, name: str, inputs: Inputs) -> NodeResult | None:
        """Skip a node if an input is no longer what its own node returned."""
        spoiled = self._changed(name, inputs)
        if not spoiled:
            return None
        names = ", ".join(str(each.name) for each in spoiled)
        reason = f"{names} was changed in place after it was computed"
        return NodeResult(name, NodeStatus.SKIPPED, reason=reason)

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Check the inputs, then the value."""
        spoiled = self._changed(str(result.name), inputs)
        if spoiled and not self._alone:
            names = ", ".join(str(each.name) for each in spoiled)
            return _skipped(result, f"{names} was changed in place by it, or by what ran beside it")
        if spoiled:
            kinds = [(each.name, type(each.result).__name__) for each in spoiled]
            return _failed(result, InputMutatedError(result.name, kinds))
        if result.error is None and result.digest is None and hasattr(result.held, "__next__"):
            try:
                digest(result.held)
            except UncacheableValue as error:
                return _failed(result, UncacheableValue(f"node {result.name!r}: {error}"))
        return result

    def _changed(self, name: str, inputs: Inputs) -> list[NodeResult]:
        """Return the inputs of a node that were changed in place, and note them."""
        read = [given for each, given in inputs.items() if self._reads(name, each)]
        changed = [given for given in read if was_changed(given)]
        self.spoiled.update((str(each.name), _SPOILED) for each in changed)
        return changed


def was_changed(given: NodeResult) -> bool:
    """Whether a value is no longer what its digest says: somebody changed it in place."""
    held = given.held
    if given.digest is None or type(held) in PLAIN or isinstance(held, Deferred):
        return False
    try:
        return digest(held) != given.digest
    except UncacheableValue:
        return True


def _is_intact(last: NodeResult) -> bool:
    return last.status.is_success and not was_changed(last)


def _skipped(result: NodeResult, reason: str) -> NodeResult:
    return NodeResult(result.name, NodeStatus.SKIPPED, reason=reason)


def _failed(result: NodeResult, error: Exception) -> NodeResult:
    error.__context__ = result.error
    return replace(
        result, status=NodeStatus.FAILED, result=None, error=error, changed=True, digest=None
    )
