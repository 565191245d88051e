"""The widget sends what changed and hands clicks back; no browser is needed to see that."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from queue import Empty, Queue
from typing import Any

import comm
import pytest

from dagnb.events import GraphEdited, NodeSettled, NodesStale, NodeStarted, RunStarted
from dagnb.notebook.widget import GraphWidget, geometry
from dagnb.render.look import DARK, ICONS, LIGHT
from dagnb.render.picture import Picture
from dagnb.render.view import STATUSES, GraphView
from dagnb.results import NodeResult, NodeStatus

Sent = Queue[dict[str, Any]]


@pytest.fixture
def view() -> GraphView:
    """Two nodes, one after the other."""
    view = GraphView("sales")
    view(GraphEdited(["raw", "clean"], [("raw", "clean")], {"raw": "etl"}))
    return view


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What widgets send to the browser, as it comes."""
    queue: Sent = Queue()
    monkeypatch.setattr(GraphWidget, "send", lambda _, message, buffers=None: queue.put(message))
    return queue


@pytest.fixture
def widget(view: GraphView, sent: Sent) -> Iterator[GraphWidget]:
    """A widget whose first messages have been read."""
    widget = GraphWidget(view, details=lambda name: {"source": f"{name} = 1"}, act=refuse)
    drain(sent)
    yield widget
    widget.close()


def refuse(verb: str, name: str) -> None:
    """A session that is busy."""
    raise RuntimeError(f"cannot {verb}")


def drain(sent: Sent) -> list[dict[str, Any]]:
    """Return what was sent so far."""
    found = []
    while True:
        try:
            found.append(sent.get_nowait())
        except Empty:
            return found


def settled(name: str) -> NodeSettled:
    """A node that was executed in one second."""
    return NodeSettled(NodeResult(name, NodeStatus.COMPLETED, executed=True, duration_seconds=1.0))


def say(widget: GraphWidget, **message: object) -> None:
    """Do as the browser does when it sends a message."""
    widget._handle_custom_msg(message, [])


def test_geometry_and_state_are_there_from_the_start(widget: GraphWidget) -> None:
    """A page that is loaded later gets them from the model."""
    assert [node[0] for node in widget.graph["nodes"]] == ["raw", "clean"]
    assert widget.graph["edges"][0][:2] == [0, 1]
    assert widget.state["counts"] == {"pending": 2}


def test_a_change_is_sent_without_being_asked_for(
    widget: GraphWidget, view: GraphView, sent: Sent
) -> None:
    """After a refresh a thread sends the delta, while the caller goes on."""
    view(NodeStarted("raw", at=1.0))
    widget.refresh()
    delta = sent.get(timeout=10)
    assert delta["kind"] == "delta"
    assert delta["nodes"] == {"raw": {"status": "running", "started": 1.0}}
    assert delta["counts"] == {"running": 1, "pending": 1}


def test_many_changes_travel_in_few_messages(
    widget: GraphWidget, view: GraphView, sent: Sent
) -> None:
    """Events are folded together; the numbers of the messages have no gap."""
    for i in range(1000):
        view(NodeStarted("raw", at=float(i)))
        widget.refresh()
    view(settled("raw"))
    widget.flush()
    messages = drain(sent)
    assert len(messages) < 100
    assert messages[-1]["nodes"]["raw"]["status"] == "completed"
    numbers = [message["seq"] for message in messages]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_flush_brings_the_saved_state_up_to_date(widget: GraphWidget, view: GraphView) -> None:
    """At the end of a run what a reloaded page would show is right at once."""
    view(RunStarted(["raw"], at=0.0))
    view(settled("raw"))
    widget.flush()
    assert widget.state["nodes"]["raw"] == {"status": "completed", "duration_seconds": 1.0}
    assert widget.state["run"]["done"] == 1
    assert widget.state["rev"] == view.rev


def test_a_new_structure_brings_new_geometry(widget: GraphWidget, view: GraphView) -> None:
    """With the state that belongs to it."""
    view(GraphEdited(["raw", "clean", "fit"], [("clean", "fit")]))
    widget.flush()
    assert len(widget.graph["nodes"]) == len(widget.state["nodes"]) == 3


