"""What each status looks like: one table for the live view and the static picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagnb.render.view import STATUSES


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a theme; ``tones`` maps a status to its colour."""

    ground: str
    text: str
    muted: str
    line: str
    edge: str
    group: str
    tones: dict[str, str]


def _tones(
    quiet: str, running: str, done: str, known: str, broken: tuple[str, str]
) -> dict[str, str]:
    """Give each status its colour; ``broken`` are those of failed and timed out."""
    grey = dict.fromkeys(("pending", "stale", "skipped", "cancelled"), quiet)
    violet = dict.fromkeys(("cached", "reused", "cutoff"), known)
    rest = {"running": running, "completed": done, "failed": broken[0], "timed_out": broken[1]}
    return {status: (grey | violet | rest)[status] for status in STATUSES}


LIGHT = Theme(
    ground="#ffffff",
    text="#1f2328",
    muted="#59616d",
    line="#dfe2e7",
    edge="#c3c8d1",
    group="#f6f7f9",
    tones=_tones("#767d8c", "#2d68ed", "#238a64", "#674273", ("#a60f08", "#ae7315")),
)
DARK = Theme(
    ground="#111111",
    text="#e9edf2",
    muted="#a3adba",
    line="#2b2f36",
    edge="#4a505b",
    group="#191a1c",
    tones=_tones("#8b96a5", "#5b90ff", "#7cd5b2", "#d6ace3", ("#e8593b", "#f0b155")),
)

#: How each status is called.
WORDS = {status: status.replace("_", " ") for status in STATUSES} | {"cutoff": "unchanged"}

#: Statuses whose value is up to date.
FRESH = ("completed", "cached", "reused", "cutoff")
#: Statuses that carry the weight of the picture.
LOUD = ("running", "failed", "timed_out")
#: Which status a folded group is shown with: the first of these that a member has.
GRAVEST = ("failed", "timed_out", "running", "stale", "pending", "skipped", "cancelled", *FRESH)
#: Statuses that recede.
QUIET = ("pending", "stale", "skipped", "cancelled")

# Icons are drawn in a square of 14 px around the origin, in currentColor, and in the colour
# of the ground where the class is ``cut`` (stroke) or ``hole`` (fill).
_DISC = '<circle r="6.5" fill="currentColor"/>'
_MARK = 'class="cut" fill="none" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"'
_LINE = 'fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"'
_DASHED = f'<circle r="5.8" {_LINE} stroke-dasharray="2.6 2.6"/>'

ICONS = {
    "pending": f'<circle r="5" {_LINE}/>',
    "stale": f'<circle r="5" {_LINE}/><circle r="1.8" fill="currentColor"/>',
    "running": (
        '<circle class="track" r="5.6" fill="none" stroke="currentColor" stroke-opacity=".25" '
        'stroke-width="2.4"/><circle class="ring" r="5.6" fill="none" stroke="currentColor" '
        'stroke-width="2.4" stroke-linecap="round" pathLength="100" stroke-dasharray="30 100" '
        'transform="rotate(-90)"/>'
    ),
    "completed": f'{_DISC}<path d="M-2.9.2-.8 2.4 3-2.2" {_MARK}/>',
    "cached": f'{_DISC}<path d="M.9-4.2-2.6.7H-.1L-.9 4.2 2.6-.7H.1z" class="hole"/>',
    "failed": (
        '<path d="M-2.8-6.7H2.8L6.7-2.8V2.8L2.8 6.7H-2.8L-6.7 2.8V-2.8z" fill="currentColor"/>'
        f'<path d="M-2.3-2.3 2.3 2.3M2.3-2.3-2.3 2.3" {_MARK}/>'
    ),
    "timed_out": f'<circle r="5.8" {_LINE}/><path d="M0-3.2V.2L2.3 1.6" {_LINE}/>',
    "skipped": f'{_DASHED}<path d="M-2.6 0H2.6" {_LINE}/>',
    "cancelled": f'{_DASHED}<path d="M-2-2 2 2M2-2-2 2" {_LINE}/>',
}
ICONS["reused"] = ICONS["cutoff"] = ICONS["cached"]


def flow(source: str, target: str) -> str:
    """Return what an edge carries between two statuses: done, live, dead or wait.

    Examples
    --------
    >>> flow("completed", "running"), flow("failed", "skipped"), flow("completed", "pending")
    ('live', 'dead', 'wait')
    """
    if target == "running":
        return "live"
    if target in ("skipped", "cancelled"):
        return "dead"
    return "done" if source in FRESH and target in FRESH else "wait"


