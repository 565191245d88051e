"""A graph as it is drawn now: the one place that live view and still picture ask."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dagnb.errors import NodeNotFoundError, did_you_mean
from dagnb.render.layout import IN_PROCESS_UP_TO, WITH_CARE_UP_TO, Direction, Layout, layout
from dagnb.render.scene import Lens, Scene, fold_key, grouped, neighbourhood, scene
from dagnb.render.steady import steady
from dagnb.render.view import GraphView


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn and where, as of a revision of the picture; a draft is made in a hurry."""

    scene: Scene
    plan: Layout
    rev: tuple[int, int]
    is_draft: bool = False


class Picture:
    """A view, how somebody looks at it, and where everything is.

    The view is folded from events and knows nothing of this. Any thread may ask or change how the
    graph is looked at; geometry is made by one at a time.

    Parameters
    ----------
    view : GraphView
        Read, never changed.

    Examples
    --------
    >>> Picture(GraphView("empty")).drawing().plan.nodes
    {}
    """

    def __init__(self, view: GraphView) -> None:
        self.view = view
        self._lens = Lens()
        self._turns = 0
        self._drawn: Drawing | None = None
        self._lock = threading.Lock()

    @property
    def lens(self) -> Lens:
        """How the graph is looked at."""
        return self._lens

    @property
    def rev(self) -> tuple[int, int]:
        """Grows with every change of the structure and of how it is looked at."""
        return self.view.structure_rev, self._turns

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of the graph, in order of appearance."""
        return tuple(dict.fromkeys(grouped(list(self.view.nodes), self.view.groups).values()))

    def look(self, lens: Lens) -> None:
        """Look at the graph in another way; the geometry is made when it is next asked for."""
        if lens != self._lens:
            self._lens = lens
            self._turns += 1

    def fold(self, *groups: str) -> None:
        """Show these groups, or all of them, as one box each."""
        self.look(self._lens.fold(self._known(groups)))

    def open(self, *groups: str) -> None:
        """Show the nodes of these groups, or of all."""
        self.look(self._lens.open(self._known(groups)))

    def focus(self, name: str, hops: int = 2) -> None:
        """Show only what is at most so many edges from a node; all again for an empty name."""
        if name and name not in self.view.nodes:
            raise NodeNotFoundError(name, self.view.nodes)
        self.look(replace(self._lens, around=name, hops=hops))

    def turn(self, direction: Direction) -> None:
        """Draw edges downwards, to the right, or as fits."""
        self.look(replace(self._lens, direction=direction))

    def _known(self, groups: Sequence[str]) -> Sequence[str]:
        known = self.groups
        for group in groups:
            if group not in known:
                raise ValueError(f"no group {group!r}{did_you_mean(group, known)}")
        return groups or known

    def reveal(self, name: str) -> None:
        """Show a node, whatever hides it."""
        nodes, lens = tuple(self.view.nodes), self._lens
        near = not lens.around or name in neighbourhood(lens.around, self.view.edges, lens.hops)
        group = grouped(nodes, self.view.groups).get(name)
        lens = lens if near else replace(lens, around="")
        self.look(lens.open([group]) if group else lens)

    @property
    def is_drawn(self) -> bool:
        """Whether the geometry of what is to be shown is there, made with care."""
        drawn = self._drawn
        return drawn is not None and drawn.rev == self.rev and not drawn.is_draft

    def draft(self) -> Drawing:
        """Return a drawing that takes no time, if the one made with care is not there.

        Of a small graph that is the same. Else it is the last one, if nothing changed since.
        """
        drawn, rev = self._drawn, self.rev
        if drawn is not None and drawn.rev == rev:
            return drawn
        seen = self._scene()
        if not IN_PROCESS_UP_TO < len(seen.nodes) + len(seen.folds) <= WITH_CARE_UP_TO:
            return self.drawing()
        drawn = Drawing(seen, self._laid_out(seen, hurry=True), rev, is_draft=True)
        self._drawn = self._drawn or drawn
        return drawn

    def drawing(self) -> Drawing:
        """Return what is drawn and where; blocks while the geometry is made."""
        with self._lock:
            rev, drawn = self.rev, self._drawn
            if drawn is None or drawn.rev != rev or drawn.is_draft:
                seen = self._scene()
                last = drawn.plan if drawn is not None else None
                drawn = Drawing(seen, steady(self._laid_out(seen), last), rev)
                self._drawn = drawn
            return drawn

    def _scene(self) -> Scene:
        view = self.view
        return scene(tuple(view.nodes), view.edges, view.groups, self._lens)

    def _laid_out(self, seen: Scene, *, hurry: bool = False) -> Layout:
        return layout(
            seen.nodes,
            seen.edges,
            seen.groups,
            self._lens.direction,
            folds={fold_key(group): group for group in seen.folds},
            hurry=hurry,
        )
