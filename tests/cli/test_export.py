from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.notebook.notebooks import LOAD, written

CELLS = (
    f"{LOAD}\n%matplotlib inline",
    "import math\nfrom dagnb import dag_node\nlimit = 1\n\ndef keep(x):\n    return x > limit",
    "%%dag_node total\ntotal = sum(clean)  # before what it needs\ntotal + 1",
    "%%dag_node raw --retries 2 --tag load\nlist(range(5))",
    "%%dag_node\ndef clean(raw, limit):\n    return [x for x in raw if keep(x) and x < 10 * limit]",
    "unit = 'm'\n\n@dag_node(timeout=30)\ndef root(total):\n    return math.sqrt(total)",
    "answer = f'{root:g} {unit}'",
)


def test_a_module(dagnb: Command, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Run from top to bottom it gives the values that the notebook gives."""
    path = written(tmp_path / "nb.ipynb", *CELLS)
    assert dagnb("export", path.name, "-o", "made.py").out == "wrote made.py\n"
    found = runpy.run_path(str(tmp_path / "made.py"))
    names = ("raw", "clean", "total", "root", "answer")
    expected = ([0, 1, 2, 3, 4], [2, 3, 4], 9, 3.0, "3 m")
    assert tuple(found[name] for name in names) == expected
    text = (tmp_path / "made.py").read_text()
    assert "@task(tags=['load'], retries=2, backoff=0.1)\ndef raw():" in text
    assert "# %matplotlib inline" in text


def test_the_values_are_those_of_the_notebook(dagnb: Command, tmp_path: Path) -> None:
    """As a plain cell of it sees them."""
    shown = "print([raw, clean, total, root, answer])"
    path = written(tmp_path / "nb.ipynb", *CELLS[:1], *CELLS[1:], shown)
    path.write_text(path.read_text().replace("\\n%matplotlib inline", ""))
    dagnb("run", path.name)
    assert "[[0, 1, 2, 3, 4], [2, 3, 4], 9, 3.0, '3 m']" in path.read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nb.ipynb", "-o", "made.txt"], "-o NAME.py"),
        (["nb.ipynb", "-o", "no/made.py"], "cannot be written"),
        (["odd.ipynb", "-o", "made.py"], "node 'a' cannot be written as a task"),
    ],
)
def test_what_cannot_be_exported(
    dagnb: Command, tmp_path: Path, words: list[str], message: str
) -> None:
    """Is said in one line."""
    written(tmp_path / "nb.ipynb", LOAD, "%%dag_node a\n1")
    written(tmp_path / "odd.ipynb", LOAD, "%%dag_node a --when 1>0\n1")
    assert message in dagnb("export", *words, code=2).err
