"""A graph as a file: the form is what the ending says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dagnb.errors import did_you_mean
from dagnb.render.dot import to_dot
from dagnb.render.mermaid import to_mermaid
from dagnb.render.picture import Picture
from dagnb.render.png import png
from dagnb.render.svg import svg
from dagnb.render.view import GraphView


def formed(picture: Picture, file: Path, also: Iterable[str] = ()) -> str | bytes:
    """Return what a file with this name shall hold.

    Parameters
    ----------
    picture : Picture
    file : Path
    also : iterable of str
        Endings that the caller knows beside these.

    Raises
    ------
    ValueError
        The ending says no form.
    """
    kind = file.suffix.lower()
    if kind not in FORMS:
        known = [*also, *FORMS]
        nearest = did_you_mean(kind, known)
        raise ValueError(f"{file.name}: the ending says the form{nearest}; {', '.join(known)}")
    return FORMS[kind](picture)


def _status(view: GraphView) -> dict[str, str]:
    return {name: node.status for name, node in view.nodes.items()}


def _dot(picture: Picture) -> str:
    view = picture.view
    return str(to_dot(view.nodes, view.edges, groups=view.groups, status=_status(view)).source)


def _mermaid(picture: Picture) -> str:
    view = picture.view
    return to_mermaid(view.nodes, view.edges, groups=view.groups, status=_status(view))


def _png(picture: Picture) -> bytes:
    return png(picture.view)


FORMS: dict[str, Callable[[Picture], str | bytes]] = {
    ".svg": svg,
    ".png": _png,
    ".dot": _dot,
    ".gv": _dot,
    ".mmd": _mermaid,
}
