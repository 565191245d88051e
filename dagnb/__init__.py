"""A live, incremental graph of your notebook.

Load it with ``%load_ext dagnb``, then start a cell with ``%%dag_node``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import lazy_loader

__version__ = "0.1.0"

# The public names stand in `__init__.pyi`, where type checkers find them, too.
_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__", "load_ipython_extension"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import dagnb`` stays cheap."""
    if name == "teach":
        import_module("dagnb.render.drawings")  # so that the graphs of exercises have pictures
    value: object = _load(name)
    return value


def load_ipython_extension(shell: Any) -> None:
    """Register ``%%dag_node`` and ``%dag``; called by ``%load_ext dagnb``."""
    import_module("dagnb.notebook.magics").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take the magics away again; called by ``%unload_ext dagnb``."""
    import_module("dagnb.notebook.magics").unload(shell)
