"""The outputs of a node below its own cell, refreshed there when another cell makes it run again.

Jupyter can replace a display that is on the page (``update_display``), but it cannot add one to a
cell that is not running, take one away, or touch printed text. What is built on that:

- Every output is one display of its own with its own id, a *slot*: prints become text, errors
  their traceback, tables, pictures and widgets stay the bundles they are. So the first showing of
  a table is what any cell shows, and tools that look for an ``image/png`` find it.
- Fewer outputs than slots: those left over become empty text, which has no height in JupyterLab
  and is filled again later. (Without any text VS Code says "no output", and nbconvert warns.)
- More outputs than slots: the last slot holds all that is left as one composed HTML page, with
  text beside it. When the cell itself runs next, it gets a slot for each.
- A node without output has one empty slot, so that a later error has a place.
- While the node's own cell runs, prints and displays appear as they come. When the node ends they
  are cleared and shown again in slots, in one step and without flicker (``clear_output`` that
  waits). So the saved notebook holds displays where a plain cell would hold streams.

The alternatives fail at one of these: one composed slot for everything turns widgets and pictures
into HTML; spare slots fill the saved notebook with empty outputs and are never enough; an
``Output`` widget is gone when the notebook is reopened.

A terminal cannot go back: there outputs are printed once, below the cell that runs, and a refresh
shows nothing.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Sequence
from typing import Any

from dagnb.notebook.capture import Output, Shell, capture, formatted, keeps_outputs, publisher_of

Bundle = tuple[dict[str, Any], dict[str, Any]]

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_RED = "background:var(--jp-rendermime-error-background,#fdd)"
_EMPTY: Bundle = ({"text/plain": ""}, {})
_OLD_ERROR = "Run again after a change elsewhere; the error below is from before that."


class CellOutput:
    """The outputs of one node below its own cell.

    Parameters
    ----------
    shell : InteractiveShell
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._slots: list[str] = []
        self._raised = False

    def show(self, outputs: Sequence[Output], *, shown: int = 0, raises: bool = False) -> None:
        """Show outputs below the cell that is being executed, which becomes the node's own.

        Parameters
        ----------
        outputs : sequence of dict
            As in a notebook file.
        shown : int
            How many of them, from the first on, the cell shows already because they came live.
        raises : bool
            Whether the cell is about to raise the node's error, which nothing can take back.
        """
        self._raised = raises
        if not keeps_outputs(self._shell):
            for data, metadata in map(bundle_of, outputs[shown:]):
                publisher_of(self._shell).publish(data, metadata)
            return
        if shown:
            publisher_of(self._shell).clear_output(wait=True)
        bundles = [bundle_of(output) for output in outputs] or [_EMPTY]
        key = secrets.token_hex(4)
        self._slots = [f"dagnb-{key}-{number}" for number in range(len(bundles))]
        for slot, bundle in zip(self._slots, bundles, strict=True):
            self._publish(slot, bundle, update=False)

    def refresh(self, outputs: Sequence[Output]) -> None:
        """Show outputs in place of the last ones, from whatever cell is being executed."""
        if not self._slots:
            return
        if self._raised:
            outputs = [{"output_type": "stream", "name": "stdout", "text": _OLD_ERROR}, *outputs]
        for slot, bundle in zip(self._slots, _fit(outputs, len(self._slots)), strict=True):
            self._publish(slot, bundle, update=True)

    def _publish(self, slot: str, bundle: Bundle, *, update: bool) -> None:
        data, metadata = bundle
        publisher_of(self._shell).publish(
            data, metadata, transient={"display_id": slot}, update=update
        )


def value_outputs(shell: Shell, value: object) -> list[Output]:
    """Return what a cell that ends with `value` shows: nothing for None, else its rich display.

    Objects that display themselves (``_ipython_display_``) may give several outputs.
    """
    with capture(shell) as sink:
        show(shell, value)
    return sink.outputs


def show(shell: Shell, value: object) -> None:
    """Display a value as the end of a cell does: not at all if it is None."""
    if value is None:
        return
    data, metadata = formatted(shell, value)
    if data:
        publisher_of(shell).publish(data, metadata)


def format_value(shell: Shell, value: object) -> Bundle:
    """Return the rich display of a value as one bundle of data and one of metadata."""
    outputs = value_outputs(shell, value)
    return _fit(outputs, 1)[0] if outputs else ({}, {})


def without_twins(outputs: Sequence[Output], value: Sequence[Output]) -> list[Output]:
    """Join a node's outputs and its value's; a picture that is both is shown once.

    A node that ends with ``fig`` would show it as the figure it drew and as its value.
    """
    pictures = {output["data"].get("image/png") for output in value if "data" in output} - {None}
    return [
        *(each for each in outputs if each.get("data", {}).get("image/png") not in pictures),
        *value,
    ]


def bundle_of(output: Output) -> Bundle:
    r"""Return any output of a notebook file as the data and metadata of a display.

    Examples
    --------
    >>> bundle_of({"output_type": "stream", "name": "stdout", "text": "one\n"})
    ({'text/plain': 'one'}, {})
    """
    if "data" in output:
        return output["data"], output.get("metadata", {})
    if output["output_type"] == "error":
        return {"text/plain": "\n".join(output["traceback"])}, {}
    text = output["text"].removesuffix("\n")
    if output["name"] == "stdout" or _ANSI.search(text):
        return {"text/plain": text}, {}
    return {"text/plain": text, "text/html": _pre(text, _RED)}, {}


def composed(outputs: Sequence[Output]) -> Bundle:
    """Return several outputs as one display, as HTML with text beside it."""
    texts = [bundle_of(output)[0].get("text/plain", "") for output in outputs]
    page = "\n".join(_html_of(output) for output in outputs)
    return {"text/html": page, "text/plain": "\n".join(filter(None, texts))}, {}


def without_colours(text: str) -> str:
    r"""Return text without a terminal's codes.

    Examples
    --------
    >>> without_colours("\x1b[31mred\x1b[0m")
    'red'
    """
    return _ANSI.sub("", text)


def _fit(outputs: Sequence[Output], slots: int) -> list[Bundle]:
    """Return exactly as many bundles as there are slots."""
    if len(outputs) > slots:
        alone = [bundle_of(output) for output in outputs[: slots - 1]]
        return [*alone, composed(outputs[slots - 1 :])]
    empty: list[Bundle] = [_EMPTY] * (slots - len(outputs))
    return [*map(bundle_of, outputs), *empty]


def _html_of(output: Output) -> str:
    """Return one output as a piece of a page."""
    data, metadata = bundle_of(output)
    for mime in ("text/html", "image/svg+xml"):
        if mime in data:
            return f"<div>{data[mime]}</div>"
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            return _image(mime, data[mime], metadata.get(mime, {}))
    style = _RED if output["output_type"] == "error" else ""
    return _pre(without_colours(data.get("text/plain", "")), style)


def _image(mime: str, encoded: str, metadata: dict[str, Any]) -> str:
    size = "".join(f' {key}="{metadata[key]}"' for key in ("width", "height") if key in metadata)
    return f'<img src="data:{mime};base64,{encoded.strip()}"{size}>'


def _pre(text: str, style: str) -> str:
    attribute = f' style="margin:0;{style}"'
    return f"<pre{attribute}>{html.escape(text)}</pre>"
