"""Answers about nodes: why they ran, or did not, and whether they come out the same elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container

from dagnb.notebook.cautions import Cautions
from dagnb.notebook.registry import Registry
from dagnb.notebook.restless import Restless
from dagnb.notebook.staleness import Staleness
from dagnb.notebook.tasks import Tasks
from dagnb.notebook.verifying import Verdict, Verifying
from dagnb.notebook.waiting import waits_for
from dagnb.notebook.why import Explain, Why
from dagnb.results import NodeResult


class Answers:
    """Puts together what is known of a node and its inputs.

    Parameters
    ----------
    registry : Registry
    tasks : Tasks
    staleness : Staleness
    explain : Explain
    cautions : Cautions
    restless : Restless
    last : callable
        Returns the last result of a node.
    """

    def __init__(
        self,
        registry: Registry,
        tasks: Tasks,
        staleness: Staleness,
        explain: Explain,
        cautions: Cautions,
        *,
        restless: Restless,
        last: Callable[[str], NodeResult | None],
    ) -> None:
        self._registry = registry
        self._staleness = staleness
        self._explain = explain
        self._cautions = cautions
        self._restless = restless
        self._last = last
        self._verifying = Verifying(registry, tasks, staleness, last)

    def why(self, name: str, settled: Container[str]) -> Why:
        """Answer for one node, given which nodes the last run looked at."""
        missing = self._registry.missing(name)
        if missing:
            return Why(f"{name} did not run: {waits_for(missing)}")
        above = [str(each) for each in self._registry.dag.predecessors(name)]
        recent = {each: self._recent(each, settled) for each in [name, *above]}
        why = self._explain.why(
            name,
            recent[name],
            {each: last for each in above if (last := recent[each]) is not None},
            stale={each: self._staleness.reason(each) for each in recent},
            manual=self._registry[name].options.manual,
        )
        return why.also([*self._restless.about(name), *self._cautions.undeclared(name)])

    def verify(self, names: Collection[str], *, named: bool, timeout: float | None) -> Verdict:
        """Run nodes again elsewhere; a manual one only if it is named."""
        return self._verifying.verify(names, named=named, timeout=timeout)

    def _recent(self, name: str, settled: Container[str]) -> NodeResult | None:
        """Return the last result of a node; it counts as executed if the last run did that."""
        last = self._last(name)
        return last if last is None or name in settled else last.but(executed=False)
