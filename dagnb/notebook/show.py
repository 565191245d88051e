"""The graph below a cell: the live view, and a still picture for when there is no kernel.

They are two outputs. A single one with both would show "model not found" in a saved notebook that
is opened again, and nothing in an offline page. The live view hides the picture beside it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dagnb.errors import LayoutError
from dagnb.events import Event, RunFinished
from dagnb.notebook.capture import Shell, keeps_outputs, publisher_of
from dagnb.notebook.showing import connection_file, last_shown, note_shown
from dagnb.render.engines import advice
from dagnb.render.mermaid import to_mermaid
from dagnb.render.picture import Picture
from dagnb.render.svg import svg
from dagnb.render.timeline import Timeline
from dagnb.render.tree import tree
from dagnb.render.view import GraphView
from dagnb.run.plan import Plan

if TYPE_CHECKING:
    from dagnb.notebook.widget import GraphWidget


class GraphDisplay:
    """Shows one graph, as often as asked, with one widget.

    Parameters
    ----------
    shell : InteractiveShell
    view : GraphView
    details : callable
        Returns what the panel of a node shows.
    act : callable
        Does what a button of the panel says, given its verb and the node's name.
    record : callable
        Returns the last run, for its timeline.
    teach : callable
        Returns what a lesson shows, given what somebody did in it.
    """

    def __init__(
        self,
        shell: Shell,
        view: GraphView,
        *,
        details: Callable[[str], Mapping[str, object]],
        act: Callable[[str, str], object],
        record: Callable[[], Mapping[str, object]],
        teach: Callable[[Mapping[str, object]], Mapping[str, object]],
    ) -> None:
        self._shell = shell
        self._view = view
        self.picture = Picture(view)
        self._details, self._act, self._record = details, act, record
        self._teach = teach
        self._widget: GraphWidget | None = None
        self._kernel = connection_file() if self.is_live else None
        self._shown_before = last_shown(self._kernel)
        self._display_id = f"dagnb-graph-{secrets.token_hex(4)}"
        self._drawn_rev: object = None
        self._advised = False

    @property
    def is_live(self) -> bool:
        """Whether there is a kernel that answers a live view."""
        return getattr(self._shell, "kernel", None) is not None

    def __call__(self, event: Event) -> None:
        """Let the live view follow; the view has taken in the event already."""
        if self._widget is None and not (self._shown_before and self._view.nodes):
            return
        widget = self._live()  # also for views that are left from before a restart
        widget.refresh()
        if isinstance(event, RunFinished):
            widget.flush()

    def show(self, timeline: Timeline | None = None, lesson: str = "") -> None:
        """Show the graph below the cell that is being executed, with the last run or a lesson."""
        if not keeps_outputs(self._shell):
            if text := str(timeline or tree(self._view)):
                print(text)
            return
        self._advise()
        if self.is_live:
            self._show_live(timeline is not None, lesson)
        elif timeline is not None:
            print(timeline)
        self._publish(update=False)

    def _advise(self) -> None:
        """Say once how to have the graph drawn better, and show it as text until then."""
        if not self._advised and (text := advice()):
            self._advised = True
            print(text, tree(self._view), sep="\n\n")

    def _show_live(self, with_timeline: bool, lesson: str) -> None:
        widget = self._live()
        widget.timeline, widget.lesson = with_timeline, lesson
        data, metadata = self._shell.display_formatter.format(widget)
        if data:
            publisher_of(self._shell).publish(data, metadata)

    def _live(self) -> GraphWidget:
        """Return the widget, under the id that it had before the kernel was restarted."""
        if self._widget is not None:
            return self._widget
        from dagnb.notebook.widget import GraphWidget  # takes a while, so not before it is needed

        self._widget = GraphWidget(
            self.picture,
            details=self._details,
            act=self._act,
            record=self._record,
            teach=self._teach,
            model_id=self._shown_before,
        )
        note_shown(self._kernel, self._widget.model_id)
        return self._widget

    def draw_plan(self, plan: Plan) -> None:
        """Draw what a run would do on the live view, if there is one."""
        if self._widget is not None:
            self._widget.draw_plan(plan.as_dict())

    def draw_lesson(self, facts: Mapping[str, object]) -> None:
        """Draw what somebody learns on the live view, if there is one."""
        if self._widget is not None:
            self._widget.draw_lesson(facts)

    def follow(self) -> None:
        """Bring the still picture up to date, if one is shown and something changed."""
        if self._drawn_rev not in (None, self._rev):
            self._publish(update=True)

    @property
    def _rev(self) -> tuple[int, tuple[int, int]]:
        return self._view.rev, self.picture.rev

    def _publish(self, *, update: bool) -> None:
        self._drawn_rev = self._rev
        data = self._still() | {"text/plain": tree(self._view)}
        publisher_of(self._shell).publish(
            data, {}, transient={"display_id": self._display_id}, update=update
        )

    def _still(self) -> dict[str, Any]:
        """Return the picture, or a flowchart where the graph could not be laid out.

        Never both: JupyterLab would take the flowchart, and write what it made of it beside it.
        """
        view = self._view
        try:
            return {"image/svg+xml": svg(self.picture)}
        except LayoutError:
            status = {name: node.status for name, node in view.nodes.items()}
            chart = to_mermaid(view.nodes, view.edges, groups=view.groups, status=status)
            return {"text/vnd.mermaid": chart}
