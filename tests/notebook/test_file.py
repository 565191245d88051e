from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagnb.errors import NotebookError
from dagnb.notebook.file import NotebookFile, Ran
from tests.notebook.notebooks import code, content, written

PRINTED = {"output_type": "stream", "name": "stdout", "text": "one\ntwo é\n"}
NOTE = {"cell_type": "markdown", "id": "note", "metadata": {}, "source": "# Über\nuns"}

# How programs write notebooks: indentation, keys in any order, with and without an end of line.
STYLES: dict[str, Callable[[Any], str]] = {
    "jupyter": lambda nb: json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
    "two spaces": lambda nb: json.dumps(nb, indent=2, ensure_ascii=False),
    "tabs": lambda nb: json.dumps(nb, indent="\t", ensure_ascii=False) + "\n\n",
    "no end of line": lambda nb: json.dumps(nb, indent=1),
    "windows": lambda nb: json.dumps(nb, indent=1).replace("\n", "\r\n"),
    "one line": json.dumps,
    "tight": lambda nb: json.dumps(nb, separators=(",", ":")),
    "escaped": lambda nb: json.dumps(nb, indent=4),
    "keys backwards": lambda nb: json.dumps(dict(reversed(nb.items())), indent=3),
}


def sample() -> dict[str, Any]:
    """Return a notebook with what a program has to leave alone."""
    made = content(NOTE, code("a = 1", 1), code("b = 2", 2, "x"), code("c", 3))
    made["cells"][2]["outputs"] = [{**PRINTED, "text": ["kept"]}]
    made["cells"][1]["metadata"]["nobody knows"] = {"ünïcode": [1.50, 1e3], "{": '"]}'}
    made["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return made


@pytest.mark.parametrize("style", STYLES)
def test_only_outputs_and_counts_change(tmp_path: Path, style: str) -> None:
    """What is before, between and behind them stays, byte for byte, in any style of writing."""
    before = STYLES[style](sample())
    path = tmp_path / "nb.ipynb"
    path.write_bytes(before.encode())
    NotebookFile.read(path).save({2: Ran([PRINTED], 7)})
    expected = sample()
    expected["cells"][1]["outputs"] = [{"name": "stdout", "output_type": "stream", "text": None}]
    expected["cells"][1]["outputs"][0]["text"] = ["one\n", "two é\n"]
    expected["cells"][1]["execution_count"] = 7
    assert path.read_bytes() == STYLES[style](expected).encode()


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    """A cell that shows what it had shown leaves the file alone, its time included."""
    path = written(tmp_path / "nb.ipynb", *sample()["cells"])
    before = path.stat().st_mtime_ns
    NotebookFile.read(path).save({3: Ran([{**PRINTED, "text": "kept"}], None)})
    assert path.stat().st_mtime_ns == before


def test_another_place(tmp_path: Path) -> None:
    """A copy has the outputs; the file stays as it is, and so do the rights of either."""
    path = written(tmp_path / "nb.ipynb", "a = 1")
    path.chmod(0o640)
    before = path.read_bytes()
    NotebookFile.read(path).save({1: Ran([PRINTED], 1)}, tmp_path / "out.ipynb")
    assert path.read_bytes() == before
    assert len(json.loads((tmp_path / "out.ipynb").read_text())["cells"][0]["outputs"]) == 1
    NotebookFile.read(path).save({1: Ran([PRINTED], 1)})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["nb.ipynb", "out.ipynb"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file that it leads to is written."""
    path = written(tmp_path / "nb.ipynb", "a = 1")
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    NotebookFile.read(link).save({1: Ran([PRINTED], 1)})
    assert link.is_symlink()
    assert "two" in path.read_text()


def test_somebody_else_saved_it_meanwhile(tmp_path: Path) -> None:
    """Their edit stays, and what the run gave is beside it."""
    path = written(tmp_path / "nb.ipynb", "a = 1")
    file = NotebookFile.read(path)
    written(path, "a = 2")
    with pytest.raises(NotebookError, match=r"it is left as it is; .* nb\.ran\.ipynb"):
        file.save({1: Ran([PRINTED], 1)})
    assert "a = 2" in path.read_text()
    assert "two" in (tmp_path / "nb.ran.ipynb").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no notebook: Expecting value at line 1, column 1"),
        ("[1, 2]", "it does not say its format"),
        ('{"cells": [],\n "nbformat": 4', "at line 2, column 15"),
        (
            '{"worksheets": [], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}',
            "nbconvert --to",
        ),
        (
            '{"cells": [{}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
            "no valid notebook",
        ),
    ],
)
def test_no_notebook(tmp_path: Path, text: str, message: str) -> None:
    """Is said in one line, with the place."""
    path = tmp_path / "nb.ipynb"
    path.write_text(text)
    with pytest.raises(NotebookError, match=message) as refused:
        NotebookFile.read(path)
    assert "\n" not in str(refused.value)


def test_what_is_to_the_letter_is_read_quickly(tmp_path: Path) -> None:
    """Importing nbformat takes seconds; what is not to the letter, it judges."""
    path = written(tmp_path / "nb.ipynb", "1")
    code = (
        "import sys; from pathlib import Path; from dagnb.notebook.file import NotebookFile\n"
        "NotebookFile.read(Path(sys.argv[1])); print('nbformat' in sys.modules)"
    )

    def uses_nbformat() -> str:
        command = [sys.executable, "-c", code, path]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert uses_nbformat() == "False"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"more": 1}))
    assert uses_nbformat() == "True"


def test_no_text(tmp_path: Path) -> None:
    """Neither is a picture."""
    path = tmp_path / "nb.ipynb"
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(NotebookError, match="not text in UTF-8"):
        NotebookFile.read(path)


def test_no_file(tmp_path: Path) -> None:
    """The nearest one is named; a folder is told apart."""
    written(tmp_path / "report.ipynb", "a = 1")
    with pytest.raises(NotebookError, match=r"did you mean 'report\.ipynb'"):
        NotebookFile.read(tmp_path / "repotr.ipynb")
    with pytest.raises(NotebookError, match="is a folder"):
        NotebookFile.read(tmp_path)
