"""What a user installs: one wheel with everything the package needs at run time."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import dagnb

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The paths inside a wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, env={**os.environ, "PYTHONWARNINGS": "default"}, check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_the_whole_package(shipped: set[str]) -> None:
    """Every file under ``dagnb/`` is in the wheel, whatever its kind."""
    package = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("dagnb/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package <= shipped


@pytest.mark.parametrize("file", ["py.typed", "notebook/view/graph.js", "notebook/view/graph.css"])
def test_the_wheel_holds_what_is_not_python(shipped: set[str], file: str) -> None:
    """The type marker, the view's JavaScript and its stylesheet are installed."""
    assert f"dagnb/{file}" in shipped


def test_the_wheel_holds_nothing_else(shipped: set[str]) -> None:
    """No test, notebook or build file is installed beside the package."""
    prefixes = {path.partition("/")[0] for path in shipped}
    assert prefixes == {"dagnb", f"dagnb-{dagnb.__version__}.dist-info"}


def test_the_licence_is_installed(shipped: set[str]) -> None:
    """The licence travels with the package."""
    assert f"dagnb-{dagnb.__version__}.dist-info/licenses/LICENSE" in shipped
