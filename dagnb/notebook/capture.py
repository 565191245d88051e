"""What a node shows while it runs: prints, displays and figures, kept to be shown again.

One mechanism serves the main thread, worker threads and coroutines: a context variable holds the
sink of the node that is running, and proxies in front of ``sys.stdout``, ``sys.stderr`` and the
shell's display publisher look it up. Without a sink they pass everything on. Work that is handed
to another thread must carry its context along (``contextvars.copy_context().run``); what a thread
of the user's own prints is passed on and not kept, as before Python had contexts for threads.

Python code is caught; what a C library writes to file descriptor 1 goes where it always goes. While
a cell redirects the streams (``%%capture``), it also takes what nodes in the background print. What
a node shows when it ends are the figures that pyplot holds then and did not when it began.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Protocol, TextIO, TypeAlias

from dagnb.notebook.figures import NewFigures

Output: TypeAlias = dict[str, Any]  # one output as in a notebook file, JSON all the way down

LIMIT_BYTES = 1_000_000


class Shell(Protocol):
    """The parts of ``InteractiveShell`` that the notebook's outputs need."""

    display_pub: Any
    display_formatter: Any
    InteractiveTB: Any
    SyntaxTB: Any
    compile: Any
    execution_count: int

    def transform_cell(self, raw_cell: str) -> str:
        """Turn magics into Python."""


class Sink:
    """The outputs of one node, in order, in the form of a notebook file.

    Parameters
    ----------
    live : bool
        Whether everything is also passed on at once.
    limit_bytes : int
        Text above this, and displays above ten times this, are dropped with a notice.
    """

    def __init__(self, *, live: bool = False, limit_bytes: int = LIMIT_BYTES) -> None:
        self.live = live
        self.passed_on = False
        self._limit = limit_bytes
        self._outputs: list[Output] = []
        self._display_ids: dict[str, Output] = {}
        self._clear_next = False
        self._forget()

    @property
    def outputs(self) -> list[Output]:
        """A copy of the outputs so far; text that a carriage return overwrote is gone."""
        return [_settled(output) for output in self._outputs]

    def write(self, name: str, text: str) -> None:
        """Take a piece of a stream, joining it to the one before."""
        self._begin()
        if not text or self._text_left < 0:
            return
        if self._text_left < len(text):
            self._compact()
        self._piece(name, text[: self._text_left])
        self._text_left -= len(text)
        if self._text_left < 0:
            self._notice()

    def display(
        self, data: dict[str, object], metadata: dict[str, object], display_id: str | None
    ) -> None:
        """Take a display."""
        self._begin()
        if self._displays_left < 0:
            return
        output: Output = {"output_type": "display_data", **bundle(data, metadata)}
        self._displays_left -= sum(len(str(value)) for value in output["data"].values())
        if self._displays_left < 0:
            self._notice()
            return
        self._outputs.append(output)
        if display_id:
            self._display_ids[display_id] = output

    def update(
        self, data: dict[str, object], metadata: dict[str, object], display_id: str | None
    ) -> bool:
        """Replace what was displayed under this id; False if this node displayed no such thing."""
        output = self._display_ids.get(display_id or "")
        if output is not None:
            output.update(bundle(data, metadata))
        return output is not None

    def clear(self, *, wait: bool) -> None:
        """Forget the outputs so far, at once or as soon as the next one comes."""
        self._clear_next = True
        if not wait:
            self._begin()

    def _begin(self) -> None:
        if self._clear_next:
            self._forget()

    def _forget(self) -> None:
        self._clear_next = False
        self._outputs.clear()
        self._display_ids.clear()
        self._text_left = self._limit
        self._displays_left = self._limit * 10

    def _piece(self, name: str, text: str) -> None:
        if not self._outputs or self._outputs[-1].get("name") != name:
            self._outputs.append({"output_type": "stream", "name": name, "pieces": []})
        self._outputs[-1]["pieces"].append(text)

    def _compact(self) -> None:
        """Make room by dropping what progress bars have overwritten."""
        self._text_left = self._limit
        for output in self._outputs:
            if "pieces" in output:
                text = overwritten("".join(output["pieces"]))
                output["pieces"] = [text]
                self._text_left -= len(text)

    def _notice(self) -> None:
        limit = f"{self._limit:,} bytes"
        self._piece("stderr", f"\n... [more output than {limit} is not kept with the node]\n")


_SINK: ContextVar[Sink | None] = ContextVar("dagnb_sink", default=None)


class StreamProxy:
    """A text stream that goes to the running node's sink, and else to the stream behind it.

    In all else it is the stream behind (``isatty``, ``encoding``, ``buffer``, even its class).
    """

    def __init__(self, name: str, behind: TextIO) -> None:
        self._name = name
        self.behind = behind

    def write(self, text: str, /) -> int:
        """Write to the sink of the node that this context belongs to."""
        sink = _SINK.get()
        if sink is None:
            return self.behind.write(text)
        sink.write(self._name, text)
        if sink.live:
            sink.passed_on = True
            self.behind.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    @property  # type: ignore[misc]  # read-only on purpose
    def __class__(self) -> type:
        return type(self.behind)


def install(shell: Shell) -> None:
    """Put the proxies in place; what is in place already stays."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not _is_proxy(stream):
            setattr(sys, name, StreamProxy(name, stream))
    publisher = shell.display_pub
    if "publish" not in vars(publisher):
        publisher.publish = _publishing(publisher.publish)
        publisher.clear_output = _clearing(publisher.clear_output)


def uninstall(shell: Shell) -> None:
    """Take the proxies away again, wherever they are still in place."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if _is_proxy(stream):
            setattr(sys, name, stream.behind)
    _unpublish(shell.display_pub)


