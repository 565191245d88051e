"""What is said of a node once: that its value may depend on what nobody looks at."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from glob import escape
from shlex import quote

from dagnb.notebook.node import NotebookNode
from dagnb.notebook.opened import Opened, inputs_among
from dagnb.values.declared import NO_FILE

_FEW = 3
_REMEDIES = {"depends=": "depends", "env=": "env", "files=": "files"}


class Cautions:
    """Remembers what was said, so that it is said once for each node.

    Parameters
    ----------
    nodes : mapping of str to NotebookNode
    opened : mapping of str to Opened
        The files that each node read when it ran last, and what else is not the notebook's.
    """

    def __init__(self, nodes: Mapping[str, NotebookNode], opened: Mapping[str, Opened]) -> None:
        self._nodes = nodes
        self._opened = opened
        self._said: set[tuple[str, str]] = set()

    def news(self, name: str) -> list[str]:
        """Return a sentence for each thing about a node that was not said before."""
        node = self._nodes[name]
        hidden = [_sentence(node, each) for each in _open(node)]
        sentences = [*hidden, *_unmatched(node), *self.undeclared(name), *self._hosts(node)]
        found = [each for each in sentences if (name, each) not in self._said]
        self._said.update((name, each) for each in found)
        return found

    def undeclared(self, name: str) -> list[str]:
        """Return a sentence for each file that a node read and that is not among its inputs."""
        declared = self._nodes[name].options.declared.files
        paths = inputs_among(self._opened.get(name, Opened()), declared)
        return [
            f"{name} read {what}, not among its inputs, so edits of it go unseen; "
            f"add --files {quote(path)}"
            for what, path in _grouped(paths)
        ]

    def _hosts(self, node: NotebookNode) -> list[str]:
        """Return a sentence if a node asked other machines and nothing tells when to ask again."""
        hosts = self._opened.get(node.name, Opened()).hosts
        if not hosts or node.options.declared.depends:
            return []
        return [
            f"{node.name} asked {', '.join(hosts)}, whose answers may change unseen; declare what "
            f"they follow from (a date, a version) with --depends, or %dag run {node.name} --fresh"
        ]


def _grouped(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what to call files and what to declare: each, or a pattern for many of one kind."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        kind = os.path.dirname(path), os.path.splitext(path)[1]
        groups.setdefault(kind, []).append(path)
    for (folder, ending), found in groups.items():
        pattern = os.path.join(escape(folder), f"*{ending}")
        if len(found) > _FEW:
            yield f"{len(found):,} files {pattern}", pattern
        else:
            yield from zip(found, found, strict=True)


def _unmatched(node: NotebookNode) -> Iterator[str]:
    """Say which declarations stand for nothing: most likely they are misspelt."""
    declared, reads = node.options.declared, node.digest.reads
    for name in declared.files:
        if reads[f"file {name}"].text == NO_FILE:
            yield f"{node.name}: --files {quote(name)} stands for no file now"
    for name in declared.depends:
        if name.partition(".")[0] in node.digest.undefined:
            yield f"{node.name}: --depends {name} names nothing that is defined now"


def _open(node: NotebookNode) -> Iterator[str]:
    """Yield the warnings about a node's code that no declaration answers."""
    declared = node.options.declared
    for warning in (*node.digest.warnings, *_history(node)):
        answers = [option for word, option in _REMEDIES.items() if word in warning]
        if not any(getattr(declared, option) for option in answers):
            yield warning


def _history(node: NotebookNode) -> list[str]:
    """Say which lists of IPython's the code reads: they grow with every cell."""
    return [
        f"{name} grows with each cell, unseen; give what is read from it a name of its own, "
        "or declare it with depends="
        for name in ("In", "Out")
        if name in node.digest.nodes
    ]


def _sentence(node: NotebookNode, warning: str) -> str:
    """Name the node, and the line of its cell if it is there that it happens."""
    name = re.match(r"[\w.]+", warning)
    lines = node.code.source.splitlines()
    at = next((line for line in lines if name and _mentions(line, name[0])), None)
    for word, option in _REMEDIES.items():  # as it is typed in a cell
        warning = warning.replace(f" {word}", f" --{option}")
    return f"{node.name}: {warning}" + ("" if at is None else f", in `{at.strip()}`")


def _mentions(line: str, name: str) -> bool:
    before = "" if name.startswith(".") else r"(?<![\w.])"
    return re.search(rf"{before}{re.escape(name)}(?!\w)", line) is not None
