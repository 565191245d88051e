"""One node of a notebook: its code, what the user says of it, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from dagnb.notebook.cells import NodeCode
from dagnb.notebook.conditions import Condition
from dagnb.notebook.display import CellOutput
from dagnb.tasks import Options
from dagnb.values.code import CodeDigest
from dagnb.values.declared import NOTHING, Declared

ONE_ATTEMPT = Options()


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
    expand : bool
        Whether its value makes further nodes.
    kind : str
        What it is in the words of manifests, to select it by; empty if nothing is said.
    """

    deps: tuple[str, ...] = ()
    manual: bool = False
    tags: tuple[str, ...] = ()
    attempts: Options = ONE_ATTEMPT
    when: Condition | None = None
    cache: bool = True
    declared: Declared = NOTHING
    expand: bool = False
    kind: str = ""


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
    parent : str
        The node whose value made it; empty if a cell did.
    """

    code: NodeCode
    options: NodeOptions
    cell_id: str | None
    output: CellOutput
    digest: CodeDigest
    condition: CodeDigest | None = None
    parent: str = ""

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
