"""What every test gets: quiet examples, and no access to the user's own directories."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("dagnb", deadline=None, print_blob=True)
settings.load_profile("dagnb")

# Before any test imports Jupyter or matplotlib: both read these when they are imported.
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# And no notebook finds the values of an earlier test, unless it asks for a store.
os.environ["DAGNB_STORE"] = "off"
# A shell starts what it puts in the background with Ctrl-C ignored, which many tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def home_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Point every per-user directory at a temporary one, for this process and its children."""
    home = tmp_path_factory.mktemp("home")
    for variable in (
        "HOME",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_STATE_HOME",
        "IPYTHONDIR",
    ):
        os.environ[variable] = str(home / variable.lower())
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        os.environ[variable] = str(home / variable.lower())


@pytest.fixture(autouse=True)
def _no_callbacks_of_the_collector() -> None:
    """Take away hypothesis's, which times it: a Ctrl-C that arrives in there is lost."""
    gc.callbacks.clear()
