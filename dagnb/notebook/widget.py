"""The live graph: paints a ``GraphView`` in the browser and hands clicks back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from pathlib import Path

import anywidget
import traitlets

from dagnb.notebook.assets import module, styles
from dagnb.render.forms import formed
from dagnb.render.layout import Box, Direction
from dagnb.render.measure import shorten
from dagnb.render.picture import Drawing, Picture
from dagnb.render.scene import fold_key
from dagnb.render.svg import svg
from dagnb.render.view import GraphView
from dagnb.run.bell import Bell
from dagnb.run.threads import has_threads

Details = Callable[[str], Mapping[str, object]]
Act = Callable[[str, str], object]
Record = Callable[[], Mapping[str, object]]
Teach = Callable[[Mapping[str, object]], Mapping[str, object]]

# Jupyter drops what comes faster than 1000 messages a second; nobody sees more than 30.
_FRAME_SECONDS = 1 / 30
_SYNC_SECONDS = 1.0
_QUICK_LAYOUT = 300


class GraphWidget(anywidget.AnyWidget):
    """A live picture of a graph view.

    Status changes travel as small messages, 30 times a second at most. Messages are not state:
    ``graph`` (geometry) and ``state`` (a snapshot, once a second and when flushed) are, so that a
    page that is loaded again is right.

    Parameters
    ----------
    drawn : GraphView or Picture
        What events say is read, never changed; how a picture is looked at, readers change.
    details : callable, optional
        ``details(name)`` returns what the panel of a node shows: ``source``, ``preview_html``,
        ``preview_text``, ``why``, ``seconds``, ``status``, ``error``, ``inputs``, ``dependents``;
        each may be missing.
    act : callable, optional
        ``act(verb, name)`` does what a button says (``run``, ``run_to``). Without it there are
        no such buttons.
    record : callable, optional
        ``record()`` returns the last run: its ``timeline``, and the ``frames`` of its replay.
    teach : callable, optional
        ``teach(asked)`` does what somebody did in a lesson, and returns what it shows then.
    model_id : str, optional
        Under which the browser knows it; a new id unless given.

    Notes
    -----
    All four functions are called on the thread on which the kernel handles messages, which
    may not be the main one. What they raise is shown in the panel.
    """

    _esm = module()
    _css = styles()

    graph = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    can_act = traitlets.Bool(False).tag(sync=True)
    timeline = traitlets.Bool(False, help="Whether the last run is shown below.").tag(sync=True)
    plan = traitlets.Dict(help="What a run would do, while that is drawn.").tag(sync=True)
    lesson = traitlets.Unicode("", help="Which lesson is shown below, if any.").tag(sync=True)

    def __init__(
        self,
        drawn: GraphView | Picture,
        *,
        details: Details | None = None,
        act: Act | None = None,
        record: Record | None = None,
        teach: Teach | None = None,
        model_id: str | None = None,
    ) -> None:
        self._picture = drawn if isinstance(drawn, Picture) else Picture(drawn)
        self._view = self._picture.view
        self._details, self._act, self._record = details, act, record
        self._teach = teach
        self._lock = threading.RLock()
        self._bell = Bell()
        self._closed = False
        self._seq = 0
        self._sent_rev = self._synced_rev = -1
        self._drawn_rev = (-1, -1)
        self._sent_at = self._synced_at = 0.0
        self._planned = self._occasion
        self._layout_thread: threading.Thread | None = None
        super().__init__(can_act=act is not None, model_id=model_id)
        self._answer_where_asked()
        self.on_msg(self._receive)
        self._draw(self._picture.draft)
        self._send_delta()
        self._sync_state()
        self._thread = self._start("dagnb-widget", self._pump)
        if self._drawn_rev != self._picture.rev:
            self.refresh()

    def refresh(self) -> None:
        """Say that the view changed; returns at once and may be called on any thread."""
        if self._thread is None:
            self._send_if_due()
        else:
            self._bell.ring()

    def flush(self) -> None:
        """Bring the browser and the saved state up to date before returning."""
        if self._layout_thread is not None:
            self._layout_thread.join()
        self._draw()
        self._send_delta()
        self._sync_state()

    def close(self) -> None:
        """Stop painting; the view goes on without it."""
        self._closed = True
        self._bell.ring()
        super().close()

    def notice(self, text: str) -> None:
        """Show a line of text at the foot of the graph for a while."""
        self._post({"kind": "notice", "text": text})

    def draw_plan(self, plan: Mapping[str, object]) -> None:
        """Draw what a run would do, until one begins or the graph is another one."""
        self._planned = self._occasion
        self._set_plan(plan)
        self._post({"kind": "plan", **plan})

    @property
    def _occasion(self) -> tuple[int, float]:
        """What a plan is good for: a structure of the graph, and the time since its last run."""
        run = self._view.run
        return self._view.structure_rev, run.started if run else 0.0

    def _set_plan(self, plan: Mapping[str, object]) -> None:
        """Keep a plan for pages that are loaded later; a lost page is none of ours to mind."""
        try:
            self.plan = dict(plan)
        except Exception:  # the comm, its transport or an observer of the trait
            self._closed = self.comm is None

    def draw_lesson(self, facts: Mapping[str, object]) -> None:
        """Show a step, a prediction or a schedule; a page that is loaded later has none."""
        self._post({"kind": "lesson", "open": True, **facts})

    def _start(self, name: str, target: Callable[[], None]) -> threading.Thread | None:
        """Start a daemon thread in this context; None where there are no threads (Pyodide)."""
        if not has_threads():
            return None
        run = copy_context().run
        thread = threading.Thread(target=run, args=(target,), name=name, daemon=True)
        thread.start()
        return thread

    def _pump(self) -> None:
        """Send what changed, in frames, until closed."""
        while not self._closed:
            behind = self._synced_rev != self._view.rev
            self._bell.wait(_SYNC_SECONDS if behind else None)
            self._paint()
            time.sleep(_FRAME_SECONDS)

    def _paint(self) -> None:
        """Send one frame; geometry that takes long is made meanwhile."""
        if self._drawn_rev != self._picture.rev:
            self._draw_somewhere()
        self._send_delta()
        pause = max(_SYNC_SECONDS, len(self._view.nodes) / 1000)
        if time.monotonic() - self._synced_at >= pause:
            self._sync_state()

    def _send_if_due(self) -> None:
        """Send one frame unless the last one was just now."""
        if time.monotonic() - self._sent_at >= _FRAME_SECONDS:
            self._paint()

    def _draw_somewhere(self) -> None:
        """Make the geometry here if it is quick, else in a thread while the old one is shown."""
        if len(self._view.nodes) <= _QUICK_LAYOUT or self._thread is None:
            self._draw()
        elif self._layout_thread is None or not self._layout_thread.is_alive():
            self._layout_thread = self._start("dagnb-layout", self._draw_and_refresh)

    def _draw_and_refresh(self) -> None:
        """Make the geometry, then paint; once more if the structure changed meanwhile."""
        self._draw()
        self._bell.ring()

    def _draw(self, made: Callable[[], Drawing] | None = None) -> None:
        """Publish the geometry of the current structure, with the state that belongs to it."""
        rev = self._picture.rev
        if rev == self._drawn_rev:
            return
        try:
            drawing = (made or self._picture.drawing)()
        except Exception as error:  # a run must not fail because it cannot be drawn
            self._drawn_rev = rev
            self.notice(f"The graph could not be laid out: {error}")
            return
        with self._lock:
            self._drawn_rev = (-1, -1) if drawing.is_draft else drawing.rev
            self._publish(self._snapshot(), geometry(self._picture, drawing))

    def _send_delta(self) -> None:
        """Send the nodes that changed since the last message, if any did."""
        with self._lock:
            self._sent_at = time.monotonic()
            if self._sent_rev == self._view.rev:
                return
            delta = self._view.delta(self._sent_rev)
            self._sent_rev = int(str(delta["rev"]))
            if self.plan and self._planned != self._occasion:
                self._set_plan({})
            self._seq += 1
            self._post({"kind": "delta", "seq": self._seq, "clock": time.perf_counter(), **delta})

    def _sync_state(self) -> None:
        """Store the whole state in the widget's model."""
        with self._lock:
            self._synced_at = time.monotonic()
            if self._synced_rev != self._view.rev:
                self._publish(self._snapshot())

    def _snapshot(self) -> dict[str, object]:
        """Return the state without what the geometry tells."""
        snapshot = self._view.snapshot()
        for known in ("edges", "groups"):
            del snapshot[known]
        return snapshot | {"seq": self._seq, "clock": time.perf_counter()}

    def _publish(self, state: dict[str, object], graph: dict[str, object] | None = None) -> None:
        """Set the synced traits in one message; a lost page is none of the run's business."""
        self._synced_rev = int(str(state["rev"]))
        try:
            with self.hold_sync():
                self.graph = graph or self.graph
                self.state = state
        except Exception:  # the comm, its transport or an observer of the trait
            self._closed = self.comm is None

    def _post(self, message: dict[str, object]) -> None:
        """Send a message; a lost page is none of the run's business."""
        try:
            self.send(message)
        except Exception:  # the comm or its transport
            self._closed = self.comm is None

    def _receive(self, _widget: object, message: Mapping[str, object], _buffers: object) -> None:
        """Answer the browser."""
        name = str(message.get("name", ""))
        match message.get("kind"):
            case "details":
                self._post({"kind": "details", "name": name, **self._described(name)})
            case "recording" if self._record is not None:
                self._post({"kind": "recording", **self._record()})
            case "lesson" if self._teach is not None:
                self._post({"kind": "lesson", **self._taught(message)})
            case "fold":
                self._look(lambda: self._fold(name, folded=bool(message.get("folded"))))
            case "reveal" if name in self._view.nodes:
                self._look(lambda: self._picture.reveal(name))
            case "focus" if name in self._view.nodes or not name:
                self._look(lambda: self._picture.focus(name))
            case "turn":
                direction: Direction = "LR" if message.get("direction") == "LR" else "TB"
                self._look(lambda: self._picture.turn(direction))
            case "save":
                self._save(str(message.get("form", "")), dark=message.get("theme") == "dark")
            case "act" if self._act is not None:
                self._perform(str(message.get("verb", "")), name)
            case "sync":
                with self._lock:
                    self._post({"kind": "state", **self._snapshot()})

    def _look(self, turn: Callable[[], None]) -> None:
        """Look at the graph in another way, and show it so."""
        turn()
        self.refresh()

    def _save(self, form: str, *, dark: bool) -> None:
        """Send the drawing in one of the forms in which it can be saved; a PNG is made of SVG."""
        if form in ("svg", "png"):
            text = svg(self._picture, theme="dark" if dark else "light")
        elif form in ("dot", "mmd"):
            text = str(formed(self._picture, Path(f"graph.{form}")))
        else:
            return
        self._post({"kind": "saved", "form": form, "text": text})

    def _fold(self, group: str, *, folded: bool) -> None:
        """Fold or open a group, or all of them if there is none of this name."""
        groups = [group] if group in self._picture.groups else []
        (self._picture.fold if folded else self._picture.open)(*groups)

    def _described(self, name: str) -> dict[str, object]:
        """Return what the panel shows, or why it cannot be shown."""
        if self._details is None or name not in self._view.nodes:
            return {}
        try:
            return dict(self._details(name))
        except Exception as error:  # previews call the user's own __repr__
            return {"error": f"no details: {type(error).__name__}: {error}"}

    def _taught(self, asked: Mapping[str, object]) -> dict[str, object]:
        """Return what a lesson shows, as an answer to this question, or why it cannot."""
        assert self._teach is not None
        try:
            return {**self._teach(asked), "asked": asked.get("asked")}
        except Exception as error:  # the graph may be edited meanwhile
            return {"mode": asked.get("mode"), "said": f"{type(error).__name__}: {error}"}

    def _perform(self, verb: str, name: str) -> None:
        """Do what a button says, and show why it failed if it does."""
        assert self._act is not None
        try:
            self._act(verb, name)
        except Exception as error:  # user code runs in there
            self.notice(f"{verb.replace('_', ' ')} {name}: {type(error).__name__}: {error}")

    def _answer_where_asked(self) -> None:
        """Let clicks be handled while a cell runs.

        ipykernel 7.4 hands messages to the shell that last sent on the comm, which is the busy
        one; this restores what earlier versions did.
        """
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda _data, default: default


