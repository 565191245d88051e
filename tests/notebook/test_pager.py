"""``%dag step show``: the same steps, to be worked by mouse and keyboard."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dagnb.notebook.pager import picture
from dagnb.render.view import STATUSES
from tests.notebook.conftest import Notebook


@pytest.fixture
def widgets(chain: Notebook) -> dict[str, Any]:
    """The parts of the pager of a notebook's order."""
    box = chain.run("%dag step show").value
    row, shown = box.children
    names = ("back", "next", "place")
    return dict(zip(names, row.children, strict=True)) | {"shown": shown}


def test_the_first_step_is_shown(widgets: dict[str, Any]) -> None:
    """As a picture and as text."""
    shown = widgets["shown"].value
    assert "Topological order, step 0 of 4" in shown
    assert shown.count("<svg") == 1
    assert widgets["place"].max == 4


def test_buttons_and_number(widgets: dict[str, Any]) -> None:
    """Next and back move by one and stop at the ends; a number jumps."""
    widgets["back"].click()
    assert widgets["place"].value == 0
    widgets["next"].click()
    assert "step 1 of 4: raw is taken" in widgets["shown"].value
    widgets["place"].value = 4
    assert "so this is a topological order" in widgets["shown"].value
    widgets["next"].click()
    assert widgets["place"].value == 4
    widgets["place"].value = 2
    assert "step 2 of 4: clean is taken" in widgets["shown"].value


def test_the_last_run(chain: Notebook) -> None:
    """After ``%dag step run`` it is the run that plays; the picture shows what was cut off."""
    chain.run("limit = 0")
    chain.run("%dag step run")
    box = chain.run("%dag step show").value
    box.children[0].children[2].value = 2
    shown = box.children[1].value
    assert "Last run, step 2 of 2: the end" in shown
    assert re.search(r'aria-label="Graph: 4 nodes: 3 reused, 1 unchanged"', shown)


@pytest.mark.parametrize("status", [each for each in STATUSES if each != "pending"])
def test_a_node_looks_as_a_step_says(chain: Notebook, status: str) -> None:
    """Every status that there is can be drawn."""
    drawn = picture(chain.session.dag, {"raw": status})
    assert f'data-status="{status}"' in drawn
