"""A Jupyter server for the tests: its own directories, its own port, no network."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]

MODULES = {"lab": "jupyterlab", "notebook": "notebook"}

SETTINGS = {
    # Draw every cell at once: a cell out of sight has no DOM to look at otherwise.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}


class JupyterServer:
    """JupyterLab or Notebook 7, serving one directory on this machine.

    Parameters
    ----------
    application : str
        ``"lab"`` or ``"notebook"``.
    home : pathlib.Path
        An empty directory; ``home / "work"`` is what the server shows.
    """

    def __init__(self, application: str, home: Path) -> None:
        self.application = application
        self.work = home / "work"
        self.log = home / "server.log"
        self._home = home
        self._settings = home / "jupyterlab_settings_dir"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> JupyterServer:
        self.work.mkdir()
        self.reset_settings()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(), env=self._environment(), stdout=log, stderr=subprocess.STDOUT
            )
        self._wait_until_it_answers(seconds=60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def url(self, path: str) -> str:
        """Return where the application shows the notebook at ``path``, relative to `work`."""
        # A workspace each, since Lab opens again what the last test had open in its own.
        lab = f"lab/workspaces/{Path(path).stem}/tree"
        folder = lab if self.application == "lab" else "notebooks"
        return f"http://127.0.0.1:{self._port}/{folder}/{path}"

    def reset_settings(self) -> None:
        """Forget what a test changed, the theme for example."""
        shutil.rmtree(self._settings, ignore_errors=True)
        for plugin, values in SETTINGS.items():
            path = self._settings / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def _command(self) -> list[str]:
        return [
            sys.executable, "-m", MODULES[self.application],
            "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self._port}",
            "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
            f"--ServerApp.root_dir={self.work}", "--expose-app-in-browser",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        folders += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
        own = {name: str(self._home / name.lower()) for name in folders}
        return {**os.environ, **own, "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1"}

    def _wait_until_it_answers(self, seconds: float) -> None:
        assert self._process is not None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/status").close()
            except urllib.error.URLError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"{self.application} did not start:\n{self.log.read_text()}")


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