def gravest(counts: Mapping[str, int]) -> str:
    """Return the status that stands for several.

    Examples
    --------
    >>> gravest({"completed": 8, "failed": 1, "pending": 3})
    'failed'
    """
    return next((status for status in GRAVEST if counts.get(status)), "pending")


def rules(theme: Theme, scope: str) -> str:
    """Return the drawing's colours as CSS under a scope, in literal colours.

    Not every reader of SVG knows CSS variables, so the rules use none.
    """
    soft = _mix(theme.text, theme.ground, 0.06)
    done = _mix(theme.tones["completed"], theme.edge, 0.35)
    lines = [
        f".ground{{fill:{theme.ground};stroke:{theme.line}}}",
        f".sheet{{fill:{theme.group};stroke:{theme.line}}}",
        f".chevron{{stroke:{theme.muted}}}",
        f".frame{{fill:{theme.group};stroke:{soft}}}",
        f".group text{{stroke:{theme.group}}}",
        f".group text,.secs,.muted{{fill:{theme.muted}}}",
        f".name,.strong{{fill:{theme.text}}}",
        f".cut{{stroke:{theme.ground}}}",
        f".hole{{fill:{theme.ground}}}",
        f".edge{{stroke:{theme.edge}}}",
        f".tip{{fill:{theme.edge}}}",
        f".rest{{fill:{theme.line}}}",
        f'.edge[data-flow="done"]{{stroke:{done}}}',
        f'.edge[data-flow="live"]{{stroke:{theme.tones["running"]}}}',
    ]
    for status, tone in theme.tones.items():
        fill, rim = _box_colours(status, tone, theme)
        mark = f'[data-status="{status}"]'
        lines.append(f"{mark}{{color:{tone}}}")
        lines.append(f"{mark} .box{{fill:{fill};stroke:{rim}}}")
    lines += [f'[data-status="{s}"] .tip{{fill:{done}}}' for s in FRESH]
    lines.append(f'[data-status="running"] .tip{{fill:{theme.tones["running"]}}}')
    lines += [f'[data-status="{s}"] .name{{fill:{theme.muted}}}' for s in QUIET]
    return "".join(_scoped(line, scope) for line in lines)


#: What both drawings share and no theme changes.
SHAPES = (
    ".box{stroke-width:1}"
    '[data-status="running"] .box,[data-status="failed"] .box{stroke-width:2}'
    '[data-status="skipped"] .box,[data-status="cancelled"] .box{stroke-dasharray:4 3}'
    ".edge{fill:none;stroke-width:1.25}"
    '.edge[data-flow="live"]{stroke-width:1.75;stroke-dasharray:5 4}'
    '.edge[data-flow="dead"]{stroke-dasharray:2 4}'
    ".title{font-size:13px;font-weight:600}"
    ".name{font-size:13px}"
    ".sheet{stroke-width:1}"
    ".chevron{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}"
    ".fold .name{font-weight:600}"
    ".secs{font-size:11px;text-anchor:end;font-variant-numeric:tabular-nums}"
    ".group text{font-size:11px;font-weight:600;letter-spacing:.02em;"
    "paint-order:stroke;stroke-width:4px;stroke-linejoin:round}"
)


def shapes(scope: str) -> str:
    """Return the lines and type of the drawing as CSS under a scope."""
    return "".join(_scoped(rule + "}", scope) for rule in SHAPES.split("}") if rule)


def _scoped(rule: str, scope: str) -> str:
    """Put a scope before each selector of one rule."""
    selectors, _, body = rule.partition("{")
    return ",".join(f"{scope} {each}" for each in selectors.split(",")) + "{" + body


def _box_colours(status: str, tone: str, theme: Theme) -> tuple[str, str]:
    """Return fill and border of a node's box."""
    if status in LOUD:
        return _mix(tone, theme.ground, 0.13 if status == "failed" else 0.09), tone
    if status in ("pending", "stale"):
        return theme.ground, _mix(tone, theme.ground, 0.45)
    return _mix(tone, theme.ground, 0.09 if status in FRESH else 0.04), _mix(
        tone, theme.ground, 0.5
    )


def _mix(colour: str, ground: str, share: float) -> str:
    """Return a colour laid over a ground with this opacity."""
    pairs = zip(_channels(colour), _channels(ground), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def _channels(colour: str) -> list[int]:
    """Return red, green and blue of ``#rrggbb``."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def duration(seconds: float | None) -> str:
    """Return a duration in at most six characters.

    Examples
    --------
    >>> [duration(s) for s in (None, 0.0042, 0.26, 3.14159, 42, 754, 7300)]
    ['', '4ms', '0.3s', '3.1s', '42s', '12m34', '2h01']
    """
    if seconds is None:
        return ""
    if seconds < 0.0995:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}"
