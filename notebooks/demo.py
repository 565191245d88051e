"""Run the penguins notebook, change one cell as a user would, run that cell again.

What ``make demo`` runs. Both runs happen in one real kernel; what is printed is what the kernel's
session tells about them. Exits with 1 if the second run does not show all three outcomes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

HERE = Path(__file__).parent
NOTEBOOK = HERE / "01_penguins.ipynb"
RESULTS = HERE.parent / "build" / "demo"

EDITED_NODE, OLD, NEW = "tree", "max_depth=2", "max_depth=3"

ASK_ABOUT_THE_LAST_RUN = """
import json, dagnb
run = dagnb.session().last_run
print(json.dumps([
    {
        "name": result.name, "status": result.status.value, "executed": result.executed,
        "changed": result.changed, "seconds": result.duration_seconds,
        "why": str(dagnb.session().why(result.name)),
    }
    for result in (run.node_results.values() if run else [])
]))
"""

ASK_FOR_THE_PICTURE = "import json, dagnb; print(json.dumps(dagnb.session().svg()))"

STYLES = {"ran": "bold green", "cut off": "magenta", "reused": "dim"}


@dataclass(frozen=True)
class Row:
    """What the kernel's session tells about one node after a run."""

    name: str
    status: str
    executed: bool
    changed: bool
    seconds: float
    why: str

    @property
    def outcome(self) -> str:
        """One of ``ran``, ``cut off``, ``reused``, or the status of a node that has no value."""
        if self.status not in ("completed", "cache_hit"):
            return self.status
        if not self.executed:
            return "reused"
        return "ran" if self.changed else "cut off"


class Kernel:
    """A notebook and the kernel that runs its cells, one by one."""

    def __init__(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        where = {"metadata": {"path": str(HERE)}}
        quiet = ["--log-level=ERROR"]
        self.client = NotebookClient(notebook, resources=where, timeout=300, extra_arguments=quiet)

    def run_cell(self, index: int) -> None:
        """Run one cell and keep its outputs, and what it changed in the outputs of others."""
        self.client.execute_cell(self.notebook.cells[index], index)

    def ask(self, source: str) -> list[dict[str, object]] | str:
        """Run code in a cell that is gone afterwards; return what it prints, read as JSON."""
        cells = self.notebook.cells
        cells.append(nbformat.v4.new_code_cell(source))
        self.client.execute_cell(cells[-1], len(cells) - 1, store_history=False)
        return json.loads("".join(output.get("text", "") for output in cells.pop().outputs))

    def last_run(self) -> list[Row]:
        """Return what happened to each node in the last run; nothing before the first one."""
        return [Row(**fields) for fields in self.ask(ASK_ABOUT_THE_LAST_RUN)]


def main() -> int:
    """Run, edit, run again; print both tables and the paths of what is left behind."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    os.environ["DAGNB_STORE"] = "off"  # with the values of the last demo nothing would run
    kernel = Kernel(nbformat.read(NOTEBOOK, as_version=4))
    with kernel.client.setup_kernel():
        console.print(table("First run: all cells", first := run_all(kernel)))
        edited = change_a_cell(kernel.notebook)
        console.print(f"\nNow the cell of [bold]{EDITED_NODE}[/] says {NEW} instead of {OLD}.\n")
        kernel.run_cell(edited)
        console.print(table(f"Second run: the cell of {EDITED_NODE}", second := kernel.last_run()))
        picture = kernel.ask(ASK_FOR_THE_PICTURE)
    kernel.client.set_widgets_metadata()
    console.print(f"\n{sentence(first, second)}\n")
    for path in leave(kernel.notebook, str(picture)):
        console.print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return judge(second)


def run_all(kernel: Kernel) -> list[Row]:
    """Run every cell, as Run All does, and return each node's row of the run that executed it."""
    rows: dict[str, Row] = {}
    for index in code_cells(kernel.notebook):
        kernel.run_cell(index)
        rows |= {row.name: row for row in kernel.last_run() if row.executed}
    return list(rows.values())


def change_a_cell(notebook: NotebookNode) -> int:
    """Change one number in one cell, as typing would, and return the cell's index."""
    [index] = [i for i in code_cells(notebook) if OLD in notebook.cells[i].source]
    cell = notebook.cells[index]
    cell.source = cell.source.replace(OLD, NEW)
    return index


def code_cells(notebook: NotebookNode) -> list[int]:
    """Return the numbers of the cells that hold code."""
    return [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]


def table(title: str, rows: Iterable[Row]) -> Table:
    """Return the rows as a table: node, what happened, seconds, why."""
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    made.add_column("Node", no_wrap=True)
    made.add_column("What happened", no_wrap=True)
    made.add_column("Seconds", justify="right")
    made.add_column("Why")
    for row in rows:
        seconds = f"{row.seconds:.3f}" if row.executed else ""
        outcome = Text(row.outcome, STYLES.get(row.outcome, "bold red"))
        why = row.why if row.executed else row.why.partition("\n")[0]
        made.add_row(row.name, outcome, seconds, Text(why))
    return made


def sentence(first: list[Row], second: list[Row]) -> str:
    """Say what the second run saved."""
    ran = [row for row in second if row.executed]
    before, now = (sum(row.seconds for row in rows) for rows in (first, ran))
    return (
        f"{len(ran)} of {len(second)} nodes ran again, {now:.3f} s of work instead of "
        f"{before:.3f} s. {listed(second, 'cut off')} gave the value it had before, "
        "so that nothing below it ran."
    )


def listed(rows: list[Row], outcome: str) -> str:
    """Return the names of the nodes with this outcome."""
    return ", ".join(row.name for row in rows if row.outcome == outcome) or "No node"


def leave(notebook: NotebookNode, picture: str) -> tuple[Path, Path]:
    """Write the executed notebook and the coloured graph, and return their paths."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    executed, graph = RESULTS / NOTEBOOK.name, RESULTS / "graph.svg"
    nbformat.write(notebook, executed)
    graph.write_text(picture, encoding="utf-8")
    return executed, graph


def judge(rows: list[Row]) -> int:
    """Return 0 if some node ran, some was cut off and some was reused; else say what is missing."""
    missing = {"ran", "cut off", "reused"} - {row.outcome for row in rows}
    if missing:
        print(f"the second run shows no node that {', '.join(sorted(missing))}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
