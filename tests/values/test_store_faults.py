"""What the system refuses: full disks, quotas, rights. Nothing here is pretended."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dagnb.values.store import Store
from tests.values import faulty_store
from tests.values.faulty_store import KEY, NOBODY, SMALL, put

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rights and limits are Linux's")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do that")
FOUND = {"small": True, "large": True}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A store with one value, outside of the folder that each pytest shuts when it starts."""
    with TemporaryDirectory() as home:
        made = Path(home) / "store"
        assert put(Store(made, KEY, str), "before", SMALL)
        yield made


def under(fault: str, folder: Path, **variables: str) -> dict[str, Any]:
    """Use a store under a fault, in a process of its own."""
    root = str(Path(faulty_store.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "tests.values.faulty_store", fault, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path]), **variables},
        cwd=root, capture_output=True, check=True, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def hand_over(folder: Path) -> None:
    """Give a folder to whoever is not root, up to where all may go."""
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    for path in folder.parents:
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)


def test_without_a_fault(folder: Path) -> None:
    """Everything is saved and found; so the faults are what the other tests see."""
    found = under("none", folder)
    assert found == {"saved": FOUND, "found": FOUND, "before": True, "left": [], "told": []}


def test_a_quota(folder: Path) -> None:
    """What is too large is not saved, and said once; the rest is as ever."""
    found = under("limited", folder)
    assert found["saved"] == found["found"] == {"small": True, "large": False}
    assert (found["before"], found["left"]) == (True, [])
    (sentence,) = found["told"]
    assert "File too large" in sentence


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(disk)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@AS_ROOT
def test_a_full_disk(tiny_disk: Path) -> None:
    """What there is no room for is not saved, and said once; what is there can be read."""
    assert put(Store(tiny_disk / "store", KEY, str), "before", SMALL)
    found = under("none", tiny_disk / "store")
    assert found["saved"] == found["found"] == {"small": True, "large": False}
    assert (found["before"], found["left"]) == (True, [])
    (sentence,) = found["told"]
    assert "No space left on device" in sentence


@AS_ROOT
def test_a_read_only_disk(tiny_disk: Path) -> None:
    """What is there can be read; that nothing can be saved is said once."""
    assert put(Store(tiny_disk / "store", KEY, str), "before", SMALL)
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    found = under("none", tiny_disk / "store")
    assert found["saved"] == found["found"] == {"small": False, "large": False}
    assert (found["before"], found["left"]) == (True, [])
    (sentence,) = found["told"]
    assert "Read-only file system" in sentence


def test_a_folder_without_the_right_to_write(folder: Path) -> None:
    """As on a read-only disk."""
    hand_over(folder)
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o500)
    found = under("nobody", folder)
    for path in folders:
        path.chmod(0o700)
    assert found["saved"] == found["found"] == {"small": False, "large": False}
    assert (found["before"], found["left"]) == (True, [])
    (sentence,) = found["told"]
    assert "Permission denied" in sentence


@AS_ROOT
def test_a_folder_that_belongs_to_another(folder: Path) -> None:
    """Is refused, with the command that mends it; nothing of it is read."""
    hand_over(folder)
    found = under("none", folder)
    assert f"belongs to another user (number {NOBODY})" in found["refused"]
    assert "sudo chown -R" in found["refused"]


@AS_ROOT
def test_a_folder_that_only_another_may_enter(folder: Path) -> None:
    """Is refused as one that cannot be used."""
    hand_over(folder.parent)
    folder.chmod(0o700)
    shutil.chown(folder, 0, 0)
    found = under("nobody", folder)
    assert "store" in found["refused"]


@pytest.mark.parametrize("home", ["/nonexistent/home", "/proc"])
def test_no_home(tmp_path: Path, home: str) -> None:
    """Where no key can be kept the store is refused, and what to do is said."""
    variables = {"HOME": home, "XDG_DATA_HOME": ""}
    found = under("homeless", tmp_path, **variables)
    assert "the key that signs what is saved cannot be kept in" in found["refused"]


@AS_ROOT
def test_a_stranger_without_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number of its own: what is missing is said."""
    monkeypatch.delenv("HOME")
    found = under("stranger", tmp_path, XDG_DATA_HOME="")
    assert "there is no home folder for the key" in found["refused"]
    assert "set HOME, or XDG_DATA_HOME" in found["refused"]
