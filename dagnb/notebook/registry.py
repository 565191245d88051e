"""The nodes of one notebook: their code, their cells, and the edges that follow from both."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagnb.errors import DefinitionError, NodeNotFoundError
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.conditions import Condition
from dagnb.notebook.display import CellOutput
from dagnb.notebook.variables import with_variables
from dagnb.notebook.watch import Watch
from dagnb.render.drawings import DAG
from dagnb.tasks import Options
from dagnb.values.code import CodeDigest, code_digest
from dagnb.values.declared import NOTHING, OUTSIDE, Declared, with_declared

ONE_ATTEMPT = Options()
# What IPython puts into every namespace: it decides no value, and holds the whole shell.
_SHELL_NAMES = frozenset({"get_ipython", "exit", "quit", "In", "Out"})


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """What a user may say of a node beside its code.

    Attributes
    ----------
    deps : tuple of str
        Nodes it comes after though its code does not name them.
    manual : bool
        Whether it runs only when asked for by name or by running its cell.
    tags : tuple of str
        The first one is its group in the picture.
    attempts : Options
        How often it is tried, and for how long; no part of what decides its value.
    when : Condition or None
        Must hold for it to run.
    cache : bool
        Whether its values are saved for other kernels.
    declared : Declared
        What its value depends on though its code does not name it.
    """

    deps: tuple[str, ...] = ()
    manual: bool = False
    tags: tuple[str, ...] = ()
    attempts: Options = ONE_ATTEMPT
    when: Condition | None = None
    cache: bool = True
    declared: Declared = NOTHING


@dataclass(slots=True)
class NotebookNode:
    """One node: what it is now. Replaced whole when its cell is run again.

    Attributes
    ----------
    code : NodeCode
    options : NodeOptions
    cell_id : str or None
        The cell that defined it, where the front end tells.
    output : CellOutput
        Its place below its cell.
    digest : CodeDigest
        Names its code, as of the last look.
    condition : CodeDigest or None
        Names the code of its condition.
    """

    code: NodeCode
    options: NodeOptions
    cell_id: str | None
    output: CellOutput
    digest: CodeDigest
    condition: CodeDigest | None = None

    @property
    def name(self) -> str:
        """The node's name."""
        return self.code.name

    @property
    def identity(self) -> tuple[str, str]:
        """What names its code and its condition: with other ones it must be looked at again."""
        return self.digest.digest, "" if self.condition is None else self.condition.digest

    @property
    def reads(self) -> list[str]:
        """The names that its value depends on, as far as they are nodes."""
        return [*self.code.parameters, *self.digest.nodes, *self.options.deps]

    @property
    def asks(self) -> list[str]:
        """The same for its condition."""
        if self.options.when is None or self.condition is None:
            return []
        return [*self.options.when.code.parameters, *self.condition.nodes]


def _names(code: NodeCode, digest: CodeDigest) -> set[str]:
    """Return every name that some code reads, its helpers included."""
    reads = (label for label, read in digest.reads.items() if read.kind not in OUTSIDE)
    labels = {*reads, *digest.undefined, *digest.nodes}
    return {*code.reads, *(label.rpartition(".")[2] for label in labels)}