def test_a_status_change_makes_no_new_geometry(widget: GraphWidget, view: GraphView) -> None:
    """The browser would draw everything again."""
    drawn: list[object] = []
    widget.observe(drawn.append, "graph")
    view(settled("raw"))
    widget.flush()
    assert drawn == []


def test_a_large_graph_is_laid_out_beside_the_run(view: GraphView, sent: Sent) -> None:
    """Deltas go on while the geometry is made; it follows."""
    widget = GraphWidget(view)
    arrived = threading.Event()
    widget.observe(lambda _: arrived.set(), "graph")
    names = [f"part_{i}" for i in range(301)]
    view(GraphEdited(names, []))
    widget.refresh()
    assert arrived.wait(60)
    assert len(widget.graph["nodes"]) == 301
    widget.close()


def test_a_large_graph_is_there_at_once(sent: Sent) -> None:
    """In plain layers at first; the drawing made with care comes by itself."""
    view = GraphView()
    names = [f"part_{i}" for i in range(301)]
    view(GraphEdited(names, list(pairwise(names))))
    widget = GraphWidget(view)
    first = widget.graph
    assert len(first["nodes"]) == 301
    widget.flush()
    assert widget.graph is not first
    widget.close()


def test_details_are_answered(widget: GraphWidget, sent: Sent) -> None:
    """With the name, so that a late answer cannot be shown at another node."""
    say(widget, kind="details", name="raw")
    assert sent.get_nowait() == {"kind": "details", "name": "raw", "source": "raw = 1"}


def test_details_that_raise_are_shown_as_an_error(view: GraphView, sent: Sent) -> None:
    """A preview calls the user's own code."""
    widget = GraphWidget(view, details=lambda name: {}[name])
    drain(sent)
    say(widget, kind="details", name="raw")
    assert sent.get_nowait()["error"] == "no details: KeyError: 'raw'"
    widget.close()


def test_details_of_an_unknown_node_are_empty(widget: GraphWidget, sent: Sent) -> None:
    """It may have been removed while it was clicked."""
    say(widget, kind="details", name="gone")
    assert sent.get_nowait() == {"kind": "details", "name": "gone"}


def test_a_button_calls_the_session(view: GraphView, sent: Sent) -> None:
    """With verb and name, and nothing else."""
    asked: list[tuple[str, str]] = []
    widget = GraphWidget(view, act=lambda verb, name: asked.append((verb, name)))
    say(widget, kind="act", verb="run_to", name="clean")
    assert asked == [("run_to", "clean")]
    widget.close()


def test_an_action_that_fails_is_shown(widget: GraphWidget, sent: Sent) -> None:
    """The reader sees why nothing happened."""
    say(widget, kind="act", verb="run_to", name="raw")
    assert sent.get_nowait() == {
        "kind": "notice",
        "text": "run to raw: RuntimeError: cannot run_to",
    }


def test_without_a_session_there_are_no_actions(view: GraphView, sent: Sent) -> None:
    """A picture of a finished run has no buttons, and ignores what it is sent."""
    widget = GraphWidget(view)
    drain(sent)
    say(widget, kind="act", verb="run", name="raw")
    assert not widget.can_act
    assert drain(sent) == []
    widget.close()


def test_a_click_folds_a_group(widget: GraphWidget, view: GraphView) -> None:
    """Its members are no longer drawn, but their place is known; a second click opens it."""
    view(GraphEdited(["raw", "clean", "fit"], [("clean", "fit")], {"raw": "etl", "clean": "etl"}))
    say(widget, kind="fold", name="etl", folded=True)
    widget.flush()
    assert [node[0] for node in widget.graph["nodes"]] == ["fit"]
    assert [fold[0] for fold in widget.graph["folds"]] == ["etl"]
    assert widget.graph["hidden"] == [["raw", 0], ["clean", 0]]
    assert widget.graph["edges"][0][:2] == [1, 0]
    say(widget, kind="fold", name="etl", folded=False)
    widget.flush()
    assert widget.graph["folds"] == widget.graph["hidden"] == []


