"""The floors of CONTRIBUTING.md: imports go down, heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = {
    "errors": 0, "warning": 0, "results": 0, "events": 0,
    "graph": 1,
    "values": 2,
    "observe": 3, "tasks": 3,
    "run": 4,
    "project": 5, "render": 5, "teach": 5,
    "notebook": 6, "cli": 6,
    "__init__": 7, "__main__": 7,
}  # fmt: skip

ONLY_IN = {
    "IPython": ("dagnb.notebook", "dagnb.cli"),
    "ipykernel": ("dagnb.notebook", "dagnb.cli"),
    "ipywidgets": ("dagnb.notebook", "dagnb.cli"),
    "anywidget": ("dagnb.notebook", "dagnb.cli"),
    "nbformat": ("dagnb.notebook", "dagnb.cli"),
    "nbclient": ("dagnb.notebook", "dagnb.cli"),
    "graphviz": ("dagnb.render",),
    "pygraphviz": ("dagnb.render",),
    "dask": ("dagnb.run.remote",),
    "distributed": ("dagnb.run.remote",),
    "ray": ("dagnb.run.remote",),
}

HEAVY = {*ONLY_IN, "click", "cloudpickle", "matplotlib", "numpy", "pandas", "rich"}

LONGEST_FILE = 450


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a file; a package is named by its folder."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def sources(root: Path) -> dict[str, Path]:
    """Return the files of the package under ``root`` by module name."""
    return {module_name(path, root): path for path in sorted(root.glob("dagnb/**/*.py"))}


def imports(tree: ast.AST, known: set[str]) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import, also inside functions and ``if`` blocks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            whole = "." * node.level + (node.module or "")
            for alias in node.names:
                inner = f"{whole}.{alias.name}"
                yield node.lineno, inner if inner in known else whole


def without_type_only(tree: ast.Module) -> ast.Module:
    """Return the tree without its ``if TYPE_CHECKING:`` blocks, which never run."""

    class Skip(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            return node.orelse if ast.unparse(node.test).endswith("TYPE_CHECKING") else node

    return ast.fix_missing_locations(Skip().visit(tree))


def room(module: str) -> str:
    """Return the name on the door: ``run`` for ``dagnb.run.engine``."""
    return module.split(".")[1] if "." in module else "__init__"


def wrong_import(module: str, imported: str) -> str:
    """Say what is wrong when ``module`` imports ``imported``; empty if nothing is."""
    top = imported.partition(".")[0]
    if not top:
        return "imports relatively; write the full name"
    if top == "dagnb":
        return wrong_floor(room(module), room(imported))
    if FLOORS[room(module)] == 0 and top not in sys.stdlib_module_names:
        return f"is on floor 0 and imports {top}, which is not in the standard library"
    if top in ONLY_IN and not module.startswith(ONLY_IN[top]):
        return f"imports {top}, which belongs in {' or '.join(ONLY_IN[top])}"
    return ""


def wrong_floor(own: str, other: str) -> str:
    """Say what is wrong when room ``own`` imports room ``other``; empty if nothing is."""
    if other not in FLOORS:
        return f"imports {other}, which has no floor"
    if FLOORS[other] > FLOORS[own]:
        return f"is on floor {FLOORS[own]} and imports {other}, which is above it"
    siblings = FLOORS[other] == FLOORS[own] == 5 and own != other
    return f"imports its sibling {other}" if siblings else ""


def violations(root: Path) -> list[str]:
    """Return every breach of the floors in the package under ``root``, one line each."""
    files = sources(root)
    found = [f"{name} has no floor" for name in files if room(name) not in FLOORS]
    for name, path in files.items():
        if room(name) not in FLOORS:
            continue
        for line, imported in imports(ast.parse(path.read_text()), set(files)):
            if wrong := wrong_import(name, imported):
                found.append(f"{path.relative_to(root)}:{line}: {name} {wrong}")
    return found


def import_cycle(root: Path) -> list[str]:
    """Return modules that import each other in a circle, lazily or not; empty if none do."""
    files = {name: path for name, path in sources(root).items() if room(name) != "__init__"}
    needs = {}
    for name, path in files.items():
        tree = without_type_only(ast.parse(path.read_text()))
        needs[name] = {other for _, other in imports(tree, set(files))} - {name}
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_imports_go_down() -> None:
    """No file imports from a floor above its own, nor a library that belongs elsewhere."""
    assert violations(ROOT) == []


def test_no_import_cycle() -> None:
    """No file imports another that imports it back, not even inside a function."""
    assert import_cycle(ROOT) == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("graph/dag.py", "from dagnb.run.engine import Engine", "run, which is above it"),
        ("graph/dag.py", "from dagnb import run", "run, which is above it"),
        ("graph/dag.py", "def later():\n    import dagnb.cli", "cli, which is above it"),
        ("run/engine.py", "if TYPE_CHECKING:\n    import dagnb.notebook", "above it"),
        ("graph/dag.py", "import dagnb", "__init__, which is above it"),
        ("graph/dag.py", "from . import order", "imports relatively"),
        ("graph/dag.py", "import dagnb.attic", "attic, which has no floor"),
        ("project/runner.py", "from dagnb.render.svg import draw", "its sibling render"),
        ("errors.py", "import numpy", "not in the standard library"),
        ("run/engine.py", "def show():\n    import IPython.display", "belongs in dagnb.notebook"),
        ("observe/text.py", "import graphviz", "belongs in dagnb.render"),
        ("run/backends.py", "from dask.distributed import Client", "belongs in dagnb.run.remote"),
        ("attic.py", "", "has no floor"),
    ],
)
def test_a_planted_violation_is_found(
    tmp_path: Path, file: str, source: str, complaint: str
) -> None:
    """The checker finds each kind of breach, lazy and type-only imports included."""
    plant(tmp_path, {"run/__init__.py": "", file: source})
    [found] = violations(tmp_path)
    assert complaint in found


def test_what_is_allowed_is_not_reported(tmp_path: Path) -> None:
    """Downward imports, the own folder, and libraries in their own rooms pass."""
    plant(
        tmp_path,
        {
            "run/engine.py": "from dagnb.graph.dag import DAG\nfrom dagnb.run.call import Call",
            "run/remote.py": "import dask",
            "notebook/magics.py": "import IPython\nfrom dagnb.render import svg",
            "render/layout.py": "def layout():\n    import pygraphviz",
        },
    )
    assert violations(tmp_path) == []


def test_a_planted_import_cycle_is_found(tmp_path: Path) -> None:
    """A circle is found even where one of the imports is lazy."""
    lazy = "def later():\n    import dagnb.run.a"
    plant(tmp_path, {"run/a.py": "import dagnb.run.b", "run/b.py": lazy})
    assert set(import_cycle(tmp_path)) == {"dagnb.run.a", "dagnb.run.b"}


def test_a_type_may_point_back(tmp_path: Path) -> None:
    """An import for annotations only makes no circle, since it never runs."""
    typed = "if TYPE_CHECKING:\n    import dagnb.run.a"
    plant(tmp_path, {"run/a.py": "import dagnb.run.b", "run/b.py": typed})
    assert import_cycle(tmp_path) == []


def test_import_dagnb_is_light() -> None:
    """Importing dagnb loads none of the heavy libraries: each is loaded when first used."""
    loaded = run_python("import sys, dagnb; print(*sys.modules)").split()
    assert sorted({name.partition(".")[0] for name in loaded} & HEAVY) == []


def test_import_dagnb_prints_nothing() -> None:
    """Importing dagnb has no visible effect."""
    assert run_python("import dagnb") == ""


@pytest.mark.parametrize("name", sorted(sources(ROOT)))
def test_no_file_needs_a_table_of_contents(name: str) -> None:
    """A file that has outgrown one noun is split."""
    lines = sources(ROOT)[name].read_text().count("\n")
    assert lines <= LONGEST_FILE


def plant(root: Path, files: dict[str, str]) -> None:
    """Write a small package of these files, by their paths under ``dagnb/``."""
    for file, source in files.items():
        path = root / "dagnb" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))


def run_python(source: str) -> str:
    """Run ``source`` in a fresh interpreter that turns warnings into errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout + done.stderr
