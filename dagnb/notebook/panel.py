"""What the live graph asks of a session: the facts of a node's panel, and its buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagnb.errors import DagError
from dagnb.notebook.capture import Shell
from dagnb.notebook.display import format_value
from dagnb.render.timeline import frames

if TYPE_CHECKING:
    from dagnb.notebook.session import Session


class Panel:
    """The panel of the live graph, for one session."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self._session = session
        self._shell = shell

    def details(self, name: str) -> dict[str, object]:
        """Return what the panel of a node shows."""
        session, last = self._session, self._session.result(name)
        data: dict[str, Any] = {}
        if last.status.is_success:
            data, _ = format_value(self._shell, session[name])
        shown, why = session.view.nodes[name], session.why(name)
        return {
            "source": session.source(name),
            "preview_html": data.get("text/html"),
            "preview_text": data.get("text/plain"),
            "why": why.sentence,
            "evidence": "\n".join(why.evidence),
            "seconds": last.duration_seconds,
            "status": shown.status,
            "error": shown.error,
            "inputs": [str(each) for each in session.dag.predecessors(name)],
            "dependents": [str(each) for each in session.dag.successors(name)],
        }

    def record(self) -> dict[str, object]:
        """Return the last run: its timeline, and the frames of its replay."""
        session = self._session
        return {
            "timeline": session.timeline().as_dict(),
            "frames": frames(session.recording, session.view.nodes),
        }

    def act(self, verb: str, name: str) -> None:
        """Do what a button says."""
        if self._session.running:
            raise DagError("a run is going on; wait for it, or stop it")
        if verb == "run":
            self._session.run([name], fresh=True)
        elif verb == "run_to":
            self._session.run([name], downstream=False)
        else:
            raise ValueError(f"no such button: {verb!r}")
        self._session.follow()
