"""The README's promises, executed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_example_without_a_notebook_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """It runs as it stands, and what came out the same is cut off."""
    [source] = [block for block in blocks("python") if "import dagnb" in block]
    exec(compile(source, "README.md", "exec"), {})
    assert capsys.readouterr().out == "['prices'] ['prices'] ['rates', 'total']\n"


def test_the_pipeline_in_a_file_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it stands, over a file of users; and the second time nothing runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target").mkdir()
    [manifest] = blocks("json")
    (tmp_path / "target" / "manifest.json").write_text(manifest)
    (tmp_path / "users.csv").write_text("name,age\nada,36\nbob,7\n")
    [source] = [block for block in blocks("python") if "DAGRunner" in block]
    for expected in ("Successful: 4", "Cached nodes: 4"):
        exec(compile(source, "README.md", "exec"), {})
        assert expected in capsys.readouterr().out
    assert (tmp_path / "out" / "adults.parquet").exists()


def test_every_folder_on_the_map_exists() -> None:
    """The map of the package points at folders that are there."""
    named = re.findall(r"^\| `([\w/]+)` \|", README, flags=re.MULTILINE)
    assert named
    assert [name for name in named if not (ROOT / name).is_dir()] == []


def test_every_make_target_it_names_exists() -> None:
    """The commands a newcomer is told to type are in the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^    make (\w+)", README, flags=re.MULTILINE)
    assert targets
    assert [name for name in targets if f"\n{name}:" not in makefile] == []


def blocks(language: str) -> list[str]:
    """Return the README's code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
