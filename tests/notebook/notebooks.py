"""Notebook files to run, made from the sources of their cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOAD = "%load_ext dagnb"
CHAIN = (
    LOAD,
    "limit = 1",
    "%%dag_node raw\nprint('loading')\n[3, 1, 2]",
    "%%dag_node clean\n[x for x in raw if x > limit]",
    "%%dag_node total\nsum(clean)",
    "print('total is', total)",
)


def code(source: str, number: int = 0, *tags: str) -> dict[str, Any]:
    """Return a code cell as it stands in a file."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"cell-{number}",
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def content(*sources: str | dict[str, Any]) -> dict[str, Any]:
    """Return a notebook of cells, given by their sources or whole."""
    cells = [
        code(each, number) if isinstance(each, str) else each for number, each in enumerate(sources)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def written(path: Path, *sources: str | dict[str, Any]) -> Path:
    """Write a notebook as Jupyter does; return its path."""
    path.write_text(json.dumps(content(*sources), indent=1, ensure_ascii=False) + "\n")
    return path


def texts(path: Path) -> list[list[str]]:
    """Return what stands below each code cell of a file, as text."""
    cells = json.loads(path.read_text())["cells"]
    return [
        [_text(output) for output in cell["outputs"]]
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def _text(output: dict[str, Any]) -> str:
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    lines = output["text"] if "text" in output else output["data"].get("text/plain", "")
    return "".join(lines).strip()
