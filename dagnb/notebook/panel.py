"""What the live graph asks of a session: the facts of a node's panel, and its buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dagnb.errors import DagError
from dagnb.notebook.capture import Shell
from dagnb.notebook.display import format_value, without_colours
from dagnb.notebook.highlight import highlighted
from dagnb.observe.history import KEPT
from dagnb.observe.text import error_text
from dagnb.render.preview import preview
from dagnb.render.timeline import frames
from dagnb.results import Deferred, NodeResult
from dagnb.values.describe import describe

if TYPE_CHECKING:
    from dagnb.notebook.session import Session

# What an object makes of itself may be of any size; this much of it is shown.
_LONGEST_TEXT, _LONGEST_HTML, _LONGEST_IMAGE = 5_000, 200_000, 2_000_000


class Panel:
    """The panel of the live graph, for one session."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self._session = session
        self._shell = shell

    def details(self, name: str, *, loading: bool = True) -> dict[str, object]:
        """Return what the panel of a node shows.

        Parameters
        ----------
        loading : bool
            Whether a value that is in the store, and only there, is loaded for it.
        """
        session, last = self._session, self._session.result(name)
        shown, why = session.view.nodes[name], session.why(name)
        source = session.source(name)
        return {
            "source": source,
            "source_html": highlighted(source),
            **self._value(last, loading=loading),
            "why": why.sentence,
            "evidence": "\n".join(why.evidence),
            "seconds": last.duration_seconds,
            "history": self._seconds(name),
            "manual": session.nodes[name].options.manual,
            "status": shown.status,
            "error": shown.error,
            "inputs": [str(each) for each in session.dag.predecessors(name)],
            "dependents": [str(each) for each in session.dag.successors(name)],
        }

    def _seconds(self, name: str) -> list[float]:
        """Return how long a node took in its last runs, those of other kernels first."""
        here = [each.seconds for each in self._session.history.of(name)]
        return [*self._session.saving.took().get(name, ()), *here][-KEPT:]

    def _value(self, last: NodeResult, *, loading: bool) -> dict[str, object]:
        """Return the preview of a node's value, if it has one."""
        if not last.status.is_success:
            return {}
        if isinstance(last.held, Deferred) and not loading:
            return {"preview_text": describe(last.held)}
        return value_facts(self._shell, self._session[str(last.name)])

    def value(self, name: str) -> dict[str, object]:
        """Return the preview of a node's value; raises ``DagError`` if it has none."""
        return value_facts(self._shell, self._session[name])

    def record(self) -> dict[str, object]:
        """Return the last run: its timeline, and the frames of its replay."""
        session = self._session
        return {
            "timeline": session.timeline().as_dict(),
            "frames": frames(session.recording, session.view.nodes),
        }

    def act(self, verb: str, name: str) -> None:
        """Do what a button says."""
        session = self._session
        if session.running:
            raise DagError("a run is going on; wait for it, or stop it")
        if verb == "run":
            session.run([name], fresh=True)
        elif verb == "run_to":
            session.run([name], downstream=False)
        elif verb == "plan":
            session.draw_plan(session.plan([name] if name else None))
        elif verb in ("manual", "automatic"):
            session.make_manual(name, verb == "manual")
        else:
            raise ValueError(f"no such button: {verb!r}")
        session.lessons.reveal()
        session.follow()

    def lesson(self, asked: Mapping[str, object]) -> Mapping[str, object]:
        """Return what the graph shows to who learns."""
        return self._session.lessons.answer(asked)


def value_facts(shell: Shell, value: object) -> dict[str, object]:
    """Return the preview of a value: text, HTML of ours, or a page and an image of its own.

    What a value makes of itself is cut off where it gets long.
    """
    made = preview(value)
    if made is not None:
        return {"preview_html": made.html, "preview_text": made.text}
    try:
        data, _ = format_value(shell, value)
    except Exception as error:  # what the user's own class makes of it
        return {"preview_text": f"no preview: {error_text(error)}"}
    if not data:
        return {"preview_text": _without_display(value)}
    text = _cut(without_colours(data.get("text/plain", "")), _LONGEST_TEXT)
    page, image = data.get("text/html", ""), _image(data)
    if len(page) > _LONGEST_HTML:
        page, text = "", f"{text}\n(its HTML of {len(page):,} characters is too long to be shown)"
    return {"preview_text": text, "preview_page": page, "preview_image": image}


def _without_display(value: object) -> str:
    """Say what a value is that shows nothing, or what it raised: a kernel tells nobody."""
    try:
        repr(value)
    except Exception as error:  # what the user's own class makes of it
        return f"no preview: {error_text(error)}"
    return describe(value)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n... and {len(text) - longest:,} more characters"


def _image(data: dict[str, Any]) -> str:
    """Return the address of the picture that a value made of itself, or nothing."""
    for mime in ("image/png", "image/jpeg"):
        encoded = data.get(mime)
        if isinstance(encoded, str) and len(encoded) <= _LONGEST_IMAGE:
            return f"data:{mime};base64,{encoded.strip()}"
    return ""
