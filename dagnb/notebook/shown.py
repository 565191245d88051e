"""What a session shows: the live graph, pictures of it, and the last run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dagnb.notebook.capture import publisher_of
from dagnb.notebook.export import export
from dagnb.notebook.parts import Parts
from dagnb.render.recording import Recording
from dagnb.render.svg import svg
from dagnb.render.timeline import Timeline, timeline
from dagnb.run.plan import Plan


class Shown(Parts):
    """The part of a session that is looked at."""

    @property
    def recording(self) -> Recording:
        """The last run as it was shown, or the present one so far."""
        return self._recorder.recording

    def timeline(self) -> Timeline:
        """Return when the nodes of the last run ran, worker by worker, and its critical path."""
        return timeline(self.recording, self.dag)

    def svg(self) -> str:
        """Return the graph as it is looked at now, as a still picture."""
        return svg(self.picture)

    def show(self, *, timeline: bool = False, lesson: str = "") -> None:
        """Show the live graph below the cell that is being executed.

        Parameters
        ----------
        timeline : bool
            Whether the last run is shown below it.
        lesson : str
            Which lesson is, if any: ``"order"``, ``"run"``, ``"predict"`` or ``"workers"``.
        """
        self._display.show(self.timeline() if timeline else None, lesson)

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the graph and the last run to a file; its ending says how.

        ``.html`` is one page that needs nothing else: the graph, the timeline of the last run,
        its replay, and code and value of each node. ``.svg`` is the picture, ``.dot`` and
        ``.mmd`` are the graph for Graphviz and for Mermaid.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        ValueError
            The ending is none of these.
        OSError
            The file cannot be written.
        """
        self._one_run.wait()
        return export(self.picture, path, self._panel)

    def draw_plan(self, plan: Plan) -> None:
        """Draw what a run would do on the live graph, if it is shown, until the next run."""
        self._display.draw_plan(plan)

    @property
    def is_live(self) -> bool:
        """Whether the graph is shown live; elsewhere it is a picture, or text."""
        return self._display.is_live

    def draw_lesson(self, facts: Mapping[str, object]) -> None:
        """Draw a step, a prediction or a schedule on the live graph, if it is shown."""
        self._display.draw_lesson(facts)

    def show_value(self, name: str) -> None:
        """Show the value of a node in short, below the cell that is being executed.

        Raises
        ------
        DagError
            It has none.
        """
        facts = self._panel.value(name)
        data = {"text/plain": facts["preview_text"]}
        if facts.get("preview_html"):
            data["text/html"] = facts["preview_html"]
        publisher_of(self._shell).publish(data, {})

    def follow(self) -> None:
        """Bring still pictures of the graph up to date; called at the end of every cell."""
        self._display.follow()

    def _ipython_display_(self) -> None:
        self.show()
