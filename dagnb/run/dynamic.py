"""The executor whose graph grows while it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from dagnb.errors import NodeNotFoundError
from dagnb.graph.dag import DAG
from dagnb.graph.edit import DynamicModification, DynamicNodeSpec, Expansion, undo
from dagnb.graph.named import check_mapping
from dagnb.observe.hooks import HookRegistry
from dagnb.results import NodeResult
from dagnb.run.backends import Chosen
from dagnb.run.engine import Engine
from dagnb.run.executors import DAGExecutor, Tasks
from dagnb.run.policies import Policy
from dagnb.run.resuming import Folder

Expander = Callable[..., DynamicModification | None]


class Expand(Policy):
    """Asks a node's expander what its value brings forth. One object serves one run.

    Parameters
    ----------
    expanders : mapping of str to callable
        ``expander(result)``, or ``expander(name, result)`` if it takes two arguments. New nodes
        may bring others.
    """

    def __init__(self, expanders: Mapping[str, Expander]) -> None:
        self._expanders = dict(expanders)

    def expand(self, result: NodeResult) -> DynamicModification | None:
        """Call the expander, if the node has one."""
        expander = self._expanders.get(str(result.name))
        if expander is None:
            return None
        name = (str(result.name),) if takes_name(expander) else ()
        found = expander(*name, result.result)
        self._expanders.update(_brought(found))
        return found


def _brought(found: object) -> dict[str, Expander]:
    """Return the expanders of new nodes; what is wrong with others is told when they are added."""
    specs = found.add_nodes if isinstance(found, DynamicModification) else None
    return {
        str(spec.name): spec.expander
        for spec in (specs if isinstance(specs, Collection) else ())
        if isinstance(spec, DynamicNodeSpec) and spec.expander is not None
    }


def takes_name(expander: Expander) -> bool:
    """Whether an expander needs two arguments; those with defaults do not count.

    Examples
    --------
    >>> takes_name(lambda name, files: None), takes_name(lambda files, limit=3: None)
    (True, False)
    """
    signature = _signature(expander)
    if signature is None:
        return False
    positional = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = signature.parameters.values()
    return sum(p.kind in positional and p.default is p.empty for p in parameters) == 2


def _signature(expander: Expander) -> inspect.Signature | None:
    try:
        return inspect.signature(expander)
    except (TypeError, ValueError):  # some builtins have none
        return None


def _check_expander(name: str, expander: Expander) -> None:
    if not callable(expander):
        raise TypeError(f"the expander of node {str(name)!r} is not callable: {expander!r}")
    signature = _signature(expander)
    if signature is None:
        return
    try:
        signature.bind(*("name", "result")[not takes_name(expander) :])
    except TypeError:
        raise TypeError(
            f"the expander of node {str(name)!r} takes {signature}; it is called with the "
            "node's value, or with its name and its value"
        ) from None


class DynamicExecutor(DAGExecutor):
    """Runs every node, and the nodes that their values bring forth.

    After a node has completed, its expander looks at the value and may return a
    `DynamicModification`. The graph is edited in place, whole or not at all, before anything
    below the node starts. A new node starts after its dependencies and before its dependents.
    Running again first takes back what the expanders did to the graph the last time.

    `execute` is given the tasks of the nodes that are there; a new one brings its own, and may
    bring an expander. After a crash `resume` expands again from the values in the checkpoint.

    Parameters
    ----------
    dag : DAG
        Modified in place.
    expanders : mapping of str to callable, optional
        By node: ``expander(result)``, or ``expander(name, result)`` if it takes two arguments;
        returns a `DynamicModification` or None. Called on the thread that called `execute`.
    max_workers, callbacks, fail_fast, enable_tracing, hooks
        As for `DAGExecutor`. ``on_dynamic_expand(name, new_nodes)`` is called for every
        expansion with the names of the new nodes; this list also has ``add_nodes`` and
        ``remove_nodes``, as the expander gave them.
    max_dynamic_nodes : int
        How many nodes a run may add; a run that would add more ends with `ExpansionError`.
    checkpoint_dir, backend
        As for `DAGExecutor`. Expanders are called here, wherever the nodes run.

    Raises
    ------
    CycleError, DuplicateNodeError, ExpansionError, TypeError
        From a run: a modification cannot be made. It changed nothing, what ran is abandoned,
        nothing more starts.
    NodeNotFoundError
        From a run, before it begins: an expander names no node.

    Notes
    -----
    An expander that raises makes its node FAILED; the run goes on by ``fail_fast``. Nodes that
    an expansion removed are in no result. An expansion costs what it adds, whatever the size
    of the graph. If a cluster loses a value with its worker, and it comes out different when it
    is made again, the whole run begins anew, since what it brought forth may not fit any more.

    Examples
    --------
    >>> from dagnb import DAG, DynamicExecutor, DynamicModification, DynamicNodeSpec
    >>> dag = DAG.builder().add_edge("discover", "report").build()
    >>> def one_node_per_file(files):
    ...     return DynamicModification([
    ...         DynamicNodeSpec(f"size of {file}", lambda file=file: len(file), ["discover"], ["report"])
    ...         for file in files
    ...     ])
    >>> executor = DynamicExecutor(dag, {"discover": one_node_per_file})
    >>> result = executor.execute(
    ...     {"discover": lambda: ["a.csv", "bc.csv"], "report": lambda discover, *sizes: sizes}
    ... )
    >>> result["report"].result
    (5, 6)
    """  # noqa: E501  # an example reads better unbroken

    def __init__(  # noqa: PLR0917  # the order is promised
        self,
        dag: DAG,
        expanders: Mapping[str, Expander] | None = None,
        max_workers: int | None = None,
        callbacks: object = None,
        fail_fast: bool = True,
        enable_tracing: bool = False,
        hooks: HookRegistry | None = None,
        max_dynamic_nodes: int = 100_000,
        *,
        checkpoint_dir: Folder | None = None,
        backend: Chosen = None,
    ) -> None:
        super().__init__(
            dag, max_workers, None, callbacks, fail_fast, enable_tracing, hooks,
            checkpoint_dir=checkpoint_dir, backend=backend,
        )  # fmt: skip
        if expanders is not None:
            check_mapping(expanders, "expanders")
        self._expanders = dict(expanders or {})
        for name, expander in self._expanders.items():
            _check_expander(name, expander)
        if not isinstance(max_dynamic_nodes, int) or max_dynamic_nodes < 0:
            raise ValueError(f"max_dynamic_nodes is a number from 0 on, not {max_dynamic_nodes!r}")
        self._limit = max_dynamic_nodes

    def engine(self, tasks: Tasks, policies: Sequence[Policy] = (), **options: Any) -> Engine:
        """Return the engine of a run, in a graph that is as it was before the last one."""
        self._take_back()
        self._check_expanders()
        expand = Expand(self._expanders)
        return super().engine(tasks, policies, expand=expand, most_new_nodes=self._limit, **options)

    def _take_back(self) -> None:
        """Undo what these expanders did to the graph before, the last first."""
        ours: list[tuple[str, Expansion]] = []
        others: list[tuple[str, Expansion]] = []
        names = set(self._expanders)
        for by, expansion in self._dag.expansions:
            (ours if by in names else others).append((by, expansion))
            names.update(map(str, expansion.added) if by in names else ())
        for _, expansion in reversed(ours):
            undo(self._dag, expansion)
        self._dag.expansions[:] = others

    def _check_expanders(self) -> None:
        known = self._dag.adjacency.ids
        for name in self._expanders:
            if name not in known:
                raise NodeNotFoundError(name, known, "expanders")
