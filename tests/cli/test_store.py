from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagnb.cli import main
from dagnb.values.fingerprint import digest
from dagnb.values.saved import Saved
from dagnb.values.signature import signing_key
from dagnb.values.store import Store
from tests.cli.conftest import Command
from tests.notebook.notebooks import LOAD, written


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store beside a notebook, with two values; the second one was used last."""
    made = Store(tmp_path / ".dagnb", signing_key(), print)
    for number, name in enumerate(["raw", "clean"]):
        value = [name] * 3000
        assert made.put(Saved(name, name, digest(value), 2.0, text=f"list {name}"), value)
        used = 1_000_000 * (number + 1)
        os.utime(made.layout.record(name), (used, used))
    return made


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run ``dagnb store``."""

    def run_command(*words: str, **options: object) -> Result:
        arguments = ["store", *words, str(tmp_path)]
        return CliRunner().invoke(main, arguments, **options)  # type: ignore[arg-type]  # its own

    return run_command


def test_ls(store: Store, run: Callable[..., Result]) -> None:
    """One line a value, the last used first, and the sum."""
    header, first, second, last = run("ls").output.splitlines()
    assert header.split() == ["node", "size", "took", "used", "value"]
    assert (first.split()[0], second.split()[0]) == ("clean", "raw")
    assert first.endswith("d ago  list clean")
    assert last.startswith("2 values, ")


def test_wherever_a_store_belongs_to(dagnb: Command, tmp_path: Path) -> None:
    """A notebook's, a manifest's, and those of folders that have one."""
    (tmp_path / "nb").mkdir()
    notebook = written(tmp_path / "nb" / "nb.ipynb", LOAD, "%%dag_node raw\n'x' * 3000")
    dagnb("run", notebook)
    nodes = {"transform.one": {"type": "transform", "config": {"sql": "select 1 as n"}}}
    manifest = tmp_path / "p.json"
    manifest.write_text(json.dumps({"nodes": nodes}))
    dagnb("run", manifest)
    assert "raw" in dagnb("store", "ls", notebook).out
    for place in (manifest, tmp_path, tmp_path / "target/state", tmp_path / "target/state/values"):
        assert "transform.one" in dagnb("store", "ls", place).out
    assert "there is no store in" in dagnb("store", "ls", tmp_path / "target", code=2).err


def test_verify(store: Store, run: Callable[..., Result]) -> None:
    """Says what is damaged, and tells scripts by its exit code."""
    assert (run("verify").exit_code, run("verify").output) == (0, "2 values looked at, 0 damaged\n")
    path = store.layout.blobs()[0]
    path.write_bytes(path.read_bytes()[:-1])
    found = run("verify")
    assert found.exit_code == 1
    assert "is not what was written there" in found.output
    assert "2 values looked at, 1 damaged" in found.output


def test_gc(store: Store, run: Callable[..., Result]) -> None:
    """What was used longest ago goes, as far as it must."""
    one = sum(path.stat().st_size for path in store.layout.folder.glob("*/??/*")) // 2
    assert run("gc").output.startswith("0 values went")
    assert run("gc", "--budget", str(one + 100)).output.startswith("1 values went")
    assert (store.find("raw"), store.find("clean") is None) == (None, False)


def test_clear(store: Store, run: Callable[..., Result]) -> None:
    """Asks first, and leaves a store that can be used."""
    assert run("clear", input="n\n").exit_code == 1
    assert store.find("raw") is not None
    assert run("clear", input="y\n").exit_code == 0
    assert (store.find("raw"), store.layout.blobs()) == (None, [])
    assert store.put(Saved("new", "new", digest(1)), 1)


@pytest.mark.parametrize("words", [["gc", "--budget", "much"], ["ls", "--unknown"]])
def test_wrong_usage(store: Store, run: Callable[..., Result], words: list[str]) -> None:
    """Exits with 2."""
    assert run(*words).exit_code == 2


def test_no_store(run: Callable[..., Result]) -> None:
    """Is said, and nothing is made."""
    found = run("clear", "--yes")
    assert found.exit_code == 2
    assert "there is no store in" in found.output


def test_a_store_that_is_refused(store: Store, run: Callable[..., Result]) -> None:
    """One line with the command that mends it."""
    store.layout.folder.chmod(0o777)
    found = run("ls")
    assert found.exit_code == 1
    assert found.output.startswith("Error: others can write to")
    assert "chmod 700" in found.output


def test_as_a_module(store: Store, tmp_path: Path) -> None:
    """``python -m dagnb`` is the same command."""
    done = subprocess.run(
        [sys.executable, "-m", "dagnb", "store", "ls"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert "list clean" in done.stdout