def test_a_page_can_ask_for_what_lies_around_a_node(widget: GraphWidget, view: GraphView) -> None:
    """And for all again; what is not there changes nothing."""
    view(GraphEdited(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("c", "d")]))
    for name, drawn in (("a", "abc"), ("nobody", "abc"), ("", "abcd")):
        say(widget, kind="focus", name=name)
        widget.flush()
        assert [node[0] for node in widget.graph["nodes"]] == list(drawn)


def test_a_page_can_turn_the_drawing(widget: GraphWidget) -> None:
    """The direction that was chosen stays."""
    say(widget, kind="turn", direction="LR")
    widget.flush()
    assert widget.graph["direction"] == "LR"


@pytest.mark.parametrize(
    ("form", "begins"), [("svg", "<svg"), ("png", "<svg"), ("dot", "digraph"), ("mmd", "flowchart")]
)
def test_a_page_can_save_the_drawing(
    widget: GraphWidget, sent: Sent, form: str, begins: str
) -> None:
    """In each form it gets the text; of the picture's SVG it makes a PNG itself."""
    say(widget, kind="save", form=form, theme="dark")
    [answer] = [message for message in drain(sent) if message["kind"] == "saved"]
    assert answer["text"].startswith(begins)


def test_what_a_page_looks_for_is_shown(widget: GraphWidget, view: GraphView) -> None:
    """A node in a folded group is not drawn until somebody asks for it."""
    view(GraphEdited(["raw", "clean"], [], {"raw": "etl", "clean": "etl"}))
    say(widget, kind="fold", name="etl", folded=True)
    say(widget, kind="reveal", name="raw")
    widget.flush()
    assert [node[0] for node in widget.graph["nodes"]] == ["raw", "clean"]


@pytest.mark.parametrize("message", [{}, {"kind": 7}, {"kind": "delta"}, {"name": None}])
def test_strange_messages_are_ignored(
    widget: GraphWidget, sent: Sent, message: dict[str, object]
) -> None:
    """A later version's page may say things that this one does not know."""
    say(widget, **message)
    assert drain(sent) == []


def test_a_page_that_missed_something_gets_the_whole_state(widget: GraphWidget, sent: Sent) -> None:
    """With the number of the last delta, so that it knows which to take next."""
    say(widget, kind="sync")
    message = sent.get_nowait()
    assert message["kind"] == "state"
    assert set(message["nodes"]) == {"raw", "clean"}
    assert "seq" in message


def test_an_answer_to_one_page_does_not_replace_the_saved_state(
    widget: GraphWidget, view: GraphView
) -> None:
    """A message is seen by the pages that are open now, and by no later one."""
    view(settled("raw"))
    say(widget, kind="sync")
    widget.flush()
    assert widget.state["rev"] == view.rev