@dataclass
class Registry:
    """All nodes of a notebook and their graph, which follows from what their code reads.

    An edit is applied whole or not at all: one that would close a cycle leaves everything as
    it was.

    Attributes
    ----------
    namespace : mapping of str to object
        The notebook's variables.
    dag : DAG
    nodes : dict of str to NotebookNode
        In the order of definition.
    edits : int
        Grows whenever nodes or their groups change, beside what the graph's version tells.
    groups : dict of str to str
        The group of each node that has one.
    """

    namespace: Mapping[str, object]
    dag: DAG = field(default_factory=DAG)
    nodes: dict[str, NotebookNode] = field(default_factory=dict)
    edits: int = 0
    groups: dict[str, str] = field(default_factory=dict)
    _not_read: set[str] = field(default_factory=lambda: set(_SHELL_NAMES))
    _watch: Watch = field(default_factory=Watch)
    _readers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _reads: dict[str, set[str]] = field(default_factory=dict)
    _inputs: dict[str, list[str]] = field(default_factory=dict)
    _drawn: dict[str, None] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self.nodes

    def __getitem__(self, name: str) -> NotebookNode:
        try:
            return self.nodes[name]
        except KeyError:
            raise NodeNotFoundError(name, self.nodes) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def of_cell(self, cell_id: str | None) -> list[str]:
        """Return the names of the nodes that a cell defined."""
        if cell_id is None:
            return []
        return [name for name, node in self.nodes.items() if node.cell_id == cell_id]

    def put(
        self,
        code: NodeCode,
        options: NodeOptions,
        cell_id: str | None,
        new_output: Callable[[], CellOutput],
    ) -> NotebookNode:
        """Define a node or define it anew, and draw the edges that follow.

        Raises
        ------
        CycleError
            The node would depend on itself through others; nothing was changed.
        DefinitionError
            It names itself as a dependency, or a ``global`` statement names a node.
        """
        name = code.name
        if name in options.deps:
            raise DefinitionError(f"node {name!r} cannot depend on itself; drop it from --deps")
        old = self.nodes.get(name)
        before = {name: old} if old is not None else {}
        readers = [] if old is not None else sorted(self._readers[name] - {name})
        before.update((each, self.nodes[each]) for each in readers)
        self._not_read.add(name)
        try:
            output = old.output if old is not None else new_output()
            self.nodes[name] = self._bound(code, options, cell_id, output)
            for reader in readers:
                self._bind_again(reader)
            self._rewire([name, *readers])
        except BaseException:
            self._undo(name, before)
            raise
        self._put_group(name, options)
        self.edits += old is None or old.options.tags[:1] != options.tags[:1]
        return self.nodes[name]

    def _put_group(self, name: str, options: NodeOptions) -> None:
        if options.tags:
            self.groups[name] = options.tags[0]
        else:
            self.groups.pop(name, None)

    def _undo(self, name: str, before: Mapping[str, NotebookNode]) -> None:
        """Take back what a refused definition did to the nodes; the graph undoes itself."""
        self.nodes.update(before)
        if name not in before:
            self.nodes.pop(name, None)
            self._not_read.discard(name)

    def remove(self, name: str) -> NotebookNode:
        """Remove a node; those that read it lose their edge."""
        node = self[name]
        readers = [str(each) for each in self.dag.successors(name)]
        self.dag.remove_node(name)
        del self.nodes[name], self._inputs[name]
        self.groups.pop(name, None)
        self._drawn[name] = None
        self._not_read.discard(name)
        self._forget_reads(name)
        for reader in readers:
            self._bind_again(reader)
        self._rewire(readers)
        self.edits += 1
        return node

    def changed(self, scope: set[str] | None = None) -> list[str]:
        """Return the nodes that read something which is not what it was, in order of definition."""
        found = self._watch.broken(scope)
        return [name for name in self.nodes if name in found] if found else []

    def refresh(self, name: str) -> bool:
        """Take the digest of a node's code again; say whether it is another one.

        Raises
        ------
        CycleError
            Its helpers read other nodes now, and it would depend on itself; it stays as it was.
        """
        node = self.nodes[name]
        old, before = (node.digest, node.condition), node.identity
        node.digest, node.condition = self._digests(node.code, node.options)
        try:
            self._rewire([name])
        except BaseException:
            node.digest, node.condition = old
            raise
        return node.identity != before

    def inputs(self, node: NotebookNode) -> list[str]:
        """Return the nodes that a node comes after: those its code or its condition reads."""
        wanted = dict.fromkeys([*node.reads, *node.asks])
        return [each for each in wanted if each in self.nodes and each != node.name]

    def missing(self, name: str) -> list[str]:
        """Return the names a node needs that nothing defines yet."""
        node, namespace = self.nodes[name], self.namespace
        names = [*node.code.missing(self.nodes, namespace), *node.options.deps]
        if node.options.when is not None:
            names += node.options.when.code.missing(self.nodes, namespace)
        return [
            each
            for each in dict.fromkeys(names)
            if each not in self.nodes and (each in node.options.deps or each not in namespace)
        ]

    def present(self, name: str) -> tuple[str, CodeDigest, list[str]]:
        """Return the source of a node, what names its code, and what its value depends on."""
        node = self[name]
        return node.code.source, node.digest, node.reads

    def edges(self) -> list[tuple[str, str]]:
        """Return the edges as pairs of names, by the order in which their targets were defined."""
        return [(each, name) for name in self.nodes for each in self._inputs[name]]

    def take_drawn(self) -> tuple[dict[str, list[str]], list[str]]:
        """Return, once, the inputs of nodes that may have others than before, and who is gone."""
        drawn, self._drawn = self._drawn, {}
        inputs = {name: self._inputs[name] for name in drawn if name in self.nodes}
        return inputs, [name for name in drawn if name not in self.nodes]

    def _bound(
        self, code: NodeCode, options: NodeOptions, cell_id: str | None, output: CellOutput
    ) -> NotebookNode:
        """Return a node with its parameters and digests as the present names make them."""
        code = code.bind(self.nodes, options.deps)
        if options.when is not None:
            options = replace(options, when=options.when.bind(self.nodes))
        return NotebookNode(code, options, cell_id, output, *self._digests(code, options))

    def _bind_again(self, name: str) -> None:
        node = self.nodes[name]
        self.nodes[name] = self._bound(node.code, node.options, node.cell_id, node.output)

    def _digests(
        self, code: NodeCode, options: NodeOptions
    ) -> tuple[CodeDigest, CodeDigest | None]:
        when = options.when
        own = self._digest(code, options.declared)
        return own, None if when is None else self._digest(when.code)

    def _digest(self, code: NodeCode, declared: Declared = NOTHING) -> CodeDigest:
        digest = code_digest(code.function, skip=self._not_read)
        own = getattr(inspect.unwrap(code.function), "__globals__", self.namespace)
        digest = with_declared(digest, declared, own, self._not_read)
        variables = [each for each in code.parameters if each not in self._not_read]
        return with_variables(digest, variables, self.namespace) if variables else digest

    def _rewire(self, names: Sequence[str]) -> None:
        """Give nodes the edges that follow from their code, all of them or none."""
        new = [name for name in names if name not in self.dag]
        if new:  # an edit that changes nothing would count as one, too
            self.dag.add_nodes(new)
        before = {name: set(self.dag.predecessors(name)) for name in names}
        inputs = {name: self.inputs(self.nodes[name]) for name in names}
        added = [(n, name) for name in names for n in inputs[name] if n not in before[name]]
        try:
            if added:
                self.dag.add_edges(added)
        except BaseException:
            self.dag.remove_nodes(new)
            raise
        for name in names:
            for each in before[name].difference(inputs[name]):
                self.dag.remove_edge(each, name)
            self._inputs[name] = inputs[name]
            self._drawn[name] = None
            self._note_reads(name)

    def _note_reads(self, name: str) -> None:
        self._forget_reads(name)
        node = self.nodes[name]
        parts = [(node.code, node.digest)]
        if node.options.when is not None and node.condition is not None:
            parts.append((node.options.when.code, node.condition))
        self._watch.put(name, [(digest.guards, code.function) for code, digest in parts])
        self._reads[name] = {*node.options.deps}.union(*(_names(*part) for part in parts))
        for each in self._reads[name]:
            self._readers[each].add(name)

    def _forget_reads(self, name: str) -> None:
        self._watch.forget(name)
        for each in self._reads.pop(name, ()):
            self._readers[each].discard(name)
