"""W9: how long a live graph takes until it can be used, until a status is seen, and to pan.

Layout is timed in Python; the rest in a real Chromium, in a page of its own: the widget's code
draws what a real ``GraphWidget`` sends, but a model of ten lines stands for Jupyter's. What
Jupyter adds, messages through its server and the start of its page, is therefore not in the
figures; the pace at which the widget sends is. The reference is what is promised, so that no
target is above 1. Layout is the least of some turns, the display the longest. Chromium draws
without a graphics card. Without it or playwright, only layout is measured.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from math import isqrt
from queue import Queue
from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Measurement, least_seconds, main
from benchmarks.shapes import layered
from dagnb.events import GraphEdited, NodesStale, NodeStarted
from dagnb.notebook.assets import module, styles
from dagnb.notebook.export import script_safe
from dagnb.notebook.widget import GraphWidget
from dagnb.render.layout import IN_PROCESS_UP_TO, WITH_CARE_UP_TO
from dagnb.render.picture import Picture
from dagnb.render.view import GraphView

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = (100, 1_000, 5_000)
LEAST = 10
# What is measured, its unit, and the seconds that are promised.
DISPLAY = "W9 display", "graph", 2.0
STATUS = "W9 status, 95th percentile", "delta", 0.15
FRAMES = "W9 frames", "frame", 1 / 30
DISPLAY_UP_TO = 1_000  # nodes for which the display is promised
DELTAS, PAN_SECONDS = 100, 2.0
MIDWAY = 0.45  # the smallest zoom that still writes names, so that most of them are in sight
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_turns = count()

# The clock starts before the code is compiled, and ends when what it drew has been painted.
_PAGE = """<!doctype html><meta charset="utf-8"><style>{styles}</style><main></main>
<script type="application/json" id="traits">{traits}</script>
<script>const began = performance.now()</script>
<script type="module">{code}
const traits = JSON.parse(document.getElementById("traits").textContent);
const handlers = {{}};
const model = {{
  get: (key) => traits[key],
  on: (name, handler) => {{ handlers[name] = handler; }},
  off: () => {{}},
  send: () => {{}},
}};
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
window.graph = new Graph(model, document.querySelector("main"));
window.receive = async (text) => {{
  const message = JSON.parse(text);
  handlers["msg:custom"](message);
  await painted();
  const changed = Object.keys(message.nodes).map((name) => graph.nodes.get(name).el);
  return [...new Set(changed.map((el) => el.dataset.status))];
}};
await painted();
window.displayed = (performance.now() - began) / 1000;
</script>"""

# Each frame moves the pointer once, to and fro; the frames are those that the page really got.
_PAN = """([pointerId, x, y, seconds]) => new Promise((done) => {
  const began = performance.now();
  let frames = 0;
  const step = () => {
    const passed = (performance.now() - began) / 1000;
    if (passed >= seconds) return done(passed / frames);
    frames += 1;
    const [clientX, clientY] = [x + 300 * Math.sin(3 * passed), y + 150 * Math.sin(2 * passed)];
    const moved = { pointerId, buttons: 1, clientX, clientY };
    graph.stage.svg.dispatchEvent(new PointerEvent("pointermove", moved));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def measure(
    sizes: Sequence[int] = SIZES, chosen: Sequence[str] | None = None, rounds: int = 5
) -> list[Measurement]:
    """Measure layout and, where there is a browser, what is seen; no peer has a live graph."""
    found = [each for n in sizes for each in layouts(n, rounds)]
    with chromium() as browser:
        if browser is not None:
            for n in sizes:
                found += [display(browser, n, rounds), *deltas(browser, n), *pans(browser, n)]
    return found


def promised(
    workload: str, unit: str, limit: float, candidate: str, *, n: int, seconds: float
) -> Measurement:
    """Return a time beside what is promised."""
    reference = f"{limit * 1e3:.0f} ms"
    return Measurement(workload, candidate, n, seconds * 1e6, unit, seconds / limit, reference, 1.0)


def view(n: int) -> GraphView:
    """Return a graph as broad as deep, under names that no layout was cached for."""
    made, turn = GraphView("benchmark"), next(_turns)
    names = [f"node {number} of {turn}" for number in range(n)]
    edges = layered(n, inputs=2, width=isqrt(n))
    made(GraphEdited(names, [(names[a], names[b]) for a, b in edges]))
    return made


# -- layout -------------------------------------------------------------------------------------


def layouts(n: int, rounds: int) -> Iterator[Measurement]:
    """The first drawing and, for sizes of which that is a draft, the one made with care."""
    candidates = {"until something is drawn": lambda: Picture(view(n)).draft}
    if IN_PROCESS_UP_TO < n <= WITH_CARE_UP_TO:
        candidates["with care"] = lambda: Picture(view(n)).drawing
    for name, seconds in least_seconds(candidates, rounds).items():
        made = promised("W9 layout", *DISPLAY[1:], name, n=n, seconds=seconds)
        yield replace(made, target=None)  # a part of what is promised


# -- the browser --------------------------------------------------------------------------------


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """Yield the distribution's Chromium, else playwright's own, else None, saying why."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        print("playwright is not installed here: only layout is measured", file=sys.stderr)
        yield None
        return
    with sync_playwright() as playwright:
        installed = next(filter(None, map(shutil.which, PROGRAMS)), None)
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        except Error as error:
            why = str(error).splitlines()[0]
            print(f"no Chromium starts here: only layout is measured ({why})", file=sys.stderr)
            yield None
            return
        with browser:
            yield browser


class Sending(GraphWidget):
    """A widget whose messages can be taken, instead of sent through a kernel."""

    def __init__(self, drawn: GraphView) -> None:
        self.sent: Queue[dict[str, Any]] = Queue()
        super().__init__(drawn)

    def send(self, content: dict[str, Any], buffers: object = None) -> None:
        """Keep a message."""
        self.sent.put(content)

    def html(self) -> str:
        """Return a page that shows what the widget's traits say now."""
        traits = {"graph": self.graph, "state": self.state, "can_act": True, "timeline": False}
        return _PAGE.format(styles=styles(), traits=script_safe(traits), code=module())


@contextmanager
def shown(browser: Browser, n: int) -> Iterator[tuple[Page, Sending, GraphView]]:
    """Show a graph whose careful layout is done, if it has one."""
    drawn = view(n)
    widget = Sending(drawn)
    widget.flush()
    while not widget.sent.empty():
        widget.sent.get()
    page = opened(browser, widget.html())
    try:
        yield page, widget, drawn
    finally:
        page.close()
        widget.close()


def opened(browser: Browser, html: str) -> Page:
    """Return a page once its graph is painted."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_content(html)
    page.wait_for_function("window.displayed !== undefined", timeout=120_000)
    assert page.locator(".dagnb[data-ready]").count() == 1
    return page


def display(browser: Browser, n: int, rounds: int) -> Measurement:
    """Return the longest time of some from a new widget to a graph that can be used."""
    seconds = max(displayed(browser, n) for _ in range(rounds))
    made = promised(*DISPLAY, "widget and browser", n=n, seconds=seconds)
    return made if n <= DISPLAY_UP_TO else replace(made, target=None)


def displayed(browser: Browser, n: int) -> float:
    """Make a widget, and its traits a message; then from the start of the page's script."""
    drawn = view(n)
    began = perf_counter()
    widget = Sending(drawn)
    json.dumps([widget.graph, widget.state])
    in_python = perf_counter() - began
    page = opened(browser, widget.html())
    in_browser = float(page.evaluate("displayed"))
    page.close()
    widget.flush()  # so that no layout goes on beside the next turn
    widget.close()
    return in_python + in_browser


def deltas(browser: Browser, n: int) -> Iterator[Measurement]:
    """The 95th percentile from an event to its paint, in a page that shows the whole graph."""
    for candidate, many in (("one node", 1), ("a tenth of the nodes", n // 10)):
        with shown(browser, n) as (page, widget, drawn):
            names = list(drawn.nodes)[:many]
            times = [
                told(page, widget, drawn, names, stale) for stale in (False, True) * (DELTAS // 2)
            ]
        slow = quantiles(times, n=20)[-1]
        yield promised(*STATUS, candidate, n=n, seconds=slow)


def told(page: Page, widget: Sending, drawn: GraphView, names: Sequence[str], stale: bool) -> float:
    """Return how long it takes until a change of some nodes is painted."""
    began = perf_counter()
    if stale:
        drawn(NodesStale(names, "edited"))
    else:
        for name in names:
            drawn(NodeStarted(name, at=began))
    widget.refresh()
    text = json.dumps(widget.sent.get(timeout=60))
    statuses = page.evaluate("text => receive(text)", text)
    seconds = perf_counter() - began
    assert statuses == ["stale" if stale else "running"]
    return seconds


def pans(browser: Browser, n: int) -> Iterator[Measurement]:
    """The mean time of a frame while the graph is dragged: near, all with names, as a whole."""
    ways = {
        "near": "graph.stage.zoom(1 / graph.stage.k)",
        "midway": f"graph.stage.zoom({MIDWAY} / graph.stage.k)",
        "fitted": "graph.stage.fit(true)",
    }
    for candidate, look in ways.items():
        with shown(browser, n) as (page, _, _):
            page.evaluate(f"() => {{ {look}; }}")
            page.wait_for_timeout(500)  # the move to there is animated
            seconds = panned(page)
        title = f"pan {candidate}, {1 / seconds:.0f} a second"
        yield promised(*FRAMES, title, n=n, seconds=seconds)


def panned(page: Page) -> float:
    """Drag the drawing for a while; return the mean seconds between two frames."""
    place = "[graph.stage.x, graph.stage.y]"
    page.evaluate(
        "graph.stage.svg.addEventListener('pointerdown', (e) => { window.held = e.pointerId; })"
    )
    box = page.locator(".dagnb-stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    before = page.evaluate(place)
    seconds = float(page.evaluate(_PAN, [page.evaluate("held"), x, y, PAN_SECONDS]))
    assert page.evaluate(place) != before
    page.mouse.up()
    return seconds


if __name__ == "__main__":
    main(__doc__ or "", measure, SIZES, LEAST)
