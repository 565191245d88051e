"""A node's code as it runs in another process, and what it brings back to its cell.

What it prints and displays is kept there and sent along with its value or its error, and so are the
files that it opened. A process has a shell of its own for this, made when the first node comes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dagnb.errors import InputMutatedError, UncacheableValue
from dagnb.notebook.capture import Output, Shell, capture, install, publisher_of
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.display import show
from dagnb.notebook.opened import Opened, noticed
from dagnb.run.coroutines import run_coroutine
from dagnb.values.fingerprint import digest
from dagnb.values.plain import PLAIN


@dataclass(frozen=True, slots=True)
class Brought:
    """What comes back beside a node's value.

    Attributes
    ----------
    outputs : list of dict
        As in a notebook file.
    opened : Opened
    """

    outputs: list[Output]
    opened: Opened

    def show(self, shell: Shell) -> None:
        """Print and display what the node did there, as if it did so here and now."""
        for each in self.outputs:
            if each["output_type"] == "stream":
                getattr(sys, each["name"]).write(each["text"])
            else:
                publisher_of(shell).publish(each["data"], each["metadata"])


@dataclass
class NodeElsewhere:
    """The function of a node's task in another process.

    Attributes
    ----------
    code : NodeCode
        Without what compiles it anew, which cannot be sent.
    variables : dict of str to object
        Those of its parameters that are variables of the notebook, as they are now.
    beside : Brought or None
        What it showed; there once it has been called.
    """

    code: NodeCode
    variables: dict[str, object]
    beside: Brought | None = field(default=None)

    def __call__(self, **inputs: Any) -> Any:
        """Run the code, and keep what it shows, also if it raises."""
        shell = own_shell()
        with capture(shell) as sink, noticed(self.code.function) as opened:
            try:
                return self._perform(shell, inputs)
            finally:
                self.beside = Brought(sink.outputs, opened)

    def _perform(self, shell: Shell, inputs: Mapping[str, Any]) -> Any:
        before = {name: _digest_or_none(value) for name, value in inputs.items()}
        try:
            value: Any = self.code.call({**self.variables, **inputs})
            if self.code.is_async:
                value = run_coroutine(value)
        finally:
            self._check(inputs, before)
        if not self.code.shows:
            return value
        ending, value = value
        if not self.code.quiet:
            show(shell, ending)
        return value

    def _check(self, inputs: Mapping[str, Any], before: Mapping[str, str | None]) -> None:
        """Fail a node that changed an input in place: here nobody else would notice."""
        changed = [
            (name, type(value).__name__)
            for name, value in inputs.items()
            if before[name] is not None and _digest_or_none(value) != before[name]
        ]
        if changed:
            raise InputMutatedError(self.code.name, changed)


def _digest_or_none(value: object) -> str | None:
    if type(value) in PLAIN:
        return None
    try:
        return digest(value)
    except UncacheableValue:
        return None


@cache
def own_shell() -> Shell:
    """Return the shell of this process, whose displays and figures can be captured."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    own = Config()
    own.HistoryManager.enabled = False
    shell: Any = InteractiveShell.instance(config=own)
    pictures = shell.display_formatter.formatters["image/png"]
    pictures.for_type_by_name("matplotlib.figure", "Figure", _picture)
    install(shell)
    found: Shell = shell
    return found


def _picture(figure: Any) -> Any:
    from IPython.core.pylabtools import print_figure

    return print_figure(figure, "png", base64=True)
