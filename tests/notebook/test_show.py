"""What stands below a cell that shows the graph, where there is no browser to draw it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from dagnb.errors import LayoutError
from dagnb.events import GraphEdited
from dagnb.notebook.capture import capture
from dagnb.notebook.show import GraphDisplay
from dagnb.render.picture import Drawing, Picture
from dagnb.render.view import GraphView
from tests.notebook.shells import new_shell


class NoPicture(Picture):
    """A graph that cannot be laid out."""

    def drawing(self) -> Drawing:
        """Fail, as where Graphviz breaks down."""
        raise LayoutError("no geometry")


@pytest.mark.parametrize(
    ("picture", "kinds"),
    [
        (Picture, {"image/svg+xml", "text/plain"}),
        (NoPicture, {"text/vnd.mermaid", "text/plain"}),
    ],
)
def test_a_still_falls_back(picture: type[Picture], kinds: set[str]) -> None:
    """To a flowchart if there is no geometry; a tree of text is always with it."""
    [output] = shown(picture)
    assert set(output["data"]) == kinds
    assert output["data"]["text/plain"] == "raw  pending\n└─ clean  pending"


def test_without_graphviz_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Once, above the graph as text; the picture is drawn in plain layers all the same."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)  # its import fails
    monkeypatch.setenv("PATH", str(tmp_path))
    told, *pictures = shown(Picture, times=2)
    assert "pip install pygraphviz" in told["text"]
    assert told["text"].endswith("raw  pending\n└─ clean  pending\n")
    assert [set(each["data"]) for each in pictures] == [{"image/svg+xml", "text/plain"}] * 2


def shown(picture: type[Picture], times: int = 1) -> list[dict[str, Any]]:
    """Show a graph of two nodes so often, and return what stands below the cell."""
    view = GraphView()
    view(GraphEdited(["raw", "clean"], [("raw", "clean")]))
    with new_shell() as shell:
        shell.keeps_outputs = True
        display = GraphDisplay(
            shell, view, details=nothing, act=nothing, record=nothing, teach=nothing
        )
        display.picture = picture(view)
        with capture(shell) as sink:
            for _ in range(times):
                display.show()
    return list(sink.outputs)


def nothing(*_: object) -> dict[str, Any]:
    """Answer no question."""
    return {}
