"""The graph as one self-contained SVG: a still of the live view."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Literal

from dagnb.render.layout import Box, Layout
from dagnb.render.look import DARK, ICONS, LIGHT, WORDS, duration, flow, gravest, rules, shapes
from dagnb.render.measure import shorten, text_width
from dagnb.render.picture import Drawing, Picture
from dagnb.render.scene import fold_key
from dagnb.render.view import GraphView, NodeView

FONT = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

_HEAD, _PAD, _TITLE_ROOM = 44.0, 16.0, 260.0
# JupyterLab shows the picture as an image of its own size and cuts off what is wider than a cell.
_WIDEST = 840.0
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg(drawn: GraphView | Picture, *, theme: Literal["auto", "light", "dark"] = "auto") -> str:
    """Return a still picture; the same state gives the same bytes.

    Parameters
    ----------
    drawn : GraphView or Picture
        A picture is shown as it is looked at now, a view as a picture of it begins.
    theme : {"auto", "light", "dark"}
        ``"auto"`` is light on a ground of its own, which is legible on any page, and dark where
        the picture stands in a page that declares itself dark (by the attributes of JupyterLab
        and VS Code). The reader's ``prefers-color-scheme`` is not asked: it tells about the
        desktop, not about the page.

    Examples
    --------
    >>> svg(GraphView("empty")).startswith("<svg")
    True
    """
    picture = drawn if isinstance(drawn, Picture) else Picture(drawn)
    view, drawing = picture.view, picture.drawing()
    plan, counts = drawing.plan, view.counts()
    statuses = _statuses(view, drawing)
    width = max(plan.width, _head_width(view.title, counts))
    height = _HEAD + plan.height
    shown = min(1.0, _WIDEST / width)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="dagnb-static" '
            f'data-theme="{theme}" role="img" '
            f'width="{width * shown:.0f}" height="{height * shown:.0f}" '
            f'viewBox="0 0 {width:g} {height:g}" '
            f'aria-label="{_attribute(summary(view))}" font-family="{FONT}" '
            'style="max-width:100%;height:auto">',
            f"<style>{_style(theme)}</style>",
            f'<rect class="ground" x=".5" y=".5" width="{width - 1:g}" '
            f'height="{height - 1:g}" rx="8"/>',
            *_head(view.title, counts, width),
            f'<g transform="translate({round((width - plan.width) / 2)},{_HEAD:g})">',
            *_frames(plan),
            *_edges(statuses, plan),
            *_titles(plan),
            *_nodes(view.nodes, plan),
            *_folds(view, drawing),
            "</g></svg>",
        ]
    )


def summary(view: GraphView) -> str:
    """Return the state in one sentence, for readers who do not see it.

    Examples
    --------
    >>> summary(GraphView("sales"))
    'sales: 0 nodes'
    """
    counts = ", ".join(f"{count} {WORDS[status]}" for status, count in view.counts().items())
    total = len(view.nodes)
    nodes = f"{total} node{'' if total == 1 else 's'}"
    return f"{view.title or 'Graph'}: {nodes}{': ' if counts else ''}{counts}"


def tooltip(node: NodeView) -> str:
    r"""Return what is said of a node when the pointer rests on it.

    Examples
    --------
    >>> tooltip(NodeView("clean", "cached", duration_seconds=2.5, reason="nothing changed"))
    'clean: cached, 2.5s\nnothing changed'
    """
    seconds = duration(node.duration_seconds)
    first = f"{node.name}: {WORDS[node.status]}{', ' if seconds else ''}{seconds}"
    return "\n".join(filter(None, [first, node.reason, node.error]))


def _statuses(view: GraphView, drawing: Drawing) -> dict[str, str]:
    """Return the status of everything that is drawn."""
    found = {name: view.nodes[name].status for name in drawing.scene.nodes}
    for group, members in drawing.scene.folds.items():
        found[fold_key(group)] = gravest(view.counts(members))
    return found


def _style(theme: str) -> str:
    """Return the picture's rules, each under its own class so that none leaks to the page."""
    scope = f'.dagnb-static[data-theme="{theme}"]'
    base = shapes(scope) + rules(DARK if theme == "dark" else LIGHT, scope)
    if theme != "auto":
        return base
    pages = ('[data-jp-theme-light="false"]', ".vscode-dark")
    return base + "".join(rules(DARK, f"{page} {scope}") for page in pages)


def _head(title: str, counts: Mapping[str, int], width: float) -> Iterator[str]:
    """Draw title, counts and the segmented bar below them."""
    short = _text(shorten(title, _TITLE_ROOM))
    yield f'<text class="strong title" x="{_PAD:g}" y="24">{short}</text>'
    x = width - _PAD - sum(_count_width(*each) for each in counts.items()) + 14
    for status, count in counts.items():
        yield (
            f'<g data-status="{status}" data-count="{status}" transform="translate({x:.1f},20)">'
            f'{ICONS[status]}<text x="12" y="4" font-size="12" class="muted">'
            f'<tspan class="strong" font-weight="600">{count}</tspan> {WORDS[status]}</text></g>'
        )
        x += _count_width(status, count)
    yield f'<g transform="translate({_PAD:g},{_HEAD - 8:g})">'
    yield from _bar(counts, width - 2 * _PAD)
    yield "</g>"


def _bar(counts: Mapping[str, int], width: float) -> Iterator[str]:
    """Draw one segment per status, pending and stale as what remains."""
    total, x = sum(counts.values()) or 1, 0.0
    for status, count in counts.items():
        part = width * count / total
        waiting = status in ("pending", "stale")
        colour = 'class="rest"' if waiting else 'fill="currentColor"'
        yield (
            f'<rect data-status="{status}" x="{x:.1f}" width="{max(part - 1.5, 1):.1f}" '
            f'height="4" rx="2" {colour}/>'
        )
        x += part


