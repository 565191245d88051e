"""A node's code as it runs in another process, and what it brings back to its cell.

What it prints and displays is kept there and sent along with its value or its error, or at once if
it is to appear while the node runs. So are the files that it opened. A process has a shell of its
own for this, made when the first node comes.
"""

from __future__ import annotations

import copyreg
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dagnb.errors import InputMutatedError, UncacheableValue
from dagnb.notebook.capture import Output, Shell, Sink, capture, install, publisher_of
from dagnb.notebook.cells import NodeCode
from dagnb.notebook.display import show
from dagnb.notebook.opened import Opened, noticed
from dagnb.notebook.relay import RelayPublisher, relaying
from dagnb.run.coroutines import run_coroutine
from dagnb.run.remote.backend import Teller
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
class NodeElsewhere(Teller):
    """The function of a node's task in another process.

    Attributes
    ----------
    code : NodeCode
        Without what compiles it anew, which cannot be sent.
    variables : dict of str to object
        Those of its parameters that are variables of the notebook, as they are now.
    is_live : bool
        Whether what it shows is told at once, where that can be.
    beside : Brought or None
        What it showed and has not told; there once it has been called.
    """

    code: NodeCode
    variables: dict[str, object]
    is_live: bool = False
    beside: Brought | None = field(default=None)

    @property
    def __name__(self) -> str:
        return self.code.name

    @property
    def __wrapped__(self) -> Callable[..., object]:
        return self.code.function

    def __call__(self, **inputs: Any) -> Any:
        """Run the code, and keep or tell what it shows, also if it raises."""
        shell, tell = own_shell(), self.tell if self.is_live else None
        outputs, opened = Sink(), Opened()
        try:
            with (
                relaying(shell, tell),
                capture(shell, live=tell is not None) as outputs,
                noticed(self.code.function) as opened,
            ):
                return self._perform(shell, inputs)
        finally:  # figures come when the capture ends
            self.beside = Brought([] if tell else outputs.outputs, opened)

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
    shell: Any = InteractiveShell.instance(config=own, display_pub_class=RelayPublisher)
    install(shell)
    found: Shell = shell
    return found


def let_travel(shell: Shell) -> None:
    """Let what refers to our shell, as ``get_ipython`` does, refer to the own one elsewhere."""
    copyreg.pickle(type(shell), _own_there)


def _own_there(shell: object) -> tuple[Callable[[], Shell], tuple[()]]:
    return own_shell, ()
