"""The nodes of one notebook: their code, their cells, and the edges that follow from both."""

from __future__ import annotations

import inspect
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from dagnb.errors import DefinitionError, NodeNotFoundError
from dagnb.graph.edit import Expansion
from dagnb.notebook.cells import SHELL_NAMES, NodeCode
from dagnb.notebook.display import CellOutput
from dagnb.notebook.node import NodeOptions, NotebookNode
from dagnb.notebook.variables import with_variables
from dagnb.notebook.watch import Watch
from dagnb.notebook.wiring import rewire
from dagnb.render.drawings import DAG
from dagnb.values.code import Change, CodeDigest, code_digest, explain_change
from dagnb.values.declared import NOTHING, OUTSIDE, Declared, with_declared


def _names(code: NodeCode, digest: CodeDigest) -> set[str]:
    """Return every name that some code reads, its helpers included."""
    reads = (label for label, read in digest.reads.items() if read.kind not in OUTSIDE)
    labels = {*reads, *digest.undefined, *digest.nodes}
    return {*code.reads, *(label.rpartition(".")[2] for label in labels)}


@dataclass
class Registry:
    """All nodes of a notebook and their graph, which follows from what their code reads.

    An edit is applied whole or not at all: one that would close a cycle leaves everything as
    it was. A run in the background may edit what its own nodes make; who looks at several nodes
    beside one holds the lock.

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
        The group of each node that has one; what a node's value made is in one with that node.
    makers : set of str
        The nodes whose values make further nodes.
    lock : RLock
    is_whole : bool
        Whether every edit that was begun was made or taken back; else `mend` is due.
    """

    namespace: Mapping[str, object]
    dag: DAG = field(default_factory=DAG)
    nodes: dict[str, NotebookNode] = field(default_factory=dict)
    edits: int = 0
    groups: dict[str, str] = field(default_factory=dict)
    makers: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    is_whole: bool = True
    _children: dict[str, list[str]] = field(default_factory=dict)
    _not_read: set[str] = field(default_factory=lambda: set(SHELL_NAMES))
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
        return [name for name, node in list(self.nodes.items()) if node.cell_id == cell_id]

    @contextmanager
    def edit(self) -> Iterator[None]:
        """Hold an edit with all that follows from it; an interrupt in between breaks it off."""
        before, self.is_whole = self.is_whole, False
        try:
            yield
        except Exception:  # it is refused, and has undone itself
            self.is_whole = before
            raise
        self.is_whole = before

    def mend(self) -> None:
        """Draw the graph anew from the nodes there are, after an edit that was broken off."""
        self._watch = Watch()
        for known in (self._readers, self._reads, self._inputs, self._children, self.groups):
            known.clear()
        self._not_read = {*SHELL_NAMES, *self.nodes}
        self.makers = {name for name, node in self.nodes.items() if node.options.expand}
        for name, node in self.nodes.items():
            self._bind_again(name)
            if node.parent:
                self._children.setdefault(node.parent, []).append(name)
        self._rewire([*self.nodes], [str(name) for name in self.dag if name not in self.nodes])
        self._put_groups(self.nodes)
        self.edits += 1

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
        if old is not None and old.parent:
            raise DefinitionError(
                f"node {name!r} is made by node {old.parent!r}; choose another name"
            )
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
        if options.expand:
            self.makers.add(name)
        else:
            self.makers.discard(name)
        self._put_groups([name])
        self.edits += old is None or old.options.tags[:1] != options.tags[:1]
        return self.nodes[name]

    def _put_groups(self, names: Iterable[str]) -> None:
        for name in names:
            node = self.nodes[name]
            own = name if self._children.get(name) else ""
            group = node.parent or next(iter(node.options.tags), own)
            if group:
                self.groups[name] = group
            else:
                self.groups.pop(name, None)

    def _undo(self, name: str, before: Mapping[str, NotebookNode]) -> None:
        """Take back what a refused definition did to the nodes; the graph undoes itself."""
        self.nodes.update(before)
        if name not in before:
            self.nodes.pop(name, None)
            self._not_read.discard(name)

    def children(self, parent: str) -> list[str]:
        """Return the nodes that a node's value made, in the order it did."""
        return list(self._children.get(parent, ()))

    def adopt(
        self,
        parent: str,
        made: Mapping[str, tuple[NodeCode, NodeOptions]],
        new_output: Callable[[], CellOutput],
    ) -> Expansion:
        """Let a node have made these nodes and no others.

        One that it had made before, with the same code and options, stays what it is.

        Raises
        ------
        CycleError
            A node would depend on itself through others; nothing was changed.
        DefinitionError
            A name is taken by a node or a variable.
        """
        self._check_free(parent, made)
        had = self.children(parent)
        gone = [name for name in had if name not in made]
        new = [name for name in made if name not in self.nodes]
        readers = set().union(*(self._readers[name] for name in [*new, *gone]))
        others = sorted(readers.difference(made, gone))
        touched = [*had, *others]
        before = {name: self.nodes[name] for name in touched}
        self._not_read.update(new)
        self._not_read.difference_update(gone)
        try:
            for name, (code, options) in made.items():
                node = self._child(name, parent, code, options, new_output)
                self.nodes.pop(name, None)  # so that they stand in the order of the value
                self.nodes[name] = node
            for name in gone:
                del self.nodes[name]
            for name in others:
                self._bind_again(name)
            done = self._rewire([*made, *others], gone)
        except BaseException:
            for name in made:
                self.nodes.pop(name, None)
            self.nodes.update(before)
            self._not_read.update(gone)
            self._not_read.difference_update(new)
            raise
        for name in gone:
            self._forget(name)
        self._children[parent] = list(made)
        self._put_groups([parent, *made])
        self._drawn[parent] = None  # its group is another one with children than without
        self.edits += 1
        return done

    def _check_free(self, parent: str, names: Iterable[str]) -> None:
        for name in names:
            node = self.nodes.get(name)
            if node is None and name not in self.namespace:
                continue
            if node is not None and node.parent == parent:
                continue
            what = "a node" if node is not None else "a variable"
            raise DefinitionError(
                f"node {parent!r} makes a node {name!r}, but the notebook has {what} of that name; "
                "choose another one"
            )

    def _child(
        self,
        name: str,
        parent: str,
        code: NodeCode,
        options: NodeOptions,
        new_output: Callable[[], CellOutput],
    ) -> NotebookNode:
        """Return a node of another one's: what is there, if it is as it shall be."""
        old = self.nodes.get(name)
        output = old.output if old is not None else new_output()
        node = self._bound(code, options, None, output, parent)
        is_same = old is not None and (old.identity, old.options) == (node.identity, node.options)
        return old if old is not None and is_same else node

    def remove(self, name: str) -> NotebookNode:
        """Remove a node; those that read it lose their edge."""
        node = self[name]
        readers = [str(each) for each in self.dag.successors(name)]
        self.dag.remove_node(name)
        del self.nodes[name]
        self._drawn[name] = None
        self._not_read.discard(name)
        self._forget(name)
        if node.parent:
            self._children[node.parent].remove(name)
            self._put_groups([node.parent])
            self._drawn[node.parent] = None
        for reader in readers:
            self._bind_again(reader)
        self._rewire(readers)
        self.edits += 1
        return node

    def _forget(self, name: str) -> None:
        del self._inputs[name]
        self.groups.pop(name, None)
        self.makers.discard(name)
        self._children.pop(name, None)
        self._forget_reads(name)

    def changed(self, scope: set[str] | None = None) -> list[str]:
        """Return the nodes that read something which is not what it was, in order of definition."""
        with self.lock:
            found = self._watch.broken(scope)
            return [name for name in self.nodes if name in found] if found else []

    def reads_the_same(self, name: str) -> bool:
        """Whether all that a node reads is what it was when it was looked at."""
        return self._watch.holds(name)

    def drift(self, name: str) -> list[Change]:
        """Return what a node reads that is not what it was when it was looked at."""
        if self.reads_the_same(name):
            return []
        node = self.nodes[name]
        return explain_change(node.digest, self._digest(node.code, node.options.declared))

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
        """Return the nodes that a node comes after: its maker, and what it reads or asks."""
        parent = [node.parent] if node.parent else []
        wanted = dict.fromkeys([*parent, *node.reads, *node.asks])
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
        self,
        code: NodeCode,
        options: NodeOptions,
        cell_id: str | None,
        output: CellOutput,
        parent: str = "",
    ) -> NotebookNode:
        """Return a node with its parameters and digests as the present names make them."""
        code = code.bind(self.nodes, options.deps)
        if options.when is not None:
            options = replace(options, when=options.when.bind(self.nodes))
        digests = self._digests(code, options)
        return NotebookNode(code, options, cell_id, output, *digests, parent)

    def _bind_again(self, name: str) -> None:
        node = self.nodes[name]
        self.nodes[name] = self._bound(
            node.code, node.options, node.cell_id, node.output, node.parent
        )

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

    def _rewire(self, names: Sequence[str], gone: Sequence[str] = ()) -> Expansion:
        """Give nodes the edges that follow from their code, all of them or none."""
        wanted = {name: self.inputs(self.nodes[name]) for name in names}
        done = rewire(self.dag, wanted, gone)
        self._inputs.update(wanted)
        self._drawn.update(dict.fromkeys([*names, *gone]))
        for name in names:
            self._note_reads(name)
        return done

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