def _count_width(status: str, count: int) -> float:
    """Return the room of one count with its icon."""
    return 30 + text_width(f"{count} {WORDS[status]}", 12)


def _head_width(title: str, counts: Mapping[str, int]) -> float:
    """Return the least width in which title and counts stand side by side."""
    named = min(text_width(title) * 1.08, _TITLE_ROOM + 10)
    return round(2 * _PAD + named + 16 + sum(_count_width(*each) for each in counts.items()))


def _frames(plan: Layout) -> Iterator[str]:
    """Draw the boxes of the groups."""
    for box in plan.groups.values():
        yield (
            f'<rect class="frame" x="{box.x:g}" y="{box.y:g}" '
            f'width="{box.w:g}" height="{box.h:g}" rx="10"/>'
        )


def _titles(plan: Layout) -> Iterator[str]:
    """Draw the titles of the groups; edges pass under them."""
    for group, box in plan.groups.items():
        title = _text(shorten(group, box.w - 38, 11.5))
        yield (
            f'<g class="group" data-group="{_attribute(group)}" '
            f'transform="translate({box.x:g},{box.y:g})">'
            '<path class="chevron" d="M11 10.5l3.5 3.5 3.5-3.5"/>'
            f'<text x="25" y="16.5">{title}</text></g>'
        )


def _edges(statuses: Mapping[str, str], plan: Layout) -> Iterator[str]:
    """Draw the edges; those that wait first, so that what happened is on top."""
    order = ("dead", "wait", "done", "live")
    drawn = [(flow(statuses[e.source], statuses[e.target]), e.d) for e in plan.edges]
    for kind, d in sorted(drawn, key=lambda each: order.index(each[0])):
        yield f'<path class="edge" data-flow="{kind}" d="{d}"/>'


def _nodes(nodes: Mapping[str, NodeView], plan: Layout) -> Iterator[str]:
    """Draw the nodes."""
    entered = _entered(plan)
    for name, box in plan.nodes.items():
        if name in nodes:
            tip = _tip(box, plan.direction) if name in entered else ""
            yield _node(nodes[name], box, plan.labels[name], tip)


def _entered(plan: Layout) -> set[str]:
    """Return where edges arrive from the usual side."""
    return {edge.target for edge in plan.edges if not edge.back}


def _folds(view: GraphView, drawing: Drawing) -> Iterator[str]:
    """Draw the folded groups: a stack of sheets, title, number of members, and their statuses."""
    plan, entered = drawing.plan, _entered(drawing.plan)
    for group, members in drawing.scene.folds.items():
        box, counts = plan.nodes[fold_key(group)], view.counts(members)
        tip = _tip(box, plan.direction) if fold_key(group) in entered else ""
        high = box.h - 2
        said = ", ".join(f"{count} {WORDS[status]}" for status, count in counts.items())
        yield (
            f'<g class="fold" data-group="{_attribute(group)}" data-folded="{len(members)}" '
            f'data-status="{gravest(counts)}" transform="translate({box.x:g},{box.y:g})">'
            f"<title>{_text(group)}: {len(members)} nodes\n{said}</title>{tip}"
            f'<rect class="sheet" x="5" y="5" width="{box.w - 10:g}" height="{high:g}" rx="8"/>'
            f'<rect class="box" width="{box.w:g}" height="{high:g}" rx="8"/>'
            '<path class="chevron" d="M14 13l5 5-5 5"/>'
            f'<text class="name" x="29" y="22.5">{_text(plan.labels[fold_key(group)])}</text>'
            f'<text class="secs" x="{box.w - 12:g}" y="22">{len(members)}</text>'
            '<g transform="translate(12,33)"><g class="segments">'
            f"{''.join(_bar(counts, box.w - 24))}</g></g></g>"
        )


def _node(node: NodeView, box: Box, label: str, tip: str) -> str:
    """Draw one node: the end of its edges, box, icon, name and duration."""
    middle = box.h / 2
    return (
        f'<g class="node" data-node="{_attribute(node.name)}" data-status="{node.status}" '
        f'transform="translate({box.x:g},{box.y:g})"><title>{_text(tooltip(node))}</title>{tip}'
        f'<rect class="box" width="{box.w:g}" height="{box.h:g}" rx="8"/>'
        f'<g class="icon" transform="translate(16,{middle:g})">{ICONS[node.status]}</g>'
        f'<text class="name" x="29" y="{middle + 4.5:g}">{_text(label)}</text>'
        f'<text class="secs" x="{box.w - 10:g}" y="{middle + 4:g}">'
        f"{duration(node.duration_seconds)}</text></g>"
    )


def _tip(box: Box, direction: str) -> str:
    """Draw the one arrow head where a node's edges arrive."""
    if direction == "LR":
        return f'<path class="tip" d="M0,{box.h / 2:g}l-7,-3.5v7z"/>'
    return f'<path class="tip" d="M{box.w / 2:g},0l-3.5,-7h7z"/>'


def _text(text: str) -> str:
    """Escape text; characters that XML forbids become the replacement character."""
    return escape(_ILLEGAL.sub("\ufffd", text), quote=False)


def _attribute(text: str) -> str:
    """Escape an attribute's value; line breaks and tabs survive."""
    quoted = escape(_ILLEGAL.sub("\ufffd", text))
    return quoted.replace("\n", "&#10;").replace("\t", "&#9;").replace("\r", "&#13;")
