"""Why a node ran, or why it did not: one sentence, and the evidence."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagnb.notebook.evidence import Clue, Evidence, Given, compare, told
from dagnb.observe.text import error_text
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.policies import Inputs, Policy
from dagnb.values.code import CodeDigest


@dataclass(frozen=True, slots=True)
class Why:
    """The answer to "why did this run?": prints as a sentence with its evidence below.

    Attributes
    ----------
    sentence : str
    evidence : tuple of str
        Lines: a diff of the source, a global before and after, an input before and after.
    """

    sentence: str
    evidence: tuple[str, ...] = field(default=())

    def also(self, lines: Iterable[str]) -> Why:
        """Return the same answer with more lines below it."""
        return replace(self, evidence=(*self.evidence, *lines))

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {line}" for line in self.evidence)])

    def __repr__(self) -> str:
        return str(self)


class Explain(Policy):
    """Says of every node that ran why it did, by comparing with what it ran on before.

    Parameters
    ----------
    present : callable
        Returns a node's source, the digest of its code, and the inputs that it reads.
    missed : callable
        Returns why the value that was saved for a node could not be used, if that is so.

    Attributes
    ----------
    causes : mapping of str to str
        Why nodes are looked at in this run, for those for which nothing changed.
    """

    def __init__(
        self,
        present: Callable[[str], tuple[str, CodeDigest, Container[str]]],
        missed: Callable[[str], str] = lambda name: "",
    ) -> None:
        self._present = present
        self._missed = missed
        self._seen: dict[str, Evidence] = {}
        self._whys: dict[str, tuple[str, list[Clue]]] = {}
        self.causes: Mapping[str, str] = {}

    def forget(self, name: str) -> None:
        """Forget a node that was removed."""
        self._seen.pop(name, None)
        self._whys.pop(name, None)

    def settled(self, result: NodeResult, inputs: Inputs) -> NodeResult:
        """Give the result of a node that ran its reason."""
        name = str(result.name)
        clauses, clues = self._news(name, inputs)
        missed = self._missed(name)
        if missed:
            clauses = [each for each in clauses if each not in _FIRST]
            clauses.append(f"its saved value cannot be used: {missed}")
        reason = _sentence(clauses or [self.causes.get(name, "")]) + _attempts(result)
        self._whys[name] = reason, clues
        if result.status is NodeStatus.TIMED_OUT:
            return result
        same = "; same value as before" if result.error is None and not result.changed else ""
        return result.but(reason=reason + same)

    def remembered(self, name: str, inputs: Inputs, source: str) -> None:
        """Note that a node's value came from memory or from the store."""
        clauses, clues = self._news(name, inputs)
        because = f"{_and(clauses)}, but " if any(clauses) and clauses != _FIRST else ""
        self._whys[name] = f"{because}its value came {source}, {_BEFORE}", clues

    def why(
        self,
        name: str,
        last: NodeResult | None,
        inputs: Inputs,
        *,
        stale: Mapping[str, str],
        manual: bool = False,
    ) -> Why:
        """Answer for one node.

        Parameters
        ----------
        name : str
        last : NodeResult or None
            What happened to it last; ``executed`` if that was in the last run.
        inputs : mapping of str to NodeResult
            The same of its inputs.
        stale : mapping of str to str
            Why it and its inputs are stale, as far as nothing better is known; empty for what
            is current.
        manual : bool
            Whether it runs only when asked for.
        """
        sentence, clues = self._whys.get(name, ("", []))
        if last is None:
            return Why(f"{name} did not run: nothing has asked for it yet")
        if last.error is not None:
            if not last.started:
                return Why(f"{ending(last)}: {last.reason}")
            return Why(f"{ending(last)}; it {sentence}", told(clues))
        if stale[name] and last.status.is_success:
            why = self._why_stale(name, inputs, stale)
            only = "it is manual, so only " if manual else ""
            remedy = f"{only}%dag run {name} brings it up to date"
            return replace(why, sentence=f"{why.sentence}; {remedy}")
        if not last.status.is_success:
            return Why(f"{name} did not run: {last.reason}")
        if last.executed:
            return Why(f"{name} {last.reason}", told(clues))
        if last.status is NodeStatus.CACHE_HIT:
            return Why(f"{name} did not run: {sentence}", told(clues))
        reads = self._present(name)[2]
        read = {each: given for each, given in inputs.items() if each in reads}
        before = f"before that, it {sentence}"
        return Why(f"{name} did not run: {_untouched(read)}", (before, *told(clues)))

    def _why_stale(self, name: str, inputs: Inputs, stale: Mapping[str, str]) -> Why:
        old = self._seen.get(name)
        clauses, clues = compare(old, self._evidence(name, inputs)) if old else ([], [])
        clauses += [f"its input {each} is stale" for each in inputs if stale.get(each)]
        return Why(f"{name} is stale: {_and(clauses or [stale[name]])}", told(clues))

    def _news(self, name: str, inputs: Inputs) -> tuple[list[str], list[Clue]]:
        """Compare with what the node's value came from before, and remember what it does now."""
        old, new = self._seen.get(name), self._evidence(name, inputs)
        self._seen[name] = new
        return (_FIRST, []) if old is None else compare(old, new)

    def _evidence(self, name: str, inputs: Inputs) -> Evidence:
        source, code, reads = self._present(name)
        own = {str(key): each for key, each in inputs.items() if key in reads}
        return Evidence(source, code, {key: Given.of(each) for key, each in own.items()})


def ending(result: NodeResult) -> str:
    """Say how a node ended that has no value.

    Examples
    --------
    >>> ending(NodeResult("a", NodeStatus.FAILED, error=KeyError("x")))
    "a failed with KeyError: 'x'"
    """
    if result.status is NodeStatus.TIMED_OUT:
        return f"{result.name} timed out: {result.reason}"
    return f"{result.name} failed with {error_text(result.error)}"


_FIRST = ["for the first time"]
_BEFORE = "since it ran before with this code and these inputs"


def _sentence(clauses: Sequence[str]) -> str:
    if clauses == _FIRST:
        return "ran for the first time"
    if not any(clauses):
        return "ran again, though nothing it depends on changed"
    return f"ran because {_and(clauses)}"


def _attempts(result: NodeResult) -> str:
    """Say how many attempts a node took, if it was more than one."""
    if result.attempts == 1:
        return ""
    if result.status.is_success:
        return f"; it took {result.attempts} attempts"
    return f"; all {result.attempts} attempts failed"


def _and(clauses: Sequence[str]) -> str:
    return ", and ".join(clauses)


def _untouched(inputs: Inputs) -> str:
    """Say why a node that is up to date was left alone, naming the inputs that were cut off."""
    cut = [str(each.name) for each in inputs.values() if each.executed]
    if cut:
        return f"{', '.join(cut)} ran again, but came out the same"
    return "nothing it depends on changed"
