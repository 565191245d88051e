"""Statuses for who sees no colours, other colours, or only those of their system."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import combinations, pairwise, product

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, Page, expect

from dagnb.events import GraphEdited, NodeSettled, NodesStale, NodeStarted
from dagnb.notebook.export import page as exported_page
from dagnb.render.look import ICONS
from dagnb.render.picture import Picture
from dagnb.render.view import STATUSES, GraphView, display_status
from dagnb.results import NodeResult, NodeStatus
from tests.browser.server import ROOT

SCALE = 3
SHOTS = ROOT / "build" / "screenshots" / "colours"
# One status of each look, and a chain of all of them.
LOOKS = {ICONS[status]: status for status in STATUSES}.values()


class Facts:
    """A run of which there is nothing to say but how its nodes ended."""

    def __init__(self) -> None:
        self.view = GraphView("every status")
        self.view(GraphEdited(list(STATUSES), list(pairwise(STATUSES))))
        for status, executed, changed in product(NodeStatus, (True, False), (True, False)):
            made = NodeResult("", status, executed=executed, changed=changed, duration_seconds=0.3)
            self.view(NodeSettled(made.but(name=display_status(made))))
        self.view(NodesStale(["stale"], "edited"))
        self.view(NodeStarted("running", at=0.0))

    def details(self, name: str, *, loading: bool = True) -> dict[str, object]:
        """Nothing."""
        return {}

    def record(self) -> dict[str, object]:
        """Nothing that happened."""
        line = {"lanes": [], "marks": [], "critical": [], "critical_seconds": 0, "seconds": 0}
        return {"timeline": line, "frames": {"before": {}, "moments": []}}


@pytest.fixture
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with a node of each status, where nothing moves."""
    file = tmp_path_factory.mktemp("colours") / "run.html"
    facts = Facts()
    file.write_text(exported_page(Picture(facts.view), facts), encoding="utf-8")
    page = browser.new_page(viewport={"width": 900, "height": 1000}, device_scale_factor=SCALE)
    page.emulate_media(reduced_motion="reduce")
    page.goto(file.as_uri())
    expect(page.locator(".dagnb[data-ready]")).to_be_visible()
    shown = page.locator("[data-node]").evaluate_all("all => all.map(n => n.dataset.status)")
    assert sorted(shown) == sorted(STATUSES)
    yield page
    page.close()


def outline(seen: Image.Image, of: Locator) -> Image.Image:
    """Where something is drawn with weight, white on black, whatever its colours are."""
    box = of.bounding_box()
    assert box is not None
    left, top = box["x"] - 1, box["y"] - 1
    place = (left, top, left + box["width"] + 2, top + box["height"] + 2)
    image = seen.crop(tuple(round(SCALE * each) for each in place))  # type: ignore[arg-type]
    ink = ImageChops.difference(image, Image.new("L", image.size, image.getpixel((0, 0))))
    most = ink.getextrema()[1]
    drawn = ink.point(lambda tone: 255 * (tone > most / 2))
    canvas = Image.new("L", (60, 60))
    canvas.paste(drawn, ((60 - drawn.width) // 2, (60 - drawn.height) // 2))
    return canvas


def assert_told_apart(page: Page, title: str) -> None:
    """No two looks have icons of the same outline."""
    seen = Image.open(BytesIO(page.screenshot(path=SHOTS / f"{title}.png"))).convert("L")
    icons = {s: outline(seen, page.locator(f'[data-node="{s}"] .icon')) for s in LOOKS}
    for one, two in combinations(icons, 2):
        apart = ImageChops.difference(icons[one], icons[two]).histogram()[255]
        drawn = ImageChops.lighter(icons[one], icons[two]).histogram()[255]
        assert apart > drawn / 10, f"{one} looks like {two}: {apart} of {drawn}"


@pytest.mark.parametrize("vision", ["deuteranopia", "achromatopsia"])
def test_other_eyes(page: Page, vision: str) -> None:
    """Each look has a shape of its own, also where colours look alike or there are none."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setEmulatedVisionDeficiency", {"type": vision})
    assert_told_apart(page, vision)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colours(page: Page, theme: str) -> None:
    """With the few colours of a system's own theme."""
    page.emulate_media(forced_colors="active", color_scheme=theme, reduced_motion="reduce")
    assert_told_apart(page, f"forced-{theme}")


def test_nothing_moves_for_who_asked_for_that(page: Page) -> None:
    """A ring turns and edges run where a node runs, unless the system is set to less motion."""
    moving = ".node[data-status=running] .ring", ".edge[data-flow=live]"
    for each in moving:
        expect(page.locator(each).first).to_have_css("animation-name", "none")
    page.emulate_media(reduced_motion="no-preference")
    for each, motion in zip(moving, ("dagnb-turn", "dagnb-move"), strict=True):
        expect(page.locator(each).first).to_have_css("animation-name", motion)