@contextmanager
def capture(shell: Shell, *, live: bool = False, limit_bytes: int = LIMIT_BYTES) -> Iterator[Sink]:
    """Keep what the body shows; read ``.outputs`` of what is yielded afterwards.

    Parameters
    ----------
    shell : InteractiveShell
    live : bool
        Also show it at once, in the cell that is being executed.
    limit_bytes : int
        How much to keep.

    Yields
    ------
    Sink
    """
    sink = Sink(live=live, limit_bytes=limit_bytes)
    with proxies(shell), NewFigures() as figures:
        token = _SINK.set(sink)
        try:
            yield sink
        finally:
            try:
                for figure in figures.take():
                    publisher_of(shell).publish(*formatted(shell, figure))
            finally:
                _SINK.reset(token)


def publisher_of(shell: Shell) -> Any:
    """Return what shows displays in cells.

    Off the main thread it is the shell's own: what ``%%capture`` has put in its place belongs to
    the cell that is being executed there.
    """
    if threading.current_thread() is not threading.main_thread():
        for each in getattr(shell, "configurables", ()):
            if hasattr(each, "publish") and hasattr(each, "clear_output"):
                return each
    return shell.display_pub


def keeps_outputs(shell: Shell) -> bool:
    """Whether what a cell shows is kept and can be replaced later, as a terminal's is not."""
    return getattr(shell, "kernel", None) is not None or getattr(shell, "keeps_outputs", False)


def is_capturing() -> bool:
    """Whether this code runs within a node."""
    return _SINK.get() is not None


@contextmanager
def proxies(shell: Shell) -> Iterator[None]:
    """Install for a while what is not installed, e.g. below ``%%capture`` or a redirect.

    On the main thread only: others would take it away under each other's feet.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    published = "publish" in vars(shell.display_pub)
    publisher = shell.display_pub
    install(shell)
    try:
        yield
    finally:
        for name, before in streams.items():
            now = getattr(sys, name)
            if _is_proxy(now) and now.behind is before:
                setattr(sys, name, before)
        if not published:
            _unpublish(publisher)


def _is_proxy(stream: object) -> bool:
    return type(stream).__name__ == "StreamProxy"  # also one of a module that was reloaded


def _unpublish(publisher: object) -> None:
    for name in ("publish", "clear_output"):
        vars(publisher).pop(name, None)


def _publishing(publish: Callable[..., None]) -> Callable[..., None]:
    """Wrap a publisher's ``publish`` so that it looks for a sink first."""

    def to_sink(
        data: dict[str, object],
        metadata: dict[str, object] | None = None,
        *args: object,
        transient: dict[str, str] | None = None,
        update: bool = False,
        **options: object,
    ) -> None:
        sink = _SINK.get()
        passed_on = sink is None or sink.live
        if sink is not None:
            display_id = (transient or {}).get("display_id")
            if not update:
                sink.display(data, metadata or {}, display_id)
                sink.passed_on |= sink.live
            elif not sink.update(data, metadata or {}, display_id):
                passed_on = True
        if passed_on:
            token = _SINK.set(None)  # a terminal's publisher prints: once is enough
            try:
                publish(data, metadata, *args, transient=transient, update=update, **options)
            finally:
                _SINK.reset(token)

    return to_sink


def _clearing(clear_output: Callable[..., None]) -> Callable[..., None]:
    """Wrap a publisher's ``clear_output`` so that it looks for a sink first."""

    def to_sink(wait: bool = False) -> None:
        sink = _SINK.get()
        if sink is not None:
            sink.clear(wait=wait)
        if sink is None or sink.live:
            token = _SINK.set(None)
            try:
                clear_output(wait)
            finally:
                _SINK.reset(token)

    return to_sink


def formatted(shell: Shell, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a value as the shell shows it; a figure as PNG if the shell was not told how."""
    data, metadata = shell.display_formatter.format(value)
    figures = sys.modules.get("matplotlib.figure")
    if figures is None or not isinstance(value, figures.Figure):
        return data, metadata
    if any(mime.startswith("image/") or mime == "application/pdf" for mime in data):
        return data, metadata
    print_figure = import_module("IPython.core.pylabtools").print_figure
    return {**data, "image/png": print_figure(value, base64=True)}, metadata


# Outputs as plain data


def _settled(output: Output) -> Output:
    """Return a copy for a notebook file."""
    if output["output_type"] != "stream":
        return dict(output)
    text = overwritten("".join(output["pieces"]))
    return {"output_type": "stream", "name": output["name"], "text": text}


def overwritten(text: str) -> str:
    r"""Return what a terminal shows after carriage returns, as progress bars use them.

    Examples
    --------
    >>> overwritten("10%\r50%\r100%\ndone\n")
    '100%\ndone\n'
    """
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(_last_write(line) for line in lines)


def _last_write(line: str) -> str:
    """Return one line after its carriage returns; longer text shows behind shorter."""
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown


def bundle(data: Mapping[str, object], metadata: Mapping[str, object]) -> Output:
    """Return a display's parts as JSON; bytes become base 64, as in notebook files."""
    return {
        "data": {mime: _plain(value) for mime, value in data.items()},
        "metadata": _plain(metadata),
    }


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value if isinstance(value, str) else json.loads(json.dumps(value, default=str))
