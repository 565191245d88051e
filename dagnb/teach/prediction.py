"""What somebody expects to run, and what then ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagnb.graph.dag import DAG
from dagnb.observe.text import listed
from dagnb.results import NodeResult, NodeStatus
from dagnb.run.checks import check_dag
from dagnb.teach.answers import article
from dagnb.teach.reasons import because
from dagnb.teach.walk import Mark


@dataclass(frozen=True, slots=True)
class Prediction:
    """The nodes that somebody expects to run, of those that there are.

    Attributes
    ----------
    expected : frozenset of str
    known : frozenset of str
        All nodes at the time.
    """

    expected: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Revealed:
    """A prediction beside what happened. Prints as a line for each node, and the score.

    Attributes
    ----------
    score : float
        From 0.0 to 1.0: the share of the nodes that were expected and ran, among all that were
        expected or ran (Jaccard's index).
    hits : tuple of str
        Expected, and ran.
    missed, extra, cut_off : mapping of str to str
        Why each ran that was not expected; why each did not that was: because the change does not
        reach it, or because it was cut off on the way.
    notes : tuple of str
        What else is to be said, as of nodes that have come or gone since.
    """

    score: float
    hits: tuple[str, ...]
    missed: Mapping[str, str]
    extra: Mapping[str, str]
    cut_off: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def marks(self) -> dict[str, Mark]:
        """What the live graph puts on each node that was expected or ran."""
        return {
            **dict.fromkeys(self.hits, Mark("completed", "right")),
            **dict.fromkeys(self.missed, Mark("failed", "missed")),
            **dict.fromkeys(self.extra, Mark("timed_out", "extra")),
            **dict.fromkeys(self.cut_off, Mark("cutoff", "cut off")),
        }

    def __str__(self) -> str:
        lines = [f"you predicted: {self.score:.0%} right", *self.notes]
        if self.hits:
            lines.append(f"right: {listed(self.hits)} ran")
        for what in ("missed", "extra", "cut_off"):
            reasons: Mapping[str, str] = getattr(self, what)
            lines += [f"{what.replace('_', ' ')}: {reason}" for reason in reasons.values()]
        return "\n".join(lines)

    __repr__ = __str__


def predict(dag: DAG, expected: Iterable[str]) -> Prediction:
    """Return a prediction of the next run of a graph.

    Raises
    ------
    NodeNotFoundError
        One of the expected nodes does not exist.
    TypeError
        It is no list of names; one string is none either.
    """
    check_dag(dag)
    if not isinstance(expected, Iterable):
        raise TypeError(f"a prediction is a list of names; this is {article(expected)}")
    names = expected if isinstance(expected, str) else list(expected)
    dag.numbers(names, "the prediction")
    return Prediction(frozenset(map(str, names)), frozenset(map(str, dag)))


def reveal(prediction: Prediction, dag: DAG, settled: Mapping[str, NodeResult]) -> Revealed:
    """Compare a prediction with a run.

    Nodes that have come since do not count, nor do those that are gone.

    Parameters
    ----------
    prediction : Prediction
    dag : DAG
        The graph as it is now.
    settled : mapping of str to NodeResult
        What became of the nodes that the run looked at, in the order in which it did.

    Examples
    --------
    >>> from dagnb import IncrementalExecutor
    >>> dag = DAG.builder().add_edge("rows", "count").add_edge("count", "report").build()
    >>> tasks = {"rows": lambda: [1], "count": lambda rows: len(rows), "report": lambda count: 1}
    >>> executor = IncrementalExecutor(dag)
    >>> _ = executor.execute(tasks)
    >>> guess = predict(dag, ["rows", "report"])
    >>> tasks["rows"] = lambda: [2]
    >>> result = executor.execute(tasks, changed_nodes=["rows"])
    >>> reveal(guess, dag, result.node_results)
    you predicted: 33% right
    right: rows ran
    missed: count ran: input rows changed
    cut off: report did not run: count ran and came out the same
    """
    ran = {str(each.name): each for each in settled.values() if each.executed}
    known = {str(name) for name in dag if name in prediction.known}
    expected, counted = prediction.expected & known, ran.keys() & known
    both, either = expected & counted, expected | counted
    known_before = {str(each.name) for each in settled.values() if _is_from_memory(each)}
    reached = set(map(str, dag.dirty_set([n for n in ran.keys() | known_before if n in dag])))
    order = [str(name) for name in dag.topological_sort() if str(name) in either]
    wrong = [name for name in order if name in expected and name not in counted]
    return Revealed(
        len(both) / len(either) if either else 1.0,
        tuple(name for name in order if name in both),
        {name: f"{name} {because(ran[name])}" for name in order if name in counted - expected},
        {n: f"{n} did not run: the change does not reach it" for n in wrong if n not in reached},
        {n: f"{n} did not run: {_why(n, dag, settled)}" for n in wrong if n in reached},
        tuple(_notes(prediction, dag)),
    )


def _why(name: str, dag: DAG, settled: Mapping[str, NodeResult]) -> str:
    """Say why a node did not run that a change might have reached."""
    own = settled.get(name)
    if own is not None and (not own.status.is_success or _is_from_memory(own)):
        return own.reason
    above = [str(each) for each in dag.predecessors(name)]
    ran = [each for each in above if each in settled and settled[each].executed]
    same = [each for each in ran if not settled[each].changed]
    if same and (own is not None or len(same) == len(ran)):
        return f"{listed(same)} ran and came out the same"
    if not ran:
        return f"{listed(above)} did not run either"
    return "it was not asked to" if own is None else own.reason


def _is_from_memory(result: NodeResult) -> bool:
    return result.status is NodeStatus.CACHE_HIT


def _notes(prediction: Prediction, dag: DAG) -> list[str]:
    """Say how the graph has changed since the prediction was made."""
    come = [str(name) for name in dag if name not in prediction.known]
    gone = sorted(name for name in prediction.expected if name not in dag)
    notes = [f"new since then, and not counted: {listed(come)}"] if come else []
    return notes + ([f"gone since then, and not counted: {listed(gone)}"] if gone else [])
