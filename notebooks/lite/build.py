"""Build the course as a site that needs no installation: JupyterLite, with Python in the browser.

    python notebooks/lite/build.py build/lite
    python -m http.server --directory build/lite

Everything is in that folder, Python and every package included, so the site fetches nothing from
elsewhere. `make lite` runs this; with nothing changed since the last time it does nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import PathDistribution
from pathlib import Path
from zipfile import Path as ZipPath

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOTEBOOKS = sorted(ROOT.glob("notebooks/1*.ipynb"))
PYTHON = (sys.executable, "-m")
KERNEL = "extensions/@jupyterlite/pyodide-kernel-extension/static"
# jupyter-server lists the notebooks, ipywidgets and anywidget bring what draws the live graph.
TOOLS = (
    "jupyterlite-pyodide-kernel>=0.8.6,<0.9",
    "jupyter-server",
    "ipywidgets>=8",
    "anywidget>=0.9.13",
)


def main(site: Path) -> None:
    """Build the site, unless it is newer than all that it is made of."""
    if not is_current(site):
        site.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=site.parent, prefix="lite-") as work:
            made = make(Path(work))
            shutil.rmtree(site, ignore_errors=True)
            made.rename(site)
    print(f"The course is in {site}. Serve it with any web server, for example:")
    print(f"    python3 -m http.server --directory {os.path.relpath(site)}")
    print(f"and open http://localhost:8000/lab/index.html?path={NOTEBOOKS[0].name}")


def is_current(site: Path) -> bool:
    """Whether nothing that the site is made of has been written since it was."""
    index = site / "index.html"
    sources = [*ROOT.glob("dagnb/**/*"), *NOTEBOOKS, *HERE.glob("*"), ROOT / "pyproject.toml"]
    files = (path for path in sources if path.is_file() and path.suffix != ".pyc")
    return index.exists() and all(path.stat().st_mtime < index.stat().st_mtime for path in files)


def make(work: Path) -> Path:
    """Build the site in a folder to work in, and return where it is."""
    site = work / "site"
    unpack_jupyterlite(work, site)
    python = site / "static/pyodide"
    unpack_pyodide(pyodide_version(site), work, python)
    lock = json.loads((python / "pyodide-lock.json").read_text())
    fetch_wheels(site, work, python, lock["info"])
    lock["packages"] = {entry["name"]: entry for entry in map(described, python.glob("*.whl"))}
    (python / "pyodide-lock.json").write_text(json.dumps(lock, indent=1))
    load_at_start(site / "jupyter-lite.json", sorted(lock["packages"]))
    (site / "index.html").touch()
    return site


def unpack_jupyterlite(work: Path, site: Path) -> None:
    """JupyterLab itself, the kernel, the widgets and the notebooks."""
    files = work / "lite/files"
    files.mkdir(parents=True)
    shutil.copy(HERE / "jupyter-lite.json", files.parent)
    for notebook in NOTEBOOKS:
        shutil.copy(notebook, files)
    tools = [word for tool in TOOLS for word in ("--with", tool)]
    run(work, *PYTHON, "uv", "tool", "run", "--python", sys.executable,
        "--from", "jupyterlite-core", *tools, "jupyter-lite", "build",
        "--apps=lab", "--apps=notebooks", "--no-unused-shared-packages", "--no-sourcemaps",
        f"--lite-dir={files.parent}", "--contents=files", f"--output-dir={site}")  # fmt: skip


def pyodide_version(site: Path) -> str:
    """The version of Pyodide that this version of the kernel was made for."""
    schema = (site / KERNEL / "schema/kernel.v0.schema.json").read_text()
    found = re.search(r"/pyodide/v([^/]+)/", schema)
    if found is None:
        raise SystemExit(f"{TOOLS[0]} does not say which Pyodide it needs; take another version")
    return found[1]


def unpack_pyodide(version: str, work: Path, into: Path) -> None:
    """Python for the browser, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("The site needs Pyodide, which npm downloads: install Node.js first")
    run(work, npm, "pack", "--silent", f"pyodide@{version}")
    with tarfile.open(next(work.glob("pyodide-*.tgz"))) as archive:
        archive.extractall(work, filter="data")
    shutil.move(work / "package", into)


def fetch_wheels(site: Path, work: Path, into: Path, target: dict[str, str]) -> None:
    """Fetch dagnb and what it needs, each as a wheel: pure Python, or compiled for the browser."""
    run(work, *PYTHON, "uv", "build", "--quiet", "--wheel", "--out-dir", str(work), str(ROOT))
    shims = [
        wheel for wheel in (site / KERNEL / "pypi").glob("*.whl") if "-3.6.999-" not in wheel.name
    ]
    wheels = [*work.glob("dagnb-*.whl"), *shims]
    wanted, locked = work / "wanted.txt", work / "locked.txt"
    wanted.write_text("\n".join(["micropip", "jedi", *map(str, wheels)]))
    python = ".".join(target["python"].split(".")[:2])
    run(work, *PYTHON, "uv", "pip", "compile", "--quiet", "--no-python-downloads", "--no-annotate",
        "--python-platform=wasm32-pyodide2025", f"--python-version={python}",
        f"--output-file={locked}", str(wanted))  # fmt: skip
    run(work, *PYTHON, "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--platform=any", f"--platform=pyemscripten_{target['abi_version']}_wasm32",
        f"--python-version={python}", "--implementation=cp",
        f"--abi=cp{python.replace('.', '')}", "--abi=none",
        f"--dest={into}", f"--requirement={locked}")  # fmt: skip


def described(wheel: Path) -> dict[str, object]:
    """A wheel's entry in Pyodide's lock file; it names no dependencies, since all are loaded."""
    info = next(path for path in ZipPath(wheel).iterdir() if path.name.endswith(".dist-info"))
    about = PathDistribution(info).metadata  # type: ignore[arg-type]  # a zip's path serves as well
    return {
        "name": re.sub(r"[-_.]+", "-", about["Name"]).lower(),
        "version": about["Version"],
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "install_dir": "site",
        "package_type": "package",
        "imports": [],
        "depends": [],
        "unvendored_tests": False,
    }


def load_at_start(settings: Path, packages: list[str]) -> None:
    """Have the kernel load these packages while it starts, all at once."""
    content = json.loads(settings.read_text())
    plugins = content["jupyter-config-data"]["litePluginSettings"]
    kernel = plugins["@jupyterlite/pyodide-kernel-extension:kernel"]
    kernel["loadPyodideOptions"] = {"packages": packages}
    settings.write_text(json.dumps(content, indent=1))


def run(work: Path, *command: str) -> None:
    """Run a tool in a folder to work in; its output is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=work, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