def geometry(picture: Picture, drawing: Drawing | None = None) -> dict[str, object]:
    """Return a drawing as compact JSON; edges refer to nodes, then folds, by position.

    Examples
    --------
    >>> geometry(Picture(GraphView("empty")))["nodes"]
    []
    """
    drawing = drawing or picture.drawing()
    seen, plan, groups = drawing.scene, drawing.plan, drawing.scene.groups
    index = {name: i for i, name in enumerate(plan.nodes)}
    places = {name: -1 for name in picture.view.nodes if name not in index}
    for number, inside in enumerate(seen.folds.values()):
        places |= dict.fromkeys(inside, number)
    return {
        "rev": list(drawing.rev),
        "title": picture.view.title,
        "direction": plan.direction,
        "around": picture.lens.around,
        "size": [plan.width, plan.height],
        "nodes": [
            [name, plan.labels[name], groups.get(name, ""), *_box(plan.nodes[name])]
            for name in seen.nodes
        ],
        "folds": [
            [group, plan.labels[key], len(inside), *_box(plan.nodes[key])]
            for group, inside in seen.folds.items()
            for key in [fold_key(group)]
        ],
        "hidden": [list(each) for each in places.items()],
        "edges": [[index[e.source], index[e.target], e.d, *[1] * e.back] for e in plan.edges],
        "groups": [
            [name, shorten(name, b.w - 38, 11.5), *_box(b)] for name, b in plan.groups.items()
        ],
    }


def _box(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.w, box.h