def test_a_dead_connection_does_not_reach_the_run(
    view: GraphView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever sending raises, refreshing and flushing return."""

    def broken(*_: object, **__: object) -> None:
        raise OSError("socket closed")

    widget = GraphWidget(view)
    monkeypatch.setattr(GraphWidget, "send", broken)
    monkeypatch.setattr(GraphWidget, "send_state", broken)
    view(settled("raw"))
    widget.refresh()
    widget.flush()
    widget.close()


def test_a_graph_that_cannot_be_drawn_does_not_reach_the_run(
    widget: GraphWidget, view: GraphView, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader is told, the statuses go on."""
    monkeypatch.setattr("dagnb.render.picture.layout", lambda *_, **__: 1 / 0)
    view(GraphEdited(["other"], []))
    widget.flush()
    kinds = [message["kind"] for message in drain(sent)]
    assert kinds.count("notice") == 1
    assert "delta" in kinds


def test_a_closed_widget_may_still_be_refreshed(widget: GraphWidget, view: GraphView) -> None:
    """The session's observer may outlive it."""
    widget.close()
    view(settled("raw"))
    widget.refresh()
    widget.flush()


def test_where_there_are_no_threads_a_refresh_sends_itself(
    view: GraphView, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most once per frame; what came later goes with the next one or with a flush."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    widget = GraphWidget(view)
    widget._sent_at = 0.0  # a frame ago
    drain(sent)
    view(settled("raw"))
    widget.refresh()
    assert [list(message["nodes"]) for message in drain(sent)] == [["raw"]]
    widget.close()


def test_no_thread_outlives_the_widget(view: GraphView, sent: Sent) -> None:
    """Closing ends it."""
    widget = GraphWidget(view)
    assert widget._thread is not None
    widget.close()
    widget._thread.join(timeout=10)
    assert not widget._thread.is_alive()


def test_clicks_are_answered_where_they_are_asked(
    view: GraphView, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On kernels that pin a comm's messages to the shell that sent last, the pin is undone."""
    pinned = comm.DummyComm
    monkeypatch.setattr(pinned, "_reply_subshell_for", lambda *_: "the busy one", raising=False)
    widget = GraphWidget(view)
    assert widget.comm._reply_subshell_for({}, "free") == "free"
    widget.close()


def test_geometry_is_json(view: GraphView) -> None:
    """It is stored in the notebook."""
    data = geometry(Picture(view))
    assert json.loads(json.dumps(data)) == data


def test_a_plan_is_sent_to_be_drawn(widget: GraphWidget, sent: Sent) -> None:
    """As data; the page draws it."""
    widget.draw_plan({"steps": {"raw": {"action": "run"}}, "reused": 1})
    assert drain(sent) == [{"kind": "plan", "steps": {"raw": {"action": "run"}}, "reused": 1}]


def test_a_plan_is_kept_until_it_is_out_of_date(widget: GraphWidget, view: GraphView) -> None:
    """For a page that is loaded later: until a run begins, or there are other nodes."""
    for event in (RunStarted(["raw"], at=1.0), GraphEdited(["raw", "new"], [])):
        widget.draw_plan({"steps": {"raw": {"action": "run"}}})
        view(NodesStale(["raw"], "edited"))
        widget.flush()
        assert widget.plan == {"steps": {"raw": {"action": "run"}}}
        view(event)
        widget.flush()
        assert widget.plan == {}


def test_the_code_stays_small() -> None:
    """Each saved notebook holds a copy of both files."""
    assert len(GraphWidget._esm) < 100_000
    assert len(GraphWidget._css) < 30_000


def test_the_browser_gets_icons_and_colours_of_the_still_picture() -> None:
    """One table of looks for both."""
    look = json.loads(GraphWidget._esm.split("\n")[0].removeprefix("const LOOK=").rstrip(";"))
    assert look["icons"] == ICONS
    assert set(look["words"]) == set(STATUSES)
    for theme in (LIGHT, DARK):
        assert all(tone in GraphWidget._css for tone in theme.tones.values())


def test_no_style_leaks_to_the_page() -> None:
    """Each selector begins in the widget."""
    css = re.sub(
        r"/\*.*?\*/|@keyframes[^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}",
        "",
        GraphWidget._css,
        flags=re.S,
    )
    selectors = re.findall(r"([^{}]+)\{", css)
    outside = [s for s in selectors if not s.strip().startswith((".dagnb", "@media", "@container"))]
    assert outside == []


def test_every_jupyter_variable_has_a_fallback() -> None:
    """Other front ends define none of them."""
    text = GraphWidget._css + GraphWidget._esm
    assert re.findall(r"var\(--jp-[\w-]+\)", text) == []


def test_a_lesson_is_answered(view: GraphView, sent: Sent) -> None:
    """With the number of the question, so that late answers can be told."""
    widget = GraphWidget(view, teach=lambda asked: {"mode": asked["mode"], "number": 2})
    say(widget, kind="lesson", mode="order", asked=7)
    widget.draw_lesson({"mode": "run", "number": 0})
    answer, drawn = (each for each in drain(sent) if each["kind"] == "lesson")
    widget.close()
    assert answer == {"kind": "lesson", "mode": "order", "number": 2, "asked": 7}
    assert drawn == {"kind": "lesson", "open": True, "mode": "run", "number": 0}


def test_a_lesson_that_cannot_be_given(view: GraphView, sent: Sent) -> None:
    """Says why in the place of what it would say."""
    widget = GraphWidget(view, teach=lambda asked: {"number": asked["nothing"]})
    say(widget, kind="lesson", mode="order", asked=1)
    [answer] = [each for each in drain(sent) if each["kind"] == "lesson"]
    widget.close()
    assert answer == {"kind": "lesson", "mode": "order", "said": "KeyError: 'nothing'"}
