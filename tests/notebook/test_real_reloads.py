"""Modules of the user's, edited on disk while a real kernel runs, with and without autoreload."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat.v4 import new_notebook

from tests.notebook.kernels import started

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.mark.parametrize(
    ("reload", "read", "sees"),
    [
        ("%load_ext autoreload\n%autoreload 2", "from edited import f", True),
        ("%load_ext autoreload\n%autoreload 2", "import edited\nf = edited.f", True),
        ("%load_ext autoreload\n%autoreload 2", "import edited\nf = [edited][0].f", True),
        ("%load_ext autoreload\n%autoreload 3", "from edited import f", True),
        ("pass", "from edited import f", False),
        ("pass", "import edited\nf = [edited][0].f", False),
    ],
)
def test_a_module_edited_on_disk(tmp_path: Path, reload: str, read: str, sees: bool) -> None:
    """A node has the value that its code has by hand: the new one if the module was reloaded."""
    file = tmp_path / "edited.py"
    file.write_text("k = 1\ndef g(): return k\ndef f(): return g()\n")
    with started(new_notebook(), tmp_path) as kernel:
        for cell in ("%load_ext dagnb", reload, f"import sys\nsys.path.insert(0, '{tmp_path}')"):
            kernel.run(cell)
        kernel.run(f"%%dag_node n\n{read}\nf()")
        kernel.run("%%dag_node above\nn + 1")
        file.write_text("k = 22\ndef g(): return k\ndef f(): return g()\n")
        kernel.run("'a plain cell'")
        now = 22 if sees else 1
        assert kernel.text(kernel.run(f"{read}\n(f(), n, above)")) == [f"({now}, {now}, {now + 1})"]
        assert kernel.text(kernel.run("%dag run"))[0].startswith("nothing to run")
