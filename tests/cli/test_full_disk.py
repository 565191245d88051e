"""A disk that gets full in the middle of a run: nothing that was saved is lost."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command
from tests.notebook.notebooks import LOAD, texts, written
from tests.values.test_store_faults import AS_ROOT, tiny_disk

__all__ = ["tiny_disk"]  # a fixture

# Writes until there is no room, once the values of two other nodes are saved.
FILL = (
    "import glob, time\n"
    "while len(glob.glob('.dagnb/keys/*/*.json')) < 2:\n"
    "    time.sleep(0.01)\n"
    "with open('filler', 'wb', buffering=0) as file:\n"
    "    try:\n"
    "        while file.write(bytes(4096)): pass\n"
    "    except OSError: pass\n"
    "len(big)"
)
CELLS = (
    LOAD,
    "import random",
    "%%dag_node big\nrandom.Random(1).randbytes(300_000);",
    "%%dag_node size\nlen(big)",
    f"%%dag_node filled\n{FILL}",
    "%%dag_node last\nrandom.Random(filled).randbytes(50_000) and 'x' * 9000",
)


@AS_ROOT
def test_a_notebook(apart: Command, tiny_disk: Path) -> None:
    """All nodes run; what cannot be saved is said in a line, and the file stays what it was."""
    path = written(tiny_disk / "nb.ipynb", *CELLS)
    before = path.read_bytes()
    found = apart("run", path.name, cwd=tiny_disk, code=1)
    assert "ran big, size, filled, last" in found.out
    assert found.out.count("No space left on device") == 1
    [line] = found.err.splitlines()
    assert line == f"Error: {path} cannot be written: No space left on device"
    assert path.read_bytes() == before
    assert {each.name for each in tiny_disk.iterdir()} == {"nb.ipynb", ".dagnb", "filler"}
    (tiny_disk / "filler").unlink()
    written(path, *CELLS[:4], f"%%dag_node filled\n{FILL.rpartition('with')[0]}\n0", CELLS[5])
    assert apart("run", path.name, "--json", cwd=tiny_disk).executed == ["filled", "last"]
    assert texts(path)[3] == ["300000"]


@AS_ROOT
def test_a_manifest(apart: Command, tiny_disk: Path) -> None:
    """What had run before is in the state, and does not run again."""
    (tiny_disk / "steps.py").write_text(
        "def first():\n    return 1\n\n"
        "def second(first):\n    with open('filler', 'wb', buffering=0) as file:\n"
        "        try:\n            while file.write(bytes(4096)): pass\n"
        "        except OSError: return 'full'\n"
    )
    nodes = {
        f"model.{name}": {"type": "model", "config": {"function": f"steps.py:{name}"}}
        for name in ("first", "second")
    }
    whole = {"nodes": nodes, "edges": [["model.first", "model.second"]]}
    (tiny_disk / "pipeline.json").write_text(json.dumps(whole))
    found = apart("run", "pipeline.json", "--json", cwd=tiny_disk, code=None)
    assert found.executed == ["model.first", "model.second"]
    assert "Traceback" not in found.err
    (tiny_disk / "filler").unlink()
    again = apart("run", "pipeline.json", "--json", cwd=tiny_disk, code=None)
    assert again.executed == ["model.second"]
