"""What happens around a cell: which cell it is, which nodes are its own, what it changed."""

from __future__ import annotations

import ast
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from dagnb.errors import DagError, DefinitionError
from dagnb.notebook.session import Session


class CellHooks:
    """Knows the cell that is being executed, and looks after the session when it ends.

    Attributes
    ----------
    cell_id : str or None
        None where the front end does not tell.
    raw_cell : str
        The cell as typed.
    """

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell = shell
        self._session = session
        self._claimed: set[str] = set()
        self.cell_id: str | None = None
        self.raw_cell = ""

    def register(self) -> None:
        """Be told of every cell from now on."""
        self._shell.events.register("pre_run_cell", self.begin)
        self._shell.events.register("post_run_cell", self.end)

    def unregister(self) -> None:
        """Be told no longer, if one was."""
        with suppress(ValueError):
            self._shell.events.unregister("pre_run_cell", self.begin)
            self._shell.events.unregister("post_run_cell", self.end)

    def begin(self, info: Any) -> None:
        """Note which cell is about to be executed."""
        self.cell_id = getattr(info, "cell_id", None)
        self.raw_cell = info.raw_cell or ""
        self._claimed = set()
        self._session.cells.begin()
        self._session.stage.enter()
        if not self._is_node:
            try:
                self._session.cells.before(self.raw_cell)
            except (DagError, KeyboardInterrupt) as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)

    @property
    def _is_node(self) -> bool:
        return self.raw_cell.lstrip().startswith("%%dag_node")

    def claim(self, name: str) -> None:
        """Note that the present cell defines a node."""
        self._claimed.add(name)

    def names(self, name: str) -> bool:
        """Whether the present cell reads or assigns a name, apart from defining a function."""
        return name in _names_in(self.raw_cell)

    def superseded(self) -> list[str]:
        """Return the nodes that the present cell defined before and does not define now."""
        return [name for name in self._session.of_cell(self.cell_id) if name not in self._claimed]

    def check_owner(self, name: str, *, replace: bool) -> str:
        """Refuse a name that another cell defines; return a notice if that cell is gone.

        Raises
        ------
        DefinitionError
            The other cell is still there, as far as one can tell.
        """
        node = self._session.nodes.get(name)
        if node is None or None in (node.cell_id, self.cell_id) or node.cell_id == self.cell_id:
            return ""
        first = next(iter(node.code.source.strip().splitlines()), "")
        other = f"the cell that starts with `{first}`"
        if replace:
            return f"{name} was defined by {other}; this cell defines it now"
        if _cell_exists(str(node.cell_id), self._shell.user_ns) is False:
            return f"{name} was defined by {other}, which is gone; this cell defines it now"
        raise DefinitionError(
            f"node {name!r} is defined by another cell, {other}; choose another name, "
            "or say --replace to let this cell define it"
        )

    def end(self, result: Any) -> None:
        """Look at what the cell changed: run or mark stale the nodes that read it."""
        try:
            self._end(succeeded=bool(result.success))
        except KeyboardInterrupt:
            print("stopped; %dag run goes on from here", file=sys.stderr)
        except DagError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            self.cell_id, self.raw_cell = None, ""
            self._session.stage.leave()

    def _end(self, *, succeeded: bool) -> None:
        session = self._session
        if succeeded:
            for name in self.superseded():
                session.remove(name)
                print(f"{name} is no longer a node: its cell does not define it")
        if session.nodes and (not self._is_node or session.cells.has_missed):
            names = () if self._is_node else _names_in(self.raw_cell)
            for notice in session.cells.after(names, run=succeeded):
                print(notice)
        if said := self._session.lessons.reveal():
            print(said)
        for notice in session.saving.take_notices():
            print(notice, file=sys.stderr)
        session.follow()


def _names_in(source: str) -> set[str]:
    """Return the names that a cell mentions; all words if it is not plain Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set(source.replace("(", " ").replace(".", " ").replace("[", " ").split())
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _cell_exists(cell_id: str, namespace: dict[str, Any]) -> bool | None:
    """Say whether the saved notebook still has a cell; None if there is no telling."""
    path = os.environ.get("JPY_SESSION_NAME") or namespace.get("__vsc_ipynb_file__")
    try:
        cells = json.loads(Path(str(path)).read_text(encoding="utf-8"))["cells"]
        return any(cell.get("id") == cell_id for cell in cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
