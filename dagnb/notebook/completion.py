"""Tab completion of ``%dag`` and ``%%dag_node``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

NODE_OPTIONS = (
    "--deps", "--manual", "--tags", "--timeout", "--retries", "--backoff", "--when",
    "--depends", "--env", "--files", "--no-cache", "--expand", "--backend",
    "--lang", "--type", "--replace",
)  # fmt: skip

VERB_OPTIONS = {
    "run": ("--fresh", "--to", "--bg"),
    "cluster": ("--workers",),
    "show": ("--fold", "--open", "--around", "--hops", "--direction", "--all"),
}

VALUES = {
    "auto": ("on", "off"),
    "store": ("on", "off", "ls"),
    "workers": ("2", "4", "8", "auto", "off"),
    "cluster": ("start", "connect", "stop"),
}


def completions(
    line: str, verbs: Mapping[str, tuple[str, str]], nodes: Iterable[str]
) -> Sequence[str]:
    """Return what may follow on a line that starts with one of the magics.

    Examples
    --------
    >>> verbs = {"run": ("[NAME ...]", ""), "rm": ("NAME ...", ""), "auto": ("[on|off]", "")}
    >>> completions("%dag r", verbs, ["clean"]), completions("%dag run c", verbs, ["clean"])
    (['run', 'rm'], ['clean', '--fresh', '--to', '--bg'])
    """
    words = line.split()
    if words[0].startswith("%%"):
        return [*NODE_OPTIONS, *nodes]
    verb = words[1] if len(words) > 1 else ""
    if len(words) == 1 or (len(words) == 2 and not line.endswith(" ")):
        return [each for each in verbs if each.startswith(verb)]
    if verb in VALUES:
        return VALUES[verb]
    arguments = verbs.get(verb, ("", ""))[0]
    names = list(nodes) if "NAME" in arguments else []
    return [*names, *VERB_OPTIONS.get(verb, ())]
