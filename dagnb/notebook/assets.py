"""The browser's code and stylesheet: one text each, from the files in ``view/``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dagnb.render.look import DARK, GRAVEST, ICONS, LIGHT, WORDS, rules, shapes
from dagnb.render.view import STATUSES

# In this order; the last one only for a page of its own, which no kernel answers.
_VIEW = Path(__file__).parent / "view"
_PARTS = (
    "tools", "graph", "stage", "tiles", "sheet", "far", "motion", "hands", "folds", "minimap",
    "panel", "table", "timeline", "replay", "plan", "lesson", "find", "saving", "page", "kernel",
)  # fmt: skip
_SHEETS = ("graph", "stage", "panel", "table", "replay", "plan", "lesson", "wishes")
EMBEDDED = "embedded"


def module(*more: str) -> str:
    """Return the browser's code, preceded by the icons and words it shares with the still."""
    tones = {"light": LIGHT.tones, "dark": DARK.tones}
    look = {"icons": ICONS, "words": WORDS, "statuses": STATUSES, "tones": tones}
    look["gravest"] = GRAVEST
    known = f"const LOOK={json.dumps(look, separators=(',', ':'))};\n"
    return known + _joined([*_PARTS, *more], ".js")


def styles() -> str:
    """Return the stylesheet, preceded by the colours it shares with the still."""
    dark = '.dagnb[data-theme="dark"]'
    return shapes(".dagnb") + rules(LIGHT, ".dagnb") + rules(DARK, dark) + _joined(_SHEETS, ".css")


def _joined(names: Sequence[str], suffix: str) -> str:
    """Return the files of the view as one text, without their indentation and comments."""
    texts = ((_VIEW / f"{name}{suffix}").read_text(encoding="utf-8") for name in names)
    lines = (line.strip() for text in texts for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
