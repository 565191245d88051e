"""A run whose names, sources, values and errors are as bad as texts get."""

from __future__ import annotations

from itertools import pairwise

from dagnb.events import GraphEdited, NodeSettled, NodeStarted, RunStarted
from dagnb.graph.dag import DAG
from dagnb.notebook.highlight import highlighted
from dagnb.render.picture import Picture
from dagnb.render.preview import preview
from dagnb.render.recording import Recorder
from dagnb.render.timeline import frames, timeline
from dagnb.render.view import GraphView
from dagnb.results import NodeResult, NodeStatus

GROUPS = ("<script>window.injected = 1</script>", "קבוצה \"אחת\" & 'שתיים'")
NAMES = (
    "two words",
    "'single' \"double\" `back` \\",
    GROUPS[0],
    '</script></style><img src=x onerror="window.injected = 2">',
    '"><svg onload="window.injected = 3">',
    "javascript:window.injected=4",
    "]]><!--&lt;&amp;{x}${x}{{x}}%(x)s",
    "🐧🦜👩‍👩‍👧",
    "שלום עולם",
    "مرحبا 123 \u202eback\u202c to front",
    "long " + "x" * 295,
    "line\nbreak\tand tab",
    "__proto__",
    "constructor",
    "[data-node]",
    "a\x00b\x1b[31mc",
)


class Strange:
    """A chain of these names, in two groups, with a value and an error that name them, too."""

    def __init__(self) -> None:
        dag = DAG()
        dag.add_nodes(NAMES)
        dag.add_edges(list(pairwise(NAMES)))
        self._dag, view = dag, GraphView(NAMES[3])
        self._recorder = Recorder(view, clock=lambda: 0.0)
        groups = {name: GROUPS[i % 2] for i, name in enumerate(NAMES[4:])}
        self._recorder(GraphEdited(list(dag.nodes()), list(dag.edges()), groups))
        with self._recorder.run():
            self._recorder(RunStarted(NAMES, at=0.0))
            for at, name in enumerate(NAMES):
                self._settle(name, float(at))
        self.picture = Picture(view)

    def _settle(self, name: str, at: float) -> None:
        self._recorder(NodeStarted(name, at=at, worker=name))
        failed = RuntimeError(name) if name == NAMES[-1] else None
        self._recorder(
            NodeSettled(
                NodeResult(
                    name,
                    NodeStatus.FAILED if failed else NodeStatus.COMPLETED,
                    error=failed,
                    reason=f"because of {name}",
                    executed=True,
                    duration_seconds=1.0,
                    started=at,
                    worker=name,
                )
            )
        )

    def record(self) -> dict[str, object]:
        """The timeline and the frames of the run."""
        recording = self._recorder.recording
        return {
            "timeline": timeline(recording, self._dag).as_dict(),
            "frames": frames(recording, self.picture.view.nodes),
        }

    def details(self, name: str, *, loading: bool = True) -> dict[str, object]:
        """Everything a panel can show, made of the name; every third value has HTML of its own."""
        made = preview({name: name})
        assert made is not None
        of_its_own = NAMES.index(name) % 3
        return {
            "source": f"value = {name!r}",
            "source_html": highlighted(f"value = {name!r}  # {name}"),
            "preview_text": made.text,
            "preview_html": "" if of_its_own else made.html,
            "preview_page": name if of_its_own else "",
            "why": name,
            "evidence": name,
            "error": name,
            "history": [1.0, 2.0],
            "inputs": [str(each) for each in self._dag.predecessors(name)],
            "dependents": [str(each) for each in self._dag.successors(name)],
        }
