"""The graph and its last run as a file: one page that works offline, or the graph alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from dagnb.notebook.assets import EMBEDDED, module, styles
from dagnb.render.forms import formed
from dagnb.render.picture import Picture
from dagnb.render.svg import svg

if TYPE_CHECKING:
    from dagnb.notebook.panel import Panel

PAGE = ".html"
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
:root{{color-scheme:light dark}}
body{{margin:16px;background:#fff}}
h1,h2{{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}}
@media (prefers-color-scheme:dark){{body{{background:#111}}}}
{styles}
</style>
<main><h1>{title}</h1><h2>Graph and last run</h2></main>
<noscript>{still}</noscript>
<script type="application/json" id="dagnb-data">{data}</script>
<script type="module">{code}</script>
</html>
"""
# Nothing is loaded, and no script runs but the one that is named by its hash.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'"


def export(picture: Picture, path: str | os.PathLike[str], panel: Panel) -> Path:
    """Write a graph to a file in the form that its ending names; see `Session.export`."""
    file = Path(path).expanduser()
    is_page = file.suffix.lower() == PAGE
    made = page(picture, panel) if is_page else formed(picture, file, also=[PAGE])
    file.write_bytes(made if isinstance(made, bytes) else made.encode())
    return file


def page(picture: Picture, panel: Panel) -> str:
    """Return a page with the graph, the last run and what there is to know of each node."""
    code = f"\n{module(EMBEDDED)}\n"
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return _PAGE.format(
        policy=_POLICY.format(digest),
        title=escape(picture.view.title or "dagnb run"),
        styles=styles(),
        still=svg(picture),
        data=script_safe(_facts(picture, panel)),
        code=code,
    )


def script_safe(data: object) -> str:
    r"""Return JSON that ends no script and begins no tag, whatever strings are in it.

    Examples
    --------
    >>> script_safe({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _facts(picture: Picture, panel: Panel) -> dict[str, object]:
    """Return all that the page shows; the drawing's geometry is that of the live view."""
    from dagnb.notebook.widget import geometry  # takes a while, so not before it is needed

    view, folded, opened = picture.view, Picture(picture.view), Picture(picture.view)
    folded.fold()
    opened.open()
    return {
        "embedded": True,
        "can_act": False,
        "graph": geometry(picture),
        "folded": geometry(folded) if picture.groups else None,
        "opened": geometry(opened) if picture.groups else None,
        "state": view.snapshot() | {"seq": 0, "clock": view.run.started if view.run else 0.0},
        "recording": panel.record(),
        "details": {name: panel.details(name, loading=False) for name in view.nodes},
    }
