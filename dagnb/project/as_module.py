"""A manifest as a plain module of tasks; and what all modules have that ``dagnb export`` writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from keyword import iskeyword

from dagnb.errors import DefinitionError
from dagnb.project import duck
from dagnb.project.kinds import KINDS
from dagnb.project.manifest import Manifest, ManifestNode
from dagnb.project.work import by_name

HEAD = '''"""Made from {name} by `dagnb export`: run it from top to bottom."""

from dagnb import Pipeline, task
'''
_STEP = "from dagnb.project.step import step"
MOST_COLUMNS = 80
_OURS = ("Pipeline", "pipeline", "step", "task", "values")


def as_module(name: str, manifest: Manifest) -> str:
    """Return the text of a module that computes what a manifest does.

    Parameters
    ----------
    name : str
        Of the manifest's file.
    manifest : Manifest

    Raises
    ------
    DefinitionError
        A node is of a kind that only a runner can be taught.
    SqlError
        A statement cannot be parsed.
    """
    words = _words(manifest)
    order = [str(each) for each in manifest.dag.topological_sort()]
    tasks = [_task(manifest, manifest.nodes[each], words) for each in order]
    return joined([HEAD.format(name=name) + _STEP, *tasks, last_lines([words[i] for i in order])])


def last_lines(order: Sequence[str]) -> str:
    """Return what runs the tasks of a module, and gives each value the name of its task."""
    lines = [
        f"pipeline = Pipeline([{', '.join(order)}])",
        "values = pipeline.execute().node_results",
    ]
    return "\n".join([*lines, *(f'{each} = values["{each}"].result' for each in order)])


def joined(parts: Iterable[str]) -> str:
    """Return the text of a module with these parts."""
    return "\n\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _words(manifest: Manifest) -> dict[str, str]:
    """Return what each node is called in Python: its name if it can be, else made from its id."""
    names = [node.name for node in manifest.nodes.values()]
    taken, words = {*_OURS}, {}
    for node in manifest.nodes.values():
        word = node.name if names.count(node.name) == 1 else re.sub(r"\W", "_", node.id)
        word = re.sub(r"\W|^(?=\d)", "_", word)
        while word in taken or iskeyword(word):
            word += "_"
        taken.add(word)
        words[node.id] = word
    return words


def _task(manifest: Manifest, node: ManifestNode, words: Mapping[str, str]) -> str:
    """Return a node as a task."""
    if node.type not in KINDS:
        raise DefinitionError(
            f"node {node.id!r} cannot be written as a task: functions run the kind {node.type!r}, "
            "and a manifest does not say which"
        )
    above = {each: manifest.nodes[each] for each in manifest.upstream(node.id)}
    takes = ", ".join(words[each] for each in above)
    given = ", ".join(f"{each!r}: {word}" for each, word in _given(node, above, words).items())
    parts = [f"{node.type!r}", f"{node.name!r}", *([f"{{{given}}}"] if given else [])]
    parts += [f"{option}={_literal(value)}" for option, value in node.config.items()]
    return f"@task\ndef {words[node.id]}({takes}):\n    return {_call(parts)}"


def _call(parts: Sequence[str]) -> str:
    """Return a call of `step`, in one line if it fits."""
    line = f"step({', '.join(parts)})"
    if len(line) <= MOST_COLUMNS and "\n" not in line:
        return line
    lines = "".join(f"        {part},\n" for part in parts)
    return f"step(\n{lines}    )"


def _given(
    node: ManifestNode, above: Mapping[str, ManifestNode], words: Mapping[str, str]
) -> dict[str, str]:
    """Return the inputs of a node: what it calls them, and what they are called in the module."""
    named, own = by_name(above, words), {each: words[each] for each in above}
    if "sql" not in node.config:
        return named
    tables = {name.lower(): word for name, word in [*named.items(), *own.items()]}
    read = duck.parse(node.config["sql"]).tables
    return {name: tables[name.lower()] for name in read if name.lower() in tables}


def _literal(value: object) -> str:
    """Return a value as it stands in source; the lines of SQL as lines."""
    is_plain = isinstance(value, str) and not set('\\"') & set(value) and "\n" in value
    return f'"""{value}"""' if is_plain else repr(value)
